"""Safetensors files, read with suspicion. Writing them is in `shard_writer.py`.

A header is believed only after every claim in it has been checked against the size of the file.
Numbers are read straight into the memory they are wanted in, never through a mapping of the whole
file, so a process holds the weights once. Pickle files are never opened.

The format: 8 bytes of header length, a JSON header, then the numbers of all tensors without gaps.
"""

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from bise.errors import UserError

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}
MAX_HEADER_BYTES = 100_000_000
"""The official reader's limit, so that a forged length cannot fill the memory."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where one tensor lies."""

    path: Path
    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int
    """First byte, counted from the start of the file."""

    @property
    def size_bytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize

    @property
    def dtype_name(self) -> str:
        return DTYPE_NAMES[self.dtype]

    def read(self, skip: int = 0, shape: tuple[int, ...] | None = None) -> Tensor:
        """A tensor of `shape` (default: all of it), starting `skip` numbers into this one."""
        made = torch.empty(self.shape if shape is None else shape, dtype=self.dtype)
        self.read_into(made, skip)
        return made

    def read_into(self, target: Tensor, skip: int = 0) -> None:
        """Fill `target`, contiguous and of our dtype, starting `skip` numbers into this tensor."""
        assert target.dtype == self.dtype and target.is_contiguous(), "target cannot take bytes"
        if target.numel() == 0:
            return
        view = target.detach().view(-1).view(torch.uint8).numpy().data
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.start + skip * self.dtype.itemsize)
            done = 0
            while done < len(view):
                count = file.readinto(view[done:])
                if not count:
                    raise UserError(
                        f"`{self.path.name}` ends in the middle of a tensor; it shrank while being"
                        " read",
                        hint="fetch or write the file again",
                    )
                done += count


def read_header(path: Path) -> dict[str, Entry]:
    """The tensors of one file, all claims checked."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8 or length > MAX_HEADER_BYTES:
            raise _broken(path, f"its header claims {length} bytes, the file has {size}")
        raw = file.read(length)
    try:
        header = json.loads(raw, object_pairs_hook=_no_doubles)
    except (ValueError, RecursionError) as error:  # also bad UTF-8, and too many brackets
        raise _broken(path, f"its header is no JSON: {_first_line(error)}") from None
    if not isinstance(header, dict):
        raise _broken(path, "its header is no JSON object")
    header.pop("__metadata__", None)
    data_bytes = size - 8 - length
    spans = {name: _span(path, name, claim, data_bytes) for name, claim in header.items()}
    _need_gapless(path, spans, data_bytes)
    return {
        name: Entry(
            path, DTYPES[header[name]["dtype"]], tuple(header[name]["shape"]), 8 + length + start
        )
        for name, (start, _) in spans.items()
    }


def _span(path: Path, name: str, claim: object, data_bytes: int) -> tuple[int, int]:
    """First and last byte of a tensor, if its claim makes sense."""
    if not isinstance(claim, dict) or set(claim) != {"dtype", "shape", "data_offsets"}:
        raise _broken(path, f"the entry of tensor `{name}` is malformed")
    if not isinstance(claim["dtype"], str):
        raise _broken(path, f"the entry of tensor `{name}` is malformed")
    if claim["dtype"] not in DTYPES:
        raise _broken(path, f"tensor `{name}` has the unknown dtype `{claim['dtype']}`")
    shape, offsets = claim["shape"], claim["data_offsets"]
    if not _naturals(shape) or not _naturals(offsets) or len(offsets) != 2:
        raise _broken(path, f"the entry of tensor `{name}` is malformed")
    start, end = offsets
    if not start <= end <= data_bytes:
        raise _broken(
            path, f"tensor `{name}` lies at bytes {start} to {end}, the file has {data_bytes}"
        )
    expected = prod(shape) * DTYPES[claim["dtype"]].itemsize
    if end - start != expected:
        raise _broken(path, f"tensor `{name}` has {end - start} bytes, its shape needs {expected}")
    return start, end


def _need_gapless(path: Path, spans: dict[str, tuple[int, int]], data_bytes: int) -> None:
    reached = 0
    for name, (start, end) in sorted(spans.items(), key=lambda item: item[1]):
        if start < reached:
            raise _broken(path, f"tensor `{name}` overlaps the one before it")
        if start > reached:
            raise _broken(path, f"there are {start - reached} stray bytes before tensor `{name}`")
        reached = end
    if reached != data_bytes:
        raise _broken(path, f"there are {data_bytes - reached} stray bytes after the last tensor")


def _naturals(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 2**63 for item in value
    )


def _no_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"`{double}` appears twice")
    return made


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _broken(path: Path, why: str) -> UserError:
    return UserError(f"`{path.name}` is damaged: {why}", hint="fetch or write the file again")


def read_shards(folder: Path, stem: str) -> dict[str, Entry]:
    """All tensors of `stem.safetensors`, or of the shards that an index or their names list."""
    index = folder / f"{stem}.safetensors.index.json"
    if index.is_file():
        return _read_indexed(folder, index)
    paths = shard_paths(folder, stem)
    found: dict[str, Entry] = {}
    for path in paths:
        for name, entry in read_header(path).items():
            if name in found:
                raise UserError(
                    f"tensor `{name}` lies in `{found[name].path.name}` and in `{path.name}`",
                    hint="keep the shards of one checkpoint only",
                )
            found[name] = entry
    return found


def shard_paths(folder: Path, stem: str) -> list[Path]:
    """`stem.safetensors` and `stem-*.safetensors`, whichever are there."""
    single = folder / f"{stem}.safetensors"
    many = sorted(folder.glob(f"{stem}-*.safetensors"))
    return [single, *many] if single.is_file() else many


def _read_indexed(folder: Path, index: Path) -> dict[str, Entry]:
    try:
        places = json.loads(index.read_bytes())["weight_map"]
        files = sorted(set(places.values()))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"`{index.name}` is no index: expected JSON with a `weight_map` from tensors to files",
            hint="fetch or write the file again",
        ) from None
    found: dict[str, Entry] = {}
    for file in files:
        path = folder / str(file)
        if path.parent != folder or not path.is_file():
            raise UserError(
                f"`{index.name}` lists `{file}`, which is not in `{folder}`",
                hint="fetch or copy the missing shard",
            )
        entries = read_header(path)
        absent = [name for name, at in places.items() if at == file and name not in entries]
        if absent:
            raise UserError(
                f"`{index.name}` places tensor `{absent[0]}` in `{file}`, which does not have it"
            )
        surplus = [name for name in entries if places.get(name) != file]
        if surplus:
            raise UserError(
                f"`{file}` has tensor `{surplus[0]}`, which `{index.name}` does not list"
            )
        found |= entries
    return found
