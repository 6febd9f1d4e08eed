"""The engine with a thread of its own: put requests in, iterate over what comes out.

Arithmetic runs in one worker thread; whoever waits, waits on a queue. Leaving a stream, by `break`,
by an exception or by a client that hangs up, cancels its request within one step.
"""

import atexit
import logging
import queue
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Protocol

from bise.engine.bounds import Bounds
from bise.engine.requests import EngineStats, Request, Step
from bise.engine.streams import Post, Stream, Ticket
from bise.errors import NotFound, UserError

log = logging.getLogger(__name__)

STEP_S = 30.0
"""Whoever asks something between two steps waits no longer."""


class EngineFailed(RuntimeError):
    """A step raised: our bug. The requests that were in it end with this."""


class EngineClosed(UserError):
    """Nothing is computed any more (503)."""


class Computes(Protocol):
    """Whoever takes the steps: `Core`, or a `ScriptedCore` that only says what it is told."""

    bounds: Bounds
    failed: dict[int, Exception]

    @property
    def is_idle(self) -> bool: ...

    @property
    def num_waiting(self) -> int: ...

    def check(self, request: Request) -> int: ...

    def add(self, request: Request) -> int: ...

    def cancel(self, number: int) -> None: ...

    def hold(self, number: int, *, is_on: bool) -> None: ...

    def stop_thinking(self, number: int) -> None: ...

    def step(self) -> Mapping[int, Step]: ...

    def stats(self) -> EngineStats: ...

    def close(self) -> None: ...


