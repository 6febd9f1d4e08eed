"""Writing checkpoints, from any source of weights, as a stream.

A `Source` gives one part of a weight at a time. Nothing here holds more than a part (the matrices
of one expert, or the embedding), so a model larger than the memory can be written.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from bise.errors import UserError
from bise.model.checkpoint import CONFIG_FILES, layouts_in
from bise.model.config import ModelConfig
from bise.model.config_write import write_hf, write_native
from bise.model.names import Weight, pairs_apart, weights
from bise.model.network import Network
from bise.model.quant import GROUP, Packed, encode_fp8, encode_nvfp4, fp8_scale, nvfp4_divisor
from bise.model.shard_writer import Spec, plan_shards, write_index, write_json, write_shard
from bise.model.shards import shard_paths
from bise.model.stored import STEMS, Layout, Quant, Stored, quant_of, stored

DEFAULT_SHARD_BYTES = 5_000_000_000

SIDECAR = "bise.json"
"""What we remember of a folder, beside the official files, which have no room for it."""

SHARED_HALF = re.compile(r"\.shared\.(gate|up)\.weight$")
"""The two matrices of the shared expert that readers put into one."""

CONFIG_WRITERS = {"native": write_native, "hf": write_hf}


@dataclass(frozen=True, slots=True)
class Fp8Part:
    """A part that its source has in FP8 already."""

    scale: Tensor
    activation: Tensor | None
    codes: Callable[[], Tensor]


class Source(Protocol):
    """Where the weights of a checkpoint come from."""

    def dtype(self, weight: Weight) -> torch.dtype:
        """The type to write a weight in that is not quantised."""
        ...

    def part(self, weight: Weight, part: int) -> Tensor:
        """One part of a weight [rows, ...], de-quantised, in our order of rows."""
        ...

    def fp8(self, weight: Weight, part: int) -> Fp8Part | None:
        """The same as it lies in the source, if that is FP8."""
        ...


class TensorSource:
    """Weights that are in memory, by our names."""

    def __init__(self, tensors: Mapping[str, Tensor], dtype: torch.dtype):
        self.tensors = tensors
        self._dtype = dtype

    def dtype(self, weight: Weight) -> torch.dtype:  # noqa: ARG002 - all alike
        return self._dtype

    def part(self, weight: Weight, part: int) -> Tensor:
        return weight.rows(self.tensors[weight.name].detach(), part).cpu()

    def fp8(self, weight: Weight, part: int) -> Fp8Part | None:  # noqa: ARG002 - never
        return None


class Encoder:
    """Turns parts of a source into the tensors of a layout and quantisation."""

    def __init__(
        self,
        source: Source,
        config: ModelConfig,
        layout: Layout,
        quant: Quant,
        activation_scales: Mapping[str, float] | None = None,
    ):
        """activation_scales: native name of a part -> scale; without, the source's, or 1."""
        self.source = source
        self.activation_scales = activation_scales
        spelling = "text" if config.vision is None else "published"
        self.table = weights(config)
        if quant == "nvfp4":
            _need_nvfp4(self.table, layout)
        self.tensors = {one.name: one for one in stored(self.table, layout, quant, spelling)}
        self.layout: Layout = layout
        self._scales: dict[tuple[str, int], Tensor] = {}
        self._divisors: dict[tuple[str, int], Tensor] = {}
        self._last_packed: tuple[str, int, Packed] | None = None

    def specs(self) -> dict[str, Spec]:
        """Type and shape of every tensor to be written."""
        return {name: Spec(self._dtype(one), one.shape) for name, one in self.tensors.items()}

    def chunks(self, name: str) -> Iterator[Tensor]:
        """The numbers of a tensor, part by part."""
        one = self.tensors[name]
        dtype = self._dtype(one)
        if one.part is not None:
            yield self._encoded(one, one.part).to(dtype)
            return
        parts_each = len(one.weight.parts) // one.weight.shape[0]
        step = 1 if one.role in ("plain", "codes") else parts_each  # scales are one an expert
        for part in range(0, len(one.weight.parts), step):
            yield self._encoded(one, part).to(dtype)

    def _dtype(self, one: Stored) -> torch.dtype:
        if one.role == "plain":
            return self.source.dtype(one.weight)
        if one.role in ("scale", "activation"):
            given = self.source.fp8(one.weight, 0)
            known = given and (given.scale if one.role == "scale" else given.activation)
            return torch.bfloat16 if known is None else known.dtype
        if one.role == "activation_divisor" and not one.weight.is_stacked:
            return torch.bfloat16  # as published
        fixed = {"codes": torch.float8_e4m3fn, "groups": torch.float8_e4m3fn, "packed": torch.uint8}
        return fixed.get(one.role, torch.float32)

    def _encoded(self, one: Stored, part: int) -> Tensor:
        weight, role = one.weight, one.role
        if role == "plain":
            return self._ordered(weight, self._finite_part(weight, part))
        if role == "codes":
            return self._codes(weight, part)
        if role == "scale":
            return self._scale(weight, part)
        if role == "activation":
            return self._activation(weight, part)
        if role == "activation_divisor":
            return torch.ones(1)
        if role == "divisor":
            return self._divisor(weight, part)
        packed = self._packed(weight, part)
        return packed.codes if role == "packed" else packed.scales

    def _codes(self, weight: Weight, part: int) -> Tensor:
        scale, given = self._scale(weight, part), self.source.fp8(weight, part)
        if given is not None and torch.equal(given.scale.float(), scale.float()):
            codes = given.codes()
        else:
            codes = encode_fp8(self._finite_part(weight, part), scale)
        return self._ordered(weight, codes.view(torch.uint8)).view(torch.float8_e4m3fn)

    def _scale(self, weight: Weight, part: int) -> Tensor:
        """Gate and up of an expert share one, so that both layouts say the same."""
        shared = self._sharing(weight, part)
        key = (weight.name, shared[0])
        if key not in self._scales:
            given = [self.source.fp8(weight, other) for other in shared]
            if all(one is not None for one in given):
                own = [one.scale for one in given if one is not None]
                if self.layout == "native":
                    return own[shared.index(part)]
                self._scales[key] = torch.stack(own).amax()
            else:
                largest = [self._finite_part(weight, other).abs().amax() for other in shared]
                self._scales[key] = fp8_scale(torch.stack(largest).amax().float())
        return self._scales[key]

    def _activation(self, weight: Weight, part: int) -> Tensor:
        shared = self._sharing(weight, part) if self.layout == "hf" else [part]
        if self.activation_scales is not None:
            return torch.tensor(max(self.activation_scales[weight.parts[p]] for p in shared))
        given = [self.source.fp8(weight, other) for other in shared]
        own = [one.activation for one in given if one is not None and one.activation is not None]
        return torch.stack(own).amax() if own else torch.ones(())

    def _sharing(self, weight: Weight, part: int) -> list[int]:
        """The parts of the same expert in the same stack."""
        if not weight.is_stacked:
            return [part]
        each = len(weight.parts) // weight.shape[0]
        first = part - part % each
        return list(range(first, first + each))

    def _divisor(self, weight: Weight, part: int) -> Tensor:
        """Gate and up of an expert share one: vLLM multiplies them as one matrix, with one."""
        sharing = [(weight, other) for other in self._sharing(weight, part)]
        if SHARED_HALF.search(weight.name):
            stem = weight.name.removesuffix("gate.weight").removesuffix("up.weight")
            halves = [one for one in self.table if SHARED_HALF.search(one.name)]
            sharing = [(one, 0) for one in halves if one.name.startswith(stem)]
        first, at = sharing[0]
        key = (first.name, at)
        if key not in self._divisors:
            largest = [self._finite_part(one, other).abs().amax() for one, other in sharing]
            self._divisors[key] = nvfp4_divisor(torch.stack(largest))
        return self._divisors[key]

    def _packed(self, weight: Weight, part: int) -> Packed:
        last = self._last_packed
        if last is None or last[:2] != (weight.name, part):
            divisor = self._divisor(weight, part)
            last = (weight.name, part, encode_nvfp4(self._finite_part(weight, part), divisor))
            self._last_packed = last  # the next tensor is most likely of the same matrix
        return last[2]

    def _finite_part(self, weight: Weight, part: int) -> Tensor:
        values = self.source.part(weight, part)
        if not bool(torch.isfinite(torch.stack(values.aminmax())).all()):
            raise UserError(f"`{weight.name}` has a number that is not finite; nothing to keep")
        return values

    def _ordered(self, weight: Weight, rows: Tensor) -> Tensor:
        if self.layout == "hf" and weight.turned_heads:
            return pairs_apart(rows, weight.turned_heads)
        return rows


