"""Two ways to store a matrix in fewer bits, and back: FP8 with one scale, NVFP4 in groups of 16.

FP8 (e4m3): `weight = code * scale`, one scale a matrix. NVFP4: a 4-bit float (sign, two bits of
exponent, one of mantissa), an e4m3 scale every 16 columns and one divisor a matrix:
`weight = code * group scale / divisor`; the even column lies in the low half of a byte.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

FP8_MAX = 448.0
"""Largest e4m3 number."""

SMALLEST_FP8 = 2.0**-9
"""Smallest e4m3 number above zero."""

FP4_VALUES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""The eight magnitudes of a 4-bit float, by code."""

GROUP = 16
"""Columns that share an NVFP4 scale."""


def fp8_scale(largest: Tensor | float) -> Tensor:
    """The scale that makes `largest` the largest code; bf16, as published, and 1 for no weight."""
    scale = torch.as_tensor(largest, dtype=torch.float32) / FP8_MAX
    scale = scale.to(torch.bfloat16)
    return torch.where(scale == 0, torch.ones_like(scale), scale)


def encode_fp8(matrix: Tensor, scale: Tensor) -> Tensor:
    """[rows, columns] -> the same in e4m3, the nearest codes, clamped to the largest."""
    wide = matrix.float() / scale.float()  # the quotient decides the code: bf16 is too coarse
    return wide.clamp(-FP8_MAX, FP8_MAX).to(torch.float8_e4m3fn)


def decode_fp8(codes: Tensor, scale: Tensor) -> Tensor:
    """fp32 numbers of one matrix."""
    return codes.float() * scale.float()


@dataclass(frozen=True, slots=True)
class Packed:
    """One matrix in NVFP4."""

    codes: Tensor
    """[rows, columns / 2] uint8, two columns a byte"""

    scales: Tensor
    """[rows, columns / 16] e4m3"""

    divisor: Tensor
    """[1] fp32"""


def decode_nvfp4(packed: Packed) -> Tensor:
    """[rows, columns] fp32"""
    table = torch.tensor([*FP4_VALUES, *(-value for value in FP4_VALUES)])
    low, high = packed.codes & 15, packed.codes >> 4
    codes = torch.stack((low, high), dim=-1).flatten(-2).int()  # [rows, columns]
    scales = packed.scales.float() / packed.divisor.float()
    return (table[codes].unflatten(-1, (-1, GROUP)) * scales[..., None]).flatten(-2)


def nvfp4_divisor(matrix: Tensor) -> Tensor:
    """[1] fp32: makes the largest number the largest code under the largest group scale."""
    largest = torch.stack(matrix.aminmax()).abs().amax().float()
    return torch.where(largest == 0, 1.0, FP8_MAX * FP4_VALUES[-1] / largest).reshape(1)


def encode_nvfp4(matrix: Tensor, divisor: Tensor | None = None) -> Packed:
    """[rows, columns], columns a multiple of 16; nearest codes, ties to the even one.

    divisor: [1] fp32, of matrices that share one; None: the matrix's own
    """
    divisor = nvfp4_divisor(matrix) if divisor is None else divisor
    groups = matrix.float().unflatten(-1, (-1, GROUP)) * divisor
    wanted = groups.abs().amax(-1) / FP4_VALUES[-1]
    scales = wanted.clamp(max=FP8_MAX).to(torch.float8_e4m3fn)
    scaled = (groups / scales.float().clamp(min=SMALLEST_FP8)[..., None]).flatten(-2)
    codes = _nearest_fp4(scaled.abs()) + 8 * (scaled < 0)
    pairs = codes.to(torch.uint8).unflatten(-1, (-1, 2))
    return Packed(pairs[..., 0] | pairs[..., 1] << 4, scales, divisor)


def _nearest_fp4(magnitude: Tensor) -> Tensor:
    """Codes 0 to 7 of the nearest magnitudes; half way goes to the even code."""
    values = torch.tensor(FP4_VALUES)
    middles = (values[1:] + values[:-1]) / 2  # [7]; middle i lies between codes i and i + 1
    below = torch.nextafter(middles, torch.zeros(7))
    odd_below = torch.arange(7) % 2 == 1  # there, half way goes up
    return torch.bucketize(magnitude, torch.where(odd_below, below, middles), out_int32=True)
