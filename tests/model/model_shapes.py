"""The four kinds of network there are, and a draft head, at sizes a test can afford."""

from typing import Any

import torch
from torch import Tensor

from bise.model import EagleHead, eagle_config
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
from bise.model.names import weights

EYE = VisionConfig(dim=32, num_layers=2, num_heads=4, mlp_dim=48, image_size=140)
EYE_OF_SMALL3 = VisionConfig(
    dim=32, num_layers=2, num_heads=4, mlp_dim=48, image_size=140, projector_norm_eps=1e-5
)


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

EAGLE_TARGET = SHAPES["small4-text"]
"""Its nope + rope differs from its value; YaRN and query growth begin at position 16."""


def fill_head(target: ModelConfig = EAGLE_TARGET, seed: int = 5) -> EagleHead:
    """Weights large enough for every part to matter."""
    head = EagleHead(eagle_config(target, mlp_dim=96))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in head.parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(1.0 + 0.1 * noise if weight.ndim == 1 else 0.2 * noise)
    return head.eval()


def official(head: EagleHead) -> dict[str, Tensor]:
    """The head's tensors by their official names."""
    table = {weight.name: weight.parts[0] for weight in weights(head.config)}
    return {table[name]: tensor.detach() for name, tensor in head.named_parameters()}
