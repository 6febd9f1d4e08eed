"""The network at work on one step: new tokens of many requests, read or said, in one pass.

`StepRunner` is the whole interface the engine needs from whatever executes a step: plain torch
here, the C++ core in `core_runner.py`, another machine some day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

import torch
from torch import Tensor

from bise.engine.pages import PAGE_TOKENS
from bise.engine.sampling import Pick, pick
from bise.model.cache import CacheKind, PagedCache, make_cache, token_bytes
from bise.model.config import ModelConfig
from bise.model.experts import Routing
from bise.model.network import Network
from bise.model.packed import PackedNetwork
from bise.model.paged import ExactSight, PagedSight, Span


@dataclass(kw_only=True, slots=True)  # not frozen: many are made in every step
class Work:
    """New tokens of one request."""

    ids: Sequence[int]
    start: int
    """Position of the first."""

    pages: Sequence[int]
    """The request's pages, from position 0 on."""

    num_wanted: int
    """Of how many last tokens the logits are wanted; 0 in the middle of a prompt."""

    image_vectors: Tensor | None = None
    """[image tokens among `ids`, dim]"""

    @property
    def count(self) -> int:
        return len(self.ids)


class StepRunner(Protocol):
    """Computes steps, and keeps the pages of all conversations."""

    cache: PagedCache
    num_pages: int
    dtype: torch.dtype
    """Of entries, and of what `hidden` is given in."""

    device: torch.device

    @property
    def network(self) -> Network | PackedNetwork:
        """Lends its shape, its embedding and its head."""
        ...

    def see(self, image: Tensor) -> Tensor:
        """Vectors for the image tokens of a picture: [channels, height, width] -> [tokens, dim]"""
        ...

    def compute(
        self,
        works: Sequence[Work],
        routing: list[Tensor] | None = None,
        hidden: list[Tensor] | None = None,
    ) -> Tensor:
        """Compute all new tokens; the logits wanted, work after work: [wanted, vocab] fp32.

        `routing` gets for each work which experts its tokens went to: [tokens, layers, topk];
        `hidden` what the network made of them, as its head takes it: [tokens, dim].
        """
        ...

    @property
    def pick(self) -> Pick:
        """Picks the next tokens from its logits."""
        ...


TOKEN_MULTIPLE = 32
"""Larger passes are padded to a multiple of so many tokens: oneDNN compiles for each new shape."""

EXACT_TILE = 32
"""Tokens an exact pass always has, and rows an expert always gets."""

CACHE_BYTES = 2**30
"""The cache takes no more than this unless told to."""


def cache_room(
    config: ModelConfig,
    num_running: int,
    *,
    kind: CacheKind = "plain",
    limit_bytes: int = CACHE_BYTES,
) -> int:
    """Tokens to make room for: so many whole conversations, or what fits into the limit."""
    fits = limit_bytes // token_bytes(config, kind, torch.bfloat16)
    return min(num_running * config.max_positions, max(fits, PAGE_TOKENS))


