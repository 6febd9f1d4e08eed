"""What a search needs at hand: a Lean, warm processes of it, the judge, and the library's index."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from bise.judge import Request, Verdict, lean_home, verify
from bise.judge.backend import LeanBackend
from bise.judge.leans import open_lean
from bise.judge.pool import PoolLimits, WarmPool
from bise.judge.sandboxed import SandboxedLean
from bise.prove.premises import Premises, open_premises
from bise.prove.workspace import Workspace

Told = Callable[[str], None]


class Hand:
    """Close it when done; everything in it is made when it is first used."""

    def __init__(
        self,
        told: Told = lambda _: None,
        *,
        num_processes: int = 1,
        timeout_s: int = 120,
        backend: str = "wasm",
        project: Path | None = None,
        has_walls: bool = True,
    ):
        """told: gets a line whenever something takes seconds; backend, project: as `open_lean`;
        has_walls: without them only the search goes on, the judge wants them in any case."""
        self._told, self._num_processes, self._timeout_s = told, num_processes, timeout_s
        self._backend, self._project, self._has_walls = backend, project, has_walls
        self.home = lean_home()
        self._pool: WarmPool | None = None

    def __enter__(self) -> "Hand":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.close()

    @cached_property
    def lean(self) -> SandboxedLean:
        """What the judge asks. Raises `NoLean` if it is not there."""
        return open_lean(self._backend, self._project)

    @property
    def pool(self) -> WarmPool:
        """For searching; its word is never a verdict."""
        if self._pool is None:
            limits = PoolLimits(num_processes=self._num_processes)
            lean = self.lean
            if not self._has_walls:
                lean = open_lean(self._backend, self._project, has_walls=False)
            self._pool = WarmPool(lean, limits, self._told)
        return self._pool

    @cached_property
    def premises(self) -> Premises:
        """What the library proves."""
        return open_premises(self.lean, home=self.home, told=self._tell_indexing)

    def _tell_indexing(self, done: int, whole: int) -> None:
        if done % 300 == 0:
            self._told(f"indexing the library, {done} of {whole} modules; once only")

    def request(self, work: Workspace, examples: str | None = None) -> Request:
        """What the judge is asked about a workspace as it is."""
        return Request(
            challenge=work.challenge,
            submission=work.text,
            examples=examples,
            disproves=work.disproves,
            timeout_s=self._timeout_s,
        )

    def judge(self, request: Request) -> Verdict:
        """The judge's word, logged."""

        def lean() -> LeanBackend:
            return self.lean

        return verify(request, lean, cache=self.home / "challenges", log=self.home)
