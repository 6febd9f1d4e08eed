"""The shapes we know by name, from the 119B model down to the one that trains in five minutes."""

from collections.abc import Callable

from bise.errors import UserError, quoted
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


def small4() -> ModelConfig:
    """Mistral Small 4, 119B-A6B. Source: docs/model.md, section 1."""
    return ModelConfig(
        dim=4096,
        num_layers=36,
        num_heads=32,
        attention=LatentAttentionConfig(q_latent=1024, kv_latent=256, nope=64, rope=64, value=128),
        experts=ExpertsConfig(num=128, topk=4, hidden_dim=2048),
        mlp_dim=12_288,
        vocab_size=131_072,
        rope=RopeConfig(yarn=YarnConfig(factor=128.0, original=8192)),
        query_scale=QueryScaleConfig(beta=0.1, original=8192),
        max_positions=1_048_576,
        vision=VisionConfig(dim=1024, num_layers=24, num_heads=16, mlp_dim=4096),
    )


def small3() -> ModelConfig:
    """Mistral Small 3.1/3.2, 24B: the dense predecessor, with the same vision tower."""
    return ModelConfig(
        dim=5120,
        num_layers=40,
        num_heads=32,
        attention=GroupedAttentionConfig(num_kv_heads=8, head_dim=128),
        mlp_dim=32_768,
        vocab_size=131_072,
        rope=RopeConfig(theta=1e9),
        norm_eps=1e-5,
        max_positions=131_072,
        vision=VisionConfig(
            dim=1024, num_layers=24, num_heads=16, mlp_dim=4096, projector_norm_eps=1e-5
        ),
    )


def small4_mini() -> ModelConfig:
    """Small 4's architecture at 4.3B parameters: what CPU speed is measured on."""
    return ModelConfig(
        dim=2048,
        num_layers=10,
        num_heads=16,
        attention=LatentAttentionConfig(q_latent=512, kv_latent=256, nope=64, rope=64, value=128),
        experts=ExpertsConfig(num=64, topk=4, hidden_dim=1024),
        vocab_size=32_768,
        rope=RopeConfig(yarn=YarnConfig(factor=8.0, original=8192)),
        query_scale=QueryScaleConfig(beta=0.1, original=8192),
        max_positions=65_536,
    )


def small3_mini() -> ModelConfig:
    """Small 3's architecture with 4.0 times the layer weights a token of `small4_mini` uses."""
    return ModelConfig(
        dim=2048,
        num_layers=20,
        num_heads=16,
        attention=GroupedAttentionConfig(num_kv_heads=4, head_dim=128),
        mlp_dim=11_136,
        vocab_size=32_768,
        rope=RopeConfig(theta=1e9),
        norm_eps=1e-5,
        max_positions=65_536,
    )


def mid() -> ModelConfig:
    """About 300 M parameters: large enough that arithmetic decides a step, small enough to make."""
    return ModelConfig(
        dim=768,
        num_layers=12,
        num_heads=8,
        attention=LatentAttentionConfig(q_latent=384, kv_latent=128, nope=32, rope=32, value=64),
        experts=ExpertsConfig(num=32, topk=4, hidden_dim=256),
        vocab_size=32_768,
        rope=RopeConfig(yarn=YarnConfig(factor=8.0, original=4096)),
        query_scale=QueryScaleConfig(beta=0.1, original=4096),
        max_positions=32_768,
    )


def _taught(
    *,
    dim: int,
    num_layers: int,
    attention: LatentAttentionConfig,
    experts: ExpertsConfig,
    vision: VisionConfig,
) -> ModelConfig:
    """The part that the three shapes we train ourselves have in common."""
    return ModelConfig(
        dim=dim,
        num_layers=num_layers,
        num_heads=4,
        attention=attention,
        experts=experts,
        vocab_size=2048,
        rope=RopeConfig(yarn=YarnConfig(factor=8.0, original=512)),
        query_scale=QueryScaleConfig(beta=0.1, original=512),
        max_positions=4096,
        vision=vision,
    )


def micro() -> ModelConfig:
    """28 M text parameters; `nano` with more depth and experts, for a machine with a GPU."""
    return _taught(
        dim=256,
        num_layers=8,
        attention=LatentAttentionConfig(q_latent=128, kv_latent=64, nope=32, rope=32, value=64),
        experts=ExpertsConfig(num=32, topk=4, hidden_dim=128),
        vision=VisionConfig(dim=128, num_layers=4, num_heads=4, mlp_dim=384, image_size=448),
    )


def nano() -> ModelConfig:
    """Small 4's shape at a nine-thousandth of its size; trained by `runs/nano.sh`, and shipped."""
    return _taught(
        dim=256,
        num_layers=6,
        attention=LatentAttentionConfig(q_latent=128, kv_latent=64, nope=32, rope=32, value=64),
        experts=ExpertsConfig(num=16, topk=4, hidden_dim=128),
        vision=VisionConfig(dim=128, num_layers=4, num_heads=4, mlp_dim=384, image_size=448),
    )


def pico() -> ModelConfig:
    """2.6 M parameters: learns sums of two terms in five minutes, so tests can train it."""
    return _taught(
        dim=128,
        num_layers=4,
        attention=LatentAttentionConfig(q_latent=64, kv_latent=32, nope=16, rope=16, value=32),
        experts=ExpertsConfig(num=16, topk=4, hidden_dim=64),
        vision=VisionConfig(dim=64, num_layers=2, num_heads=2, mlp_dim=128, image_size=448),
    )


PRESETS: dict[str, Callable[[], ModelConfig]] = {
    "small4": small4,
    "small3": small3,
    "small4_mini": small4_mini,
    "small3_mini": small3_mini,
    "mid": mid,
    "micro": micro,
    "nano": nano,
    "pico": pico,
}


def preset(name: str) -> ModelConfig:
    """The shape of that name; hyphens are as good as underscores."""
    known = PRESETS.get(name.replace("-", "_"))
    if known is None:
        raise UserError(
            f"`{name}` is no preset", hint=f"pass one of {quoted(PRESETS)}, or a checkpoint folder"
        )
    return known()
