"""The four kinds of network there are, at sizes a test can afford."""

from typing import Any

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