def _need_nvfp4(table: tuple[Weight, ...], layout: Layout) -> None:
    if layout == "hf":
        raise UserError("NVFP4 comes in native files only", hint="write the `native` layout")
    packed = [weight for weight in table if quant_of(weight, "nvfp4") == "nvfp4"]
    if not packed:
        raise UserError("NVFP4 is for experts, and this network has none")
    odd = [weight for weight in packed if weight.part_shape[1] % GROUP]
    if odd:
        raise UserError(
            f"`{odd[0].name}` has {odd[0].part_shape[1]} columns, NVFP4 needs a multiple of {GROUP}"
        )


def save_checkpoint(
    folder: Path | str,
    weights_or_network: Network | Mapping[str, Tensor],
    config: ModelConfig,
    *,
    layout: Layout = "native",
    quant: Quant = "none",
    dtype: torch.dtype = torch.bfloat16,
    max_shard_bytes: int = DEFAULT_SHARD_BYTES,
) -> Path:
    """Write a network, or its parameters by our names, as a folder that `load_network` reads."""
    tensors = weights_or_network
    if isinstance(tensors, Network):
        tensors = dict(tensors.named_parameters())
    shapes = {weight.name: weight.shape for weight in weights(config)}
    given = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert given == shapes, f"not the weights of this config: {sorted(set(given) ^ set(shapes))}"
    encoder = Encoder(TensorSource(tensors, dtype), config, layout, quant)
    return write_folder(Path(folder), encoder, config, quant, max_shard_bytes)


