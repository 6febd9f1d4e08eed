"""One challenge that a prover is measured by."""

from dataclasses import dataclass

from bise.judge.header import read_header
from bise.judge.terms import show_name

SERVED = frozenset({"Init", "Std", "Lean"})
"""What the embedded Lean has; anything else needs a native one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A file with gaps, and what is known about it."""

    name: str
    challenge: str
    level: int = 0
    """1 to 5; 0 is not said."""

    kind: str = "prove"
    topic: str = ""
    examples: str | None = None
    """Lines `#guard …` that what fills the holes must agree with."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Modules the embedded Lean does not have."""
        names = (show_name(one) for one in read_header(self.challenge).modules)
        return tuple(one for one in names if one.split(".")[0] not in SERVED)
