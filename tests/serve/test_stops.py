"""Stop strings against the plain definition: cut the whole text at the first of them."""

from random import Random

import pytest

from bise.serve.stops import StopFinder


def found(pieces, stops, **options):
    finder, shown = StopFinder(stops, **options), ""
    for piece in pieces:
        shown += finder.feed(piece)
        if finder.matched is not None:
            return shown, finder.matched
    return shown + finder.flush(), None


def split(text, rng):
    pieces = []
    while text:
        count = rng.randint(1, 3)
        pieces.append(text[:count])
        text = text[count:]
    return pieces


@pytest.mark.parametrize("seed", range(200))
def test_any_split_is_cut_like_the_whole(seed):
    rng = Random(seed)
    text = "".join(rng.choices("abc", k=12))
    stops = ["".join(rng.choices("abc", k=3)) for _ in range(rng.randint(0, 3))]
    places = [text.find(stop) for stop in stops if stop in text]
    expected = text[: min(places)] if places else text
    assert found(split(text, rng), stops)[0] == expected


def test_only_what_may_begin_a_stop_string_is_held_back():
    finder = StopFinder(["END"])
    assert finder.feed("one E") == "one "
    assert finder.feed("N") == ""
    assert finder.feed("O") == "ENO"
    assert finder.feed("E") == "" and finder.flush() == "E"


def test_the_match_can_be_kept():
    assert found(["46, ", "yes"], [", y"], keeps_match=True) == ("46, y", ", y")
