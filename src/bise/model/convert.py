"""From one layout or quantisation to another, shard by shard, and again from where it stopped.

A state file in the target folder lists the finished shards with their hashes. After a crash a shard
is believed only if it still has its hash, and everything written is read back once before the
folder counts as done.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bise.errors import UserError
from bise.model.calibrate import measure_activations
from bise.model.checkpoint import CONFIG_FILES, Checkpoint, open_checkpoint
from bise.model.names import Weight
from bise.model.shard_writer import plan_shards, write_json, write_shard
from bise.model.shards import shard_paths
from bise.model.stored import STEMS, Layout, Quant, quant_of
from bise.model.write import (
    CONFIG_WRITERS,
    DEFAULT_SHARD_BYTES,
    Encoder,
    Fp8Part,
    finish_folder,
    label_scales,
    read_sidecar,
)

STATE = ".bise-convert.json"

COMPANIONS = (
    "tekken.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "SYSTEM_PROMPT.txt",
    "generation_config.json",
    "LICENSE",
)
"""Files beside the weights that belong to the model in every layout."""

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion did."""

    folder: Path
    num_written: int
    """Shards written by this call."""

    num_kept: int
    """Shards an earlier call had finished."""

    size_bytes: int


class CheckpointSource:
    """Weights that lie in another folder."""

    def __init__(self, checkpoint: Checkpoint, dtype: torch.dtype | None = None):
        """dtype: of weights that are not quantised; None keeps the source's."""
        self.checkpoint = checkpoint
        self._dtype = dtype

    def dtype(self, weight: Weight) -> torch.dtype:
        if self._dtype is not None:
            return self._dtype
        if quant_of(weight, self.checkpoint.quant) != "none":
            return torch.bfloat16
        return self.checkpoint.plain_dtype(weight)

    def part(self, weight: Weight, part: int) -> Tensor:
        return self.checkpoint.part(weight, part)

    def fp8(self, weight: Weight, part: int) -> Fp8Part | None:
        if quant_of(weight, self.checkpoint.quant) != "fp8":
            return None
        return Fp8Part(
            scale=self.checkpoint.scale(weight, "scale", part),
            activation=self.checkpoint.activation(weight, part),
            codes=lambda: self.checkpoint.codes(weight, part),
        )


def convert(
    source: Path | str,
    target: Path | str,
    *,
    to: Layout,
    quant: Quant = "none",
    layout: Layout | None = None,
    calibration: Sequence[Tensor] | None = None,
    dtype: torch.dtype | None = None,
    max_shard_bytes: int = DEFAULT_SHARD_BYTES,
    progress: Progress | None = None,
) -> Converted:
    """Write the weights of one folder into another, in layout `to`, quantised or not.

    layout       which layout to read where the source has both
    calibration  token ids, [seq] each, to measure activation scales with; without, a quantised
                 source keeps its own, and others get 1.0 and the label `weight-only`
    dtype        of weights that are not quantised; None keeps the source's
    """
    checkpoint, folder = open_checkpoint(source, layout), Path(target)
    _need_sense(checkpoint, quant, calibration)
    scales = measure_activations(checkpoint, calibration) if calibration else None
    given = CheckpointSource(checkpoint, dtype)
    encoder = Encoder(given, checkpoint.config, to, quant, scales)
    values = CONFIG_WRITERS[to](checkpoint.config, quant)
    specs = encoder.specs()
    plan = plan_shards(specs, max_shard_bytes, STEMS[to])
    size_bytes = sum(spec.size_bytes for spec in specs.values())
    request = _request(checkpoint, to, quant, dtype, max_shard_bytes, scales)
    state = _State.resume(folder, request, to, size_bytes)
    num_kept, done_bytes = len(state.hashes), 0
    for file, names in plan.items():
        if file not in state.hashes:
            shard = {name: specs[name] for name in names}
            state.add(file, write_shard(folder / file, shard, encoder.chunks))
        done_bytes += sum(specs[name].size_bytes for name in names)
        if progress is not None:
            progress(done_bytes, size_bytes)
    state.need_hashes()
    finish_folder(folder, to, plan, specs, values)
    label_scales(folder, quant, _origin(checkpoint, quant, scales))
    _copy_companions(checkpoint.folder, folder)
    open_checkpoint(folder, to)
    state.path.unlink()
    return Converted(folder, len(plan) - num_kept, num_kept, size_bytes)


