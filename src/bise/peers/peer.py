"""What a comparison must know of an engine, and the engines there are.

A peer says what its twin of the weights is, how to make it, and how to start a process around it.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bise.errors import UserError, quoted
from bise.model.config import GroupedAttentionConfig
from bise.model.names import weights
from bise.model.packed import WeightKind
from bise.model.packed_source import Source
from bise.ops.cpu.pool import num_workers
from bise.peers.hugging import CHILD, write_checkpoint
from bise.peers.llama import (
    FORMATS,
    LlamaBuild,
    LlamaFormat,
    find_build,
    make_twin,
    twin_bytes,
    twin_name,
)
from bise.peers.vllm_python import CACHE_BYTES, VllmPython, find_vllm, need_readable


class Peer(Protocol):
    """An engine to be measured."""

    @property
    def name(self) -> str: ...

    @property
    def format(self) -> str:
        """How it keeps weights: `int8`, `q8_0`, …"""
        ...

    @property
    def twin(self) -> str:
        """Its twin of the weights, by name: peers with the same one share it."""
        ...

    def check(self, source: Source) -> None:
        """Refuse a network that it cannot read."""
        ...

    def disk_bytes(self, source: Source) -> int:
        """What its twin of the weights takes, at most, while and after it is made."""
        ...

    def memory_bytes(self, source: Source) -> int:
        """What its process takes, about."""
        ...

    def prepare(self, source: Source, folder: Path) -> Path | None:
        """Make its twin of the weights."""
        ...

    def command(self, twin: Path | None, folder: Path) -> list[str]:
        """What starts its process."""
        ...


WEIGHT_BITS = {"bf16": 16.0, "int8": 8.5, "int4": 4.5, "stored": 16.0}
"""A scale of 16 bits for 32 weights among them."""


def count_weights(source: Source) -> int:
    """Of the text network."""
    return sum(one.numel for one in weights(source.config) if one.section in ("text", "head"))


@dataclass(frozen=True, slots=True)
class Ours:
    """This engine."""

    model: str
    format: WeightKind
    name: str = "bise"
    twin: str = field(default="", init=False)

    def check(self, source: Source) -> None:
        """It reads everything."""

    def disk_bytes(self, source: Source) -> int:  # noqa: ARG002 - it reads what is there
        return 0

    def memory_bytes(self, source: Source) -> int:
        return int(count_weights(source) * WEIGHT_BITS[self.format] / 8) + 2**30

    def prepare(self, source: Source, folder: Path) -> Path | None:  # noqa: ARG002
        return None

    def command(self, twin: Path | None, folder: Path) -> list[str]:  # noqa: ARG002
        return [sys.executable, "-m", "bise.peers.ours", self.model, self.format]


@dataclass(frozen=True, slots=True)
class Llama:
    """llama.cpp or ik_llama.cpp."""

    name: str
    format: LlamaFormat
    build: LlamaBuild

    @property
    def twin(self) -> str:
        return twin_name(self.format)

    def check(self, source: Source) -> None:
        shape = source.config.attention
        is_known = isinstance(shape, GroupedAttentionConfig) or shape.cache_width == 256 + 64
        if self.name == "ik" and not is_known:  # Checked against: its `llama-hparams.cpp`
            raise UserError("ik_llama.cpp only reads kv latents of 256 with 64 rotated numbers")

    def disk_bytes(self, source: Source) -> int:
        return twin_bytes(source, self.format)

    def memory_bytes(self, source: Source) -> int:
        bits = 8.5 if self.format == "q8_0" else 16.0 if self.format == "bf16" else 5.0
        return int(count_weights(source) * bits / 8) + 2**30

    def prepare(self, source: Source, folder: Path) -> Path | None:
        return make_twin(source, folder, self.format, self.build)

    def command(self, twin: Path | None, folder: Path) -> list[str]:
        driver = self.build.driver(folder)
        words = [str(driver), str(twin), str(num_workers()), *self.build.settings]
        return ["env", "GGML_NO_BACKTRACE=1", *words]  # or a debugger would have the last word


@dataclass(frozen=True, slots=True)
class Transformers:
    """Hugging Face's implementation, in bf16 with grouped experts."""

    python: str
    name: str = "transformers"
    format: str = field(default="bf16", init=False)
    twin: str = field(default="hf", init=False)

    def check(self, source: Source) -> None:
        """It reads everything."""

    def disk_bytes(self, source: Source) -> int:
        return 2 * count_weights(source)

    def memory_bytes(self, source: Source) -> int:
        return 2 * count_weights(source) + 2**31

    def prepare(self, source: Source, folder: Path) -> Path | None:
        return write_checkpoint(source, folder / self.twin, "hf")

    def command(self, twin: Path | None, folder: Path) -> list[str]:  # noqa: ARG002
        return [self.python, str(CHILD), str(twin), str(num_workers())]


