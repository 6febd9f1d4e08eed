"""Packed weights in a folder: written once, mapped into memory at once ever after.

`packed.bin` holds every matrix as the C++ core reads it, one after another; `packed.json` says what
lies where, and the config. The same file serves every processor. Weights that are not used now are
not in memory, so a file larger than the memory works, at the speed of the disk.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from bise.errors import NotFound, UserError
from bise.model.config import ModelConfig
from bise.model.config_native import read_native
from bise.model.config_write import write_native
from bise.model.convert import COMPANIONS, Progress
from bise.model.inspect import BYTES_A_WEIGHT
from bise.model.memory import available_memory_bytes
from bise.model.names import weights
from bise.model.packed import PackedNetwork, WeightKind, pack_all
from bise.model.packed_source import DTYPES, STORED_BYTES, Counted, Source
from bise.model.shard_writer import write_json
from bise.model.stored import LAYOUTS, Layout, quant_of
from bise.ops.cpu.look import LatentUp, latent_up_bytes
from bise.ops.cpu.matrix import MOST, Matrix, WeightType, bytes_of_its_own, packed_bytes
from bise.ops.cpu.residency import Residency

INDEX, DATA = "packed.json", "packed.bin"
PART = f"{DATA}.part"
"""The data while it is being written."""

FORMAT = 2
"""1 kept the eye as torch wants it."""

MOST_OF = 0.8
"""Of the memory that is free, what weights may take if nobody says."""

EXPERT = re.compile(r"\.mlp\.(gate_up|down)\.\d+$")
"""Pieces that a token may not need."""
ALIGNMENT = 64

NOTHING = torch.empty(0, dtype=torch.uint8)

NONSENSE = (AttributeError, KeyError, OverflowError, RuntimeError, TypeError, ValueError)
"""What values of an index that nobody wrote may lead to."""


class _Writer:
    """Keeps pieces in a file instead of memory."""

    room = staticmethod(bytes_of_its_own)

    def __init__(self, path: Path):
        self.file = path.open("wb")
        self.pieces: dict[str, dict[str, Any]] = {}
        self.digest = hashlib.blake2b(digest_size=16)

    def tensor(self, key: str, make: Callable[[], Tensor]) -> Tensor:
        values = make().contiguous()
        dtype = next(name for name, dtype in DTYPES.items() if dtype == values.dtype)
        self._put(key, values, {"dtype": dtype, "shape": list(values.shape)})
        return values

    def matrix(self, key: str, make: Callable[[], Matrix]) -> Matrix:
        one = make()
        about = {"type": one.type.name, "outputs": one.outputs, "inputs": one.inputs}
        about |= {"scale": one.scale, "is_gated": one.is_gated, "up_scale": one.up_scale}
        self._put(key, one.packed, about)
        return replace(one, packed=NOTHING)

    def up(self, key: str, make: Callable[[], LatentUp]) -> LatentUp:
        one = make()
        self._put(key, one.packed, {"sizes": list(one.shape)})
        return replace(one, packed=NOTHING)

    def _put(self, key: str, values: Tensor, about: dict[str, Any]) -> None:
        assert key not in self.pieces, f"{key} is kept twice"
        data: Any = values.view(torch.uint8).numpy()  # what files and digests take
        about |= {"offset": self.file.tell(), "size": data.size}
        self.pieces[key] = about
        for part in (data, bytes(-data.size % ALIGNMENT)):
            self.file.write(part)
            self.digest.update(part)


class _Mapped:
    """Takes pieces from a mapped file; nothing is made."""

    room = staticmethod(bytes_of_its_own)

    def __init__(self, folder: Path, pieces: dict[str, dict[str, Any]], size: int):
        self.pieces = pieces
        try:
            self.data = torch.from_file(str(folder / DATA), size=size, dtype=torch.uint8)
        except RuntimeError as error:
            why = str(error).splitlines()[0]
            raise UserError(f"`{folder / DATA}` cannot be mapped into memory: {why}") from None

    def tensor(self, key: str, make: Callable[[], Tensor]) -> Tensor:  # noqa: ARG002
        about = self.pieces[key]
        return self._bytes(about).view(DTYPES[about["dtype"]]).view(about["shape"])

    def matrix(self, key: str, make: Callable[[], Matrix]) -> Matrix:  # noqa: ARG002
        about = self.pieces[key]
        return Matrix(
            WeightType[about["type"]],
            about["outputs"],
            about["inputs"],
            self._bytes(about),
            about["scale"],
            about["is_gated"],
            about["up_scale"],
        )

    def up(self, key: str, make: Callable[[], LatentUp]) -> LatentUp:  # noqa: ARG002
        about = self.pieces[key]
        return LatentUp(tuple(about["sizes"]), self._bytes(about))

    def _bytes(self, about: dict[str, Any]) -> Tensor:
        return self.data[about["offset"] : about["offset"] + about["size"]]


class PackedFolder:
    """What an index says, checked against the file beside it."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)
        found = read_index(self.folder)
        self.config: ModelConfig = read_native(found["config"], INDEX)[0]
        self.kind: WeightKind = found["kind"]
        self.layout: Layout = found["layout"]
        """Of the checkpoint it was made from, which decides how pictures are resized."""

        self.digest: str = found["digest"]
        self.size_bytes: int = found["size"]
        self.pieces: dict[str, dict[str, Any]] = found["pieces"]

    def network(self, budget_bytes: int | None = None) -> PackedNetwork:
        """The network, its weights where they lie.

        budget_bytes: of memory for weights, experts beyond it are read when they are needed; None:
        as much as they take, or what this machine can spare if that is less
        """
        budget = self._budget(budget_bytes)
        keep = _Mapped(self.folder, self.pieces, self.size_bytes)
        try:
            network = PackedNetwork.kept(self.config, self.kind, keep)
        except UserError:
            raise
        except NONSENSE as error:
            why = f"a piece is missing or misshapen ({_brief(error)})"
            raise _broken(self.folder, why) from None
        if budget is not None:
            network.residency = Residency(network.core, budget, self.folder / DATA, keep.data)
        return network

    def _budget(self, budget_bytes: int | None) -> int | None:
        """Of experts alone; None where all may stay in memory."""
        if budget_bytes is None:
            if self.config.experts is None:
                return None  # all is needed for every token: the system reads what it must
            budget_bytes = int(MOST_OF * available_memory_bytes())
        if budget_bytes >= self.size_bytes:
            return None
        every = [(key, about["size"]) for key, about in self.pieces.items()]
        experts = [size for key, size in every if EXPERT.search(key)]
        always = self.size_bytes - sum(experts)
        least = always + (0 if self.config.experts is None else self._least(experts))
        if budget_bytes < least:
            raise UserError(
                f"`{self.folder}` needs {least:,} bytes of memory, {budget_bytes:,} are to be used",
                hint="give it more, or pack it in fewer bits",
            )
        return budget_bytes - always

    def _least(self, sizes: list[int]) -> int:
        """Room for the experts of one token in two layers."""
        assert self.config.experts is not None
        return 4 * self.config.experts.topk * max(sizes)


