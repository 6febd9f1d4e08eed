"""A server that is told to stop: new requests are refused, those that run may end."""

import time
from dataclasses import dataclass

from bise.serve.faults import HttpFault

STILL_ANSWERED = frozenset(("/v1/health/live", "/metrics", "/v1/metrics"))
"""What is answered to the very end."""


@dataclass(slots=True)
class Drain:
    """Whether the server is about to stop, and since when."""

    patience_s: float = 30.0
    """How long running requests may take to end."""

    since_s: float | None = None

    def begin(self) -> None:
        if self.since_s is None:
            self.since_s = time.monotonic()

    @property
    def has_begun(self) -> bool:
        return self.since_s is not None

    @property
    def left_s(self) -> float:
        """Until what still runs is broken off."""
        waited_s = 0.0 if self.since_s is None else time.monotonic() - self.since_s
        return max(0.0, self.patience_s - waited_s)

    @property
    def overdue_s(self) -> float:
        """Since that was done."""
        waited_s = 0.0 if self.since_s is None else time.monotonic() - self.since_s
        return max(0.0, waited_s - self.patience_s)

    def refuse(self, path: str) -> None:
        """Refuse new work; whoever wants a running reply to stop thinking helps."""
        if not self.has_begun or path in STILL_ANSWERED or path.endswith("/stop_thinking"):
            return
        raise HttpFault(
            503,
            "the server is about to stop",
            hint="try another one, or again in a moment",
            headers={"Retry-After": str(max(1, round(self.left_s)))},
        )
