"""How a position becomes a rotation of queries and keys, and a growth of queries.

Angles are computed in fp32: at position 262,143 a bf16 angle means nothing. Pairs are interleaved,
(0, 1), (2, 3), …, which is how both the native and the HF text weights are laid out for Small 4.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from bise.model.config import ModelConfig, QueryScaleConfig, RopeConfig, YarnConfig


@dataclass(frozen=True, slots=True)
class Turn:
    """What every layer needs to know about the positions of the tokens it is given."""

    cos: Tensor
    """[tokens, 1, rope / 2] fp32"""

    sin: Tensor
    """[tokens, 1, rope / 2] fp32"""

    query_scale: Tensor | None
    """[tokens, 1] fp32, or None where the network has no such scale"""


def frequencies(rope: RopeConfig, dim: int) -> Tensor:
    """Radians a position adds to each of the `dim / 2` pairs; fp64, rounded once by the caller."""
    lanes = torch.arange(dim // 2, dtype=torch.float64, device="cpu")  # real in shapes, too
    plain = rope.theta ** (-2.0 * lanes / dim)
    if rope.yarn is None:
        return plain
    low, high = _ramp_ends(rope.yarn, rope.theta, dim)
    ramp = ((lanes - low) / (high - low)).clamp(0.0, 1.0)
    return plain * (1.0 - ramp) + plain / rope.yarn.factor * ramp


def _ramp_ends(yarn: YarnConfig, theta: float, dim: int) -> tuple[float, float]:
    """The lanes between which YaRN blends. Ref: arXiv:2309.00071 §3.2.

    Both clamps do nothing at full size and decide everything in a small model.
    """

    def lane_turning(times: float) -> float:
        return dim * math.log(yarn.original / (2 * math.pi * times)) / (2 * math.log(theta))

    low = max(math.floor(lane_turning(yarn.beta_fast)), 0)
    high = min(math.ceil(lane_turning(yarn.beta_slow)), dim - 1)
    return low, high + 0.001 if low == high else high


def softmax_scale(config: ModelConfig) -> float:
    """What dot products are multiplied by: 128 ** -0.5 for Small 4, without YaRN's mscale.

    `apply_scale: false` in the native file means just that; the query scale below takes its place.
    """
    scale = config.attention.head_dim**-0.5
    yarn = config.rope.yarn
    if config.rope.softmax_mscale and yarn is not None:
        scale *= (0.1 * math.log(yarn.factor) + 1.0) ** 2
    return scale


def query_scale(config: QueryScaleConfig, positions: Tensor) -> Tensor:
    """Growth of the query with its absolute position. Checked against: transformers Mistral4."""
    steps = torch.floor(positions.float() / config.original)
    return 1.0 + config.beta * torch.log1p(steps)


class Rotation(torch.nn.Module):
    """Turns positions into the `Turn` that all layers share."""

    inverse_frequencies: Tensor

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.scale_config = config.query_scale
        table = frequencies(config.rope, config.attention.rope).float()
        self.register_buffer("inverse_frequencies", table, persistent=False)

    def forward(self, positions: Tensor) -> Turn:
        """positions [tokens] int64"""
        angles = (positions.float()[:, None] * self.inverse_frequencies)[:, None, :]
        scale = None
        if self.scale_config is not None:
            scale = query_scale(self.scale_config, positions)[:, None]
        return Turn(angles.cos(), angles.sin(), scale)
