"""The official config files, written: `params.json` and `config.json` for one of our shapes.

What a format cannot say is refused, so that a file never describes another network than ours.
"""

from typing import Any

from bise.errors import UserError
from bise.model.config import (
    ExpertsConfig,
    GroupedAttentionConfig,
    LatentAttentionConfig,
    ModelConfig,
    VisionConfig,
)
from bise.model.config_hf import FILE, FP8, LATENT_NORM_EPS
from bise.model.config_native import NVFP4
from bise.model.stored import Quant


def write_native(config: ModelConfig, quant: Quant = "none") -> dict[str, Any]:
    """The file for this shape; refuses what the format cannot say."""
    if config.rope.softmax_mscale:
        raise UserError(
            "`rope.softmax_mscale` is on, which `params.json` cannot say",
            hint="it is for comparisons only; switch it off before writing",
        )
    values: dict[str, Any] = {
        "dim": config.dim,
        "n_layers": config.num_layers,
        "n_heads": config.num_heads,
        **_written_attention(config),
        "rope_theta": config.rope.theta,
        "norm_eps": config.norm_eps,
        "vocab_size": config.vocab_size,
        "tied_embeddings": False,
        "max_position_embeddings": config.max_positions,
    }
    if config.mlp_dim is not None:
        values["hidden_dim"] = config.mlp_dim
    if config.query_scale is not None:
        values["llama_4_scaling"] = {
            "original_max_position_embeddings": config.query_scale.original,
            "beta": config.query_scale.beta,
        }
    if (yarn := config.rope.yarn) is not None:
        values["yarn"] = {
            "original_max_position_embeddings": yarn.original,
            "factor": yarn.factor,
            "apply_scale": False,
            "beta": yarn.beta_fast,
            "alpha": yarn.beta_slow,
        }
    if (experts := config.experts) is not None:
        values["moe"] = _written_experts(experts)
    if config.vision is not None:
        values["vision_encoder"] = _written_vision(config, config.vision)
    if quant == "fp8":
        values["quantization"] = {"qformat_weight": "fp8_e4m3", "qscheme_act": "TENSOR"}
    if quant == "nvfp4":
        values["quantization_config"] = NVFP4
    return values


def _written_attention(config: ModelConfig) -> dict[str, Any]:
    shape = config.attention
    if isinstance(shape, GroupedAttentionConfig):
        return {"n_kv_heads": shape.num_kv_heads, "head_dim": shape.head_dim}
    return {
        "n_kv_heads": config.num_heads,
        "head_dim": shape.head_dim,
        "q_lora_rank": shape.q_latent,
        "kv_lora_rank": shape.kv_latent,
        "qk_nope_head_dim": shape.nope,
        "qk_rope_head_dim": shape.rope,
        "v_head_dim": shape.value,
    }


def _written_experts(experts: ExpertsConfig) -> dict[str, Any]:
    return {
        "expert_parallel": 1,
        "expert_model_parallel": 1,
        "route_every_n": 1,
        "first_k_dense_replace": 0,
        "num_experts": experts.num,
        "num_experts_per_tok": experts.topk,
        "num_expert_groups": 1,
        "num_expert_groups_per_tok": 1,
        "routed_scale": 1.0,
        "expert_hidden_dim": experts.hidden_dim,
        "num_shared_experts": experts.num_shared,
    }


def _written_vision(config: ModelConfig, vision: VisionConfig) -> dict[str, Any]:
    need_usual_eps(config, vision)
    return {
        "image_token_id": config.image_token,
        "image_break_token_id": config.image_break_token,
        "image_end_token_id": config.image_end_token,
        "hidden_size": vision.dim,
        "intermediate_size": vision.mlp_dim,
        "num_hidden_layers": vision.num_layers,
        "num_attention_heads": vision.num_heads,
        "num_channels": vision.num_channels,
        "patch_size": vision.patch,
        "image_size": vision.image_size,
        "max_image_size": vision.image_size,
        "rope_theta": vision.theta,
        "spatial_merge_size": vision.merge,
        "mm_projector_id": "patch_merge",
        "add_pre_mm_projector_layer_norm": True,
        "adapter_bias": False,
    }


def need_usual_eps(config: ModelConfig, vision: VisionConfig) -> None:
    """Neither file format can say what the eye adds under its square roots: it is fixed."""
    if vision.norm_eps != 1e-5:
        raise UserError(f"`vision.norm_eps` is {vision.norm_eps}, the file formats fix it at 1e-05")
    if vision.projector_norm_eps != config.norm_eps:
        raise UserError(
            f"`vision.projector_norm_eps` is {vision.projector_norm_eps}, the file formats take"
            f" `norm_eps`, which is {config.norm_eps}"
        )


