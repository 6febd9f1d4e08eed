"""The process that computes: loads the weights, runs an engine, and speaks with its parent.

`python -m bise.engine.child SOCKET PARENT` is started by `SupervisedEngine` and by nobody else. It
ends when told, when the socket closes, or with its parent.
"""

import asyncio
import ctypes
import os
import signal
import socket
import sys
import time
import traceback
from asyncio import StreamReader, StreamWriter
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial

from bise.engine.engine import Engine
from bise.engine.requests import Step
from bise.engine.setup import freeze_heap, make_core, open_network, use_threads_for
from bise.engine.streams import Stream, Ticket
from bise.engine.wire import (
    DTYPES,
    AskStats,
    Beat,
    Begin,
    Bye,
    Done,
    Failed,
    Hello,
    Hold,
    Inbox,
    Leave,
    Loading,
    Message,
    Plan,
    Stats,
    StopThinking,
    Told,
    WireFault,
    encode,
)
from bise.errors import (
    BadRequest,
    NotFound,
    TooComplex,
    UserError,
    WaitedTooLong,
    WrongType,
)
from bise.model import load_eagle

BEAT_S = 0.5

LOADING_S = 0.1
"""How often the parent hears of the weights."""

READ_BYTES = 2**20

PR_SET_PDEATHSIG = 1
"""Ref: linux/prctl.h"""


def main(number: int, parent: int) -> int:
    """Serve one parent; returns the exit status."""
    for one in (signal.SIGINT, signal.SIGTERM):  # both go to the parent, who tells us
        signal.signal(one, signal.SIG_IGN)
    die_with(parent)
    with socket.socket(fileno=number) as line:
        inbox, said = Inbox(), list[Message]()
        try:
            while not said:
                piece = line.recv(READ_BYTES)
                if not piece:
                    return 0
                said += inbox.feed(piece)
            if not isinstance(said[0], Plan):
                raise WireFault(f"expected a `plan` first, not {type(said[0]).__name__}")
            engine, hello = open_engine(said[0], lambda one: line.sendall(b"".join(encode(one))))
        except Exception as error:  # whatever it is, the parent must hear of it
            if not isinstance(error, UserError):
                traceback.print_exc()
            with suppress(OSError):
                line.sendall(b"".join(encode(failed(None, error))))
            return 1
        with engine:
            return asyncio.run(serve(line, inbox, engine, [hello]))


