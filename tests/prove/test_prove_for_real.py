"""Searches with the real Lean and the real judge, from a file to a verdict and a certificate."""

import json
import sys
from pathlib import Path

import pytest
from scripted_model import ScriptedModel, say, use

from bise.commands.demo_proof import PROBLEM, search
from bise.judge import Position
from bise.judge.backend import NoLean
from bise.judge.install import installed
from bise.prove.budget import Budget
from bise.prove.hand import Hand
from bise.prove.problems import core_problems
from bise.prove.refute import refute
from bise.prove.repair import open_broken
from bise.prove.workspace import Workspace

PROBLEMS = {one.name: one.challenge for one in core_problems()}


@pytest.fixture(scope="module")
def hand():
    try:
        installed()
    except NoLean as fault:
        pytest.skip(f"{fault.message}: {fault.hint}")
    with Hand() as found:
        yield found


@pytest.mark.slow
def test_automation_proves_and_the_judge_accepts(hand):
    found = search(hand, PROBLEMS[PROBLEM])
    assert found.outcome == "proved" and found.verdict is not None
    assert found.verdict.targets == ["FilterIdem.keep_keep"] and not found.verdict.holes
    assert found.num_compiled == 1 and found.num_rejected == 0


@pytest.mark.slow
def test_goals_of_a_real_lean_are_understood(hand):
    text = "theorem t (n m : Nat) (h : n = m) : ∀ k : Nat, n + k = m + k := by\n  sorry\n"
    shown = hand.pool.goals(text, Position(2, 2))
    from bise.prove.goals import read_goal

    goal = read_goal(shown[0].text)
    assert [one.name for one in goal.hypotheses] == ["n", "m", "h"]
    assert [one.name for one in goal.binders] == ["k"]


@pytest.mark.full
def test_a_false_statement_is_refuted_and_judged(hand):
    work = Workspace("theorem wrong (n m : Nat) : n - m + m = n := sorry\n")
    assert refute(work, hand.pool, Budget())
    verdict = hand.judge(hand.request(work))
    assert verdict.is_accepted and verdict.disproved == ["wrong"]


@pytest.mark.full
def test_a_broken_proof_is_opened_and_proved_again(hand):
    text = (
        "def f : List Nat → Nat\n  | [] => 0\n  | x :: xs => f xs + x\n\n"
        "theorem f_append (xs ys : List Nat) : f (xs ++ ys) = f xs + f ys := by\n"
        "  induction xs with\n  | nil => rfl\n  | cons x xs ih => simp [f, ih, Nat.add_assoc]\n"
    )
    challenge, lost = open_broken(text, hand.pool, Budget())
    assert list(lost) == ["f_append"] and challenge.count("sorry") == 1
    found = search(hand, challenge)
    assert found.outcome == "proved", found.swept


@pytest.mark.full
@pytest.mark.usefixtures("hand")
def test_a_scripted_model_gets_to_a_certificate_and_a_cheat_does_not(tmp_path, capsys):
    from bise.cli import main

    path = tmp_path / "sum.lean"
    path.write_text("theorem swap (a b c : Nat) : a + b + c = c + b + a := sorry\n")
    right = [use("check"), use("edit", old="sorry", new="by omega"), use("verify")]
    words = ["prove", str(path), "-k", "1", "--json", "--certificate", str(tmp_path / "c")]
    with ScriptedModel([say("```lean\nnothing\n```"), *[say("no")] * 2, *right]) as model:
        status = _main(main, [*words, "--model", model.url, "--checks", "400"])
    told = json.loads(capsys.readouterr().out)
    assert status == 0 and told["verdict"]["verdict"] == "accepted"
    assert _main(main, ["verify", "--certificate", str(tmp_path / "c")]) == 0
    proof = tmp_path / "c" / "submission.lean"
    proof.write_bytes(proof.read_bytes().replace(b"swap", b"swaq"))
    assert _main(main, ["verify", "--certificate", str(tmp_path / "c")]) == 2
    hard = tmp_path / "hard.lean"
    hard.write_text(
        "theorem flt (a b c n : Nat) (h : 2 < n) (ha : 0 < a) (hb : 0 < b) :\n"
        "    a ^ n + b ^ n ≠ c ^ n := sorry\n"
    )
    cheat = "axiom trust : False\n\ntheorem flt"
    cheats = [
        use("edit", old="theorem flt", new=cheat),
        use("edit", old="sorry", new="by exact trust.elim"),
        use("verify"),
    ]
    with ScriptedModel([*[say("no")] * 3, *cheats]) as model:
        words = ["prove", str(hard), "-k", "1", "--json", "--model", model.url]
        assert _main(main, [*words, "--tokens", "60000", "--minutes", "4"]) == 1
    assert not Path(str(hard).replace(".lean", ".proved.lean")).exists()


def _main(main, words: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    sys.stdout.flush()
    return int(ended.value.code or 0)
