"""A prover is measured: what counts, what it cost, how sure that is, going on after a stop."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FakePool, NoPremises, fake_judge
from matplotlib.image import imread
from scripted_model import ScriptedModel, say

from bise.commands import prove_bench
from bise.errors import UserError
from bise.judge import Request, Verdict
from bise.prove.benchmark import (
    RECORDS,
    Record,
    compiled_only,
    keep_settings,
    known_records,
    pass_rates,
    read_records,
    run_all,
    summary,
    table,
)
from bise.prove.budget import Usage
from bise.prove.hand import Hand
from bise.prove.picture import draw, published
from bise.prove.problem import Problem
from bise.prove.workspace import Workspace

EASY = Problem(name="easy", challenge="theorem easy : 1 = 1 := sorry\n", level=1)
HARD = Problem(name="hard", challenge="theorem hard : 2 = 2 := sorry\n", level=3, kind="repair")
FAR = Problem(name="far", challenge="import Mathlib.Tactic\n\ntheorem far : 3 = 3 := sorry\n")


def record(name: str = "easy", right: int = 0, count: int = 1, **changed) -> Record:
    usage = Usage(prompt_tokens=100, output_tokens=20, dollars=0.5, check_cpu_s=3.0)
    made = Record(
        problem=name,
        level=1,
        kind="prove",
        num_attempts=count,
        num_accepted=right,
        num_compiled=right,
        outcome="proved" if right else "open",
        stage="attempts",
        ended_by="",
        seconds=2.0,
        usage=usage.as_json(),
    )
    return replace(made, **changed)


# The book of records


def test_what_has_a_record_is_not_solved_again(tmp_path):
    asked: list[str] = []

    def solve(problem: Problem) -> Record:
        asked.append(problem.name)
        if problem is HARD and len(asked) == 2:
            raise KeyboardInterrupt
        return record(problem.name, right=1)

    told: list[Record] = []
    with pytest.raises(KeyboardInterrupt):
        run_all([EASY, HARD], solve, tmp_path, told.append)
    assert [one.problem for one in told] == ["easy"] == list(known_records(tmp_path))
    found = run_all([EASY, HARD], solve, tmp_path, told.append)
    assert asked == ["easy", "hard", "hard"]
    assert [one.problem for one in found] == ["easy", "hard"] == [one.problem for one in told]
    assert read_records(tmp_path / RECORDS) == found


def test_a_record_that_was_half_written_is_made_again(tmp_path):
    run_all([EASY], lambda one: record(one.name), tmp_path)
    with (tmp_path / RECORDS).open("a") as file:
        file.write('{"problem": "har')
    assert list(known_records(tmp_path)) == ["easy"]
    found = run_all([EASY, HARD], lambda one: record(one.name), tmp_path)
    assert [one.problem for one in found] == ["easy", "hard"]
    assert read_records(tmp_path / RECORDS) == found


def test_records_may_hold_other_signs_that_end_a_line(tmp_path):
    odd = record("easy", ended_by="error: one\u2028two\x85three")
    run_all([EASY], lambda _: odd, tmp_path)
    assert known_records(tmp_path) == {"easy": odd}


def test_what_is_no_book_of_records_is_refused(tmp_path):
    path = tmp_path / RECORDS
    for text in ("no JSON\n", '{"problem": "easy"}\n', "[1]\n"):
        path.write_text(text)
        with pytest.raises(UserError, match="holds no records of a prover"):
            known_records(tmp_path)


def test_what_needs_a_native_lean_is_written_down_as_not_run(tmp_path):
    def never(problem: Problem) -> Record:
        raise AssertionError(problem.name)

    (found,) = run_all([FAR], never, tmp_path)
    assert (found.outcome, found.num_attempts) == ("needs native", 0)
    assert found.ended_by == "imports Mathlib.Tactic"
    assert table([found]) == [] and pass_rates([found]) == {}
    assert table([found, record(right=1)])[-1].num == 1
    assert summary([found], {})["needs_native"] == ["far"]


def test_records_of_another_way_to_measure_are_not_mixed_in(tmp_path):
    keep_settings(tmp_path, {"model": "a", "attempts": 8})
    keep_settings(tmp_path, {"model": "b", "attempts": 8})  # nothing was measured yet
    run_all([EASY], lambda one: record(one.name), tmp_path)
    keep_settings(tmp_path, {"model": "b", "attempts": 8})
    with pytest.raises(UserError, match="has records with attempts `8`, now it is `2`"):
        keep_settings(tmp_path, {"model": "b", "attempts": 2})


# What they say


def test_the_table_is_by_level_by_kind_and_of_all():
    records = [
        record("a", right=2, count=4),
        record("b", right=0, count=4, level=3),
        record("c", right=4, count=4, level=3, kind="repair", num_compiled=4),
    ]
    lines = table(records)
    assert [one.label for one in lines] == ["level 1", "level 3", "prove", "repair", "all"]
    assert [(one.num_solved, one.num) for one in lines] == [(1, 1), (1, 2), (1, 2), (1, 1), (2, 3)]
    whole = lines[-1]
    assert (whole.num_attempts, whole.tokens, whole.dollars, whole.cpu_s) == (12, 360, 1.5, 9.0)
    assert 0.2 < whole.low < 2 / 3 < whole.high < 1.0
    assert whole.each(2) == {"dollars": 0.75, "tokens": 180.0, "cpu_s": 4.5}
    assert whole.each(0) is None


def test_pass_at_k_is_unbiased_and_only_for_k_that_were_tried():
    rates = pass_rates([record("a", right=2, count=4), record("b", right=0, count=5)])
    assert list(rates) == [1, 2, 4]
    assert rates[1][0] == pytest.approx((2 / 4 + 0) / 2)
    assert rates[2][0] == pytest.approx((1 - (2 * 1) / (4 * 3)) / 2)
    assert rates[4][0] == pytest.approx((1 + 0) / 2)
    for middle, low, high in rates.values():
        assert 0 <= low <= middle <= high <= 1
    assert rates[1][1] < rates[1][0] < rates[1][2]


def test_what_compiled_and_was_rejected_is_counted_beside():
    cheated = record("a", right=1, count=4, num_compiled=3)
    assert compiled_only([cheated, record("b", right=1)]) == 2
    assert table([replace(cheated, num_accepted=0)])[-1].num_solved == 0


def test_the_summary_says_what_each_attempt_and_each_solved_task_took():
    made = summary([record("a", right=1, count=2), record("b", count=2)], {"model": "m"})
    whole = made["table"][-1]
    assert whole["per_attempt"] == {"dollars": 0.25, "tokens": 60.0, "cpu_s": 1.5}
    assert whole["per_solved"] == {"dollars": 1.0, "tokens": 240.0, "cpu_s": 6.0}
    assert made["pass_at"]["1"]["mean"] == pytest.approx(0.25)
    assert made["settings"] == {"model": "m"} and json.loads(json.dumps(made)) == made


# The picture


def test_the_picture_shows_every_run_and_the_published_rows(tmp_path):
    first = [record("a", right=2, count=4), record("b", right=1, count=4)]
    second = [record("a", right=0, count=2), record("b", right=2, count=2)]
    one = draw({"m": first}, tmp_path / "one.png")
    both = draw({"m": first, "n": second}, tmp_path / "both.png")
    assert one.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    pictures = [imread(path)[..., :3] for path in (one, both)]
    assert pictures[0].shape == pictures[1].shape and pictures[0].shape[1] >= 1200
    blue, orange = (np.array(colour) for colour in ((0, 0x72, 0xB2), (0xD5, 0x5E, 0)))
    near = [
        [int((np.abs(one * 255 - colour).max(-1) < 8).sum()) for colour in (blue, orange)]
        for one in pictures
    ]
    assert near[0][0] > 100 and near[0][1] == 0  # lines of the first run, none of a second
    assert near[1][0] > 100 and near[1][1] > 100


def test_published_rows_say_what_they_are():
    known = published()
    assert known["benchmark"] == "FLTEval" and "outside" in known["note"]
    for one in known["rows"]:
        assert one["k"] >= 1 and 0 < one["score"] < 100 and one.get("dollars", 1) > 0
    rows = [(one["model"], one["k"]) for one in known["rows"]]
    assert len(set(rows)) == len(rows)


# The command


class FakeHand:
    """A hand whose Lean is content with one word."""

    right = "omega"
    fails = False

    def __init__(self, told):
        del told
        self.pool, self.premises = FakePool(self.right), NoPremises()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def request(self, work: Workspace, examples: str | None = None) -> Request:
        return Request(challenge=work.challenge, submission=work.text, examples=examples)

    def judge(self, request: Request) -> Verdict:
        if self.fails:
            return Verdict(verdict="failed", reason="no_lean", message="the disk is full")
        found = fake_judge(self.pool, request)
        found.backend, found.kernel = "fake", "none"
        return found


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A set of three problems, and a Lean that is none."""
    monkeypatch.setattr(prove_bench, "Hand", FakeHand)
    for problem in (EASY, HARD, FAR):
        path = tmp_path / "set" / f"{problem.name}.lean"
        path.parent.mkdir(exist_ok=True)
        path.write_text(problem.challenge)
    return tmp_path


