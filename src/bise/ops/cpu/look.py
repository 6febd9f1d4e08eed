"""Looking back over pages of a cache with the core's kernels.

The definitions are `bise.ops.attention` over what `bise.model.cache` reads.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from bise.ops.cpu.library import (
    address,
    core,
    done,
    need,
    need_tensor,
    start_of,
    whole_numbers,
)

CACHE_TYPES = {torch.float32: 0, torch.bfloat16: 1, torch.int8: 2, torch.float8_e4m3fn: 3}
IN_8_BITS = (torch.int8, torch.float8_e4m3fn)


class _Cache(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("entries", ctypes.c_void_p),
        ("scales", ctypes.c_void_p),
        ("page_tokens", ctypes.c_int64),
        ("width", ctypes.c_int64),
    ]


class _Span(ctypes.Structure):
    _fields_ = [("start", ctypes.c_int64), ("count", ctypes.c_int64), ("pages", ctypes.c_void_p)]


class _LatentShape(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("heads", "nope", "rope", "value", "latent")),
        ("scale", ctypes.c_float),
    ]


class _GroupedShape(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("heads", "kv_heads", "head_dim")),
        ("scale", ctypes.c_float),
    ]


class Span(Protocol):
    """New tokens of one request, whose entries `0 … start + count` lie in its pages."""

    @property
    def start(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def pages(self) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one layer."""

    entries: Tensor
    """[pages, page tokens, width] fp32 or bf16; int8 or float8_e4m3fn with scales"""

    first_part: int
    """How many numbers of an entry the first scale is for."""

    scales: Tensor | None = None
    """[pages, page tokens, 2] fp32"""

    def __post_init__(self) -> None:
        need_tensor("entries", self.entries, (-1, -1, -1), *CACHE_TYPES)
        num_pages, page_tokens, width = self.entries.shape
        need(page_tokens > 0 and 0 <= self.first_part <= width, "`first_part` is within an entry")
        if self.scales is not None:
            need_tensor("scales", self.scales, (num_pages, page_tokens, 2), torch.float32)
        has_scales = self.scales is not None
        need(has_scales == (self.entries.dtype in IN_8_BITS), "entries of 8 bits have scales")

    def _native(self) -> _Cache:
        _, page_tokens, width = self.entries.shape
        scales = None if self.scales is None else address(self.scales)
        kind = CACHE_TYPES[self.entries.dtype]
        return _Cache(kind, address(self.entries), scales, page_tokens, width)


class Table:
    """Spans as the core reads them: made once a step, used by every layer."""

    def __init__(self, spans: Sequence[Span]):
        self._spans = spans
        self.num_tokens = sum(span.count for span in spans)
        self._pages = [whole_numbers(span.pages) for span in spans]
        parts = zip(spans, self._pages, strict=True)
        rows = [_Span(span.start, span.count, start_of(pages)) for span, pages in parts]
        self.num_spans = ctypes.c_int64(len(rows))
        self.spans = (_Span * len(rows))(*rows)

    def check(self, num_pages: int, page_tokens: int) -> None:
        """See that all entries lie in pages there are."""
        for span in self._spans:
            end, pages = span.start + span.count, span.pages
            if span.start < 0 or span.count < 0:
                raise ValueError(f"a span begins at {span.start} and has {span.count} tokens")
            if len(pages) * page_tokens < end:
                raise ValueError(
                    f"{len(pages)} pages of {page_tokens} tokens do not hold a span of {end}"
                )
            if pages and not 0 <= min(pages) <= max(pages) < num_pages:
                raise ValueError(
                    f"a span has pages {min(pages)} … {max(pages)}, expected 0 … {num_pages - 1}"
                )


@dataclass(frozen=True, slots=True)
class LatentUp:
    """What multiplies latents up to keys and values, packed."""

    shape: tuple[int, int, int, int, int]
    """heads, nope, rope, value, latent"""

    packed: Tensor
    """[bytes] uint8"""

    def check(self) -> None:
        """See that nothing beyond the bytes will be read."""
        need(min(self.shape) > 0, f"sizes {self.shape} are not all above 0")
        need_tensor("packed", self.packed, (latent_up_bytes(self.shape),), torch.uint8)


