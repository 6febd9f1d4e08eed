"""vLLM beside ours: the twin by its published reading, the child's talk, what is refused."""

import json
import math
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from bise.errors import NotFound, UserError
from bise.model import Network
from bise.model.initial import initialise
from bise.model.packed_source import FromNetwork, FromRandom
from bise.model.presets import pico, preset
from bise.peers.peer import parse_peer
from bise.peers.talk import Process
from bise.peers.vllm_python import find_vllm, need_readable

STAND_IN = '''
"""What the child calls of vLLM, around a network of two matrices that remembers what it read."""

import json, os, sys
from dataclasses import dataclass
from types import SimpleNamespace
import torch

__version__ = "0.0"
print("words on stdout that nobody asked for")
torch.manual_seed(0)


class SamplingParams:
    def __init__(self, **given):
        self.__dict__.update(given)


@dataclass
class Output:
    request_id: str


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(64, 8)
        self.head = torch.nn.Linear(8, 64, bias=False)

    def forward(self, input_ids, positions):
        with open(os.environ["READ"], "a") as file:
            print(json.dumps([input_ids.tolist(), positions.tolist()]), file=file)
        return self.embed(input_ids)

    def compute_logits(self, hidden):
        return self.head(hidden)


class Engine:
    """All prompts in one step, then one token of everybody a step."""

    def __init__(self, model):
        self.model, self.running = model, {}
        cache = SimpleNamespace(num_gpu_blocks=9, block_size=16)
        self.vllm_config = SimpleNamespace(cache_config=cache)

    def add_request(self, name, prompt, params):
        if len(prompt["prompt_token_ids"]) > 100:
            raise ValueError("prompt is longer\\nthan 100")
        assert params.temperature == 0.0 and params.ignore_eos
        self.running[name] = [prompt["prompt_token_ids"], 0, params.max_tokens]

    def step(self):
        ids = torch.tensor([id for news, *_ in self.running.values() for id in news])
        places = [at + i for news, at, _ in self.running.values() for i in range(len(news))]
        self.model(input_ids=ids, positions=torch.tensor(places))
        names = list(self.running)
        for name, (news, at, left) in list(self.running.items()):
            self.running[name] = [[63], at + len(news), left and left - 1]
            if left == 1:
                del self.running[name]
        return [Output(name) for name in names]

    def abort_request(self, names):
        for name in names:
            del self.running[name]


class LLM:
    def __init__(self, folder, **settings):
        if not os.path.isdir(folder):
            raise RuntimeError(f"{folder} is not there\\nreally")
        assert settings["enable_prefix_caching"] is False and "enforce_eager" not in settings
        assert os.environ["VLLM_CACHE_ROOT"].endswith("vllm-compiled")
        assert os.environ["VLLM_MLA_DISABLE"] == "1"
        self.model = Model()
        self.llm_engine = Engine(self.model)

    def apply_model(self, function):
        return [function(self.model)]
'''


@pytest.fixture
def python(tmp_path, monkeypatch):
    """An interpreter with a stand-in for vLLM."""
    package = tmp_path / "site" / "vllm"
    (package / "platforms").mkdir(parents=True)
    (package / "__init__.py").write_text(STAND_IN)
    (package / "sampling_params.py").write_text("class RequestOutputKind: DELTA = 1\n")
    (package / "platforms" / "__init__.py").write_text(
        "class current_platform:\n    is_cpu = staticmethod(lambda: True)\n"
    )
    monkeypatch.setenv("READ", str(tmp_path / "read"))
    return _script(tmp_path / "python", f"PYTHONPATH={tmp_path / 'site'} exec {sys.executable}")


def _script(path: Path, command: str) -> Path:
    path.write_text(f'#!/bin/sh\n{command} "$@"\n')
    path.chmod(0o755)
    return path


def _start(python: Path, folder: Path) -> Process:
    peer = parse_peer(f"vllm={python}", "bf16")
    log = folder.parent / "log"
    return Process("vllm", peer.command(folder, folder.parent), log)


def _write(path: Path, *shape: int) -> tuple[Path, Tensor]:
    ids = torch.randint(60, shape, generator=torch.Generator().manual_seed(0))
    ids.int().numpy().tofile(path)
    return path, ids


