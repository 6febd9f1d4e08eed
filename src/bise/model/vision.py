"""The eye: Pixtral's tower over 14-pixel patches, and the projector into the text network.

Images of any sizes go through together: their patches lie in one long list, and only attention asks
which patch belongs to which image. Ref: arXiv:2410.07073. Checked against: transformers Pixtral.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bise.model.config import VisionConfig
from bise.model.layers import FeedForward, Linear, RMSNorm
from bise.ops.attention import attend
from bise.ops.rotation import rotate

Grid = tuple[int, int]
"""Rows and columns of patches."""


class VisionAttention(nn.Module):
    """Every patch looks at all patches of its own image."""

    def __init__(self, config: VisionConfig):
        super().__init__()
        self.num_heads = config.num_heads
        self.q = Linear(config.dim, config.dim)
        self.k = Linear(config.dim, config.dim)
        self.v = Linear(config.dim, config.dim)
        self.out = Linear(config.dim, config.dim)

    def forward(self, patches: Tensor, cos: Tensor, sin: Tensor, sizes: list[Grid]) -> Tensor:
        """patches [patches, dim]; sizes: (images, patches an image) of neighbours alike in size"""
        heads = (self.num_heads, -1)
        query = rotate(self.q(patches).unflatten(-1, heads), cos, sin)
        key = rotate(self.k(patches).unflatten(-1, heads), cos, sin)
        value = self.v(patches).unflatten(-1, heads)
        scale = query.shape[-1] ** -0.5
        everything = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=patches.device)
        found, start = [], 0
        for images, length in sizes:
            part = slice(start, start + images * length)
            q, k, v = (x[part].unflatten(0, (images, length)) for x in (query, key, value))
            found.append(attend(q, k, v, scale=scale, mask=everything).flatten(2).flatten(0, 1))
            start = part.stop
        return self.out(torch.cat(found))


class VisionBlock(nn.Module):
    def __init__(self, config: VisionConfig):
        super().__init__()
        self.attention_norm = RMSNorm(config.dim, config.norm_eps)
        self.attention = VisionAttention(config)
        self.mlp_norm = RMSNorm(config.dim, config.norm_eps)
        self.mlp = FeedForward(config.dim, config.mlp_dim)

    def forward(self, patches: Tensor, cos: Tensor, sin: Tensor, sizes: list[Grid]) -> Tensor:
        patches = patches + self.attention(self.attention_norm(patches), cos, sin, sizes)
        return patches + self.mlp(self.mlp_norm(patches))


def tower_frequencies(config: VisionConfig) -> Tensor:
    """Radians a step adds to each pair of a head, by turns of rows and of columns.

    [head_dim / 2] fp32
    """
    lanes = torch.arange(config.head_dim // 2, dtype=torch.float64, device="cpu")
    return (config.theta ** (-2.0 * lanes / config.head_dim)).float()


class VisionTower(nn.Module):
    """Pixels to one feature a patch. There is no norm at the end."""

    frequencies: Tensor

    def __init__(self, config: VisionConfig):
        super().__init__()
        self.config = config
        self.patch = Linear(config.num_channels * config.patch**2, config.dim)
        self.norm = RMSNorm(config.dim, config.norm_eps)
        self.blocks = nn.ModuleList(VisionBlock(config) for _ in range(config.num_layers))
        self.register_buffer("frequencies", tower_frequencies(config), persistent=False)

    def forward(self, images: Sequence[Tensor]) -> list[Tensor]:
        """images: [channels, height, width] each, sides multiples of the patch -> [patches, dim]"""
        order = sorted(range(len(images)), key=lambda i: images[i].shape[-2:])
        grids = [self._grid(images[i]) for i in order]
        cut = torch.cat([self._cut(images[i]) for i in order])
        angles = torch.cat([self._angles(grid) for grid in grids])[:, None, :]
        cos, sin = angles.cos(), angles.sin()
        patches = self.norm(self.patch(cut))
        sizes = _runs(grids)
        for block in self.blocks:
            patches = block(patches, cos, sin, sizes)
        features = patches.split([rows * cols for rows, cols in grids])
        back = dict(zip(order, features, strict=True))
        return [back[i] for i in range(len(images))]

    def _grid(self, image: Tensor) -> Grid:
        height, width = image.shape[-2:]
        return height // self.config.patch, width // self.config.patch

    def _cut(self, image: Tensor) -> Tensor:
        """[patches, channels * patch * patch], row by row: what a strided convolution would see."""
        side = self.config.patch
        cells = image.unfold(1, side, side).unfold(2, side, side)  # [channels, rows, cols, y, x]
        return cells.permute(1, 2, 0, 3, 4).flatten(2).flatten(0, 1)

    def _angles(self, grid: Grid) -> Tensor:
        """[patches, head_dim / 2]: even lanes turn with the row, odd lanes with the column."""
        rows, cols = grid
        device = self.frequencies.device
        y = torch.arange(rows, device=device, dtype=torch.float32)[:, None] * self.frequencies[::2]
        x = torch.arange(cols, device=device, dtype=torch.float32)[:, None] * self.frequencies[1::2]
        y = y[:, None, :].expand(-1, cols, -1)
        x = x[None, :, :].expand(rows, -1, -1)
        return torch.cat((y, x), dim=-1).flatten(0, 1)


def _runs(grids: list[Grid]) -> list[Grid]:
    """Neighbours with equally many patches, as (images, patches an image)."""
    runs: list[Grid] = []
    for rows, cols in grids:
        if runs and runs[-1][1] == rows * cols:
            runs[-1] = (runs[-1][0] + 1, rows * cols)
        else:
            runs.append((1, rows * cols))
    return runs


class Projector(nn.Module):
    """Merge `merge` x `merge` neighbours into one vector of the text network's width."""

    def __init__(self, config: VisionConfig, dim: int):
        super().__init__()
        self.merge_side = config.merge
        self.norm = RMSNorm(config.dim, config.projector_norm_eps)
        self.merge = Linear(config.dim * config.merge**2, config.dim)
        self.w_in = Linear(config.dim, dim)
        self.w_out = Linear(dim, dim)

    def forward(self, features: Sequence[Tensor], grids: Sequence[Grid]) -> Tensor:
        """features: [patches, vision dim] an image -> [image tokens of all, dim]"""
        normed = self.norm(torch.cat(list(features))).split([len(one) for one in features])
        blocks = [self._blocks(one, grid) for one, grid in zip(normed, grids, strict=True)]
        merged = self.merge(torch.cat(blocks))
        return self.w_out(F.gelu(self.w_in(merged)))

    def _blocks(self, features: Tensor, grid: Grid) -> Tensor:
        """[image tokens, channels * merge * merge], channel-major, as the weights expect."""
        side = self.merge_side
        cells = features.view(grid[0] // side, side, grid[1] // side, side, -1)
        return cells.permute(0, 2, 4, 1, 3).flatten(2).flatten(0, 1)


class Eye(nn.Module):
    """Tower and projector: images in, vectors for their image tokens out."""

    def __init__(self, config: VisionConfig, dim: int):
        super().__init__()
        self.config = config
        self.tower = VisionTower(config)
        self.projector = Projector(config, dim)

    def forward(self, images: Sequence[Tensor]) -> Tensor:
        """[channels, height, width] each -> [image tokens of all images in order, dim]"""
        grids = [self.tower._grid(image) for image in images]
        return self.projector(self.tower(images), grids)
