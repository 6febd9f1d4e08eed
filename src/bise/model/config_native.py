"""Mistral's own `params.json`, read. Writing it is in `config_write.py`."""

from typing import Any

from bise.errors import UserError
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

FILE = "params.json"

METADATA = (
    "_provenance", "model_type", "model_parallel", "dtype", "transformers_version", "max_batch_size"
)  # fmt: skip
"""Fields that change nothing that is computed."""

PARALLEL = ("expert_parallel", "expert_model_parallel")

NVFP4: dict[str, Any] = {
    "quant_method": "compressed-tensors",
    "format": "nvfp4-pack-quantized",
    "quantization_status": "compressed",
    "kv_cache_scheme": None,
    "sparsity_config": {},
    "transform_config": {},
    "config_groups": {
        "group_0": {
            "targets": ["Linear"],
            "format": "nvfp4-pack-quantized",
            "output_activations": None,
            "weights": {
                "num_bits": 4,
                "type": "float",
                "strategy": "tensor_group",
                "group_size": 16,
                "symmetric": True,
                "dynamic": False,
            },
            "input_activations": {
                "num_bits": 4,
                "type": "float",
                "strategy": "tensor_group",
                "group_size": 16,
                "symmetric": True,
                "dynamic": "local",
            },
        }
    },
    "ignore": [
        "re:.*attention.*",
        "re:.*self_attn.*",
        "re:.*gate$",
        "re:.*tok_embeddings.*",
        "re:.*embed_tokens.*",
        "re:.*output$",
        "re:.*lm_head$",
        "re:.*vision.*",
        "re:.*patch_merger.*",
        "re:.*mm_projector.*",
    ],
}
"""What we write, and what vLLM goes by: it takes every matrix that `ignore` does not name for a
4-bit one, and calls modules by names of its own, so both spellings are here. Our own reader finds
the 4-bit matrices by the names of their tensors. Checked against: vLLM 0.32."""


def read_native(values: object, file: str = FILE) -> tuple[ModelConfig, Quant]:
    """The shape of the network, and how its weights are quantised; `file` is what faults name."""
    fields = Fields(values, file)
    rope = RopeConfig(theta=fields.take("rope_theta", float), yarn=_yarn(fields))
    max_positions = fields.take("max_position_embeddings", int, None)
    max_positions = fields.take("max_seq_len", int, max_positions or 32_768)
    norm_eps = fields.take("norm_eps", float)
    images = Fields({}, file)
    vision = None
    if fields.has("vision_encoder"):
        images = fields.inner("vision_encoder")
        vision = _vision(images, norm_eps)
    config = ModelConfig(
        dim=fields.take("dim", int),
        num_layers=fields.take("n_layers", int),
        num_heads=fields.take("n_heads", int),
        attention=_attention(fields),
        vocab_size=fields.take("vocab_size", int),
        experts=_experts(fields),
        mlp_dim=fields.take("hidden_dim", int, None),
        rope=rope,
        query_scale=_query_scale(fields),
        norm_eps=norm_eps,
        max_positions=max_positions,
        vision=vision,
        image_token=images.take("image_token_id", int, 10),
        image_break_token=images.take("image_break_token_id", int, 12),
        image_end_token=images.take("image_end_token_id", int, 13),
    )
    images.done()
    quant = _quantisation(fields)
    fields.expect("tied_embeddings", False, why="embedding and head are two matrices here")
    fields.expect("sliding_window", why="attention looks back over the whole text")
    fields.expect("use_biases", False, why="no matrix has a bias")
    fields.expect("causal", True)
    fields.ignore(("vision_encoder", *METADATA))
    fields.done()
    return config, quant


def _attention(fields: Fields) -> LatentAttentionConfig | GroupedAttentionConfig:
    num_heads = fields.values.get("n_heads")
    if not fields.has("kv_lora_rank"):
        for name in ("q_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"):
            fields.expect(name, why="`kv_lora_rank` is missing, so attention is not latent")
        return GroupedAttentionConfig(
            num_kv_heads=fields.take("n_kv_heads", int), head_dim=fields.take("head_dim", int)
        )
    shape = LatentAttentionConfig(
        q_latent=fields.take("q_lora_rank", int),
        kv_latent=fields.take("kv_lora_rank", int),
        nope=fields.take("qk_nope_head_dim", int),
        rope=fields.take("qk_rope_head_dim", int),
        value=fields.take("v_head_dim", int),
    )
    total = "which is `qk_nope_head_dim` + `qk_rope_head_dim`"
    fields.expect("head_dim", shape.head_dim, why=total)
    fields.expect("n_kv_heads", num_heads, why="latent attention makes a key for every head")
    return shape