class Runner:
    """A network, and the pages of all conversations it is having."""

    pick = staticmethod(pick)

    def __init__(
        self,
        network: Network,
        num_tokens: int | None = None,
        dtype: torch.dtype | None = None,
        cache_kind: CacheKind = "plain",
    ):
        """num_tokens: room in the cache, None is what `cache_room` says for eight conversations;
        dtype: what to compute in, None is the type of the weights."""
        self.network = network
        self.dtype = dtype or network.embed.weight.dtype
        self.device = network.embed.weight.device
        config = network.config
        if num_tokens is None:
            num_tokens = cache_room(config, 8, kind=cache_kind)
        self.num_pages = -(-num_tokens // PAGE_TOKENS)
        self.cache = make_cache(
            config,
            self.num_pages,
            PAGE_TOKENS,
            kind=cache_kind,
            dtype=self.dtype,
            device=self.device,
        )

    @torch.inference_mode()
    def see(self, image: Tensor) -> Tensor:
        """Vectors for the image tokens of a picture: [channels, height, width] -> [tokens, dim]"""
        return self.network.see([image.to(self.device, self.dtype)])

    @torch.inference_mode()
    def compute(
        self,
        works: Sequence[Work],
        routing: list[Tensor] | None = None,
        hidden: list[Tensor] | None = None,
    ) -> Tensor:
        spans = [Span(work.start, len(work.ids), work.pages) for work in works]
        num_tokens = sum(len(work.ids) for work in works)
        multiple = TOKEN_MULTIPLE if num_tokens > TOKEN_MULTIPLE else 1
        sight = PagedSight(self.cache, spans, multiple=multiple)
        ordered = [works[i] for i in sight.order]
        states, chosen = self._pass(ordered, sight, routing is not None)
        counts = [len(work.ids) for work in ordered]
        if routing is not None and chosen is not None:
            routing += _in_order(chosen[:num_tokens].split(counts), sight.order)
        if hidden is not None:
            hidden += _in_order(states[:num_tokens].split(counts), sight.order)
        ends = dict(zip(sight.order, accumulate(counts), strict=True))
        rows = [
            row for i, work in enumerate(works) for row in range(ends[i] - work.num_wanted, ends[i])
        ]
        return self.network.logits(states[rows]).float()

    def _pass(
        self,
        works: Sequence[Work],
        sight: PagedSight,
        wants_routing: bool,
        run_rows: int | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Hidden states [tokens, dim] of these works in this order, and [tokens, layers, topk]."""
        ids = [i for work in works for i in work.ids] + [0] * sight.num_padding
        seen = [work.image_vectors for work in works if work.image_vectors is not None]
        asked = Routing() if wants_routing else None
        hidden = self.network(
            torch.tensor(ids, device=self.device),
            sight.positions(),
            sight,
            image_vectors=torch.cat(seen) if seen else None,
            routing=asked,
            dtype=self.dtype,
            run_rows=run_rows,
        )
        has_chosen = asked is not None and asked.choices
        return hidden, torch.stack(asked.choices, dim=1) if asked and has_chosen else None


class ExactRunner(Runner):
    """A runner whose every number depends on a request's own tokens alone, to the last bit.

    Tokens go through in tiles of one size, each looking alone: several times slower than `Runner`,
    and the same however a text was cut, cached, guessed or batched.
    """

    @torch.inference_mode()
    def compute(
        self,
        works: Sequence[Work],
        routing: list[Tensor] | None = None,
        hidden: list[Tensor] | None = None,
    ) -> Tensor:
        singles = [one for work in works for one in self._singles(work)]
        logits, chosen, made = list[Tensor](), list[Tensor](), list[Tensor]()
        for start in range(0, len(singles), EXACT_TILE):
            tile = singles[start : start + EXACT_TILE]
            spans = [Span(one.start, 1, one.pages) for one in tile]
            sight = ExactSight(self.cache, spans, multiple=EXACT_TILE)
            states, experts = self._pass(tile, sight, routing is not None, run_rows=EXACT_TILE)
            logits += self.network.logits(states).float()[: len(tile)].unbind()
            made += states[: len(tile)].unbind()
            if experts is not None:
                chosen += experts[: len(tile)].unbind()
        rows, at = list[int](), 0
        for work in works:
            end = at + len(work.ids)
            rows += range(end - work.num_wanted, end)
            if routing is not None and chosen:
                routing.append(torch.stack(chosen[at:end]))
            if hidden is not None:
                hidden.append(torch.stack(made[at:end]))
            at = end
        return torch.stack([logits[row] for row in rows]) if rows else logits[0][None][:0]

    def _singles(self, work: Work) -> list[Work]:
        """The tokens of a work, one by one."""
        has_images = work.image_vectors is not None
        vectors = iter(work.image_vectors if work.image_vectors is not None else ())
        image_token = self.network.config.image_token
        return [
            Work(
                ids=[token],
                start=work.start + place,
                pages=work.pages,
                num_wanted=1,
                image_vectors=next(vectors)[None] if has_images and token == image_token else None,
            )
            for place, token in enumerate(work.ids)
        ]


def _in_order(parts: Sequence[Tensor], order: Sequence[int]) -> list[Tensor]:
    """Undo the order of a pass: part `k` belongs to work `order[k]`."""
    back = dict(zip(order, parts, strict=True))
    return [back[i] for i in range(len(parts))]
