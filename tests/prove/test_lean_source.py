"""What can be seen in a Lean source without Lean."""

from pathlib import Path

import pytest

from bise.prove.goals import read_goal
from bise.prove.problems import core_problems
from bise.prove.source import Source
from bise.prove.workspace import Protected, Workspace, fill

TEXT = """\
/- sorry, /- nested sorry -/ still -/
namespace A
-- sorry
def word : String := "sorry \\" sorry"
def raw : String := r"sorry\\"
def letter : Char := '"'
theorem one : 1 = 1 := sorry

namespace B
@[simp] theorem two (n : Nat) :
    n = n := by sorry
end B

mutual
theorem three : True := by
  have h : True := by
    sorry
  exact h
end

end A
theorem «odd name» : True := by
  sorry
"""


def test_gaps_are_words_outside_of_comments_and_strings():
    source = Source(TEXT)
    found = [(gap.line, gap.is_tactic, TEXT[gap.start : gap.end]) for gap in source.gaps]
    assert found == [
        (7, False, "sorry"),
        (11, True, "by sorry"),
        (17, True, "by\n    sorry"),
        (23, True, "by\n  sorry"),
    ]
    for gap in source.gaps:
        at = source.offset(gap.line, gap.column)
        assert TEXT.startswith("sorry", at) and source.place(at) == (gap.line, gap.column)


def test_declarations_know_their_whole_names():
    source = Source(TEXT)
    names = [source.qualified(source.declaration_at(gap.start)) for gap in source.gaps[:2]]
    assert names == ["A.one", "A.B.two"]
    assert source.qualified(source.declaration_at(source.gaps[3].start)) == "«odd name»"


@pytest.mark.parametrize(
    ("line", "column", "offset"),
    [(1, 0, 0), (0, 5, 0), (2, 999, TEXT.index("\n-- ")), (999, 0, len(TEXT))],
)
def test_places_outside_of_the_text_are_the_nearest_there_is(line, column, offset):
    assert Source(TEXT).offset(line, column) == offset


def test_a_gap_is_filled_with_tactics_at_the_right_depth():
    source = Source(TEXT)
    filled = fill(TEXT, source.gaps[1], "intro x\nomega")
    assert "    n = n := by\n  intro x\n  omega\nend B" in filled
    nested = fill(TEXT, source.gaps[2], "trivial")
    assert "  have h : True := by\n    trivial\n  exact h" in nested
    filled = fill(TEXT, source.gaps[0], "rfl")
    assert "theorem one : 1 = 1 := by\n  rfl\n" in filled


@pytest.mark.parametrize("problem", core_problems(), ids=lambda one: one.name)
def test_every_problem_can_be_worked_on(problem):
    work = Workspace(problem.challenge)
    assert work.gaps and work.lost_in(problem.challenge) is None
    for gap in work.gaps:
        assert work.lost_in(fill(problem.challenge, gap, "omega")) is None
        declaration = work.source.declaration_at(gap.start)
        assert declaration is not None
        with_lemma = (
            f"{problem.challenge[: declaration.start]}theorem helper : True := trivial\n\n"
            f"{problem.challenge[declaration.start :]}"
        )
        assert work.lost_in(with_lemma) is None
        statement = problem.challenge[declaration.start : gap.start]
        spoilt = problem.challenge.replace(statement, statement.replace(":", " :", 1), 1)
        assert work.lost_in(spoilt) is not None


def test_edits_outside_of_the_gaps_are_refused_and_change_nothing():
    work = Workspace("def f : Nat := 1\n\ntheorem t : f = 1 := sorry\n")
    with pytest.raises(Protected, match="must stay as it is"):
        work.edit("f : Nat := 1", "f : Nat := 2")
    with pytest.raises(Exception, match="is not in the file"):
        work.edit("nothing of it", "x")
    assert work.text == work.challenge
    work.edit("sorry", "rfl")
    assert work.text.endswith("f = 1 := rfl\n") and "+theorem t : f = 1 := rfl" in work.diff()
    free = Workspace(work.challenge, is_free=True)
    free.edit("f : Nat := 1", "f : Nat := 2")
    assert "2" in free.text


def test_blanks_around_a_gap_are_free_and_nothing_else_is():
    work = Workspace("def f : Nat := sorry\n\ntheorem t : f = 1 := by\n  sorry\n")
    work.replace("def f : Nat :=\n  1\ntheorem t : f = 1 := by rfl\n")
    assert not work.gaps
    for other in ("def f : Nat\n  := 1\ntheorem", "def f : Nat := 1\n\n theorem x"):
        with pytest.raises(Protected):
            work.replace(f"{other} t : f = 2 := by rfl\n")


def test_a_goal_is_taken_apart():
    goal = read_goal(
        "case succ\nα : Type u\nxs ys : List α\nn : Nat\nih : n + 0 =\n    n\n"
        "⊢ ∀ (m k : Nat) {b : Bool}, "
        "m < n → (∀ x ∈ xs, x ∈ ys) → m = k"
    )
    assert [(one.name, one.type) for one in goal.hypotheses] == [
        ("α", "Type u"),
        ("xs", "List α"),
        ("ys", "List α"),
        ("n", "Nat"),
        ("ih", "n + 0 = n"),
    ]
    assert [(one.name, one.type) for one in goal.binders] == [
        ("m", "Nat"),
        ("k", "Nat"),
        ("b", "Bool"),
        ("h1", "m < n"),
        ("h2", "(∀ x ∈ xs, x ∈ ys)"),
    ]
    assert read_goal("⊢ ∃ x, x = 1 → True").binders == ()
    assert [one.name for one in read_goal("⊢ ∀ x y, x = y").binders] == ["x", "y"]


def test_a_file_without_gaps_is_no_challenge(tmp_path: Path):
    path = tmp_path / "done.lean"
    path.write_text("theorem t : True := trivial -- sorry\n")
    with pytest.raises(Exception, match="has no `sorry`"):
        Workspace.open(path)
    with pytest.raises(Exception, match="cannot be read"):
        Workspace.open(tmp_path / "none.lean")