def _yarn(fields: Fields) -> YarnConfig | None:
    if not fields.has("yarn"):
        fields.expect("yarn")
        return None
    yarn = fields.inner("yarn")
    yarn.need("apply_scale", False, why="scaling by YaRN's magnitude is not supported")
    made = YarnConfig(
        factor=yarn.take("factor", float),
        original=yarn.take("original_max_position_embeddings", int),
        beta_fast=yarn.take("beta", float, 32.0),
        beta_slow=yarn.take("alpha", float, 1.0),
    )
    yarn.done()
    return made


def _query_scale(fields: Fields) -> QueryScaleConfig | None:
    if not fields.has("llama_4_scaling"):
        fields.expect("llama_4_scaling")
        return None
    scale = fields.inner("llama_4_scaling")
    made = QueryScaleConfig(
        beta=scale.take("beta", float), original=scale.take("original_max_position_embeddings", int)
    )
    scale.done()
    return made


def _experts(fields: Fields) -> ExpertsConfig | None:
    if not fields.has("moe"):
        fields.expect("moe")
        return None
    moe = fields.inner("moe")
    made = ExpertsConfig(
        num=moe.take("num_experts", int),
        topk=moe.take("num_experts_per_tok", int),
        hidden_dim=moe.take("expert_hidden_dim", int),
        num_shared=moe.take("num_shared_experts", int, 0),
    )
    moe.expect("route_every_n", 1, why="every layer has experts")
    moe.expect("first_k_dense_replace", 0, why="every layer has experts")
    moe.expect("routed_scale", 1.0, why="the weights of the chosen experts add up to one")
    moe.expect("num_expert_groups", 1, why="experts are chosen from one group")
    moe.expect("num_expert_groups_per_tok", 1, why="experts are chosen from one group")
    for name in PARALLEL:
        moe.expect(name, 1)
    moe.done()
    return made


def _vision(images: Fields, norm_eps: float) -> VisionConfig:
    vision = VisionConfig(
        dim=images.take("hidden_size", int),
        num_layers=images.take("num_hidden_layers", int),
        num_heads=images.take("num_attention_heads", int),
        mlp_dim=images.take("intermediate_size", int),
        patch=images.take("patch_size", int),
        merge=images.take("spatial_merge_size", int),
        image_size=images.take("image_size", int),
        theta=images.take("rope_theta", float),
        projector_norm_eps=norm_eps,  # as transformers does; the native readers take 1e-5
        num_channels=images.take("num_channels", int, 3),
    )
    images.expect("max_image_size", vision.image_size, why="which is `image_size`")
    images.expect("mm_projector_id", "patch_merge")
    images.need("add_pre_mm_projector_layer_norm", True)
    images.expect("adapter_bias", False, why="no matrix has a bias")
    return vision


def _quantisation(fields: Fields) -> Quant:
    if fields.has("quantization") and fields.has("quantization_config"):
        raise UserError(
            f"`{fields.file}` has both `quantization` and `quantization_config`, expected one"
        )
    fields.ignore(("quantization", "quantization_config"))
    if fields.has("quantization"):
        fp8 = fields.inner("quantization")
        fp8.need("qformat_weight", "fp8_e4m3")
        fp8.need("qscheme_act", "TENSOR")
        fp8.done()
        return "fp8"
    if fields.has("quantization_config"):
        _need_nvfp4(fields.inner("quantization_config"))
        return "nvfp4"
    return "none"


def _need_nvfp4(fields: Fields) -> None:
    fields.need("quant_method", NVFP4["quant_method"])
    fields.need("format", NVFP4["format"])
    fields.expect("kv_cache_scheme", why="a quantised cache is not supported")
    groups = fields.inner("config_groups")
    if len(groups.values) != 1:
        raise groups.refused("config_groups", "expected one group")
    group = groups.inner(next(iter(groups.values)))
    group.expect("format", NVFP4["format"])
    weights = group.inner("weights")
    for name, value in NVFP4["config_groups"]["group_0"]["weights"].items():
        weights.expect(name, value)
    weights.ignore(("observer", "observer_kwargs", "block_structure", "actorder", "scale_dtype"))
    weights.ignore(("zp_dtype",))
    weights.done()
