"""A prover on a server, around a Lean that is none."""

import threading
from contextlib import contextmanager

from fakes import FakePool, NoPremises, fake_judge

from bise.prove.door import Proving
from bise.prove.hosted import Bench
from bise.prove.shelf import Shelf
from bise.serve import Judging

FILE = "def f (n : Nat) : Nat := n\n\ntheorem main (n : Nat) : f n = n := sorry\n"
TWO = FILE + "\ntheorem other <b>&amp; (n : Nat) : n = f n := sorry\n"


class GatedPool(FakePool):
    """Holds every check until its gate is open, or those that are `held`."""

    def __init__(self, right, gate, held):
        super().__init__(right)
        self._gate, self._held = gate, held

    def check(self, source, **how):
        if self._held(source):
            assert self._gate.wait(20), "nobody opened the gate"
        return super().check(source, **how)


class FakeRoom:
    """A pool and a judge for one run."""

    def __init__(self, pool):
        self.pool, self.premises = pool, NoPremises()

    def judge(self, request):
        made = fake_judge(self.pool, request)
        made.kernel, made.backend = "<b>kernel</b>", "fake"
        return made


class Hosted:
    """A prover whose runs are proved by one tactic, behind a gate that is open."""

    def __init__(self, right="omega", searches=None):
        """searches: a folder that keeps them"""
        self.right = right
        self.held = lambda _source: True
        self.gate = threading.Event()
        self.gate.set()
        self.num_opened = 0
        judging = Judging(num_at_once=1)
        shelf = None if searches is None else Shelf(searches)
        self.proving = Proving(Bench(judging=judging), self._opened, shelf)
        self.parts = {"judging": judging}

    @contextmanager
    def _opened(self, run):
        del run
        self.num_opened += 1
        yield FakeRoom(GatedPool(self.right, self.gate, self.held))


@contextmanager
def hosted(running, folder, right="omega", searches=None, **how):
    """A server with a prover: gives both. running: of the server's tests"""
    made = Hosted(right, searches)
    parts = {**made.parts, **how.pop("parts", {})}
    with running(folder, parts=parts, guests=[made.proving.add_to], **how) as server:
        try:
            yield server, made
        finally:
            made.gate.set()
            made.proving.close()
