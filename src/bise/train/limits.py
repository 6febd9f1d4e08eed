"""When a part of a run ends, and the clock it is measured by."""

import math
import time
from dataclasses import dataclass

from bise.errors import UserError
from bise.train.run import Run
from bise.train.schedule import Schedule
from bise.train.state import Progress


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
        if self.max_minutes is not None and not 0 <= self.max_minutes < math.inf:
            raise UserError(f"`--max-minutes` is {self.max_minutes:g}, expected 0 or more")

    def check(self, progress: Progress) -> None:
        """Refuse an end or a decay that a run standing here has no steps or no time left for."""
        if self.stop_at is not None and self.stop_at < progress.step:
            raise UserError(
                f"`--stop-at` is {self.stop_at}, but the run stands at step {progress.step}",
                hint="give a later step",
            )
        if progress.decay_at is not None:  # decided, and brought to its end
            self._check_decided(progress)
            return
        if self.steps is not None and self.decay_at is not None:
            self._check_steps(self.steps, self.decay_at, progress)
        elif self.anneal and self.max_minutes is not None:
            _check_time(self.max_minutes, progress)

    def _check_decided(self, progress: Progress) -> None:
        decided = (progress.end, progress.decay_at)
        if self.steps is not None and (self.steps, self.decay_at) != decided:
            raise UserError(
                f"`--steps` and `--decay-at` are {self.steps} and {self.decay_at}, but this run's"
                f" decay was begun: it goes from step {progress.decay_at} to {progress.end}",
                hint=f"give `--steps {progress.end} --decay-at {progress.decay_at}` to bring it to"
                " its end, or begin a new run in another folder",
            )

    def _check_steps(self, steps: int, decay_at: int, progress: Progress) -> None:
        here = progress.step
        for flag, step, first in (("--decay-at", decay_at, here), ("--steps", steps, here + 1)):
            if step < first:
                raise UserError(
                    f"`{flag}` is {step}, but the run stands at step {here}",
                    hint=f"give {first} or more",
                )
        Schedule(warmup_steps=0, decay_at=decay_at, end=steps)


def _check_time(max_minutes: float, progress: Progress) -> None:
    """A decay takes one step at least."""
    step_s = progress.elapsed_s / max(1, progress.step)
    if max_minutes * 60 - progress.elapsed_s <= step_s:
        raise UserError(
            f"{progress.elapsed_s / 60:.2f} of {max_minutes:g} minutes are used, "
            "which leaves no time for a decay",
            hint="give a larger `--max-minutes`: it counts all parts of the run",
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
