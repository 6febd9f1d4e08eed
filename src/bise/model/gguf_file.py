"""The container of GGUF: a header with metadata and a list of tensors, then their bytes.

Tensors are written part by part in the order they were announced, so that a file larger than the
memory can be made. Ref: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from bise.errors import UserError
from bise.model.gguf_blocks import CODES, Format, decode, size_bytes

MAGIC, VERSION, ALIGNMENT = b"GGUF", 3, 32

Value = bool | int | float | str | Sequence[str]
"""Metadata: whole numbers become uint32, others fp32."""

UINT32, FLOAT32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9
SIMPLE = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""Types of metadata, by number, as `struct` calls them."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor of a file."""

    name: str
    shape: tuple[int, ...]
    """As torch has it; the file lists the axes from the last to the first."""

    format: Format

    @property
    def size_bytes(self) -> int:
        return size_bytes(self.format, prod(self.shape))


def write_gguf(
    path: Path,
    metadata: Mapping[str, Value],
    tensors: Sequence[TensorInfo],
    data: Iterable[Iterable[Tensor]],
) -> None:
    """Write a file. data: for each tensor in order the pieces of its bytes, uint8."""
    with path.open("wb") as file:
        file.write(MAGIC + struct.pack("<IQQ", VERSION, len(tensors), len(metadata)))
        for key, value in metadata.items():
            file.write(_string(key) + _value(value))
        offset = 0
        for one in tensors:
            axes = struct.pack(f"<I{len(one.shape)}Q", len(one.shape), *reversed(one.shape))
            file.write(_string(one.name) + axes + struct.pack("<IQ", CODES[one.format], offset))
            offset += _aligned(one.size_bytes)
        _pad(file)
        for one, pieces in zip(tensors, data, strict=True):
            start = file.tell()
            for piece in pieces:
                file.write(piece.numpy().data)
            assert file.tell() - start == one.size_bytes, f"`{one.name}` has another size"
            _pad(file)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _pad(file: BinaryIO) -> None:
    file.write(bytes(-file.tell() % ALIGNMENT))


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _value(value: Value) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", UINT32, value)
    if isinstance(value, float):
        return struct.pack("<If", FLOAT32, value)
    if isinstance(value, str):
        return struct.pack("<I", STRING) + _string(value)
    strings = b"".join(map(_string, value))
    return struct.pack("<IIQ", ARRAY, STRING, len(value)) + strings


@dataclass(frozen=True, slots=True)
class GgufFile:
    """What a file says of itself; numbers are read when asked for."""

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, tuple[TensorInfo, int]]
    """By name: what it is, and where it begins in the file."""

    def tensor(self, name: str) -> Tensor:
        """As fp32."""
        return decode(self.data(name), self.tensors[name][0].format).view(
            self.tensors[name][0].shape
        )

    def data(self, name: str) -> Tensor:
        """Its bytes."""
        info, start = self.tensors[name]
        with self.path.open("rb") as file:
            file.seek(start)
            return torch.frombuffer(bytearray(file.read(info.size_bytes)), dtype=torch.uint8)


def read_gguf(path: Path) -> GgufFile:
    """Read the header of a file whose tensors have formats we write."""
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise UserError(f"`{path}` is no GGUF file")
        version, num_tensors, num_values = _unpack(file, "IQQ")
        if version != VERSION:
            raise UserError(f"`{path}` is GGUF of version {version}, expected {VERSION}")
        metadata = {
            _read_string(file): _read_value(file, *_unpack(file, "I")) for _ in range(num_values)
        }
        found = [_read_info(file) for _ in range(num_tensors)]
        start = _aligned(file.tell())
    return GgufFile(path, metadata, {info.name: (info, start + at) for info, at in found})


def _unpack(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    layout = f"<{layout}"
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _read_string(file: BinaryIO) -> str:
    return file.read(*_unpack(file, "Q")).decode()


def _read_value(file: BinaryIO, kind: int) -> Any:
    if kind == STRING:
        return _read_string(file)
    if kind == ARRAY:
        inner, count = _unpack(file, "IQ")
        return [_read_value(file, inner) for _ in range(count)]
    return _unpack(file, SIMPLE[kind])[0]


def _read_info(file: BinaryIO) -> tuple[TensorInfo, int]:
    name = _read_string(file)
    (num_axes,) = _unpack(file, "I")
    axes = _unpack(file, f"{num_axes}Q")
    code, offset = _unpack(file, "IQ")
    formats: list[Format] = [name for name, known in CODES.items() if known == code]
    if not formats:
        raise UserError(f"tensor `{name}` has ggml's type {code}, which we do not read")
    return TensorInfo(name, tuple(reversed(axes)), formats[0]), offset
