"""The network at work on one step through the C++ core: what `Runner` does, many times faster."""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor

from bise.engine.pages import PAGE_TOKENS
from bise.engine.requests import Sampling
from bise.engine.runner import Work, cache_room
from bise.model.cache import ByteCache, CacheKind, PagedCache, make_cache
from bise.model.packed import PackedNetwork
from bise.ops.cpu.choose import choose
from bise.ops.cpu.look import Pages
from bise.ops.cpu.network import Caches


class CoreRunner:
    """A packed network, and the pages of all conversations it is having."""

    def __init__(
        self,
        network: PackedNetwork,
        num_tokens: int | None = None,
        dtype: torch.dtype = torch.bfloat16,
        cache_kind: CacheKind = "plain",
        *,
        is_exact: bool = False,
    ):
        """num_tokens: room in the cache, None is what `cache_room` says for eight conversations;
        dtype: of plain entries and of what a draft head is told; is_exact: the same bits in any
        company"""
        self.network = network
        self.dtype = dtype
        self.device = torch.device("cpu")
        self.is_exact = is_exact
        config = network.config
        if num_tokens is None:
            num_tokens = cache_room(config, 8, kind=cache_kind)
        self.num_pages = -(-num_tokens // PAGE_TOKENS)
        self.cache = make_cache(
            config, self.num_pages, PAGE_TOKENS, kind=cache_kind, dtype=dtype, device=self.device
        )
        self._caches = pages_of(self.cache)

    @torch.inference_mode()
    def see(self, image: Tensor) -> Tensor:
        """Vectors for the image tokens of a picture: [channels, height, width] -> [tokens, dim]"""
        return self.network.see([image])

    def pick(
        self,
        logits: Tensor,
        samplings: Sequence[Sampling],
        points: Sequence[float],
        never: int | None = None,
    ) -> list[int]:
        """As `pick` of `bise.engine.sampling`."""
        manners = [
            (0.0 if one.is_greedy else one.temperature, one.min_p, one.top_k, one.top_p, point)
            for one, point in zip(samplings, points, strict=True)
        ]
        return choose(logits, manners, never)

    def compute(
        self,
        works: Sequence[Work],
        routing: list[Tensor] | None = None,
        hidden: list[Tensor] | None = None,
    ) -> Tensor:
        """As `Runner.compute`."""
        ids = [token for work in works for token in work.ids]
        counts = [len(work.ids) for work in works]
        ends = list(accumulate(counts))
        wanted = [
            row
            for work, end in zip(works, ends, strict=True)
            for row in range(end - work.num_wanted, end)
        ]
        seen = [work.image_vectors for work in works if work.image_vectors is not None]
        image_token = self.network.config.image_token
        rows = [row for row, token in enumerate(ids) if token == image_token] if seen else []
        passed = self.network.core.run(
            ids,
            works,
            self._caches,
            wanted,
            vectors=torch.cat(seen).float().contiguous() if seen else None,
            vector_rows=rows,
            wants_hidden=hidden is not None,
            wants_routing=routing is not None and self.network.config.experts is not None,
            is_exact=self.is_exact,
        )
        if routing is not None and passed.routing is not None:
            routing += passed.routing.long().split(counts)
        if hidden is not None and passed.hidden is not None:
            hidden += passed.hidden.to(self.dtype).split(counts)
        return passed.logits


def pages_of(cache: PagedCache) -> Caches:
    """A cache as the core reads and writes it."""
    if not isinstance(cache, ByteCache):
        return Caches([Pages(layer, cache.entries.shape[-1]) for layer in cache.entries])
    stored = cache.entries.view(torch.int8 if cache.kind == "int8" else torch.float8_e4m3fn)
    layers = zip(stored.unbind(), cache.scales.unbind(), strict=True)
    return Caches([Pages(layer, cache.halves[0], scales) for layer, scales in layers])
