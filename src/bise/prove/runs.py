"""Searches a server runs for people: one after another, watched, and kept for a while."""

import logging
import secrets
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, cast

from bise.errors import NotFound, UserError
from bise.judge import Request, Verdict
from bise.judge.pool import WarmPool
from bise.prove.budget import Spent
from bise.prove.feedback import feedback
from bise.prove.premises import Premises
from bise.prove.run import Run, Wanted, WatchedPool, request_of
from bise.prove.search import Plan, Search
from bise.serve.faults import HttpFault

log = logging.getLogger(__name__)

MAX_WAITING = 8
"""Runs whose turn has not come, of all keys together,"""

MAX_OF_ONE = 4
"""and runs of one key that have not ended."""

KEPT = 32
"""Ended runs that can still be looked at; the oldest goes first."""

SWEEP_SHARE = 1 / 6
"""Of the time, in CPU seconds, for automation where a model waits for its turn."""


class Room(Protocol):
    """What a search works with; see `Hand`."""

    @property
    def pool(self) -> WarmPool: ...

    @property
    def premises(self) -> Premises: ...

    def judge(self, request: Request) -> Verdict: ...


def search(run: Run, room: Room) -> None:
    """Search for what a run wants. Raises `UserError` if it cannot be begun."""
    wanted, budget = run.wanted, run.budget
    pool = cast(WarmPool, WatchedPool(room.pool, run))
    budget.check()
    checked = pool.check(wanted.work.text)
    budget.checked(checked.cpu_s)
    if checked.has_errors:
        words = feedback(checked).splitlines()[0]
        raise UserError(f"Lean does not take the file as it is: {words}")
    endpoint = wanted.opened_model() if wanted.opened_model is not None else None
    try:
        plan = Plan(endpoint=endpoint, num_attempts=wanted.attempts)
        seconds = wanted.minutes * 60
        plan.portfolio_cpu_s = seconds if endpoint is None else min(60.0, seconds * SWEEP_SHARE)
        run.found = Search(
            wanted.work,
            pool,
            lambda one: room.judge(request_of(one)),
            lambda: room.premises,
            plan,
            budget,
            run.log,
        ).run()
    finally:
        if endpoint is not None:
            endpoint.close()


class Runs:
    """All runs of a server."""

    def __init__(self, opened: Callable[[Run], AbstractContextManager[Room]]):
        """opened: a room of its own for each run, so that nothing is left of one in the next."""
        self._opened = opened
        self._runs: dict[str, Run] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def begin(self, owner: str, wanted: Wanted) -> Run:
        """Put a search in the queue. Raises `HttpFault` 429 if there are too many."""
        with self._changed:
            unfinished = [one for one in self._runs.values() if one.state != "ended"]
            if sum(one.state == "waiting" for one in unfinished) >= MAX_WAITING:
                raise HttpFault(429, f"{MAX_WAITING} searches wait already")
            if sum(one.owner == owner for one in unfinished) >= MAX_OF_ONE:
                raise HttpFault(429, f"{MAX_OF_ONE} searches of yours have not ended yet")
            run = Run(id=secrets.token_urlsafe(16), owner=owner, wanted=wanted)
            self._runs[run.id] = run
            self._forget_old()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="bise-prove", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return run

    def find(self, owner: str, name: str) -> Run:
        """A run of this owner's. Raises `NotFound` for all others."""
        run = self._runs.get(name)
        if run is None or run.owner != owner:
            raise NotFound(f"no search `{name[:40]}` is known here")
        return run

    def seen(self, run: Run) -> dict[str, Any]:
        """A run, and how many come before it."""
        with self._changed:
            waiting = [one for one in self._runs.values() if one.state != "ended"]
        place = waiting.index(run) if run in waiting and run.state == "waiting" else 0
        return run.seen(place)

    def stop(self, run: Run) -> None:
        """End a search: at once if it waits, after its step if it runs; forget one that ended."""
        with self._changed:
            if run.state == "ended":
                self._runs.pop(run.id, None)
                return
            run.was_stopped = True
            if run.state == "waiting":
                run.end()
            else:
                run.state = "stopping"
                run.budget.is_interrupted = True

    def close(self, patience_s: float = 10.0) -> None:
        """Stop all, and wait a little for the one that runs."""
        with self._changed:
            self._is_closed = True
            unfinished = [one for one in self._runs.values() if one.state != "ended"]
            self._changed.notify_all()
        for run in unfinished:
            self.stop(run)
        if self._thread is not None:
            self._thread.join(patience_s)

    def _forget_old(self) -> None:
        ended = [one.id for one in self._runs.values() if one.state == "ended"]
        for name in ended[: max(0, len(ended) - KEPT)]:
            del self._runs[name]

    def _work(self) -> None:
        while True:
            with self._changed:
                run = self._next()
                while run is None and not self._is_closed:
                    self._changed.wait()
                    run = self._next()
                if run is None or self._is_closed:
                    return
                run.state = "running"
                run.begin()
            self._one(run)

    def _next(self) -> Run | None:
        return next((one for one in self._runs.values() if one.state == "waiting"), None)

    def _one(self, run: Run) -> None:
        """Make one search; whatever it ends with, the next one gets its turn."""
        try:
            with self._opened(run) as room:
                search(run, room)
        except Spent as spent:
            run.fault = f"budget: {spent.limit}"
        except UserError as fault:
            run.fault = f"{fault.message} ({fault.hint})" if fault.hint else fault.message
        except Exception:
            log.exception("a search failed")
            run.fault = "the search failed; the server's log says why"
        with self._changed:
            run.end()
