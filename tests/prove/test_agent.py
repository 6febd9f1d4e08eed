"""An agent's way to a verdict: sketch, lemmas, compaction, being killed, and never by cheating."""

import json
from pathlib import Path

import pytest
from fakes import FakePool, NoPremises, fake_judge
from scripted_model import ScriptedModel, say, use

from bise.judge import Request
from bise.prove import agent as room
from bise.prove.attempts import Tries, attempt_many
from bise.prove.budget import Budget
from bise.prove.endpoint import Endpoint
from bise.prove.runlog import RunLog
from bise.prove.search import Plan, Search
from bise.prove.workspace import Workspace

FILE = "def f (n : Nat) : Nat := n\n\ntheorem main (n : Nat) : f n = n := sorry\n"
PROVED = FILE.replace("sorry", "by magic")


class Crash(Exception):
    """The process is killed."""


def search(model, *, folder: Path | None = None, stages=("agent",), budget=None, **plan):
    pool, work = FakePool(), Workspace(FILE)
    endpoint = Endpoint(url=model.url, model="scripted") if model is not None else None

    def judge(one: Workspace):
        return fake_judge(
            pool, Request(challenge=one.challenge, submission=one.text, disproves=one.disproves)
        )

    made = Plan(endpoint=endpoint, stages=stages, **plan)
    found = Search(work, pool, judge, NoPremises, made, budget or Budget(), RunLog(folder))
    return found, work


def edit(old: str, new: str):
    return use("edit", old=old, new=new)


def kinds(found: Search) -> list[str]:
    return [one.kind for one in found.log.events]


def test_look_edit_check_verify():
    script = [use("outline"), edit("sorry", "by magic"), use("check"), use("verify")]
    with ScriptedModel(script) as model:
        run, work = search(model)
        found = run.run()
    assert found.outcome == "proved" and found.ended_by == "accepted"
    assert found.text == PROVED == work.text
    assert found.used.calls == 4 and found.used.checks >= 1
    assert model.asked[0]["tools"] and model.asked[1]["messages"][-1]["role"] == "tool"


def test_stalled_then_a_sketch_whose_lemmas_are_proved_one_by_one(monkeypatch):
    monkeypatch.setattr(room, "SWEEP_CPU_S", 0.0)
    lemmas = (
        "theorem helper (n : Nat) : f n = n := sorry\n\n"
        "theorem other (n : Nat) : f n = n := sorry\n\ntheorem main"
    )
    stuck = [edit("sorry", "by wrong"), *[use("check")] * 6]
    sketch = [use("check")] * 6 + [
        edit("theorem main", lemmas),
        edit("by wrong", "by magic helper"),
    ]
    rounds = [
        use("check"),
        edit("helper (n : Nat) : f n = n := sorry", "helper (n : Nat) : f n = n := by magic"),
        use("check"),
        edit("sorry", "by magic"),
        use("check"),
        use("verify"),
    ]
    with ScriptedModel([*stuck, *sketch, *rounds]) as model:
        run, _ = search(model)
        found = run.run()
    assert found.outcome == "proved", found.ended_by
    assert kinds(run).count("stalled") == 2 and kinds(run).count("sketch") == 1
    focused = [one.facts["name"] for one in run.log.events if one.kind == "focus"]
    assert focused == ["helper", "other"]
    told = [one["content"] for body in model.asked for one in body["messages"]]
    assert any("Change your strategy" in one and "unsolved goals" in one for one in told)
    assert any("write a sketch" in one for one in told)
    assert any("Work on `helper` now" in one for one in told)


