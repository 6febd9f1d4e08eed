import copy
import dataclasses
import math
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_shapes import dense, latent

from bise.errors import UserError
from bise.model.config import ExpertsConfig, QueryScaleConfig, RopeConfig
from bise.model.config_hf import read_hf
from bise.model.config_native import NVFP4, read_native
from bise.model.config_write import write_hf, write_native
from bise.model.presets import small3, small4


@pytest.fixture
def hf(reference) -> dict:
    return reference("config.hf.reference.json")


@pytest.fixture
def native(reference) -> dict:
    return reference("params.native.reference.json")["fp8_repo"]


def test_the_published_configs_describe_small4(hf, native, reference):
    assert read_hf(hf) == (small4(), "fp8")
    assert read_native(native) == (small4(), "fp8")
    packed = reference("params.native.reference.json")["nvfp4_repo"]
    assert read_native(packed) == (small4(), "nvfp4")


@pytest.mark.parametrize("quant", ["none", "fp8", "nvfp4"])
def test_native_configs_survive_writing_and_reading(config, quant):
    assert read_native(write_native(config, quant)) == (config, quant)
    assert read_native(write_native(small3(), quant)) == (small3(), quant)


@pytest.mark.parametrize("quant", ["none", "fp8"])
def test_hf_configs_survive_writing_and_reading(config, quant):
    assert read_hf(write_hf(config, quant)) == (config, quant)
    for shape in (small4(), small3()):
        assert read_hf(write_hf(shape, quant)) == (shape, quant)


def test_what_we_write_for_small4_is_what_was_published(hf, native):
    written = write_native(small4(), "fp8")
    assert written == native
    ours, theirs = write_hf(small4(), "fp8"), hf
    rope = ours["text_config"]["rope_parameters"]
    assert (rope.pop("attention_factor"), rope.pop("mscale_all_dim")) == (1.0, 0.0)
    for field, value in rope.items():
        assert theirs["text_config"]["rope_parameters"][field] == value
    for part in ("text_config", "vision_config"):
        for field, value in ours[part].items():
            assert field == "rope_parameters" or theirs[part][field] == value
    assert ours["quantization_config"] == theirs["quantization_config"]


def changed(values: dict, path: str, value: object) -> dict:
    """A copy with one field set, or taken out if `value` is `...`."""
    made = copy.deepcopy(values)
    *parents, field = path.split(".")
    inner = made
    for name in parents:
        inner = inner[name]
    if value is ...:
        del inner[field]
    else:
        inner[field] = value
    return made


def refused(read: Callable, values: object) -> str:
    with pytest.raises(UserError) as caught:
        read(values)
    assert "\n" not in caught.value.message
    return caught.value.message


JSON_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(), st.text(max_size=3),
    st.just([]), st.just({}), st.just([1]), st.just({"a": 1}),
)  # fmt: skip


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), value=JSON_VALUES)
def test_no_value_of_any_field_does_anything_but_read_or_refuse(hf, native, data, value):
    for read, values in ((read_hf, hf), (read_hf, write_hf(dense())), (read_native, native)):
        paths = [
            f"{k}.{j}" for k, inner in values.items() if isinstance(inner, dict) for j in inner
        ]
        path = data.draw(st.sampled_from([*values, *paths]))
        try:
            read(changed(values, path, value))
        except UserError as error:
            assert "\n" not in error.message


TEXT, ROPE = "text_config.", "text_config.rope_parameters."


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model_type", "llava"),
        (f"{TEXT}model_type", "mistral_large4"),
        (f"{TEXT}head_dim", 96),
        (f"{TEXT}qk_head_dim", 64),
        (f"{TEXT}n_group", 8),
        (f"{TEXT}topk_group", 4),
        (f"{TEXT}norm_topk_prob", False),
        (f"{TEXT}routed_scaling_factor", 2.5),
        (f"{TEXT}first_k_dense_replace", 3),
        (f"{TEXT}rope_interleave", False),
        (f"{TEXT}attention_bias", True),
        (f"{TEXT}attention_bias", 1),
        (f"{TEXT}hidden_act", "gelu"),
        (f"{TEXT}sliding_window", 4096),
        (f"{TEXT}num_key_value_heads", 8),
        (f"{TEXT}tie_word_embeddings", True),
        (f"{TEXT}hidden_size", "4096"),
        (f"{TEXT}hidden_size", 4096.5),
        (f"{TEXT}vocab_size", True),
        (f"{TEXT}rms_norm_eps", 1e-5),
        (f"{TEXT}final_logit_softcapping", 30.0),
        ("tie_word_embeddings", True),
        ("vision_feature_layer", -2),
        ("multimodal_projector_bias", True),
        ("projector_hidden_act", "silu"),
        ("vision_config.hidden_act", "gelu"),
        ("vision_config.head_dim", 128),
        ("vision_config.model_type", "clip_vision_model"),
        ("vision_config.rope_parameters.rope_type", "yarn"),
        (f"{ROPE}rope_type", "linear"),
        (f"{ROPE}mscale", 0.5),
        (f"{ROPE}mscale_all_dim", 0.0),
        (f"{ROPE}attention_factor", 1.4852),
        (f"{ROPE}partial_rotary_factor", 1.0),
        (f"{ROPE}max_position_embeddings", 4096),
        (f"{ROPE}truncate", False),
        (f"{ROPE}low_freq_factor", 4.0),
        ("quantization_config.quant_method", "compressed-tensors"),
        ("quantization_config.activation_scheme", "dynamic"),
        ("quantization_config.weight_block_size", [128, 128]),
    ],
)
def test_an_hf_config_of_another_network_is_refused_by_field(hf, path, value):
    assert f"`{path}`" in refused(read_hf, changed(hf, path, value))


