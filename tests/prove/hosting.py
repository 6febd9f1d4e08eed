"""A prover on a server, around a Lean that is none."""

import threading
from contextlib import contextmanager

from fakes import FakePool, fake_judge

from bise.prove.door import Proving
from bise.prove.hosted import Bench
from bise.serve import Judging

FILE = "def f (n : Nat) : Nat := n\n\ntheorem main (n : Nat) : f n = n := sorry\n"
TWO = FILE + "\ntheorem other <b>&amp; (n : Nat) : n = f n := sorry\n"


class GatedPool(FakePool):
    """Holds every check until its gate is open."""

    def __init__(self, right, gate):
        super().__init__(right)
        self._gate = gate

    def check(self, source, **how):
        assert self._gate.wait(20), "nobody opened the gate"
        return super().check(source, **how)


class FakeRoom:
    """A pool and a judge for one run."""

    def __init__(self, pool):
        self.pool, self.premises = pool, None

    def judge(self, request):
        made = fake_judge(self.pool, request)
        made.kernel, made.backend = "<b>kernel</b>", "fake"
        return made


class Hosted:
    """A prover whose runs are proved by one tactic, behind a gate that is open."""

    def __init__(self, right="omega"):
        self.right = right
        self.gate = threading.Event()
        self.gate.set()
        self.num_opened = 0
        judging = Judging(num_at_once=1)
        self.proving = Proving(Bench(judging=judging), self._opened)
        self.parts = {"judging": judging}

    @contextmanager
    def _opened(self, run):
        del run
        self.num_opened += 1
        yield FakeRoom(GatedPool(self.right, self.gate))


@contextmanager
def hosted(running, folder, right="omega", **how):
    """A server with a prover: gives both. running: of the server's tests"""
    made = Hosted(right)
    parts = {**made.parts, **how.pop("parts", {})}
    with running(folder, parts=parts, guests=[made.proving.add_to], **how) as server:
        try:
            yield server, made
        finally:
            made.gate.set()
            made.proving.close()
