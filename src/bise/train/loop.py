"""A training run, from the first step or from wherever it stopped, to annealed weights.

The clock only decides at which step the decay begins; that step is written down, and from then on
the run is a function of the step. `--steps N --decay-at K` therefore replays any run.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bise.errors import UserError
from bise.train.run import Run
from bise.train.step import StepReport

Look = Callable[[Run], Mapping[str, float]]
"""Asks the network held-out questions; scores by name."""


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


def train(run: Run, limits: Limits, log: "Log", look: Look | None = None) -> None:
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
        log.step(run, report, clock)
        if look is not None and progress.step % run.config.eval_every == 0:
            log.look(run, look(run))
        if ranks.agree(time.monotonic() - saved_at > run.config.save_every_s):
            run.save()
            saved_at = time.monotonic()
    clock.tick()
    run.save()
    log.end(run)


def _maybe_begin_decay(run: Run, limits: Limits, clock: Clock) -> None:
    """With `anneal`, begin when what is left of the time is what the decay should take."""
    progress = run.progress
    if not limits.anneal or progress.decay_at is not None or limits.max_minutes is None:
        return
    total_s = limits.max_minutes * 60
    left_s = total_s - progress.elapsed_s
    if run.ranks.agree(left_s <= total_s * run.config.decay_share):
        steps = max(1, int(run.ranks.number(left_s / max(clock.step_s, 1e-9))))
        progress.decay_at, progress.end = progress.step, progress.step + steps
        run.save()  # from here on the run is a function of the step


def _time_is_up(run: Run, limits: Limits) -> bool:
    """A decay that has begun is always brought to its end."""
    if limits.max_minutes is None or run.progress.decay_at is not None:
        return False
    return run.ranks.agree(run.progress.elapsed_s >= limits.max_minutes * 60)


class Log:
    """One line of JSON a step into `log.jsonl`, and one line that stays on the screen."""

    def __init__(self, folder: Path, show: Callable[[str], None], *, is_on: bool = True):
        self.file = folder / "log.jsonl"
        self.show = show
        self.is_on = is_on

    def _write(self, **values: object) -> None:
        with self.file.open("a") as out:
            out.write(json.dumps(values) + "\n")

    def begin(self, run: Run, where: Mapping[str, object]) -> None:
        """What this part of the run starts from, and on what."""
        if self.is_on:
            self._write(begins=run.progress.step, world=run.ranks.world, **where)

    def step(self, run: Run, report: StepReport, clock: Clock) -> None:
        if not self.is_on:
            return
        progress = run.progress
        rate = run.schedule.factor(progress.step - 1) * run.config.optimiser.peak_rate
        self._write(
            step=progress.step,
            rate=rate,
            elapsed_s=round(progress.elapsed_s, 3),
            num_tokens=progress.num_tokens,
            **asdict(report),
        )
        self.show(_step_line(run, report, rate, clock))

    def look(self, run: Run, scores: Mapping[str, float]) -> None:
        if not self.is_on:
            return
        self._write(step=run.progress.step, look=dict(scores))
        parts = (f"{name} {score:.0%}" for name, score in scores.items())
        self.show(f"step {run.progress.step}: {'  '.join(parts)}\n")

    def end(self, run: Run) -> None:
        if self.is_on:
            far = run.progress.num_far / max(1, run.progress.num_trained)
            self._write(step=run.progress.step, ended=True, **_facts(run))
            self.show(
                f"\nstep {run.progress.step}: {run.progress.num_tokens / 1e6:.1f} M tokens, "
                f"{far:.0%} of the trained ones at position 512 or later\n"
            )


def _facts(run: Run) -> dict[str, object]:
    progress = run.progress
    return {
        "decay_at": progress.decay_at,
        "end": progress.end,
        "elapsed_s": progress.elapsed_s,
        "num_tokens": progress.num_tokens,
        "num_trained": progress.num_trained,
        "num_far": progress.num_far,
    }


def _step_line(run: Run, report: StepReport, rate: float, clock: Clock) -> str:
    """Carriage return first: each line overwrites the one before."""
    progress = run.progress
    pace = run.config.parts * run.config.part_tokens / max(clock.step_s, 1e-9)
    goal = "" if progress.end is None else f"/{progress.end}"
    left = ""
    if progress.end is not None:
        left = f"  {(progress.end - progress.step) * clock.step_s / 60:.0f} min left"
    return (
        f"\rstep {progress.step}{goal}  loss {report.loss:.4f}  rate {rate:.1e}  "
        f"norm {report.grad_norm:.2f}  load {report.load_ratio:.1f}  {pace / 1e3:.1f}k tokens/s"
        f"{left}  "
    )
