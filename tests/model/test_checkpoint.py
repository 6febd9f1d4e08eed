import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from bise.errors import NotFound, UserError
from bise.model.checkpoint import load_network, open_checkpoint
from bise.model.config import ModelConfig
from bise.model.names import weights
from bise.model.presets import mid
from bise.model.quant import Packed, decode_nvfp4
from bise.model.random_weights import write_random
from bise.model.write import save_checkpoint

EVERY_KIND = [
    ("native", "none"),
    ("native", "fp8"),
    ("native", "nvfp4"),
    ("hf", "none"),
    ("hf", "fp8"),
]


@pytest.mark.parametrize("layout", ["native", "hf"])
@pytest.mark.parametrize("max_shard_bytes", [10**9, 50_000])
def test_a_saved_network_loads_bit_by_bit(config, layout, max_shard_bytes, fill, tmp_path):
    network = fill(config)
    save_checkpoint(
        tmp_path,
        network,
        config,
        layout=layout,
        dtype=torch.float32,
        max_shard_bytes=max_shard_bytes,
    )
    loaded = load_network(tmp_path, torch.float32)
    assert loaded.config == config
    ours, theirs = dict(network.named_parameters()), dict(loaded.named_parameters())
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    ids = torch.arange(40) % config.vocab_size
    ids[ids == config.image_token] = 1
    assert torch.equal(network.read(ids), loaded.read(ids))


def test_a_network_is_saved_as_bf16_by_default_and_loads_as_either(small4, fill, tmp_path):
    network = fill(small4)
    save_checkpoint(tmp_path, network, small4)
    for dtype in (torch.bfloat16, torch.float32):
        loaded = load_network(tmp_path, dtype)
        for name, weight in network.named_parameters():
            found = loaded.get_parameter(name)
            assert found.dtype == dtype
            assert torch.equal(found.float(), weight.bfloat16().float())
    assert not loaded.training


def test_saving_again_replaces_the_older_shards(small4, fill, tmp_path):
    save_checkpoint(tmp_path, fill(small4, 1), small4, max_shard_bytes=50_000)
    network = fill(small4, 2)
    save_checkpoint(tmp_path, network, small4, dtype=torch.float32)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["consolidated.safetensors", "params.json"]
    loaded = load_network(tmp_path, torch.float32)
    assert torch.equal(loaded.norm.weight, network.norm.weight)


def test_the_native_layout_wins_when_both_lie_there(small4, fill, tmp_path):
    save_checkpoint(tmp_path, fill(small4, 1), small4, layout="hf")
    save_checkpoint(tmp_path, fill(small4, 2), small4, layout="native")
    checkpoint = open_checkpoint(tmp_path)
    assert (checkpoint.layout, checkpoint.layouts) == ("native", ("native", "hf"))
    other = open_checkpoint(tmp_path, "hf")
    assert other.layout == "hf"
    assert not torch.equal(checkpoint.tensor("norm.weight"), other.tensor("norm.weight"))


@pytest.mark.parametrize(("layout", "quant"), EVERY_KIND)
def test_every_kind_of_checkpoint_decodes_to_its_definition(layout, quant, small4, tmp_path):
    """Reads the files with the official reader and undoes the quantisation from the formula."""
    write_random(small4, tmp_path, layout=layout, quant=quant)
    stem = {"native": "consolidated", "hf": "model"}[layout]
    files = load_file(tmp_path / f"{stem}.safetensors")
    checkpoint = open_checkpoint(tmp_path)
    assert (checkpoint.layout, checkpoint.quant) == (layout, quant)
    for name, weight in checkpoint.table.items():
        found = checkpoint.tensor(name)
        assert found.shape == weight.shape
        if layout == "native":
            wanted = torch.cat([decode_plain(files, part) for part in weight.parts])
            if name.endswith("gate_up"):
                gate, up = files_of(files, weight.parts[:2])
                torch.testing.assert_close(found[0], torch.cat((gate, up)))
        else:
            wanted = decode_plain(files, weight.hf_name("published"))
            if weight.turned_heads:
                wanted = turned_plain(wanted, weight.turned_heads)
        torch.testing.assert_close(found, wanted.reshape(found.shape), rtol=0, atol=0)


