"""What a folder or a preset is, in numbers, without reading a single weight."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bise.errors import UserError
from bise.model.checkpoint import Checkpoint, layouts_in, open_checkpoint
from bise.model.config import ModelConfig
from bise.model.memory import available_memory_bytes
from bise.model.names import Weight, weights
from bise.model.presets import PRESETS, preset
from bise.model.stored import Layout, Quant

CACHE_BYTES = {"bf16": 2, "fp8": 1}

LOADED_BYTES = {"bf16": 2, "fp32": 4}
"""Bytes a weight takes in memory, by the types a network can be loaded in."""


BYTES_A_WEIGHT = {"fp32": 4.0, "bf16": 2.0, "int8": 1.0625, "int4": 0.5625, "stored": 2.0}
"""The same, and as the core keeps them; `stored` is what the files take."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Parameters that one text token touches, by what one counts."""

    layers: int
    """Attention, routers, norms, the shared expert and the chosen ones."""

    with_head: int
    """... and the final norm and the output matrix."""

    with_embedding: int
    """... and the embedding table, of which a token reads one row."""

    with_vision: int
    """... and the eye, which only pictures touch."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether the weights fit in this machine's memory, loaded in some type."""

    dtype: str
    weight_bytes: int
    context_tokens: int
    """Tokens of bf16 cache that fit beside the weights; 0 if even the weights do not."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything `inspect` found out."""

    name: str
    kind: str
    config: ModelConfig
    layouts: tuple[Layout, ...]
    layout: Layout | None
    """None for a preset, which has no files."""

    quant: Quant
    num_tensors: int
    size_bytes: int
    """Of all tensors as stored; for a preset, of bf16 weights."""

    num_parameters: int
    num_active: Counts
    cache_bytes_per_token: dict[str, int]
    memory_bytes: int
    fits: tuple[Fit, ...]

    def json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        return dataclasses.asdict(self)

    def lines(self) -> list[str]:
        """The same for people."""
        active, cache = self.num_active, self.cache_bytes_per_token
        stored = " and ".join(self.layouts) if self.layouts else "none, this is a preset"
        quantised = {"none": "none", "fp8": "FP8, one scale a matrix", "nvfp4": "NVFP4 experts"}
        rows = [
            ("model", f"{self.name}: {self.kind}"),
            ("layouts", stored + (f" (read: {self.layout})" if len(self.layouts) > 1 else "")),
            ("quantisation", quantised[self.quant]),
            ("tensors", f"{self.num_tensors:,} in {self.size_bytes:,} bytes"),
            ("parameters", f"{self.num_parameters:,}"),
            ("active a token", f"{active.layers:,} in the layers"),
            ("", f"{active.with_head:,} with output matrix and final norm"),
            ("", f"{active.with_embedding:,} with the embedding table"),
        ]
        if active.with_vision != active.with_embedding:
            rows.append(("", f"{active.with_vision:,} with the vision tower"))
        rows.append(
            (
                "cache a token",
                ", ".join(f"{count:,} bytes in {kind}" for kind, count in cache.items()),
            )
        )
        rows.append(("free memory", f"{self.memory_bytes:,} bytes"))
        rows += [("", _fit_line(fit)) for fit in self.fits]
        return [f"{title:<16}{text}" for title, text in rows]


def _fit_line(fit: Fit) -> str:
    need = f"{fit.weight_bytes:,} bytes of weights in {fit.dtype}"
    if fit.context_tokens == 0:
        return f"{need} do not fit"
    return f"{need} fit, and {fit.context_tokens:,} tokens of cache"


def inspect(target: Path | str, layout: Layout | None = None) -> Report:
    """Report on a folder, or on a preset's name."""
    if not Path(target).is_dir() and str(target).replace("-", "_") in PRESETS:
        return _report(str(target), preset(str(target)), None)
    checkpoint = open_checkpoint(target, layout)
    return _report(str(target), checkpoint.config, checkpoint)


def _report(name: str, config: ModelConfig, checkpoint: Checkpoint | None) -> Report:
    table = weights(config)
    num_parameters = sum(weight.numel for weight in table)
    memory = available_memory_bytes()
    cache = {kind: size * config.cache_numbers_per_token for kind, size in CACHE_BYTES.items()}
    return Report(
        name=name,
        kind=_kind(config),
        config=config,
        layouts=() if checkpoint is None else layouts_in(checkpoint.folder),
        layout=None if checkpoint is None else checkpoint.layout,
        quant="none" if checkpoint is None else checkpoint.quant,
        num_tensors=len(table) if checkpoint is None else checkpoint.num_tensors,
        size_bytes=2 * num_parameters if checkpoint is None else checkpoint.size_bytes,
        num_parameters=num_parameters,
        num_active=count_active(config, table),
        cache_bytes_per_token=cache,
        memory_bytes=memory,
        fits=tuple(
            Fit(
                dtype,
                size * num_parameters,
                _context(memory - size * num_parameters, cache["bf16"], config),
            )
            for dtype, size in LOADED_BYTES.items()
        ),
    )


def _context(left_bytes: int, bytes_per_token: int, config: ModelConfig) -> int:
    return min(max(left_bytes, 0) // bytes_per_token, config.max_positions)


def _kind(config: ModelConfig) -> str:
    attention = "latent attention" if config.is_latent else "grouped attention"
    experts = "dense"
    if config.experts is not None:
        experts = f"{config.experts.num} experts of which {config.experts.topk} answer"
    eye = ", sees pictures" if config.vision is not None else ""
    return f"{config.num_layers} layers, {attention}, {experts}{eye}"


def count_active(config: ModelConfig, table: tuple[Weight, ...]) -> Counts:
    """How many parameters one text token touches, by four ways of counting."""
    layers = head = embedding = vision = 0
    for weight in table:
        if weight.is_stacked:
            assert config.experts is not None
            layers += weight.numel // config.experts.num * config.experts.topk
        elif weight.name.startswith("blocks."):
            layers += weight.numel
        elif weight.name == "embed.weight":
            embedding = weight.numel
        elif weight.section == "text" or weight.section == "head":
            head += weight.numel
        else:
            vision += weight.numel
    return Counts(
        layers=layers,
        with_head=layers + head,
        with_embedding=layers + head + embedding,
        with_vision=layers + head + embedding + vision,
    )


def need_fit(report: Report, weight_type: str) -> None:
    """Refuse to load what cannot fit, before minutes are spent on trying.

    weight_type: how weights will be kept, a key of `BYTES_A_WEIGHT`
    """
    needed = int(report.num_parameters * BYTES_A_WEIGHT[weight_type])
    if weight_type == "stored":
        needed = report.size_bytes
    room = report.memory_bytes - needed
    if _context(room, report.cache_bytes_per_token["bf16"], report.config) == 0:
        raise UserError(
            f"`{report.name}` needs {needed:,} bytes in {weight_type},"
            f" {report.memory_bytes:,} are free",
            hint="use a machine with more memory, a smaller model, or fewer bits",
        )
