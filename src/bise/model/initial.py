"""Weights before any training."""

import torch

from bise.model.network import Network

SPREAD = 0.02
"""Standard deviation of every matrix that does not start at zero."""


@torch.no_grad()
def initialise(network: Network, seed: int, *, zero_outputs: bool = True) -> Network:
    """Fill a network in place: norms one, matrices normal, in the order of their names.

    With `zero_outputs` whatever writes into the residual stream starts at zero, so that at step 0
    every layer passes its input on: right for training, useless for measuring a random model.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, weight in sorted(network.named_parameters()):
        if weight.ndim == 1:
            weight.fill_(1.0)
        elif zero_outputs and _writes_to_the_stream(name):
            weight.zero_()
        else:
            weight.copy_(torch.randn(weight.shape, generator=generator) * SPREAD)
    return network


def _writes_to_the_stream(name: str) -> bool:
    return name.endswith(
        ("attention.out.weight", "mlp.down", "mlp.down.weight", "shared.down.weight")
    )
