"""Numbers as GGUF files keep them: plain, or in blocks of 32 that share a scale.

Q8_0 is a scale and 32 bytes; Q4_0 a scale and 32 half bytes, the first sixteen below the others.
Scales are fp16. Checked against: ggml's `quantize_row_q8_0_ref`, `quantize_row_q4_0_ref`.
"""

from typing import Literal

import torch
from torch import Tensor

Format = Literal["f32", "f16", "bf16", "q8_0", "q4_0"]

BLOCK = 32
"""Weights that share a scale."""

CODES: dict[Format, int] = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8, "bf16": 30}
"""What ggml calls them in a file."""

BLOCK_BYTES: dict[Format, int] = {"f32": 128, "f16": 64, "bf16": 64, "q8_0": 34, "q4_0": 18}
"""Bytes of 32 weights."""

PLAIN: dict[Format, torch.dtype] = {
    "f32": torch.float32,
    "f16": torch.float16,
    "bf16": torch.bfloat16,
}


def size_bytes(format: Format, count: int) -> int:
    """Bytes that so many weights take, whole blocks if the format has them."""
    assert format in PLAIN or count % BLOCK == 0, f"{count} weights are no whole blocks"
    return count * BLOCK_BYTES[format] // BLOCK


def encode(values: Tensor, format: Format) -> Tensor:
    """[rows, columns] -> its bytes, flat uint8."""
    plain = PLAIN.get(format)
    if plain is not None:
        return values.to(plain).contiguous().view(torch.uint8).flatten()
    blocks = values.float().reshape(-1, BLOCK)
    return (_encode_q8 if format == "q8_0" else _encode_q4)(blocks)


def _encode_q8(blocks: Tensor) -> Tensor:
    scale = blocks.abs().amax(dim=1, keepdim=True) / 127.0
    codes = _away(blocks * _inverse(scale)).to(torch.int8)
    return torch.cat((_half(scale), codes.view(torch.uint8)), dim=1).flatten()


def _encode_q4(blocks: Tensor) -> Tensor:
    """The number furthest from zero becomes -8, whatever its sign."""
    furthest = blocks.gather(1, blocks.abs().argmax(dim=1, keepdim=True))
    scale = furthest / -8.0
    codes = (blocks * _inverse(scale) + 8.5).clamp_(0.0, 15.0).to(torch.uint8)
    low, high = codes.split(BLOCK // 2, dim=1)
    return torch.cat((_half(scale), low | high << 4), dim=1).flatten()


def _inverse(scale: Tensor) -> Tensor:
    return torch.where(scale == 0.0, 0.0, 1.0 / scale)


def _away(values: Tensor) -> Tensor:
    """Halves are rounded away from zero, as C does."""
    return torch.trunc(values + torch.copysign(torch.full_like(values[:1, :1], 0.5), values))


def _half(scale: Tensor) -> Tensor:
    return scale.half().view(torch.uint8)


def decode(data: Tensor, format: Format) -> Tensor:
    """What `encode` made, as fp32, flat."""
    plain = PLAIN.get(format)
    if plain is not None:
        return data.view(plain).float()
    blocks = data.view(-1, BLOCK_BYTES[format])
    scale = blocks[:, :2].contiguous().view(torch.float16).float()
    if format == "q8_0":
        return (blocks[:, 2:].contiguous().view(torch.int8).float() * scale).flatten()
    codes = torch.cat((blocks[:, 2:] & 15, blocks[:, 2:] >> 4), dim=1)
    return ((codes.float() - 8.0) * scale).flatten()
