"""Short requests and patience, for the tests of both engines."""

import time
from collections.abc import Callable, Iterable

from bise.engine import Request, Sampling, Step
from bise.engine.pace import Pace

GREEDY = Sampling(temperature=0.0)

HOSTILE = "start: /((a{1000}){1000}){1000}/"
"""Rules that would take more states than there is memory."""


class Cheap(Pace):
    """Guesses cost next to nothing, whatever the clock says."""

    def learn(self, num_tokens: int, seconds: float) -> None:
        pass

    def price(self, num_talking: int, extra_s: float = 0.0) -> float:  # noqa: ARG002
        return 0.05


def ask(number: int = 0, **fields) -> Request:
    """Four greedy tokens that no control token ends; each number is another prompt."""
    standard = {
        "prompt_ids": [1, 3, 300 + number, 4],
        "sampling": GREEDY,
        "max_tokens": 4,
        "stop_ids": frozenset(),
    }
    return Request(**standard | fields)


def wait_until(claim: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Until the claim is true; fails after the time."""
    ends = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.01)


def ids_of(stream: Iterable[Step]) -> list[int]:
    """Every token of a stream."""
    return [token for step in stream for token in step.ids]
