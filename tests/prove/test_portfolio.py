"""Automation: which scripts are tried for a goal, and what becomes of a file."""

from itertools import product

import pytest
from fakes import FakePool

from bise.prove.budget import Budget, Spent
from bise.prove.filling import is_closed
from bise.prove.goals import read_goal
from bise.prove.portfolio import scripts_for, sweep
from bise.prove.problems import load_problems
from bise.prove.refute import _instances, _ranks, statement_of, values_of
from bise.prove.repair import open_broken
from bise.prove.source import Source
from bise.prove.workspace import Workspace

FILE = """\
namespace A

def size : List Nat → Nat
  | [] => 0
  | _ :: xs => size xs + 1

theorem first (xs : List Nat) : 0 ≤ size xs := sorry

theorem second (xs ys : List Nat) (h : xs = ys) : size xs = size ys := by sorry

end A
"""


def scripts(number: int, goal: str) -> list[str]:
    source = Source(FILE)
    return list(scripts_for(read_goal(goal), source, source.declarations[3 + number - 1]))


def test_scripts_use_what_the_file_and_the_goal_show():
    found = scripts(1, "xs ys : List Nat\nh : xs = ys\n⊢ size xs = size ys")
    assert found[0] == "rfl" and "omega" in found
    assert "simp [size, first]" in found
    for one in ("size xs", "size ys"):  # there are two, so each is named
        assert f"fun_induction {one} <;> grind [size, first]" in found
    assert "induction xs generalizing ys <;> grind [size, first]" in found
    assert not any("induction h" in one for one in found)
    assert len(found) == len(set(found))
    assert max(map(found.index, ("rfl", "grind"))) < found.index(
        "induction xs <;> grind [size, first]"
    )


def test_binders_of_the_target_are_introduced_by_name():
    found = scripts(0, "⊢ ∀ (n : Nat) (t : Tree Nat), Ordered t → n = n")
    assert "intro n t h1\nomega" in found
    assert any(one.startswith("intro n t h1\ninduction t <;> ") for one in found)
    assert any(one.startswith("intro n t h1\ncases h1 <;> ") for one in found)


def test_a_sweep_fills_what_it_can_and_leaves_the_rest():
    pool, work = FakePool(right="fun_induction size <;> grind [size]\n"), Workspace(FILE)
    swept = sweep(work, pool, Budget(), cpu_s=100)
    assert [one.name for one in swept.closed] == ["A.first"] and swept.open == ["A.second"]
    assert (
        "theorem first (xs : List Nat) : 0 ≤ size xs := by\n  intro xs\n  fun_induction size"
        in work.text
    )
    assert len(work.gaps) == 1 and work.lost_in(work.text) is None
    assert swept.num_tried == len(pool.checked)
    assert all("end A" not in one for one in pool.checked)  # what follows is not elaborated


def test_a_sweep_ends_at_its_limits():
    pool, work = FakePool(right="never"), Workspace(FILE)
    swept = sweep(work, pool, Budget(), cpu_s=1.0)
    assert swept.cpu_s <= 1.3 and swept.open == ["A.first", "A.second"]
    with pytest.raises(Spent, match="checks"):
        sweep(Workspace(FILE), pool, Budget(checks=3))


def test_closed_means_that_this_declaration_is():
    pool = FakePool()
    text = "theorem a : 1 = 1 := wrong\n\ntheorem b : 1 = 1 := by magic\n"
    assert is_closed(pool.check(text), 3) and not is_closed(pool.check(text), 1)
    assert not is_closed(pool.check("theorem a : loops := by magic\n"), 1)


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("theorem t : 1 = 2 := sorry\n", "1 = 2"),
        ("theorem t (n : Nat) {b : Bool} :\n    n = n := by sorry\n",
         "∀ (n : Nat) {b : Bool}, n = n"),
        ("theorem t (f : Nat → Nat) (h : ∀ x, f x = x) : f 1 = 1 := by\n  sorry\n",
         "∀ (f : Nat → Nat) (h : ∀ x, f x = x), f 1 = 1"),
    ],
)  # fmt: skip
def test_a_statement_as_one_proposition(text, statement):
    source = Source(text)
    assert statement_of(source, source.declarations[0]) == statement


def test_small_values_of_types():
    assert values_of("List (Option Bool)")[1] == "[none]"
    assert values_of("Nat → Bool")[0] == "(fun x => x == 0)"
    assert values_of("List Nat → List Nat → List Nat") == ("(fun x _ => x)", "(fun _ y => y)")
    assert "(fun x => x + 1)" in values_of("(Nat → Nat)")
    assert values_of("Tree Nat") == () and values_of("(Int)")[0] == "0"


def test_broken_proofs_become_gaps_and_statements_stay():
    text = (
        "def f : Nat := 2\n\ntheorem a : f = 1 := by\n  old\n\n"
        "theorem b (h : f = 2 := rfl) : f = 2 := by\n  magic\n\ntheorem c : f = 3 := by\n  worse\n"
    )
    challenge, lost = open_broken(text, FakePool(), Budget())
    assert lost == {"a": ":= by\n  old", "c": ":= by\n  worse"}
    assert challenge == text.replace("by\n  old", "sorry").replace("by\n  worse", "sorry")


def test_what_is_no_proof_cannot_be_opened():
    class Broken(FakePool):
        def check(self, *_, **__):
            return super().check("theorem t : x\n")

    with pytest.raises(Exception, match="unsolved goals"):
        open_broken("def f : Nat := true\n", Broken(), Budget())


def test_a_folder_of_files_is_a_set_of_problems(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.lean").write_text("theorem t : True := sorry\n")
    (tmp_path / "two.lean").write_text("import Mathlib.Tactic\ntheorem t : True := sorry\n")
    (tmp_path / "done.lean").write_text("theorem t : True := trivial\n")
    found = load_problems(str(tmp_path))
    assert [(one.name, one.needs) for one in found] == [
        ("deep/one", ()),
        ("two", ("Mathlib.Tactic",)),
    ]
    with pytest.raises(Exception, match="no problem is called"):
        load_problems(str(tmp_path), ["three"])
    with pytest.raises(Exception, match="is no folder"):
        load_problems(str(tmp_path / "none"))


def test_types_beyond_reason_have_no_values():
    assert values_of("List (" * 9 + "Nat" + ")" * 9) == ()
    assert values_of("f " * 5000) == () == values_of("fun x => " * 3000)


def test_values_for_many_variables_come_one_by_one_small_ones_first():
    binders = " ".join(f"(n{i} : Nat)" for i in range(40))
    found = _instances(read_goal(f"⊢ ∀ {binders}, n0 = n1").binders)
    assert next(found) == " ".join("0" * 40)
    assert next(found) == " ".join("0" * 39 + "1")
    sizes = (2, 3, 1, 4)
    every = product(*(range(size) for size in sizes))
    assert list(_ranks(sizes)) == sorted(every, key=lambda ranks: (sum(ranks), ranks))
