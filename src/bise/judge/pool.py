"""Warm Leans, one for each header in use, shared by whoever asks.

The header imported last longest ago makes room for a new one. A process is replaced after some
files, after any answer it did not give in time, and when it has grown too large; what was asked of
it is answered by its limit, and the pool goes on.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bise.errors import UserError
from bise.judge.backend import NoLean
from bise.judge.extensions import Position
from bise.judge.header import Inserted, insert_line, read_header, untouched
from bise.judge.sandbox import Limits
from bise.judge.sandboxed import SandboxedLean
from bise.judge.warm import Checked, Goal, WarmLean

Words = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolLimits:
    """What a pool and its processes may use."""

    num_processes: int = 1
    """In WebAssembly each takes up to 2 GB."""

    files_each: int = 200
    """After so many a process is replaced."""

    cpu_s: float = 30.0
    """Of one question."""

    wall_s: float = 120.0
    start_cpu_s: float = 120.0
    memory_bytes: int = 2_500_000_000
    num_kept: int = 1024
    """Answers remembered."""


class WarmPool:
    """Checks files in a fraction of a second. Threads may share one; `close` it."""

    def __init__(
        self,
        lean: SandboxedLean,
        limits: PoolLimits | None = None,
        told: Callable[[str], None] = lambda _: None,
    ):
        """told: gets a line whenever a process is started, which takes seconds."""
        self._lean, self._limits, self._told = lean, limits or PoolLimits(), told
        self._changed = threading.Condition()
        self._idle: OrderedDict[Words, list[WarmLean]] = OrderedDict()
        self._num_running = 0
        self._is_closed = False
        self._kept: OrderedDict[tuple[str, bool, float], Checked] = OrderedDict()

    def __enter__(self) -> "WarmPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check(self, source: str, *, with_goals: bool = True, cpu_s: float | None = None) -> Checked:
        """Messages about a file, and the goals at each `sorry`. Raises `NoLean`, `NoWall`.

        A file that does not come to an end is cut off at its limit; that is not remembered for
        callers who give it more.
        """
        cpu_s = cpu_s or self._limits.cpu_s
        key = (source, with_goals, cpu_s)
        with self._changed:
            if key in self._kept:
                self._kept.move_to_end(key)
                return replace(self._kept[key], is_cached=True)
        found, is_fresh = self._ask(source, with_goals, cpu_s)
        if found.end in ("exited", "memory") and not is_fresh:
            found, _ = self._ask(source, with_goals, cpu_s)  # others may have filled its memory
        if found.end in ("answered", "cpu"):  # all else may depend on what runs besides
            with self._changed:
                self._kept[key] = found
                while len(self._kept) > self._limits.num_kept:
                    self._kept.popitem(last=False)
        return found

    def _ask(self, source: str, with_goals: bool, cpu_s: float) -> tuple[Checked, bool]:
        """What a process says, and whether the file was its first."""
        with self._process(source) as warm:
            found = warm.check(
                self._made(source), with_goals=with_goals, cpu_s=cpu_s, wall_s=self._limits.wall_s
            )
            is_fresh = warm.num_files == 1
            if found.end != "answered":
                self._drop(warm)
            return found, is_fresh

    def goals(self, source: str, place: Position) -> tuple[Goal, ...]:
        """The goals at a place of a file."""
        made = self._made(source)
        offset = offset_of(source, place)
        shifted = offset + (len(made.text) - len(source) if offset > _end(source) else 0)
        with self._process(source) as warm:
            limits = {"cpu_s": self._limits.cpu_s, "wall_s": self._limits.wall_s}
            found = warm.check(made, with_goals=False, **limits)
            if found.end != "answered":
                self._drop(warm)
                return ()
            return tuple(warm.goals(made, shifted, **limits))

    def try_many(
        self, source: str, place: Position, texts: Sequence[str], *, cpu_s: float | None = None
    ) -> list[Checked]:
        """Put each text in place of the word at a place, and check: in the order of the texts.

        The file's begin is elaborated once, as all variants share it.
        """
        start = offset_of(source, place)
        end = start
        while end < len(source) and (source[end].isalnum() or source[end] in "_'!?"):
            end += 1
        variants = [source[:start] + one + source[end:] for one in texts]
        return [self.check(one, with_goals=False, cpu_s=cpu_s) for one in variants]

    def close(self) -> None:
        """End all processes; those at work end with their answer."""
        with self._changed:
            self._is_closed = True
            idle = [one for several in self._idle.values() for one in several]
            self._idle.clear()
            self._num_running -= len(idle)
        for one in idle:
            one.close()

    def _made(self, source: str) -> Inserted:
        return insert_line(source) if self._lean.lacks_code else untouched(source)

    @contextmanager
    def _process(self, source: str) -> Generator[WarmLean, None, None]:
        """A process with the source's header, for as long as it is needed."""
        header = read_header(source)
        self._lean.need(header.modules, {})
        key = key_of(header.words)
        warm = self._take(key)
        if warm is None:
            warm = self._started(source[: header.end])
        try:
            yield warm
        except BaseException:
            self._drop(warm)
            raise
        finally:
            self._give_back(key, warm)

    def _take(self, words: Words) -> WarmLean | None:
        """An idle process with this header, or room for a new one."""
        with self._changed:
            while True:
                if self._is_closed:
                    raise NoLean("the pool of Leans is closed")
                if words in self._idle:
                    found = self._idle[words].pop()
                    if not self._idle[words]:
                        del self._idle[words]
                    if not found.has_ended:
                        return found
                    found.close()  # something ended it while nobody asked
                    self._num_running -= 1
                    continue
                if self._num_running < self._limits.num_processes:
                    self._num_running += 1
                    return None
                if self._idle:  # another header's, the one used longest ago
                    oldest = next(iter(self._idle))
                    several = self._idle.pop(oldest)
                    unused = several.pop()
                    if several:
                        self._idle[oldest] = several
                        self._idle.move_to_end(oldest, last=False)
                    unused.close()
                    return None
                self._changed.wait()

    def _started(self, header: str) -> WarmLean:
        limits = Limits(
            cpu_s=24 * 3600,
            wall_s=7 * 24 * 3600,
            memory_bytes=self._limits.memory_bytes,
        )
        start = time.monotonic()
        self._told("starting Lean")
        warm = None
        try:
            warm = WarmLean(self._lean, header, limits)
            answer = warm.wait(cpu_s=self._limits.start_cpu_s, wall_s=2 * self._limits.wall_s)
            if answer.end == "answered":
                self._told(f"Lean is ready after {time.monotonic() - start:.1f} s")
                return warm
            warm.close()
            warm.check_walls()
            raise NoLean(
                f"Lean does not start with `{' '.join(header.split())[:80]}`: {answer.end}",
                hint="see whether the file's imports are right",
            )
        except BaseException:
            if warm is not None:
                warm.close()
            with self._changed:
                self._num_running -= 1
                self._changed.notify_all()
            raise

    def _drop(self, warm: WarmLean) -> None:
        """Mark a process as used up."""
        warm.num_files = self._limits.files_each

    def _give_back(self, words: Words, warm: WarmLean) -> None:
        is_spent = (
            warm.num_files >= self._limits.files_each
            or warm.memory_bytes > 0.9 * self._limits.memory_bytes
        )
        with self._changed:
            if is_spent or self._is_closed:
                self._num_running -= 1
            else:
                self._idle.setdefault(words, []).append(warm)
                self._idle.move_to_end(words)
            self._changed.notify_all()
        if is_spent or self._is_closed:
            warm.close()


def key_of(words: Words) -> Words:
    """A header's words without `import Init`, which says nothing that does not hold anyway."""
    for at in range(len(words) - 1):
        is_plain = at == 0 or words[at - 1] not in ("public", "meta")
        if words[at : at + 2] == ("import", "Init") and is_plain and "prelude" not in words:
            return key_of(words[:at] + words[at + 2 :])
    return words


def offset_of(source: str, place: Position) -> int:
    """How many characters stand before a place. Raises `UserError` if there is no such place."""
    lines = source.split("\n")
    if not (1 <= place.line <= len(lines) and 0 <= place.column <= len(lines[place.line - 1])):
        raise UserError(
            f"there is no line {place.line}, column {place.column} in the file",
            hint="lines count from 1, columns from 0",
        )
    return sum(len(one) + 1 for one in lines[: place.line - 1]) + place.column


def _end(source: str) -> int:
    return read_header(source).end
