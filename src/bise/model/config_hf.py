"""Hugging Face's `config.json`, read. Writing it is in `config_write.py`.

Two networks come in this format: `mistral4` (Small 4) and `mistral` (Small 3), alone or inside a
`mistral3` with a Pixtral tower.

The softmax scale. The official file says `mscale` = `mscale_all_dim` = 1, Mistral's spelling of "no
magnitude correction". transformers from 5.15 reads the same pair as "multiply the softmax scale by
mscale squared", 2.2 times too much. What we write says it so that both sides agree:
`mscale_all_dim` 0 and `attention_factor` 1. Both spellings are read, and mean the same here.
"""

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
from bise.model.fields import Fields
from bise.model.stored import Quant

FILE = "config.json"

METADATA = (
    "_provenance", "_name_or_path", "architectures", "auto_map", "bos_token_id", "eos_token_id",
    "pad_token_id", "dtype", "torch_dtype", "transformers_version", "use_cache", "vocab_size",
    "initializer_range", "attention_dropout", "pretraining_tp", "output_router_logits",
    "output_attentions", "output_hidden_states", "return_dict", "chunk_size_feed_forward",
    "id2label", "label2id", "is_encoder_decoder", "problem_type", "generation_config",
)  # fmt: skip
"""Fields that change nothing that is computed; `vocab_size` of an outer config is a copy."""

FP8: dict[str, Any] = {
    "quant_method": "fp8",
    "activation_scheme": "static",
    "weight_block_size": None,
    "dequantize": False,
    "modules_to_not_convert": ["model.vision_tower", "model.multi_modal_projector", "lm_head"],
}

LATENT_NORM_EPS = 1e-6
"""Of the norms on the latents, whatever `rms_norm_eps` says. Checked against: transformers."""

BASE_SCALE = "the softmax scale must not be corrected"


def read_hf(values: object) -> tuple[ModelConfig, Quant]:
    """The shape of the network, and how its weights are quantised."""
    outer = Fields(values, FILE)
    kind = outer.take("model_type", str)
    if kind not in ("mistral3", "mistral4", "mistral"):
        raise outer.refused("model_type", "expected `mistral3`, `mistral4` or `mistral`")
    text = outer.inner("text_config") if kind == "mistral3" else outer
    inner_kind = text.take("model_type", str)
    if inner_kind not in ("mistral4", "mistral"):
        raise text.refused("model_type", "expected `mistral4` or `mistral`")
    common = _text(text)
    shape = _latent(text, common) if inner_kind == "mistral4" else _grouped(text)
    vision = _vision(outer, common["norm_eps"]) if kind == "mistral3" else None
    image_token = outer.take("image_token_index", int, 10) if kind == "mistral3" else 10
    config = ModelConfig(**common, **shape, vision=vision, image_token=image_token)
    quant = _quantisation(outer)
    for fields in (text, outer):
        fields.expect("tie_word_embeddings", False, why="embedding and head are two matrices here")
        fields.ignore(METADATA)
        fields.done()
    return config, quant


def _text(text: Fields) -> dict[str, Any]:
    """What both networks have."""
    text.expect("hidden_act", "silu")
    text.expect("attention_bias", False, why="no matrix has a bias")
    return {
        "dim": text.take("hidden_size", int),
        "num_layers": text.take("num_hidden_layers", int),
        "num_heads": text.take("num_attention_heads", int),
        "vocab_size": text.take("vocab_size", int),
        "mlp_dim": text.take("intermediate_size", int, None),
        "norm_eps": text.take("rms_norm_eps", float),
        "max_positions": text.take("max_position_embeddings", int),
    }


def _latent(text: Fields, common: dict[str, Any]) -> dict[str, Any]:
    shape = LatentAttentionConfig(
        q_latent=text.take("q_lora_rank", int),
        kv_latent=text.take("kv_lora_rank", int),
        nope=text.take("qk_nope_head_dim", int),
        rope=text.take("qk_rope_head_dim", int),
        value=text.take("v_head_dim", int),
    )
    for name in ("head_dim", "qk_head_dim"):
        total = "which is `qk_nope_head_dim` + `qk_rope_head_dim`"
        text.expect(name, shape.head_dim, why=total)
    same = "latent attention makes a key for every head"
    text.expect("num_key_value_heads", common["num_heads"], why=same)
    text.expect("rope_interleave", True)
    text.expect("sliding_window", why="attention looks back over the whole text")
    text.expect("n_group", 1, why="experts are chosen from one group")
    text.expect("topk_group", 1, why="experts are chosen from one group")
    text.expect("norm_topk_prob", True)
    text.expect("routed_scaling_factor", 1.0)
    text.expect("first_k_dense_replace", 0, why="every layer has experts")
    if common["norm_eps"] != LATENT_NORM_EPS:
        raise text.refused("rms_norm_eps", f"expected `{LATENT_NORM_EPS}`, as in the latent norms")
    experts = ExpertsConfig(
        num=text.take("n_routed_experts", int),
        topk=text.take("num_experts_per_tok", int),
        hidden_dim=text.take("moe_intermediate_size", int),
        num_shared=text.take("n_shared_experts", int, 1),
    )
    return {"attention": shape, "experts": experts, **_yarn(text, shape, common["max_positions"])}