def die_with(parent: int) -> None:
    """Let Linux end this process with its parent, even if a step never returns."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we said so
        sys.exit(1)


def open_engine(said: Plan, say: Callable[[Message], None]) -> tuple[Engine, Hello]:
    """Read the weights, tell of it, and start to compute."""
    told_s = 0.0

    def tell(done_bytes: int, total_bytes: int) -> None:
        nonlocal told_s
        if time.monotonic() - told_s > LOADING_S or done_bytes == total_bytes:
            told_s = time.monotonic()
            say(Loading(done_bytes, total_bytes))

    network = open_network(said.folder, said.layout, DTYPES[said.dtype], said.engine, tell)
    use_threads_for(network.config)
    head = None
    if said.eagle is not None:
        head = load_eagle(said.eagle, network.config, DTYPES[said.dtype])
    core = make_core(network, said.engine, head=head, vocabulary=said.vocabulary)
    freeze_heap()
    engine = Engine(core, max_waiting=sys.maxsize)  # the parent counts who waits
    return engine, Hello(core.bounds, engine.stats())


async def serve(line: socket.socket, inbox: Inbox, engine: Engine, first: list[Message]) -> int:
    """Do what the parent says until it says good-bye or is gone; 1 if it made no sense."""
    line.setblocking(False)
    reader, writer = await asyncio.open_unix_connection(sock=line.dup())
    desk = Desk(engine, lambda message: writer.writelines(encode(message)))
    for message in first:
        desk.say(message)
    beating = asyncio.create_task(desk.beat())
    try:
        return await listen(desk, inbox, reader)
    except ConnectionError:
        return 0
    finally:
        beating.cancel()
        await desk.clear()
        await hang_up(writer)


async def listen(desk: "Desk", inbox: Inbox, reader: StreamReader) -> int:
    """Obey, message by message; returns the exit status."""
    try:
        while piece := await reader.read(READ_BYTES):
            for message in inbox.feed(piece):
                if isinstance(message, Bye):
                    return 0
                desk.obey(message)
        inbox.end()
    except WireFault as fault:
        print(f"error: the engine's process was told nonsense: {fault}", file=sys.stderr)  # noqa: T201
        desk.say(failed(None, fault))
        return 1
    return 0


async def hang_up(writer: StreamWriter) -> None:
    """Close the line once what was said is on its way."""
    with suppress(ConnectionError):
        await writer.drain()
        writer.close()
        await writer.wait_closed()


class Desk:
    """Takes orders for an engine, and passes on what it delivers: a step of all in one message."""

    def __init__(self, engine: Engine, say: Callable[[Message], None]):
        self.engine = engine
        self.say = say
        self._loop = asyncio.get_running_loop()
        self._open: dict[int, tuple[Stream, Ticket]] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._delivered: deque[tuple[int, Step | BaseException]] = deque()
        self._is_called = False
        """Whether what was delivered is going to be passed on."""

    def obey(self, message: Message) -> None:
        """Begin what a message asks for."""
        if isinstance(message, Begin):
            self._begin(message)
        elif isinstance(message, Leave):
            self._leave(message.number)
        elif isinstance(message, Hold):
            stream, ticket = self._open.get(message.number, (None, None))
            if stream is not None and ticket is not None:
                stream.host.hold(ticket, is_on=message.is_on)
        elif isinstance(message, StopThinking):
            self._run_errand(self._stop_thinking(message))
        elif isinstance(message, AskStats):
            self.say(Stats(message.number, self.engine.stats()))
        else:
            raise WireFault(f"a parent says no `{type(message).__name__.lower()}` here")

    async def beat(self) -> None:
        """Tell that the engine moves, for as long as it does."""
        while True:
            await asyncio.sleep(BEAT_S)
            if self.engine.is_well(stale_s=2 * BEAT_S):
                self.say(Beat())

    async def clear(self) -> None:
        """End everything that runs."""
        for number in list(self._open):
            self._leave(number)
        for task in self._errands:
            task.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)

    def _begin(self, begin: Begin) -> None:
        try:
            stream = self.engine.generate(begin.request, begin.request_id)
            ticket = stream.begin(partial(self._deliver, begin.number))
        except Exception as error:  # the parent raises it where somebody waits
            self.say(failed(begin.number, error))
        else:
            self._open[begin.number] = stream, ticket

    def _leave(self, number: int) -> None:
        stream, ticket = self._open.pop(number, (None, None))
        if stream is not None and ticket is not None:
            stream.leave(ticket)

    def _deliver(self, number: int, one: Step | BaseException) -> None:
        """In the engine's thread: let what it delivers in one go be passed on in one go."""
        self._delivered.append((number, one))
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):  # the loop is gone, and with it the parent
                self._loop.call_soon_threadsafe(self._pass_on)

    def _pass_on(self) -> None:
        self._is_called = False  # from here on, whoever delivers calls again
        steps = list[tuple[int, Step]]()
        while self._delivered:
            number, one = self._delivered.popleft()
            if number not in self._open:
                continue  # it has left meanwhile
            if isinstance(one, BaseException):
                self._tell(steps)
                steps = []
                self.say(failed(number, one))
            else:
                steps.append((number, one))
            if isinstance(one, BaseException) or one.finish_reason is not None:
                self._leave(number)
        self._tell(steps)

    def _tell(self, steps: list[tuple[int, Step]]) -> None:
        """Say it together; if that cannot be said, then one by one."""
        if not steps:
            return
        try:
            self.say(Told(tuple(steps)))
        except WireFault as fault:
            if len(steps) == 1:
                self._leave(steps[0][0])
                self.say(failed(steps[0][0], fault))
                return
            for one in steps:
                self._tell([one])

    async def _stop_thinking(self, message: StopThinking) -> None:
        try:
            await asyncio.to_thread(self.engine.stop_thinking, message.request_id)
        except Exception as error:  # the parent raises it where somebody waits
            self.say(failed(message.number, error))
        else:
            self.say(Done(message.number))

    def _run_errand(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


def failed(number: int | None, error: BaseException) -> Failed:
    """An error as a message; of what kind it is decides what the parent raises."""
    if isinstance(error, TooComplex):
        return Failed(number, "too_complex", error.message, error.hint)
    if isinstance(error, BadRequest):
        return Failed(number, "bad_request", error.message, error.hint)
    if isinstance(error, WrongType):
        return Failed(number, "wrong_type", error.message, error.hint)
    if isinstance(error, NotFound):
        return Failed(number, "not_found", error.message, error.hint)
    if isinstance(error, WaitedTooLong):
        return Failed(number, "late", error.message, error.hint)
    if isinstance(error, UserError):
        return Failed(number, "user", error.message, error.hint)
    return Failed(number, "engine", str(error) or type(error).__name__)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
