"""The smallest model learns, and learns the same thing everywhere."""

import json
from pathlib import Path

import pytest

from bise.evals import TASKS
from bise.train.config import TrainConfig
from bise.train.conversations import MixConfig
from bise.train.limits import Limits
from bise.train.start import start

ROOT = Path(__file__).parents[2]
TOKENIZER = ROOT / "src" / "bise" / "assets" / "nano" / "tekken.json"
RECORD = Path(__file__).parents[1] / "data" / "pico-losses.json"

CONFIG = TrainConfig(
    preset="pico",
    dtype="float32",
    part_tokens=1024,
    row_tokens=(256, 512),
    long_row_tokens=(1024,),
    warmup_steps=10,
    eval_every=0,
    mix=MixConfig(
        shares={"chain": 0.45, "read": 0.35, "text": 0.12, "self": 0.08},
        flat_steps=20,
        ramp_steps=40,
    ),
)


def _losses(folder: Path, config: TrainConfig, limits: Limits, processes: int) -> list[float]:
    start(folder, config, limits, TASKS, tokenizer=TOKENIZER, processes=processes, is_quiet=True)
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


@pytest.mark.slow
def test_fifty_steps_of_pico_are_the_recorded_ones(tmp_path: Path):
    """Recorded on an AMD EPYC; in fp32 another processor, or another number of threads,
    differs by rounding, which grows to a few parts in ten thousand over so many steps."""
    losses = _losses(tmp_path, CONFIG, Limits(steps=50, decay_at=40), processes=1)
    recorded = json.loads(RECORD.read_text())
    assert losses == pytest.approx(recorded, rel=1e-3)
    assert sum(losses[-5:]) / 5 < 3.2  # it began at 7.6, the logarithm of the vocabulary


@pytest.mark.full
def test_five_minutes_of_pico_teach_it_much(tmp_path: Path):
    config = TrainConfig(
        preset="pico",
        eval_every=0,
        mix=MixConfig(shares={"chain": 0.7, "text": 0.3}, flat_steps=50, ramp_steps=400),
    )
    losses = _losses(tmp_path, config, Limits(max_minutes=5, anneal=True), processes=2)
    assert sum(losses[-10:]) / 10 < 1.4  # it began at 7.6; 1.15 beside other work
