"""Provers measured: which problems are solved, at what price, and how sure that is.

Only the judge's verdict counts. What merely compiles is counted beside it: the gap between the two
is cheating. k attempts are independent; pass@k is the unbiased estimate, with an interval.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bise.errors import UserError
from bise.evals.intervals import bootstrap, wilson
from bise.prove.budget import Usage, pass_at
from bise.prove.problem import Problem
from bise.prove.runlog import write_whole

KS = (1, 2, 4, 8, 16)
RECORDS, SETTINGS, SUMMARY = "records.jsonl", "settings.json", "summary.json"
"""Files in the folder of a run."""


@dataclass(kw_only=True, slots=True)
class Record:
    """One problem, with all its attempts."""

    problem: str
    level: int
    kind: str
    num_attempts: int
    num_accepted: int
    num_compiled: int
    """Attempts that Lean was content with."""

    outcome: str
    """`proved`, `disproved`, `open`, or `needs native`."""

    stage: str
    ended_by: str
    seconds: float
    usage: dict[str, Any]
    scripts: dict[str, str] = field(default_factory=dict[str, str])
    """What closed the gaps, where automation did."""

    backend: str = ""
    kernel: str = ""

    @property
    def is_solved(self) -> bool:
        return self.num_accepted > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A row of the table: some of the problems together."""

    label: str
    num: int
    num_solved: int
    num_attempts: int
    low: float
    high: float
    """Wilson's interval of the share."""

    dollars: float
    tokens: int
    cpu_s: float
    """Of Lean, over all attempts."""

    def each(self, count: int) -> dict[str, float] | None:
        """What it took for each of so many; None for none."""
        if not count:
            return None
        return {
            "dollars": self.dollars / count,
            "tokens": self.tokens / count,
            "cpu_s": self.cpu_s / count,
        }


def keep_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write down how a run measures. Raises `UserError` if the folder has records of another way.

    Scores that were measured in two ways would mean nothing in one table.
    """
    path = folder / SETTINGS
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / RECORDS).exists():
        known = read_settings(folder)
        for name, value in settings.items():
            if name in known and known[name] != value:
                raise UserError(
                    f"`{folder}` has records with {name} `{known[name]}`, now it is `{value}`",
                    hint="name another folder with --out, or measure the same way",
                )
    write_whole(path, json.dumps(settings, ensure_ascii=False, indent=1) + "\n")


def read_settings(folder: Path) -> dict[str, Any]:
    """How a run measured. Raises `UserError`."""
    try:
        found = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise UserError(
            f"`{folder}` does not say how it was measured: {fault}",
            hint="name a folder that `bise eval prove` has written",
        ) from None
    if not isinstance(found, dict):
        raise UserError(f"`{folder / SETTINGS}` is no object of JSON")
    return found


def known_records(folder: Path) -> dict[str, Record]:
    """Records of a run by problem; a last line that was only half written goes."""
    path = folder / RECORDS
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):  # killed while it wrote
        write_whole(path, text[: text.rfind("\n") + 1])
    return {one.problem: one for one in read_records(path)}


def run_all(
    problems: Sequence[Problem],
    solve: Callable[[Problem], Record],
    folder: Path,
    told: Callable[[Record], None] = lambda _: None,
) -> list[Record]:
    """Solve what has no record yet, writing each down at once, so that it can be gone on with."""
    known = known_records(folder)
    folder.mkdir(parents=True, exist_ok=True)
    found = list[Record]()
    for problem in problems:
        record = known.get(problem.name)
        if record is None:
            record = needs_native(problem) if problem.needs else solve(problem)
            with (folder / RECORDS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
            told(record)
        found.append(record)
    return found


def needs_native(problem: Problem) -> Record:
    """A problem the Lean at hand has no modules for; it counts as not run, never as failed."""
    return Record(
        problem=problem.name,
        level=problem.level,
        kind=problem.kind,
        num_attempts=0,
        num_accepted=0,
        num_compiled=0,
        outcome="needs native",
        stage="",
        ended_by=f"imports {', '.join(problem.needs)}",
        seconds=0.0,
        usage=Usage().as_json(),
    )


def read_records(path: Path) -> list[Record]:
    """Records as they were written. Raises `UserError`."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # texts may hold other line ends
        return [Record(**json.loads(line)) for line in lines if line.strip()]
    except (OSError, ValueError, TypeError) as fault:
        raise UserError(
            f"`{path}` holds no records of a prover: {fault}", hint="move it away to begin anew"
        ) from None


def table(records: Iterable[Record]) -> list[Line]:
    """By level, by kind, and all together; what could not be run is left out."""
    run = [one for one in records if one.num_attempts]
    lines = [
        _line(f"level {level}", [one for one in run if one.level == level])
        for level in sorted({one.level for one in run})
    ]
    lines += [
        _line(kind, [one for one in run if one.kind == kind])
        for kind in sorted({one.kind for one in run})
    ]
    return [*lines, _line("all", run)] if run else []


def pass_rates(records: Iterable[Record]) -> dict[int, tuple[float, float, float]]:
    """pass@k with a bootstrap interval, for each k that every problem has enough attempts for."""
    run = [one for one in records if one.num_attempts]
    if not run:
        return {}
    fewest = min(one.num_attempts for one in run)
    found = dict[int, tuple[float, float, float]]()
    for k in KS:
        if k <= fewest:
            chances = [pass_at(one.num_attempts, one.num_accepted, k) for one in run]
            low, high = bootstrap(chances)
            found[k] = sum(chances) / len(chances), low, high
    return found


def compiled_only(records: Iterable[Record]) -> int:
    """Attempts that compiled and were rejected."""
    return sum(one.num_compiled - one.num_accepted for one in records)


def summary(records: Sequence[Record], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that a run says, for programs: shares from 0 to 1, what each thing took."""
    lines = table(records)
    run = [one for one in records if one.num_attempts]
    return {
        "settings": dict(settings),
        "table": [
            asdict(one)
            | {"per_attempt": one.each(one.num_attempts), "per_solved": one.each(one.num_solved)}
            for one in lines
        ],
        "pass_at": {
            str(k): {"mean": middle, "low": low, "high": high}
            for k, (middle, low, high) in pass_rates(records).items()
        },
        "compiled_but_rejected": compiled_only(records),
        "needs_native": [one.problem for one in records if not one.num_attempts],
        "seconds": sum(one.seconds for one in run),
        "backends": sorted({one.backend for one in run if one.backend}),
        "kernels": sorted({one.kernel for one in run if one.kernel}),
    }


def _line(label: str, records: Sequence[Record]) -> Line:
    solved = sum(one.is_solved for one in records)
    low, high = wilson(solved, len(records))
    return Line(
        label=label,
        num=len(records),
        num_solved=solved,
        num_attempts=sum(one.num_attempts for one in records),
        low=low,
        high=high,
        dollars=sum(float(one.usage["dollars"]) for one in records),
        tokens=sum(
            int(one.usage["prompt_tokens"]) + int(one.usage["output_tokens"]) for one in records
        ),
        cpu_s=sum(float(one.usage["check_cpu_s"]) for one in records),
    )
