"""The engine in a process of its own, started again when it dies; used like `Engine`.

Here nothing is computed: requests go to the child, steps come back, and one thread watches over it.
"""

import itertools
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from bise.engine.engine import EngineClosed, EngineFailed, QueueFull
from bise.engine.link import Link
from bise.engine.requests import EngineStats, Request, Step
from bise.engine.streams import Post, Stream, Ticket
from bise.engine.wire import (
    AskStats,
    Beat,
    Begin,
    Bye,
    Done,
    Failed,
    Hello,
    Hold,
    Leave,
    Loading,
    Message,
    Plan,
    Stats,
    StopThinking,
    Told,
    WireFault,
)
from bise.errors import (
    BadRequest,
    NotFound,
    TooComplex,
    UserError,
    WaitedTooLong,
    WrongType,
)
from bise.model.convert import Progress

log = logging.getLogger(__name__)

Answer = Step | Stats | Done | Exception

LOOK_S = 0.25
"""How often the watch looks up when nothing is said."""

ERRORS = {
    "too_complex": TooComplex,
    "bad_request": BadRequest,
    "wrong_type": WrongType,
    "not_found": NotFound,
    "late": WaitedTooLong,
    "user": UserError,
}


class EngineDown(EngineFailed, UserError):
    """The engine's process is gone or not back yet: no request's fault, and worth a retry (503)."""

    def __init__(self, what: str):
        UserError.__init__(self, f"the engine {what}", hint="try again in a moment")


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """When a child is given up, and when all of them are."""

    backoff_s: float = 0.5
    """Wait after a first death; doubled with each further one."""

    max_backoff_s: float = 10.0
    max_deaths: int = 5
    """So many within `window_s`, and it is not started again."""

    window_s: float = 600.0
    hang_s: float = 120.0
    """A child with work that says nothing for so long is killed. A step takes less."""

    answer_s: float = 60.0
    """Whoever wants a reply to stop thinking waits no longer for the child's word."""

    leave_s: float = 5.0
    """Time to finish a step when told to leave."""


