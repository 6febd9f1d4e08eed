"""Numbers of a report against numbers worked out by hand, and its files."""

import gzip
import json

import pytest

from bise.errors import NotFound, UserError
from bise.evals import (
    TASKS,
    Chain,
    Record,
    Replied,
    Summary,
    evaluate,
    load_records,
    replace_scores,
    report_markdown,
    save_records,
    summarise,
    table_lines,
    update_page,
)
from bise.evals.intervals import bootstrap, mean_interval, wilson
from bise.evals.plot import figure
from bise.evals.report import ALL


def record(place: int, effort: str, score: float, chars: int, level: str = "2 terms") -> Record:
    return Record(
        task="chain",
        level=level,
        is_shape=level in Chain.shape_levels,
        effort=effort,
        seed=0,
        place=place,
        question="2+2",
        expected="4",
        answer="4",
        thinking_chars=chars - 1,
        answer_chars=1,
        num_tokens=chars,
        score=score,
        is_well_formed=place != 3,
        finish_reason="length" if place == 3 else "stop",
    )


@pytest.fixture
def records():
    none = [record(place, "none", float(place < 1), 1) for place in range(4)]
    high = [record(place, "high", float(place < 3), 20 + place) for place in range(4)]
    shape = [record(0, effort, 0.0, 9, "9 terms") for effort in ("none", "high")]
    return [*none, *high, *shape]


def solve(asked):
    """A model that always thinks the worked solution, and only then is right."""
    return [
        Replied(
            answer=example.answer if effort == "high" else "?",
            thinking=example.thinking if effort == "high" else "",
            is_well_formed=True,
            num_tokens=7,
            finish_reason="stop",
        )
        for example, effort in asked
    ]


def test_wilson_agrees_with_worked_examples():
    assert wilson(8, 10) == pytest.approx((0.490162, 0.943318), abs=1e-5)
    assert wilson(40, 40) == pytest.approx((0.912376, 1.0), abs=1e-5)
    assert wilson(0, 10) == pytest.approx((0.0, 0.277533), abs=1e-5)


def test_fractions_are_bootstrapped_and_the_interval_is_that_of_the_mean():
    low, high = mean_interval([0.0, 0.5, 1.0] * 100)
    # standard error: 0.408 / sqrt(300)
    assert (low, high) == pytest.approx((0.5 - 0.0462, 0.5 + 0.0462), abs=0.006)
    assert bootstrap([1.0, 1.0]) == (1.0, 1.0)
    assert bootstrap([0.0, 1.0] * 20) == bootstrap([0.0, 1.0] * 20)


def test_a_summary_counts_as_one_would_by_hand(records):
    summary = summarise(records)
    high = summary.cell("chain", ALL, "high")
    assert (high.num, high.score, high.mean_chars, high.median_chars) == (4, 0.75, 21.5, 21.5)
    assert (high.well_formed, high.cut) == (0.75, 0.25)
    assert (high.low, high.high) == wilson(3, 4)
    pair = summary.pair("chain", ALL)
    assert (pair.num, pair.difference, pair.length_ratio) == (4, 0.5, 21.5)
    assert pair.low <= pair.difference <= pair.high
    assert summary.cell("chain", "9 terms", "high").is_shape
    assert summary.cell("chain", "8 terms", "high") is None


def test_shapes_stay_out_of_the_row_of_a_task(records):
    assert summarise(records).cell("chain", ALL, "none").num == 4


def test_a_summary_survives_json(records):
    summary = summarise(records)
    assert Summary.from_json(json.loads(json.dumps(summary.to_json()))) == summary


def test_records_survive_their_file_and_the_file_is_the_same_each_time(records, tmp_path):
    save_records(records, tmp_path / "a")
    save_records(records, tmp_path / "b")
    assert load_records(tmp_path / "a") == records
    one, other = ((tmp_path / name / "records.jsonl.gz").read_bytes() for name in "ab")
    assert one == other
    saved = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert Summary.from_json(saved) == summarise(records)
    with pytest.raises(NotFound, match="is not there"):
        load_records(tmp_path)


def test_damaged_records_are_told_and_not_half_read(records, tmp_path):
    save_records(records, tmp_path)
    path = tmp_path / "records.jsonl.gz"
    whole = path.read_bytes()
    for damaged in (whole[:-20], b"no records", gzip.compress(b'{"task": 1}'), b"\x1f\x8b" + whole):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="holds no records"):
            load_records(tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["records.jsonl.gz", "summary.json"]


def test_a_model_that_writes_nothing_stands_at_the_beginning_of_the_scale(tmp_path):
    assert figure([record(place, "none", 0.0, 0) for place in range(2)], tmp_path / "scores.png")


def test_the_table_names_every_level_and_marks_shapes(records):
    lines = table_lines(summarise(records))
    assert any(line.startswith("chain  9 terms *  none") for line in lines)
    fields = [line.split() for line in lines]
    assert ["chain", "all", "high", "4", "75.0", "30.1–95.4", "22", "22", "75.0", "25.0"] in fields
    assert all(len(line) < 120 for line in lines)


def test_a_page_takes_the_table_between_its_markers(records, tmp_path):
    save_records(records, tmp_path)
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- nano-scores:start -->\nold\n<!-- nano-scores:end -->\nz\n")
    assert update_page(page, tmp_path)
    text = page.read_text()
    assert text.startswith("a\n<!-- nano-scores:start -->\n| skill |")
    assert text.endswith("\n<!-- nano-scores:end -->\nz\n")
    assert "old" not in text and report_markdown(summarise(records)) in text
    assert not update_page(page, tmp_path)
    with pytest.raises(UserError, match="nano-scores"):
        replace_scores("no markers", summarise(records))


def test_the_markdown_says_what_was_never_trained(records):
    text = report_markdown(summarise(records))
    assert "| **chain** | 25 % (5–70) | 75 % (30–95) | +50" in text
    assert "chain, 9 terms (never trained)" in text
    assert "1 → 22 (×22)" in text


def test_the_figure_is_drawn_twice(records, tmp_path):
    png, svg = figure(records, tmp_path / "scores.png")
    assert png.read_bytes().startswith(b"\x89PNG") and png.stat().st_size > 5_000
    assert "<svg" in svg.read_text() and svg.suffix == ".svg"


@pytest.mark.parametrize("name", list(TASKS))
def test_a_run_asks_the_same_held_out_questions_at_both_efforts(name):
    task = TASKS[name]
    records = evaluate(solve, [task], num_per_task=len(task.levels) * 2 + 1, seed=3)
    by_effort = {
        effort: [(r.level, r.place, r.question) for r in records if r.effort == effort]
        for effort in ("none", "high")
    }
    assert by_effort["none"] == by_effort["high"]
    trained = [r for r in records if not r.is_shape and r.effort == "none"]
    assert len(trained) == len(task.levels) * 2 + 1
    assert {r.level for r in records if r.is_shape} == set(task.shape_levels)
    assert all(r.score == (r.effort == "high") for r in records)
    again = evaluate(solve, [task], num_per_task=len(task.levels) * 2 + 1, seed=3)
    assert again == records
    assert all(r.thinking_chars == 0 for r in records if r.effort == "none")


def test_too_few_questions_for_the_levels_are_refused():
    with pytest.raises(UserError, match="cannot be shared"):
        evaluate(solve, [TASKS["chain"]], num_per_task=3)