def test_the_child_feeds_the_ids_of_the_file_and_gives_all_logits(python, tmp_path):
    folder, read = tmp_path / "native", tmp_path / "read"
    folder.mkdir()
    with _start(python, folder) as process:
        assert process.about.startswith("vLLM 0.0, torch ")
        path, ids = _write(tmp_path / "prompt", 1, 9)
        assert process.ask("prefill", path, 9).seconds > 0.0
        lines = [json.loads(line) for line in read.read_text().splitlines()]
        assert lines == [[ids[0].tolist(), list(range(9))]] * 2

        read.unlink()
        path, ids = _write(tmp_path / "streams", 3, 5 + 2 + 4)
        assert process.ask("decode", path, 3, 5, 2, 4).seconds > 0.0
        prompts, *steps = [json.loads(line) for line in read.read_text().splitlines()]
        assert prompts[0] == ids[:, :5].flatten().tolist()
        assert steps == [[ids[:, at].tolist(), [at] * 3] for at in range(5, 11)]

        path, ids = _write(tmp_path / "texts", 2, 7)
        process.ask("logits", path, 2, 7, tmp_path / "out")
        torch.manual_seed(0)
        embed, head = torch.nn.Embedding(64, 8), torch.nn.Linear(8, 64, bias=False)
        found = torch.from_numpy(np.fromfile(tmp_path / "out", dtype=np.float32))
        torch.testing.assert_close(found.view(2, 7, 64), head(embed(ids)).detach())


def test_what_vllm_refuses_is_one_line(python, tmp_path):
    with pytest.raises(UserError, match=r"says: RuntimeError: .* is not there really"):
        _start(python, tmp_path / "nowhere")
    (tmp_path / "native").mkdir()
    with _start(python, tmp_path / "native") as process:
        path, _ = _write(tmp_path / "prompt", 1, 101)
        with pytest.raises(UserError, match="says: ValueError: prompt is longer than 100"):
            process.ask("prefill", path, 101)
    with _start(python, tmp_path / "native") as process:
        path, _ = _write(tmp_path / "streams", 4, 5 + 2 + 10)
        with pytest.raises(UserError, match="9 blocks of 16 tokens, 4 streams of 17 want 12"):
            process.ask("decode", path, 4, 5, 2, 10)


def test_pythons_without_vllm_are_refused(tmp_path):
    with pytest.raises(UserError, match="where is vllm"):
        parse_peer("vllm", "bf16")
    with pytest.raises(UserError, match="vllm computes in bf16"):
        parse_peer("vllm=python", "int8")
    with pytest.raises(NotFound, match="is no program"):
        parse_peer(f"vllm={tmp_path / 'nowhere'}", "bf16")
    with pytest.raises(UserError, match="is no Python"):
        parse_peer(f"vllm={_script(tmp_path / 'other', 'true')}", "bf16")
    with pytest.raises(UserError, match="is no Python"):
        parse_peer(f"vllm={_script(tmp_path / 'list', 'echo 1 #')}", "bf16")
    isolated = _script(tmp_path / "python", f"exec {sys.executable} -S")
    with pytest.raises(NotFound, match="has no vLLM"):
        parse_peer(f"vllm={isolated}", "bf16")


def test_libraries_that_vllm_wants_first_are_loaded_first(python, tmp_path):
    libraries = tmp_path / "site" / "vllm" / "libs"
    libraries.mkdir()
    (libraries / "libtcmalloc_minimal.so.4").touch()
    command = find_vllm(str(python)).command(Path("twin"), 3)
    assert f"LD_PRELOAD={libraries / 'libtcmalloc_minimal.so.4'}" in " ".join(command)
    assert "OMP_NUM_THREADS=3" in command
    assert os.fspath(python) in command


def test_networks_that_vllm_would_read_as_others_are_refused():
    need_readable(preset("small4_mini"))
    need_readable(preset("small4"))
    for config in (
        preset("small3_mini"),
        replace(pico(), query_scale=None),
        replace(pico(), rope=replace(pico().rope, yarn=None)),
    ):
        with pytest.raises(UserError, match="networks like Small 4's only"):
            need_readable(config)
    odd = replace(pico(), attention=replace(pico().attention, nope=24))
    with pytest.raises(UserError, match="no attention for keys of 40"):
        need_readable(odd)


# What vLLM computes from Mistral's files, in plain torch, by the files' own names.
# Checked against: vLLM 0.32's `configs/mistral.py`, `mistral_large_3.py`, `deepseek_v2.py`.


def _norm(hidden: Tensor, weight: Tensor, eps: float) -> Tensor:
    return F.rms_norm(hidden, hidden.shape[-1:], weight, eps)


