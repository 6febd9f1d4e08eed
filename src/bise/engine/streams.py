"""One request under way, as whoever waits for it sees it: a stream of steps, plain or async."""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, field
from typing import Protocol
from weakref import WeakKeyDictionary

from bise.engine.requests import Request, Step

MOST_UNREAD = 256
"""Steps that wait for a reader who lags; then its request waits for the reader,"""

FEW_UNREAD = 64
"""until there are no more than these."""

Deliver = Callable[[Step | BaseException], None]


@dataclass(slots=True)
class Ticket:
    """A stream's end of the line, and the engine's number once it has been let in."""

    request: Request
    deliver: Deliver
    number: int | None = None
    is_cancelled: bool = False
    is_held: bool = False
    """Whether it waits for its reader."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    """Around that."""


class Mail:
    """Carries steps to one event loop: it is woken once for all that came since it last looked."""

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self._loop = loop
        self._waiting: deque[tuple[asyncio.Queue[Step | BaseException], Step | BaseException]] = (
            deque()
        )
        self._is_called = False

    def put(self, box: "asyncio.Queue[Step | BaseException]", one: Step | BaseException) -> None:
        """From any thread. Raises `RuntimeError` if the loop is gone."""
        self._waiting.append((box, one))
        if self._is_called:
            return
        self._is_called = True
        try:
            self._loop.call_soon_threadsafe(self._deliver)
        except RuntimeError:
            self._is_called = False
            self._waiting.clear()
            raise

    def _deliver(self) -> None:
        self._is_called = False  # before looking: what comes from here on calls again
        while self._waiting:
            box, one = self._waiting.popleft()
            box.put_nowait(one)


class Post:
    """The mail of each loop somebody waits in."""

    def __init__(self) -> None:
        self._mails: WeakKeyDictionary[asyncio.AbstractEventLoop, Mail] = WeakKeyDictionary()

    def to(self, loop: asyncio.AbstractEventLoop) -> Mail:
        """Called in that loop."""
        return self._mails.setdefault(loop, Mail(loop))


class Host(Protocol):
    """Whoever computes what streams wait for."""

    post: Post

    def begin(self, ticket: Ticket, request_id: str | None) -> None: ...

    def leave(self, ticket: Ticket, request_id: str | None) -> None: ...

    def hold(self, ticket: Ticket, *, is_on: bool) -> None:
        """Let a request wait with all it has, or go on."""
        ...


class Stream:
    """One request under way: `async for step in stream`, or `for step in stream` in plain code."""

    def __init__(self, host: Host, request: Request, request_id: str | None):
        self.host = host
        self.request = request
        self.request_id = request_id

    async def __aiter__(self) -> AsyncGenerator[Step, None]:
        mail = self.host.post.to(asyncio.get_running_loop())
        arrived: asyncio.Queue[Step | BaseException] = asyncio.Queue()

        def deliver(one: Step | BaseException) -> None:
            try:
                mail.put(arrived, one)
            except RuntimeError:  # the loop is gone, and with it whoever waited
                ticket.is_cancelled = True
            if arrived.qsize() > MOST_UNREAD:
                self._hold(ticket, arrived)

        ticket = self.begin(deliver)
        is_done = False
        try:
            while not is_done:
                if ticket.is_held or arrived.empty():
                    self._go_on(ticket, arrived)
                one = await arrived.get()
                is_done = isinstance(one, BaseException) or one.finish_reason is not None
                yield _step(one)
        finally:
            self.leave(ticket)

    def __iter__(self) -> Generator[Step, None, None]:
        arrived: queue.SimpleQueue[Step | BaseException] = queue.SimpleQueue()
        ticket = self.begin(arrived.put)
        is_done = False
        try:
            while not is_done:
                one = arrived.get()
                is_done = isinstance(one, BaseException) or one.finish_reason is not None
                yield _step(one)
        finally:
            self.leave(ticket)

    def begin(self, deliver: Deliver) -> Ticket:
        """Begin without iterating: steps, or what went wrong, go to `deliver` in the engine's
        thread. Whoever does this also calls `leave`."""
        ticket = Ticket(self.request, deliver)
        self.host.begin(ticket, self.request_id)
        return ticket

    def _hold(self, ticket: Ticket, arrived: "asyncio.Queue[Step | BaseException]") -> None:
        """Let the request wait for a reader who lags.

        Never waits: whoever delivers may hold a lock of the engine's that `_go_on` wants while it
        has the ticket's. The next step asks again.
        """
        if not ticket.lock.acquire(blocking=False):
            return
        try:
            if not ticket.is_held and arrived.qsize() > MOST_UNREAD:
                ticket.is_held = True
                self.host.hold(ticket, is_on=True)
        finally:
            ticket.lock.release()

    def _go_on(self, ticket: Ticket, arrived: "asyncio.Queue[Step | BaseException]") -> None:
        """The reader has nearly caught up."""
        with ticket.lock:
            if ticket.is_held and arrived.qsize() <= FEW_UNREAD:
                ticket.is_held = False
                self.host.hold(ticket, is_on=False)

    def leave(self, ticket: Ticket) -> None:
        """Nothing more is wanted, or there is nothing more to come."""
        self.host.leave(ticket, self.request_id)


def _step(one: Step | BaseException) -> Step:
    if isinstance(one, BaseException):
        raise one
    return one