@pytest.mark.parametrize(
    "path", [f"{TEXT}hidden_size", f"{TEXT}kv_lora_rank", f"{ROPE}factor", "vision_config"]
)
def test_a_missing_hf_field_is_named(hf, path):
    assert f"`{path}` is missing" in refused(read_hf, changed(hf, path, ...))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("head_dim", 64),
        ("n_kv_heads", 8),
        ("tied_embeddings", True),
        ("sliding_window", 4096),
        ("yarn.apply_scale", True),
        ("yarn.mscale", 1.0),
        ("moe.route_every_n", 2),
        ("moe.first_k_dense_replace", 3),
        ("moe.num_expert_groups", 8),
        ("moe.routed_scale", 2.5),
        ("moe.expert_parallel", 8),
        ("vision_encoder.adapter_bias", True),
        ("vision_encoder.add_pre_mm_projector_layer_norm", False),
        ("vision_encoder.mm_projector_id", "mlp"),
        ("vision_encoder.max_image_size", 1024),
        ("quantization.qscheme_act", "BLOCK"),
        ("quantization.qformat_weight", "int8"),
        ("dim", None),
        ("attention_chunk", 8192),
    ],
)
def test_a_native_config_of_another_network_is_refused_by_field(native, path, value):
    assert f"`{path}`" in refused(read_native, changed(native, path, value))


def test_a_native_config_must_say_that_magnitudes_are_not_scaled(native):
    assert "`yarn.apply_scale` is missing" in refused(
        read_native, changed(native, "yarn.apply_scale", ...)
    )


def test_two_native_quantisations_contradict_each_other(native):
    both = changed(native, "quantization_config", {"quant_method": "compressed-tensors"})
    assert "both `quantization` and `quantization_config`" in refused(read_native, both)


def test_other_four_bit_formats_are_refused(reference):
    packed = reference("params.native.reference.json")["nvfp4_repo"]
    path = "quantization_config.config_groups.group_0.weights.group_size"
    assert f"`{path}`" in refused(read_native, changed(packed, path, 32))


MODULES_OF_VLLM = {
    "language_model.model.layers.0.self_attn.q_a_proj": False,
    "language_model.model.layers.0.self_attn.q_b_proj": False,
    "language_model.model.layers.0.self_attn.kv_a_proj_with_mqa": False,
    "language_model.model.layers.0.self_attn.kv_b_proj": False,
    "language_model.model.layers.0.self_attn.fused_qkv_a_proj": False,
    "language_model.model.layers.0.self_attn.o_proj": False,
    "language_model.model.layers.0.self_attn.attn": False,
    "language_model.model.layers.0.mlp.gate": False,
    "language_model.model.embed_tokens": False,
    "language_model.lm_head": False,
    "lm_head": False,
    "vision_encoder.transformer.layers.0.attention.wqkv": False,
    "vision_encoder.transformer.layers.0.feed_forward.w13": False,
    "vision_language_adapter.w_in": False,
    "patch_merger.merging_layer": False,
    "language_model.model.layers.0.mlp.experts": True,
    "language_model.model.layers.0.mlp.experts.5.gate_proj": True,
    "language_model.model.layers.0.mlp.experts.5.down_proj": True,
    "language_model.model.layers.0.mlp.shared_experts.gate_proj": True,
    "language_model.model.layers.0.mlp.shared_experts.up_proj": True,
    "language_model.model.layers.0.mlp.shared_experts.gate_up_proj": True,
    "language_model.model.layers.0.mlp.shared_experts.down_proj": True,
}
"""As vLLM 0.32 calls the modules of Small 4, and whether we write them in 4 bits."""


