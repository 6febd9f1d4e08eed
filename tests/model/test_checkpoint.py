import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

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
