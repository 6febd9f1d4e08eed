"""What a run writes down, and the one line it keeps on the screen."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from bise.train.limits import Clock, Limits
from bise.train.run import Run
from bise.train.step import StepReport

BAR_CELLS = 20
LOG_NAME = "log.jsonl"


class Log:
    """One line of JSON a step into `log.jsonl`, and one line that stays on the screen."""

    def __init__(self, folder: Path, show: Callable[[str], None], *, is_on: bool = True):
        self.file = folder / LOG_NAME
        self.show = show
        self.is_on = is_on

    def _write(self, **values: object) -> None:
        with self.file.open("a") as out:
            out.write(json.dumps(values) + "\n")

    def begin(self, run: Run, where: Mapping[str, object]) -> None:
        """What this part of the run starts from, and on what."""
        if self.is_on:
            self._write(begins=run.progress.step, world=run.ranks.world, **where)

    def step(self, run: Run, report: StepReport, clock: Clock, limits: Limits) -> None:
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
        self.show(_step_line(run, report, rate, clock, limits))

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


def _step_line(run: Run, report: StepReport, rate: float, clock: Clock, limits: Limits) -> str:
    """Carriage return first: each line overwrites the one before."""
    progress = run.progress
    pace = run.config.parts * run.config.part_tokens / max(clock.step_s, 1e-9)
    left_s = clock.left_s(limits)
    goal = ""
    if left_s is not None:
        done = progress.elapsed_s / max(1e-9, progress.elapsed_s + left_s)
        goal = f"{_bar(done)} {left_s / 60:.0f} min left  "
    return (
        f"\r{goal}step {progress.step}  loss {report.loss:.4f}  rate {rate:.1e}  "
        f"norm {report.grad_norm:.2f}  load {report.load_ratio:.1f}  {pace / 1e3:.1f}k tokens/s  "
    )


def _bar(done: float) -> str:
    """[=======>------]"""
    full = int(done * BAR_CELLS)
    return f"[{'=' * full}{'-' * (BAR_CELLS - full)}]"
