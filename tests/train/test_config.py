"""Every `--set` either gives a config that trains, or is refused in one line."""

import pytest

from bise.errors import UserError
from bise.train.config import TrainConfig, override


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("preset.x=1", "`preset` has no fields"),
        ("mix=5", "`mix` is a group of fields"),
        ("mix.shares=1", "`shares` is a group of fields"),
        ("mix.shares.speed=1", "names no field"),
        ("mix.shares.chain.x=1", "`chain` has no fields"),
        ("speed=", "names no field"),
        ("parts=many", "`many` is no whole number"),
        ("parts=0", "`parts` is 0"),
        ("row_tokens=0", "`row_tokens` is 0"),
        ("row_tokens=-256", "`row_tokens` is -256"),
        ("row_tokens=256,", "is no whole number, nor several with commas"),
        ("long_every=0", "`long_every` is 0"),
        ("decay_share=1.5", "`decay_share` is 1.5"),
        ("dtype=bf16", "`dtype` is `bf16`, expected bfloat16 or float32"),
        ("dtype=float16", "`dtype` is `float16`, expected bfloat16 or float32"),
        ("optimiser.betas=0.9", "are 1 numbers, expected two"),
        ("optimiser.betas=0.9,1", "`optimiser.betas` is 1.0"),
        ("optimiser.peak_rate=nan", "`optimiser.peak_rate` is nan"),
        ("optimiser.peak_rate=inf", "`optimiser.peak_rate` is inf"),
        (f"parts=1{'0' * 400}", r"expected a number that is at most 2\*\*53"),
        (f"seed=1{'0' * 20}", "`seed` is 1"),
        ("loss.balance=-1", "`loss.balance` is -1"),
        ("mix.several_turns=1", "`mix.several_turns` is 1"),
        ("mix.thinking.chain=2", "`mix.thinking.chain` is 2"),
        ("part_tokens=1000", "rows of 256 tokens do not fill a part of 1000"),
    ],
)
def test_a_setting_that_cannot_be_is_told_in_one_line(assignment: str, complaint: str):
    with pytest.raises(UserError, match=complaint):
        override(TrainConfig(), [assignment])


def test_settings_reach_shares_and_pairs_of_numbers():
    changed = override(
        TrainConfig(), ["optimiser.betas=0.8,0.9", "mix.shares.chain=0.5", "optimiser.eps=1e-6"]
    )
    assert changed.optimiser.betas == (0.8, 0.9)
    assert changed.mix.shares["chain"] == 0.5
    assert changed.mix.shares["read"] == TrainConfig().mix.shares["read"]
    assert changed.optimiser.eps == 1e-6


def test_settings_are_judged_together_in_whichever_order_they_come():
    pair = ["part_tokens=1024", "long_row_tokens=1024"]
    assert override(TrainConfig(), pair) == override(TrainConfig(), pair[::-1])


def test_a_mix_of_nothing_is_refused():
    nothing = [f"mix.shares.{name}=0" for name in TrainConfig().mix.shares]
    with pytest.raises(UserError, match="all 0"):
        override(TrainConfig(), nothing)
