"""Every fault of a folder is one line that names what is wrong."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from bise.errors import NotFound, UserError
from bise.model.checkpoint import load_network, open_checkpoint
from bise.model.packed import PackedNetwork
from bise.model.packed_source import FromCheckpoint
from bise.model.random_weights import write_random
from bise.model.write import save_checkpoint


def refused(folder: Path, **options) -> str:
    with pytest.raises(UserError) as caught:
        load_network(folder, **options)
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.fixture
def folder(small4, tmp_path) -> Path:
    return write_random(small4, tmp_path / "model", quant="fp8")


def edit(folder: Path, change) -> None:
    """Rewrite the weights of a folder after `change` had a go at them."""
    path = folder / "consolidated.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def test_missing_tensors_are_named(folder):
    def change(tensors):
        del tensors["layers.1.attention.wo.weight"], tensors["norm.weight"]

    edit(folder, change)
    assert "lacks tensor `norm.weight` and 1 more" in refused(folder)


def test_surplus_tensors_are_named(folder):
    edit(folder, lambda tensors: tensors.update({"layers.9.wq.weight": torch.zeros(1)}))
    assert "unknown tensor `layers.9.wq.weight`" in refused(folder)


def test_misshapen_tensors_are_named(folder):
    edit(folder, lambda tensors: tensors.update({"norm.weight": torch.zeros(65)}))
    assert "`norm.weight`" in refused(folder) and "[65], expected [64]" in refused(folder)


def test_tensors_of_another_type_are_named(folder):
    def change(tensors):
        tensors["layers.0.attention.wo.weight"] = tensors["layers.0.attention.wo.weight"].float()

    edit(folder, change)
    message = refused(folder)
    assert "`layers.0.attention.wo.weight`" in message and "is F32, expected `F8_E4M3`" in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("norm.weight", float("nan")),
        ("tok_embeddings.weight", float("inf")),
        ("layers.0.experts.3.w3.weight", float("nan")),
    ],
)
def test_a_number_that_is_not_finite_is_found_when_read(name, value, folder):
    def change(tensors):
        wide = tensors[name].float()
        wide.view(-1)[-1] = value
        tensors[name] = wide.to(tensors[name].dtype)

    edit(folder, change)
    open_checkpoint(folder)  # headers say nothing of it
    for dtype in (torch.bfloat16, torch.float32):
        assert f"tensor `{name}`" in refused(folder, dtype=dtype)
        assert "not finite" in refused(folder, dtype=dtype)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_a_scale_that_cannot_be_is_refused(value, folder):
    name = "layers.2.experts.7.w1.qscale_weight"
    edit(folder, lambda tensors: tensors.update({name: torch.tensor(value)}))
    assert "scale of `layers.2.experts.7.w1.weight` is" in refused(folder)


def test_scales_may_have_a_dimension_and_another_type(folder):
    before = open_checkpoint(folder).tensor("blocks.0.mlp.down")

    def change(tensors):
        for name in list(tensors):
            if "qscale" in name:
                tensors[name] = tensors[name].float().reshape(1)

    edit(folder, change)
    assert torch.equal(open_checkpoint(folder).tensor("blocks.0.mlp.down"), before)


def test_scales_of_a_quantised_cache_are_accepted(folder):
    name = "layers.0.attention.k_fake_quantizer.qscale_act"
    edit(folder, lambda tensors: tensors.update({name: torch.ones(1)}))
    open_checkpoint(folder)


def test_weights_without_the_quantisation_their_config_states_are_refused(folder, small4, tmp_path):
    write_random(small4, tmp_path / "plain")
    plain = (tmp_path / "plain" / "params.json").read_text()
    (folder / "params.json").write_text(plain)
    assert "qscale" in refused(folder)


def test_a_config_of_another_size_is_refused(folder):
    values = json.loads((folder / "params.json").read_text())
    (folder / "params.json").write_text(json.dumps(values | {"n_layers": 4}))
    assert "lacks tensor `layers.3.attention_norm.weight`" in refused(folder)


def test_a_config_of_too_many_brackets_is_refused(folder):
    (folder / "params.json").write_bytes(b"[" * 200_000)
    assert "is no JSON" in refused(folder)


def test_pickles_are_never_opened(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    for name in ("pytorch_model.bin", "consolidated.00.pth"):
        (tmp_path / name).write_bytes(b"cos\nsystem\n(S'false'\ntR.")
        assert "never opened" in refused(tmp_path)


def test_folders_without_a_model_say_what_they_lack(tmp_path, folder):
    with pytest.raises(NotFound, match="there is no folder"):
        load_network(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(NotFound, match="has no weights"):
        load_network(empty)
    assert "no weights in the `hf` layout" in refused(folder, layout="hf")
    (folder / "params.json").write_text("{")
    assert "is no JSON" in refused(folder)
    (folder / "params.json").unlink()
    assert "has weights but no `params.json`" in refused(folder)


def test_an_hf_folder_without_an_embedding_is_refused(small4, tmp_path):
    write_random(small4, tmp_path, layout="hf")
    tensors = load_file(tmp_path / "model.safetensors")
    renamed = {f"odd.{name}": tensor for name, tensor in tensors.items()}
    save_file(renamed, tmp_path / "model.safetensors")
    assert "has no embedding" in refused(tmp_path)


def test_a_name_that_is_no_weight_is_refused(folder):
    with pytest.raises(UserError, match=r"`blocks.0.nothing` is no weight"):
        open_checkpoint(folder).tensor("blocks.0.nothing")


def test_weights_that_are_not_finite_are_not_saved(small4, fill, tmp_path):
    network = fill(small4)
    with torch.no_grad():
        network.head.weight[3, 3] = float("nan")
    with pytest.raises(UserError, match=r"`head.weight` has a number that is not finite"):
        save_checkpoint(tmp_path, network, small4)


def test_nvfp4_is_for_experts_in_native_files(small4, config, fill, tmp_path):
    with pytest.raises(UserError, match="native files only"):
        save_checkpoint(tmp_path, fill(small4), small4, layout="hf", quant="nvfp4")
    if config.experts is None:
        with pytest.raises(UserError, match="this network has none"):
            save_checkpoint(tmp_path, fill(config), config, quant="nvfp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_divisor_that_cannot_be_is_refused(value, small4, tmp_path):
    folder = write_random(small4, tmp_path / "model", quant="nvfp4")
    name = "layers.2.experts.7.w1.weight_global_scale"
    edit(folder, lambda tensors: tensors.update({name: torch.tensor([value])}))
    assert "the divisor of `layers.2.experts.7.w1.weight` is" in refused(folder)
    with pytest.raises(UserError, match="divisor of"):
        PackedNetwork(FromCheckpoint(open_checkpoint(folder)))


@pytest.mark.parametrize("code", [0x7F, 0xFF])
def test_a_group_of_weights_whose_scale_is_no_number_is_refused(code, small4, tmp_path):
    folder = write_random(small4, tmp_path / "model", quant="nvfp4")
    name = "layers.2.experts.7.w2.weight_scale"

    def change(tensors):
        tensors[name].view(torch.uint8).view(-1)[-1] = code

    edit(folder, change)
    with pytest.raises(UserError, match=r"experts.7.w2.weight. .* not finite"):
        PackedNetwork(FromCheckpoint(open_checkpoint(folder)))
