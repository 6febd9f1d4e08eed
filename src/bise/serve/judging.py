"""Jobs of the judge: `bise verify`, each in a process of its own, some at once and some waiting."""

import asyncio
import contextlib
import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bise.model.memory import available_memory_bytes
from bise.serve.faults import HttpFault

JOB_BYTES = 3 << 30
"""Free memory that a job wants."""

MAX_WAITING = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What is to be judged."""

    challenge: str
    submission: str
    examples: str | None
    timeout_s: int
    disproves: tuple[str, ...] = ()
    """Targets whose negation was proved instead."""


@dataclass(slots=True)
class Judging:
    """Jobs that run and wait. One runs for each 3 GiB that were free at the start, at least one."""

    num_at_once: int = field(default_factory=lambda: max(1, available_memory_bytes() // JOB_BYTES))
    num_waiting: int = 0
    _room: asyncio.Semaphore | None = None

    async def judge(self, job: Job) -> dict[str, Any]:
        """The verdict, as the command prints it. Raises `HttpFault` if too many wait already."""
        if self._room is None:
            self._room = asyncio.Semaphore(self.num_at_once)
        if self._room.locked() and self.num_waiting >= MAX_WAITING:
            raise HttpFault(429, f"{MAX_WAITING} submissions wait for the judge already")
        self.num_waiting += 1
        try:
            await self._room.acquire()
        finally:
            self.num_waiting -= 1
        try:
            with tempfile.TemporaryDirectory(prefix="bise-verify-") as folder:
                return await run_job(job, Path(folder))
        finally:
            self._room.release()


async def run_job(job: Job, folder: Path) -> dict[str, Any]:
    """`bise verify` on the sources, in a process that is ended if nobody waits any more."""
    files = {"challenge": job.challenge, "submission": job.submission}
    if job.examples is not None:
        files["examples"] = job.examples
    for name, text in files.items():
        raw = text.encode("utf-8", "surrogatepass")
        (folder / f"{name}.lean").write_bytes(raw)
    command = [sys.executable, "-m", "bise.cli", "verify", "--json"]
    command += [str(folder / "challenge.lean"), str(folder / "submission.lean")]
    command += ["--timeout-s", str(job.timeout_s)]
    command += [f"--disprove={name}" for name in job.disproves]
    if job.examples is not None:
        command += ["--examples", str(folder / "examples.lean")]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await ended(process)
    try:
        return json.loads(out)
    except ValueError:
        raise HttpFault(503, "the judge ended without a verdict") from None


async def ended(process: asyncio.subprocess.Process) -> None:
    """Wait for a process that was told to end, and make it if it does not."""
    try:
        await asyncio.wait_for(process.wait(), 5)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
