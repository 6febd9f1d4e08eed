import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from bise.errors import UserError
from bise.model.checkpoint import load_network, open_checkpoint
from bise.model.convert import STATE, convert
from bise.model.presets import mid
from bise.model.random_weights import write_random

SOURCE = Path(__file__).parents[2] / "src"


def tensors_of(folder: Path) -> dict[str, bytes]:
    """Every tensor of a folder by its file name: type, shape and bytes."""
    found = {}
    for path in folder.glob("*.safetensors"):
        for name, tensor in load_file(path).items():
            raw = tensor.contiguous().view(-1).view(torch.uint8).numpy().tobytes()
            found[name] = (tensor.dtype, tuple(tensor.shape), raw)
    return found


@pytest.mark.parametrize("quant", ["none", "fp8"])
@pytest.mark.parametrize("start", ["native", "hf"])
def test_there_and_back_again_changes_no_byte(start, quant, config, tmp_path):
    other = {"native": "hf", "hf": "native"}[start]
    write_random(config, tmp_path / "a", layout=start, quant=quant, max_shard_bytes=60_000)
    convert(tmp_path / "a", tmp_path / "b", to=other, quant=quant)
    convert(tmp_path / "b", tmp_path / "c", to=start, quant=quant, max_shard_bytes=90_000)
    assert tensors_of(tmp_path / "a") == tensors_of(tmp_path / "c")
    assert open_checkpoint(tmp_path / "c").config == config
    write_random(config, tmp_path / "d", layout=other, quant=quant)
    assert tensors_of(tmp_path / "b") == tensors_of(tmp_path / "d")


def test_the_converted_network_says_the_same(config, tmp_path):
    write_random(config, tmp_path / "a")
    convert(tmp_path / "a", tmp_path / "b", to="hf")
    ids = torch.arange(14, 54)
    assert torch.equal(
        load_network(tmp_path / "a").read(ids), load_network(tmp_path / "b").read(ids)
    )


@pytest.mark.parametrize("quant", ["fp8", "nvfp4"])
def test_quantised_weights_become_bf16_of_the_same_value(quant, small4, tmp_path):
    write_random(small4, tmp_path / "a", quant=quant)
    for layout in ("native", "hf"):
        convert(tmp_path / "a", tmp_path / layout, to=layout)
        made, given = open_checkpoint(tmp_path / layout), open_checkpoint(tmp_path / "a")
        assert made.quant == "none"
        for name in given.table:
            assert torch.equal(made.tensor(name), given.tensor(name).bfloat16().float())
        assert not (tmp_path / layout / "bise.json").exists()


def test_fp8_of_the_unquantised_is_what_random_fp8_writes(small4, tmp_path):
    write_random(small4, tmp_path / "a")
    write_random(small4, tmp_path / "b", quant="fp8")
    convert(tmp_path / "a", tmp_path / "c", to="native", quant="fp8")
    assert tensors_of(tmp_path / "b") == tensors_of(tmp_path / "c")
    label = json.loads((tmp_path / "c" / "bise.json").read_text())
    assert label["activation_scales"] == "weight-only"


def test_halves_with_scales_of_their_own_are_brought_to_the_larger(small4, tmp_path):
    write_random(small4, tmp_path / "a", quant="fp8")
    path = tmp_path / "a" / "consolidated.safetensors"
    tensors = load_file(path)
    base = "layers.0.experts.0"
    tensors[f"{base}.w3.qscale_weight"] = tensors[f"{base}.w3.qscale_weight"] * 4
    tensors[f"{base}.w1.qscale_act"] = torch.tensor(3.0).bfloat16()
    save_file(tensors, path)
    convert(tmp_path / "a", tmp_path / "b", to="hf", quant="fp8")
    made = load_file(tmp_path / "b" / "model.safetensors")
    stem = "language_model.model.layers.0.mlp.experts.gate_up_proj"
    assert made[f"{stem}_scale_inv"][0] == tensors[f"{base}.w3.qscale_weight"]
    assert made[f"{stem}_activation_scale"][:2].tolist() == [3.0, 1.0]
    before = open_checkpoint(tmp_path / "a").tensor("blocks.0.mlp.gate_up")
    after = open_checkpoint(tmp_path / "b").tensor("blocks.0.mlp.gate_up")
    assert torch.equal(before[1:], after[1:])
    width = before.shape[1] // 2
    assert torch.equal(before[0, width:], after[0, width:])
    torch.testing.assert_close(before[0, :width], after[0, :width], rtol=0.07, atol=2e-4)


