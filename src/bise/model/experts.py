"""The mixture of experts: a router, many small feed-forwards, and one that everybody passes."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bise.model.config import ModelConfig
from bise.model.layers import FeedForward
from bise.ops.experts import expert_mlp


@dataclass(slots=True)
class Routing:
    """What the routers of one pass decided, layer by layer, for those who ask for it."""

    logits: list[Tensor] = field(default_factory=list)
    """[tokens, experts] fp32 a layer"""

    choices: list[Tensor] = field(default_factory=list)
    """[tokens, topk] a layer"""


def route(hidden: Tensor, gate: Tensor, topk: int) -> tuple[Tensor, Tensor, Tensor]:
    """Choose `topk` experts for every token, and how much each one counts.

    hidden [tokens, dim], gate [experts, dim] -> weights and choice [tokens, topk], all logits

    The published rule is softmax over all experts, keep k, rescale to sum one. The common
    denominator cancels, so a softmax over the kept logits is the same thing, and shorter.
    Checked against: transformers Mistral4TopkRouter, in fp32.
    """
    logits = F.linear(hidden.float(), gate.float())  # bf16 would tie close experts
    kept, choice = logits.topk(topk, dim=-1)
    return kept.softmax(dim=-1), choice, logits


class Experts(nn.Module):
    """Send each token to its few experts, add up what they say, and what the shared one says."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        shape = config.experts
        assert shape is not None
        self.topk = shape.topk
        self.router = nn.Parameter(torch.empty(shape.num, config.dim))
        self.gate_up = nn.Parameter(torch.empty(shape.num, 2 * shape.hidden_dim, config.dim))
        self.down = nn.Parameter(torch.empty(shape.num, config.dim, shape.hidden_dim))
        self.shared = None
        if shape.num_shared:
            self.shared = FeedForward(config.dim, shape.num_shared * shape.hidden_dim)

    def forward(
        self, hidden: Tensor, routing: Routing | None = None, run_rows: int | None = None
    ) -> Tensor:
        """hidden [tokens, dim] -> [tokens, dim]"""
        weights, choice, logits = route(hidden, self.router, self.topk)
        if routing is not None:
            routing.logits.append(logits)
            routing.choices.append(choice)
        gate_up, down = self.gate_up.to(hidden.dtype), self.down.to(hidden.dtype)
        mixed = expert_mlp(hidden, gate_up, down, weights, choice, run_rows)
        return mixed if self.shared is None else mixed + self.shared(hidden)
