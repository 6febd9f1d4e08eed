"""Engines side by side: the talk with a process, the run, what is computed from it."""

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bise.commands.bench import find_network
from bise.engine import EngineConfig
from bise.errors import NotFound, UserError
from bise.model import Network, load_network
from bise.model.initial import initialise
from bise.model.packed import PackedNetwork
from bise.model.packed_source import FromNetwork, FromRandom
from bise.model.presets import PRESETS, pico, preset
from bise.peers.accuracy import WINDOW_TOKENS, compare_logits, texts, write_reference
from bise.peers.compare import ComparisonConfig, compare, need_room
from bise.peers.floors import expected_touched, loads, step_bytes, token_operations
from bise.peers.hugging import write_checkpoint
from bise.peers.llama import find_build
from bise.peers.ours import Answers, open_source
from bise.peers.peer import parse_peer
from bise.peers.small3 import memory_bytes, request_bound_s
from bise.peers.talk import Process

STAND_IN = """
import pathlib, sys
speed, vocab = float(sys.argv[1]), int(sys.argv[2])
print("loading words nobody asked for")
print("ready stand-in", flush=True)
for line in sys.stdin:
    command, *rest = line.split()
    if command == "logits":
        count = int(rest[1]) * int(rest[2])
        pathlib.Path(rest[3]).write_bytes(bytes(4 * count * vocab))
        print("ok 1.0", flush=True)
    elif command == "prefill":
        assert pathlib.Path(rest[0]).stat().st_size == 4 * int(rest[1])
        print("ok", int(rest[1]) / speed, flush=True)
    elif command == "decode":
        streams, context, warm, steps = map(int, rest[1:])
        assert pathlib.Path(rest[0]).stat().st_size == 4 * streams * (context + warm + steps)
        print("ok", streams * steps / speed, 4.0, flush=True)
    elif command == "die":
        print("out of ideas", file=sys.stderr)
        sys.exit(3)
    elif command in ("bandwidth", "peak"):
        print("ok 0.0 2e9 1e9", flush=True)
    else:
        print("error what is", command, flush=True)
"""


@pytest.fixture
def stand_in(tmp_path):
    path = tmp_path / "stand_in.py"
    path.write_text(STAND_IN)
    return path


@dataclass(frozen=True)
class StandIn:
    """A peer whose speed is what it says."""

    script: Path
    name: str
    speed: float
    format: str = "int8"
    memory: int = 0
    disk: int = 0
    twin: str = "twin"
    cannot: str = ""

    def check(self, source):  # noqa: ARG002
        if self.cannot:
            raise UserError(self.cannot)

    def disk_bytes(self, source):  # noqa: ARG002
        return self.disk

    def memory_bytes(self, source):  # noqa: ARG002
        return self.memory

    def prepare(self, source, folder):  # noqa: ARG002
        return None

    def command(self, twin, folder):  # noqa: ARG002
        return [sys.executable, str(self.script), str(self.speed), "2048"]


PLAN = ComparisonConfig(
    prompt_tokens=(16,), streams=(1, 3), context_tokens=8, new_tokens=4, rounds=2, positions=500
)


@pytest.mark.parametrize("memory", [0, 2**60])
def test_a_comparison_asks_everybody_for_everything(stand_in, memory, monkeypatch):
    """Whether all of them stay in memory or each starts anew in every round."""
    monkeypatch.setattr("bise.peers.compare.available_bytes", lambda: 2**60 + 2**20)
    ours = StandIn(stand_in, "bise", 100.0, memory=memory)
    other = StandIn(stand_in, "other", 50.0)
    found = compare(FromRandom(pico()), [ours], [other], PLAN)
    assert found.stayed == (memory == 0)
    assert [(cell.part, cell.size) for cell in found.cells] == [
        ("prefill", 16),
        ("decode", 1),
        ("decode", 3),
    ]
    for cell in found.cells:
        assert found.speed("bise int8", cell) == pytest.approx(100.0)
        assert found.speed("other int8", cell) == pytest.approx(50.0)
        assert len(found.measured["other int8", cell.part, cell.size].answers) == 2
    assert found.machine("bise int8", "bandwidth") == (2e9, 1e9)
    assert set(found.accuracy) == {"bise int8", "other int8"}
    assert found.accuracy["other int8"].divergence > 0.0


