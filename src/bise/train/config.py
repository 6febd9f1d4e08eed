"""Everything a training run is decided by; saved beside whatever it produces."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bise.errors import UserError, quoted
from bise.train.conversations import MixConfig
from bise.train.losses import LossConfig
from bise.train.optimiser import OptimiserConfig
from bise.train.ranges import need_range

DTYPES = ("bfloat16", "float32")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    preset: str = "nano"
    seed: int = 0
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """What is computed in; weights and optimiser are fp32 always."""

    parts: int = 2
    """Pieces a step's tokens are cut into; processes share them, so it fixes the arithmetic."""

    part_tokens: int = 4096
    row_tokens: tuple[int, ...] = (256, 512)
    """Lengths of rows that samples are packed into."""

    long_row_tokens: tuple[int, ...] = (1024, 2048)
    long_every: int = 20
    """While the rate decays, one step in so many holds single long conversations."""

    warmup_steps: int = 100
    decay_share: float = 0.25
    """Share of the whole time that the decay takes, when the clock decides where it begins."""

    eval_every: int = 250
    """Steps between two looks at held-out examples."""

    eval_examples: int = 32
    """Held-out examples a skill and effort at each look."""

    save_every_s: float = 120.0
    mix: MixConfig = field(default_factory=MixConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise UserError(f"`dtype` is `{self.dtype}`, expected {' or '.join(DTYPES)}")
        need_range("seed", self.seed, -(2**63), 2**63 - 1)
        for name in ("parts", "part_tokens", "long_every", "eval_examples"):
            need_range(name, getattr(self, name), 1)
        for name in ("warmup_steps", "eval_every", "save_every_s"):
            need_range(name, getattr(self, name), 0)
        need_range("decay_share", self.decay_share, 0, 1)
        for name in ("row_tokens", "long_row_tokens"):
            widths = getattr(self, name)
            need_range(name, min(widths, default=0), 1)
            for width in widths:
                if self.part_tokens % width:
                    raise UserError(
                        f"rows of {width} tokens do not fill a part of {self.part_tokens}",
                        hint="make `part_tokens` a multiple of every row length",
                    )


def to_dict(config: TrainConfig) -> dict[str, Any]:
    return dataclasses.asdict(config)


def from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """The config that `to_dict` wrote, perhaps by way of JSON; unknown keys are refused."""
    nested = {"mix": MixConfig, "loss": LossConfig, "optimiser": OptimiserConfig}
    return _build(TrainConfig, values, nested)


def _build(kind: type, values: Mapping[str, Any], nested: Mapping[str, type]) -> Any:
    known = {one.name for one in dataclasses.fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise UserError(
            f"the training config has no {quoted(unknown)}", hint=f"it has {quoted(known)}"
        )
    built = {}
    for name, value in values.items():
        if name in nested:
            value = _build(nested[name], value, {})
        built[name] = tuple(value) if isinstance(value, list) else value
    return kind(**built)


def override(config: TrainConfig, assignments: list[str]) -> TrainConfig:
    """Apply `--set part_tokens=1024 optimiser.peak_rate=1e-3`; checked once all are applied."""
    values = to_dict(config)
    for assignment in assignments:
        path, _, text = assignment.partition("=")
        _assign(values, path.split("."), text, assignment)
    return from_dict(values)


def _assign(values: dict[str, Any], path: list[str], text: str, assignment: str) -> None:
    """Put a value of the same kind in the old one's place."""
    for name in path[:-1]:
        inner = values.get(name)
        if not isinstance(inner, dict):
            raise UserError(
                f"`--set {assignment}`: `{name}` has no fields", hint=f"there are {quoted(values)}"
            )
        values = inner
    last = path[-1]
    if last not in values or not text:
        raise UserError(
            f"`--set {assignment}` names no field of the config", hint=f"there are {quoted(values)}"
        )
    old = values[last]
    if isinstance(old, dict):
        raise UserError(
            f"`--set {assignment}`: `{last}` is a group of fields",
            hint=f"set one of {quoted('.'.join([*path, one]) for one in old)}",
        )
    values[last] = _parse(old, text, assignment)


def _parse(old: Any, text: str, assignment: str) -> Any:
    kind = type(old[0]) if isinstance(old, tuple) else type(old)
    try:
        if isinstance(old, tuple):
            return tuple(kind(piece) for piece in text.split(","))
        return kind(text)
    except ValueError:
        names = {int: "whole number", float: "number"}
        raise UserError(
            f"`--set {assignment}`: `{text}` is no {names.get(kind, kind.__name__)}"
            + (", nor several with commas" if isinstance(old, tuple) else "")
        ) from None