def measure(where: Path, model: str | None = None, **changed) -> None:
    said = {
        "only": (),
        "model": model,
        "attempts": 2,
        "cpu_s": 60.0,
        "tokens": None,
        "usd_per_hour": None,
        "folder": where / "run",
    }
    prove_bench.run_prove_eval(str(where / "set"), **(said | changed))


def test_a_fake_hand_has_what_a_hand_has():
    for name in ("request", "judge", "pool", "premises"):
        assert hasattr(Hand, name) and hasattr(FakeHand(lambda _: None), name)


def test_automation_is_measured_resumed_and_shown(folder, capsys):
    measure(folder, only=["easy"])
    first = capsys.readouterr()
    assert "1/1 easy: proved" in first.err and "pass@1: 100.0 %" in first.out
    measure(folder)
    second = capsys.readouterr()
    assert "going on: 1 of 3 have a record" in second.err
    assert "easy: proved" not in second.err and "3/3 hard: proved" in second.err
    assert "far: needs native (imports Mathlib.Tactic)" in second.err
    assert "not run, needs native: 1" in second.out
    assert [line.split()[:2] for line in second.out.splitlines() if line.startswith("all")] == [
        ["all", "2/2"]
    ]
    made = json.loads((folder / "run" / "summary.json").read_text())
    assert made["settings"]["model"] == "automation" and made["needs_native"] == ["far"]
    assert made["backends"] == ["fake"] and made["compiled_but_rejected"] == 0
    assert (folder / "run" / "cost-against-score.png").read_bytes()[1:4] == b"PNG"


