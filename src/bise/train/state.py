"""Saving a run so that it goes on bit for bit, in formats that cannot run code.

FOLDER/state/step-00001200/rank-0.safetensors   optimiser state that rank owns
                           weights.safetensors  fp32 masters, by our names
                           run.json             step, clock, schedule, cursors, config
FOLDER/state/latest                             name of the newest complete step
"""

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

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
    name = f"step-{progress.step:08d}"
    target = folder / "state" / name
    target.mkdir(parents=True, exist_ok=True)
    save_file(_at_home(owned), target / f"rank-{ranks.rank}.safetensors")
    if ranks.is_first:
        save_file(_at_home(weights), target / "weights.safetensors")
        run = {"progress": asdict(progress), "config": config, "world": ranks.world}
        (target / "run.json").write_text(json.dumps(run, indent=1))
    ranks.agree(True)  # nobody is still writing
    if ranks.is_first:
        pointer = folder / "state" / "latest.new"
        pointer.write_text(name)
        pointer.rename(folder / "state" / "latest")
        for old in sorted((folder / "state").glob("step-*"))[:-KEPT]:
            shutil.rmtree(old)


def _at_home(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu() for name, tensor in tensors.items()}


def latest_state(folder: Path) -> Path | None:
    """The folder of the newest complete state, or None for a run that has none."""
    pointer = folder / "state" / "latest"
    if not pointer.exists():
        return None
    target = folder / "state" / pointer.read_text().strip()
    if not (target / "run.json").exists():
        raise UserError(
            f"`{pointer}` names `{target.name}`, which is not there",
            hint="write the name of a complete step folder into it, or start a new run",
        )
    return target


def read_run(target: Path) -> tuple[Progress, dict[str, Any]]:
    """Progress and config of a saved state."""
    run = json.loads((target / "run.json").read_text())
    return Progress(**run["progress"]), run["config"]


def load_tensors(target: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Weights, and the optimiser state of all ranks together: ownership may have changed."""
    optimiser: dict[str, Tensor] = {}
    for file in sorted(target.glob("rank-*.safetensors")):
        optimiser |= load_file(file)
    return load_file(target / "weights.safetensors"), optimiser
