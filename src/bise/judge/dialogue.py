"""Talks with a process in the sandbox: a line in, lines out, with limits for each answer.

The process may be hostile: what it says is handed on, not believed, and whatever does not come to
an end is ended.
"""

import contextlib
import os
import selectors
import time
from dataclasses import dataclass
from typing import Literal

from bise.judge.sandbox import POLL_S, Boxed, End

Heard = Literal["answered"] | End

MAX_LINE_BYTES = 8 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a process said until its last word."""

    end: Heard
    """`answered`, or how it ended before it could."""

    lines: tuple[bytes, ...]
    """The last one has the words that end an answer, if it answered."""

    seconds: float
    cpu_s: float


class Dialogue:
    """A process that is asked one thing after another."""

    def __init__(self, boxed: Boxed):
        """boxed: started with `takes_input`."""
        self.boxed = boxed
        self._held = bytearray()
        self._errors = bytearray()

    @property
    def last_errors(self) -> bytes:
        """The end of what it said beside its answers."""
        return bytes(self._errors[-4000:])

    def ask(self, line: str, last: bytes, *, cpu_s: float, wall_s: float) -> Answer:
        """Send a line (none if it is empty) and listen until one begins with `last`.

        A process that did not answer is of no more use: `close` it.
        """
        start, begun = time.monotonic(), self.boxed.look().cpu_s
        if line:
            stdin = self.boxed.process.stdin
            assert stdin is not None, "started with input"
            with contextlib.suppress(OSError):  # it has ended; that is seen below
                stdin.write(line.encode() + b"\n")
                stdin.flush()
        lines: list[bytes] = []
        end = self._listen(lines, last, start + wall_s, begun + cpu_s)
        used = self.boxed.used.cpu_s if end != "answered" else self.boxed.look().cpu_s
        return Answer(
            end=end,
            lines=tuple(lines),
            seconds=time.monotonic() - start,
            cpu_s=used - begun,
        )

    def close(self) -> None:
        """End the process."""
        self.boxed.close()

    def _listen(self, lines: list[bytes], last: bytes, until: float, cpu_until: float) -> Heard:
        limits, process = self.boxed.limits, self.boxed.process
        assert process.stdout is not None and process.stderr is not None, "both are pipes"
        size = 0
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ, self._held)
            selector.register(process.stderr, selectors.EVENT_READ, self._errors)
            while True:
                while (found := self._held.find(b"\n")) >= 0:
                    line = bytes(self._held[:found])
                    del self._held[: found + 1]
                    lines.append(line)
                    if line.startswith(last):
                        return "answered"
                for key, _ in selector.select(POLL_S):
                    chunk = os.read(key.fd, 1 << 16)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    key.data.extend(chunk)
                    size += len(chunk)
                del self._errors[:-8000]
                if not selector.get_map() and self.boxed.has_ended():
                    return "exited"
                if size > limits.output_bytes or len(self._held) > MAX_LINE_BYTES:
                    return "output"
                if self.boxed.has_filled():
                    return "output"
                used = self.boxed.look()
                if used.cpu_s > cpu_until:
                    return "cpu"
                if time.monotonic() > until:
                    return "wall"
                if used.memory_bytes > limits.memory_bytes:
                    return "memory"
