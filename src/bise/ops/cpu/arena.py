"""Memory for weights and caches in few large pieces, on huge pages where the system has them.

A step reads all weights it needs once, from end to end. With pages of 4 KB the processor looks up
half a million addresses on the way.
"""

import math
import mmap

import torch
from torch import Tensor

PIECE_BYTES = 256 * 2**20
ALIGNMENT = 64
HUGE_PAGE = 2 * 2**20


class Arena:
    """Hands out memory that is never given back."""

    def __init__(self, piece_bytes: int = PIECE_BYTES):
        self.piece_bytes = piece_bytes
        self._left = torch.empty(0, dtype=torch.uint8)

    def take(self, count: int) -> Tensor:
        """[count] uint8, aligned to 64 bytes."""
        whole = -(-count // ALIGNMENT) * ALIGNMENT
        if whole > len(self._left):
            self._left = _piece(max(self.piece_bytes, whole))
        taken, self._left = self._left[:count], self._left[whole:]
        return taken


def zeros(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """As `torch.zeros`; on huge pages if it is large."""
    size = math.prod(shape) * dtype.itemsize
    if size < HUGE_PAGE:
        return torch.zeros(shape, dtype=dtype)
    return _piece(size).view(dtype).view(shape)


def _piece(count: int) -> Tensor:
    if hasattr(mmap, "MAP_PRIVATE"):  # shared memory, the default, gets no huge pages
        memory = mmap.mmap(-1, count, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    else:
        memory = mmap.mmap(-1, count)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(memory, dtype=torch.uint8)