def files_of(files: dict, names: tuple[str, ...]) -> list[torch.Tensor]:
    return [decode_plain(files, name) for name in names]


def decode_plain(files: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    base = name.removesuffix(".weight")
    if f"{base}.weight_packed" in files:
        packed, scale = files[f"{base}.weight_packed"], files[f"{base}.weight_scale"]
        return decode_nvfp4(Packed(packed, scale, files[f"{base}.weight_global_scale"]))
    for scale in (f"{base}.qscale_weight", f"{base}.weight_scale_inv", f"{base}_scale_inv"):
        if scale in files:
            return files[name].float() * files[scale].float()
    return files[name].float()


def turned_plain(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """Row 2i of a head was row i, row 2i + 1 was row i + half. Ref: docs/model.md"""
    made, width = torch.empty_like(rows), len(rows) // heads
    for row in range(len(rows)):
        head, inner = divmod(row, width)
        made[row] = rows[head * width + inner // 2 + inner % 2 * (width // 2)]
    return made


@pytest.mark.parametrize(("layout", "quant"), EVERY_KIND)
def test_what_is_quantised_is_near_what_was_meant(layout, quant, small4, tmp_path):
    write_random(small4, tmp_path / "plain", layout="native", dtype=torch.float32)
    write_random(small4, tmp_path / "other", layout=layout, quant=quant)
    plain, other = open_checkpoint(tmp_path / "plain"), open_checkpoint(tmp_path / "other")
    worst = {"none": 0.005, "fp8": 0.04, "nvfp4": 0.15}[quant]
    for name in plain.table:
        meant, found = plain.tensor(name), other.tensor(name)
        assert float((found - meant).norm() / meant.norm()) < worst, name


def test_layouts_of_random_weights_agree(small4, tmp_path):
    for quant in ("none", "fp8"):
        for layout in ("native", "hf"):
            write_random(small4, tmp_path / quant / layout, layout=layout, quant=quant, seed=3)
        native, hf = (open_checkpoint(tmp_path / quant / one) for one in ("native", "hf"))
        assert all(torch.equal(native.tensor(name), hf.tensor(name)) for name in native.table)


def test_random_weights_have_the_promised_spread_and_seed(small4, tmp_path):
    write_random(small4, tmp_path / "a", seed=0, dtype=torch.float32)
    write_random(small4, tmp_path / "b", seed=1, dtype=torch.float32)
    a, b = (open_checkpoint(tmp_path / one) for one in "ab")
    matrix, norm = a.tensor("blocks.0.mlp.gate_up"), a.tensor("eye.tower.norm.weight")
    assert float(matrix.std()) == pytest.approx(0.02, rel=0.02)
    assert float(norm.mean()) == pytest.approx(1.0, abs=0.05)
    assert float(norm.std()) == pytest.approx(0.05, rel=0.4)
    assert not torch.equal(matrix, b.tensor("blocks.0.mlp.gate_up"))


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


LOADING = """
import resource, sys, torch
torch.set_num_threads(1)
from bise.model.checkpoint import load_network, open_checkpoint
open_checkpoint(sys.argv[1])
torch.ones(64).bfloat16().aminmax(), torch.ones(64, 64) @ torch.ones(64, 64)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
network = load_network(sys.argv[1], getattr(torch, sys.argv[2]))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
held = sum(p.numel() * p.element_size() for p in network.parameters())
print((after - before) * 1024, held)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "quant", "dtype"),
    [
        ("native", "none", "bfloat16"),
        ("hf", "none", "float32"),
        ("hf", "fp8", "bfloat16"),
        ("native", "nvfp4", "float32"),
    ],
)
def test_loading_needs_little_more_than_the_weights(layout, quant, dtype, tmp_path):
    config = big()
    write_random(config, tmp_path, layout=layout, quant=quant)
    ran = subprocess.run(
        [sys.executable, "-c", LOADING, str(tmp_path), dtype],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2] / "src",
    )
    grown, held = map(int, ran.stdout.split())
    largest = max(weight.numel for weight in weights(config)) * 2
    assert held > 150e6
    assert grown - held <= largest + 0.05 * held


def big() -> ModelConfig:
    """About 200 MB in bf16."""
    return replace(mid(), num_layers=3)
