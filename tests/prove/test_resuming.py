"""A search that was killed before its agent: what was found stays, what was spent counts."""

import pytest
from fakes import FakePool, NoPremises, fake_judge
from scripted_model import ScriptedModel, say

from bise.errors import UserError
from bise.judge import Request
from bise.prove.budget import Budget
from bise.prove.endpoint import Endpoint
from bise.prove.runlog import RunLog
from bise.prove.search import Plan, Search
from bise.prove.workspace import Workspace

FILE = (
    "theorem first (n : Nat) : n = n := sorry\n\n"
    "theorem second (n : Nat) : n = n := sorry\n\ntheorem third (n : Nat) : n = n := sorry\n"
)


class Killed(Exception):
    """The process is gone."""


class KilledPool(FakePool):
    """Dies when it is shown a text that has all of some words."""

    def __init__(self, *words: str, right: str = "omega"):
        super().__init__(right)
        self.words = words

    def check(self, source, **how):
        if self.words and all(one in source for one in self.words):
            raise Killed
        return super().check(source, **how)


def search(folder, pool, *, text=FILE, model=None, budget=None, **plan):
    work = Workspace(text)

    def judge(one: Workspace):
        request = Request(challenge=one.challenge, submission=one.text, disproves=one.disproves)
        return fake_judge(FakePool(pool.right), request)

    endpoint = None if model is None else Endpoint(url=model.url, model="scripted")
    made = Plan(endpoint=endpoint, num_attempts=1, **plan)
    return Search(work, pool, judge, NoPremises, made, budget or Budget(), RunLog(folder))


def test_what_automation_has_closed_is_not_searched_again(tmp_path):
    with pytest.raises(Killed):
        search(tmp_path, KilledPool("omega", "theorem second")).run()
    pool, budget = FakePool("omega"), Budget()
    run = search(tmp_path, pool, budget=budget)
    found = run.run()
    assert found.outcome == "proved" and found.text.count("omega") == 3
    assert all("omega" in one.partition("theorem second")[0] for one in pool.checked)
    kinds = [one.kind for one in run.log.events]
    assert kinds.count("began") == 2 and kinds.count("closed") == 3
    assert budget.used.checks > len(pool.checked) - 1  # those of the killed process as well


def test_stages_that_have_ended_are_not_repeated(tmp_path):
    first = search(tmp_path, FakePool("never"), portfolio_cpu_s=3.0).run()
    assert first.outcome == "open" and first.ended_by == "nothing more to try"
    pool = FakePool("never")
    with ScriptedModel([say(f"```lean\n{FILE.replace('sorry', 'never')}```")]) as model:
        run = search(tmp_path, pool, model=model)
        found = run.run()
    assert found.outcome == "proved" and found.stage == "attempts"
    assert len(pool.checked) == 1  # the model's file, and nothing before it
    assert found.used.checks == first.used.checks + 1


def test_tokens_of_a_call_count_even_if_the_process_dies_after_it(tmp_path):
    answer = say(f"```lean\n{FILE.replace('sorry', 'dies')}```", prompt=300, output=100)
    budget = Budget(tokens=30_000)
    with ScriptedModel([answer]) as model:
        with pytest.raises(Killed):
            search(
                tmp_path,
                KilledPool("dies"),
                model=model,
                budget=budget,
                stages=("attempts",),
            ).run()
        again = Budget(tokens=401)
        found = search(tmp_path, FakePool(), model=model, budget=again, stages=("attempts",)).run()
    assert found.ended_by in ("budget: tokens", "nothing more to try")
    assert again.used.tokens == 400 and len(model.asked) == 1


def test_a_folder_of_another_challenge_is_refused(tmp_path):
    search(tmp_path, FakePool("omega")).run()
    other = FILE.replace("n = n", "n + 0 = n")
    with pytest.raises(UserError, match="began with another challenge"):
        search(tmp_path, FakePool("omega"), text=other).run()


@pytest.mark.parametrize(
    "left",
    [
        {},
        {"text": FILE, "disproves": None, "used": {}},
        {"text": FILE, "disproves": [], "used": {"money": 3}},
        {"agent": {"text": FILE, "mood": 1}, "disproves": [], "used": {}},
    ],
)
def test_a_state_of_something_else_is_one_clear_line(tmp_path, left):
    RunLog(tmp_path).save(left)
    with pytest.raises(UserError, match="is not that of a run"):
        search(tmp_path, FakePool("omega")).run()


def test_minutes_go_on_counting(tmp_path):
    with pytest.raises(Killed):
        search(tmp_path, KilledPool("omega", "theorem second")).run()
    events = tmp_path / "events.jsonl"
    lines = events.read_text().splitlines()
    events.write_text("\n".join([*lines[:-1], lines[-1].replace('"at_s": 0', '"at_s": 90')]) + "\n")
    found = search(tmp_path, FakePool("omega"), budget=Budget(minutes=1)).run()
    assert (found.outcome, found.ended_by) == ("open", "budget: minutes")
    assert search(tmp_path, FakePool("omega"), budget=Budget(minutes=3)).run().outcome == "proved"