def test_a_twin_that_does_not_fit_is_refused_before_it_is_written(stand_in, tmp_path):
    source = FromRandom(pico())
    with pytest.raises(UserError, match="GB free, twins"):
        need_room(source, [StandIn(stand_in, "a", 1.0, disk=2**60)], tmp_path)
    with pytest.raises(UserError, match="of memory are free"):
        need_room(source, [StandIn(stand_in, "a", 1.0, memory=2**60)], tmp_path)


def test_engines_that_share_a_twin_need_its_room_once(stand_in, tmp_path):
    third = shutil.disk_usage(tmp_path).free // 3
    same, other = (StandIn(stand_in, "a", 1.0, disk=third, twin=name) for name in "ab")
    need_room(FromRandom(pico()), [same, same, same, other], tmp_path)
    with pytest.raises(UserError, match="GB free, twins"):
        more = [StandIn(stand_in, "a", 1.0, disk=third, twin=name) for name in "cd"]
        need_room(FromRandom(pico()), [same, other, *more], tmp_path)


def test_a_network_that_an_engine_cannot_read_is_refused_before_anything_is_written(stand_in):
    wrong = StandIn(stand_in, "a", 1.0, cannot="not this one", disk=2**60)
    with pytest.raises(UserError, match="not this one"):
        compare(FromRandom(pico()), [wrong], [], PLAN)


def _talk(stand_in: Path) -> Process:
    return Process("it", [sys.executable, str(stand_in), "1", "2"], stand_in.with_suffix(".log"))


def test_a_process_that_fails_says_why(stand_in):
    with _talk(stand_in) as process:
        assert process.about == "stand-in"
        with pytest.raises(UserError, match="it says: what is nonsense"):
            process.ask("nonsense")
        with pytest.raises(UserError, match="ended with status 3") as fault:
            process.ask("die")
        assert fault.value.hint == "out of ideas"


def test_a_process_that_rests_wakes_when_asked(stand_in):
    with _talk(stand_in) as process:
        process.rest()
        state = Path(f"/proc/{process._child.pid}/stat")
        if state.exists():
            assert state.read_text().rpartition(")")[2].split()[0] == "T"
        answer = process.ask("peak")
        assert answer.numbers == (0.0, 2e9, 1e9)
        assert 0.0 <= answer.others <= 1.0


@pytest.mark.skipif(sys.platform != "linux", reason="Linux ends orphans")
def test_a_process_that_stands_still_ends_with_whoever_started_it(stand_in):
    starts = f"""
import pathlib, sys, time
from bise.peers.talk import Process
log = pathlib.Path({str(stand_in.with_suffix(".log"))!r})
process = Process("it", [sys.executable, {str(stand_in)!r}, "1", "2"], log)
process.rest()
print(process._child.pid, flush=True)
time.sleep(60)
"""
    command = [sys.executable, "-c", starts]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = Path(f"/proc/{int(parent.stdout.readline())}/stat")
        assert child.exists()
        parent.kill()
    deadline = time.monotonic() + 10.0
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline, "it outlives its parent"
        time.sleep(0.05)


def test_what_cannot_be_compared_is_refused(tmp_path):
    with pytest.raises(UserError, match="no engine to compare"):
        parse_peer("gguf", "int8")
    with pytest.raises(UserError, match="where is llamacpp"):
        parse_peer("llamacpp", "int8")
    with pytest.raises(UserError, match="no format"):
        parse_peer(f"ik:q9={tmp_path}", "int8")
    with pytest.raises(UserError, match="transformers computes in bf16"):
        parse_peer("transformers", "int8")
    with pytest.raises(NotFound, match="no build folder"):
        find_build("ik", tmp_path)
    (tmp_path / "CMakeCache.txt").write_text("CMAKE_HOME_DIRECTORY:INTERNAL=/nowhere\n")
    with pytest.raises(NotFound, match="libllama"):
        find_build("ik", tmp_path)


