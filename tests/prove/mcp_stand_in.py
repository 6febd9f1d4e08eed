"""`bise prove mcp` around a Lean that is none, as a program: it serves on standard input."""

import sys
import time
from pathlib import Path

from tests.prove.fakes import FakePool, fake_judge
from tests.prove.small_library import SmallLean

from bise.prove.guest_tools import Guests
from bise.prove.mcp_server import Notice, serve_stdio
from bise.prove.premises import open_premises


class SlowPool(FakePool):
    """Takes as long to start as it is told; then a check that prints, as files may."""

    def __init__(self, notice: Notice):
        super().__init__()
        self.notice = notice

    def check(self, source: str, **more):
        if "slow" in source:
            self.notice.tell("starting Lean")
            time.sleep(2.5)
        print("not for the wire")  # noqa: T201
        if "breaks" in source:
            raise ZeroDivisionError("a bug of ours")
        return super().check(source, **more)


def main(folder: Path, home: Path) -> None:
    notice = Notice()
    pool = SlowPool(notice)
    guests = Guests(
        folder,
        lambda: pool,
        lambda: open_premises(SmallLean(), home=home),
        lambda one: fake_judge(pool, one),
    )
    serve_stdio(guests, notice)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
