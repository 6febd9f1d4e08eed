"""The words for how much to think."""

import pytest

from bise.errors import WrongType
from bise.text import EFFORT_WORDS, resolve_effort


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        (None, "none"),
        *((word, "none") for word in ("none", "minimal", False, 0, 0.0)),
        *((word, "high") for word in ("low", "medium", "high", "xhigh", "max", "ultra", True)),
    ],
)
def test_every_word_of_clients_means_something(asked: object, used: str):
    assert resolve_effort(asked) == used


@pytest.mark.parametrize("asked", ["", "extreme", "HIGH", "0", 1, 0.5, -1, float("nan"), [], {}])
def test_other_words_are_refused(asked: object):
    with pytest.raises(WrongType, match="trained with `none` and `high`") as caught:
        resolve_effort(asked)
    assert "leave it out" in caught.value.hint


def test_the_model_decides_which_words_it_knows():
    assert resolve_effort("low", known=("none", "low", "high")) == "low"
    assert resolve_effort(None, default="high") == "high"
    with pytest.raises(WrongType, match="trained with `none`"):
        resolve_effort("medium", known=("none",))


def test_the_table_leads_only_to_words_of_the_model():
    assert set(EFFORT_WORDS.values()) == {"none", "high"}
