"""The eye: Pixtral's tower over 14-pixel patches, and the projector into the text network.

Images of any sizes go through together: their patches lie in one long list, those of one size next
to each other, and only attention asks which patch belongs to which image. Ref: arXiv:2410.07073.
Checked against: transformers Pixtral.
"""

from collections.abc import Sequence
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bise.model.config import VisionConfig
from bise.model.layers import FeedForward, Linear, RMSNorm
from bise.ops.attention import attend
from bise.ops.rotation import rotate

Grid = tuple[int, int]
"""Rows and columns of patches."""

Group = tuple[Grid, int]
"""So many images of one size, neighbours in the list."""


class VisionAttention(nn.Module):
    """Every patch looks at all patches of its own image."""

    def __init__(self, config: VisionConfig):
        super().__init__()
        self.num_heads = config.num_heads
        self.q = Linear(config.dim, config.dim)
        self.k = Linear(config.dim, config.dim)
        self.v = Linear(config.dim, config.dim)
        self.out = Linear(config.dim, config.dim)

    def forward(self, patches: Tensor, cos: Tensor, sin: Tensor, groups: list[Group]) -> Tensor:
        """patches [patches, dim], group by group"""
        heads = (self.num_heads, -1)
        query = rotate(self.q(patches).unflatten(-1, heads), cos, sin)
        key = rotate(self.k(patches).unflatten(-1, heads), cos, sin)
        value = self.v(patches).unflatten(-1, heads)
        scale = query.shape[-1] ** -0.5
        lengths = [rows * cols * images for (rows, cols), images in groups]
        parts = zip(*(x.split(lengths) for x in (query, key, value)), groups, strict=True)
        found = []
        for q, k, v, (_, images) in parts:
            q, k, v = (x.unflatten(0, (images, -1)) for x in (q, k, v))
            seen = attend(q, k, v, scale=scale, mask=None, is_causal=False)
            found.append(seen.flatten(2).flatten(0, 1))
        return self.out(torch.cat(found))


class VisionBlock(nn.Module):
    def __init__(self, config: VisionConfig):
        super().__init__()
        self.attention_norm = RMSNorm(config.dim, config.norm_eps)
        self.attention = VisionAttention(config)
        self.mlp_norm = RMSNorm(config.dim, config.norm_eps)
        self.mlp = FeedForward(config.dim, config.mlp_dim)

    def forward(self, patches: Tensor, cos: Tensor, sin: Tensor, groups: list[Group]) -> Tensor:
        patches = patches + self.attention(self.attention_norm(patches), cos, sin, groups)
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

    def forward(self, stacks: Sequence[Tensor]) -> Tensor:
        """stacks: [images, channels, height, width] of one size each -> [patches of all, dim]"""
        groups = [(self.grid(stack), len(stack)) for stack in stacks]
        angles = [self._angles(grid).repeat(images, 1) for grid, images in groups]
        turn = torch.cat(angles)[:, None, :]
        cos, sin = turn.cos(), turn.sin()
        patches = self.norm(self.patch(torch.cat([self._cut(stack) for stack in stacks])))
        for block in self.blocks:
            patches = block(patches, cos, sin, groups)
        return patches

    def grid(self, image: Tensor) -> Grid:
        """Of an image or a stack of them."""
        height, width = image.shape[-2:]
        return height // self.config.patch, width // self.config.patch

    def _cut(self, stack: Tensor) -> Tensor:
        """[patches, channels * patch * patch], row by row: what a strided convolution would see."""
        side = self.config.patch
        cells = stack.unfold(2, side, side).unfold(3, side, side)  # [n, channels, rows, cols, y, x]
        return cells.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(0, 2)

    def _angles(self, grid: Grid) -> Tensor:
        """[patches, head_dim / 2]: even lanes turn with the row, odd lanes with the column."""
        rows, cols = grid
        device = self.frequencies.device
        y = torch.arange(rows, device=device, dtype=torch.float32)[:, None] * self.frequencies[::2]
        x = torch.arange(cols, device=device, dtype=torch.float32)[:, None] * self.frequencies[1::2]
        y = y[:, None, :].expand(-1, cols, -1)
        x = x[None, :, :].expand(rows, -1, -1)
        return torch.cat((y, x), dim=-1).flatten(0, 1)


class Projector(nn.Module):
    """Merge `merge` x `merge` neighbours into one vector of the text network's width."""

    def __init__(self, config: VisionConfig, dim: int):
        super().__init__()
        self.merge_side = config.merge
        self.norm = RMSNorm(config.dim, config.projector_norm_eps)
        self.merge = Linear(config.dim * config.merge**2, config.dim)
        self.w_in = Linear(config.dim, dim)
        self.w_out = Linear(dim, dim)

    def forward(self, features: Tensor, groups: Sequence[Group]) -> Tensor:
        """features [patches, vision dim], group by group -> [image tokens of all, dim]"""
        lengths = [rows * cols * images for (rows, cols), images in groups]
        parts = self.norm(features).split(lengths)
        blocks = [self._blocks(one, *group) for one, group in zip(parts, groups, strict=True)]
        merged = self.merge(torch.cat(blocks))
        return self.w_out(F.gelu(self.w_in(merged)))

    def _blocks(self, features: Tensor, grid: Grid, images: int) -> Tensor:
        """[image tokens, channels * merge * merge], channel-major, as the weights expect."""
        side = self.merge_side
        rows, cols = grid[0] // side, grid[1] // side
        cells = features.view(images, rows, side, cols, side, -1)
        return cells.permute(0, 1, 3, 5, 2, 4).flatten(3).flatten(0, 2)


class Eye(nn.Module):
    """Tower and projector: images in, vectors for their image tokens out."""

    def __init__(self, config: VisionConfig, dim: int):
        super().__init__()
        self.config = config
        self.tower = VisionTower(config)
        self.projector = Projector(config, dim)

    def forward(self, images: Sequence[Tensor]) -> Tensor:
        """[channels, height, width] each, sides multiples of patch and merge.

        Images of one size go through as one stack. -> [image tokens of all images in order, dim]
        """
        order = sorted(range(len(images)), key=lambda i: images[i].shape[-2:])
        stacks: list[Tensor] = []
        groups: list[Group] = []
        for _, alike in groupby(order, key=lambda i: images[i].shape[-2:]):
            stacks.append(torch.stack([images[i] for i in alike]))
            groups.append((self.tower.grid(stacks[-1]), len(stacks[-1])))
        vectors = self.projector(self.tower(stacks), groups)
        if order == list(range(len(images))):
            return vectors
        cells = self.config.merge**2
        lengths = [rows * cols // cells for (rows, cols), images in groups for _ in range(images)]
        pieces = dict(zip(order, vectors.split(lengths), strict=True))
        return torch.cat([pieces[i] for i in range(len(images))])
