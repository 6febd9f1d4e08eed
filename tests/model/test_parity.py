"""The network against transformers' Mistral4, Mistral, Mistral3 and Pixtral classes, in fp32.

transformers 5.23 multiplies the softmax scale by mscale squared unless told otherwise in its config
(docs/model.md); the configs we write tell it.
"""

import json
from dataclasses import replace

import pytest
import torch
from model_shapes import EYE, dense, latent

from bise.model.checkpoint import load_network
from bise.model.config import (
    ExpertsConfig,
    GroupedAttentionConfig,
    LatentAttentionConfig,
    ModelConfig,
    QueryScaleConfig,
    RopeConfig,
    YarnConfig,
)
from bise.model.experts import Routing
from bise.model.network import Network
from bise.model.sight import PackedRows
from bise.model.write import save_checkpoint

pytestmark = pytest.mark.parity

CLOSE = 5e-6
"""Largest difference, as a share of the largest reference value."""

STRETCHED = RopeConfig(yarn=YarnConfig(factor=128.0, original=32))
CASES = {
    "small4": latent(vision=True),
    "small4-text": latent(rope=STRETCHED, query_scale=QueryScaleConfig(beta=0.1, original=32)),
    "more-nope": latent(dims=(24, 8, 32)),
    "uneven": latent(dims=(8, 24, 20), vision=True),
    "no-growth": latent(query_scale=None, experts=ExpertsConfig(num=16, topk=4, hidden_dim=16)),
    "two-shared": latent(
        dims=(20, 12, 16), experts=ExpertsConfig(num=4, topk=1, hidden_dim=24, num_shared=2)
    ),
    "wide-heads": latent(
        num_heads=2,
        attention=LatentAttentionConfig(q_latent=24, kv_latent=40, nope=16, rope=32, value=8),
    ),
    "small3": dense(vision=True),
    "small3-text": dense(rope=RopeConfig(theta=1e9)),
    "one-kv-head": dense(attention=GroupedAttentionConfig(num_kv_heads=1, head_dim=8)),
    "all-kv-heads": dense(attention=GroupedAttentionConfig(num_kv_heads=4, head_dim=12)),
}


@pytest.fixture(scope="module")
def transformers():
    transformers = pytest.importorskip("transformers")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def official_class(transformers, config: ModelConfig):
    if config.vision is not None:
        return transformers.Mistral3ForConditionalGeneration
    return transformers.Mistral4ForCausalLM if config.is_latent else transformers.MistralForCausalLM


