"""What the network is asked to do: say the next written token, and share work among experts."""

from dataclasses import dataclass

import torch
from torch import Tensor

from bise.ops.experts import count_choices
from bise.train.ranges import need_range


@dataclass(frozen=True, kw_only=True, slots=True)
class LossConfig:
    balance: float = 1e-2
    """Weight of the balance loss. Ref: arXiv:2501.11873 (load counted over the whole step)."""

    router_z: float = 1e-3
    """Keeps router logits small. Ref: arXiv:2202.08906 §3."""

    output_z: float = 1e-4
    """Keeps the log partition of the output near zero."""

    def __post_init__(self) -> None:
        for name in ("balance", "router_z", "output_z"):
            need_range(f"loss.{name}", getattr(self, name), 0)


def expert_load(choices: list[Tensor], num_experts: int, owned: Tensor) -> Tensor:
    """How many tokens each expert got, padding left out: [layers, experts] fp32.

    choices: [tokens, topk] a layer; owned [tokens] bool: which belong to a sample
    """
    nowhere = ~owned[:, None]  # counted as one expert more; a card need not wait for their number
    return torch.stack(
        [
            count_choices(layer.masked_fill(nowhere, num_experts), num_experts + 1)[:-1]
            for layer in choices
        ]
    ).float()


def balance_loss(logits: list[Tensor], load: Tensor, weights: Tensor) -> Tensor:
    """Experts x sum of (share of tokens x mean probability), averaged over layers; 1.0 when even.

    logits: [tokens, experts] a layer; load [layers, experts], counted over all ranks and parts;
    weights [tokens] fp32: what each token counts in the mean, 0 for padding; 1 in all parts' sum
    """
    share = load / load.sum(-1, keepdim=True)
    mean = torch.stack([weights @ layer.softmax(-1) for layer in logits])
    return load.shape[1] * (share * mean).sum(-1).mean()


def router_z_loss(logits: list[Tensor], weights: Tensor) -> Tensor:
    """Mean square of the routers' log partition; shapes as in `balance_loss`."""
    return torch.stack([weights @ layer.logsumexp(-1).square() for layer in logits]).mean()
