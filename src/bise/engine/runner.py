"""The network at work on one step: new tokens of many requests, read or said, in one pass.

This is the whole interface the engine needs from whatever executes a step (plain torch here,
kernels or another machine later): `compute` and `see`, over pages of a cache.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bise.engine.pages import PAGE_TOKENS
from bise.model.config import ModelConfig
from bise.model.experts import Routing
from bise.model.network import Network
from bise.model.paged import PagedCache, PagedSight, Span


@dataclass(frozen=True, kw_only=True, slots=True)
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


CACHE_BYTES = 2**30
"""The cache takes no more than this unless told to."""


def cache_room(config: ModelConfig, num_running: int, limit_bytes: int = CACHE_BYTES) -> int:
    """Tokens to make room for: so many whole conversations, or what fits into the limit at bf16."""
    token_bytes = 2 * config.cache_numbers_per_token
    return min(num_running * config.max_positions, max(limit_bytes // token_bytes, PAGE_TOKENS))


class Runner:
    """A network, and the pages of all conversations it is having."""

    def __init__(
        self, network: Network, num_tokens: int | None = None, dtype: torch.dtype | None = None
    ):
        """num_tokens: room in the cache, None is what `cache_room` says for eight conversations;
        dtype: what to compute in, None is the type of the weights."""
        self.network = network
        self.dtype = dtype or network.embed.weight.dtype
        self.device = network.embed.weight.device
        config = network.config
        if num_tokens is None:
            num_tokens = cache_room(config, 8)
        self.num_pages = -(-num_tokens // PAGE_TOKENS)
        self.cache = PagedCache(
            config.num_layers,
            self.num_pages,
            PAGE_TOKENS,
            config.attention.cache_width,
            dtype=self.dtype,
            device=self.device,
        )

    @torch.inference_mode()
    def see(self, image: Tensor) -> Tensor:
        """Vectors for the image tokens of a picture: [channels, height, width] -> [tokens, dim]"""
        return self.network.see([image.to(self.device, self.dtype)])

    @torch.inference_mode()
    def compute(self, works: Sequence[Work], routing: list[Tensor] | None = None) -> list[Tensor]:
        """Compute all new tokens; for each work its logits [wanted, vocab] fp32.

        `routing` gets for each work which experts its tokens went to: [tokens, layers, topk].
        """
        spans = [Span(work.start, len(work.ids), work.pages) for work in works]
        sight = PagedSight(self.cache, spans)
        ordered = [works[i] for i in sight.order]
        ids = torch.tensor([i for work in ordered for i in work.ids], device=self.device)
        seen = [work.image_vectors for work in ordered if work.image_vectors is not None]
        asked = Routing() if routing is not None else None
        hidden = self.network(
            ids,
            sight.positions(),
            sight,
            image_vectors=torch.cat(seen) if seen else None,
            routing=asked,
            dtype=self.dtype,
        )
        ends = torch.tensor([len(work.ids) for work in ordered]).cumsum(0).tolist()
        if routing is not None and asked is not None and asked.choices:
            chosen = torch.stack(asked.choices, dim=1).split([len(work.ids) for work in ordered])
            routing += _in_order(chosen, sight.order)
        rows = [
            row
            for work, end in zip(ordered, ends, strict=True)
            for row in range(end - work.num_wanted, end)
        ]
        logits = self.network.logits(hidden[rows]).float()
        return _in_order(logits.split([work.num_wanted for work in ordered]), sight.order)


def _in_order(parts: Sequence[Tensor], order: Sequence[int]) -> list[Tensor]:
    """Undo the order of a pass: part `k` belongs to work `order[k]`."""
    back = dict(zip(order, parts, strict=True))
    return [back[i] for i in range(len(parts))]
