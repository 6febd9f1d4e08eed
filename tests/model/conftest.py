"""Small shapes and filled networks for the tests of this room."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bise.model.config import (
    ExpertsConfig,
    GroupedAttentionConfig,
    LatentAttentionConfig,
    ModelConfig,
    QueryScaleConfig,
    RopeConfig,
    VisionConfig,
    YarnConfig,
)
from bise.model.network import Network

DATA = Path(__file__).parents[1] / "data"
EYE = VisionConfig(dim=32, num_layers=2, num_heads=4, mlp_dim=48, image_size=140)
EYE_OF_SMALL3 = VisionConfig(
    dim=32, num_layers=2, num_heads=4, mlp_dim=48, image_size=140, projector_norm_eps=1e-5
)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def reference() -> Callable[[str], Any]:
    """Reads a JSON file of `tests/data`."""
    return lambda name: json.loads((DATA / name).read_text())


def latent(
    *, dims: tuple[int, int, int] = (16, 16, 32), vision: bool = False, **changes: Any
) -> ModelConfig:
    """A Small 4 with `dims` = nope, rope, value."""
    nope, rope, value = dims
    values: dict[str, Any] = {
        "dim": 64,
        "num_layers": 3,
        "num_heads": 4,
        "attention": LatentAttentionConfig(
            q_latent=32, kv_latent=16, nope=nope, rope=rope, value=value
        ),
        "vocab_size": 128,
        "experts": ExpertsConfig(num=8, topk=2, hidden_dim=32),
        "rope": RopeConfig(yarn=YarnConfig(factor=16.0, original=16)),
        "query_scale": QueryScaleConfig(beta=0.1, original=16),
        "max_positions": 256,
        "vision": EYE if vision else None,
    }
    return ModelConfig(**values | changes)


def dense(*, vision: bool = False, **changes: Any) -> ModelConfig:
    """A Small 3."""
    values: dict[str, Any] = {
        "dim": 48,
        "num_layers": 3,
        "num_heads": 4,
        "attention": GroupedAttentionConfig(num_kv_heads=2, head_dim=16),
        "vocab_size": 128,
        "mlp_dim": 80,
        "rope": RopeConfig(theta=1e6),
        "norm_eps": 1e-5,
        "max_positions": 256,
        "vision": EYE_OF_SMALL3 if vision else None,
    }
    return ModelConfig(**values | changes)


SHAPES = {
    "small4": latent(vision=True),
    "small4-text": latent(),
    "small3": dense(vision=True),
    "small3-text": dense(),
}


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
