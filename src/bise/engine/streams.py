"""One request under way, as whoever waits for it sees it: a stream of steps, plain or async."""

import asyncio
import queue
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import Protocol

from bise.engine.requests import Request, Step

Deliver = Callable[[Step | BaseException], None]


@dataclass(slots=True)
class Ticket:
    """A stream's end of the line, and the engine's number once it has been let in."""

    request: Request
    deliver: Deliver
    number: int | None = None
    is_cancelled: bool = False


class Host(Protocol):
    """Whoever computes what streams wait for."""

    def begin(self, ticket: Ticket, request_id: str | None) -> None: ...

    def leave(self, ticket: Ticket, request_id: str | None) -> None: ...


class Stream:
    """One request under way: `async for step in stream`, or `for step in stream` in plain code."""

    def __init__(self, host: Host, request: Request, request_id: str | None):
        self.host = host
        self.request = request
        self.request_id = request_id

    async def __aiter__(self) -> AsyncGenerator[Step, None]:
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[Step | BaseException] = asyncio.Queue()

        def deliver(one: Step | BaseException) -> None:
            try:
                loop.call_soon_threadsafe(arrived.put_nowait, one)
            except RuntimeError:  # the loop is gone, and with it whoever waited
                ticket.is_cancelled = True

        ticket = Ticket(self.request, deliver)
        self.host.begin(ticket, self.request_id)
        is_done = False
        try:
            while not is_done:
                one = await arrived.get()
                is_done = isinstance(one, BaseException) or one.finish_reason is not None
                yield _step(one)
        finally:
            self.host.leave(ticket, self.request_id)

    def __iter__(self) -> Generator[Step, None, None]:
        arrived: queue.SimpleQueue[Step | BaseException] = queue.SimpleQueue()
        ticket = Ticket(self.request, arrived.put)
        self.host.begin(ticket, self.request_id)
        is_done = False
        try:
            while not is_done:
                one = arrived.get()
                is_done = isinstance(one, BaseException) or one.finish_reason is not None
                yield _step(one)
        finally:
            self.host.leave(ticket, self.request_id)


def _step(one: Step | BaseException) -> Step:
    if isinstance(one, BaseException):
        raise one
    return one
