"""Numbers computed by somebody else: closed forms, and transformers on tiny hash-made weights."""

import dataclasses

import numpy as np
import pytest
import torch

from bise.model.checkpoint import empty_network, place
from bise.model.config import (
    ExpertsConfig,
    LatentAttentionConfig,
    ModelConfig,
    QueryScaleConfig,
    RopeConfig,
    VisionConfig,
    YarnConfig,
)
from bise.model.names import pairs_together, weights
from bise.model.network import Network
from bise.model.presets import small4
from bise.model.rotation import frequencies, query_scale, softmax_scale


@pytest.fixture(scope="module")
def goldens(reference):
    return reference("goldens.json")


def hashed(count: int, t: int) -> torch.Tensor:
    """The `u(t, k)` of the golden file, for k below `count`."""
    h = np.arange(count, dtype=np.uint64) + np.uint64(t * 0x9E3779B1)
    h &= np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        h ^= h >> np.uint64(shift)
        h = (h * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    h ^= h >> np.uint64(16)
    return torch.from_numpy((2.0 * h.astype(np.float64) / 2**32 - 1.0).astype(np.float32))


def hashed_weights(listing: dict, spread: float) -> dict[str, torch.Tensor]:
    made = {}
    for name, (t, shape) in listing.items():
        values = hashed(torch.Size(shape).numel(), t).view(shape)
        made[name] = 1.0 + 0.2 * values if len(shape) == 1 else spread * values
    return made


def golden_network(config: ModelConfig, tensors: dict, spelling: str, only: str = "") -> Network:
    network = empty_network(config)
    for weight in weights(config):
        if not weight.name.startswith(only):
            continue
        values = tensors[weight.hf_name(spelling)].flatten(1 if "patch.w" in weight.name else 0, -1)
        if weight.turned_heads:
            values = pairs_together(values.view(weight.shape), weight.turned_heads)
        place(network, weight.name, values.view(weight.shape))
    return network


def tiny_text(golden: dict, **rope: bool) -> ModelConfig:
    c = golden["config"]
    original = c["yarn_original_max_position_embeddings"]
    return ModelConfig(
        dim=c["hidden_size"],
        num_layers=c["num_hidden_layers"],
        num_heads=c["num_attention_heads"],
        attention=LatentAttentionConfig(
            q_latent=c["q_lora_rank"],
            kv_latent=c["kv_lora_rank"],
            nope=c["qk_nope_head_dim"],
            rope=c["qk_rope_head_dim"],
            value=c["v_head_dim"],
        ),
        vocab_size=c["vocab_size"],
        experts=ExpertsConfig(
            num=c["n_routed_experts"],
            topk=c["num_experts_per_tok"],
            hidden_dim=c["moe_intermediate_size"],
        ),
        rope=RopeConfig(
            theta=c["rope_theta"],
            yarn=YarnConfig(factor=c["yarn_factor"], original=original),
            **rope,
        ),
        query_scale=QueryScaleConfig(beta=c["llama4_beta"], original=original),
    )


def test_frequencies_are_the_golden_ones_at_full_size_and_tiny(goldens):
    full = frequencies(small4().rope, 64)
    assert full.tolist() == pytest.approx(goldens["rope"]["inv_freq"], rel=1e-12)
    tiny = goldens["rope"]["tiny_inv_freq"]
    rope = RopeConfig(yarn=YarnConfig(factor=tiny["factor"], original=tiny["original"]))
    assert frequencies(rope, tiny["dim"]).tolist() == pytest.approx(tiny["inv_freq"], rel=1e-12)


def test_the_softmax_scale_is_not_corrected(goldens):
    assert softmax_scale(small4()) == pytest.approx(goldens["softmax_scale"]["correct"], rel=1e-15)


def test_the_query_scale_steps_where_the_golden_one_does(goldens):
    golden = goldens["llama4_query_scale"]
    config = small4().query_scale
    assert config is not None
    found = query_scale(config, torch.tensor([int(position) for position in golden]))
    assert found.tolist() == pytest.approx(list(golden.values()), rel=1e-6)


def compare(golden: dict, block: str, **rope: bool) -> tuple[float, float, bool]:
    """Largest difference at position 0 and at all others, and whether the same tokens win."""
    tensors = hashed_weights(golden["parameter_index_and_shape"], 0.35)
    network = golden_network(tiny_text(golden, **rope), tensors, "text")
    logits = network.read(torch.tensor(golden["input_ids"]))
    wanted = dict(golden["logits_first8_at_position"][block])
    same = logits.argmax(-1).tolist() == wanted.pop("argmax")
    gaps = {
        position: float((logits[int(position), :8] - torch.tensor(values)).abs().max())
        for position, values in wanted.items()
    }
    return gaps["0"], max(gap for position, gap in gaps.items() if position != "0"), same


def test_tiny_text_logits_are_the_golden_ones_with_the_base_scale(goldens):
    golden = goldens["tiny_text"]
    first, later, same = compare(golden, "base_scale")
    assert max(first, later) < 1e-4 and same
    first, later, same = compare(golden, "with_mscale_squared")
    assert first < 1e-4 and later > 0.1 and not same  # one key alone is seen with any scale


def test_the_mscale_switch_gives_the_other_golden_logits(goldens):
    golden = goldens["tiny_text"]
    first, later, same = compare(golden, "with_mscale_squared", softmax_mscale=True)
    assert max(first, later) < 1e-4 and same


def test_tiny_vision_features_are_the_golden_ones(goldens):
    golden = goldens["tiny_vision"]
    c = golden["config"]
    eye = VisionConfig(
        dim=c["vision_hidden"],
        num_layers=c["vision_layers"],
        num_heads=c["vision_heads"],
        mlp_dim=c["vision_intermediate"],
        merge=c["spatial_merge"],
        norm_eps=c["vision_norm_eps"],
        projector_norm_eps=c["projector_norm_eps"],
    )
    config = dataclasses.replace(tiny_text(goldens["tiny_text"]), vision=eye)
    tensors = hashed_weights(golden["parameter_index_and_shape"], 0.25)
    network = golden_network(config, tensors, "published", only="eye.")
    images = [
        hashed(torch.Size(image["chw"]).numel(), 1000 + number).view(image["chw"])
        for number, image in enumerate(golden["images"])
    ]
    with torch.no_grad():
        found = network.see(images)
    first, second = golden["first_image_tokens_first8"], golden["second_image_tokens_first8"]
    wanted = torch.tensor([*first.values(), *second.values()])
    assert found.shape == (len(wanted), 48)
    torch.testing.assert_close(found[:, :8], wanted, atol=1e-5, rtol=0)
