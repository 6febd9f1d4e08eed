"""A folder of weights, understood and checked before a single number is used.

`open_checkpoint` reads config and headers; `part` and `tensor` read numbers when asked, undo the
quantisation and the order of the layout, and refuse what is not finite.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from bise.errors import NotFound, UserError, quoted
from bise.model.config import ModelConfig
from bise.model.config_hf import FILE as HF_FILE
from bise.model.config_hf import read_hf
from bise.model.config_native import FILE as NATIVE_FILE
from bise.model.config_native import read_native
from bise.model.names import Weight, pairs_together, weights
from bise.model.network import Network
from bise.model.quant import GROUP, Packed, decode_fp8, decode_nvfp4
from bise.model.shards import Entry, read_shards, shard_paths
from bise.model.stored import (
    LAYOUTS,
    STEMS,
    Layout,
    Quant,
    Role,
    check,
    quant_of,
    spelling_of,
    stored,
)

CONFIG_FILES: dict[Layout, str] = {"native": NATIVE_FILE, "hf": HF_FILE}
READERS = {"native": read_native, "hf": read_hf}
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An open folder. Holds no weights, only where they lie."""

    folder: Path
    config: ModelConfig
    layout: Layout
    layouts: tuple[Layout, ...]
    """All layouts that lie in the folder."""

    quant: Quant
    table: dict[str, Weight]
    """Our names -> where the files keep them."""

    entries: dict[tuple[str, Role, int | None], Entry]
    """(our name, role, part) -> tensor in a file"""

    @property
    def size_bytes(self) -> int:
        return sum(entry.size_bytes for entry in self.entries.values())

    @property
    def num_tensors(self) -> int:
        return len(self.entries)

    def plain_dtype(self, weight: Weight) -> torch.dtype:
        """The type of a weight that is not quantised."""
        entry, _ = self._numbers(weight, "plain", 0)
        assert entry is not None, f"{weight.name} is quantised"
        return entry.dtype

    def tensor(self, name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        """One weight by our name, de-quantised, with all its experts."""
        weight = self.table.get(name)
        if weight is None:
            raise UserError(f"`{name}` is no weight of the network in `{self.folder}`")
        made = torch.empty(weight.shape, dtype=dtype)
        for part in range(len(weight.parts)):
            self.read_part(weight, part, weight.rows(made, part))
        return made

    def read_part(self, weight: Weight, part: int, target: Tensor) -> None:
        """Fill `target` [rows, ...] with one part of a weight, in our order of rows."""
        entry, skip = self._numbers(weight, "plain", part)
        is_direct = entry is not None and entry.dtype == target.dtype and target.is_contiguous()
        if is_direct and not self._is_turned(weight):
            assert entry is not None
            entry.read_into(target, skip)
            self._need_finite(weight, part, target)
        else:
            target.copy_(self.part(weight, part).view(target.shape))

    def place(self, weight: Weight, role: Role, part: int) -> tuple[Entry, int] | None:
        """In which tensor of a file a part's rows lie, and at which byte of that file they begin.

        None where they lie there in another order than ours, or not at all.
        """
        entry, skip = self._numbers(weight, role, part)
        if entry is None or self._is_turned(weight):
            return None
        return entry, entry.start + skip * entry.dtype.itemsize

    def part(self, weight: Weight, part: int) -> Tensor:
        """One part de-quantised, [rows, ...] in our order: as stored, or fp32 if quantised."""
        quant = quant_of(weight, self.quant)
        if quant == "fp8":
            values = decode_fp8(
                self._read(weight, "codes", part), self.scale(weight, "scale", part)
            )
        elif quant == "nvfp4":
            values = decode_nvfp4(self.packed(weight, part))
        else:
            values = self._read(weight, "plain", part)
        self._need_finite(weight, part, values)
        return values

    def codes(self, weight: Weight, part: int) -> Tensor:
        """The FP8 codes of one part, in our order of rows."""
        codes = self._read(weight, "codes", part)
        self._need_finite(weight, part, codes.to(torch.bfloat16))
        return codes

    def packed(self, weight: Weight, part: int) -> Packed:
        """The NVFP4 tensors of one part."""
        scales, divisor = self.packed_scales(weight, part)
        return Packed(self.entries[weight.name, "packed", part].read(), scales, divisor)

    def packed_scales(self, weight: Weight, part: int) -> tuple[Tensor, Tensor]:
        """The scales of a part's groups in NVFP4, and its divisor [1], a positive number."""
        divisor = self.entries[weight.name, "divisor", part].read().reshape(1)
        if not bool(torch.isfinite(divisor)) or divisor <= 0:
            raise UserError(f"the divisor of `{weight.parts[part]}` is {float(divisor)}")
        return self.entries[weight.name, "groups", part].read(), divisor

    def activation(self, weight: Weight, part: int) -> Tensor | None:
        """The scale of what a part is multiplied with, if the files have it."""
        alone = (weight.name, "activation", part) in self.entries
        if alone or (weight.name, "activation", None) in self.entries:
            return self.scale(weight, "activation", part)
        return None

    def scale(self, weight: Weight, role: Role, part: int) -> Tensor:
        """The scalar of that role for one part, in its stored type."""
        entry = self.entries.get((weight.name, role, part))
        if entry is not None:
            found = entry.read().reshape(())
        else:  # one an expert; both parts of an expert share it
            per_expert = len(weight.parts) // weight.shape[0]
            entry = self.entries[weight.name, role, None]
            found = entry.read(part // per_expert, ()).reshape(())
        if not bool(torch.isfinite(found)) or found <= 0:
            raise UserError(f"the {role} scale of `{weight.parts[part]}` is {float(found)}")
        return found

    def _need_finite(self, weight: Weight, part: int, values: Tensor) -> None:
        """Refuse NaN and infinity, which would only show much later, as garbage."""
        if values.numel() and not bool(torch.isfinite(torch.stack(values.aminmax())).all()):
            name = weight.parts[part]
            if self.layout == "hf":
                name = weight.hf + (f" (expert part {part})" if weight.is_stacked else "")
            raise UserError(
                f"tensor `{name}` in `{self.folder}` has a number that is not finite",
                hint="fetch or write the file again",
            )

    def _numbers(self, weight: Weight, role: Role, part: int) -> tuple[Entry | None, int]:
        """Where a part's numbers lie, and how many numbers of other parts come before them."""
        alone = self.entries.get((weight.name, role, part))
        if alone is not None:
            return alone, 0
        size = weight.numel // len(weight.parts)
        return self.entries.get((weight.name, role, None)), part * size

    def _read(self, weight: Weight, role: Role, part: int) -> Tensor:
        entry, skip = self._numbers(weight, role, part)
        assert entry is not None, f"{weight.name} has no {role}"
        rows, *rest = weight.part_shape
        made = entry.read(skip, (rows, torch.Size(rest).numel()) if rest else (rows,))
        if self._is_turned(weight):
            if made.dtype == torch.float8_e4m3fn:  # few operations know this type
                turned = pairs_together(made.view(torch.uint8), weight.turned_heads)
                return turned.view(torch.float8_e4m3fn)
            return pairs_together(made, weight.turned_heads)
        return made

    def _is_turned(self, weight: Weight) -> bool:
        return self.layout == "hf" and weight.turned_heads > 0


def open_checkpoint(folder: Path | str, layout: Layout | None = None) -> Checkpoint:
    """Read config and headers of a folder, and check every tensor in it against the table."""
    folder = Path(folder)
    layouts = layouts_in(folder)
    chosen = layouts[0] if layout is None else layout
    if chosen not in layouts:
        raise UserError(f"`{folder}` has no weights in the `{chosen}` layout")
    config, quant = read_config(folder, chosen)
    found = read_shards(folder, STEMS[chosen])
    spelling = spelling_of(set(found), str(folder)) if chosen == "hf" else ""
    table = weights(config)
    _need_packable(table, quant, folder)
    expected = {one.name: one for one in stored(table, chosen, quant, spelling)}
    check(found, expected, str(folder))
    return Checkpoint(
        folder=folder,
        config=config,
        layout=chosen,
        layouts=layouts,
        quant=quant,
        table={weight.name: weight for weight in table},
        entries={
            (one.weight.name, one.role, one.part): found[name]
            for name, one in expected.items()
            if name in found
        },
    )


def _need_packable(table: tuple[Weight, ...], quant: Quant, folder: Path) -> None:
    for weight in table:
        if quant_of(weight, quant) == "nvfp4" and weight.part_shape[1] % GROUP:
            raise UserError(
                f"`{weight.name}` in `{folder}` has {weight.part_shape[1]} columns, NVFP4 needs a"
                f" multiple of {GROUP}"
            )


def layouts_in(folder: Path) -> tuple[Layout, ...]:
    """The layouts whose config and weights lie there, native first; refuses a folder without."""
    if not folder.is_dir():
        raise NotFound(f"there is no folder `{folder}`")
    found: tuple[Layout, ...] = tuple(
        one for one in LAYOUTS if _has_weights(folder, one) and _has_config(folder, one)
    )
    if found:
        return found
    for one in LAYOUTS:
        if _has_weights(folder, one):
            raise UserError(f"`{folder}` has weights but no `{CONFIG_FILES[one]}`")
    if any(next(folder.glob(pattern), None) for pattern in PICKLES):
        raise UserError(
            f"`{folder}` has only pickled weights, which can run code and are never opened",
            hint="convert them to safetensors where you trust them",
        )
    wanted = quoted(f"{stem}*.safetensors" for stem in STEMS.values())
    raise NotFound(f"`{folder}` has no weights", hint=f"expected {wanted}")


def _has_weights(folder: Path, layout: Layout) -> bool:
    return bool(shard_paths(folder, STEMS[layout])) or _index(folder, layout).is_file()


def _index(folder: Path, layout: Layout) -> Path:
    return folder / f"{STEMS[layout]}.safetensors.index.json"


def _has_config(folder: Path, layout: Layout) -> bool:
    return (folder / CONFIG_FILES[layout]).is_file()


def read_config(folder: Path, layout: Layout) -> tuple[ModelConfig, Quant]:
    """The shape and quantisation that the config file of a layout states."""
    path = folder / CONFIG_FILES[layout]
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise NotFound(f"`{folder}` has no `{path.name}`") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"`{path}` is no JSON: {str(error).splitlines()[0]}") from None
    return READERS[layout](values)


def load_network(
    folder: Path | str,
    dtype: torch.dtype = torch.bfloat16,
    layout: Layout | None = None,
) -> Network:
    """The network of a folder, its weights read one part at a time into their final place."""
    checkpoint = open_checkpoint(folder, layout)
    network = empty_network(checkpoint.config)
    for name, values in read_all(checkpoint, dtype):
        place(network, name, values)
    return network.eval()


def read_all(checkpoint: Checkpoint, dtype: torch.dtype) -> Iterator[tuple[str, Tensor]]:
    """Every weight in turn."""
    for name in checkpoint.table:
        yield name, checkpoint.tensor(name, dtype)


def empty_network(config: ModelConfig) -> Network:
    """A network whose weights take no memory yet; its tables of frequencies are real."""
    with torch.device("meta"):
        return Network(config)


def place(network: nn.Module, name: str, values: Tensor) -> None:
    """Make a tensor the parameter of that name."""
    owner, _, leaf = name.rpartition(".")
    setattr(network.get_submodule(owner), leaf, nn.Parameter(values))
