"""Muon for matrices, AdamW for the rest, every rank updating its own share of the parameters.

Gradients are added up at the rank that owns a parameter, updated there, and spread again: the
optimiser's work and memory are divided, the traffic is that of one all-reduce.
Ref: arXiv:2502.16982 §2.2 (Muon whose update has AdamW's size, so one rate fits both),
arXiv:1910.02054 §5 (sharded optimiser state).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from bise.ops.orthogonal import orthogonalise
from bise.train.ranks import Ranks

MATRICES_AT_ONCE = 8
"""On a CPU small matrices are orthogonalised in bites that stay in cache."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OptimiserConfig:
    peak_rate: float = 2e-3
    momentum: float = 0.95
    """Of Muon; Nesterov."""

    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    weight_decay: float = 0.05
    """On matrices only."""

    max_norm: float = 1.0
    """Longer gradients are shortened to this."""


@dataclass(slots=True)
class Share:
    """The parameters one rank owns, in a fixed order."""

    names: list[str] = field(default_factory=list)
    size: int = 0


def _is_matrix(name: str, weight: Tensor) -> bool:
    """Hidden matrices go to Muon; whatever meets ids, pixels or experts' scores does not."""
    outer = ("embed.", "head.", "eye.tower.patch.")
    return weight.ndim >= 2 and not name.startswith(outer) and not name.endswith("router")


def _as_matrices(name: str, tensor: Tensor) -> Tensor:
    """[matrices, rows, cols]: experts one by one, and gate and up, stored together, apart."""
    if name.endswith("gate_up"):
        return tensor.unflatten(1, (2, -1)).flatten(0, 1)
    return tensor if tensor.ndim == 3 else tensor[None]


def _gradient(weight: Tensor) -> Tensor:
    """A parameter nothing flowed into this step has a gradient of zeros."""
    if weight.grad is None:
        weight.grad = torch.zeros_like(weight)
    return weight.grad


def _unflatten_into(targets: Sequence[Tensor], flat: Tensor) -> None:
    pieces = flat.split([target.numel() for target in targets])
    for target, piece in zip(targets, pieces, strict=True):
        target.copy_(piece.view_as(target))


class Optimiser:
    """Owns masters' state; the network's parameters are the fp32 masters themselves."""

    def __init__(
        self,
        network: nn.Module,
        config: OptimiserConfig,
        ranks: Ranks,
        dtype: torch.dtype = torch.bfloat16,
    ):
        """dtype: what matrices are orthogonalised in."""
        self.config = config
        self.ranks = ranks
        self.dtype = dtype
        self.weights = dict(sorted(network.named_parameters()))
        self.shares = self._divide()
        self.state: dict[str, Tensor] = {}
        for name in self.shares[ranks.rank].names:
            weight = self.weights[name]
            kinds = ("momentum",) if _is_matrix(name, weight) else ("mean", "square")
            for kind in kinds:
                self.state[f"{kind}:{name}"] = torch.zeros_like(weight)

    def _divide(self) -> list[Share]:
        """Largest first, each to the rank that has least."""
        shares = [Share() for _ in range(self.ranks.world)]
        for name in sorted(self.weights, key=lambda n: (-self.weights[n].numel(), n)):
            least = min(shares, key=lambda share: share.size)
            least.names.append(name)
            least.size += self.weights[name].numel()
        return shares

    @torch.no_grad()
    def step(self, rate_factor: float, num_steps_done: int) -> Tensor:
        """Update all weights from their gradients; return the gradient's length before clipping."""
        norm = self._gather_gradients()
        scale = (self.config.max_norm / (norm + 1e-6)).clamp(max=1.0).float()
        rate = self.config.peak_rate * rate_factor
        for name in self.shares[self.ranks.rank].names:
            weight = self.weights[name]
            assert weight.grad is not None
            weight.grad.mul_(scale)
            if _is_matrix(name, weight):
                self._muon(name, weight, weight.grad, rate)
            else:
                self._adamw(name, weight, weight.grad, rate, num_steps_done + 1)
        self._spread_weights()
        return norm

    def _gather_gradients(self) -> Tensor:
        """Sum gradients at their owners; return the length of the whole gradient."""
        device = next(iter(self.weights.values())).device
        square = torch.zeros((), dtype=torch.float64, device=device)
        for owner, share in enumerate(self.shares):
            grads = [_gradient(self.weights[name]) for name in share.names]
            if self.ranks.world > 1:
                flat = self.ranks.sum_at_(torch.cat([g.flatten() for g in grads]), owner)
                if owner == self.ranks.rank:
                    _unflatten_into(grads, flat)
            if owner == self.ranks.rank:
                norms = [torch.linalg.vector_norm(grad) for grad in grads]
                square += torch.stack(norms).double().square().sum()
        return self.ranks.sum_(square).sqrt()

    def _spread_weights(self) -> None:
        if self.ranks.world == 1:
            return
        for owner, share in enumerate(self.shares):
            weights = [self.weights[name] for name in share.names]
            flat = self.ranks.spread_(torch.cat([w.flatten() for w in weights]), owner)
            if owner != self.ranks.rank:
                _unflatten_into(weights, flat)

    def _muon(self, name: str, weight: Tensor, grad: Tensor, rate: float) -> None:
        momentum = self.state[f"momentum:{name}"]
        momentum.mul_(self.config.momentum).add_(grad)
        push = _as_matrices(name, grad.add(momentum, alpha=self.config.momentum))
        targets = _as_matrices(name, weight)
        size = 0.2 * max(push.shape[-2:]) ** 0.5
        weight.mul_(1.0 - rate * self.config.weight_decay)
        at_once = len(push) if push.is_cuda else MATRICES_AT_ONCE
        for bite, target in zip(push.split(at_once), targets.split(at_once), strict=True):
            target.sub_(orthogonalise(bite, dtype=self.dtype).float(), alpha=rate * size)

    def _adamw(self, name: str, weight: Tensor, grad: Tensor, rate: float, step: int) -> None:
        """Ref: arXiv:1711.05101."""
        first, second = self.config.betas
        mean, square = self.state[f"mean:{name}"], self.state[f"square:{name}"]
        mean.lerp_(grad, 1.0 - first)
        square.mul_(second).addcmul_(grad, grad, value=1.0 - second)
        if weight.ndim >= 2:
            weight.mul_(1.0 - rate * self.config.weight_decay)
        deep = square.div(1.0 - second**step).sqrt_().add_(self.config.eps)
        weight.addcdiv_(mean, deep, value=-rate / (1.0 - first**step))