def is_packed(folder: Path | str) -> bool:
    return (Path(folder) / INDEX).is_file()


def pack_folder(
    source: Source,
    origin: Path | None,
    folder: Path | str,
    kind: WeightKind = "stored",
    *,
    layout: Layout = "native",
    progress: Progress | None = None,
) -> PackedFolder:
    """Write packed weights, and what else belongs to the model, to a new folder.

    origin: the folder it comes from, whose tokenizer and notes are copied; layout: of its files;
    progress: called with the bytes read so far, and those of all weights
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"`{folder}` is not a folder", hint="choose a new folder")
    if folder.exists() and {path.name for path in folder.iterdir()} - {PART}:
        raise UserError(f"`{folder}` is not empty", hint="choose a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PART).unlink(missing_ok=True)  # of a process that was killed
    _need_space(source, folder, kind)
    try:
        _write(source, origin, folder, kind, layout, progress)
    except BaseException:  # also Ctrl-C: nothing of ours may stand in the way of another try
        for name in (PART, DATA, INDEX, f"{INDEX}.partial", *COMPANIONS):
            (folder / name).unlink(missing_ok=True)
        raise
    return PackedFolder(folder)


def _need_space(source: Source, folder: Path, kind: WeightKind) -> None:
    table = weights(source.config)
    if kind == "stored":
        needed = sum(one.numel * STORED_BYTES[quant_of(one, source.quant)] for one in table)
    else:
        needed = sum(one.numel for one in table) * BYTES_A_WEIGHT[kind]
    free_bytes = shutil.disk_usage(folder).free
    if needed > free_bytes:
        raise UserError(
            f"packing needs {int(needed):,} bytes, `{folder}` has {free_bytes:,} left",
            hint="free some space, or write to another disk",
        )


def _write(
    source: Source,
    origin: Path | None,
    folder: Path,
    kind: WeightKind,
    layout: Layout,
    progress: Progress | None,
) -> None:
    writer = _Writer(folder / PART)
    with writer.file:
        pack_all(source if progress is None else Counted(source, progress), kind, writer)
        size = writer.file.tell()
        writer.file.flush()
        os.fsync(writer.file.fileno())
    (folder / PART).rename(folder / DATA)
    for name in COMPANIONS:
        if origin is not None and (origin / name).is_file():
            shutil.copyfile(origin / name, folder / name)
    index = {
        "format": FORMAT,
        "kind": kind,
        "layout": layout,
        "digest": writer.digest.hexdigest(),
        "size": size,
        "config": write_native(source.config),
        "pieces": writer.pieces,
    }
    write_json(folder / INDEX, index)


def read_index(folder: Path) -> dict[str, Any]:
    """The index, once it is known that the data can be what it says."""
    try:
        found = json.loads((folder / INDEX).read_bytes())
    except FileNotFoundError:
        raise NotFound(f"`{folder}` holds no packed weights") from None
    except (ValueError, RecursionError) as error:
        raise _broken(folder, f"`{INDEX}` is no JSON: {str(error).splitlines()[0]}") from None
    if not isinstance(found, dict):
        raise _broken(folder, f"`{INDEX}` is not whole")
    if found.get("format") != FORMAT:
        raise UserError(
            f"`{folder}` was packed by another version, in format {found.get('format')!r}: this one"
            f" reads {FORMAT}",
            hint="pack the checkpoint again",
        )
    if not isinstance(found.get("config"), dict) or not isinstance(found.get("digest"), str):
        raise _broken(folder, f"`{INDEX}` is not whole")
    if found.get("layout") not in LAYOUTS or found.get("kind") not in get_args(WeightKind):
        raise _broken(folder, "it does not say what it was made of")
    data = folder / DATA
    size = data.stat().st_size if data.is_file() else 0
    if type(found.get("size")) is not int or size != found["size"]:
        raise _broken(folder, f"`{DATA}` has {size:,} bytes, expected {found.get('size')}")
    try:
        for key, about in found["pieces"].items():
            _check_piece(key, about, size)
    except UserError:  # this installation's fault, not the folder's
        raise
    except NONSENSE as error:
        raise _broken(folder, f"a piece makes no sense ({_brief(error)})") from None
    return found


def _check_piece(key: str, about: dict[str, Any], size: int) -> None:
    offset, count = about["offset"], about["size"]
    if not (type(offset) is type(count) is int and 0 <= offset <= offset + count <= size):
        raise ValueError(f"`{key}` lies outside the file")
    if offset % ALIGNMENT:
        raise ValueError(f"`{key}` begins at {offset}")
    if "dtype" in about:
        if not all(type(axis) is int for axis in about["shape"]):
            raise ValueError(f"`{key}` has a shape that is none")
        expected = prod(about["shape"]) * DTYPES[about["dtype"]].itemsize
    elif "type" in about:
        expected = packed_bytes(WeightType[about["type"]], about["outputs"], about["inputs"])
        up_scale = about["scale"] if about["up_scale"] is None else about["up_scale"]
        if not all(abs(scale) <= MOST for scale in (about["scale"], up_scale)):
            raise ValueError(f"`{key}` has a scale that is no number")
    else:
        expected = latent_up_bytes(about["sizes"])
    if expected != count:
        raise ValueError(f"`{key}` has {count} bytes, expected {expected}")


def _brief(error: Exception) -> str:
    """Without what torch adds: where in itself it was."""
    return str(error).split("Exception raised from")[0].strip().rstrip("(")


def _broken(folder: Path, why: str) -> UserError:
    return UserError(f"`{folder}` is damaged: {why}", hint="pack the checkpoint again")
