"""When a part of a run ends, and the clock it is measured by."""

import time
from dataclasses import dataclass

from bise.errors import UserError
from bise.train.run import Run


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """When this part of the run ends."""

    steps: int | None = None
    """Steps of the whole run; the last is the end of the decay."""

    decay_at: int | None = None
    """First step of the decay, given with `steps`."""

    max_minutes: float | None = None
    """Minutes of training, counted over all parts of the run."""

    anneal: bool = False
    """Decay within `max_minutes` and be done; else this part stops as it is, to be resumed."""

    stop_at: int | None = None
    """Stop as is before this step."""

    def __post_init__(self) -> None:
        if (self.decay_at is None) != (self.steps is None):
            raise UserError(
                "one of `--steps` and `--decay-at` came without the other",
                hint="give both to run so many steps, or `--max-minutes` to let the clock decide",
            )
        if self.steps is None and self.max_minutes is None and self.stop_at is None:
            raise UserError(
                "nothing says when to stop",
                hint="give `--max-minutes M`, or `--steps N --decay-at K`",
            )


class Clock:
    """Training time over all parts of a run, and how long a step takes lately."""

    def __init__(self, run: Run):
        self.run = run
        self.before_s = run.progress.elapsed_s
        self.started = time.monotonic()
        self.first_step = run.progress.step

    def tick(self) -> None:
        self.run.progress.elapsed_s = self.before_s + time.monotonic() - self.started

    @property
    def step_s(self) -> float:
        """Seconds a step of this part takes, evaluation and saving included."""
        done = self.run.progress.step - self.first_step
        if done == 0:
            return self.run.progress.elapsed_s / max(1, self.run.progress.step)
        return (time.monotonic() - self.started) / done

    def left_s(self, limits: Limits) -> float | None:
        """Seconds until the end, as far as anybody can tell; None when only a stop is set."""
        progress = self.run.progress
        if progress.end is not None:
            return (progress.end - progress.step) * self.step_s
        if limits.max_minutes is not None:
            return max(0.0, limits.max_minutes * 60 - progress.elapsed_s)
        return None