def _turned(rows: Tensor, params: dict) -> Tensor:
    """Neighbours are pairs. rows [tokens, heads, rope]"""
    yarn, dim, base = params["yarn"], params["qk_rope_head_dim"], params["rope_theta"]
    plain = 1.0 / base ** (torch.arange(0, dim, 2) / dim)

    def lane(turns: float) -> float:
        original = yarn["original_max_position_embeddings"]
        return dim * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base))

    low = max(math.floor(lane(yarn["beta"])), 0)
    high = min(math.ceil(lane(yarn["alpha"])), dim - 1)
    keeps = 1 - ((torch.arange(dim // 2) - low) / (high - low)).clamp(0, 1)
    each = plain / yarn["factor"] * (1 - keeps) + plain * keeps
    angles = torch.arange(len(rows))[:, None, None] * each
    first, second = rows[..., ::2], rows[..., 1::2]
    pairs = (
        first * angles.cos() - second * angles.sin(),
        second * angles.cos() + first * angles.sin(),
    )
    return torch.stack(pairs, dim=-1).flatten(-2)


def _attend(hidden: Tensor, file: dict[str, Tensor], layer: str, params: dict) -> Tensor:
    heads, eps, nope = params["n_heads"], params["norm_eps"], params["qk_nope_head_dim"]
    latent = _norm(hidden @ file[f"{layer}wq_a.weight"].T, file[f"{layer}q_a_norm.weight"], eps)
    query = (latent @ file[f"{layer}wq_b.weight"].T).unflatten(-1, (heads, -1))
    narrow, turning = (hidden @ file[f"{layer}wkv_a_with_mqa.weight"].T).split(
        [params["kv_lora_rank"], params["qk_rope_head_dim"]], dim=-1
    )
    both = _norm(narrow, file[f"{layer}kv_a_norm.weight"], eps) @ file[f"{layer}wkv_b.weight"].T
    key, value = both.unflatten(-1, (heads, -1)).split([nope, params["v_head_dim"]], dim=-1)
    turned = _turned(turning[:, None], params).expand(-1, heads, -1)
    key = torch.cat((key, turned), dim=-1)
    query = torch.cat((query[..., :nope], _turned(query[..., nope:], params)), dim=-1)
    grown = params["llama_4_scaling"]
    steps = torch.arange(len(hidden)) // grown["original_max_position_embeddings"]
    query = query * (1 + grown["beta"] * torch.log(1 + steps))[:, None, None]
    scores = torch.einsum("qhd,khd->hqk", query, key) * key.shape[-1] ** -0.5
    later = torch.ones(len(hidden), len(hidden), dtype=torch.bool).triu(1)
    shares = scores.masked_fill(later, -math.inf).softmax(dim=-1)
    return torch.einsum("hqk,khd->qhd", shares, value).flatten(1) @ file[f"{layer}wo.weight"].T


def _feed(hidden: Tensor, file: dict[str, Tensor], name: str) -> Tensor:
    gate, down, up = (file[f"{name}.w{one}.weight"] for one in (1, 2, 3))
    return (F.silu(hidden @ gate.T) * (hidden @ up.T)) @ down.T


def _experts(hidden: Tensor, file: dict[str, Tensor], layer: str, params: dict) -> Tensor:
    moe = params["moe"]
    scores = (hidden @ file[f"{layer}gate.weight"].T).softmax(dim=-1)
    kept, chosen = scores.topk(moe["num_experts_per_tok"], dim=-1)
    shares = torch.zeros_like(scores).scatter(1, chosen, kept / kept.sum(dim=-1, keepdim=True))
    mixed = _feed(hidden, file, f"{layer}shared_experts")
    for expert in range(moe["num_experts"]):
        mixed += shares[:, expert, None] * _feed(hidden, file, f"{layer}experts.{expert}")
    return mixed


def _published(ids: Tensor, folder: Path) -> Tensor:
    """Logits. ids [tokens] -> [tokens, vocab]"""
    params = json.loads((folder / "params.json").read_text())
    file = {
        name: one.float()
        for path in sorted(folder.glob("consolidated*.safetensors"))
        for name, one in load_file(path).items()
    }
    assert params["yarn"]["apply_scale"] is False
    eps, hidden = params["norm_eps"], file["tok_embeddings.weight"][ids]
    for number in range(params["n_layers"]):
        layer = f"layers.{number}."
        normed = _norm(hidden, file[f"{layer}attention_norm.weight"], eps)
        hidden = hidden + _attend(normed, file, f"{layer}attention.", params)
        normed = _norm(hidden, file[f"{layer}ffn_norm.weight"], eps)
        hidden = hidden + _experts(normed, file, layer, params)
    return _norm(hidden, file["norm.weight"], eps) @ file["output.weight"].T


def test_the_twin_is_our_network_as_vllm_reads_it(tmp_path, python):
    with torch.no_grad():
        network = initialise(Network(pico()), seed=0, zero_outputs=False).eval()
        for weight in network.parameters():
            weight.copy_(weight.bfloat16())
    peer = parse_peer(f"vllm={python}", "bf16")
    source = FromNetwork(network)
    folder = peer.prepare(source, tmp_path)
    written = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    assert written == pytest.approx(peer.disk_bytes(source), rel=0.02)
    assert not (folder / "config.json").exists()
    ids = torch.randint(100, 2000, (600,))  # past the first growth of queries
    torch.testing.assert_close(
        _published(ids, folder), network.read(ids).detach(), rtol=1e-3, atol=1e-3
    )


def test_the_twin_is_made_once(tmp_path, python):
    peer = parse_peer(f"vllm={python}", "bf16")
    folder = peer.prepare(FromRandom(pico()), tmp_path)
    before = [path.stat().st_mtime_ns for path in sorted(folder.iterdir())]
    assert peer.prepare(FromRandom(pico()), tmp_path) == folder
    assert [path.stat().st_mtime_ns for path in sorted(folder.iterdir())] == before
