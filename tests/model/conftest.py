"""Filled networks for the tests of this room."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from model_shapes import SHAPES

from bise.model.config import ModelConfig
from bise.model.network import Network

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def reference() -> Callable[[str], Any]:
    """Reads a JSON file of `tests/data`."""
    return lambda name: json.loads((DATA / name).read_text())


@pytest.fixture(params=SHAPES)
def config(request: pytest.FixtureRequest) -> ModelConfig:
    """Each of the kinds of network there are, tiny."""
    return SHAPES[request.param]


@pytest.fixture
def small4() -> ModelConfig:
    return SHAPES["small4"]


@pytest.fixture(scope="session")
def fill() -> Callable[..., Network]:
    """Builds a network with large random weights, so that every part of it matters."""

    def build(config: ModelConfig, seed: int = 0, spread: float = 0.2) -> Network:
        generator = torch.Generator().manual_seed(seed)
        network = Network(config)
        with torch.no_grad():
            for name, weight in network.named_parameters():
                noise = torch.randn(weight.shape, generator=generator)
                if weight.ndim == 1:
                    weight.copy_(1.0 + 0.1 * noise)
                else:
                    weight.copy_(noise * (1.0 if name == "embed.weight" else spread))
        return network.eval()

    return build