class SupervisedEngine:
    """An engine in a child process: the same streams, and it comes back when it dies."""

    def __init__(
        self,
        plan: Plan,
        *,
        max_waiting: int = 1024,
        patience: Patience | None = None,
        progress: Progress | None = None,
    ):
        """Returns when the weights are in memory; raises what is wrong with them.

        progress: called, in another thread, with the bytes of weights read so far and in all, by
        each child that starts
        """
        self.plan = plan
        self.progress = progress
        self.max_waiting = max_waiting
        self.post = Post()
        self.patience = patience or Patience()
        self.lost: EngineDown | None = None
        """Why it is not coming back, once it has died too often."""

        self._lock = threading.RLock()
        self._link: Link | None = None  # only while it can take requests
        self._numbers = itertools.count()
        self._tickets: dict[int, Ticket] = {}
        self._ids: set[str] = set()
        self._asked: dict[int, queue.SimpleQueue[Answer]] = {}
        self._deaths: deque[float] = deque(maxlen=self.patience.max_deaths)
        self._last_sign = self._busy_since = 0.0
        self._when_lost: list[Callable[[], None]] = []
        self._closing = threading.Event()
        self._decided = threading.Event()  # whether the first child begins its work
        self._refusal: UserError | None = None
        self._watch = threading.Thread(target=self._supervise, name="bise-watch", daemon=True)
        self._watch.start()
        try:
            self._decided.wait()
        except BaseException:  # Ctrl-C while weights are read
            self.close()
            raise
        if self._refusal is not None:
            self._watch.join()
            raise self._refusal

    def generate(self, request: Request, request_id: str | None = None) -> Stream:
        """Begin a request; raises at once what is wrong with it. Iterate to get its steps."""
        self.check(request)
        with self._lock:
            self._need_link()
            num_waiting = max(0, len(self._tickets) - self.plan.engine.max_running)
        if num_waiting >= self.max_waiting:
            raise QueueFull(num_waiting)
        return Stream(self, request, request_id)

    def check(self, request: Request) -> int:
        """Refuse what cannot be computed there; says how many tokens there is room for."""
        for image in request.images:
            if image.ndim != 3:
                raise BadRequest(
                    f"an image has {image.ndim} axes, expected channels, height and width"
                )
        return self.bounds.check(request)

    def stop_thinking(self, request_id: str) -> None:
        """Let a running request close its thinking with its next token."""
        with self._lock:
            if request_id not in self._ids:
                raise NotFound(f"request `{request_id}` is not running")
        limit_s = self.patience.answer_s
        try:
            answer = self._ask(lambda number: StopThinking(number, request_id), limit_s)
        except queue.Empty:
            raise EngineDown(f"has said nothing for {limit_s:g} s") from None
        if isinstance(answer, Exception):
            raise answer

    def stats(self) -> EngineStats:
        """As the child counts, since it was started; without one, nothing runs."""
        try:
            answer = self._ask(AskStats, timeout_s=1)
        except (UserError, queue.Empty):
            answer = None
        with self._lock:
            if isinstance(answer, Stats):
                self._stats = answer.stats
            elif self._link is None:
                self._stats = replace(
                    self._stats, num_running=0, num_waiting=0, pages_used=0, pages_known=0
                )
            return self._stats

    def is_well(self, stale_s: float = 10.0) -> bool:
        """Whether there is a child that gave a sign of life not long ago, with work or without."""
        with self._lock:
            return self._link is not None and time.monotonic() - self._last_sign < stale_s

    def call_when_lost(self, call: Callable[[], None]) -> None:
        """Have something done, in another thread, when the engine is given up."""
        with self._lock:
            self._when_lost.append(call)
            is_late = self.lost is not None
        if is_late:
            call()

    def close(self) -> None:
        """End all requests and the process. Closing twice is no error."""
        self._closing.set()
        with self._lock:
            link, self._link = self._link, None
            if link is not None:
                link.send(Bye())
            self._fail_all(EngineClosed("the engine was closed"))
        self._watch.join()

    def __enter__(self) -> "SupervisedEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, ticket: Ticket, request_id: str | None) -> None:
        with self._lock:
            link = self._need_link()
            if not self._tickets:
                self._busy_since = time.monotonic()
            ticket.number = next(self._numbers)
            self._tickets[ticket.number] = ticket
            if request_id is not None:
                self._ids.add(request_id)
            link.send(Begin(ticket.number, request_id, ticket.request))

    def leave(self, ticket: Ticket, request_id: str | None) -> None:
        with self._lock:
            if request_id is not None:
                self._ids.discard(request_id)
            ticket.is_cancelled = True
            is_running = ticket.number in self._tickets
            if ticket.number is not None and is_running:
                del self._tickets[ticket.number]
                if self._link is not None:
                    self._link.send(Leave(ticket.number))

    def hold(self, ticket: Ticket, *, is_on: bool) -> None:
        with self._lock:
            if ticket.number in self._tickets and self._link is not None:
                self._link.send(Hold(ticket.number, is_on))

    def _need_link(self) -> Link:
        """The child, or why there is none."""
        if self._closing.is_set():
            raise EngineClosed("the engine is closed")
        if self.lost is not None:
            raise self.lost
        if self._link is None:
            raise EngineDown("is being started again")
        return self._link

    def _ask(self, question: Callable[[int], Message], timeout_s: float) -> Answer:
        """Say something and wait for the answer."""
        answer: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        with self._lock:
            link, number = self._need_link(), next(self._numbers)
            self._asked[number] = answer
            link.send(question(number))
        try:
            return answer.get(timeout=timeout_s)
        finally:
            with self._lock:
                self._asked.pop(number, None)

    def _supervise(self) -> None:
        """The watch: start a child, listen to it until it ends, and again, with patience."""
        while not self._closing.is_set():
            try:
                link = Link(self._refuse)
            except OSError as fault:
                words = f"it cannot be started: {fault.strerror}"
            else:
                words = self._live(link)
            if not self._decided.is_set():
                self._refusal = self._refusal or UserError(f"the engine did not start ({words})")
                self._decided.set()
                return
            if not self._closing.is_set() and not self._may_return(words):
                return

    def _live(self, link: Link) -> str:
        """One child from its start to its end; says how it ended."""
        words, leave_s = "", self.patience.leave_s
        link.send(self.plan)
        try:
            while not self._closing.is_set():
                for message in link.receive(LOOK_S):
                    self._hear(link, message)
                if self._silent_s() > self.patience.hang_s:
                    words, leave_s = f"it said nothing for {self.patience.hang_s:g} s, ", 0.0
                    break
        except EOFError:
            pass
        except WireFault as fault:
            words, leave_s = f"it talks nonsense: {fault}, ", 0.0
        if self._closing.is_set() and not link.is_ready:  # it hears nobody while it reads weights
            leave_s = 0.0
        with self._lock:
            self._link = None
        words += link.end(leave_s)
        self._fail_all(EngineDown(f"ended in the middle of this: {words}"))
        return words

    def _may_return(self, words: str) -> bool:
        """Wait until it is time for the next child, unless there have been too many."""
        now, patience = time.monotonic(), self.patience
        self._deaths.append(now)
        num_deaths = sum(now - died < patience.window_s for died in self._deaths)
        if num_deaths >= patience.max_deaths:
            with self._lock:
                self.lost = EngineDown(
                    f"died {num_deaths} times in {patience.window_s / 60:g} minutes, "
                    f"at last so: {words}"
                )
                calls = list(self._when_lost)
            for call in calls:
                call()
            return False
        delay_s = min(patience.backoff_s * 2 ** (num_deaths - 1), patience.max_backoff_s)
        log.warning("the engine's process ended (%s); the next starts in %g s", words, delay_s)
        self._closing.wait(delay_s)
        return True

    def _hear(self, link: Link, message: Message) -> None:
        """What the child said goes to whoever waits for it."""
        with self._lock:
            self._last_sign = time.monotonic()
            if isinstance(message, Hello):
                self._welcome(link, message)
            elif isinstance(message, Loading):
                if self.progress is not None:
                    self.progress(message.done_bytes, message.total_bytes)
            elif isinstance(message, Told):
                for number, step in message.steps:
                    self._deliver(number, step)
            elif isinstance(message, Failed):
                self._hear_failure(message)
            elif isinstance(message, Stats | Done):
                self._deliver(message.number, message)
            elif not isinstance(message, Beat):
                raise WireFault(f"a child says no `{type(message).__name__.lower()}`")

    def _hear_failure(self, failed: Failed) -> None:
        if failed.number is not None:
            self._deliver(failed.number, error_of(failed))
        elif not self._decided.is_set():  # the weights, mostly; later ones end the child anyway
            kind = ERRORS.get(failed.kind, UserError)
            self._refusal = kind(failed.message, hint=failed.hint)

    def _welcome(self, link: Link, hello: Hello) -> None:
        if link.is_ready:
            raise WireFault("a child says `hello` once")
        link.is_ready = True
        self.bounds, self._stats = hello.bounds, hello.stats
        if not self._closing.is_set():
            self._link = link
        self._decided.set()

    def _deliver(self, number: int, one: Answer) -> None:
        """Hand something over to a stream or to whoever asked; who has left gets nothing."""
        asked = self._asked.get(number)
        if asked is not None:
            asked.put(one)
        ticket = self._tickets.get(number)
        if ticket is None or not isinstance(one, Step | Exception):
            return
        if isinstance(one, Exception) or one.finish_reason is not None:
            del self._tickets[number]
        ticket.deliver(one)

    def _refuse(self, message: Message, error: Exception) -> None:
        """A message could not be sent; its request is the one to blame."""
        with self._lock:
            if isinstance(message, Begin):
                words = f"the request cannot be sent to the engine: {error}"
                self._deliver(message.number, BadRequest(words))
            else:
                log.error("a message to the engine's process was not sent", exc_info=error)

    def _silent_s(self) -> float:
        """How long a child with work has said nothing."""
        with self._lock:
            if not self._tickets:
                return 0.0
            return time.monotonic() - max(self._last_sign, self._busy_since)

    def _fail_all(self, error: UserError) -> None:
        """End everything that waits for the child."""
        with self._lock:
            for number in [*self._tickets, *self._asked]:
                self._deliver(number, error)


def error_of(message: Failed) -> Exception:
    """What the child's engine raised, or would have."""
    if message.kind == "engine":
        return EngineFailed(message.message)
    return ERRORS[message.kind](message.message, hint=message.hint)
