"""Saving a run so that it goes on bit for bit, in formats that cannot run code.

FOLDER/state/step-00001200/rank-0.safetensors   optimiser state that rank owns
                           weights.safetensors  fp32 masters, by our names
                           run.json             step, clock, schedule, cursors, config
FOLDER/state/latest                             name of the newest complete step

A state is written as `step-00001200.partial` and renamed when it is whole: a save that fails
leaves what was there before.
"""

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from bise.errors import UserError
from bise.train.ranks import Ranks

KEPT = 2
"""Older states than the newest so many are deleted."""


@dataclass(slots=True)
class Progress:
    """What of a run is not a tensor."""

    step: int = 0
    elapsed_s: float = 0.0
    """Time spent training over all parts; evaluation and saving included."""

    num_tokens: int = 0
    num_trained: int = 0
    num_far: int = 0
    decay_at: int | None = None
    end: int | None = None
    cursors: list[dict[str, Any]] = field(default_factory=list)
    """One a part: where its stream of samples stands."""


def save_state(
    folder: Path,
    progress: Progress,
    weights: dict[str, Tensor],
    owned: dict[str, Tensor],
    config: dict[str, Any],
    ranks: Ranks,
) -> None:
    """Every rank writes its share, the first one makes it count by naming it `latest`."""
    states = folder / "state"
    target = states / f"step-{progress.step:08d}"
    partial = target.with_suffix(".partial")
    if ranks.is_first:
        for failed in states.glob("step-*.partial"):
            shutil.rmtree(failed)
        partial.mkdir(parents=True)
    ranks.meet()  # the folder is there, and empty
    save_file(_at_home(owned), partial / f"rank-{ranks.rank}.safetensors")
    if ranks.is_first:
        save_file(_at_home(weights), partial / "weights.safetensors")
        run = {"progress": asdict(progress), "config": config, "world": ranks.world}
        (partial / "run.json").write_text(json.dumps(run, indent=1))
    ranks.meet()  # nobody is still writing
    if ranks.is_first:
        if target.exists():
            shutil.rmtree(_replaced(target), ignore_errors=True)
            target.rename(_replaced(target))
        partial.rename(target)
        pointer = states / "latest.new"
        pointer.write_text(target.name)
        pointer.rename(states / "latest")
        _forget_old(states, target)


def _replaced(target: Path) -> Path:
    """Where a state of the same step waits until the new one is in its place."""
    return target.with_suffix(".replaced")


def _forget_old(states: Path, newest: Path) -> None:
    """Delete what is incomplete, and complete states that are older than the newest `KEPT`.

    States of later steps stay: somebody went back to an earlier one, and may think again.
    """
    found = sorted(states.glob("step-*"))
    whole = [one for one in found if _is_complete(one)]
    past = [one for one in whole if one.name <= newest.name]
    for one in found:
        if one not in whole or one in past[:-KEPT]:
            shutil.rmtree(one)


def _is_complete(state: Path) -> bool:
    """Whether every file is there; what still has a suffix is none."""
    if state.suffix or not (state / "run.json").is_file():
        return False
    try:
        world = json.loads((state / "run.json").read_text())["world"]
    except (ValueError, KeyError):
        return False
    names = ["weights.safetensors", *(f"rank-{rank}.safetensors" for rank in range(world))]
    return all((state / name).is_file() for name in names)


def _at_home(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu() for name, tensor in tensors.items()}


def latest_state(folder: Path) -> Path | None:
    """The folder of the newest complete state, or None for a run that has none."""
    pointer = folder / "state" / "latest"
    if not pointer.exists():
        return None
    target = folder / "state" / pointer.read_text().strip()
    if not target.exists() and _replaced(target).exists():
        target = _replaced(target)  # the process ended between two renames
    if not (target / "run.json").exists():
        raise UserError(
            f"`{pointer}` names `{target.name}`, which is not there",
            hint="write the name of a complete step folder into it, or start a new run",
        )
    return target


def read_run(target: Path) -> tuple[Progress, dict[str, Any]]:
    """Progress and config of a saved state."""
    try:
        run = json.loads((target / "run.json").read_bytes())
        return Progress(**run["progress"]), dict(run["config"])
    except (ValueError, KeyError, TypeError):
        raise _damaged(target, "run.json") from None


def load_tensors(target: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Weights, and the optimiser state of all ranks together: ownership may have changed."""
    try:
        num_ranks = int(json.loads((target / "run.json").read_bytes())["world"])
    except (ValueError, KeyError, TypeError):
        raise _damaged(target, "run.json") from None
    optimiser: dict[str, Tensor] = {}
    for rank in range(num_ranks):
        optimiser |= _load(target, f"rank-{rank}.safetensors")
    return _load(target, "weights.safetensors"), optimiser


def _load(target: Path, name: str) -> dict[str, Tensor]:
    try:
        return load_file(target / name)
    except (SafetensorError, FileNotFoundError):
        raise _damaged(target, name) from None


def _damaged(target: Path, name: str) -> UserError:
    return UserError(
        f"`{name}` of the state `{target}` is missing or damaged",
        hint=f"write the name of another step folder into `{target.parent / 'latest'}`,"
        " or begin a new run",
    )
