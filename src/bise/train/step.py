"""One optimiser step: the parts of a step forward, the load counted, then all of them backward."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bise.model.experts import Routing
from bise.model.network import Network
from bise.model.sight import PackedRows
from bise.ops.cross_entropy import cross_entropy
from bise.train.batches import Batch
from bise.train.losses import LossConfig, balance_loss, expert_load, router_z_loss
from bise.train.optimiser import Optimiser
from bise.train.ranks import Ranks


@dataclass(slots=True)
class StepReport:
    loss: float
    """Mean over the trained tokens of the whole step, output z-loss included."""

    balance: float
    """1.0 when all experts get the same."""

    load_ratio: float
    """Busiest expert over the mean, the worst layer."""

    grad_norm: float
    num_trained: int
    num_far: int


@dataclass(slots=True)
class _Part:
    loss_sum: Tensor
    routing: Routing


def forward_part(network: Network, batch: Batch, config: LossConfig, dtype: torch.dtype) -> _Part:
    """One part through the network, up to the summed loss of its trained tokens."""
    vectors = None
    if batch.images:
        vectors = network.see([image.to(dtype) for image in batch.images])
    routing = Routing()
    num_rows, row_tokens = batch.samples.shape
    sight = PackedRows(num_rows, row_tokens, batch.samples)
    hidden = network(
        batch.ids, batch.positions, sight, image_vectors=vectors, routing=routing, dtype=dtype
    )
    loss_sum = cross_entropy(
        hidden[batch.picked],
        network.head.weight.to(dtype),
        batch.targets,
        z_weight=config.output_z,
    )
    return _Part(loss_sum, routing)


def train_step(
    network: Network,
    batches: Sequence[Batch],
    optimiser: Optimiser,
    *,
    config: LossConfig,
    dtype: torch.dtype,
    rate_factor: float,
    step: int,
    ranks: Ranks,
    meanwhile: Callable[[], None] | None = None,
) -> StepReport:
    """Every *trained token* weighs the same, whichever part or process it fell into.

    In the routers' losses every token of a sample does; padding weighs nothing.

    meanwhile: called once all work is asked for, before waiting for a device to have done it
    """
    experts = network.config.experts
    assert experts is not None
    parts = [forward_part(network, batch, config, dtype) for batch in batches]
    counts = [[b.num_trained, b.num_far, b.num_owned] for b in batches]
    summed = ranks.sum_(torch.tensor(counts, dtype=torch.float64).sum(0))
    num_trained, num_far, num_owned = summed.tolist()
    owned = [batch.samples.flatten() >= 0 for batch in batches]
    loads = [
        expert_load(part.routing.choices, experts.num, mask)
        for part, mask in zip(parts, owned, strict=True)
    ]
    load = ranks.sum_(sum_of(loads))
    balance = load.new_zeros(())
    for part, mask in zip(parts, owned, strict=True):
        weights = mask.float() / num_owned
        logits = part.routing.logits
        uneven = balance_loss(logits, load, weights)
        balance += uneven.detach()
        extra = config.balance * uneven + config.router_z * router_z_loss(logits, weights)
        (part.loss_sum / num_trained + extra).backward()
    sums = torch.stack([sum_of([p.loss_sum.detach() for p in parts]), balance])
    norm = optimiser.step(rate_factor, step)
    optimiser.clear()
    if meanwhile is not None:
        meanwhile()
    loss, balance = ranks.sum_(sums.double()).tolist()
    return StepReport(
        loss=loss / num_trained,
        balance=balance,
        load_ratio=(load.max(-1).values / load.mean(-1)).max().item(),
        grad_norm=norm.item(),
        num_trained=int(num_trained),
        num_far=int(num_far),
    )


def sum_of(tensors: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(tensors)).sum(0)
