"""Lemmas that a finished proof does not need go again."""

from fakes import FakePool, NoPremises, fake_judge

from bise.judge import Request
from bise.prove.budget import Budget
from bise.prove.filling import Swept, Trial
from bise.prove.runlog import RunLog
from bise.prove.search import Plan, Search
from bise.prove.source import Source
from bise.prove.tidy import tidy, without
from bise.prove.workspace import Workspace

CHALLENGE = """\
def f (n : Nat) : Nat := n

theorem goal (n : Nat) : f n = n := sorry
"""
LEMMAS = """\
theorem f_one (n : Nat) :
    f n = n + 0 := by
  simp_all [f]

theorem f_two (n : Nat) :
    f n = 0 + n := by
  grind [f, f_one]

"""
DONE = CHALLENGE.replace("sorry", "by\n  magic [f_one, f, f_two, f_two']").replace(
    "theorem goal", LEMMAS + "theorem goal"
)


class NeedsOne(FakePool):
    """Lean, to which the first lemma matters."""

    def check(self, source, **how):
        self.right = "theorem" if "theorem f_one" in source else "never"
        return super().check(source, **how)


def tidied(pool, *, cpu_s=10.0, budget=None):
    work, swept = Workspace(CHALLENGE), Swept()
    work.replace(DONE)
    trial = Trial(pool, budget or Budget(), swept, cpu_s)
    return tidy(work, trial, ["f_one", "f_two"]), work.text


def test_a_lemma_goes_with_its_name_in_what_follows():
    assert without(Source(DONE), "f_two") == DONE.replace(", f_two,", ",").replace(
        LEMMAS[LEMMAS.index("theorem f_two") :], ""
    )
    first = without(Source(DONE), "f_one")
    assert first is not None
    assert "magic [f, f_two, f_two']" in first and "grind [f]" in first
    assert without(Source(DONE), "f_three") is None


def test_what_lean_can_do_without_goes_and_the_rest_stays():
    dropped, text = tidied(NeedsOne())
    assert dropped == ["f_two"] and text == without(Source(DONE), "f_two")


def test_what_is_left_over_when_all_can_go_is_the_challenge_with_its_proof():
    dropped, text = tidied(FakePool("theorem"))
    assert dropped == ["f_two", "f_one"]
    assert text == CHALLENGE.replace("sorry", "by\n  magic [f, f_two']")


def test_without_time_or_budget_a_proof_stays_as_it_is():
    pool = FakePool("theorem")
    assert tidied(pool, cpu_s=0.0) == ([], DONE) and not pool.checked
    assert tidied(pool, budget=Budget(checks=1))[0] == ["f_two"]


REVERSED = """\
def rev {α : Type} : List α → List α
  | [] => []
  | x :: xs => rev xs ++ [x]

theorem twice {α : Type} (xs : List α) : rev (rev xs) = xs := sorry
"""


class ClosedWithALemma(FakePool):
    """Finds the proof when a lemma is named, and then that it holds without it."""

    is_found = False

    def check(self, source, **how):
        if "theorem twice" not in source:
            self.right = "simp_all"
        elif "grind [rev, rev_append'" in source:
            self.is_found, self.right = True, "theorem"
        else:
            self.right = "theorem" if self.is_found else "never"
        return super().check(source, **how)


def test_a_search_tidies_before_it_asks_the_judge(tmp_path):
    work, pool, judged = Workspace(REVERSED), ClosedWithALemma(), []

    def judge(one):
        judged.append(one.text)
        request = Request(challenge=one.challenge, submission=one.text)
        return fake_judge(FakePool("theorem"), request)

    run = Search(work, pool, judge, NoPremises, Plan(), Budget(), RunLog(tmp_path))
    assert run.run().outcome == "proved"
    told = [one.words for one in run.log.events if one.kind == "explored"]
    assert told[0].startswith("lemmas found: rev_append'")
    assert told[1] == "not needed: " + ", ".join(reversed(told[0].split(": ")[1].split(", ")))
    assert len(judged) == 1 and "rev_" not in judged[0] and "grind [rev]" in judged[0]
