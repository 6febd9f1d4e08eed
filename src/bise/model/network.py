"""The whole network: tokens and pictures in, one vector a token out, and logits from those.

Tokens of all rows or conversations lie in one list; a `Sight` knows which belong together. So the
same code trains on packed rows, reads a prompt, and decodes for many people at once.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bise.errors import UserError
from bise.model.attention import GroupedAttention, LatentAttention
from bise.model.config import ModelConfig
from bise.model.experts import Experts, Routing
from bise.model.layers import Embedding, FeedForward, Linear, RMSNorm
from bise.model.rotation import Rotation, Turn
from bise.model.sight import PackedRows, Sight
from bise.model.vision import Eye

BLIND = "this model has no vision tower, but the prompt brings a picture"


def splice(ids: Tensor, hidden: Tensor, image_vectors: Tensor, image_token: int) -> Tensor:
    """Put each image vector where its token stands. [tokens], [tokens, dim] -> [tokens, dim]"""
    places = (ids == image_token).nonzero()[:, 0]
    if len(places) != len(image_vectors):
        raise UserError(
            f"the prompt has {len(places)} image tokens, its pictures {len(image_vectors)}",
            hint="encode prompt and pictures with the same image settings",
        )
    return hidden.index_copy(0, places, image_vectors.to(hidden.dtype))


class Block(nn.Module):
    """One layer: look back over the text, then let a few experts think about it."""

    def __init__(self, config: ModelConfig, layer: int):
        super().__init__()
        self.attention_norm = RMSNorm(config.dim, config.norm_eps)
        kind = LatentAttention if config.is_latent else GroupedAttention
        self.attention = kind(config, layer)
        self.mlp_norm = RMSNorm(config.dim, config.norm_eps)
        if config.experts is not None:
            self.mlp: Experts | FeedForward = Experts(config)
        else:
            assert config.mlp_dim is not None
            self.mlp = FeedForward(config.dim, config.mlp_dim)

    def forward(
        self,
        hidden: Tensor,
        turn: Turn,
        sight: Sight,
        routing: Routing | None = None,
        run_rows: int | None = None,
    ) -> Tensor:
        hidden = hidden + self.attention(self.attention_norm(hidden), turn, sight)
        normed = self.mlp_norm(hidden)
        if isinstance(self.mlp, Experts):
            return hidden + self.mlp(normed, routing, run_rows)
        return hidden + self.mlp(normed)


class Network(nn.Module):
    """Small 4's network, or Small 3's, at any size."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.embed = Embedding(config.vocab_size, config.dim)
        self.rotation = Rotation(config)
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config.num_layers))
        self.norm = RMSNorm(config.dim, config.norm_eps)
        self.head = Linear(config.dim, config.vocab_size)
        self.eye = Eye(config.vision, config.dim) if config.vision is not None else None

    def see(self, images: Sequence[Tensor]) -> Tensor:
        """Vectors for all image tokens of these pictures, in order. [image tokens, dim]"""
        if self.eye is None:
            raise UserError(BLIND)
        return self.eye(images)

    def forward(
        self,
        ids: Tensor,
        positions: Tensor,
        sight: Sight,
        *,
        image_vectors: Tensor | None = None,
        routing: Routing | None = None,
        dtype: torch.dtype | None = None,
        run_rows: int | None = None,
    ) -> Tensor:
        """One pass over all layers, ending in the final norm.

        ids, positions  [tokens] int64
        image_vectors   [image tokens among ids, dim]
        dtype           to compute in; None is the type of the weights
        run_rows        rows an expert's run is padded to a multiple of; None: what is fastest
        returns         [tokens, dim], what `logits` and a draft head take
        """
        hidden = self.embed(ids)
        if dtype is not None:
            hidden = hidden.to(dtype)
        if image_vectors is not None:
            hidden = self.splice(ids, hidden, image_vectors)
        turn = self.rotation(positions)
        for block in self.blocks:
            hidden = block(hidden, turn, sight, routing, run_rows)
        return self.norm(hidden)

    def splice(self, ids: Tensor, hidden: Tensor, image_vectors: Tensor) -> Tensor:
        """Put each image vector where its token stands; row marks keep their embedding."""
        return splice(ids, hidden, image_vectors, self.config.image_token)

    def logits(self, hidden: Tensor) -> Tensor:
        """[tokens, dim] -> [tokens, vocab]"""
        return self.head(hidden)

    @torch.no_grad()
    def read(self, ids: Tensor, images: Sequence[Tensor] | None = None) -> Tensor:
        """Logits of one text from its first token on, no cache. [seq] -> [seq, vocab] fp32"""
        vectors = self.see(images) if images else None
        sight = PackedRows(1, len(ids))
        hidden = self(ids, torch.arange(len(ids), device=ids.device), sight, image_vectors=vectors)
        return self.logits(hidden).float()
