"""Runs a command that nobody trusts, within walls and limits, and says how it ended.

It sees the folders it is given and nothing else, has no network, and dies with everything it
started at the first limit it meets: CPU seconds, wall seconds, memory, output.
"""

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
from typing import Any, Literal

from bise.errors import NotFound, UserError

WALLS = Path(__file__).with_name("walls.py")
POLL_S = 0.05

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
    processes: int = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """How a command ended."""

    end: End
    status: int
    """Its exit status, or minus the signal that ended it."""

    out: bytes
    err: bytes
    seconds: float


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
    if sys.platform != "linux":
        raise NoWall(f"there is no sandbox for `{sys.platform}`", hint="use Linux 5.12 or newer")
    limits = limits or Limits()
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
    start = time.monotonic()
    heard, wish["told"] = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(WALLS), json.dumps(wish)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={},
        start_new_session=True,
        pass_fds=[wish["told"]],
    )
    os.close(wish["told"])
    try:
        end, out, err = _watch(process, limits, start)
    finally:
        os.kill(
            process.pid, signal.SIGKILL
        )  # everything below dies with the first process of its namespace
        _, raw, used = os.wait4(process.pid, 0)
        status = process.returncode = os.waitstatus_to_exitcode(raw)
        with os.fdopen(heard, "rb") as pipe:
            told = pipe.read(1000).decode("utf-8", "replace")
    if told[:1] != "+":
        words = told or err[-200:].decode("utf-8", "replace")
        raise NoWall(f"a wall of the sandbox is missing: {words}", hint="nothing was run")
    if told[1:]:
        raise NotFound(f"`{command[0]}` cannot be run in the sandbox: {told[1:]}")
    if end == "exited" and status < 0:
        end = "cpu" if used.ru_utime + used.ru_stime > limits.cpu_s - 0.5 else "killed"
    return Ran(end=end, status=status, out=out, err=err, seconds=time.monotonic() - start)


def _watch(process: subprocess.Popen[bytes], limits: Limits, start: float) -> Watched:
    """Collect output until the command has ended or meets a limit."""
    pipes = [process.stdout, process.stderr]
    held = [bytearray(), bytearray()]
    end: End = "exited"
    with selectors.DefaultSelector() as selector:
        for pipe, kept in zip(pipes, held, strict=True):
            assert pipe is not None, "both are pipes"
            selector.register(pipe, selectors.EVENT_READ, kept)
        while selector.get_map() or not _has_ended(process.pid):
            for key, _ in selector.select(POLL_S):
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    selector.unregister(key.fileobj)
                key.data.extend(chunk)
            if sum(map(len, held)) > limits.output_bytes:
                end = "output"
            elif time.monotonic() - start > limits.wall_s:
                end = "wall"
            elif resident_bytes(process.pid) > limits.memory_bytes:
                end = "memory"
            if end != "exited":
                break
    for pipe in pipes:
        assert pipe is not None, "both are pipes"
        pipe.close()
    return end, bytes(held[0][: limits.output_bytes]), bytes(held[1][: limits.output_bytes])


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def resident_bytes(pid: int) -> int:
    """Memory of a process and all below it."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            fields = Path(f"/proc/{one}/statm").read_text().split()
            children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
        except OSError:  # it has ended
            continue
        total += int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
        waiting += map(int, children)
    return total
