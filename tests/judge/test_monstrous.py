"""Declarations without an end, or nearly: looked at, or given up in time."""

import sys
import time
from dataclasses import replace

import pytest
from made_files import Files, asked, made_type

from bise.judge import BadOlean, Rejected
from bise.judge.axioms import reachable
from bise.judge.compare import MAX_DEPTH, compare, deep_recursion
from bise.judge.running import check_running
from bise.judge.terms import (
    BOUND,
    FORALL,
    LAMBDA,
    LEVEL_PARAM,
    LITERAL,
    PROJECT,
    SORT,
    SUCC,
)


def test_terms_of_any_depth_are_compared_or_refused():
    files = Files()
    kind = files.truth
    for _ in range(30_000):
        kind = files.add(FORALL, ("x",), files.nat, kind, 0)
    other = files.truth
    for number in range(30_000):
        other = files.add(FORALL, ("y", number), files.nat, other, 0)
    challenge = asked(files, kind)
    start = time.monotonic()
    try:
        compare(challenge, files.side([files.theorem("t", other, files.use("trivial"))]))
    except Rejected as fault:
        assert fault.reason == "too_complex"
    assert time.monotonic() - start < 20


def test_the_limit_of_recursion_holds_until_the_last_is_done():
    before = sys.getrecursionlimit()
    one, other = deep_recursion(), deep_recursion()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert sys.getrecursionlimit() >= MAX_DEPTH
    other.__exit__(None, None, None)
    assert sys.getrecursionlimit() == before


def test_a_field_of_any_number_is_not_sought():
    files = Files()
    owner, made = made_type(files, "S", ("mk", "other"), 0)[:2]
    owner = replace(owner, constructors=(("mk",),))
    shape = files.add(FORALL, ("h",), files.truth, files.prop, 0)
    body = files.add(LAMBDA, ("h",), files.truth, files.truth, 0)
    holds = files.definition("holds", shape, body)
    challenge = asked(files, files.apply(files.use("holds"), files.use("trivial")), holds)
    field = files.add(PROJECT, ("S",), 10**7, files.use("mk"))
    kind = files.apply(files.use("holds"), field)
    theirs = files.side([owner, made, holds, files.theorem("t", kind, files.use("trivial"))])
    start = time.process_time()
    with pytest.raises(Rejected, match="does not say"):
        compare(challenge, theirs)
    assert time.process_time() - start < 1


def test_terms_that_many_declarations_share_are_not_gone_through_without_end(monkeypatch):
    files = Files()
    large = files.use("zero")
    for _ in range(100):
        large = files.apply(files.use("zero"), large)
    made = [files.definition(f"d{number}", files.nat, large) for number in range(100)]
    side = files.side([*made, files.theorem("t", files.truth, files.use("trivial"))])
    names = [one.name for one in made]
    assert len(reachable(names, side.module, files.terms)) > 100
    monkeypatch.setattr("bise.judge.terms.MAX_WALKED", files.terms._walked + 5_000)
    with pytest.raises(BadOlean, match="takes too long"):
        reachable(names, side.module, files.terms)


def test_what_doubles_at_every_step_is_given_up():
    files = Files()
    term = files.add(BOUND, 64)  # the outermost variable, so that no part is closed
    for number in range(64):
        parts = [files.add(LAMBDA, (word, number), files.nat, term, 0) for word in "ab"]
        term = files.apply(files.use("zero"), *parts)
    hole = files.definition("f", files.nat, files.add(LAMBDA, ("x",), files.nat, term, 0))
    start = time.monotonic()
    with pytest.raises(Rejected) as fault:
        check_running(files.side([hole]), (("f",),))
    assert fault.value.reason == "too_complex" and time.monotonic() - start < 60


def test_a_large_type_is_computed_once_for_each_of_its_universes():
    """A definition may be unfolded at every place of another one; walking it each time adds up."""
    files = Files()
    sort = files.add(
        SORT, files.terms.levels.add(SUCC, files.terms.levels.add(LEVEL_PARAM, ("u",)))
    )
    large = sort
    for number in range(4_000):
        step = files.add(LAMBDA, ("y", number), sort, files.add(BOUND, 0), 0)
        large = files.apply(step, large)
    unused = files.add(LAMBDA, ("w",), sort, files.add(BOUND, 1), 0)
    value = files.add(LAMBDA, ("x",), sort, files.apply(unused, large), 0)
    big = files.definition(
        "big", files.add(FORALL, ("x",), sort, sort, 0), value, universes=(("u",),)
    )
    kind = files.apply(files.use("big", files.zero), files.nat)
    made = files.add(FORALL, ("n",), files.nat, kind, 0)
    took = files.add(FORALL, ("n",), kind, made, 0)
    body = files.apply(files.use("make"), files.use("zero"))
    for number in range(400):
        body = files.apply(files.use("take"), body, files.add(LITERAL, number))
    one = files.add(LAMBDA, ("n",), files.nat, files.add(BOUND, 0), 0)
    two = files.add(LAMBDA, ("n",), kind, one, 0)
    side = files.side(
        [big, files.definition("make", made, one), files.definition("take", took, two),
         files.definition("f", kind, body)]
    )  # fmt: skip
    start = time.process_time()
    check_running(side, (("f",),))
    assert time.process_time() - start < 8
