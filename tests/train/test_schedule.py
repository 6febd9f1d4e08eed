"""The rate is a function of the step."""

import pytest

from bise.errors import UserError
from bise.train.schedule import Schedule


def test_the_rate_warms_up_holds_and_falls_to_zero():
    schedule = Schedule(warmup_steps=4, decay_at=10, end=14)
    factors = [schedule.factor(step) for step in range(15)]
    assert factors[:4] == [0.25, 0.5, 0.75, 1.0]
    assert factors[4:11] == [1.0] * 7
    assert factors[11:] == [0.75, 0.5, 0.25, 0.0]


def test_without_a_decision_the_rate_never_falls():
    schedule = Schedule(warmup_steps=1)
    assert schedule.factor(10**9) == 1.0
    assert not schedule.is_decaying(10**9)
    assert not schedule.is_over(10**9)


def test_a_decay_that_ends_before_it_begins_is_refused():
    with pytest.raises(UserError, match="decay is to begin at step 10 of a run that ends at 10"):
        Schedule(warmup_steps=1, decay_at=10, end=10)