def test_gate_and_up_of_nvfp4_share_the_divisor_of_the_larger(small4, tmp_path):
    write_random(small4, tmp_path / "a")
    path = tmp_path / "a" / "consolidated.safetensors"
    tensors = load_file(path)
    for base in ("layers.0.experts.1", "layers.0.shared_experts"):
        tensors[f"{base}.w1.weight"] *= 3
    for base in ("layers.0.experts.2", "layers.1.shared_experts"):
        tensors[f"{base}.w3.weight"] *= 3
    save_file(tensors, path)
    convert(tmp_path / "a", tmp_path / "b", to="native", quant="nvfp4")
    made = load_file(tmp_path / "b" / "consolidated.safetensors")
    gates = [name for name in made if name.endswith(".w1.weight_global_scale")]
    assert gates
    for name in gates:
        gate, up = (name.removesuffix("1.weight_global_scale") + half for half in "13")
        largest = max(tensors[f"{half}.weight"].abs().max() for half in (gate, up))
        assert made[f"{gate}.weight_global_scale"] == 448 * 6 / largest.float()
        assert made[f"{up}.weight_global_scale"] == made[f"{gate}.weight_global_scale"]
    before, after = open_checkpoint(tmp_path / "a"), open_checkpoint(tmp_path / "b")
    for name in ("blocks.0.mlp.gate_up", "blocks.1.mlp.shared.gate.weight"):
        there, here = before.tensor(name), after.tensor(name)
        assert (there - here).norm() < 0.15 * there.norm()


def test_source_activation_scales_are_kept(small4, tmp_path):
    write_random(small4, tmp_path / "a", quant="fp8")
    path = tmp_path / "a" / "consolidated.safetensors"
    tensors = load_file(path)
    tensors["layers.1.attention.wo.qscale_act"] = torch.tensor(0.25)
    (tmp_path / "a" / "bise.json").unlink()
    save_file(tensors, path)
    convert(tmp_path / "a", tmp_path / "b", to="hf", quant="fp8")
    made = load_file(tmp_path / "b" / "model.safetensors")
    name = "language_model.model.layers.1.self_attn.o_proj.activation_scale"
    assert float(made[name]) == 0.25
    label = json.loads((tmp_path / "b" / "bise.json").read_text())
    assert label["activation_scales"] == "source"


def test_a_source_without_activation_scales_is_weight_only(small4, tmp_path):
    write_random(small4, tmp_path / "a", quant="fp8")
    path = tmp_path / "a" / "consolidated.safetensors"
    (tmp_path / "a" / "bise.json").unlink()
    save_file({k: v for k, v in load_file(path).items() if not k.endswith("qscale_act")}, path)
    convert(tmp_path / "a", tmp_path / "b", to="hf", quant="fp8")
    write_random(small4, tmp_path / "c", layout="hf", quant="fp8")
    assert tensors_of(tmp_path / "b") == tensors_of(tmp_path / "c")
    label = json.loads((tmp_path / "b" / "bise.json").read_text())
    assert label["activation_scales"] == "weight-only"


def test_nvfp4_can_be_made_but_not_made_again(small4, tmp_path):
    write_random(small4, tmp_path / "a")
    convert(tmp_path / "a", tmp_path / "b", to="native", quant="nvfp4")
    write_random(small4, tmp_path / "c", quant="nvfp4")
    assert tensors_of(tmp_path / "b") == tensors_of(tmp_path / "c")
    with pytest.raises(UserError, match="is NVFP4 already"):
        convert(tmp_path / "b", tmp_path / "d", to="native", quant="nvfp4")
    with pytest.raises(UserError, match="only `fp8` has activation scales"):
        convert(tmp_path / "a", tmp_path / "d", to="hf", calibration=[torch.arange(14, 20)])


def test_the_note_on_one_layout_outlives_the_other(small4, tmp_path):
    write_random(small4, tmp_path, quant="fp8")
    note = tmp_path / "bise.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"made_by": "us"}))
    convert(tmp_path, tmp_path, to="hf")
    assert json.loads(note.read_text())["activation_scales"] == "weight-only"
    for path in (*tmp_path.glob("model*"), tmp_path / "config.json"):
        path.unlink()
    write_random(small4, tmp_path)
    assert json.loads(note.read_text()) == {"made_by": "us"}


