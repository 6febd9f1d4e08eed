"""Learning a vocabulary."""

from collections import Counter
from itertools import pairwise

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bise.errors import UserError
from bise.text import learn_merges
from bise.text.learn import join_pair
from bise.text.tekken_file import SPLIT_PATTERN


def learn_plainly(texts: list[str], num_merges: int) -> list[bytes]:
    """The definition: count every pair anew before each merge."""
    pieces = [
        [bytes([value]) for value in piece.encode()]
        for text in texts
        for piece in regex.findall(SPLIT_PATTERN, text)
    ]
    merges: list[bytes] = []
    while len(merges) < num_merges:
        counts = Counter(left + right for piece in pieces for left, right in pairwise(piece))
        new = {pair: count for pair, count in counts.items() if pair not in merges}
        if not new:
            break
        merges.append(min(new, key=lambda pair: (-new[pair], pair)))
        pieces = [join_pair(piece, merges[-1]) for piece in pieces]
    return merges


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab é1\n", max_size=40), max_size=8), st.integers(0, 12))
def test_merges_equal_the_definition(texts: list[str], num_merges: int):
    expected = learn_plainly(texts, num_merges)
    assert learn_merges(texts, len(expected)) == expected


def test_the_commonest_pair_comes_first_and_ties_are_settled():
    assert learn_merges(["abab abab ab", "cdcd"], 2) == [b"ab", b" ab"]
    assert learn_merges(["ba", "ab"], 1) == learn_merges(["ab", "ba"], 1) == [b"ab"]


def test_digits_never_merge():
    with pytest.raises(UserError, match="yield 0 merges"):
        learn_merges(["1234567890" * 100], 1)


def test_too_little_text_is_said():
    with pytest.raises(UserError, match="yield 1 merges, but 5"):
        learn_merges(["ab"], 5)
