"""An end that cannot be kept is refused before anything changes."""

from pathlib import Path

import pytest

from bise.errors import UserError
from bise.evals import TASKS
from bise.train.config import TrainConfig, to_dict
from bise.train.limits import Limits
from bise.train.ranks import Ranks
from bise.train.start import start
from bise.train.state import Progress, save_state

TOKENIZER = Path(__file__).parents[2] / "src" / "bise" / "assets" / "nano" / "tekken.json"
CONFIG = TrainConfig(preset="pico")
STANDS = Progress(step=10, elapsed_s=120.0)


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        (Limits(steps=20, decay_at=9), "`--decay-at` is 9, but the run stands at step 10"),
        (Limits(steps=10, decay_at=10), "`--steps` is 10, but the run stands at step 10"),
        (Limits(steps=15, decay_at=15), "decay is to begin at step 15 of a run that ends at 15"),
        (Limits(stop_at=9), "`--stop-at` is 9, but the run stands at step 10"),
        (Limits(max_minutes=1, anneal=True), "2.00 of 1 minutes are used"),
        (Limits(max_minutes=2, anneal=True), "2.00 of 2 minutes are used"),
        (Limits(max_minutes=2.1, anneal=True), "no time for a decay"),
    ],
)
def test_a_run_that_has_gone_too_far_for_its_limits_is_left_as_it_is(
    tmp_path: Path, limits: Limits, complaint: str
):
    save_state(tmp_path, STANDS, {}, {}, to_dict(CONFIG), Ranks())
    before = {one: one.stat().st_mtime_ns for one in tmp_path.rglob("*")}
    with pytest.raises(UserError, match=complaint):
        start(tmp_path, CONFIG, limits, TASKS, tokenizer=TOKENIZER, processes=1)
    assert {one: one.stat().st_mtime_ns for one in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    "limits",
    [
        Limits(steps=11, decay_at=10),
        Limits(max_minutes=3, anneal=True),
        Limits(max_minutes=1),
        Limits(stop_at=10),
    ],
)
def test_limits_a_run_can_still_keep_are_taken(limits: Limits):
    limits.check(STANDS)


def test_a_decay_once_decided_is_brought_to_its_end_whatever_the_limits_say():
    decided = Progress(step=10, elapsed_s=120.0, decay_at=9, end=12)
    Limits(steps=12, decay_at=9).check(decided)
    Limits(max_minutes=1, anneal=True).check(decided)
    with pytest.raises(UserError, match="it goes from step 9 to 12"):
        Limits(steps=20, decay_at=11).check(decided)


@pytest.mark.parametrize(
    "limits", [Limits(steps=4, decay_at=-1), Limits(max_minutes=0, anneal=True)]
)
def test_a_new_run_refuses_a_decay_before_its_first_step(tmp_path: Path, limits: Limits):
    with pytest.raises(UserError):
        start(tmp_path / "run", CONFIG, limits, TASKS, tokenizer=TOKENIZER, processes=1)
    assert not (tmp_path / "run").exists()
