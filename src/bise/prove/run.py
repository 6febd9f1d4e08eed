"""One search, as those see it who watch: what is open, what Lean says, what it costs.

The thread that searches puts things in place whole, so that others may look at any time.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from bise.judge import Request, Verdict
from bise.judge.extensions import Position
from bise.judge.pool import WarmPool
from bise.judge.report import Warning_
from bise.judge.warm import Checked, Goal
from bise.prove.budget import Budget, Usage
from bise.prove.endpoint import Endpoint
from bise.prove.feedback import feedback, shorten
from bise.prove.runlog import Event, RunLog
from bise.prove.search import Found
from bise.prove.source import Source
from bise.prove.workspace import Workspace

State = Literal["waiting", "running", "stopping", "interrupted", "ended"]

MAX_MESSAGES = 20
WORDS_CHARS = 400
TEXT_CHARS = 2000
JUDGE_S = 120
"""CPU seconds of each of the judge's processes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What somebody asked for."""

    work: Workspace
    name: str
    minutes: float
    tokens: int
    attempts: int
    model: str | None = None
    """The name of the model that helps; None: automation only."""

    opened_model: Callable[[], Endpoint] | None = None
    """That model; only for a search that waits or runs, since a key belongs to it."""


@dataclass(kw_only=True, eq=False)
class Run:
    """One search."""

    id: str
    owner: str
    wanted: Wanted
    folder: Path | None = None
    """Where it is kept."""

    began: float = field(default_factory=time.time)
    """When it was asked for, in seconds since 1970."""

    state: State = "waiting"
    note: str = ""
    """What is being waited for, if it takes seconds."""

    stage: str = ""
    goals: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    last_try: str = ""
    """What Lean said of the script that was tried last."""

    attempts: int = 0
    """Of a model, those that have ended."""

    diff: str = ""
    verdict: str = ""
    found: Found | None = None
    was_stopped: bool = False
    """Whether somebody said that it should end."""

    fault: str = ""
    """Why the search could not be made, or broke off."""

    budget: Budget = field(init=False)
    log: RunLog = field(init=False)
    _began_s: float | None = None
    _ended_s: float | None = None
    _seen: str = ""
    _restored: dict[str, Any] | None = None
    """What there was to see when it ended, if that was on an earlier server."""

    def __post_init__(self) -> None:
        self.begin()

    @property
    def is_over(self) -> bool:
        """Whether nothing of it changes until somebody says so."""
        return self.state in ("interrupted", "ended")

    def begin(self) -> None:
        """Its clock starts now, or goes on from where it was on an earlier server."""
        self.attempts = 0
        self.log = RunLog(self.folder, watchers=[self._hear])
        for event in self.log.events:
            self._hear(event)
        self.budget = Budget(minutes=self.wanted.minutes, tokens=self.wanted.tokens)
        self.budget.before_s = self.log.before_s
        self._began_s = time.monotonic() if self.state != "waiting" else None

    def end(self) -> None:
        """Nothing of it changes any more."""
        self.look_again()
        self.note = ""
        self._ended_s = time.monotonic()
        self.state = "ended"

    def interrupt(self) -> None:
        """Its server ended before it did: as far as it got, until somebody resumes it."""
        saved = self.log.load()
        if saved is not None:
            self.wanted.work.text = saved.get("agent", saved)["text"]
            self.wanted.work.disproves = tuple(saved["disproves"])
            self.budget.used = Usage(**saved["used"])
        self.look_again()
        self.note, self._began_s = "", None
        self.state = "interrupted"

    def resume(self, opened_model: Callable[[], Endpoint] | None) -> None:
        """Wait for a turn again; the search goes on from the state that was kept."""
        self.wanted = replace(
            self.wanted, work=Workspace(self.wanted.work.challenge), opened_model=opened_model
        )
        self._seen, self.diff = "", ""
        self.state = "waiting"

    def restore(self, seen: dict[str, Any]) -> None:
        """It ended on an earlier server, and this was to be seen then."""
        self._restored = seen
        self.state = "ended"

    def told(self) -> dict[str, Any]:
        """It in a list: what it is called, and how it stands."""
        outcome = None if self.found is None else self.found.outcome
        if self._restored is not None:
            outcome = self._restored["result"]["outcome"]
        return {
            "id": self.id,
            "name": self.wanted.name,
            "began": int(self.began),
            "state": self.state,
            "outcome": (outcome or "open") if self.state == "ended" else None,
        }

    def seen(self, place: int) -> dict[str, Any]:
        """Everything there is to see but events. place: how many runs come before it"""
        if self._restored is not None:
            return self._restored
        wanted = self.wanted
        return {
            "id": self.id,
            "name": wanted.name,
            "state": self.state,
            "place": place,
            "note": self.note,
            "stage": self.stage,
            "model": wanted.model is not None,
            "goals": self.goals,
            "messages": self.messages,
            "last_try": self.last_try,
            "attempts": self.attempts,
            "used": self.budget.used.as_json(),
            "limits": {
                "minutes": wanted.minutes,
                "tokens": wanted.tokens,
                "attempts": wanted.attempts,
            },
            "elapsed_s": self._elapsed_s(),
            "diff": self.diff,
            "verdict": self.verdict,
            "result": self._result(),
        }

    def events_after(self, number: int) -> list[dict[str, Any]]:
        """What happened since; the first one is number 1."""
        return [
            {
                "number": at,
                "at_s": round(one.at_s, 1),
                "kind": one.kind,
                "words": shorten(one.words, WORDS_CHARS),
            }
            for at, one in enumerate(self.log.events[number:], number + 1)
        ]

    def saw(self, source: str, checked: Checked, *, with_goals: bool) -> None:
        """Lean was asked about a source."""
        errors = [one for one in checked.messages if one.severity == "error"]
        if not with_goals or source != self.wanted.work.text:
            words = errors[0].text if errors else feedback(checked)
            self.last_try = shorten(words, WORDS_CHARS)
            return
        others = [one for one in checked.messages if one not in errors and one.kind != "hasSorry"]
        self.messages = [
            {
                "line": one.start.line,
                "column": one.start.column,
                "severity": one.severity,
                "text": shorten(one.text, TEXT_CHARS),
            }
            for one in [*errors, *others][:MAX_MESSAGES]
        ]
        text = Source(source)
        self.goals = [self._shown(text, one) for one in checked.goals]

    def look_again(self) -> None:
        """See what has become of the file."""
        work = self.wanted.work
        if work.text == self._seen:
            return
        self._seen = work.text
        self.messages = []  # of a text that is no more
        self.diff = work.diff() if work.text != work.challenge else ""
        source = Source(work.text)
        names = {_name_at(source, gap.start) for gap in source.gaps}
        self.goals = [{**one, "open": one["name"] in names} for one in self.goals]

    def _shown(self, source: Source, goal: Goal) -> dict[str, Any]:
        line, column = goal.place.line, goal.place.column
        return {
            "line": line,
            "column": column,
            "name": _name_at(source, source.offset(line, column)),
            "text": shorten(goal.text, TEXT_CHARS),
            "open": True,
        }

    def _hear(self, event: Event) -> None:
        """Something happened in the search; the log's lock is held."""
        if event.kind == "stage":
            self.stage = event.words
        elif event.kind == "tried":
            self.attempts += 1
        elif event.kind == "verdict":
            self.verdict = event.words

    def _elapsed_s(self) -> int:
        if self._began_s is None:
            return int(self.log.before_s)
        here_s = (self._ended_s or time.monotonic()) - self._began_s
        return int(self.log.before_s + here_s)

    def _result(self) -> dict[str, Any] | None:
        if self.state != "ended":
            return None
        made: dict[str, Any] = {"outcome": "open", "ended_by": self.fault, "verdict": None}
        if self.found is not None:
            made = self.found.as_json()
        if self.was_stopped and made["outcome"] == "open":
            made["ended_by"] = "stopped"
        text = self.wanted.work.text if self.found is None else self.found.text
        return {
            **made,
            "fault": self.fault,
            "text": text,
            "certificate": self.accepted is not None,
        }

    @property
    def accepted(self) -> tuple[Request, Verdict] | None:
        """What the judge accepted, and its verdict; None if it was nothing."""
        work = self.wanted.work
        verdict = None if self.found is None else self.found.verdict
        if self._restored is not None and (told := self._restored["result"]["verdict"]) is not None:
            verdict = verdict_of(told)
            text = self._restored["result"]["text"]
            work = Workspace(work.challenge, text, disproves=tuple(verdict.disproved))
        if verdict is None or not verdict.is_accepted:
            return None
        return request_of(work), verdict