class Engine:
    """Many requests at once, each a stream of steps."""

    def __init__(self, core: Computes, *, max_waiting: int = 1024):
        self.core = core
        self.max_waiting = max_waiting
        self.post = Post()
        self._commands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._tickets: dict[int, Ticket] = {}
        self._by_id: dict[str, Ticket] = {}
        self._is_closed = False
        self._closing = threading.Lock()
        self._beat = time.monotonic()
        self._num_coming = 0
        """Requests on their way to the worker."""

        self._worker = threading.Thread(target=self._work, name="bise-engine", daemon=True)
        self._worker.start()
        _working.add(self)

    def generate(self, request: Request, request_id: str | None = None) -> Stream:
        """Begin a request; raises at once what is wrong with it. Iterate to get its steps."""
        if self._is_closed:
            raise EngineClosed("the engine is closed")
        self.core.check(request)
        if self.core.num_waiting >= self.max_waiting:
            raise QueueFull(self.core.num_waiting)
        return Stream(self, request, request_id)

    def stop_thinking(self, request_id: str) -> None:
        """Let a running request close its thinking with its next token."""
        ticket = self._by_id.get(request_id)
        if ticket is None or ticket.number is None:
            raise NotFound(f"request `{request_id}` is not running")
        answer: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

        def ask() -> None:
            try:
                self.core.stop_thinking(ticket.number if ticket.number is not None else -1)
                answer.put(None)
            except UserError as error:
                answer.put(error)

        self._commands.put(ask)
        try:
            error = answer.get(timeout=STEP_S)
        except queue.Empty:
            raise EngineFailed(f"a step of the engine takes longer than {STEP_S:g} s") from None
        if error is not None:
            raise error

    def stats(self) -> EngineStats:
        return self.core.stats()

    def is_well(self, stale_s: float = 10.0) -> bool:
        """Whether the worker lives, and has nothing to do or finished a step not long ago."""
        is_moving = self.core.is_idle or time.monotonic() - self._beat < stale_s
        return self._worker.is_alive() and is_moving

    def close(self, timeout_s: float | None = None) -> None:
        """End all requests and the thread, which finishes its step. Closing twice is no error.

        timeout_s: to wait for that; None is as long as it takes
        """
        with self._closing:
            if not self._is_closed:
                self._is_closed = True
                self._commands.put(None)
        self._worker.join(timeout_s)

    def abandon(self) -> None:
        """Let the thread end after its step: nobody holds what could ask any more.

        Takes no lock and waits for nothing, for whoever collects garbage may be any thread.
        """
        self._commands.put(None)

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, ticket: Ticket, request_id: str | None) -> None:
        with self._closing:  # what is put after the closing None would wait for ever
            if self._is_closed:
                raise EngineClosed("the engine is closed")
            if self.core.num_waiting + self._num_coming >= self.max_waiting:
                raise QueueFull(self.max_waiting)
            self._num_coming += 1
            self._commands.put(lambda: self._admit(ticket))
        if request_id is not None:
            self._by_id[request_id] = ticket

    def leave(self, ticket: Ticket, request_id: str | None) -> None:
        if request_id is not None:
            self._by_id.pop(request_id, None)
        ticket.is_cancelled = True
        self._commands.put(lambda: self._drop(ticket))

    def hold(self, ticket: Ticket, *, is_on: bool) -> None:
        self._commands.put(lambda: self._hold(ticket, is_on=is_on))

    def _admit(self, ticket: Ticket) -> None:
        with self._closing:
            self._num_coming -= 1
        if ticket.is_cancelled:
            return
        try:
            ticket.number = self.core.add(ticket.request)
        except Exception as error:  # nobody else's request may end with it
            ticket.deliver(self._told(error))
            return
        self._tickets[ticket.number] = ticket
        self._tell_failures()

    def _drop(self, ticket: Ticket) -> None:
        if ticket.number is not None and self._tickets.pop(ticket.number, None) is not None:
            self.core.cancel(ticket.number)

    def _hold(self, ticket: Ticket, *, is_on: bool) -> None:
        if ticket.number in self._tickets:
            self.core.hold(ticket.number, is_on=is_on)

    def _work(self) -> None:
        """The worker's life."""
        self._obey()
        self._fail_all(EngineClosed("the engine was closed"))
        self.core.close()

    def _obey(self) -> None:
        """Follow commands, then compute one step, for as long as there is either."""
        while True:
            try:
                while True:
                    command = self._commands.get(block=self.core.is_idle)
                    if command is None:
                        return
                    self._beat = time.monotonic()
                    command()
            except queue.Empty:
                pass
            try:
                self._beat = time.monotonic()
                steps = self.core.step()
            except Exception as error:  # the door that keeps the engine alive
                self._fail_all(self._failure(error))
                continue
            for number, step in steps.items():
                ticket = self._tickets[number]
                if step.finish_reason is not None:
                    del self._tickets[number]
                ticket.deliver(step)
            self._tell_failures()

    @staticmethod
    def _failure(error: Exception) -> "EngineFailed":
        """What streams are told; the log has it whole."""
        log.error("the engine failed", exc_info=error)
        return EngineFailed(f"the engine failed: {error}")

    def _told(self, error: Exception) -> Exception:
        """What one stream is told: its request's fault as it is, ours as a failure."""
        return error if isinstance(error, UserError) else self._failure(error)

    def _tell_failures(self) -> None:
        """End the streams of those whose pictures or rules turned out to be no good."""
        for number, error in self.core.failed.items():
            ticket = self._tickets.pop(number, None)
            if ticket is not None:
                ticket.deliver(self._told(error))
        self.core.failed.clear()

    def _fail_all(self, error: BaseException) -> None:
        for number, ticket in list(self._tickets.items()):
            self.core.cancel(number)
            ticket.deliver(error)
        self._tickets.clear()


_working: weakref.WeakSet[Engine] = weakref.WeakSet()


@atexit.register
def _end_workers() -> None:
    """Python stops threads where they are when it ends; inside torch that aborts the process."""
    for engine in list(_working):
        engine.close(STEP_S)


class QueueFull(UserError):
    """Too many requests are waiting already (429)."""

    def __init__(self, num_waiting: int):
        super().__init__(
            f"{num_waiting} requests are waiting already", hint="try again in a moment"
        )
