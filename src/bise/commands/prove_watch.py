"""What a search is doing, in the terminal: stages, gaps, attempts, the budget ticking."""

import time
from collections import deque
from types import TracebackType

from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bise.commands.show import err
from bise.prove.budget import Budget
from bise.prove.runlog import Event, RunLog

SHOWN = 12
"""Events in view."""

QUIET = frozenset({"call", "tool", "suggested", "check", "ended"})
"""Not told without `--watch`: there are too many."""


class Watch:
    """Lines as things happen, or a view that is drawn anew."""

    def __init__(self, name: str, log: RunLog, budget: Budget, *, is_live: bool):
        self._name, self._budget = name, budget
        self._events: deque[Event] = deque(maxlen=SHOWN)
        self._stage, self._gaps, self._closed = "", 0, 0
        self._verdict = ""
        self._started = time.monotonic()
        self._live: Live | None = None
        log.watchers.append(self._see)
        if is_live and err().is_terminal:
            self._live = Live(console=err(), get_renderable=self.view, refresh_per_second=4)

    def __enter__(self) -> "Watch":
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def view(self) -> Panel:
        """The whole view as it is now."""
        facts = Table.grid(padding=(0, 2))
        used, budget = self._budget.used, self._budget
        rows = [
            ("stage", self._stage),
            ("gaps", f"{self._closed} closed of {self._gaps}"),
            ("time", _of(time.monotonic() - self._started, budget.minutes, 60, "s")),
            ("checks", _of(used.checks, budget.checks, 1, "")),
            ("Lean", f"{used.check_cpu_s:.0f} CPU s"),
            ("tokens", _of(used.tokens, budget.tokens, 1, "")),
            ("dollars", _of(used.dollars, budget.dollars, 1, "", digits=4)),
        ]
        for label, words in rows:
            facts.add_row(Text(label, style="dim"), Text(words))
        lines = [
            Text.assemble((f"{one.at_s:7.1f}  ", "dim"), (f"{one.kind:9} ", "bold"), one.words)
            for one in self._events
        ]
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        last = Text(self._verdict, style="green" if self._verdict == "accepted" else "red")
        return Panel(Group(facts, Text(), *lines, Text(), last), title=self._name, expand=True)

    def _see(self, event: Event) -> None:
        if event.kind == "began":
            self._gaps = int(event.facts.get("gaps", 0))
        elif event.kind == "stage":
            self._stage = event.words
        elif event.kind == "closed":
            self._closed += 1
        elif event.kind == "verdict":
            self._verdict = event.words
        self._events.append(event)
        if self._live is None and event.kind not in QUIET:
            err().print(f"{event.kind}: {event.words}", style="dim", markup=False)


def _of(used: float, limit: float | None, unit: int, word: str, *, digits: int = 0) -> str:
    """`12 of 600 s`, `12` where there is no limit."""
    shown = f"{used:,.{digits}f}"
    if limit is None:
        return f"{shown} {word}".rstrip()
    return f"{shown} of {limit * unit:,.{digits}f} {word}".rstrip()