class WatchedPool:
    """A pool that shows a run what Lean says."""

    def __init__(self, pool: WarmPool, run: Run):
        self._pool, self._run = pool, run

    def check(self, source: str, *, with_goals: bool = True, cpu_s: float | None = None) -> Checked:
        self._run.look_again()
        checked = self._pool.check(source, with_goals=with_goals, cpu_s=cpu_s)
        self._run.note = ""
        self._run.saw(source, checked, with_goals=with_goals)
        return checked

    def goals(self, source: str, place: Position) -> tuple[Goal, ...]:
        self._run.look_again()
        return self._pool.goals(source, place)

    def try_many(
        self, source: str, place: Position, texts: Sequence[str], *, cpu_s: float | None = None
    ) -> Sequence[Checked]:
        self._run.look_again()
        return self._pool.try_many(source, place, texts, cpu_s=cpu_s)


def request_of(work: Workspace) -> Request:
    """What the judge is asked about a file as it is."""
    return Request(
        challenge=work.challenge,
        submission=work.text,
        disproves=work.disproves,
        timeout_s=JUDGE_S,
    )


def verdict_of(told: dict[str, Any]) -> Verdict:
    """A verdict from its JSON."""
    warnings = [Warning_(one["code"], one["message"]) for one in told["warnings"]]
    return Verdict(**{**told, "warnings": warnings})


def _name_at(source: Source, offset: int) -> str:
    one = source.declaration_at(offset)
    return "?" if one is None else source.qualified(one) or one.kind
