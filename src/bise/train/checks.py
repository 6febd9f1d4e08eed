"""What a run is asked to do and cannot: told before a process starts or a file is written."""

from collections.abc import Mapping
from random import Random
from typing import Any

import torch

from bise.errors import UserError, quoted
from bise.evals.task import Task
from bise.model.presets import preset
from bise.text import ImagePart
from bise.train.config import TrainConfig, to_dict


def check_device(device: str, processes: int) -> None:
    """Refuse a device that is not there."""
    if processes > 1:
        raise UserError(
            f"{processes} processes cannot share a step on `{device}`",
            hint="use `--processes 1`, and `--makers N` for processes that make samples",
        )
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UserError(
            f"there is no device `{device}` here", hint="use `--device cpu`, or a torch with CUDA"
        ) from None


def check_processes(config: TrainConfig, processes: int, makers: int) -> None:
    """Refuse parts that cannot be shared out."""
    if makers and processes > 1:
        raise UserError(
            f"{processes} processes that share a step make their samples themselves",
            hint="use `--processes 1` with `--makers`, or leave `--makers` out",
        )
    if config.parts % processes:
        raise UserError(
            f"{config.parts} parts a step cannot be shared by {processes} processes",
            hint="make `parts` a multiple of the number of processes",
        )


def check_skills(config: TrainConfig, tasks: Mapping[str, Task]) -> None:
    """Refuse skills nobody has, and a preset that cannot be trained on them."""
    missing = sorted(set(config.mix.shares) - set(tasks))
    if missing:
        raise UserError(f"the mix asks for `{missing[0]}`, which is no skill here")
    shape = preset(config.preset)
    if shape.experts is None:
        raise UserError(
            f"`{config.preset}` has no experts, and training is written for networks with them",
            hint="take another preset, such as `nano`",
        )
    asked = [name for name, share in config.mix.shares.items() if share > 0]
    seeing = [name for name in asked if _has_pictures(tasks[name])]
    if shape.vision is None and seeing:
        raise UserError(
            f"`{config.preset}` sees no pictures, and the mix has some, in {quoted(seeing)}",
            hint=f"take another preset, such as `nano`, or `--set mix.shares.{seeing[0]}=0`",
        )


def _has_pictures(task: Task) -> bool:
    """As far as an example of each level shows."""
    examples = [task.sample(Random(0), level) for level in task.levels]
    return any(
        example.image is not None
        or any(isinstance(part, ImagePart) for message in example.given for part in message.parts)
        for example in examples
    )


def check_same(saved: TrainConfig, asked: TrainConfig) -> None:
    """Refuse to go on with another config than the one a run was begun with."""
    before, now = _flat(to_dict(saved)), _flat(to_dict(asked))
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if changed:
        first = changed[0]
        raise UserError(
            f"the run was begun with another {quoted(changed)}: `{first}` is "
            f"`{before.get(first)}` there, and `{now.get(first)}` is asked for",
            hint="leave it out to go on, or begin a new run in another folder",
        )


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Fields by their whole path, as `--set` writes them."""
    fields: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            fields |= _flat(value, f"{before}{name}.")
        else:
            fields[before + name] = value
    return fields