def write_folder(
    folder: Path, encoder: Encoder, config: ModelConfig, quant: Quant, max_shard_bytes: int
) -> Path:
    """Shards, index and config. A folder that had an older checkpoint in that layout loses it."""
    layout = encoder.layout
    values = CONFIG_WRITERS[layout](config, quant)  # refuses before anything is written
    specs = encoder.specs()
    plan = plan_shards(specs, max_shard_bytes, STEMS[layout])
    folder.mkdir(parents=True, exist_ok=True)
    for file, names in plan.items():
        write_shard(folder / file, {name: specs[name] for name in names}, encoder.chunks)
    finish_folder(folder, layout, plan, specs, values)
    label_scales(folder, quant, "weight-only" if quant != "none" else None)
    return folder


def finish_folder(
    folder: Path,
    layout: Layout,
    plan: Mapping[str, list[str]],
    specs: Mapping[str, Spec],
    config_values: dict[str, object],
) -> None:
    """Everything but the shards: index, config, and away with shards of an older checkpoint."""
    for path in shard_paths(folder, STEMS[layout]):
        if path.name not in plan:
            path.unlink()
    for path in folder.glob(f"{STEMS[layout]}*.partial"):  # of a process that was killed
        path.unlink()
    write_index(folder, STEMS[layout], plan, sum(spec.size_bytes for spec in specs.values()))
    write_json(folder / CONFIG_FILES[layout], config_values)


def label_scales(folder: Path, quant: Quant, origin: str | None) -> None:
    """Say in the sidecar where the scales of activations come from; leaves its other fields."""
    path = folder / SIDECAR
    values = read_sidecar(folder)
    if origin is not None:
        write_json(path, values | {"quantization": quant, "activation_scales": origin})
    elif len(layouts_in(folder)) == 1 and values:  # else it speaks of the other layout
        kept = {k: v for k, v in values.items() if k not in ("quantization", "activation_scales")}
        if kept:
            write_json(path, kept)
        else:
            path.unlink()


def read_sidecar(folder: Path) -> dict[str, Any]:
    """Our own notes on a folder, empty if there are none."""
    path = folder / SIDECAR
    try:
        found = json.loads(path.read_bytes()) if path.is_file() else {}
    except (ValueError, RecursionError):
        raise UserError(f"`{path}` is no JSON", hint="remove it; it is only a note") from None
    if not isinstance(found, dict):
        raise UserError(f"`{path}` is no object of JSON", hint="remove it; it is only a note")
    return found
