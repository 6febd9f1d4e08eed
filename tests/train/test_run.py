"""A run that stops and goes on, or is shared by two processes, is the same run."""

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bise.errors import UserError
from bise.evals import TASKS
from bise.train.config import TrainConfig, from_dict, override, to_dict
from bise.train.conversations import MixConfig
from bise.train.limits import Limits
from bise.train.optimiser import OptimiserConfig
from bise.train.start import start
from bise.train.state import latest_state, read_run

TOKENIZER = Path(__file__).parents[2] / "src" / "bise" / "assets" / "nano" / "tekken.json"

SMALL = TrainConfig(
    preset="pico",
    dtype="float32",
    part_tokens=1024,
    row_tokens=(256, 512),
    long_row_tokens=(1024,),
    long_every=3,
    warmup_steps=4,
    eval_every=0,
    mix=MixConfig(flat_steps=0, ramp_steps=4),
)


def _train(
    folder: Path,
    limits: Limits,
    *,
    config: TrainConfig = SMALL,
    processes: int = 1,
    makers: int = 0,
):
    start(
        folder,
        config,
        limits,
        TASKS,
        tokenizer=TOKENIZER,
        processes=processes,
        makers=makers,
        is_quiet=True,
    )
    state = latest_state(folder)
    assert state is not None
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    losses = {line["step"]: line["loss"] for line in lines if "loss" in line}
    return load_file(state / "weights.safetensors"), losses


@pytest.mark.slow
def test_a_resumed_run_is_bit_for_bit_the_uninterrupted_one(tmp_path: Path):
    whole = Limits(steps=6, decay_at=3)
    weights, losses = _train(tmp_path / "whole", whole)
    _train(tmp_path / "parts", dataclasses.replace(whole, stop_at=2))
    _train(tmp_path / "parts", dataclasses.replace(whole, stop_at=4))
    again, again_losses = _train(tmp_path / "parts", whole)
    assert losses == again_losses
    assert weights.keys() == again.keys()
    for name, weight in weights.items():
        assert torch.equal(weight, again[name]), name


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path):
    limits = Limits(steps=4, decay_at=3)
    _, alone = _train(tmp_path / "one", limits)
    _, together = _train(tmp_path / "two", limits, processes=2)
    assert alone.keys() == together.keys()
    for step, loss in alone.items():
        assert math.isclose(loss, together[step], rel_tol=1e-4), step


@pytest.mark.slow
def test_with_makers_a_run_is_the_same_and_goes_on_where_it_stopped(tmp_path: Path):
    whole = Limits(steps=6, decay_at=3)
    _, losses = _train(tmp_path / "alone", whole)
    _, first = _train(tmp_path / "makers", dataclasses.replace(whole, stop_at=3), makers=2)
    _, both = _train(tmp_path / "makers", whole)
    assert first.keys() == {1, 2, 3}
    assert losses == both


@pytest.mark.slow
def test_the_clock_may_decide_while_makers_work_ahead(tmp_path: Path):
    _, losses = _train(tmp_path / "clock", Limits(max_minutes=0.05, anneal=True), makers=2)
    state = latest_state(tmp_path / "clock")
    assert state is not None
    progress = json.loads((state / "run.json").read_text())["progress"]
    replay = Limits(steps=progress["end"], decay_at=progress["decay_at"])
    _, again = _train(tmp_path / "replay", replay)
    assert losses == again


@pytest.mark.slow
def test_the_clock_only_chooses_the_step_so_any_run_can_be_replayed(tmp_path: Path):
    weights, losses = _train(tmp_path / "clock", Limits(max_minutes=0.05, anneal=True))
    state = latest_state(tmp_path / "clock")
    assert state is not None
    progress = json.loads((state / "run.json").read_text())["progress"]
    replay = Limits(steps=progress["end"], decay_at=progress["decay_at"])
    again, again_losses = _train(tmp_path / "replay", replay)
    assert losses == again_losses
    assert all(torch.equal(weights[name], again[name]) for name in weights)


@pytest.mark.slow
def test_every_trained_tensor_moves_and_the_first_steps_help(tmp_path: Path):
    before, _ = _train(tmp_path / "none", Limits(stop_at=0))
    after, losses = _train(tmp_path / "some", Limits(stop_at=5))
    still = [name for name in before if torch.equal(before[name], after[name])]
    assert not still
    assert losses[5] < losses[1] - 0.2


def test_a_config_survives_json_and_refuses_what_it_does_not_know():
    kept = json.loads(json.dumps(to_dict(SMALL)))
    assert from_dict(kept) == SMALL
    with pytest.raises(UserError, match="no `speed`"):
        from_dict({**kept, "speed": 3})
    changed = override(SMALL, ["optimiser.peak_rate=1e-3", "parts=4", "row_tokens=512"])
    assert changed.optimiser.peak_rate == 1e-3
    assert changed.parts == 4
    assert changed.row_tokens == (512,)
    with pytest.raises(UserError, match="names no field"):
        override(SMALL, ["optimiser.speed=1"])


def test_limits_that_never_end_are_refused():
    with pytest.raises(UserError, match="nothing says when to stop"):
        Limits()
    with pytest.raises(UserError, match="came without the other"):
        Limits(steps=4)
    for endless in (math.inf, math.nan):
        with pytest.raises(UserError, match="`--max-minutes` is"):
            Limits(max_minutes=endless, anneal=True)


def test_a_run_that_left_all_numbers_keeps_the_state_before_that(tmp_path: Path):
    wild = dataclasses.replace(
        SMALL,
        part_tokens=512,
        row_tokens=(512,),
        long_row_tokens=(512,),
        warmup_steps=0,
        save_every_s=0.0,
        optimiser=OptimiserConfig(peak_rate=1e15),
    )
    with pytest.raises(UserError, match=r"of step . is (nan|inf)"):
        _train(tmp_path, Limits(stop_at=8), config=wild)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    state = latest_state(tmp_path)
    assert state is not None
    assert read_run(state)[0].step == lines[-1]["step"] - 1