def _need_sense(checkpoint: Checkpoint, quant: Quant, texts: Sequence[Tensor] | None) -> None:
    if texts and quant != "fp8":
        raise UserError("only `fp8` has activation scales to measure", hint="leave texts out")
    if quant == checkpoint.quant == "nvfp4":
        raise UserError(
            f"`{checkpoint.folder}` is NVFP4 already", hint="convert it to `none` or `fp8`"
        )


@dataclass(slots=True)
class _State:
    """Which shards of which request are finished, kept in the target folder."""

    folder: Path
    request: dict[str, Any]
    hashes: dict[str, str]

    @property
    def path(self) -> Path:
        return self.folder / STATE

    @classmethod
    def resume(
        cls, folder: Path, request: dict[str, Any], layout: Layout, size_bytes: int
    ) -> "_State":
        """What an earlier call for the same thing left; nothing if there was none."""
        folder.mkdir(parents=True, exist_ok=True)
        old = folder / STATE
        if not old.is_file() and shard_paths(folder, STEMS[layout]):
            raise UserError(
                f"`{folder}` already has weights in the `{layout}` layout",
                hint="choose an empty folder",
            )
        state = cls(folder, request, {})
        if old.is_file():
            kept = _kept(old, request).items()
            state.hashes = {file: was for file, was in kept if _hash(folder / file) == was}
        done_bytes = sum((folder / file).stat().st_size for file in state.hashes)
        free_bytes = shutil.disk_usage(folder).free
        if size_bytes - done_bytes > free_bytes:
            raise UserError(
                f"writing needs {size_bytes - done_bytes:,} bytes, `{folder}` has {free_bytes:,}"
                " left",
                hint="free some space, or write to another disk",
            )
        state.save()
        return state

    def add(self, file: str, digest: str) -> None:
        self.hashes[file] = digest
        self.save()

    def save(self) -> None:
        write_json(self.path, {"request": self.request, "hashes": self.hashes})

    def need_hashes(self) -> None:
        """Read everything back."""
        for file, digest in self.hashes.items():
            if _hash(self.folder / file) != digest:
                raise UserError(
                    f"`{self.folder / file}` does not read back as it was written",
                    hint="check the disk, then run the same command again",
                )


def _kept(path: Path, request: dict[str, Any]) -> dict[str, str]:
    """Shards of the same request that an earlier call had finished; none if nobody can tell."""
    try:
        values = json.loads(path.read_bytes())
        return dict(values["hashes"]) if values["request"] == request else {}
    except (ValueError, KeyError, TypeError, RecursionError):  # the power went, or the disk is bad
        return {}


def _request(
    checkpoint: Checkpoint,
    to: Layout,
    quant: Quant,
    dtype: torch.dtype | None,
    max_shard_bytes: int,
    scales: Mapping[str, float] | None,
) -> dict[str, Any]:
    """Everything that decides what gets written."""
    paths = sorted({entry.path for entry in checkpoint.entries.values()})
    paths.append(checkpoint.folder / CONFIG_FILES[checkpoint.layout])
    about = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    measured = json.dumps(scales, sort_keys=True).encode()
    return {
        "source": str(checkpoint.folder.resolve()),
        "files": [list(one) for one in about],
        "from": checkpoint.layout,
        "to": to,
        "quantization": quant,
        "dtype": str(dtype),
        "max_shard_bytes": max_shard_bytes,
        "activation_scales": hashlib.sha256(measured).hexdigest(),
    }


def _hash(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _origin(checkpoint: Checkpoint, quant: Quant, scales: Mapping[str, float] | None) -> str | None:
    """Where the activation scales of the target come from, for the sidecar."""
    if quant == "none":
        return None
    if scales is not None:
        return "calibrated"
    has_scales = any(role == "activation" for _, role, _ in checkpoint.entries)
    if checkpoint.quant != "fp8" or not has_scales:
        return "weight-only"
    return read_sidecar(checkpoint.folder).get("activation_scales", "source")


def _copy_companions(source: Path, target: Path) -> None:
    if source.resolve() == target.resolve():
        return
    for name in COMPANIONS:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
