"""The index over a library, and what is found in it."""

import importlib.util
from pathlib import Path

import pytest
from tests.prove.small_library import SmallLean

from bise.judge import WasmLean
from bise.judge.backend import NoLean
from bise.prove.leanings import workhorses
from bise.prove.library_index import is_left_out, words_of
from bise.prove.premises import Premises, open_premises
from bise.prove.queries import matches, read_context, read_query

LAB = Path(__file__).parents[2] / "lab" / "prove" / "premises.py"


@pytest.fixture(scope="module")
def premises(tmp_path_factory) -> Premises:
    return open_premises(SmallLean(), home=tmp_path_factory.mktemp("home"))


def names(premises: Premises, query: str, **more) -> list[str]:
    return [one.name for one in premises.search(query, **more)]


def test_types_are_printed_as_lean_does(premises):
    shown = {one.name: one.type for one in premises.search("length append nat list", limit=50)}
    assert shown["List.length_append"] == (
        "{α : Type} {as bs : List α} : (as ++ bs).length = as.length + bs.length"
    )
    assert shown["List.append_nil"] == "{α : Type} (as : List α) : as ++ [] = as"
    assert shown["Nat.add_comm"] == "(n m : Nat) : n + m = m + n"
    assert shown["HAppend.hAppend"] == ("{α β γ : Type} [inst : HAdd α β γ] (a : α) (b : β) : γ")


def test_private_and_made_declarations_are_left_out(premises):
    assert not {"List.rec", "List.length.eq_1", "List.length_append._simp_1"} & set(premises.names)
    assert not [one for one in premises.names if "secret" in one]
    assert premises.kind("List.length_append") == "theorem"
    assert premises.kind("List") == "inductive"
    assert premises.kind("List.rec") is None


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("length of append", "List.length_append"),
        ("length reversed", "List.length_reverse"),
        ("addition is commutative", "Nat.add_comm"),
        ("List.length_rev", "List.length_reverse"),
        ("List.length (_ ++ _)", "List.length_append"),
        ("?a + ?b = ?b + ?a", "Nat.add_comm"),
        ("⊢ xs.reverse.length = xs.length", "List.length_reverse"),
        ("theorem t (xs : List Nat) : xs ++ [] = xs := by simp", "List.append_nil"),
        ("a b : Nat\nh : a = b\n⊢ a + b = b + a", "Nat.add_comm"),
    ],
)
def test_the_first_is_the_one_that_was_meant(premises, query, first):
    assert names(premises, query)[0] == first


def test_a_pattern_is_held_against_whole_statements(premises):
    assert names(premises, "?a + ?a = _") == []
    assert names(premises, "|- _ ++ _ = _") == ["List.append_nil"]
    assert names(premises, "_.length + _") == ["List.length_append"]


def test_what_is_deprecated_comes_last(premises):
    found = names(premises, "⊢ a + b = b + a")
    assert found.index("Nat.add_comm") < found.index("Nat.old_comm")


def test_definitions_tell_what_else_will_be_needed(premises):
    goal = "theorem t (q : Q) : toList q = []"
    context = "def toList (q : Q) : List Nat := q.front ++ q.back.reverse"
    informed, plain = names(premises, goal, context=context), names(premises, goal)
    assert informed.index("List.length_reverse") < plain.index("List.length_reverse")


@pytest.mark.parametrize("query", ["", "  ", "?", "_", "⊢", "))((", "∀", "xyzzy", "\0", "«"])
def test_odd_queries_find_something_or_nothing(premises, query):
    assert isinstance(names(premises, query), list)


def test_long_and_deep_queries_come_to_an_end(premises):
    names(premises, "⊢ " + "(" * 50_000)
    names(premises, "⊢ " + "f (" * 5_000 + "_")
    assert names(premises, "a + b = " * 3_000 + "b + a")


def test_an_index_is_made_once_and_anew_if_it_is_not_whole(tmp_path):
    told = []
    lean = SmallLean()
    open_premises(lean, home=tmp_path, told=lambda *done: told.append(done))
    (file,) = tmp_path.glob("premises-*.npz")
    num_read = lean.num_read
    assert told[-1] == (2, 2)
    old = file.with_name("premises-0123-1.npz")
    old.write_bytes(b"of another library")
    assert len(open_premises(lean, home=tmp_path)) == 13
    assert lean.num_read == num_read
    file.write_bytes(file.read_bytes()[:1000])
    assert "Nat.add_comm" in open_premises(lean, home=tmp_path).names
    assert list(tmp_path.iterdir()) == [file]


def test_identifiers_are_split_into_words():
    assert words_of("List.getElem?_append") == ["list", "get", "elem", "append"]
    assert words_of("BitVec.toNat_ofNat") == ["bit", "vec", "to", "nat", "of", "nat"]
    assert words_of("HAppend.hAppend") == ["h", "append", "h", "append"]


def test_names_that_lean_makes_up_are_known():
    made = ("noConfusion", "eq_1", "match_3", "brecOn_1", "congr_simp", "induct_unfolding")
    assert all(is_left_out(("Foo", last)) for last in made)
    assert not any(is_left_out((last,)) for last in ("congr", "eq_comm", "match_ok", "elim"))


def test_queries_are_read_as_trees():
    query = read_query("theorem t (xs : List Nat) (h : ∀ x, x ∈ xs → x < n) : xs.length ≤ n := by")
    assert query.target.head == "LE.le"
    assert [one.head for one in query.target.parts] == [".length", "n"]
    assert query.bound == {"xs", "h", "x"}
    goal = read_query("case zero\nn : Nat\n⊢ if h : n = 0 then [] ≠ [n] else (f n).1[0]? = some n")
    heads = {one.head for one in goal.walk()}
    assert {"dite", "Ne", "List.cons", "GetElem?.getElem?", "some"} <= heads
    assert [one.head for one in read_context("| x :: xs => x + f xs") if one.head != "_"]


def test_a_pattern_fits_by_the_last_words_of_names():
    statement = read_query("{α : Type u} (xs ys : List α) : (xs ++ ys).length = ys.length + 1")
    for fitting in ("List.length _", "length (_ ++ _)", "_.length = _", "?a.length + _"):
        assert matches(read_query(fitting).target, statement), fitting
    for other in ("_ * _", "Array.size _", "?a + ?a", "(_ + _).length"):
        assert not matches(read_query(other).target, statement), other


def _library() -> Premises | None:
    try:
        return open_premises(WasmLean())
    except NoLean:
        return None


@pytest.mark.full
def test_premise_search_finds_what_proofs_use():
    """Among the first 20, for 60 % of the proofs that name a theorem of the library."""
    premises = _library()
    if premises is None:
        pytest.skip("Lean is not installed: `bise prove setup`")
    assert [one for one in workhorses() if premises.kind(one) is None] == []
    spec = importlib.util.spec_from_file_location("premises_lab", LAB)
    assert spec is not None and spec.loader is not None
    lab = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lab)
    ranks = lab.measure(premises, lab.PROOFS).ranks
    assert len(ranks) >= 60
    assert sum(min(places) <= 20 for places in ranks) / len(ranks) >= 0.6
