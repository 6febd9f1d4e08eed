"""`bise eval prove`: how many problems are proved, at what price, and how sure that is."""

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from math import inf
from pathlib import Path
from typing import Any

from bise.commands.prove_run import opened_model
from bise.commands.show import err, out
from bise.errors import UserError
from bise.prove.attempts import Tries, attempt_many
from bise.prove.benchmark import (
    RECORDS,
    SUMMARY,
    Record,
    compiled_only,
    keep_settings,
    known_records,
    pass_rates,
    read_records,
    read_settings,
    run_all,
    summary,
    table,
)
from bise.prove.budget import Budget, has_price, price_of, price_table
from bise.prove.endpoint import Endpoint
from bise.prove.hand import Hand
from bise.prove.picture import draw
from bise.prove.problems import Problem, load_problems
from bise.prove.runlog import RunLog, write_whole
from bise.prove.search import Plan, Search
from bise.prove.suggest import ModelSuggester, Suggester
from bise.prove.workspace import Workspace

AUTOMATION = "automation"
PICTURE = "cost-against-score.png"


def run_prove_eval(
    where: str,
    *,
    only: Sequence[str],
    model: str | None,
    attempts: int,
    cpu_s: float,
    tokens: int | None,
    usd_per_hour: float | None,
    folder: Path,
    beside: Sequence[Path] = (),
    tactics: str | None = None,
) -> None:
    """Solve every problem that has no record in the folder yet, then show the table.

    beside: folders of other runs, drawn into the same picture; tactics: a small model that goes on
    where automation is at its end.
    """
    if tactics is not None and model is not None:
        raise UserError(
            "`--tactics` goes on where automation ends, `--model` is measured without either",
            hint="leave one of them out",
        )
    if not 0 < cpu_s < inf:
        raise UserError(f"`--cpu-s` is {cpu_s:g}, expected more than 0 and an end")
    price_of("", usd_per_hour)  # refused before anything is measured
    problems = load_problems(where, only)
    others = [(other, read_records(other / RECORDS), read_settings(other)) for other in beside]
    with ExitStack() as closing:
        endpoint = None if model is None else closing.enter_context(opened_model(model))
        small = None
        if tactics is not None:
            small = closing.enter_context(opened_model(tactics))
            small.effort = None
        settings = settings_of(where, endpoint, attempts, cpu_s, tokens, usd_per_hour)
        if small is not None:
            settings |= {"model": f"{AUTOMATION}, {small.model}", "tokens": tokens}
        keep_settings(folder, settings)
        hand = closing.enter_context(Hand(_whisper))

        def solve(problem: Problem) -> Record:
            asked = endpoint or small
            price = price_of("" if asked is None else asked.model, usd_per_hour)
            budget = Budget(tokens=tokens, price=price)
            if endpoint is None:
                suggester = None if small is None else ModelSuggester(small, budget)
                return solve_plainly(problem, hand, budget, cpu_s, suggester)
            return solve_with(problem, hand, budget, endpoint, attempts)

        name = str(settings["model"])
        if endpoint is not None and not has_price(name) and usd_per_hour is None:
            _whisper(f"no price is known for {name}: dollars are 0 (--usd-per-hour names one)")
        try:
            records = run_all(problems, solve, folder, Teller(problems, folder))
        except KeyboardInterrupt:
            _whisper(f"stopped; what has a record in {folder} is not done again")
            raise
    _write(folder, records, settings, others)
    show(records)
    _whisper(f"{RECORDS}, {SUMMARY} and {PICTURE} are in {folder}")


def settings_of(
    where: str,
    endpoint: Endpoint | None,
    attempts: int,
    cpu_s: float,
    tokens: int | None,
    usd_per_hour: float | None,
) -> dict[str, Any]:
    """How this run measures; records of another way do not belong into one table with it."""
    whole = "core" if where.partition("/")[0] == "core" else str(Path(where).resolve())
    found: dict[str, Any] = {"set": whole, "model": AUTOMATION, "attempts": 1, "cpu_s": cpu_s}
    if endpoint is not None:
        found = {
            "set": whole,
            "model": endpoint.model,
            "attempts": attempts,
            "tokens": tokens,
            "usd_per_hour": usd_per_hour,
            "prices": price_table()["version"],
        }
    return found


class Teller:
    """Tells what is done, of how many, and how many of them are solved."""

    def __init__(self, problems: Sequence[Problem], folder: Path):
        known = known_records(folder)
        done = [known[one.name] for one in problems if one.name in known]
        self.num = len(problems)
        self.num_done = len(done)
        self.num_solved = sum(one.is_solved for one in done)
        if done:
            _whisper(
                f"going on: {self.num_done} of {self.num} have a record in {folder}, "
                f"{self.num_solved} of them solved"
            )

    def __call__(self, record: Record) -> None:
        """One problem more is done."""
        self.num_done += 1
        self.num_solved += record.is_solved
        words = f"{self.num_done}/{self.num} {record.problem}: {record.outcome}"
        if not record.num_attempts:
            _whisper(f"{words} ({record.ended_by})")
            return
        if record.num_attempts > 1:
            words += f", {record.num_accepted} of {record.num_attempts}"
        words += f", {record.seconds:.0f} s, {float(record.usage['check_cpu_s']):.0f} CPU s of Lean"
        _whisper(f"{words}; {self.num_solved} solved")


