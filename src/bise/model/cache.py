"""Where the entries of all layers are kept, page by page.

Plain, in the type that is computed in, or in 8 bits with a scale for each token and half of its
entry: twice the conversations in the same memory. Who holds which page is somebody else's business.
"""

from typing import Literal

import torch
from torch import Tensor

from bise.model.config import LatentAttentionConfig, ModelConfig
from bise.ops.cpu import arena

CacheKind = Literal["plain", "fp8", "int8"]

LARGEST = {"fp8": 448.0, "int8": 127.0}
STORED = {"fp8": torch.float8_e4m3fn, "int8": torch.int8}


class PagedCache:
    """Entries of all layers, in the type they are computed in."""

    is_lossy = False
    """Whether reading gives back just what was written."""

    def __init__(
        self,
        config: ModelConfig,
        num_pages: int,
        page_tokens: int,
        *,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
    ):
        self.page_tokens = page_tokens
        self.dtype = dtype
        self.device = device
        shape = (config.num_layers, num_pages, page_tokens, config.attention.cache_width)
        self.entries = self._room(shape)

    def _room(self, shape: tuple[int, int, int, int]) -> Tensor:
        return _zeros(shape, self.dtype, self.device)

    @property
    def size_bytes(self) -> int:
        return self.entries.nbytes

    def write(self, layer: int, rows: Tensor, entries: Tensor) -> None:
        """Keep entries [tokens, width]; rows [tokens] counts tokens through all pages."""
        self.entries[layer].flatten(0, 1).index_copy_(0, rows, entries)

    def read(self, layer: int, pages: Tensor) -> Tensor:
        """Entries of whole pages: pages [batch, n] -> [batch, n * page tokens, width]"""
        return self.entries[layer][pages].flatten(1, 2)

    def take_page(self, page: int) -> Tensor:
        """Everything on a page, all layers, as [bytes] uint8 in memory of its own."""
        return torch.cat(
            [part[:, page].contiguous().view(torch.uint8).flatten() for part in self._parts()]
        ).cpu()

    def put_page(self, page: int, content: Tensor) -> None:
        """Write back what `take_page` took."""
        at = 0
        for part in self._parts():
            target = part[:, page]
            size = target.numel() * part.element_size()
            taken = content[at : at + size].view(part.dtype).view(target.shape)
            target.copy_(taken)
            at += size

    def _parts(self) -> list[Tensor]:
        """Tensors that hold the pages, [layers, pages, …] each."""
        return [self.entries]


class ByteCache(PagedCache):
    """Entries in 8 bits; the latent (or key) and the rotated key (or value) have a scale each."""

    is_lossy = True

    def __init__(
        self,
        config: ModelConfig,
        num_pages: int,
        page_tokens: int,
        *,
        kind: Literal["fp8", "int8"],
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
    ):
        self.kind = kind
        shape = config.attention
        is_latent = isinstance(shape, LatentAttentionConfig)
        self.halves = (shape.kv_latent, shape.rope) if is_latent else (shape.cache_width // 2,) * 2
        super().__init__(config, num_pages, page_tokens, dtype=dtype, device=device)

    def _room(self, shape: tuple[int, int, int, int]) -> Tensor:
        self.scales = _zeros((*shape[:3], 2), torch.float32, self.device)
        return _zeros(shape, torch.uint8, self.device)  # fp8 knows no indexing

    @property
    def size_bytes(self) -> int:
        return self.entries.nbytes + self.scales.nbytes

    def _parts(self) -> list[Tensor]:
        return [self.scales, self.entries]

    def write(self, layer: int, rows: Tensor, entries: Tensor) -> None:
        codes, scales = list[Tensor](), list[Tensor]()
        for half in entries.float().split(self.halves, dim=-1):
            scale = half.abs().amax(-1, keepdim=True) / LARGEST[self.kind]
            scaled = half / scale.clamp_min(1e-20)
            if self.kind == "int8":
                scaled = scaled.round()
            codes.append(scaled.to(STORED[self.kind]).view(torch.uint8))
            scales.append(scale)
        self.entries[layer].flatten(0, 1).index_copy_(0, rows, torch.cat(codes, dim=-1))
        self.scales[layer].flatten(0, 1).index_copy_(0, rows, torch.cat(scales, dim=-1))

    def read(self, layer: int, pages: Tensor) -> Tensor:
        codes = self.entries[layer][pages].view(STORED[self.kind]).flatten(1, 2)
        scales = self.scales[layer][pages].flatten(1, 2)
        halves = codes.float().split(self.halves, dim=-1)
        read = [half * scales[..., i : i + 1] for i, half in enumerate(halves)]
        return torch.cat(read, dim=-1).to(self.dtype)


def _zeros(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device | str) -> Tensor:
    if torch.device(device).type == "cpu":
        return arena.zeros(shape, dtype)
    return torch.zeros(shape, dtype=dtype, device=device)


def make_cache(
    config: ModelConfig,
    num_pages: int,
    page_tokens: int,
    *,
    kind: CacheKind = "plain",
    dtype: torch.dtype,
    device: torch.device | str = "cpu",
) -> PagedCache:
    """A cache of that kind; `dtype` is what entries are computed in."""
    if kind == "plain":
        return PagedCache(config, num_pages, page_tokens, dtype=dtype, device=device)
    return ByteCache(config, num_pages, page_tokens, kind=kind, dtype=dtype, device=device)


def token_bytes(config: ModelConfig, kind: CacheKind, dtype: torch.dtype) -> int:
    """Memory one token takes over all layers."""
    if kind == "plain":
        return config.cache_numbers_per_token * dtype.itemsize
    return config.cache_numbers_per_token + 8 * config.num_layers