def official(transformers, config: ModelConfig, folder):
    """The official network with the weights of a folder."""
    kind = official_class(transformers, config)
    return kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def prompt(config: ModelConfig, seed: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """200 tokens, past every step of the scales, with three pictures of different sizes."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(14, config.vocab_size, (200,), generator=generator)
    if config.vision is None:
        return ids, []
    sizes = [(56, 84), (28, 112), (84, 56)]
    images = [torch.randn(3, *size, generator=generator) for size in sizes]
    start = 5
    for height, width in sizes:
        count = height * width // 28**2
        ids[start : start + count] = config.image_token
        start += count + 7
    return ids, images


@torch.no_grad()
def official_logits(model, ids: torch.Tensor, images: list[torch.Tensor]) -> torch.Tensor:
    if not images:
        return model(input_ids=ids[None]).logits[0]
    height, width = (max(image.shape[axis] for image in images) for axis in (1, 2))
    padded = torch.zeros(len(images), 3, height, width)
    for row, image in zip(padded, images, strict=True):
        row[:, : image.shape[1], : image.shape[2]] = image
    sizes = torch.tensor([image.shape[1:] for image in images])
    return model(input_ids=ids[None], pixel_values=padded, image_sizes=sizes).logits[0]


@torch.no_grad()
def router_margin(network: Network, ids: torch.Tensor, images: list[torch.Tensor]) -> float:
    """Smallest lead, in probability, of a chosen expert over one that was not."""
    routing = Routing()
    vectors = network.see(images) if images else None
    positions = torch.arange(len(ids))
    network(ids, positions, PackedRows(1, len(ids)), image_vectors=vectors, routing=routing)
    topk = routing.choices[0].shape[1] if routing.choices else 0
    leads = []
    for logits in routing.logits:
        ranked = logits.softmax(-1).sort(-1, descending=True).values
        leads.append(float((ranked[:, topk - 1] - ranked[:, topk]).min()))
    return min(leads, default=1.0)


def decided(fill, config: ModelConfig) -> tuple[Network, torch.Tensor, list[torch.Tensor]]:
    """A network and a prompt on which no router's choice hangs on the last bit."""
    for seed in range(40):
        network = fill(config, seed)
        ids, images = prompt(config, seed)
        if router_margin(network, ids, images) >= 1e-4:
            return network, ids, images
    raise AssertionError("no seed decides every router clearly")


def need_close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    gap = float((ours - theirs).abs().max() / theirs.abs().max())
    assert gap <= CLOSE, f"differs by {gap:.2e} of the largest value"


@pytest.mark.parametrize("name", CASES)
def test_logits_equal_those_of_transformers(name, fill, transformers, tmp_path):
    config = CASES[name]
    network, ids, images = decided(fill, config)
    save_checkpoint(tmp_path, network, config, layout="hf", dtype=torch.float32)
    model = official(transformers, config, tmp_path)
    need_close(network.read(ids, images), official_logits(model, ids, images))


@pytest.mark.parametrize("name", ["small4", "small4-text", "small3", "small3-text"])
def test_a_folder_saved_by_transformers_loads_here(name, fill, transformers, tmp_path):
    config = CASES[name]
    network, ids, images = decided(fill, config)
    save_checkpoint(tmp_path / "ours", network, config, layout="hf", dtype=torch.float32)
    model = official(transformers, config, tmp_path / "ours")
    model.save_pretrained(tmp_path / "theirs")
    loaded = load_network(tmp_path / "theirs", torch.float32)
    assert replace(loaded.config, mlp_dim=config.mlp_dim) == config  # an unused width is added
    for (ours, weight), (theirs, other) in zip(
        network.named_parameters(), loaded.named_parameters(), strict=True
    ):
        assert ours == theirs and torch.equal(weight, other)
    assert torch.equal(loaded.read(ids, images), network.read(ids, images))


def test_the_published_spelling_of_the_scale_makes_transformers_differ(
    fill, transformers, tmp_path
):
    """Shows what the two extra words in our `config.json` are for."""
    config = CASES["small4-text"]
    network, ids, images = decided(fill, config)
    save_checkpoint(tmp_path, network, config, layout="hf", dtype=torch.float32)
    values = json.loads((tmp_path / "config.json").read_text())
    values["rope_parameters"]["mscale_all_dim"] = 1.0
    del values["rope_parameters"]["attention_factor"]
    (tmp_path / "config.json").write_text(json.dumps(values))
    assert load_network(tmp_path, torch.float32).config == config
    theirs = official_logits(official(transformers, config, tmp_path), ids, images)
    ours = network.read(ids)
    assert (ours[0] - theirs[0]).abs().max() < 1e-4
    assert (ours[1:] - theirs[1:]).abs().max() > 0.1


def test_names_as_transformers_has_them_in_memory_load_too(fill, transformers, tmp_path):
    from safetensors.torch import save_file

    config = CASES["small4"]
    network = fill(config)
    save_checkpoint(tmp_path / "ours", network, config, layout="hf", dtype=torch.float32)
    model = official(transformers, config, tmp_path / "ours")
    folder = tmp_path / "memory"
    folder.mkdir()
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    assert "model.language_model.embed_tokens.weight" in tensors
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_bytes((tmp_path / "ours" / "config.json").read_bytes())
    loaded = load_network(folder, torch.float32)
    assert all(
        torch.equal(weight, loaded.get_parameter(name))
        for name, weight in network.named_parameters()
    )


def test_features_of_several_pictures_equal_those_of_transformers(fill, transformers, tmp_path):
    config = latent(vision=True)
    assert config.vision == EYE
    network = fill(config)
    save_checkpoint(tmp_path, network, config, layout="hf", dtype=torch.float32)
    model = official(transformers, config, tmp_path)
    _, images = prompt(config, 0)
    for image in images:
        with torch.no_grad():
            ours = network.see([image])
            theirs = model.model.get_image_features(
                pixel_values=image[None], image_sizes=torch.tensor([image.shape[1:]])
            )
        theirs = theirs if isinstance(theirs, (list, tuple)) else theirs.pooler_output
        need_close(ours, torch.cat(list(theirs)))