def _yarn(text: Fields, shape: LatentAttentionConfig, max_positions: int) -> dict[str, Any]:
    rope = text.inner("rope_parameters")
    rope.need("rope_type", "yarn")
    rope.expect("type", "yarn")
    rope.expect("max_position_embeddings", max_positions, why="which the outer field says")
    fraction = rope.take("partial_rotary_factor", float, shape.rope / shape.head_dim)
    if round(fraction * shape.head_dim) != shape.rope:
        share = "`qk_rope_head_dim` / (`qk_nope_head_dim` + `qk_rope_head_dim`)"
        raise rope.refused("partial_rotary_factor", f"expected {share}")
    _need_base_scale(rope)
    original = rope.take("original_max_position_embeddings", int)
    yarn = YarnConfig(
        factor=rope.take("factor", float),
        original=original,
        beta_fast=rope.take("beta_fast", float, 32.0),
        beta_slow=rope.take("beta_slow", float, 1.0),
    )
    beta = rope.take("llama_4_scaling_beta", float, 0.0)
    theta = rope.take("rope_theta", float)
    rope.done()
    return {
        "rope": RopeConfig(theta=theta, yarn=yarn),
        "query_scale": QueryScaleConfig(beta=beta, original=original) if beta else None,
    }


def _need_base_scale(rope: Fields) -> None:
    """Both spellings of "no magnitude correction", and nothing else."""
    rope.expect("attention_factor", 1.0, why=BASE_SCALE)
    rope.expect("mscale", 1.0, why=BASE_SCALE)
    rope.expect("mscale_all_dim", 1.0, 0.0, why=BASE_SCALE)
    rope.expect("truncate", True)
    if rope.has("attention_factor"):
        return
    if not rope.has("mscale") or rope.values["mscale"] != rope.values.get("mscale_all_dim"):
        raise rope.refused(
            "mscale_all_dim", f"expected the value of `mscale`, or an `attention_factor` of 1:"
            f" {BASE_SCALE}",
        )  # fmt: skip


def _grouped(text: Fields) -> dict[str, Any]:
    text.need("sliding_window", why="transformers takes 4096 for none; write null")
    num_heads = text.values["num_attention_heads"]
    width = text.take("head_dim", int, text.values["hidden_size"] // max(num_heads, 1))
    shape = GroupedAttentionConfig(
        num_kv_heads=text.take("num_key_value_heads", int), head_dim=width
    )
    if not text.has("intermediate_size"):
        raise text.refused("intermediate_size", "expected a whole number")
    text.expect("rope_scaling", why="positions of this network are not stretched")
    theta = text.take("rope_theta", float, None)
    if text.has("rope_parameters"):
        rope = text.inner("rope_parameters")
        rope.expect("rope_type", "default")
        rope.expect("type", "default")
        theta = rope.take("rope_theta", float)
        rope.done()
    text.ignore(("rope_parameters",))
    if theta is None:
        raise text.refused("rope_theta", "expected a number")
    return {"attention": shape, "rope": RopeConfig(theta=theta)}


def _vision(outer: Fields, norm_eps: float) -> VisionConfig | None:
    outer.expect("projector_hidden_act", "gelu")
    outer.expect("multimodal_projector_bias", False, why="no matrix has a bias")
    outer.expect("vision_feature_layer", -1)
    merge = outer.take("spatial_merge_size", int, 2)
    fields = outer.inner("vision_config")
    fields.expect("model_type", "pixtral")
    fields.need("hidden_act", "silu")
    theta = fields.take("rope_theta", float, 10_000.0)
    if fields.has("rope_parameters"):
        rope = fields.inner("rope_parameters")
        rope.expect("rope_type", "default", "axial")
        theta = rope.take("rope_theta", float)
        rope.done()
    vision = VisionConfig(
        dim=fields.take("hidden_size", int),
        num_layers=fields.take("num_hidden_layers", int),
        num_heads=fields.take("num_attention_heads", int),
        mlp_dim=fields.take("intermediate_size", int),
        patch=fields.take("patch_size", int),
        merge=merge,
        image_size=fields.take("image_size", int),
        theta=theta,
        projector_norm_eps=norm_eps,
        num_channels=fields.take("num_channels", int, 3),
    )
    fields.expect("head_dim", vision.head_dim, why="which is `hidden_size` / heads")
    fields.ignore(METADATA)
    fields.ignore(("rope_parameters",))
    fields.done()
    return vision


def _quantisation(outer: Fields) -> Quant:
    if not outer.has("quantization_config"):
        outer.ignore(("quantization_config",))
        return "none"
    fields = outer.inner("quantization_config")
    fields.need("quant_method", "fp8", why="NVFP4 comes in native files only")
    fields.need("activation_scheme", "static")
    fields.expect("weight_block_size", why="one scale a matrix is what the files have")
    fields.ignore(("dequantize", "modules_to_not_convert"))
    fields.done()
    return "fp8"
