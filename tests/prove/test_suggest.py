"""A small model of tactics: what it says is tried, the likeliest first, and never believed."""

import pytest
from fakes import FakePool
from scripted_model import ScriptedModel, say

from bise.judge import Position
from bise.judge.messages import Message
from bise.judge.warm import Checked, Goal
from bise.prove.budget import Budget, Price, Spent
from bise.prove.endpoint import Endpoint, ModelFailed
from bise.prove.source import Source
from bise.prove.suggest import MOST_STATES, ModelSuggester, tactics_of, walk
from bise.prove.workspace import Workspace

FILE = "theorem main (n : Nat) : n = n := sorry\n"


class StepPool(FakePool):
    """A goal is a number; `take k` makes it smaller, and at 0 nothing is left."""

    def __init__(self, start: int = 7):
        super().__init__()
        self.start = start
        self.scripts: list[tuple[str, ...]] = []

    def check(self, source, *, with_goals=True, cpu_s=None):
        del with_goals, cpu_s
        left, script, line = self._read(source)
        self.scripts.append(script)
        messages = []
        if left < 0:
            messages = [Message(severity="error", text="too much", start=Position(line, 0))]
        elif left and "sorry" in source:
            messages = [
                Message(severity="warning", text="", start=Position(line, 0), kind="hasSorry")
            ]
        elif left:
            messages = [Message(severity="error", text="unsolved", start=Position(line, 0))]
        return Checked(end="answered", messages=tuple(messages), cpu_s=0.1)

    def goals(self, source, place):
        left, _, _ = self._read(source)
        return tuple(Goal(place=place, text=f"n : Nat\n⊢ {left} = n") for _ in range(left > 0))

    def _read(self, source):
        """What is left, the script, and where the declaration begins; wrong tactics take 99."""
        declaration = next(one for one in Source(source).declarations if one.kind == "theorem")
        _, _, proof = source[declaration.start :].partition(":= by\n")
        script = tuple(one.strip() for one in proof.splitlines() if "sorry" not in one)
        taken = [int(one[5:]) if one.startswith("take ") else 99 for one in script if one]
        return self.start - sum(taken), script, declaration.line


class Listed:
    """Suggests by the goal's number."""

    def __init__(self, **known):
        self.known, self.asked = known, []

    def suggest(self, goal, count):
        number = goal.rpartition("⊢ ")[2].split()[0]
        self.asked.append(number)
        return self.known.get(f"at{number}", [])[:count]


def test_the_likeliest_way_is_tried_first_and_a_wrong_one_is_left():
    pool, work = StepPool(), Workspace(FILE)
    suggester = Listed(at7=["take 1", "take 4", "take 9"], at6=["give up"], at3=["take 3"])
    closed = []
    swept = walk(work, pool, Budget(), suggester, told=closed.append)
    assert [one.script for one in swept.closed] == ["take 4\ntake 3"] and not swept.open
    assert closed == swept.closed and suggester.asked == ["7", "6", "3"]
    assert work.text == "theorem main (n : Nat) : n = n := by\n  take 4\n  take 3\n"
    assert swept.num_tried == len(pool.scripts)
    assert ("take 1", "omega") in pool.scripts  # automation ends what suggestions begin


def test_a_circle_and_a_dead_end_come_to_an_end():
    pool, work = StepPool(), Workspace(FILE)
    swept = walk(work, pool, Budget(), Listed(at7=["take 0", "take 1"], at6=["take 0"]))
    assert swept.open == ["main"] and work.text == FILE
    swept = walk(Workspace(FILE), StepPool(10**6), Budget(), Endless(), cpu_s=10**6)
    assert swept.open == ["main"] and swept.num_tried <= MOST_STATES * 12


class Endless:
    def suggest(self, _goal, count):
        return [f"take {one}" for one in range(1, count + 1)]


def test_its_share_of_lean_is_all_it_takes():
    swept = walk(Workspace(FILE), StepPool(10**6), Budget(), Endless(), cpu_s=2.0)
    assert 1.9 <= swept.cpu_s <= 2.2
    with pytest.raises(Spent, match="checks"):
        walk(Workspace(FILE), StepPool(10**6), Budget(checks=5), Endless())


def test_a_model_is_asked_over_http_and_its_lines_are_tactics():
    answers = [
        say("1. `take 4`\n2) sorry\n- take 1\n```lean\ntake 4\n```"),
        say("take 3\ntake 2\n"),
    ]
    heard = []
    with ScriptedModel(answers) as model:
        budget = Budget(tokens=10_000, price=Price(output=5.0))
        price = Price(output=1.0)
        endpoint = Endpoint(url=model.url, model="scripted", price=price)
        swept = walk(
            Workspace(FILE),
            StepPool(),
            budget,
            ModelSuggester(endpoint, budget),
            asked=lambda goal, tactics: heard.append((goal, list(tactics))),
        )
        endpoint.close()
    assert [one.script for one in swept.closed] == ["take 4\ntake 3"]
    assert heard[0] == ("n : Nat\n⊢ 7 = n", ["take 4", "take 1"])
    (system, user) = model.asked[0]["messages"]
    assert "up to 8 tactics" in system["content"] and user["content"] == heard[0][0]
    assert budget.used.calls == 2 and budget.used.tokens == 240
    assert budget.used.dollars == pytest.approx(40 * 1.0 / 1e6)  # its own price


def test_a_model_of_one_tactic_is_asked_again_and_one_of_several_is_not():
    with ScriptedModel([say("take 1"), say("take 2"), say("take 1"), say("take 3")]) as model:
        suggester = ModelSuggester(Endpoint(url=model.url, model="x"), Budget())
        assert suggester.suggest("⊢ 1 = 1", 4) == ["take 1", "take 2", "take 3"]
        assert [one["temperature"] for one in model.asked] == [0.0, 1.0, 1.0, 1.0]
    with ScriptedModel([say("take 1\ntake 2")]) as model:
        suggester = ModelSuggester(Endpoint(url=model.url, model="x"), Budget())
        assert suggester.suggest("⊢ 1 = 1", 4) == ["take 1", "take 2"]
        assert len(model.asked) == 1


def test_a_budget_is_kept_and_a_silent_model_is_told():
    with ScriptedModel([say("take 1")]) as model:
        budget = Budget(tokens=50)
        with pytest.raises(Spent, match="tokens"):
            ModelSuggester(Endpoint(url=model.url, model="x"), budget).suggest("⊢ 1 = 1", 8)
        assert not model.asked
    with ScriptedModel([(404, "no such model")]) as model:
        suggester = ModelSuggester(Endpoint(url=model.url, model="x"), Budget())
        with pytest.raises(ModelFailed, match="no such model"):
            suggester.suggest("⊢ 1 = 1", 8)


def test_only_tactics_are_taken_from_an_answer():
    text = "* intro h\n10. exact h\n```\nrcases h with ⟨a, b⟩ | c\n· simp\nadmit\n" + "x" * 999
    assert tactics_of(text) == ["intro h", "exact h", "rcases h with ⟨a, b⟩ | c", "· simp"]
    assert tactics_of("exact sorry\nby native_decide\nsorry_free x") == ["sorry_free x"]
