"""On a card: the network is the network, a step is a step, and nano answers as it does here.

`python -m pytest tests/gpu -m gpu --noconftest`; needs nothing but torch with CUDA and the package.
"""

import copy
import json
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors.torch import load_file

from bise.engine import EngineConfig
from bise.evals import TASKS
from bise.evals.asking import Asker
from bise.model import load_network
from bise.model.hub import ASSETS
from bise.model.initial import initialise
from bise.model.network import Network
from bise.model.presets import preset
from bise.model.sight import PackedRows
from bise.ops.experts import expert_mlp
from bise.text import ChatFormat, Tekken
from bise.train.batches import merge
from bise.train.config import TrainConfig
from bise.train.conversations import MixConfig
from bise.train.feed import OwnFeed, Recipe
from bise.train.limits import Limits
from bise.train.losses import LossConfig
from bise.train.optimiser import Optimiser, OptimiserConfig
from bise.train.ranks import Ranks
from bise.train.schedule import Schedule
from bise.train.start import start
from bise.train.state import latest_state
from bise.train.step import train_step

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]
NANO = ASSETS / "nano"
CARD = torch.device("cuda")
CONFIG = TrainConfig(
    preset="pico",
    parts=4,
    part_tokens=2048,
    row_tokens=(256, 512),
    long_row_tokens=(1024,),
    long_every=3,
    eval_every=0,
    warmup_steps=4,
    mix=MixConfig(flat_steps=0, ramp_steps=4),
)


def _far(one: torch.Tensor, other: torch.Tensor) -> float:
    one, other = one.double().cpu(), other.double().cpu()
    return float((one - other).norm() / other.norm())


def _nano(dtype: torch.dtype = torch.float32) -> Network:
    return load_network(NANO, dtype)


@pytest.mark.parametrize(("dtype", "most"), [(torch.float32, 1e-4), (torch.bfloat16, 3e-2)])
def test_nano_reads_a_text_and_a_picture_as_it_does_here(dtype: torch.dtype, most: float):
    feed = OwnFeed(
        Recipe(CONFIG, NANO / "tekken.json", TASKS, TASKS), [0], Schedule(warmup_steps=1), {}
    )
    batch = feed.take(3, Schedule(warmup_steps=1))[0]
    network = _nano()

    def read(network: Network, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
        here = batch.to(device)
        with torch.no_grad():
            vectors = network.see([image.to(dtype) for image in here.images])
            sight = PackedRows(*here.samples.shape, here.samples)
            hidden = network(here.ids, here.positions, sight, image_vectors=vectors, dtype=dtype)
            return network.logits(hidden)

    want = read(network, torch.device("cpu"), torch.float32)
    got = read(copy.deepcopy(network).to(CARD), CARD, dtype)
    real = batch.samples.flatten() >= 0
    assert _far(got.cpu()[real], want[real]) < most


def test_the_grouped_product_is_the_definition():
    g = torch.Generator().manual_seed(0)
    shapes = ((3000, 256), (16, 256, 256), (16, 256, 128), (3000, 4))
    values = [torch.randn(shape, generator=g) * 0.1 for shape in shapes]
    choice = torch.rand(3000, 11, generator=g).topk(4).indices  # five experts stay idle
    push = torch.randn(3000, 256, generator=g)
    found = []
    for device, dtype in ((torch.device("cpu"), torch.float64), (CARD, torch.bfloat16)):
        inputs = [v.to(device, dtype).requires_grad_() for v in values]
        made = expert_mlp(*inputs, choice.to(device))
        slopes = torch.autograd.grad(made, inputs, push.to(device, dtype))
        found.append([made.detach(), *slopes])
    for want, got in zip(*found, strict=True):
        assert _far(got, want) < 2e-2


def test_a_training_step_on_the_card_is_one_here():
    feed = OwnFeed(
        Recipe(CONFIG, NANO / "tekken.json", TASKS, TASKS), range(4), Schedule(warmup_steps=1), {}
    )
    batches = feed.take(5, Schedule(warmup_steps=1))
    reports, weights = [], []
    for device in (torch.device("cpu"), CARD):
        network = initialise(Network(preset("pico")), 0, zero_outputs=False).to(device)
        optimiser = Optimiser(network, OptimiserConfig(), Ranks(), torch.float32)
        report = train_step(
            network,
            [batch.to(device) for batch in merge(batches)],
            optimiser,
            config=LossConfig(),
            dtype=torch.float32,
            rate_factor=1.0,
            step=0,
            ranks=Ranks(),
        )
        reports.append(report)
        weights.append({n: w.detach().cpu() for n, w in network.named_parameters()})
    here, there = reports
    assert there.loss == pytest.approx(here.loss, rel=1e-4)
    assert there.grad_norm == pytest.approx(here.grad_norm, rel=1e-3)
    assert there.num_trained == here.num_trained
    for name, weight in weights[0].items():
        assert _far(weights[1][name], weight) < 1e-2, name


def test_a_run_on_the_card_learns_stops_and_goes_on_here(tmp_path: Path):
    whole = Limits(steps=40, decay_at=30, stop_at=30)
    words = NANO / "tekken.json"
    start(
        tmp_path, CONFIG, whole, TASKS, tokenizer=words, processes=1, device="cuda", makers=2,
        is_quiet=True,
    )  # fmt: skip
    state = latest_state(tmp_path)
    assert state is not None
    assert all(t.isfinite().all() for t in load_file(state / "weights.safetensors").values())
    start(
        tmp_path, CONFIG, Limits(steps=40, decay_at=30, stop_at=33), TASKS, tokenizer=words,
        processes=1, is_quiet=True,
    )  # fmt: skip
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    losses = {line["step"]: line["loss"] for line in lines if "loss" in line}
    assert len(losses) == 33
    assert losses[30] < losses[1] - 2.0
    assert abs(losses[33] - losses[30]) < 1.0


def test_nano_answers_on_the_card_as_it_does_here():
    """Greedy: rounding may turn a rare token, so nearly all replies must agree."""
    chat = ChatFormat(Tekken.from_file(NANO / "tekken.json"))
    rng = Random(0)
    asked = [
        (TASKS[name].sample(rng, split="held_out"), effort)
        for name in ("chain", "read")
        for effort in ("none", "high")
        for _ in range(8)
    ]
    replies = []
    for network in (_nano(), _nano().to(CARD)):
        ask = Asker(
            network, chat, max_tokens=300, thinking_temperature=0.0, dtype=torch.float32,
            config=EngineConfig(backend="torch"),
        )  # fmt: skip
        replies.append([(one.thinking, one.answer) for one in ask(asked)])
    same = sum(one == other for one, other in zip(*replies, strict=True))
    assert same >= len(asked) - 2
