"""The two attentions: latent (Small 4) and grouped (Small 3)."""

import torch
from torch import Tensor, nn

from bise.model.config import GroupedAttentionConfig, LatentAttentionConfig, ModelConfig
from bise.model.layers import Linear, RMSNorm
from bise.model.rotation import Turn, softmax_scale
from bise.model.sight import Sight
from bise.ops import attention as ops
from bise.ops.rotation import rotate


def _joined(found: list[Tensor], num_padding: int) -> Tensor:
    """What all looks found, [tokens, width]; padding found nothing."""
    if num_padding:
        found = [*found, found[0].new_zeros(num_padding, found[0].shape[-1])]
    return found[0] if len(found) == 1 else torch.cat(found)


class LatentAttention(nn.Module):
    """Look back over the text through a narrow vector a token. Ref: arXiv:2405.04434 §2.1.

    The cache keeps that vector (normed) and one rotated key that all heads share, nothing else.
    """

    def __init__(self, config: ModelConfig, layer: int):
        super().__init__()
        shape = config.attention
        assert isinstance(shape, LatentAttentionConfig)
        self.layer = layer
        self.shape = shape
        self.num_heads = config.num_heads
        self.scale = softmax_scale(config)
        self.q_down = Linear(config.dim, shape.q_latent)
        self.q_norm = RMSNorm(shape.q_latent, config.norm_eps)
        self.q_up = Linear(shape.q_latent, config.num_heads * shape.head_dim)
        self.kv_down = Linear(config.dim, shape.cache_width)
        self.kv_norm = RMSNorm(shape.kv_latent, config.norm_eps)
        self.kv_up = Linear(shape.kv_latent, config.num_heads * (shape.nope + shape.value))
        self.out = Linear(config.num_heads * shape.value, config.dim)

    def forward(self, hidden: Tensor, turn: Turn, sight: Sight) -> Tensor:
        """hidden [tokens, dim] -> [tokens, dim]"""
        seen = sight.extend(self.layer, self._entries(hidden, turn))
        query = self._query(hidden, turn)
        up = self.kv_up.weight.to(hidden.dtype).unflatten(0, (self.num_heads, -1))
        found: list[Tensor] = []
        for look, entries in zip(sight.looks, seen, strict=True):  # [batch, keys, width] each
            attend = ops.latent_expanded if look.form == "expanded" else ops.latent_absorbed
            asked = query[look.tokens].unflatten(0, (look.batch, look.queries))
            values = attend(
                asked, entries, up, nope=self.shape.nope, scale=self.scale, mask=look.mask
            )
            found.append(values.flatten(2).flatten(0, 1))  # [tokens, heads * value]
        return self.out(_joined(found, sight.num_padding))

    def _query(self, hidden: Tensor, turn: Turn) -> Tensor:
        """[tokens, heads, nope + rope], turned and grown by position."""
        latent = self.q_norm(self.q_down(hidden))
        if turn.query_scale is not None:  # on the narrow side of q_up, where it costs least
            latent = (latent * turn.query_scale).to(latent.dtype)
        query = self.q_up(latent).unflatten(-1, (self.num_heads, -1))
        still, turning = query.split([self.shape.nope, self.shape.rope], dim=-1)
        return torch.cat((still, rotate(turning, turn.cos, turn.sin)), dim=-1)

    def _entries(self, hidden: Tensor, turn: Turn) -> Tensor:
        """[tokens, kv latent + rope], what the cache keeps."""
        latent, turning = self.kv_down(hidden).split(
            [self.shape.kv_latent, self.shape.rope], dim=-1
        )
        turned = rotate(turning[:, None], turn.cos, turn.sin)[:, 0]
        return torch.cat((self.kv_norm(latent), turned), dim=-1)


class GroupedAttention(nn.Module):
    """Several query heads share a key and a value head. Ref: arXiv:2305.13245."""

    def __init__(self, config: ModelConfig, layer: int):
        super().__init__()
        shape = config.attention
        assert isinstance(shape, GroupedAttentionConfig)
        self.layer = layer
        self.shape = shape
        self.num_heads = config.num_heads
        self.scale = softmax_scale(config)
        self.q = Linear(config.dim, config.num_heads * shape.head_dim)
        self.k = Linear(config.dim, shape.num_kv_heads * shape.head_dim)
        self.v = Linear(config.dim, shape.num_kv_heads * shape.head_dim)
        self.out = Linear(config.num_heads * shape.head_dim, config.dim)

    def forward(self, hidden: Tensor, turn: Turn, sight: Sight) -> Tensor:
        """hidden [tokens, dim] -> [tokens, dim]"""
        heads = (-1, self.shape.head_dim)
        query = rotate(self.q(hidden).unflatten(-1, heads), turn.cos, turn.sin)
        if turn.query_scale is not None:
            query = (query * turn.query_scale[..., None]).to(query.dtype)
        key = rotate(self.k(hidden).unflatten(-1, heads), turn.cos, turn.sin)
        seen = sight.extend(self.layer, torch.cat((key.flatten(1), self.v(hidden)), dim=-1))
        found: list[Tensor] = []
        for look, entries in zip(sight.looks, seen, strict=True):  # [batch, keys, width] each
            keys, values = entries.unflatten(-1, (2, self.shape.num_kv_heads, -1)).unbind(2)
            asked = query[look.tokens].unflatten(0, (look.batch, look.queries))
            looked = ops.attend(asked, keys, values, scale=self.scale, mask=look.mask)
            found.append(looked.flatten(2).flatten(0, 1))
        return self.out(_joined(found, sight.num_padding))
