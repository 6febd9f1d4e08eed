"""Checkpoints with random weights, of any shape and size, for speed tests and for trying things.

Every matrix is drawn from its own generator, seeded by its name: all layouts and shard sizes give
the same numbers, and no more than one matrix is in memory.
"""

import hashlib
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from bise.model.config import ModelConfig
from bise.model.initial import SPREAD
from bise.model.names import Weight
from bise.model.stored import Layout, Quant
from bise.model.write import DEFAULT_SHARD_BYTES, Encoder, Fp8Part, write_folder

NORM_SPREAD = 0.05
"""Standard deviation of norm weights around one, so that a forgotten norm weight shows."""


class RandomSource:
    """Weights drawn when asked for."""

    def __init__(self, seed: int, dtype: torch.dtype = torch.bfloat16):
        self.seed = seed
        self._dtype = dtype

    def dtype(self, weight: Weight) -> torch.dtype:  # noqa: ARG002 - all alike
        return self._dtype

    def part(self, weight: Weight, part: int) -> Tensor:
        name = f"{self.seed} {weight.parts[part]}".encode()
        digest = hashlib.blake2b(name, digest_size=7).digest()  # 56 bits: a seed is signed
        generator = torch.Generator().manual_seed(int.from_bytes(digest, "little"))
        rows, *rest = weight.part_shape
        shape = (rows, prod(rest)) if rest else (rows,)
        values = torch.randn(shape, generator=generator)
        values = values * SPREAD if rest else 1.0 + values * NORM_SPREAD
        return values.to(self._dtype)

    def fp8(self, weight: Weight, part: int) -> Fp8Part | None:  # noqa: ARG002 - never
        return None


def write_random(
    config: ModelConfig,
    folder: Path | str,
    *,
    seed: int = 0,
    layout: Layout = "native",
    quant: Quant = "none",
    dtype: torch.dtype = torch.bfloat16,
    max_shard_bytes: int = DEFAULT_SHARD_BYTES,
) -> Path:
    """Write a checkpoint of that shape: matrices N(0, 0.02), norms 1 + N(0, 0.05)."""
    encoder = Encoder(RandomSource(seed, dtype), config, layout, quant)
    return write_folder(Path(folder), encoder, config, quant, max_shard_bytes)
