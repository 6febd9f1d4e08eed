"""A training run, from the first step or from wherever it stopped, to annealed weights.

The clock only decides at which step the decay begins; that step is written down, and from then on
the run is a function of the step. `--steps N --decay-at K` therefore replays any run.
"""

import math
import time
from collections.abc import Callable, Mapping

from bise.errors import UserError
from bise.train.limits import Clock, Limits
from bise.train.log import Log
from bise.train.run import Run
from bise.train.step import StepReport

Look = Callable[[Run], Mapping[str, float]]
"""Asks the network held-out questions; scores by name."""


def train(run: Run, limits: Limits, log: Log, look: Look | None = None) -> None:
    """Take steps until the limits say stop; saves at the end and every few minutes."""
    progress, ranks = run.progress, run.ranks
    if limits.steps is not None and progress.decay_at is None:
        progress.decay_at, progress.end = limits.decay_at, limits.steps
    clock = Clock(run)
    saved_at = time.monotonic()
    while not run.schedule.is_over(progress.step):
        if progress.step == limits.stop_at:
            break
        _maybe_begin_decay(run, limits, clock)
        if _time_is_up(run, limits):
            break
        report = run.step()
        clock.tick()
        log.step(run, report, clock, limits)
        _need_numbers(progress.step, report)
        if look is not None and progress.step % run.config.eval_every == 0:
            log.look(run, look(run))
        if ranks.agree(time.monotonic() - saved_at > run.config.save_every_s):
            run.save()
            saved_at = time.monotonic()
    clock.tick()
    run.save()
    log.end(run)


def _need_numbers(step: int, report: StepReport) -> None:
    """Stop before weights that are none take the place of those saved last."""
    for name, value in (("loss", report.loss), ("gradient", report.grad_norm)):
        if not math.isfinite(value):
            raise UserError(
                f"the {name} of step {step} is {value}; what was saved before it is kept",
                hint="begin a new run with a smaller `--set optimiser.peak_rate`",
            )


def _maybe_begin_decay(run: Run, limits: Limits, clock: Clock) -> None:
    """With `anneal`, begin when what is left of the time is what the decay should take."""
    progress = run.progress
    if not limits.anneal or progress.decay_at is not None or limits.max_minutes is None:
        return
    total_s = limits.max_minutes * 60
    left_s = total_s - progress.elapsed_s
    if run.ranks.agree(left_s <= total_s * run.config.decay_share):
        steps = max(1, int(run.ranks.number(left_s / max(clock.step_s, 1e-9))))
        progress.decay_at = run.feed.free_step(progress.step)
        progress.end = progress.decay_at + steps
        run.save()  # from here on the run is a function of the step


def _time_is_up(run: Run, limits: Limits) -> bool:
    """A decay that has begun is always brought to its end."""
    if limits.max_minutes is None or run.progress.decay_at is not None:
        return False
    return run.ranks.agree(run.progress.elapsed_s >= limits.max_minutes * 60)
