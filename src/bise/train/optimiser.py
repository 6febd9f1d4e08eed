# pyright: reportPrivateImportUsage=false
"""Muon for matrices, AdamW for the rest, every rank updating its own share of the parameters.

A step is a few large operations on many tensors, not many small ones: a card waits for each launch.

Gradients are added up at the rank that owns a parameter, updated there, and spread again: the
optimiser's work and memory are divided, the traffic is that of one all-reduce.
Ref: arXiv:2502.16982 §2.2 (Muon whose update has AdamW's size, so one rate fits both),
arXiv:1910.02054 §5 (sharded optimiser state).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from bise.errors import UserError
from bise.ops.orthogonal import orthogonalise
from bise.train.ranges import need_range
from bise.train.ranks import Ranks

MATRICES_AT_ONCE = 8
"""On a CPU matrices of one shape are orthogonalised in bites that stay in cache."""


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

    def __post_init__(self) -> None:
        if len(self.betas) != 2:
            raise UserError(f"`optimiser.betas` are {len(self.betas)} numbers, expected two")
        for beta in self.betas:
            need_range("optimiser.betas", beta, 0, 1, is_below=True)
        need_range("optimiser.momentum", self.momentum, 0, 1, is_below=True)
        for name in ("peak_rate", "eps", "weight_decay", "max_norm"):
            need_range(f"optimiser.{name}", getattr(self, name), 0)


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
        self.weights: dict[str, Tensor] = dict(sorted(network.named_parameters()))
        self.shares = self._divide()
        own = self.shares[ranks.rank].names
        self.matrices = [name for name in own if _is_matrix(name, self.weights[name])]
        self.others = [name for name in own if not _is_matrix(name, self.weights[name])]
        kinds = {"momentum": self.matrices, "mean": self.others, "square": self.others}
        self.state = {
            f"{kind}:{name}": torch.zeros_like(self.weights[name])
            for kind, names in kinds.items()
            for name in names
        }

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
        torch._foreach_mul_(self._grads([*self.matrices, *self.others]), scale)
        rate = self.config.peak_rate * rate_factor
        if self.matrices:
            self._muon(rate)
        if self.others:
            self._adamw(rate, num_steps_done + 1)
        self._spread_weights()
        return norm

    def clear(self) -> None:
        """Set all gradients to zero, where they are."""
        torch._foreach_zero_(self._grads(list(self.weights)))

    def _grads(self, names: Sequence[str]) -> list[Tensor]:
        return [_gradient(self.weights[name]) for name in names]

    def _gather_gradients(self) -> Tensor:
        """Sum gradients at their owners; return the length of the whole gradient."""
        device = next(iter(self.weights.values())).device
        square = torch.zeros((), dtype=torch.float64, device=device)
        for owner, share in enumerate(self.shares):
            grads = self._grads(share.names)
            if self.ranks.world > 1:
                flat = self.ranks.sum_at_(torch.cat([g.flatten() for g in grads]), owner)
                if owner == self.ranks.rank:
                    _unflatten_into(grads, flat)
            if owner == self.ranks.rank:
                square += torch.stack(torch._foreach_norm(grads)).double().square().sum()
        return self.ranks.sum_(square).sqrt()

    def _spread_weights(self) -> None:
        if self.ranks.world == 1:
            return
        for owner, share in enumerate(self.shares):
            weights = [self.weights[name] for name in share.names]
            flat = self.ranks.spread_(torch.cat([w.flatten() for w in weights]), owner)
            if owner != self.ranks.rank:
                _unflatten_into(weights, flat)

    def _muon(self, rate: float) -> None:
        weights = [self.weights[name] for name in self.matrices]
        momenta = [self.state[f"momentum:{name}"] for name in self.matrices]
        grads = self._grads(self.matrices)
        torch._foreach_mul_(momenta, self.config.momentum)
        torch._foreach_add_(momenta, grads)
        pushes = torch._foreach_add(grads, momenta, alpha=self.config.momentum)
        torch._foreach_mul_(weights, 1.0 - rate * self.config.weight_decay)
        alike: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        stacks = [_as_matrices(*pair) for pair in zip(self.matrices, pushes, strict=True)]
        for place, stack in enumerate(stacks):
            alike[tuple(stack.shape[1:])].append(place)
        for shape, places in alike.items():
            targets = [_as_matrices(self.matrices[i], weights[i]) for i in places]
            made = self._orthogonal(torch.cat([stacks[i] for i in places]))
            pieces = made.split([len(target) for target in targets])
            torch._foreach_add_(targets, list(pieces), alpha=-rate * 0.2 * max(shape) ** 0.5)

    def _orthogonal(self, matrices: Tensor) -> Tensor:
        """[matrices, rows, cols] of one shape, fp32"""
        at_once = len(matrices) if matrices.is_cuda else MATRICES_AT_ONCE
        bites = matrices.split(at_once)
        return torch.cat([orthogonalise(bite, dtype=self.dtype) for bite in bites]).float()

    def _adamw(self, rate: float, step: int) -> None:
        """Ref: arXiv:1711.05101."""
        first, second = self.config.betas
        weights = [self.weights[name] for name in self.others]
        means = [self.state[f"mean:{name}"] for name in self.others]
        squares = [self.state[f"square:{name}"] for name in self.others]
        grads = self._grads(self.others)
        torch._foreach_lerp_(means, grads, 1.0 - first)
        torch._foreach_mul_(squares, second)
        torch._foreach_addcmul_(squares, grads, grads, value=1.0 - second)
        if outer := [weight for weight in weights if weight.ndim >= 2]:
            torch._foreach_mul_(outer, 1.0 - rate * self.config.weight_decay)
        deep = torch._foreach_div(squares, 1.0 - second**step)
        torch._foreach_sqrt_(deep)
        torch._foreach_add_(deep, self.config.eps)
        torch._foreach_addcdiv_(weights, means, deep, value=-rate / (1.0 - first**step))
