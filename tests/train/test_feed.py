"""Makers that work ahead give what would have been made here."""

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bise.errors import UserError
from bise.evals import TASKS
from bise.train import feed as feed_module
from bise.train.batches import Batch, merge
from bise.train.checks import check_device
from bise.train.config import TrainConfig
from bise.train.conversations import MixConfig
from bise.train.feed import MadeFeed, OwnFeed, Recipe
from bise.train.limits import Limits
from bise.train.schedule import Schedule
from bise.train.start import start

TOKENIZER = Path(__file__).parents[2] / "src" / "bise" / "assets" / "nano" / "tekken.json"
CONFIG = TrainConfig(
    preset="pico",
    parts=3,
    part_tokens=1024,
    row_tokens=(256, 512),
    long_row_tokens=(512, 1024),
    long_every=2,
    mix=MixConfig(flat_steps=0, ramp_steps=2, shares={"chain": 0.5, "read": 0.5}),
)
RECIPE = Recipe(CONFIG, TOKENIZER, TASKS, TASKS)


def _same(one: Batch, other: Batch) -> bool:
    rounded = [image.to(torch.bfloat16) for image in one.images]
    return (
        all(
            torch.equal(getattr(one, name), getattr(other, name))
            for name in ("ids", "positions", "samples", "picked", "targets")
        )
        and one.num_far == other.num_far
        and len(rounded) == len(other.images)
        and all(torch.equal(a, b) for a, b in zip(rounded, other.images, strict=True))
    )


def _makers(schedule: Schedule, places=None) -> MadeFeed:
    return MadeFeed(RECIPE, range(3), schedule, places or {}, makers=2, dtype=torch.bfloat16)


@pytest.mark.slow
def test_makers_give_the_same_batches_through_a_decay_and_after_a_stop():
    plain = Schedule(warmup_steps=1)
    own, made = OwnFeed(RECIPE, range(3), plain, {}), _makers(plain)
    decay = None
    try:
        for step in range(6):
            if step == 1:
                first_free = made.free_step(step)
                assert first_free > step, "nobody was asked ahead"
                decay = Schedule(warmup_steps=1, decay_at=first_free, end=first_free + 9)
            if step == 3:  # a new process goes on from what a state would keep
                places = made.places()
                made.close()
                made = _makers(decay or plain, places)
            now = decay or plain
            pairs = zip(own.take(step, now), made.take(step, now), strict=True)
            assert all(_same(one, other) for one, other in pairs), step
        assert decay is not None
        assert decay.is_decaying(5)
    finally:
        made.close()


def _only(skill: str, config: TrainConfig = CONFIG) -> Recipe:
    mix = replace(config.mix, shares={skill: 1.0})
    return Recipe(replace(config, mix=mix), TOKENIZER, TASKS, TASKS)


def test_a_mix_of_calls_alone_has_long_rows_too():
    decay = Schedule(warmup_steps=1, decay_at=0, end=9)
    batch = OwnFeed(_only("tools"), range(1), decay, {}).take(0, decay)[0]
    assert batch.num_trained > 0


def test_rows_shorter_than_any_conversation_are_told():
    short = replace(CONFIG, row_tokens=(16,))
    feed = OwnFeed(_only("chain", short), range(1), Schedule(warmup_steps=1), {})
    with pytest.raises(UserError, match="longer than a row of 16 tokens"):
        feed.take(0, Schedule(warmup_steps=1))


def test_merged_batches_hold_the_same_tokens_and_targets():
    own = OwnFeed(RECIPE, range(3), Schedule(warmup_steps=1, decay_at=0, end=9), {})
    for step in (0, 1):  # long rows of two widths, then rows of one
        parts = own.take(step, Schedule(warmup_steps=1, decay_at=0, end=9))
        merged = merge(parts)
        assert len(merged) == len({part.samples.shape[1] for part in parts})
        assert sum(len(one.ids) for one in merged) == sum(len(part.ids) for part in parts)
        assert sum(one.num_far for one in merged) == sum(part.num_far for part in parts)
        assert sum(len(one.images) for one in merged) == sum(len(part.images) for part in parts)
        for one in merged:
            assert torch.equal(one.ids[one.picked + 1], one.targets)
            assert one.samples.numel() == len(one.ids)


@pytest.mark.slow
def test_a_dead_maker_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feed_module, "WAIT_S", 20.0)
    made = _makers(Schedule(warmup_steps=1))
    try:
        multiprocessing.active_children()[0].kill()
        with pytest.raises(UserError, match="has died or is stuck"):
            for step in range(9):
                made.take(step, Schedule(warmup_steps=1))
    finally:
        made.close()


def test_a_device_that_is_not_there_is_refused_before_anything_is_written():
    with pytest.raises(UserError, match="there is no device `nonsense`"):
        check_device("nonsense", 1)
    with pytest.raises(UserError, match="2 processes cannot share a step on `cuda`"):
        check_device("cuda", 2)


def test_makers_for_several_processes_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match="make their samples themselves"):
        start(
            tmp_path / "run",
            CONFIG,
            Limits(stop_at=1),
            TASKS,
            tokenizer=TOKENIZER,
            processes=3,
            makers=1,
        )
    assert not (tmp_path / "run").exists()