def solve_plainly(
    problem: Problem,
    hand: Hand,
    budget: Budget,
    cpu_s: float,
    suggester: Suggester | None = None,
) -> Record:
    """Automation, and a small model of tactics if there is one: one attempt, since both always do
    the same."""
    plan = Plan(
        stages=("portfolio", "refute", "explore", "tactics"),
        suggester=suggester,
        portfolio_cpu_s=cpu_s,
    )
    search = Search(
        Workspace(problem.challenge),
        hand.pool,
        lambda work: hand.judge(hand.request(work, problem.examples)),
        lambda: hand.premises,
        plan,
        budget,
        RunLog(),
    )
    found = search.run()
    if found.verdict is not None and found.verdict.verdict == "failed":
        raise UserError(f"the judge could not run: {found.verdict.message}")
    return Record(
        problem=problem.name,
        level=problem.level,
        kind=problem.kind,
        num_attempts=1,
        num_accepted=int(found.outcome != "open"),
        num_compiled=found.num_compiled,
        outcome=found.outcome,
        stage=found.stage,
        ended_by=found.ended_by,
        seconds=round(found.seconds, 2),
        usage=found.used.as_json(),
        scripts={} if found.swept is None else {one.name: one.script for one in found.swept.closed},
        backend="" if found.verdict is None else found.verdict.backend,
        kernel="" if found.verdict is None else found.verdict.kernel,
    )


def solve_with(
    problem: Problem, hand: Hand, budget: Budget, endpoint: Endpoint, count: int
) -> Record:
    """Independent attempts of a model, all of them, so that pass@k can be told.

    Raises `UserError`, so that nothing is written down, if the judge cannot run, if no attempt got
    a single answer, or if some got none because the model's server failed: that says something
    about the server or the budget, nothing about a model.
    """
    tries = Tries(
        challenge=problem.challenge,
        endpoint=endpoint,
        pool=hand.pool,
        judge=lambda work: hand.judge(hand.request(work, problem.examples)),
        budget=budget,
        log=RunLog(),
        disproves=problem.kind == "disprove",
        stops_early=False,
    )
    started = time.monotonic()
    ended = attempt_many(tries, count)
    verdicts = [one.verdict for one in ended if one.verdict is not None]
    for verdict in verdicts:
        if verdict.verdict == "failed":
            raise UserError(f"the judge could not run: {verdict.message}")
    if not any(one.num_rounds for one in ended):
        raise UserError(f"{endpoint.model} gave no answer at all: {ended[0].fault}")
    if lost := [one for one in ended if one.is_lost]:
        raise UserError(
            f"{endpoint.model} gave no answer in {len(lost)} of {len(ended)} attempts at"
            f" `{problem.name}`: {lost[0].fault}",
            hint="run the same again when its server is well; what has a record is not done again",
        )
    right = [one for one in verdicts if one.is_accepted]
    judged = [*right, *verdicts][:1]
    return Record(
        problem=problem.name,
        level=problem.level,
        kind=problem.kind,
        num_attempts=len(ended),
        num_accepted=len(right),
        num_compiled=sum(one.compiles for one in ended),
        outcome="proved" if right else "open",
        stage="attempts",
        ended_by="accepted" if right else next((one.fault for one in ended if one.fault), ""),
        seconds=round(time.monotonic() - started, 2),
        usage=budget.used.as_json(),
        backend="".join(one.backend for one in judged),
        kernel="".join(one.kernel for one in judged),
    )


def show(records: Sequence[Record]) -> None:
    """The table."""
    console = out()
    console.print(f"{'':16} {'solved':>9} {'95 %':>12} {'tokens':>10} {'$':>9} {'CPU s':>8}")
    lines = table(records)
    for line in lines:
        share = f"{line.num_solved}/{line.num}"
        between = f"{100 * line.low:.0f}-{100 * line.high:.0f} %"
        console.print(
            f"{line.label:16} {share:>9} {between:>12} {line.tokens:>10,} "
            f"{line.dollars:>9.4f} {line.cpu_s:>8.0f}",
            markup=False,
        )
    for line in lines[-1:]:
        for words, count in (("attempt", line.num_attempts), ("solved task", line.num_solved)):
            if (each := line.each(count)) is not None:
                console.print(
                    f"for each {words}: {each['tokens']:,.0f} tokens, ${each['dollars']:.4f}, "
                    f"{each['cpu_s']:.0f} CPU s"
                )
    for k, (middle, low, high) in pass_rates(records).items():
        console.print(f"pass@{k}: {100 * middle:.1f} % ({100 * low:.1f}-{100 * high:.1f})")
    console.print(f"compiled, but rejected by the judge: {compiled_only(records)}")
    left_out = [one for one in records if not one.num_attempts]
    if left_out:
        console.print(f"not run, needs native: {len(left_out)}")


def _write(
    folder: Path,
    records: Sequence[Record],
    settings: dict[str, Any],
    others: Sequence[tuple[Path, Sequence[Record], dict[str, Any]]],
) -> None:
    """The summary, and the picture with the runs beside this one."""
    text = json.dumps(summary(records, settings), ensure_ascii=False, indent=1)
    write_whole(folder / SUMMARY, text + "\n")
    runs = {str(settings["model"]): records}
    for other, theirs, about in others:
        name = str(about.get("model", other.name))
        runs[name if name not in runs else f"{name} ({other.name})"] = theirs
    draw(runs, folder / PICTURE)


def _whisper(words: str) -> None:
    err().print(words, style="dim", markup=False)
