"""The network at work: catch up with a prompt, then one token for many requests at once.

This is the whole interface the engine needs from whatever executes a step: `prefill`, `decode`,
and slots to keep conversations in.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from bise.model.experts import Routing
from bise.model.network import Network
from bise.model.sight import DecodeSight, PrefillSight, Slots

MAX_CHUNK = 2048
"""Prompt tokens computed in one pass; bounds the memory of attention scores."""


class Runner:
    """A network, and the cache of the conversations it is having."""

    def __init__(self, network: Network, num_slots: int, dtype: torch.dtype | None = None):
        """dtype: what to compute in; None is the type of the weights."""
        self.network = network
        self.dtype = dtype or network.embed.weight.dtype
        config = network.config
        self.device = network.embed.weight.device
        self.slots = Slots(
            config.num_layers,
            num_slots,
            config.attention.cache_width,
            dtype=self.dtype,
            device=self.device,
        )

    @torch.inference_mode()
    def prefill(
        self,
        slot: int,
        ids: Sequence[int],
        images: Sequence[Tensor] = (),
        routing: list[Tensor] | None = None,
    ) -> Tensor:
        """Read a prompt into an empty slot; logits [vocab] fp32 of what follows it."""
        tokens = torch.tensor(ids, device=self.device)
        vectors = None
        if images:
            vectors = self.network.see([i.to(self.device, self.dtype) for i in images])
        is_image = tokens == self.network.config.image_token
        hidden = None
        for start in range(0, len(ids), MAX_CHUNK):
            chunk = slice(start, min(start + MAX_CHUNK, len(ids)))
            part = None
            if vectors is not None and is_image[chunk].any():
                first = int(is_image[:start].sum())
                part = vectors[first : first + int(is_image[chunk].sum())]
            sight = PrefillSight(self.slots, slot, chunk.stop - start)
            positions = torch.arange(start, chunk.stop, device=self.device)
            hidden = self._pass(tokens[chunk], positions, sight, part, routing)
            sight.commit()
        assert hidden is not None, "a prompt has at least one token"
        return self.network.logits(hidden[-1:]).float()[0]

    @torch.inference_mode()
    def decode(
        self, slots: Sequence[int], ids: Sequence[int], routing: list[Tensor] | None = None
    ) -> Tensor:
        """One new token for each of these conversations; logits [batch, vocab] fp32."""
        sight = DecodeSight(self.slots, list(slots))
        tokens = torch.tensor(ids, device=self.device)
        hidden = self._pass(tokens, sight.ends, sight, None, routing)
        sight.commit()
        return self.network.logits(hidden).float()

    def _pass(
        self,
        ids: Tensor,
        positions: Tensor,
        sight: PrefillSight | DecodeSight,
        image_vectors: Tensor | None,
        routing: list[Tensor] | None,
    ) -> Tensor:
        asked = Routing() if routing is not None else None
        hidden = self.network(
            ids, positions, sight, image_vectors=image_vectors, routing=asked, dtype=self.dtype
        )
        if routing is not None and asked is not None and asked.choices:
            routing.append(torch.stack(asked.choices, dim=1))  # [tokens, layers, topk]
        return hidden
