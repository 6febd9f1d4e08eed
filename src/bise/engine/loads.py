"""How evenly the experts are busy, from a look at one step in a few."""

from collections.abc import Sequence

import torch
from torch import Tensor

from bise.model.config import ExpertsConfig

EVERY = 32
"""Of the steps in which everybody talks, one in so many is looked at: counting then takes less
than a thousandth of the time, and in those the router's choices cost nothing to know."""

MEMORY = 0.998
"""Share of the old counts that one more look leaves: about the last 500 looks count."""


class Loads:
    """Tokens each expert of each layer got, the older ones counting less."""

    def __init__(self, config: ExpertsConfig | None):
        """config: None for a network without experts, of which nothing is to be known."""
        self.num_experts = config.num if config is not None else 0
        self.num_steps = 0
        self.counts: Tensor | None = None
        """[layers, experts] fp64"""

    def is_due(self) -> bool:
        """Whether to look at the step that comes; called once for each."""
        self.num_steps += 1
        return self.num_experts > 0 and self.num_steps % EVERY == 0

    def learn(self, routing: Sequence[Tensor]) -> None:
        """Count where tokens went; of each request [tokens, layers, topk]."""
        chosen = torch.cat(list(routing)).cpu().long()
        num_layers = chosen.shape[1]
        begins = torch.arange(num_layers)[:, None] * self.num_experts
        counted = torch.bincount(
            (chosen + begins).flatten(), minlength=num_layers * self.num_experts
        )
        new = counted.view(num_layers, self.num_experts).double()
        self.counts = new if self.counts is None else MEMORY * self.counts + new

    @property
    def imbalance(self) -> float:
        """Tokens of the busiest expert over those of the average one, in the mean over layers."""
        if self.counts is None:
            return 0.0
        return float((self.counts.amax(1) / self.counts.mean(1)).mean())
