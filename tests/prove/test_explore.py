"""Lemmas made from types: which are tried, and where those go that hold."""

import pytest
from fakes import FakePool, NoPremises

from bise.prove.budget import Budget
from bise.prove.explore import conjectures_about, explore, signature_of
from bise.prove.filling import Swept, Trial
from bise.prove.portfolio import applications, sweep, sweep_deeper
from bise.prove.premises import Premise
from bise.prove.source import Source
from bise.prove.workspace import Workspace

FILE = """\
def rev {α : Type} : List α → List α
  | [] => []
  | x :: xs => rev xs ++ [x]

def start : Nat := 0

theorem twice {α : Type} (xs : List α) : rev (rev xs) = xs := sorry
"""


def about(text):
    source = Source(text)
    return signature_of(source, source.declarations[0])


def claims(text):
    found = about(text)
    assert found is not None
    return [one.claim for one in conjectures_about(found)]


def test_a_type_is_read_as_it_is_written():
    found = about(
        "def f {α : Type} [DecidableEq α] (p q : α → Bool) : List α → Nat → α\n  | _ => 1"
    )
    assert found.implicit == "{α : Type} [DecidableEq α]" and found.gives == "α"
    assert found.taken == (
        ("p", "α → Bool"), ("q", "α → Bool"), ("a3", "List α"), ("a4", "Nat"),
    )  # fmt: skip
    assert found.call(a3="(a3 ++ ys)") == "f p q (a3 ++ ys) a4" and found.is_structural
    assert not about("def f (n : Nat) : Nat := f (n / 2)\ntermination_by n").is_structural


@pytest.mark.parametrize(
    "text", ["def f := 1", "def f : Nat := 1", "def f x := x", "def f (ys : Nat) : Nat := 1"]
)
def test_what_has_no_type_of_use_is_left(text):
    assert about(text) is None


def test_what_is_likely_follows_from_the_type():
    assert "f (a1 ++ ys) = f a1 + f ys" in claims("def f : List Nat → Nat := x")
    assert "p (a1 ++ ys) ↔ (p a1 ∧ p ys)" in claims("def p : List Nat → Prop := x")
    run = claims("def run : List Op → State → Option State := x")
    assert run == ["run (a1 ++ ys) a2 = (run a1 a2).bind fun one => run ys one"]
    assert "exec (a1 ++ ys) a2 = exec ys (exec a1 a2)" in claims("def exec : List Op → S → S := x")
    go = claims("def go (acc0 : Nat) : List Nat → Nat := x")
    assert {"go acc a2 = acc + go 0 a2", "go acc a2 = acc * go 1 a2"} <= set(go)
    put = claims("def put (x : Nat) : List Nat → List Nat := x")
    assert "(put x a2).Perm (x :: a2)" in put and "one ∈ put x a2 ↔ one ∈ (x :: a2)" in put


def explored(right):
    pool, work, swept = FakePool(right), Workspace(FILE), Swept()
    found = explore(work, Trial(pool, Budget(), swept, 100.0))
    assert swept.num_tried == len(pool.checked)
    return found, work, pool


def test_what_holds_stands_before_the_open_theorem_and_its_alternatives_are_not_tried():
    found, work, pool = explored("induction a1 <;> simp_all [rev]")
    assert found == ["rev_append'"]  # the others' scripts name it
    first = (
        "theorem rev_append' {α : Type} (a1 ys : List α) :\n    rev (a1 ++ ys) = rev a1 ++ rev ys"
    )
    assert first in work.text and work.text.index(first) < work.text.index("theorem twice")
    assert work.lost_in(work.text) is None and len(work.gaps) == 1
    assert not any("rev ys ++ rev a1" in one for one in pool.checked)
    assert not any("twice" in one for one in pool.checked)


def test_what_does_not_hold_leaves_the_file_as_it_was():
    found, work, _ = explored("never")
    assert found == [] and work.text == FILE


def test_its_time_ends_it():
    swept = Swept()
    explore(Workspace(FILE), Trial(FakePool("never"), Budget(), swept, 0.55))
    assert 0.5 < swept.cpu_s < 0.7


def test_a_theorem_is_tried_again_with_the_lemmas_that_were_found():
    work, told = Workspace(FILE), []

    class Lenient(FakePool):
        def check(self, source, **how):
            self.right = "grind [rev, rev_append'" if "theorem twice" in source else "simp_all"
            return super().check(source, **how)

    pool, tried = Lenient(), set()
    swept = sweep(work, pool, Budget(), cpu_s=60.0, tried=tried)
    assert swept.open == ["twice"] and len(tried) == swept.num_tried
    then = sweep_deeper(work, pool, Budget(), tried, NoPremises, cpu_s=100.0, explored=told.extend)
    assert told and told[0] == "rev_append'" and [one.name for one in then.closed] == ["twice"]
    assert "rev_append'" in work.text.partition("theorem twice")[2]


class Library:
    """Knows one theorem, for goals that are about `rev`."""

    def __init__(self):
        self.asked = []

    def search(self, query, limit=20, *, context=""):
        self.asked.append((query, limit, "def rev" in context))
        return [Premise("List.of_use", "", "Init", "theorem")]


def test_what_the_library_has_for_a_goal_is_tried_too():
    pool, work, library = FakePool("simp [rev, ← List.of_use]"), Workspace(FILE), Library()
    swept = sweep_deeper(work, pool, Budget(), set(), lambda: library, cpu_s=100.0)
    assert [one.script for one in swept.closed] == ["intro α xs\nsimp [rev, ← List.of_use]"]
    goals = [query for query, _, has_definitions in library.asked if has_definitions]
    assert len(goals) == len(library.asked) >= 2 and "rev (rev xs) = xs" in goals[0]


def test_inductions_go_along_each_application():
    target = "distance xs ys = distance ys (x :: xs) + f distance"
    assert applications("distance", target) == ["distance xs ys", "distance ys (x :: xs)"]
    assert applications("go", "(go p xs [] []).1 ++ A.go x + go' y") == ["go p xs [] []"]
    assert applications("f", "if f x then f y else g") == ["f x", "f y"]
