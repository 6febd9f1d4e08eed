"""Warm Leans answer fast, share a begin, and outlive the files they are given.

Needs the Lean of `bise prove setup`; the pool is started once.
"""

import threading

import pytest

from bise.errors import UserError
from bise.judge.backend import NeedsNative, NoLean
from bise.judge.extensions import Position
from bise.judge.pool import PoolLimits, WarmPool, offset_of
from bise.judge.sandbox import NoWall
from bise.judge.warm import gaps
from bise.judge.wasm import WasmLean

SOURCE = """import Init
theorem swap (a b : Nat) (h : a = b) : b = a := by
  sorry
def later : Nat := sorry
example (p q : Prop) (hp : p) (hq : q) : p ∧ q := by
  constructor
  · exact hp
  · sorry
"""


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def pool(lean, told):
    with WarmPool(lean, told=told.append) as made:
        yield made


def test_messages_and_the_goal_at_each_gap(pool):
    found = pool.check(SOURCE)
    assert found.end == "answered" and not found.has_errors
    assert found.has_gaps and not found.seems_done
    assert [one.start.line for one in found.messages] == [2, 4, 5]
    assert [(one.place.line, one.text) for one in found.goals] == [
        (3, "a b : Nat\nh : a = b\n⊢ b = a"),
        (4, "⊢ Nat"),
        (8, "case right\np q : Prop\nhp : p\nhq : q\n⊢ q"),
    ]
    again = pool.check(SOURCE)
    assert again.is_cached and again.goals == found.goals


def test_goals_at_any_place(pool):
    (goal,) = pool.goals(SOURCE, Position(7, 4))
    assert goal.text.endswith("⊢ p") and goal.place == Position(7, 4)
    with pytest.raises(UserError, match="no line 99"):
        pool.goals(SOURCE, Position(99, 0))


def test_many_tactics_at_one_place(pool, told):
    texts = ["simp", "omega", "exact h", "exact h.symm"]
    found = pool.try_many(SOURCE, Position(3, 2), texts)
    assert [one.has_errors for one in found] == [True, False, True, False]
    assert all(one.has_gaps for one in found), "the others are still open"
    assert sum(one.startswith("starting") for one in told) == 1


def test_a_finished_file_seems_done(pool):
    found = pool.check("theorem t : 2 + 2 = 4 := rfl")
    assert found.seems_done and found.goals == ()
    found = pool.check("def d (l : List Nat) := l.reverse ++ l\ntheorem t : d [1] = [1, 1] := rfl")
    assert found.seems_done, "code of the library is not needed"


def test_a_message_longer_than_a_pipe_takes_at_once_comes_whole(pool):
    """What was lost of it took the answer's end along, or left a failed proof without error."""
    long = "word " * 100_000
    for _ in range(3):
        told = pool.check(f'theorem t : 1 = 2 := by\n  fail "{long}"\n')
        assert told.end == "answered" and not told.seems_done
        (message,) = told.messages
        assert message.severity == "error" and long.strip() in message.text
        assert pool.check("theorem t : 1 = 1 := rfl\n").seems_done


@pytest.mark.slow
def test_the_pool_goes_on_after_hostile_files(pool):
    ended = pool.check("#eval (IO.Process.exit 0 : IO Unit)")
    assert ended.end == "exited" and ended.has_errors
    endless = pool.check("partial def f (n : Nat) : Nat := f (n + 1)\n#eval f 0", cpu_s=3)
    assert endless.end == "cpu" and endless.has_errors
    assert pool.check("theorem t : 2 + 3 = 5 := rfl").seems_done


@pytest.mark.slow
def test_threads_share_one_process(pool):
    found = {}
    sources = [f"theorem t{number} : {number} = {number} := rfl" for number in range(4)]
    threads = [
        threading.Thread(target=lambda one=one: found.__setitem__(one, pool.check(one)))
        for one in sources
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert all(found[one].seems_done for one in sources)


@pytest.mark.slow
def test_a_process_is_replaced_after_some_files_and_for_another_header(lean):
    told = []
    with WarmPool(lean, PoolLimits(files_each=1, num_processes=1), told.append) as pool:
        assert pool.check("#check 1").end == "answered"
        assert pool.check("import Std.Data.HashMap\n#check Std.HashMap").seems_done
    assert sum(one.startswith("starting") for one in told) == 2
    with pytest.raises(NoLean, match="closed"):
        pool.check("#check 2")


@pytest.mark.slow
def test_a_lean_without_walls_searches_and_never_judges(lean):
    loose = WasmLean(lean.installation, has_walls=False)
    with WarmPool(loose) as pool:
        assert pool.check("theorem t : 2 + 2 = 4 := rfl").seems_done
    with pytest.raises(NoWall, match="may search, but not judge"):
        loose.compile("theorem t : 2 + 2 = 4 := rfl")


def test_a_module_that_is_nowhere_is_told(pool):
    with pytest.raises(NeedsNative):
        pool.check("import Mathlib\n#check 1")


def test_gaps_are_found_where_lean_sees_them():
    source = (
        'a sorry -- sorry\n/- sorry /- sorry -/ sorry -/ «sorry» "sorry \\" sorry" xsorry\n(sorry)'
    )
    assert [source[at - 1 : at + 5] for at in gaps(source)] == [" sorry", "(sorry"]
    assert gaps("/- never closed sorry") == []


def test_places_are_offsets():
    assert offset_of("ab\ncd", Position(2, 1)) == 4
    assert offset_of("ab\n", Position(2, 0)) == 3
    for line, column in ((0, 0), (3, 0), (1, 3), (1, -1)):
        with pytest.raises(UserError, match="there is no line"):
            offset_of("ab\ncd", Position(line, column))
