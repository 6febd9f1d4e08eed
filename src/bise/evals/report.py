"""Turns records into numbers: scores with intervals, lengths, and what thinking adds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

from bise.evals.intervals import bootstrap, mean_interval
from bise.evals.runner import Record

ALL = "all"
"""The row of a task over all its trained levels."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One task, level and effort. Characters count thinking and answer, right or wrong."""

    task: str
    level: str
    is_shape: bool
    effort: str
    num: int
    score: float
    low: float
    high: float
    mean_chars: float
    median_chars: float
    mean_tokens: float
    well_formed: float
    cut: float
    """Share of replies that had to be cut for their length."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What `high` effort adds to `none` on the same questions."""

    task: str
    level: str
    is_shape: bool
    num: int
    difference: float
    low: float
    high: float
    length_ratio: float
    """Mean characters written with high effort over those with none."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole report as plain numbers."""

    cells: tuple[Cell, ...]
    pairs: tuple[Pair, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Summary":
        cells = tuple(Cell(**cell) for cell in data["cells"])
        return cls(cells, tuple(Pair(**pair) for pair in data["pairs"]))

    def cell(self, task: str, level: str, effort: str) -> Cell | None:
        """Find one cell."""
        wanted = (task, level, effort)
        found = (cell for cell in self.cells if (cell.task, cell.level, cell.effort) == wanted)
        return next(found, None)

    def pair(self, task: str, level: str) -> Pair | None:
        """Find one comparison of efforts."""
        found = (pair for pair in self.pairs if (pair.task, pair.level) == (task, level))
        return next(found, None)


def summarise(records: Iterable[Record]) -> Summary:
    """Compute a row for every level, and one for each task over its trained levels.

    Levels have equal shares of the questions, so the mean over questions is the mean over levels.
    """
    groups: dict[tuple[str, str], dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        if not record.is_shape:
            groups[record.task, ALL][record.effort].append(record)
        groups[record.task, record.level][record.effort].append(record)
    cells, pairs = list[Cell](), list[Pair]()
    for (task, level), by_effort in groups.items():
        for effort, group in by_effort.items():
            cells.append(make_cell(task, level, effort, group))
        if {"none", "high"} <= by_effort.keys():
            pairs.append(make_pair(task, level, by_effort["none"], by_effort["high"]))
    return Summary(tuple(cells), tuple(pairs))


def make_cell(task: str, level: str, effort: str, group: Sequence[Record]) -> Cell:
    scores = [record.score for record in group]
    chars = [record.written_chars for record in group]
    low, high = mean_interval(scores)
    return Cell(
        task=task,
        level=level,
        is_shape=group[0].is_shape,
        effort=effort,
        num=len(group),
        score=fmean(scores),
        low=low,
        high=high,
        mean_chars=fmean(chars),
        median_chars=median(chars),
        mean_tokens=fmean(record.num_tokens for record in group),
        well_formed=fmean(record.is_well_formed for record in group),
        cut=fmean(record.finish_reason == "length" for record in group),
    )


def make_pair(task: str, level: str, none: Sequence[Record], high: Sequence[Record]) -> Pair:
    """Compare efforts question by question."""
    before = {(record.level, record.seed, record.place): record.score for record in none}
    gains = [
        record.score - before[key]
        for record in high
        if (key := (record.level, record.seed, record.place)) in before
    ]
    assert gains, f"no question of `{task}` was asked at both efforts"
    low, top = bootstrap(gains)
    shortest = max(fmean(record.written_chars for record in none), 1e-9)
    return Pair(
        task=task,
        level=level,
        is_shape=high[0].is_shape,
        num=len(gains),
        difference=fmean(gains),
        low=low,
        high=top,
        length_ratio=fmean(record.written_chars for record in high) / shortest,
    )


def table_lines(summary: Summary) -> list[str]:
    """The report as lines of text, a row for each task, level and effort."""
    heads = (
        "task",
        "level",
        "effort",
        "n",
        "score %",
        "95 %",
        "chars",
        "tokens",
        "formed %",
        "cut %",
    )
    rows = [
        (
            cell.task,
            cell.level + (" *" if cell.is_shape else ""),
            cell.effort,
            str(cell.num),
            f"{100 * cell.score:.1f}",
            f"{100 * cell.low:.1f}–{100 * cell.high:.1f}",
            f"{cell.mean_chars:.0f}",
            f"{cell.mean_tokens:.0f}",
            f"{100 * cell.well_formed:.1f}",
            f"{100 * cell.cut:.1f}",
        )
        for cell in summary.cells
    ]
    lines = aligned([heads, *rows], num_left=3)
    lines += ["", "high against none, on the same questions", ""]
    heads = ("task", "level", "n", "gain", "95 %", "times the characters")
    gains = [
        (
            pair.task,
            pair.level + (" *" if pair.is_shape else ""),
            str(pair.num),
            f"{100 * pair.difference:+.1f}",
            f"{100 * pair.low:+.1f} to {100 * pair.high:+.1f}",
            times(pair.length_ratio),
        )
        for pair in summary.pairs
    ]
    return [*lines, *aligned([heads, *gains], num_left=2), "", "* longer than anything trained"]


def aligned(rows: Sequence[Sequence[str]], num_left: int) -> list[str]:
    """Pad columns to one width: the first few to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines: list[str] = []
    for row in rows:
        cells = [
            text.ljust(width) if place < num_left else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def report_markdown(summary: Summary) -> str:
    """The table of the front page: a row for each skill, and one for each shape never trained."""
    lines = [
        "| skill | `none` | `high` | gain | characters, `none` → `high` |",
        "|---|---|---|---|---|",
    ]
    for pair in summary.pairs:
        if pair.level != ALL and not pair.is_shape:
            continue
        none = summary.cell(pair.task, pair.level, "none")
        high = summary.cell(pair.task, pair.level, "high")
        assert none and high, "a comparison has both its efforts"
        skill = (
            f"{pair.task}, {pair.level} (never trained)" if pair.is_shape else f"**{pair.task}**"
        )
        gain = f"{100 * pair.difference:+.0f} ({100 * pair.low:+.0f} to {100 * pair.high:+.0f})"
        chars = f"{none.mean_chars:.0f} → {high.mean_chars:.0f} (×{times(pair.length_ratio)})"
        lines.append(f"| {skill} | {percent(none)} | {percent(high)} | {gain} | {chars} |")
    return "\n".join(lines)


def percent(cell: Cell) -> str:
    return f"{100 * cell.score:.0f} % ({100 * cell.low:.0f}–{100 * cell.high:.0f})"


def times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"
