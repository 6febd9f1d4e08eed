"""What a step must read and a prompt must compute, whatever the engine: floors of their times."""

from dataclasses import dataclass

from bise.model.config import GroupedAttentionConfig, ModelConfig

WEIGHT_BYTES = {
    "bf16": 2.0,
    "stored": 2.0,
    "f16": 2.0,
    "int8": 34 / 32,
    "q8_0": 34 / 32,
    "int4": 18 / 32,
    "q4_0": 18 / 32,
    "q4_k_m": 0.6,
}
"""With the scales. Q4_K_M mixes 4.5 and 6.6 bits; about 4.8 for such networks."""

HEAD_BYTES = WEIGHT_BYTES | {"int4": 34 / 32, "q4_0": 34 / 32, "q4_k_m": 210 / 256}
"""The head keeps more bits."""


@dataclass(frozen=True, slots=True)
class Loads:
    """Weights of one layer by how often a step reads them, and of the head."""

    always: int
    """Attention, router, the expert everybody passes, or a dense feed-forward."""

    expert: int
    """Of each expert that is chosen."""

    head: int


def loads(config: ModelConfig) -> Loads:
    attention, dim, heads = config.attention, config.dim, config.num_heads
    if isinstance(attention, GroupedAttentionConfig):
        each = 2 * attention.head_dim * (heads + attention.num_kv_heads) * dim
    else:
        each = (
            dim * (attention.q_latent + attention.kv_latent + attention.rope)
            + attention.q_latent * heads * attention.head_dim
            + attention.kv_latent * heads * (attention.nope + attention.value)
            + heads * attention.value * dim
        )
    experts = config.experts
    if experts is None:
        assert config.mlp_dim is not None
        return Loads(each + 3 * dim * config.mlp_dim, 0, dim * config.vocab_size)
    expert = 3 * dim * experts.hidden_dim
    always = each + dim * experts.num + experts.num_shared * expert
    return Loads(always, expert, dim * config.vocab_size)


def step_bytes(
    config: ModelConfig, format: str, streams: int, context: int, touched: float
) -> float:
    """What a step of so many streams reads: weights, and the cache in bf16.

    touched: different experts a layer uses in the step
    """
    found = loads(config)
    layers = config.num_layers * (found.always + touched * found.expert)
    cache = 2 * config.cache_numbers_per_token * context * streams
    return layers * WEIGHT_BYTES[format] + found.head * HEAD_BYTES[format] + cache


def token_operations(config: ModelConfig, context: float) -> float:
    """Operations of a token of a prompt, two a multiplication and addition; no head.

    context: tokens it looks at, on average
    """
    found, attention = loads(config), config.attention
    topk = config.experts.topk if config.experts is not None else 0
    if isinstance(attention, GroupedAttentionConfig):
        look = 2 * attention.head_dim
    else:
        look = attention.head_dim + attention.value
    products = found.always + topk * found.expert + config.num_heads * look * context
    return 2.0 * config.num_layers * products


def expected_touched(config: ModelConfig, streams: int) -> float:
    """Different experts of a layer if every stream chooses at random."""
    experts = config.experts
    if experts is None:
        return 0.0
    return experts.num * (1.0 - (1.0 - experts.topk / experts.num) ** streams)