def test_a_long_conversation_is_cut_and_remembers_what_failed():
    script = [edit("sorry", "by wrong"), *[use("check", prompt=25_000)] * 3]
    script.append(edit("wrong", "magic"))
    with ScriptedModel([*script, use("verify")]) as model:
        run, _ = search(model, compact_tokens=20_000)
        found = run.run()
    assert found.outcome == "proved"
    assert kinds(run).count("compacted") >= 2
    cut = next(body for body in model.asked if "were dropped" in body["messages"][-1]["content"])
    assert len(cut["messages"]) == 2 and "unsolved goals in main" in cut["messages"][-1]["content"]
    assert "by wrong" in cut["messages"][-1]["content"]


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    first = [edit("sorry", "by wrong"), use("check"), edit("wrong", "magic")]
    with ScriptedModel(first) as model:
        run, _ = search(model, folder=tmp_path)
        ask, asked = room.Conversation.ask, []

        def ask_thrice(self, *rest, **more):
            asked.append(1)
            if len(asked) > 3:
                raise Crash
            return ask(self, *rest, **more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(room.Conversation, "ask", ask_thrice)
            with pytest.raises(Crash):
                run.run()
    with ScriptedModel([use("verify")]) as model:
        run, _ = search(model, folder=tmp_path)
        found = run.run()
    assert found.outcome == "proved" and found.text == PROVED
    assert found.used.calls == 4  # what was spent before counts
    roles = [one["role"] for one in model.asked[0]["messages"]]
    assert roles == ["system", "user", *["assistant", "tool"] * 3]
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["outcome"] == "proved"


def test_a_false_statement_is_disproved_at_last():
    words = "theorem not_main : ¬ (∀ (n : Nat), f n = n) := by magic\n"
    tries = [edit("sorry", "by wrong"), *[use("check")] * 18]
    last = [edit("f n = n := sorry\n", f"f n = n := sorry\n\n{words}"), use("verify")]
    with ScriptedModel([*tries, *last]) as model:
        run, work = search(model)
        found = run.run()
    assert found.outcome == "disproved" and work.disproves == ("main",), found.ended_by
    assert words in found.text and "sorry" in found.text


CHEATS = [
    [edit("f n = n := sorry", "True := by magic"), use("verify")],
    [
        edit("theorem main", "axiom cheat : False\n\ntheorem main"),
        edit("sorry", "by magic"),
        use("verify"),
    ],
    [use("verify")],
    [edit("sorry", "by loops"), use("verify")],
    [say("I have proved it. QED.")],
    [use("no_such_tool", x=1), use("edit", wrong=3), use("goal", line="x"), say("done")],
]


@pytest.mark.parametrize("script", CHEATS, ids=range(len(CHEATS)))
def test_cheats_never_get_a_verdict(script):
    with ScriptedModel(script) as model:
        run, _ = search(model, budget=Budget(tokens=4000))
        found = run.run()
    assert found.outcome == "open"
    assert found.verdict is None or not found.verdict.is_accepted
    assert found.used.tokens <= 4000


def test_whole_files_are_repaired_and_the_first_accepted_wins():
    block = "```lean\n{}\n```".format
    wrong, right = block(FILE.replace("sorry", "by wrong")), block(PROVED)
    with ScriptedModel([say("no file"), say(wrong), say(right)]) as model:
        run, _ = search(model, stages=("attempts",), num_attempts=1)
        found = run.run()
    assert found.outcome == "proved" and found.text == PROVED
    told = [body["messages"][-1]["content"] for body in model.asked]
    assert "no block with a file" in told[1] and "unsolved goals in main" in told[2]


def test_whole_files_may_disprove():
    words = "theorem not_main : ¬ (∀ (n : Nat), f n = n) := by magic\n"
    pool = FakePool()
    with ScriptedModel([say(f"```lean\n{FILE}\n{words}```")]) as model:
        tries = Tries(
            challenge=FILE,
            endpoint=Endpoint(url=model.url, model="scripted"),
            pool=pool,
            judge=lambda one: fake_judge(
                pool,
                Request(challenge=one.challenge, submission=one.text, disproves=one.disproves),
            ),
            budget=Budget(),
            log=RunLog(),
            disproves=True,
        )
        (ended,) = attempt_many(tries, 1)
    assert ended.verdict is not None and ended.verdict.disproved == ["main"]
    assert "is false" in model.asked[0]["messages"][-1]["content"]


def test_attempts_that_change_the_statement_are_sent_back():
    cheat = "```lean\n{}```".format(PROVED.replace("f n = n :=", "n = n :="))
    with ScriptedModel([say(cheat)]) as model:
        run, _ = search(model, stages=("attempts",), num_attempts=3, at_once=2)
        found = run.run()
    assert found.outcome == "open" and len(found.attempts) == 3
    assert all("must stay as it is" in one.fault for one in found.attempts)
    assert found.num_compiled == 0


def test_without_a_model_there_is_automation_only():
    run, _ = search(None, stages=("portfolio", "refute", "attempts", "agent"), portfolio_cpu_s=3.0)
    found = run.run()
    assert found.outcome == "open" and found.used.calls == 0
    assert found.swept is not None and found.swept.open == ["main"]
    assert found.ended_by == "nothing more to try"


def test_a_budget_ends_a_search_and_says_which():
    with ScriptedModel([use("check")]) as model:
        run, _ = search(model, budget=Budget(checks=2))
        assert run.run().ended_by == "budget: checks"
    with ScriptedModel([(503, "down")]) as model, pytest.MonkeyPatch.context() as patch:
        patch.setattr("bise.prove.endpoint.RETRY_S", (0.0,))
        run, _ = search(model)
        assert run.run().ended_by == "model"