def test_engines_that_results_could_not_tell_apart_are_refused(stand_in):
    twice = [parse_peer(f"llamacpp={stand_in}", "int8") for _ in range(2)]
    with pytest.raises(UserError, match="`llamacpp q8_0` is named twice"):
        compare(FromRandom(pico()), twice, [], ComparisonConfig())


def test_texts_longer_than_the_network_reaches_are_refused(stand_in):
    peers = [StandIn(stand_in, "bise", 1.0)]
    for plan, complaint in (
        (replace(PLAN, new_tokens=4092), "`--new-tokens` is 4,092, but this network reaches 4,096"),
        (replace(PLAN, prompt_tokens=(5000,)), "no `--prompt` is within the 4,096 tokens"),
    ):
        with pytest.raises(UserError, match=complaint):
            compare(FromRandom(pico()), peers, [], plan)


def test_a_model_that_cannot_be_read_is_not_replaced_by_random_weights(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="a budget of memory is for packed weights"):
        find_network("nano", None, EngineConfig(memory_bytes=1000))
    with pytest.raises(UserError, match="a budget of memory is for packed weights"):
        find_network("pico", None, EngineConfig(memory_bytes=1000))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pico").mkdir()
    with pytest.raises(UserError, match="`pico` has no weights"):
        find_network("pico", None, EngineConfig())
    with pytest.raises(UserError, match="`pico` has no weights"):
        open_source("pico")


def test_two_builds_of_one_engine_have_a_driver_each(tmp_path, monkeypatch):
    """Formats of one engine may come from builds of their own, compared with each other."""
    compiler = tmp_path / "compiler"
    compiler.write_text('#!/bin/sh\nfor word; do [ "$last" = -o ] && at="$word"; last="$word"; '
                        'case "$word" in *.so) echo "$word" > "$at";; esac; done\n')  # fmt: skip
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "llama.h").touch()
    made = set()
    for name in ("one", "other"):
        build = tmp_path / name
        build.mkdir()
        (build / "CMakeCache.txt").write_text(f"CMAKE_HOME_DIRECTORY:INTERNAL={tmp_path}\n")
        (build / "libllama.so").touch()
        driver = find_build("llamacpp", build).driver(tmp_path)
        assert driver.read_text() == f"{build / 'libllama.so'}\n"
        made.add(driver)
    assert len(made) == 2


def test_a_ready_driver_is_taken_as_it_is(stand_in):
    peer = parse_peer(f"llamacpp:q4_k_m={stand_in}", "int8")
    assert (peer.name, peer.format) == ("llamacpp", "q4_k_m")
    assert peer.command(Path("x.gguf"), Path("/tmp"))[2:4] == [str(stand_in), "x.gguf"]
    with pytest.raises(UserError, match="only reads kv latents of 256"):
        parse_peer(f"ik={stand_in}", "int8").check(FromRandom(pico()))
    assert parse_peer(f"llamacpp={stand_in}", "int4").format == "q4_0"


@pytest.fixture(scope="module")
def network():
    with torch.no_grad():
        made = initialise(Network(pico()), seed=0, zero_outputs=False).eval()
        for weight in made.parameters():
            weight.copy_(weight.bfloat16())
        return made


def test_the_reference_is_the_plain_network(network, tmp_path):
    source = FromNetwork(network)
    ids = torch.randint(100, 2000, (2, 20))
    write_reference(source, ids, tmp_path / "found")
    found = np.fromfile(tmp_path / "found", dtype=np.float32).reshape(2, 20, -1)
    for window, logits in zip(ids, found, strict=True):
        torch.testing.assert_close(
            torch.from_numpy(logits), network.read(window), rtol=1e-4, atol=1e-4
        )


