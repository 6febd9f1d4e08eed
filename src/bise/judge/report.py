"""The judge's result: one of four outcomes, with everything it was decided from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["accepted", "rejected", "unusable", "failed"]
EXIT_CODES: Mapping[Outcome, int] = {"accepted": 0, "rejected": 1, "unusable": 2, "failed": 3}
"""Everything but 0 means: not proved."""


@dataclass(frozen=True, slots=True)
class Warning_:
    """Something to know that decides nothing."""

    code: str
    message: str


@dataclass(kw_only=True, slots=True)
class Verdict:
    """What the judge says of a submission, and on what grounds. Names are shown as Lean does."""

    verdict: Outcome
    reason: str = ""
    """A word of the table of reasons; empty if accepted."""

    message: str = ""
    """The same for people."""

    targets: list[str] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)
    axioms: list[str] = field(default_factory=list)
    """Those that targets and holes rest on, as far as that was found out."""

    warnings: list[Warning_] = field(default_factory=list)
    backend: str = ""
    kernel: str = ""
    """Which kernel replayed the declarations."""

    hashes: dict[str, str] = field(default_factory=dict)
    """SHA-256 of challenge, submission, examples, library and checker, as far as there are such."""

    seconds: float = 0.0
    parts_s: dict[str, float] = field(default_factory=dict)
    """Seconds of each part."""

    examples: dict[str, int] = field(default_factory=dict)
    """How many there were, were true, and could not be evaluated by the kernel."""

    recursion: dict[str, str] = field(default_factory=dict)
    """Of each hole: none, structural or well-founded."""

    needs_review: list[str] = field(default_factory=list)
    """Holes that a person must read: they say what the theorems mean."""

    disproved: list[str] = field(default_factory=list)
    """Targets whose negation was proved."""

    @property
    def is_accepted(self) -> bool:
        """Whether everything that was asked for is proved."""
        return self.verdict == "accepted"

    @property
    def exit_code(self) -> int:
        """0 accepted, 1 rejected, 2 unusable, 3 failed."""
        return EXIT_CODES[self.verdict]

    def as_json(self) -> dict[str, Any]:
        """Plain values, always with the same keys."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "message": self.message,
            "targets": self.targets,
            "holes": self.holes,
            "axioms": self.axioms,
            "warnings": [{"code": one.code, "message": one.message} for one in self.warnings],
            "backend": self.backend,
            "kernel": self.kernel,
            "hashes": self.hashes,
            "seconds": round(self.seconds, 3),
            "parts_s": {name: round(value, 3) for name, value in self.parts_s.items()},
            "examples": self.examples,
            "recursion": self.recursion,
            "needs_review": self.needs_review,
            "disproved": self.disproved,
        }
