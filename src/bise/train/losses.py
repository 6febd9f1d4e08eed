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


def expert_load(choices: list[Tensor], num_experts: int) -> Tensor:
    """How many rows each expert got: [layers, experts] fp32."""
    return torch.stack([count_choices(c, num_experts) for c in choices]).float()


def balance_loss(logits: list[Tensor], load: Tensor) -> Tensor:
    """Experts x sum of (share of rows x mean probability), averaged over layers; 1.0 when even.

    logits: [tokens, experts] a layer; load [layers, experts], counted over all ranks and parts.
    """
    share = load / load.sum(-1, keepdim=True)
    mean = torch.stack([layer.softmax(-1).mean(0) for layer in logits])
    return load.shape[1] * (share * mean).sum(-1).mean()


def router_z_loss(logits: list[Tensor]) -> Tensor:
    """Mean square of the routers' log partition."""
    return torch.stack([layer.logsumexp(-1).square().mean() for layer in logits]).mean()
