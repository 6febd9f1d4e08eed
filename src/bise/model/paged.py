"""How the tokens of many requests look at a paged cache in one pass.

A request's entries lie in whatever pages it was given, in the order of its positions. Requests
that add equally few tokens go together, padded to the longest; a long chunk of a prompt goes alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bise.model.cache import PagedCache
from bise.model.sight import Look

FEW_QUERIES = 8
"""Up to so many new tokens, no keys and values are made: the latents are looked at themselves."""


@dataclass(frozen=True, slots=True)
class Span:
    """New tokens of one request."""

    start: int
    """Position of the first, and so the number of tokens already in the cache."""

    count: int
    pages: Sequence[int]
    """Where entries `0 … start + count` lie."""


class PagedSight:
    """One pass over new tokens of several requests.

    `order` says in which order the spans' tokens must lie in the pass: those that are looked up
    together stand together. Padding comes last.
    """

    def __init__(self, cache: PagedCache, spans: Sequence[Span], *, multiple: int = 1):
        """multiple: the pass is padded to a multiple of so many tokens, so that shapes repeat."""
        self.cache = cache
        self.spans = spans
        self.looks: list[Look] = []
        self.order: list[int] = []
        self._tables: list[Tensor | None] = []
        self._num_tokens = 0
        for group in self._groups():
            self._add_look([spans[i] for i in group])
            self.order += group
        self.num_padding = -self._num_tokens % multiple
        self._rows = torch.cat([self._rows_of(spans[i]) for i in self.order])

    def positions(self) -> Tensor:
        """[tokens] int64, in `order`; padding stands at 0"""
        device = self.cache.device
        parts = [self.spans[i] for i in self.order]
        every = [torch.arange(p.start, p.start + p.count, device=device) for p in parts]
        return torch.cat([*every, torch.zeros(self.num_padding, dtype=torch.int64, device=device)])

    def extend(self, layer: int, entries: Tensor) -> list[Tensor]:
        self.cache.write(layer, self._rows, entries[: self._num_tokens])
        return [
            entries[look.tokens][None] if pages is None else self.cache.read(layer, pages)
            for look, pages in zip(self.looks, self._tables, strict=True)
        ]

    def _groups(self) -> list[list[int]]:
        """Spans that go together: equally few tokens, and lengths within a factor of two."""
        groups: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        alone: list[list[int]] = []
        for i, span in enumerate(self.spans):
            if span.count > FEW_QUERIES:
                alone.append([i])
            else:
                groups[span.count, self._num_pages(span).bit_length()].append(i)
        return [*groups.values(), *alone]

    def _num_pages(self, span: Span) -> int:
        return -(-(span.start + span.count) // self.cache.page_tokens)

    def _is_fresh(self, spans: list[Span]) -> bool:
        """Whether everything there is to see is in this pass."""
        return len(spans) == 1 and spans[0].start == 0 and not self.cache.is_lossy

    def _add_look(self, spans: list[Span]) -> None:
        """One lookup for these spans, whose tokens come next in the pass."""
        count, device = spans[0].count, self.cache.device
        tokens = slice(self._num_tokens, self._num_tokens + count * len(spans))
        self._num_tokens = tokens.stop
        form = "expanded" if count > FEW_QUERIES else "absorbed"
        if self._is_fresh(spans):
            self.looks.append(Look(tokens, 1, count, form, None))
            self._tables.append(None)
            return
        longest = max(self._num_pages(span) for span in spans)
        rows = [list(span.pages[:longest]) for span in spans]
        table = torch.tensor([row + [row[0]] * (longest - len(row)) for row in rows], device=device)
        keys = torch.arange(longest * self.cache.page_tokens, device=device)
        starts = torch.tensor([span.start for span in spans], device=device)
        last = starts[:, None] + torch.arange(count, device=device)
        mask = (keys <= last[:, :, None])[:, None]  # [batch, 1, queries, keys]
        self.looks.append(Look(tokens, len(spans), count, form, mask))
        self._tables.append(table)

    def _rows_of(self, span: Span) -> Tensor:
        """Where each new token's entry goes, among all tokens of all pages."""
        size = self.cache.page_tokens
        position = torch.arange(span.start, span.start + span.count)
        pages = torch.tensor(span.pages)[position // size]
        return (pages * size + position % size).to(self.cache.device)


EXACT_PAGES = 4
"""Lookups of single tokens are padded to a multiple of so many pages."""


class ExactSight(PagedSight):
    """Every token looks alone, through shapes that only its own position decides.

    Sums in another order differ in the last bit. Here nothing that shares a pass can change an
    order, so the same text gives the same bits, however it was cut, cached or batched.
    """

    def _groups(self) -> list[list[int]]:
        assert all(span.count == 1 for span in self.spans), "one token a span"
        return [[i] for i in range(len(self.spans))]

    def _num_pages(self, span: Span) -> int:
        """Pages of the request beyond what it has are padding, masked like all that is later."""
        needed = super()._num_pages(span)
        return -(-needed // EXACT_PAGES) * EXACT_PAGES

    def _is_fresh(self, spans: list[Span]) -> bool:  # noqa: ARG002 - never: it would be a shape of its own
        return False