def test_measured_activation_scales_are_written_and_labelled(small4, tmp_path):
    write_random(small4, tmp_path / "a")
    texts = [torch.arange(14, 60), torch.arange(60, 120)]
    convert(tmp_path / "a", tmp_path / "b", to="native", quant="fp8", calibration=texts)
    made = load_file(tmp_path / "b" / "consolidated.safetensors")
    scales = [float(t) for name, t in made.items() if name.endswith("qscale_act")]
    assert all(0 < scale < 1 for scale in scales)
    label = json.loads((tmp_path / "b" / "bise.json").read_text())
    assert label["activation_scales"] == "calibrated"


class Killed(Exception):
    pass


def killed_after(count: int):
    """A progress callback that dies after some shards."""
    calls = []

    def progress(done: int, total: int) -> None:
        assert 0 < done <= total
        calls.append(done)
        if len(calls) == count:
            raise Killed

    return progress


def start_and_kill(source: Path, target: Path, count: int = 2) -> None:
    with pytest.raises(Killed):
        convert(source, target, to="hf", max_shard_bytes=60_000, progress=killed_after(count))


def test_a_killed_conversion_goes_on_where_it_stopped(small4, tmp_path):
    write_random(small4, tmp_path / "a")
    start_and_kill(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / "model-00003-of-00009.safetensors.partial").write_bytes(b"half a shard")
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "b").glob("*.safetensors")}
    done = convert(tmp_path / "a", tmp_path / "b", to="hf", max_shard_bytes=60_000)
    assert done.num_kept == len(kept) == 2 and done.num_written > 2
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())
    convert(tmp_path / "a", tmp_path / "c", to="hf", max_shard_bytes=60_000)
    assert tensors_of(tmp_path / "b") == tensors_of(tmp_path / "c")
    assert not (tmp_path / "b" / STATE).exists()
    assert not list((tmp_path / "b").glob("*.partial"))


def test_a_finished_shard_that_changed_is_written_again(small4, tmp_path):
    write_random(small4, tmp_path / "a")
    start_and_kill(tmp_path / "a", tmp_path / "b")
    first = min((tmp_path / "b").glob("*.safetensors"))
    raw = bytearray(first.read_bytes())
    raw[-1] ^= 1
    first.write_bytes(raw)
    done = convert(tmp_path / "a", tmp_path / "b", to="hf", max_shard_bytes=60_000)
    assert done.num_kept == 1
    convert(tmp_path / "a", tmp_path / "c", to="hf", max_shard_bytes=60_000)
    assert tensors_of(tmp_path / "b") == tensors_of(tmp_path / "c")


@pytest.mark.parametrize("left", ["", "{}", "[]", '{"request": {}, "hashes": 3}'])
def test_a_list_of_finished_shards_that_nobody_can_read_starts_afresh(left, small4, tmp_path):
    write_random(small4, tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / STATE).write_text(left)
    convert(tmp_path / "a", tmp_path / "b", to="hf")
    assert open_checkpoint(tmp_path / "b").config == small4


def test_a_note_that_is_none_is_one_clear_line(small4, tmp_path):
    write_random(small4, tmp_path / "a", quant="fp8")
    (tmp_path / "a" / "bise.json").write_text("[]")
    with pytest.raises(UserError, match=r"bise.json` is no object of JSON"):
        convert(tmp_path / "a", tmp_path / "b", to="hf", quant="fp8")


def test_another_request_starts_afresh(small4, tmp_path):
    write_random(small4, tmp_path / "a")
    start_and_kill(tmp_path / "a", tmp_path / "b")
    done = convert(tmp_path / "a", tmp_path / "b", to="hf", max_shard_bytes=80_000)
    assert done.num_kept == 0
    open_checkpoint(tmp_path / "b")


def test_a_shard_that_reads_back_differently_is_noticed(small4, tmp_path):
    write_random(small4, tmp_path / "a")

    def spoil(done: int, total: int) -> None:
        if done == total:
            path = min((tmp_path / "b").glob("*.safetensors"))
            path.write_bytes(path.read_bytes()[:-1] + b"\xff")

    with pytest.raises(UserError, match="does not read back"):
        convert(tmp_path / "a", tmp_path / "b", to="hf", max_shard_bytes=60_000, progress=spoil)