@pytest.mark.parametrize(("module", "is_packed"), MODULES_OF_VLLM.items())
def test_vllm_takes_for_four_bit_what_we_write_in_four_bits(module, is_packed):
    rules = [rule.removeprefix("re:") for rule in NVFP4["ignore"]]
    assert any(re.match(rule, module) for rule in rules) != is_packed


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rope_theta", math.inf),
        ("rope_theta", 1.0),
        ("rope_theta", 10**400),
        ("yarn.beta", 0),
        ("yarn.beta", -1),
        ("yarn.alpha", 0),
        ("yarn.alpha", 1e-320),
        ("llama_4_scaling.beta", math.nan),
        ("dim", 10**12),
        ("dim", 10**30),
        ("vision_encoder.image_token_id", 131_072),
        ("vision_encoder.image_token_id", -1),
    ],
    ids=lambda one: str(one)[:30],
)
def test_a_number_nothing_can_be_computed_with_is_refused(native, path, value):
    assert "expected" in (words := refused(read_native, changed(native, path, value))) or (
        "the vocabulary has 131072 entries" in words
    )


def test_an_eye_that_takes_no_picture_is_refused(native):
    blind = changed(native, "vision_encoder.image_size", 0)
    blind = changed(blind, "vision_encoder.max_image_size", 0)
    assert "`vision.image_size` is 0" in refused(read_native, blind)


def test_latent_fields_without_a_latent_are_refused(native):
    assert "`q_lora_rank`" in refused(read_native, changed(native, "kv_lora_rank", ...))


@pytest.mark.parametrize("read", [read_hf, read_native])
@pytest.mark.parametrize("values", [[], 3, None, "config"])
def test_a_config_that_is_no_object_is_refused(read, values):
    assert "expected an object" in refused(read, values)


def test_both_spellings_of_the_base_scale_are_the_same_config(hf):
    ours = changed(hf, f"{ROPE}mscale_all_dim", 0.0)
    ours = changed(ours, f"{ROPE}attention_factor", 1.0)
    assert read_hf(ours) == read_hf(hf)
    assert read_hf(changed(hf, f"{ROPE}attention_factor", 1.0)) == read_hf(hf)


def test_a_dense_hf_config_must_say_that_it_has_no_sliding_window():
    values = write_hf(dense())
    del values["sliding_window"]
    assert "`sliding_window` is missing" in refused(read_hf, values)


def test_older_dense_configs_have_their_theta_outside():
    values = write_hf(dense())
    values["rope_theta"] = values.pop("rope_parameters")["rope_theta"]
    values |= {"torch_dtype": "bfloat16", "head_dim": None}
    assert read_hf(values)[0] == dataclasses.replace(
        dense(), attention=dataclasses.replace(dense().attention, head_dim=12)
    )


def test_a_native_config_may_call_its_longest_text_differently():
    values = write_native(dense())
    values["max_seq_len"] = values.pop("max_position_embeddings")
    assert read_native(values)[0] == dense()


@pytest.mark.parametrize(
    "shape",
    [
        latent(experts=None, mlp_dim=64),
        latent(experts=ExpertsConfig(num=4, topk=2, hidden_dim=32, num_shared=0)),
        latent(rope=RopeConfig()),
        latent(norm_eps=1e-5),
        latent(query_scale=QueryScaleConfig(beta=0.1, original=64)),
        dense(query_scale=QueryScaleConfig()),
        dense(experts=ExpertsConfig(num=4, topk=2, hidden_dim=32)),
    ],
)
def test_what_hf_cannot_say_is_refused_and_the_native_file_says_it(shape):
    assert "`config.json` cannot say" in refused(write_hf, shape)
    assert read_native(write_native(shape)) == (shape, "none")


def test_the_mscale_switch_is_never_written():
    rope = dataclasses.replace(latent().rope, softmax_mscale=True)
    shape = latent(rope=rope)
    for write in (write_hf, write_native):
        assert "softmax_mscale" in refused(write, shape)


def test_an_eye_with_other_epsilons_is_not_written(small4):
    assert small4.vision is not None
    for field in ("norm_eps", "projector_norm_eps"):
        eye = dataclasses.replace(small4.vision, **{field: 1e-4})
        for write in (write_hf, write_native):
            assert field in refused(write, dataclasses.replace(small4, vision=eye))


@pytest.mark.parametrize(
    ("shape", "num_layers"), [(dense(), 2**18), (small4(), 2**11), (small4().vision, 2**18)]
)
def test_layers_without_end_are_refused_before_they_are_listed(shape, num_layers):
    with pytest.raises(UserError, match="expected at most 131,072"):
        dataclasses.replace(shape, num_layers=num_layers)
