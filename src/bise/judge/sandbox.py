"""Runs a command that nobody trusts, within walls and limits, and says how it ended.

It sees the folders it is given and nothing else, has no network, and dies with everything it
started at the first limit it meets: CPU seconds, wall seconds, memory, output.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bise.errors import NotFound, UserError

WALLS = Path(__file__).with_name("walls.py")
POLL_S = 0.05
FOLDER_S = 0.2
"""Between two looks into a folder."""

BLOCK = 4096
"""Bytes that even an empty file counts as."""

End = Literal["exited", "killed", "cpu", "wall", "memory", "output"]
Watched = tuple[End, bytes, bytes]


class NoWall(UserError):
    """A wall that this machine cannot build: nothing was run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a command may use."""

    cpu_s: int = 60
    """Of each process."""

    wall_s: float = 120.0
    memory_bytes: int = 2_500_000_000
    """Resident, all its processes together."""

    output_bytes: int = 4 << 20
    file_bytes: int = 256 << 20
    """Of each file."""

    folder_bytes: int = 1 << 30
    """Of all that lies in its folder."""

    processes: int = 64


class Usage(NamedTuple):
    """What processes use."""

    memory_bytes: int
    cpu_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """How a command ended."""

    end: End
    status: int
    """Its exit status, or minus the signal that ended it."""

    out: bytes
    err: bytes
    seconds: float
    cpu_s: float
    """Of all its processes; up to a tenth of a second less if it was ended."""


class Boxed:
    """A command that runs within walls. Whoever makes one must `close` it."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        *,
        read_only: Sequence[Path] = (),
        environment: Mapping[str, str] | None = None,
        limits: Limits,
        takes_input: bool = False,
        has_walls: bool = True,
    ):
        """Start it. Raises `NoWall`.

        takes_input: its standard input is a pipe, else empty.
        has_walls: without them it can do what we can; only time, memory and output are watched,
        and off Linux only time and output.
        """
        if sys.platform != "linux" and has_walls:
            raise NoWall(
                f"there is no sandbox for `{sys.platform}`", hint="use Linux 5.12 or newer"
            )
        wish: dict[str, Any] = {
            "command": list(command),
            "folder": str(folder.resolve()),
            "writable": [str(folder.resolve())],
            "read_only": [str(path.absolute()) for path in read_only],
            "environment": dict(environment or {}),
            "limits": {
                "RLIMIT_CPU": limits.cpu_s,
                "RLIMIT_FSIZE": limits.file_bytes,
                "RLIMIT_CORE": 0,
                "RLIMIT_NOFILE": 256,
                "RLIMIT_NPROC": limits.processes,
            },
        }
        self.command = command[0]
        self.folder = folder
        self.limits = limits
        self.start = time.monotonic()
        self.used = Usage(0, 0.0)
        """Memory now, and CPU seconds so far, as last looked at."""

        self._looked_s = 0.0
        self._has_walls = has_walls
        self._heard, told = os.pipe()
        wish["told"] = told
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(WALLS), json.dumps(wish)] if has_walls else command,
            stdin=subprocess.PIPE if takes_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=None if has_walls else folder,
            env={} if has_walls else dict(environment or {}),
            start_new_session=True,
            pass_fds=[told] if has_walls else [],
        )
        if not has_walls:
            os.write(told, b"+")
        os.close(told)

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.start

    def has_ended(self) -> bool:
        """Whether it did so by itself."""
        if self.process.returncode is not None:
            return True
        if not hasattr(os, "waitid"):
            return self.process.poll() is not None
        found = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return found is not None

    def look(self) -> Usage:
        """What it uses."""
        now = usage(self.process.pid)
        self.used = Usage(now.memory_bytes, max(now.cpu_s, self.used.cpu_s))
        return self.used

    def has_filled(self) -> bool:
        """Whether there is more in its folder than may be; looked at a few times a second."""
        if self.seconds - self._looked_s < FOLDER_S:
            return False
        self._looked_s = self.seconds
        return holds_more(self.folder, self.limits.folder_bytes)

    def close(self) -> tuple[int, str]:
        """End it and everything below it: its status, and what its walls said (`+`: they stand)."""
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not written is not missed
                    pipe.close()
        if self.process.returncode is None:
            self.look()
            if self._has_walls:  # all below it die with the first process of its namespace
                os.kill(self.process.pid, signal.SIGKILL)
            else:
                os.killpg(self.process.pid, signal.SIGKILL)
            _, raw, spent = os.wait4(self.process.pid, 0)
            cpu_s = max(self.used.cpu_s, spent.ru_utime + spent.ru_stime)
            self.used = Usage(self.used.memory_bytes, cpu_s)
            self.process.returncode = os.waitstatus_to_exitcode(raw)
            with os.fdopen(self._heard, "rb") as pipe:
                self._told = pipe.read(1000).decode("utf-8", "replace")
        return self.process.returncode, self._told

    def check_walls(self, words: str) -> None:
        """After `close`: raise `NoWall` if a wall was missing, `NotFound` for a missing command."""
        if self._told[:1] != "+":
            said = self._told or words[-200:]
            raise NoWall(f"a wall of the sandbox is missing: {said}", hint="nothing was run")
        if self._told[1:]:
            raise NotFound(f"`{self.command}` cannot be run in the sandbox: {self._told[1:]}")