def use_exact_attention(wanted: bool) -> None:
    """Make a token's bits independent of how its text was cut into spans; for this thread."""
    core().bise_use_exact_attention(ctypes.c_int64(wanted))


def write_cache(pages: Pages, table: Table, entries: Tensor) -> None:
    """Keep entries [tokens, width] fp32 of all spans, one after the other."""
    num_pages, page_tokens, width = pages.entries.shape
    table.check(num_pages, page_tokens)
    need_tensor("entries", entries, (table.num_tokens, width), torch.float32)
    status = core().bise_write_cache(
        ctypes.byref(pages._native()),
        table.spans,
        table.num_spans,
        address(entries),
        ctypes.c_int64(pages.first_part),
    )
    done(status, f"keep {table.num_tokens} tokens")


def latent_up_bytes(shape: Sequence[int]) -> int:
    """Memory that takes; shape: heads, nope, rope, value, latent"""
    count_bytes = core().bise_latent_up_bytes
    count_bytes.restype = ctypes.c_int64
    return count_bytes(ctypes.byref(_LatentShape(*shape, 1.0)))


def pack_latent_up(up: Tensor, *, nope: int, rope: int) -> LatentUp:
    """up [heads, nope + value, latent] fp32 or bf16; kept in bf16"""
    need_tensor("up", up, (-1, -1, -1), torch.float32, torch.bfloat16)
    heads, both, latent = up.shape
    shape = (heads, nope, rope, both - nope, latent)
    need(min(shape) > 0, f"heads, nope, rope, value, latent are {shape}, expected above 0")
    native = ctypes.byref(_LatentShape(*shape, 1.0))
    packed = torch.empty(latent_up_bytes(shape), dtype=torch.uint8)
    is_bf16 = ctypes.c_int64(up.dtype == torch.bfloat16)
    status = core().bise_pack_latent_up(native, address(up), is_bf16, address(packed))
    done(status, f"pack {heads} heads")
    return LatentUp(shape, packed)


def latent_attention(
    query: Tensor, up: LatentUp, pages: Pages, table: Table, *, scale: float
) -> Tensor:
    """query [tokens, heads, nope + rope] fp32 -> [tokens, heads, value]; causal"""
    heads, nope, rope, value, latent = up.shape
    up.check()
    _check_look(query, pages, table, (heads, nope + rope), latent + rope)
    out = query.new_empty(query.shape[0], heads, value)
    status = core().bise_latent_attention(
        ctypes.byref(_LatentShape(*up.shape, scale)),
        address(up.packed),
        ctypes.byref(pages._native()),
        table.spans,
        table.num_spans,
        address(query),
        address(out),
    )
    done(status, f"look back for {table.num_tokens} tokens")
    return out


def grouped_attention(
    query: Tensor, pages: Pages, table: Table, *, kv_heads: int, scale: float
) -> Tensor:
    """query [tokens, heads, head dim] fp32 -> like it; an entry is all keys, then all values"""
    need_tensor("query", query, (-1, -1, -1), torch.float32)
    _, heads, head_dim = query.shape
    need(kv_heads > 0 and heads % kv_heads == 0, f"{heads} heads cannot share {kv_heads}")
    _check_look(query, pages, table, (heads, head_dim), 2 * kv_heads * head_dim)
    out = torch.empty_like(query)
    status = core().bise_grouped_attention(
        ctypes.byref(_GroupedShape(heads, kv_heads, head_dim, scale)),
        ctypes.byref(pages._native()),
        table.spans,
        table.num_spans,
        address(query),
        address(out),
    )
    done(status, f"look back for {table.num_tokens} tokens")
    return out


def _check_look(
    query: Tensor, pages: Pages, table: Table, head: tuple[int, int], width: int
) -> None:
    num_pages, page_tokens, _ = pages.entries.shape
    table.check(num_pages, page_tokens)
    need_tensor("query", query, (table.num_tokens, *head), torch.float32)
    need_tensor("pages.entries", pages.entries, (-1, -1, width), *CACHE_TYPES)
