"""A measured process: started, asked over a pipe, stopped while others are measured.

It says `ready WORDS` once its weights are in memory, and answers every command with `ok SECONDS`
and perhaps more numbers, or `error WORDS`. The commands, with ids as int32 in a file:

    prefill IDS COUNT                      read a prompt
    decode IDS STREAMS CONTEXT WARM STEPS  write STEPS tokens in each stream; ids [streams, all]
    logits IDS WINDOWS LENGTH OUT          fp32 logits of every position into OUT
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bise.errors import UserError

MAX_OTHERS = 0.04
"""Share of the machine that other processes may use while something is measured."""


LAUNCH = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Starts a process that ends with us, however we end: one that stands still would never notice."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process said to a command."""

    numbers: tuple[float, ...]
    """The first is the seconds it took."""

    others: float
    """Share of all processors that other processes used meanwhile, 0 to 1."""

    @property
    def seconds(self) -> float:
        return self.numbers[0]

    @property
    def is_quiet(self) -> bool:
        return self.others <= MAX_OTHERS


class Process:
    """A peer at work. Use it as a context: it is gone afterwards."""

    def __init__(self, name: str, command: Sequence[str], log: Path):
        """log: where what it says on stderr goes"""
        self.name = name
        self._log = log
        with log.open("wb") as file:
            self._child = subprocess.Popen(
                [sys.executable, "-c", LAUNCH, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        self._is_stopped = False
        try:
            self.about = self._line("ready")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, *words: object) -> Answer:
        """Give a command and wait for the answer."""
        self._wake()
        assert self._child.stdin is not None
        watch = Watch(self._child.pid)
        try:
            print(*words, file=self._child.stdin, flush=True)
        except BrokenPipeError:
            raise self._gone() from None
        numbers = tuple(map(float, self._line("ok").split()))
        return Answer(numbers, watch.others())

    def rest(self) -> None:
        """Stand still, so that whoever is measured now has the machine."""
        self._child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self._is_stopped = True

    def close(self) -> None:
        self._wake()
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.kill()
        self._child.wait()
        self._child.stdout.close()
        with suppress(BrokenPipeError):  # a command it never read
            self._child.stdin.close()

    def _wake(self) -> None:
        if self._is_stopped:
            self._child.send_signal(signal.SIGCONT)
            self._is_stopped = False

    def _line(self, wanted: str) -> str:
        """The rest of the next line that is for us; engines print other things too."""
        assert self._child.stdout is not None
        for line in self._child.stdout:
            mark, _, rest = line.strip().partition(" ")
            if mark == wanted:
                return rest
            if mark == "error":
                raise UserError(f"{self.name} says: {rest}", hint=self._last_words())
        raise self._gone()

    def _gone(self) -> UserError:
        how = self._child.wait()
        return UserError(f"{self.name} ended with status {how}", hint=self._last_words())

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "it says nothing of why"


class Watch:
    """What other processes do to the processors from now on. Linux only; elsewhere it sees none."""

    def __init__(self, pid: int):
        self._pid = pid
        self._start = time.monotonic()
        self._busy, self._ours = _busy_s(), self._own_s()

    def others(self) -> float:
        """Share of all processors, between 0 and 1, that neither we nor that process used."""
        busy = _busy_s() - self._busy - (self._own_s() - self._ours)
        room = (time.monotonic() - self._start) * (os.cpu_count() or 1)
        return min(1.0, max(0.0, busy / room)) if room else 0.0  # a tick may outlast a short look

    def _own_s(self) -> float:
        return time.process_time() + _used_s(self._pid)


def _tick() -> float:
    return 1.0 / os.sysconf("SC_CLK_TCK")


def _busy_s() -> float:
    """Seconds of all processors since the start, without idling; stolen time counts as busy."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    user, nice, system, _idle, _waiting, *rest = map(
        int, path.read_text().split("\n")[0].split()[1:9]
    )
    return (user + nice + system + sum(rest)) * _tick()


def _used_s(pid: int) -> float:
    path = Path(f"/proc/{pid}/stat")
    if not path.exists():
        return 0.0
    fields = path.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _tick()
