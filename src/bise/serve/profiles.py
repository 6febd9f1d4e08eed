"""In which forms a model can be run here, as NIM's clients ask: its profiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bise.model import ModelConfig
from bise.model.inspect import BYTES_A_WEIGHT
from bise.model.memory import available_memory_bytes
from bise.model.names import weights

PRECISIONS = {"float32": "fp32", "bfloat16": "bf16", "int8": "int8", "int4": "int4"}
"""What weights are kept in, and the key of its bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """One form."""

    precision: str
    memory_bytes: int
    """That its weights take."""

    fits: bool
    """Whether this machine has that much memory to spare now."""

    @property
    def id(self) -> str:
        return f"cpu-{self.precision}"

    def json(self) -> dict[str, Any]:
        tags = {"precision": self.precision, "tp": 1, "engine": "bise"}
        need = {"memory_bytes": self.memory_bytes, "fits": self.fits}
        return {"id": self.id, "tags": tags, **need}


def profiles_of(config: ModelConfig, free_bytes: int | None = None) -> Sequence[Profile]:
    """All forms of a network of this shape. free_bytes: of memory; None asks the machine"""
    num_weights = sum(weight.numel for weight in weights(config))
    free = available_memory_bytes() if free_bytes is None else free_bytes
    needs = {name: int(num_weights * BYTES_A_WEIGHT[kind]) for name, kind in PRECISIONS.items()}
    return [
        Profile(precision=name, memory_bytes=need, fits=need < free) for name, need in needs.items()
    ]