def test_a_model_is_measured_by_all_its_attempts(folder, capsys):
    script = [
        say("```lean\ntheorem easy : 1 = 1 := by omega\n```"),
        say("```lean\ntheorem easy : 1 = 1 := by wrong\n```"),
    ]
    with ScriptedModel(script) as model:
        measure(folder, model.url, only=["easy"], usd_per_hour=2.0, cpu_s=1.0)
    (found,) = read_records(folder / "run" / RECORDS)
    assert (found.num_attempts, found.num_accepted, found.outcome) == (2, 1, "proved")
    assert found.backend == "fake" and found.usage["calls"] >= 3
    said = capsys.readouterr()
    assert "pass@1: 50.0 %" in said.out and "pass@2: 100.0 %" in said.out
    assert "for each solved task:" in said.out
    measure(folder, folder=folder / "other")
    measure(folder, folder=folder / "other", beside=[folder / "run"])
    with pytest.raises(UserError, match="has records with model `scripted`, now it is `automat"):
        measure(folder)


def test_a_small_model_of_tactics_is_measured_after_automation(folder):
    with ScriptedModel([say("intro h\nomega")]) as small:
        measure(folder, tactics=small.url, only=["easy", "hard"])
    settings = json.loads((folder / "run" / "settings.json").read_text())
    assert settings["model"] == "automation, scripted"
    with pytest.raises(UserError, match="has records with model `automation, scripted`"):
        measure(folder)
    with pytest.raises(UserError, match="measured without either"):
        measure(folder, "http://127.0.0.1:9", tactics="http://127.0.0.1:9")


def test_a_server_that_gives_nothing_writes_nothing_down(folder):
    with (
        ScriptedModel([(400, "no such model")]) as model,
        pytest.raises(UserError, match="scripted gave no answer at all"),
    ):
        measure(folder, model.url)
    assert list(known_records(folder / "run")) in ([], ["far"])


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"cpu_s": 0.0}, "`--cpu-s` is 0"),
        ({"cpu_s": float("nan")}, "`--cpu-s` is nan"),
        ({"usd_per_hour": -2.0}, "`--usd-per-hour` is -2"),
        ({"usd_per_hour": float("nan")}, "`--usd-per-hour` is nan"),
    ],
)
def test_numbers_that_measure_nothing_are_refused_before_anything_is_written(
    folder, changed, complaint
):
    with pytest.raises(UserError, match=complaint):
        measure(folder, **changed)
    assert not (folder / "run").exists()


def test_attempts_that_a_server_lost_are_no_failures_of_a_model(folder):
    proof = say("```lean\ntheorem easy : 1 = 1 := by omega\n```")
    with (
        ScriptedModel([proof, (400, "out of memory")]) as model,
        pytest.raises(UserError, match="scripted gave no answer in 1 of 2 attempts at `easy`"),
    ):
        measure(folder, model.url, only=["easy"])
    assert known_records(folder / "run") == {}


def test_a_judge_that_cannot_run_writes_nothing_down(folder, monkeypatch):
    monkeypatch.setattr(FakeHand, "fails", True)
    with pytest.raises(UserError, match="the judge could not run: the disk is full"):
        measure(folder, only=["easy"])
    proof = say("```lean\ntheorem easy : 1 = 1 := by omega\n```")
    with (
        ScriptedModel([proof]) as model,
        pytest.raises(UserError, match="the judge could not run: the disk is full"),
    ):
        measure(folder, model.url, only=["easy"], folder=folder / "model")
    assert known_records(folder / "run") == {} == known_records(folder / "model")


def test_a_folder_beside_that_is_no_run_is_refused_before_anything_is_measured(folder):
    with pytest.raises(UserError, match="holds no records of a prover"):
        measure(folder, beside=[folder / "set"])
    assert not (folder / "run").exists()