@dataclass(frozen=True, slots=True)
class Vllm:
    """vLLM on a CPU, in bf16 and compiled."""

    python: VllmPython
    name: str = "vllm"
    format: str = field(default="bf16", init=False)
    twin: str = field(default="native", init=False)

    def check(self, source: Source) -> None:
        need_readable(source.config)

    def disk_bytes(self, source: Source) -> int:
        return 2 * count_weights(source)

    def memory_bytes(self, source: Source) -> int:
        return 2 * count_weights(source) + CACHE_BYTES + 2**31

    def prepare(self, source: Source, folder: Path) -> Path | None:
        return write_checkpoint(source, folder / self.twin, "native")

    def command(self, twin: Path | None, folder: Path) -> list[str]:  # noqa: ARG002
        assert twin is not None
        return self.python.command(twin, num_workers())


TWINS: dict[WeightKind, LlamaFormat] = {"bf16": "bf16", "int8": "q8_0", "int4": "q4_0"}
"""Theirs with as many bits."""


BY_NAME: dict[str, LlamaFormat] = {name: name for name in FORMATS}


def _llama(name: str) -> Callable[[str, str | None, WeightKind], Peer]:
    def made(path: str, format: str | None, kind: WeightKind) -> Peer:
        if format is not None and format not in FORMATS:
            raise UserError(
                f"`{format}` is no format of `{name}`", hint=f"one of {quoted(FORMATS)}"
            )
        chosen = TWINS.get(kind, "bf16") if format is None else BY_NAME[format]
        if not path:
            raise UserError(f"where is {name}?", hint=f"pass `--against {name}=BUILD_FOLDER`")
        return Llama(name, chosen, find_build(name, Path(path)))

    return made


def _transformers(path: str, format: str | None, kind: WeightKind) -> Peer:
    _need_bf16("transformers", format, kind)
    return Transformers(path or sys.executable)


def _vllm(path: str, format: str | None, kind: WeightKind) -> Peer:
    _need_bf16("vllm", format, kind)
    return Vllm(find_vllm(path))


def _need_bf16(name: str, format: str | None, kind: WeightKind) -> None:
    if format not in (None, "bf16") or kind not in ("bf16", "stored"):
        raise UserError(f"{name} computes in bf16 here", hint="compare it with `--weights bf16`")


KNOWN = {
    "llamacpp": _llama("llamacpp"),
    "ik": _llama("ik"),
    "transformers": _transformers,
    "vllm": _vllm,
}


def parse_peer(text: str, kind: WeightKind) -> Peer:
    """`NAME[:FORMAT][=PATH]`; kind: of our weights, which decides the format left out."""
    named, _, path = text.partition("=")
    name, _, format = named.partition(":")
    if name not in KNOWN:
        raise UserError(
            f"`{name}` is no engine to compare with",
            hint=f"pass one of {quoted([*KNOWN, 'small3'])}",
        )
    return KNOWN[name](path, format or None, kind)