def run(
    command: Sequence[str],
    folder: Path,
    *,
    read_only: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Ran:
    """Run a command in a folder, the only one it may write to. Raises `NoWall`, `NotFound`.

    read_only: what else it may see, at its own place. It is nobody, in every namespace of its own.
    """
    limits = limits or Limits()
    boxed = Boxed(command, folder, read_only=read_only, environment=environment, limits=limits)
    try:
        end, out, err = _watch(boxed)
    finally:
        status, _ = boxed.close()
    boxed.check_walls(err.decode("utf-8", "replace"))
    cpu_s = boxed.used.cpu_s
    if end == "exited" and status < 0:
        end = "cpu" if cpu_s > limits.cpu_s - 0.5 else "killed"
    return Ran(end=end, status=status, out=out, err=err, seconds=boxed.seconds, cpu_s=cpu_s)


def _watch(boxed: Boxed) -> Watched:
    """Collect output until the command has ended or meets a limit."""
    limits, process = boxed.limits, boxed.process
    pipes = [process.stdout, process.stderr]
    held = [bytearray(), bytearray()]
    end: End = "exited"
    with selectors.DefaultSelector() as selector:
        for pipe, kept in zip(pipes, held, strict=True):
            assert pipe is not None, "both are pipes"
            selector.register(pipe, selectors.EVENT_READ, kept)
        while selector.get_map() or not boxed.has_ended():
            for key, _ in selector.select(POLL_S):
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    selector.unregister(key.fileobj)
                key.data.extend(chunk)
            if sum(map(len, held)) > limits.output_bytes or boxed.has_filled():
                end = "output"
            elif boxed.seconds > limits.wall_s:
                end = "wall"
            elif boxed.look().memory_bytes > limits.memory_bytes:
                end = "memory"
            if end != "exited":
                break
    return end, bytes(held[0][: limits.output_bytes]), bytes(held[1][: limits.output_bytes])


def holds_more(folder: Path, most_bytes: int) -> bool:
    """Whether files and folders below one take more of the disk; what cannot be read counts so."""
    taken, waiting = 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for one in entries:
                    taken += max(BLOCK, 512 * one.stat(follow_symlinks=False).st_blocks)
                    if one.is_dir(follow_symlinks=False):
                        waiting.append(one.path)
                    if taken > most_bytes:
                        return True
        except FileNotFoundError:  # taken away meanwhile
            continue
        except OSError:
            return True
    return False


def usage(pid: int) -> Usage:
    """What a process and all below it use; not of those nobody waited for."""
    memory, ticks, waiting = 0, 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            pages = Path(f"/proc/{one}/statm").read_text().split()[1]
            after_name = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
        except OSError:  # it has ended
            continue
        memory += int(pages) * os.sysconf("SC_PAGE_SIZE")
        ticks += sum(
            map(int, after_name[11:15])
        )  # its own, in user and kernel mode, and waited for
        waiting += map(int, children)
    return Usage(memory, ticks / os.sysconf("SC_CLK_TCK"))
