"""Looking back over pages of a cache with the core's kernels.

The definitions are `bise.ops.attention` over what `bise.model.cache` reads.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from bise.ops.cpu.library import address, core

CACHE_TYPES = {torch.float32: 0, torch.bfloat16: 1, torch.int8: 2, torch.float8_e4m3fn: 3}


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

    def _native(self) -> _Cache:
        _, page_tokens, width = self.entries.shape
        scales = None if self.scales is None else address(self.scales)
        kind = CACHE_TYPES[self.entries.dtype]
        return _Cache(kind, address(self.entries), scales, page_tokens, width)


class Table:
    """Spans as the core reads them: made once a step, used by every layer."""

    def __init__(self, spans: Sequence[Span]):
        self._pages = [torch.tensor(span.pages, dtype=torch.int64) for span in spans]
        parts = zip(spans, self._pages, strict=True)
        rows = [_Span(span.start, span.count, address(pages)) for span, pages in parts]
        self.num_spans = ctypes.c_int64(len(rows))
        self.spans = (_Span * len(rows))(*rows)


@dataclass(frozen=True, slots=True)
class LatentUp:
    """What multiplies latents up to keys and values, packed."""

    shape: tuple[int, int, int, int, int]
    """heads, nope, rope, value, latent"""

    packed: Tensor
    """[bytes] uint8"""


def use_exact_attention(wanted: bool) -> None:
    """Make a token's bits independent of how its text was cut into spans."""
    core().bise_use_exact_attention(ctypes.c_int64(wanted))


def write_cache(pages: Pages, table: Table, entries: Tensor) -> None:
    """Keep entries [tokens, width] fp32 of all spans, one after the other."""
    core().bise_write_cache(
        ctypes.byref(pages._native()),
        table.spans,
        table.num_spans,
        address(entries),
        ctypes.c_int64(pages.first_part),
    )


def pack_latent_up(up: Tensor, *, nope: int, rope: int) -> LatentUp:
    """up [heads, nope + value, latent] fp32 or bf16; kept in bf16"""
    heads, both, latent = up.shape
    shape = (heads, nope, rope, both - nope, latent)
    native = ctypes.byref(_LatentShape(*shape, 1.0))
    count_bytes = core().bise_latent_up_bytes
    count_bytes.restype = ctypes.c_int64
    packed = torch.empty(count_bytes(native), dtype=torch.uint8)
    is_bf16 = ctypes.c_int64(up.dtype == torch.bfloat16)
    core().bise_pack_latent_up(native, address(up), is_bf16, address(packed))
    return LatentUp(shape, packed)


def latent_attention(
    query: Tensor, up: LatentUp, pages: Pages, table: Table, *, scale: float
) -> Tensor:
    """query [tokens, heads, nope + rope] fp32 -> [tokens, heads, value]; causal"""
    heads, _, _, value, _ = up.shape
    out = query.new_empty(query.shape[0], heads, value)
    core().bise_latent_attention(
        ctypes.byref(_LatentShape(*up.shape, scale)),
        address(up.packed),
        ctypes.byref(pages._native()),
        table.spans,
        table.num_spans,
        address(query),
        address(out),
    )
    return out


def grouped_attention(
    query: Tensor, pages: Pages, table: Table, *, kv_heads: int, scale: float
) -> Tensor:
    """query [tokens, heads, head dim] fp32 -> like it; an entry is all keys, then all values"""
    _, heads, head_dim = query.shape
    out = torch.empty_like(query)
    core().bise_grouped_attention(
        ctypes.byref(_GroupedShape(heads, kv_heads, head_dim, scale)),
        ctypes.byref(pages._native()),
        table.spans,
        table.num_spans,
        address(query),
        address(out),
    )
    return out