def write_hf(config: ModelConfig, quant: Quant = "none") -> dict[str, Any]:
    """The file for this shape; refuses what the format cannot say."""
    text = _written_text(config)
    quantised = {"quantization_config": FP8} if quant == "fp8" else {}
    if config.vision is None:
        name = "Mistral4ForCausalLM" if config.is_latent else "MistralForCausalLM"
        return {"architectures": [name], "dtype": "bfloat16", **text, **quantised}
    vision = config.vision
    need_usual_eps(config, vision)
    return {
        "architectures": ["Mistral3ForConditionalGeneration"],
        "model_type": "mistral3",
        "dtype": "bfloat16",
        "image_token_index": config.image_token,
        "multimodal_projector_bias": False,
        "projector_hidden_act": "gelu",
        "spatial_merge_size": vision.merge,
        "vision_feature_layer": -1,
        "tie_word_embeddings": False,
        "text_config": text,
        "vision_config": {
            "model_type": "pixtral",
            "hidden_size": vision.dim,
            "intermediate_size": vision.mlp_dim,
            "num_hidden_layers": vision.num_layers,
            "num_attention_heads": vision.num_heads,
            "head_dim": vision.head_dim,
            "num_channels": vision.num_channels,
            "patch_size": vision.patch,
            "image_size": vision.image_size,
            "hidden_act": "silu",
            "rope_parameters": {"rope_theta": vision.theta, "rope_type": "axial"},
        },
        **quantised,
    }


def _written_text(config: ModelConfig) -> dict[str, Any]:
    values: dict[str, Any] = {
        "vocab_size": config.vocab_size,
        "hidden_size": config.dim,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "rms_norm_eps": config.norm_eps,
        "max_position_embeddings": config.max_positions,
        "hidden_act": "silu",
        "sliding_window": None,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 11,
    }
    if config.mlp_dim is not None:
        values["intermediate_size"] = config.mlp_dim
    if config.rope.softmax_mscale:
        raise _unsayable("`rope.softmax_mscale`", "it is for comparisons only")
    if isinstance(config.attention, LatentAttentionConfig):
        return values | _written_latent(config, config.attention)
    return values | _written_grouped(config, config.attention)


def _written_grouped(config: ModelConfig, shape: GroupedAttentionConfig) -> dict[str, Any]:
    if config.experts or config.rope.yarn or config.query_scale:
        raise _unsayable("grouped attention with experts, YaRN or a query scale")
    return {
        "model_type": "mistral",
        "num_key_value_heads": shape.num_kv_heads,
        "head_dim": shape.head_dim,
        "rope_parameters": {"rope_theta": config.rope.theta, "rope_type": "default"},
    }


def _written_latent(config: ModelConfig, shape: LatentAttentionConfig) -> dict[str, Any]:
    experts, yarn, grow = config.experts, config.rope.yarn, config.query_scale
    if experts is None or not experts.num_shared or yarn is None:
        raise _unsayable("latent attention without experts, a shared expert or YaRN")
    if config.norm_eps != LATENT_NORM_EPS:
        raise _unsayable(f"latent attention with a `norm_eps` of {config.norm_eps}")
    if grow is not None and grow.original != yarn.original:
        raise _unsayable("a query scale whose steps differ from YaRN's original length")
    fraction = shape.rope / shape.head_dim
    if int(fraction * shape.head_dim) != shape.rope:  # readers cut, so stay above
        fraction = (shape.rope + 0.25) / shape.head_dim
    return {
        "model_type": "mistral4",
        "num_key_value_heads": config.num_heads,
        "head_dim": shape.head_dim,
        "qk_head_dim": shape.head_dim,
        "q_lora_rank": shape.q_latent,
        "kv_lora_rank": shape.kv_latent,
        "qk_nope_head_dim": shape.nope,
        "qk_rope_head_dim": shape.rope,
        "v_head_dim": shape.value,
        "n_routed_experts": experts.num,
        "num_experts_per_tok": experts.topk,
        "moe_intermediate_size": experts.hidden_dim,
        "n_shared_experts": experts.num_shared,
        "n_group": 1,
        "topk_group": 1,
        "norm_topk_prob": True,
        "routed_scaling_factor": 1.0,
        "first_k_dense_replace": 0,
        "attention_bias": False,
        "rope_interleave": True,
        "rope_parameters": {
            "type": "yarn",
            "rope_type": "yarn",
            "rope_theta": config.rope.theta,
            "factor": yarn.factor,
            "original_max_position_embeddings": yarn.original,
            "max_position_embeddings": config.max_positions,
            "beta_fast": yarn.beta_fast,
            "beta_slow": yarn.beta_slow,
            "mscale": 1.0,
            "mscale_all_dim": 0.0,
            "attention_factor": 1.0,
            "llama_4_scaling_beta": grow.beta if grow is not None else 0.0,
            "partial_rotary_factor": fraction,
        },
    }


def _unsayable(what: str, why: str = "") -> UserError:
    return UserError(f"`{FILE}` cannot say {what}", hint=why or "write the native layout instead")
