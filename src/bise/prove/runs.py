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
from bise.prove.endpoint import Endpoint
from bise.prove.feedback import feedback
from bise.prove.premises import Premises
from bise.prove.run import Run, Wanted, WatchedPool, request_of
from bise.prove.search import Plan, Search
from bise.prove.shelf import Shelf
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

    def __init__(
        self, opened: Callable[[Run], AbstractContextManager[Room]], shelf: Shelf | None = None
    ):
        """opened: a room of its own for each run, so that nothing is left of one in the next;
        shelf: where runs are kept, and those of earlier servers are found."""
        self._opened, self._shelf = opened, shelf
        self._runs = {one.id: one for one in (shelf.found() if shelf is not None else ())}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def begin(self, owner: str, wanted: Wanted) -> Run:
        """Put a search in the queue. Raises `HttpFault` 429 if there are too many."""
        with self._changed:
            self._need_room(owner)
            name = secrets.token_urlsafe(16)
            folder = self._shelf.folder_of(name) if self._shelf is not None else None
            try:
                run = Run(id=name, owner=owner, wanted=wanted, folder=folder)
                if self._shelf is not None:
                    self._shelf.begin(run)
            except UserError as fault:
                log.error("a search cannot be kept: %s", fault.message)
                raise HttpFault(503, "searches cannot be kept; the server's log says why") from None
            self._queue(run)
        return run

    def resume(self, run: Run, opened_model: Callable[[], Endpoint] | None) -> None:
        """Put one that was interrupted in the queue again. Raises `HttpFault` 409, 429."""
        with self._changed:
            if run.state != "interrupted":
                raise HttpFault(
                    409, f"this search is {run.state}, only one that was interrupted can go on"
                )
            self._need_room(run.owner)
            run.resume(opened_model)
            self._runs.pop(run.id, None)
            self._queue(run)

    def _need_room(self, owner: str) -> None:
        unfinished = [one for one in self._runs.values() if not one.is_over]
        if sum(one.state == "waiting" for one in unfinished) >= MAX_WAITING:
            raise HttpFault(429, f"{MAX_WAITING} searches wait already")
        if sum(one.owner == owner for one in unfinished) >= MAX_OF_ONE:
            raise HttpFault(429, f"{MAX_OF_ONE} searches of yours have not ended yet")

    def _queue(self, run: Run) -> None:
        self._runs[run.id] = run
        self._forget_old()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="bise-prove", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def listed(self, owner: str) -> list[dict[str, Any]]:
        """The runs of an owner, the newest first."""
        with self._changed:
            runs = [one for one in self._runs.values() if one.owner == owner]
        return [one.told() for one in sorted(runs, key=lambda one: -one.began)]

    def find(self, owner: str, name: str) -> Run:
        """A run of this owner's. Raises `NotFound` for all others."""
        run = self._runs.get(name)
        if run is None or run.owner != owner:
            raise NotFound(f"no search `{name[:40]}` is known here")
        return run

    def seen(self, run: Run) -> dict[str, Any]:
        """A run, and how many come before it."""
        with self._changed:
            waiting = [one for one in self._runs.values() if not one.is_over]
        place = waiting.index(run) if run in waiting and run.state == "waiting" else 0
        return run.seen(place)

    def stop(self, run: Run) -> None:
        """End a search: at once if it waits, after its step if it runs; forget one that ended."""
        with self._changed:
            if run.is_over:
                self._forget(run.id)
                return
            run.was_stopped = True
            if run.state == "waiting":
                self._end(run)
            else:
                run.state = "stopping"
                run.budget.is_interrupted = True

    def close(self, patience_s: float = 10.0) -> None:
        """Stop all, and wait a little for the one that runs; where they are kept, they can be
        resumed on the next server."""
        with self._changed:
            self._is_closed = True
            unfinished = [one for one in self._runs.values() if not one.is_over]
            for run in unfinished:
                run.budget.is_interrupted = True
            self._changed.notify_all()
        if self._shelf is None:
            for run in unfinished:
                self.stop(run)
        if self._thread is not None:
            self._thread.join(patience_s)
        if self._shelf is not None:
            self._shelf.close()

    def _forget_old(self) -> None:
        over = [one.id for one in self._runs.values() if one.is_over]
        for name in over[: max(0, len(over) - KEPT)]:
            self._forget(name)

    def _forget(self, name: str) -> None:
        if self._runs.pop(name, None) is not None and self._shelf is not None:
            self._shelf.forget(name)

    def _end(self, run: Run) -> None:
        run.end()
        if self._shelf is not None:
            try:
                self._shelf.end(run)
            except UserError as fault:
                log.error("what a search came to cannot be kept: %s", fault.message)

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
                try:
                    run.begin()
                except UserError as fault:  # what was kept of it cannot be read any more
                    run.fault = fault.message
                    self._end(run)
                    continue
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
            was_cut_off = self._is_closed and not run.was_stopped and run.accepted is None
            if was_cut_off and self._shelf is not None:
                run.interrupt()
            else:
                self._end(run)