def test_our_own_process_answers_with_the_networks_logits(network, tmp_path):
    answers = Answers(PackedNetwork(FromNetwork(network), "bf16"))
    ids = torch.randint(100, 2000, (2, 40))
    path = str(tmp_path / "ids")
    ids.int().numpy().tofile(path)
    assert answers.prefill(path, "80")[0] > 0.0
    seconds, experts = answers.decode(path, "2", "30", "4", "6")
    topk = pico().experts.topk
    assert seconds > 0.0
    assert topk <= experts <= 2 * topk
    answers.logits(path, "2", "40", str(tmp_path / "found"))
    write_reference(FromNetwork(network), ids, tmp_path / "reference")
    accuracy = compare_logits(tmp_path / "found", tmp_path / "reference", 40, 2048)
    assert accuracy.divergence < 1e-3
    assert accuracy.agreement > 0.9


def test_a_trained_network_writes_its_own_texts_and_a_random_one_does_not(network):
    packed = PackedNetwork(FromNetwork(network), "bf16")
    written = texts(FromNetwork(network), packed, 2)
    assert written.shape == (2, WINDOW_TOKENS)
    assert (written[:, 0] == 1).all()
    assert not torch.equal(written[0], written[1])
    assert torch.equal(texts(FromRandom(pico()), None, 1), texts(FromRandom(pico()), None, 1))


def test_a_checkpoint_for_transformers_has_the_same_weights(network, tmp_path):
    folder = write_checkpoint(FromNetwork(network), tmp_path / "hf", "hf")
    again = load_network(folder, torch.float32)
    assert torch.equal(again.blocks[1].mlp.down, network.blocks[1].mlp.down)


def test_floors_are_those_of_the_yardstick():
    config = preset("small4_mini")
    found = loads(config)
    weights = config.num_layers * (found.always + 4 * found.expert) + found.head
    assert weights == pytest.approx(460e6, rel=0.01)
    assert step_bytes(config, "int8", 1, 0, 4.0) == pytest.approx(weights * 34 / 32)
    assert expected_touched(config, 4) == pytest.approx(14.6, abs=0.05)
    assert expected_touched(config, 16) == pytest.approx(41.2, abs=0.05)
    assert token_operations(config, 0.0) == pytest.approx(0.784e9, rel=0.01)
    dense = loads(preset("small3_mini"))
    small4 = config.num_layers * (found.always + 4 * found.expert)
    assert 20 * dense.always / small4 == pytest.approx(4.0, rel=0.02)


@pytest.mark.parametrize("name", PRESETS)
def test_loads_count_every_weight_of_the_text_network_once(name):
    config, found = preset(name), loads(preset(name))
    num_experts = config.experts.num if config.experts is not None else 0
    with torch.device("meta"):
        network = Network(config)
    matrices = {
        key: one.numel()
        for key, one in network.named_parameters()
        if one.ndim > 1 and not key.startswith(("eye.", "embed."))
    }
    layers = config.num_layers * (found.always + num_experts * found.expert)
    assert layers + found.head == sum(matrices.values())


def test_the_predecessor_needs_less_memory_for_weights_and_more_for_talks():
    small4, small3 = (memory_bytes(name, "int8", 0) for name in ("small4_mini", "small3_mini"))
    assert small3 < small4
    small4, small3 = (memory_bytes(name, "int8", 256) for name in ("small4_mini", "small3_mini"))
    assert small3 > small4


def test_a_bound_falls_with_bandwidth_and_with_operations():
    config = preset("small3_mini")
    usual = request_bound_s(config, "int8", 16, 20e9, 2e12)
    assert request_bound_s(config, "int8", 16, 40e9, 2e12) < usual
    assert request_bound_s(config, "int8", 16, 20e9, 4e12) < usual