def test_weights_that_are_there_are_not_overwritten(small4, tmp_path):
    write_random(small4, tmp_path / "a")
    write_random(small4, tmp_path / "b", layout="hf")
    with pytest.raises(UserError, match="already has weights in the `hf` layout"):
        convert(tmp_path / "a", tmp_path / "b", to="hf")
    with pytest.raises(UserError, match="already has weights in the `native` layout"):
        convert(tmp_path / "a", tmp_path / "a", to="native", quant="fp8")


def test_a_second_layout_may_go_into_the_same_folder(small4, tmp_path):
    write_random(small4, tmp_path / "a")
    convert(tmp_path / "a", tmp_path / "a", to="hf")
    assert open_checkpoint(tmp_path / "a").layouts == ("native", "hf")


def test_files_of_the_tokenizer_come_along(small4, tmp_path):
    write_random(small4, tmp_path / "a")
    for name in ("tekken.json", "SYSTEM_PROMPT.txt", "notes.txt"):
        (tmp_path / "a" / name).write_text(name)
    convert(tmp_path / "a", tmp_path / "b", to="hf")
    assert (tmp_path / "b" / "tekken.json").read_text() == "tekken.json"
    assert (tmp_path / "b" / "SYSTEM_PROMPT.txt").exists()
    assert not (tmp_path / "b" / "notes.txt").exists()


def test_a_full_disk_is_noticed_before_anything_is_written(small4, tmp_path, monkeypatch):
    write_random(small4, tmp_path / "a")
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match="has 1,000 left"):
        convert(tmp_path / "a", tmp_path / "b", to="hf")
    assert not list((tmp_path / "b").iterdir())


def test_what_the_target_format_cannot_say_is_refused_at_once(small4, tmp_path):
    write_random(small4, tmp_path / "a")
    with pytest.raises(UserError, match="native files only"):
        convert(tmp_path / "a", tmp_path / "b", to="hf", quant="nvfp4")
    assert not (tmp_path / "b").exists()


CONVERTING = """
import sys, torch
torch.set_num_threads(1)
from bise.model.convert import convert
convert(sys.argv[1], sys.argv[2], to="hf", max_shard_bytes=20_000_000)
"""


@pytest.mark.slow
def test_a_conversion_killed_in_the_middle_of_a_shard_goes_on(tmp_path):
    config = replace(mid(), num_layers=3)
    write_random(config, tmp_path / "a")
    arguments = [sys.executable, "-c", CONVERTING, str(tmp_path / "a"), str(tmp_path / "b")]
    process = subprocess.Popen(arguments, cwd=SOURCE)
    while not list((tmp_path / "b").glob("model-00003-*.partial")):
        assert process.poll() is None, "it finished before it could be killed"
    process.kill()
    process.wait()
    num_whole = len(list((tmp_path / "b").glob("*.safetensors")))
    assert num_whole >= 2
    done = convert(tmp_path / "a", tmp_path / "b", to="hf", max_shard_bytes=20_000_000)
    assert num_whole - 1 <= done.num_kept <= num_whole  # renamed, and maybe not yet noted
    convert(tmp_path / "a", tmp_path / "c", to="hf", max_shard_bytes=20_000_000)
    files = sorted(path.name for path in (tmp_path / "c").iterdir())
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == files
    for name in files:
        assert (tmp_path / "b" / name).read_bytes() == (tmp_path / "c" / name).read_bytes()


MEASURING = """
import resource, sys, torch
torch.set_num_threads(1)
from bise.model.convert import convert
from bise.model.checkpoint import open_checkpoint
from bise.model.presets import mid
from bise.model.random_weights import write_random
largest = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
config = open_checkpoint(sys.argv[1]).config
torch.randn(4_000_000).bfloat16().aminmax()
before = largest()
convert(sys.argv[1], sys.argv[2] + "/c", to="hf", quant="fp8")
write_random(config, sys.argv[2] + "/r", layout="hf", quant="fp8")
print(largest() - before)
"""


@pytest.mark.slow
def test_converting_and_inventing_hold_no_more_than_a_matrix(tmp_path):
    config = replace(mid(), num_layers=3)  # 240 MB in one shard, of which the embedding is 50
    write_random(config, tmp_path / "a")
    ran = subprocess.run(
        [sys.executable, "-c", MEASURING, str(tmp_path / "a"), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=SOURCE,
    )
    embedding = config.vocab_size * config.dim
    assert int(ran.stdout) < 12 * embedding, "more than fp32 copies of the largest matrix"
