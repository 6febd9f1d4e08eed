"""How fast to learn at which step: warm up, hold, then decay to zero.

The clock may decide *when* decay begins, but the rate is a function of the step alone, so a run can
be replayed from two numbers. Ref: arXiv:2404.06395 §4 (warm-up, stable, decay).
"""

from dataclasses import dataclass

from bise.errors import UserError


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    warmup_steps: int
    decay_at: int | None = None
    """First step of the decay; None while nobody has decided it yet."""

    end: int | None = None
    """Number of steps of the whole run; the rate is zero there."""

    def __post_init__(self) -> None:
        if self.decay_at is not None and (self.end is None or self.end <= self.decay_at):
            raise UserError(
                f"decay is to begin at step {self.decay_at} of a run that ends at {self.end}",
                hint="let `--steps` be larger than `--decay-at`",
            )

    def factor(self, step: int) -> float:
        """Share of the peak rate at this step, counted from 0."""
        warm = min(1.0, (step + 1) / max(1, self.warmup_steps))
        if self.decay_at is None or self.end is None or step < self.decay_at:
            return warm
        return warm * max(0.0, (self.end - step) / (self.end - self.decay_at))

    def is_decaying(self, step: int) -> bool:
        return self.decay_at is not None and step >= self.decay_at

    def is_over(self, step: int) -> bool:
        return self.end is not None and step >= self.end
