"""The room of a search on a server: warm Lean of its own, and the judge in processes apart."""

import asyncio
import subprocess
import sys
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bise.judge import Request, Verdict
from bise.judge.pool import WarmPool
from bise.prove.budget import Budget, Spent
from bise.prove.hand import Hand
from bise.prove.premises import Premises, index_of
from bise.prove.run import Run, verdict_of
from bise.serve.faults import HttpFault
from bise.serve.judging import Job, Judging

LOOK_S = 0.2
"""How often whoever waits for the judge looks whether the search is to end."""

BUSY_S = 2.0
"""How long to wait when others have filled the judge's queue."""


@dataclass(kw_only=True)
class Bench:
    """The judge of a server, for threads beside its loop.

    What a search found was made by strangers, and reading it takes memory and time: as at
    `/v1/verify`, that is done in a process apart, of which only so many run at once.
    """

    judging: Judging
    loop: asyncio.AbstractEventLoop | None = None
    """The server's, once it runs."""

    def judge(self, request: Request, budget: Budget) -> Verdict:
        """The verdict, however long it takes. Raises `Spent` when somebody says stop."""
        job = Job(
            challenge=request.challenge,
            submission=request.submission,
            examples=request.examples,
            timeout_s=request.timeout_s,
            disproves=request.disproves,
        )
        assert self.loop is not None, "searches begin by a request, so the server runs"
        while True:
            coming = asyncio.run_coroutine_threadsafe(self.judging.judge(job), self.loop)
            try:
                return verdict_of(_result(coming, budget))
            except HttpFault as fault:
                if fault.status != 429:
                    return Verdict(verdict="failed", reason="no_verdict", message=fault.message)
            if budget.is_interrupted:
                raise Spent("minutes")
            time.sleep(BUSY_S)


class HostedRoom:
    """A `Hand` whose judge sits on the server's bench."""

    def __init__(self, run: Run, bench: Bench):
        self._run, self._bench = run, bench
        self._hand = Hand(self._tell)

    def __enter__(self) -> "HostedRoom":
        self._tell("starting Lean")
        return self

    def __exit__(self, *error: object) -> None:
        self._hand.__exit__(*error)

    @property
    def pool(self) -> WarmPool:
        return self._hand.pool

    @property
    def premises(self) -> Premises:
        """What the library proves. Its index is made in a process apart: half a minute of work in
        ours would be felt by everybody who is served. Raises `Spent`."""
        if not index_of(self._hand.lean, self._hand.home).exists():
            self._tell("indexing the library; once only")
            index_apart(self._run.budget)
            self._tell("")
        return self._hand.premises

    def judge(self, request: Request) -> Verdict:
        self._tell("the judge compiles and checks; half a minute or so")
        try:
            return self._bench.judge(request, self._run.budget)
        finally:
            self._tell("")

    def _tell(self, words: str) -> None:
        self._run.note = words


def index_apart(budget: Budget) -> None:
    """Have the command make the index; if it cannot, whoever opens it will say why."""
    command = [sys.executable, "-m", "bise.cli", "prove", "setup", "--index"]
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere) as process:
        while process.poll() is None:
            if budget.is_interrupted or budget.left_s <= 0:
                process.terminate()
                raise Spent("minutes")
            time.sleep(LOOK_S)


def _result(coming: "Future[dict[str, Any]]", budget: Budget) -> dict[str, Any]:
    while True:
        with suppress(TimeoutError):
            return coming.result(LOOK_S)
        if budget.is_interrupted:
            coming.cancel()
            raise Spent("minutes")
