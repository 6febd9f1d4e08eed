"""Safetensors files, written as a stream: tensor by tensor, piece by piece, whole or not at all."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from bise.model.shards import DTYPE_NAMES


@dataclass(frozen=True, slots=True)
class Spec:
    """A tensor that is about to be written."""

    dtype: torch.dtype
    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


def plan_shards(specs: Mapping[str, Spec], max_bytes: int, stem: str) -> dict[str, list[str]]:
    """File name -> tensors, in order, each file at most `max_bytes` unless one tensor is more."""
    groups: list[list[str]] = [[]]
    filled = 0
    for name, spec in specs.items():
        if groups[-1] and filled + spec.size_bytes > max_bytes:
            groups.append([])
            filled = 0
        groups[-1].append(name)
        filled += spec.size_bytes
    if len(groups) == 1:
        return {f"{stem}.safetensors": groups[0]}
    total = len(groups)
    return {
        f"{stem}-{number:05d}-of-{total:05d}.safetensors": group
        for number, group in enumerate(groups, 1)
    }


def write_shard(
    path: Path, specs: Mapping[str, Spec], chunks: Callable[[str], Iterable[Tensor]]
) -> str:
    """Write one file under another name, then rename it; returns its SHA-256.

    `chunks(name)` gives the numbers of a tensor piece by piece, so no more than one is held.
    """
    order = sorted(specs, key=lambda name: -specs[name].dtype.itemsize)  # keeps all aligned
    header, start = {}, 0
    for name in order:
        end = start + specs[name].size_bytes
        header[name] = {
            "dtype": DTYPE_NAMES[specs[name].dtype],
            "shape": list(specs[name].shape),
            "data_offsets": [start, end],
        }
        start = end
    raw = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    raw += b" " * (-len(raw) % 8)
    digest = hashlib.sha256()
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        for piece in (len(raw).to_bytes(8, "little"), raw):
            file.write(piece)
            digest.update(piece)
        for name in order:
            written = 0
            for chunk in chunks(name):
                assert chunk.dtype == specs[name].dtype, f"{name} is {chunk.dtype}"
                view = chunk.detach().contiguous().view(-1).view(torch.uint8).numpy().data
                file.write(view)
                digest.update(view)
                written += len(view)
            assert written == specs[name].size_bytes, f"{name} has {written} bytes"
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return digest.hexdigest()


def write_index(folder: Path, stem: str, plan: Mapping[str, list[str]], total_bytes: int) -> None:
    """The list of which tensor lies in which shard; one file alone needs none."""
    path = folder / f"{stem}.safetensors.index.json"
    if len(plan) == 1:
        path.unlink(missing_ok=True)
        return
    places = {name: file for file, names in plan.items() for name in names}
    write_json(path, {"metadata": {"total_size": total_bytes}, "weight_map": places})


def write_json(path: Path, value: object) -> None:
    """Write a small file whole or not at all."""
    write_whole(path, f"{json.dumps(value, indent=1)}\n".encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there whole, or as it was before."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)
