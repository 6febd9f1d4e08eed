"""Where packed weights come from: a checkpoint, a network in memory, or a seed.

A matrix is handed on part by part as it is wanted, or by where it lies in files: packing reads it.
"""

from collections.abc import Sequence
from math import prod
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from bise.model.checkpoint import Checkpoint
from bise.model.config import ModelConfig
from bise.model.convert import Progress
from bise.model.names import Weight, weights
from bise.model.network import Network
from bise.model.random_weights import RandomSource
from bise.model.stored import Quant, Role, quant_of
from bise.ops.cpu.matrix import InFiles, Span

T = TypeVar("T")

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
"""Of pieces that are no matrices, by the names they have in a packed file."""

STORED_BYTES: dict[Quant, float] = {"none": 2.0, "fp8": 1.0, "nvfp4": 0.5625}
"""That a weight takes in a file."""

Parts = Sequence[tuple[Weight, int]]
"""Of weights, by number."""

Rows = Tensor | InFiles
"""[rows, columns] of a matrix to be packed."""


class Source(Protocol):
    """Where weights come from, a part of one at a time."""

    @property
    def config(self) -> ModelConfig: ...

    @property
    def quant(self) -> Quant: ...

    def part(self, weight: Weight, part: int) -> Tensor:
        """[rows, columns] fp32 or bf16"""
        ...

    def stack(self, parts: Parts) -> Rows:
        """Parts below each other, [rows, columns] fp32 or bf16.

        Whether they are finite is not looked at: packing does.
        """
        ...

    def codes(self, parts: Parts) -> tuple[Rows, list[float]]:
        """FP8 codes of parts below each other, not looked at either, and the scale of each."""
        ...

    def packed(self, parts: Parts) -> tuple[Rows, Tensor, list[float]]:
        """The NVFP4 codes of parts below each other, their scales of groups, the scale of each."""
        ...


class FromCheckpoint:
    """Reads from files, each part when it is packed."""

    def __init__(self, checkpoint: Checkpoint):
        self.checkpoint = checkpoint
        self.config = checkpoint.config
        self.quant: Quant = checkpoint.quant

    def part(self, weight: Weight, part: int) -> Tensor:
        values = self.checkpoint.part(weight, part)
        return values if values.dtype in DTYPES.values() else values.float()

    def stack(self, parts: Parts) -> Rows:
        if quant_of(parts[0][0], self.quant) == "none":
            found = self._in_files(parts, "plain")
            if found is not None and found.dtype in DTYPES.values():
                return found
        return torch.cat([self.part(*one).flatten(1) for one in parts])

    def codes(self, parts: Parts) -> tuple[Rows, list[float]]:
        scales = [float(self.checkpoint.scale(weight, "scale", part)) for weight, part in parts]
        found = self._in_files(parts, "codes")
        if found is None:
            read = [self.checkpoint.codes(*one).view(torch.uint8) for one in parts]
            found = torch.cat(read)
        return found, scales

    def packed(self, parts: Parts) -> tuple[Rows, Tensor, list[float]]:
        read = [self.checkpoint.packed_scales(*one) for one in parts]
        groups = torch.cat([scales.view(torch.uint8) for scales, _ in read])
        found = self._in_files(parts, "packed")
        assert found is not None, "nobody turns the rows of NVFP4"
        return found, groups, [1.0 / float(divisor) for _, divisor in read]

    def _in_files(self, parts: Parts, role: Role) -> InFiles | None:
        """Where those lie; None where they must be turned, or are of different types."""
        spans, dtypes = list[Span](), set[torch.dtype]()
        for weight, part in parts:
            found = self.checkpoint.place(weight, role, part)
            if found is None:
                return None
            entry, start = found
            rows, columns = weight.part_shape[0], prod(weight.part_shape[1:])
            shape = (rows, columns // 2 if role == "packed" else columns)
            spans.append(Span(entry.path, start, shape))
            dtypes.add(entry.dtype)
        return InFiles(dtypes.pop(), tuple(spans)) if len(dtypes) == 1 else None


class FromRandom:
    """Draws the weights `bise random` would write, without a file."""

    quant: Quant = "none"

    def __init__(self, config: ModelConfig, seed: int = 0):
        self.config = config
        self.random = RandomSource(seed)

    def part(self, weight: Weight, part: int) -> Tensor:
        return self.random.part(weight, part)

    def stack(self, parts: Parts) -> Rows:
        return torch.cat([self.part(*one) for one in parts])

    def codes(self, parts: Parts) -> tuple[Rows, list[float]]:
        raise AssertionError(f"{parts[0][0].name} is drawn and has no codes")

    def packed(self, parts: Parts) -> tuple[Rows, Tensor, list[float]]:
        raise AssertionError(f"{parts[0][0].name} is drawn and has no codes")


class FromNetwork:
    """Takes the weights of a network in memory."""

    quant: Quant = "none"

    def __init__(self, network: Network):
        self.network = network
        self.config = network.config
        self.parameters = dict(network.named_parameters())

    def part(self, weight: Weight, part: int) -> Tensor:
        values = weight.rows(self.parameters[weight.name].detach(), part)
        return values.contiguous() if values.dtype == torch.bfloat16 else values.float()

    def stack(self, parts: Parts) -> Rows:
        return torch.cat([self.part(*one) for one in parts])

    def codes(self, parts: Parts) -> tuple[Rows, list[float]]:
        raise AssertionError(f"{parts[0][0].name} is in memory and has no codes")

    def packed(self, parts: Parts) -> tuple[Rows, Tensor, list[float]]:
        raise AssertionError(f"{parts[0][0].name} is in memory and has no codes")


class Counted:
    """A source that tells how much of it has been read."""

    def __init__(self, source: Source, progress: Progress):
        self.source, self.progress = source, progress
        self.config = source.config
        self.quant: Quant = source.quant
        table = weights(self.config)
        self._total_bytes = sum(self._size(weight) * len(weight.parts) for weight in table)
        self._done_bytes = 0

    def part(self, weight: Weight, part: int) -> Tensor:
        return self._count(self.source.part(weight, part), weight)

    def stack(self, parts: Parts) -> Rows:
        return self._count(self.source.stack(parts), *(weight for weight, _ in parts))

    def codes(self, parts: Parts) -> tuple[Rows, list[float]]:
        return self._count(self.source.codes(parts), *(weight for weight, _ in parts))

    def packed(self, parts: Parts) -> tuple[Rows, Tensor, list[float]]:
        return self._count(self.source.packed(parts), *(weight for weight, _ in parts))

    def _size(self, weight: Weight) -> int:
        """Bytes of one part, as checkpoints mostly have them."""
        return int(prod(weight.part_shape) * STORED_BYTES[quant_of(weight, self.quant)])

    def _count(self, found: T, *read: Weight) -> T:
        self._done_bytes += sum(map(self._size, read))
        self.progress(self._done_bytes, self._total_bytes)
        return found
