"""A step is a mean over the tokens of its samples, however they are laid out."""

from collections.abc import Sequence

import pytest
import torch

from bise.model.initial import initialise
from bise.model.network import Network
from bise.model.presets import preset
from bise.train.batches import Batch, Sample, collate
from bise.train.losses import LossConfig
from bise.train.optimiser import Optimiser, OptimiserConfig
from bise.train.ranks import Ranks
from bise.train.step import StepReport, train_step

CONFIG = LossConfig(balance=1.0, router_z=1.0)
"""Heavy, so that the routers' losses show in the gradient."""


def _samples() -> list[Sample]:
    generator = torch.Generator().manual_seed(0)
    made: list[Sample] = []
    for length in (64, 40, 24, 50):
        ids = torch.randint(20, 500, (length,), generator=generator).tolist()
        made.append(Sample(ids, [True] * length))
    return made


def _step(batches: Sequence[Batch]) -> StepReport:
    network = initialise(Network(preset("pico")), 0, zero_outputs=False)
    return train_step(
        network,
        batches,
        Optimiser(network, OptimiserConfig(), Ranks(), torch.float32),
        config=CONFIG,
        dtype=torch.float32,
        rate_factor=1.0,
        step=0,
        ranks=Ranks(),
    )


@pytest.mark.parametrize("row_tokens", [64, 256])
def test_padding_and_parts_change_nothing(row_tokens: int):
    a, b, c, d = _samples()
    close = _step([collate([[a], [b, c], [d]], 64)])
    spread = _step([collate([[a]], row_tokens), collate([[b, c], [d], []], row_tokens)])
    assert spread.num_trained == close.num_trained
    for name in ("loss", "balance", "load_ratio", "grad_norm"):
        assert getattr(spread, name) == pytest.approx(getattr(close, name), rel=1e-5), name
