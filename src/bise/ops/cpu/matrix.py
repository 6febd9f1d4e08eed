"""Weights packed for the C++ core, and products with them."""

import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import torch
from torch import Tensor

from bise.ops.cpu.library import address, core, done, need, need_tensor


class WeightType(IntEnum):
    """How weights are kept."""

    BF16 = 0
    INT8 = 1
    INT4 = 2
    FP8 = 3
    NVFP4 = 4


MOST = torch.finfo(torch.float32).max
"""Scales are handed on in fp32."""

SOUND, NOT_READ = 1, 2
"""What packing answers; anything else is a number that is not finite."""

CODES = (torch.uint8, torch.float8_e4m3fn)
"""Types of tensors that hold codes of one byte."""


class Unsound(ValueError):
    """Weights that nothing can be computed with."""


class NotFinite(Unsound):
    """A number of theirs is infinite, or none."""


class NotRead(Unsound):
    """Their file ended too early, or could not be read."""


class _Span(ctypes.Structure):
    _fields_ = [("file", ctypes.c_int64), ("start", ctypes.c_int64), ("rows", ctypes.c_int64)]


class _Matrix(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("outputs", ctypes.c_int64),
        ("inputs", ctypes.c_int64),
        ("packed", ctypes.c_void_p),
        ("scale", ctypes.c_float),
        ("up_scale", ctypes.c_float),
    ]


class _Inputs(ctypes.Structure):
    _fields_ = [
        ("values", ctypes.c_void_p),
        ("rows", ctypes.c_int64),
        ("inputs", ctypes.c_int64),
        ("stride", ctypes.c_int64),
    ]


class _Product(ctypes.Structure):
    _fields_ = [
        ("matrix", ctypes.POINTER(_Matrix)),
        ("out", ctypes.c_void_p),
        ("out_stride", ctypes.c_int64),
        ("adds", ctypes.c_bool),
    ]


class _Gated(ctypes.Structure):
    _fields_ = [("gate_up", ctypes.POINTER(_Matrix)), ("down", ctypes.POINTER(_Matrix))]


class _Mixture(ctypes.Structure):
    _fields_ = [
        ("experts", ctypes.POINTER(_Gated)),
        ("num_experts", ctypes.c_int64),
        ("shared", ctypes.POINTER(_Gated)),
    ]


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of a matrix in a file, below each other."""

    path: Path

    start: int
    """First byte."""

    shape: tuple[int, int]
    """Rows and columns."""


@dataclass(frozen=True, slots=True)
class InFiles:
    """A matrix that is read when it is packed, and never lies in memory as a whole."""

    dtype: torch.dtype

    spans: tuple[Span, ...]
    """Their rows below each other."""

    def __post_init__(self) -> None:
        widths = {span.shape[1] for span in self.spans}
        need(len(widths) == 1, "rows below each other are of one width")

    @property
    def shape(self) -> tuple[int, int]:
        return sum(span.shape[0] for span in self.spans), self.spans[0].shape[1]

    @contextmanager
    def opened(self) -> Iterator[ctypes.Array[_Span]]:
        """As the core reads it; the system begins to fetch what is not in its cache."""
        with ExitStack() as stack:
            opened = dict[Path, int]()
            for span in self.spans:
                if span.path not in opened:
                    file = stack.enter_context(span.path.open("rb", buffering=0))
                    opened[span.path] = file.fileno()
                if hasattr(os, "posix_fadvise"):
                    size = span.shape[0] * span.shape[1] * self.dtype.itemsize
                    os.posix_fadvise(opened[span.path], span.start, size, os.POSIX_FADV_WILLNEED)
            yield (_Span * len(self.spans))(
                *(_Span(opened[span.path], span.start, span.shape[0]) for span in self.spans)
            )


@dataclass(frozen=True, slots=True)
class Matrix:
    """One packed matrix."""

    type: WeightType
    """How its weights are kept."""

    outputs: int
    """Rows of the matrix."""

    inputs: int
    """Columns of the matrix."""

    packed: Tensor
    """[bytes] uint8"""

    scale: float = 1.0
    """Of the whole matrix; used by FP8 and NVFP4."""

    is_gated: bool = False
    """Whether its outputs are the gate and the up half of a SwiGLU, packed beside each other."""

    up_scale: float | None = None
    """Of the up half; None where it is that of the gate half."""

    def check(self) -> None:
        """See that nothing beyond the packed bytes will be read."""
        size = packed_bytes(self.type, self.outputs, self.inputs)
        need_tensor("packed", self.packed, (size,), torch.uint8)

    def _native(self) -> _Matrix:
        at = address(self.packed)
        up_scale = self.scale if self.up_scale is None else self.up_scale
        return _Matrix(int(self.type), self.outputs, self.inputs, at, self.scale, up_scale)


@dataclass(frozen=True, slots=True)
class Gated:
    """A SwiGLU feed-forward."""

    gate_up: Matrix
    """[2 * width, dim], packed with `is_gated`"""

    down: Matrix
    """[dim, width]"""

    def __post_init__(self) -> None:
        need(self.gate_up.is_gated, "`gate_up` was packed without `is_gated`")
        need(self.gate_up.outputs == 2 * self.down.inputs, "`gate_up` and `down` do not fit")

    def check(self) -> None:
        """See that nothing beyond the packed bytes will be read."""
        self.gate_up.check()
        self.down.check()


def packed_bytes(type: WeightType, outputs: int, inputs: int) -> int:
    """Memory that a packed matrix takes."""
    need(outputs > 0 and inputs > 0, f"a matrix of {outputs} times {inputs} is none")
    count = core().bise_packed_bytes
    count.restype = ctypes.c_int64
    return count(*map(ctypes.c_int64, (type, outputs, inputs)))


def _source_type(type: WeightType, values: Tensor | InFiles) -> int:
    is_coded = type in (WeightType.FP8, WeightType.NVFP4)
    dtypes = CODES if is_coded else (torch.float32, torch.bfloat16)
    if isinstance(values, Tensor):
        need_tensor("values", values, (-1, -1), *dtypes)
    else:
        need(values.dtype in dtypes, f"numbers of {values.dtype} are not packed as {type.name}")
    return int(type) - 1 if is_coded else int(values.dtype == torch.bfloat16)


def bytes_of_its_own(count: int) -> Tensor:
    """Memory from torch."""
    return torch.empty(count, dtype=torch.uint8)


def pack(
    values: Tensor | InFiles,
    type: WeightType,
    *,
    scales: Tensor | None = None,
    scale: float = 1.0,
    up_scale: float | None = None,
    is_gated: bool = False,
    room: Callable[[int], Tensor] = bytes_of_its_own,
) -> Matrix:
    """Quantise and pack a matrix. Raises `NotFinite` or `NotRead` where it is not sound.

    values    [outputs, inputs] fp32 or bf16; E4M3 for FP8; two E2M1 codes a byte
              [outputs, inputs / 2] for NVFP4, whose inputs are then a multiple of 16
    scales    [outputs, inputs / 16] E4M3 for NVFP4
    scale     of the whole matrix, for FP8 and NVFP4
    up_scale  of its up half, if that has another
    room      gives the memory to pack into, [bytes] uint8 aligned to 64
    is_gated  outputs are [gate; up]
    """
    source_type = _source_type(type, values)
    outputs, inputs = values.shape
    if type == WeightType.NVFP4:
        inputs *= 2
        need(inputs % 16 == 0, f"{inputs} inputs are no groups of 16")
        need_tensor("scales", scales, (outputs, inputs // 16), *CODES)
        assert scales is not None
        _need_numbers(scales)
    need(not is_gated or outputs % 2 == 0, f"{outputs} outputs are no two halves")
    need(up_scale is None or is_gated, "only gated matrices have halves")
    if not all(abs(one) <= MOST for one in (scale, 1.0 if up_scale is None else up_scale)):
        raise NotFinite("a scale of a matrix is infinite, or no number")
    packed = room(packed_bytes(type, outputs, inputs))
    with nullcontext() if isinstance(values, Tensor) else values.opened() as spans:
        result = core().bise_pack(
            ctypes.c_int64(type),
            ctypes.c_int64(source_type),
            address(values) if isinstance(values, Tensor) else None,
            None if scales is None else address(scales),
            spans,
            ctypes.c_int64(0 if spans is None else len(spans)),
            ctypes.c_int64(outputs),
            ctypes.c_int64(inputs),
            ctypes.c_int64(is_gated),
            address(packed),
        )
    done(result, f"pack a matrix of {outputs} x {inputs}")
    if result == NOT_READ:
        raise NotRead("a file of weights ends too early, or cannot be read")
    if result != SOUND:
        raise NotFinite("a weight is infinite, or no number")
    return Matrix(type, outputs, inputs, packed, scale, is_gated, up_scale)


def _need_numbers(scales: Tensor) -> None:
    """Refuse E4M3 scales that are no number; the kernels decode them as if they were."""
    if bool((scales.view(torch.uint8) & 0x7F == 0x7F).any()):
        raise NotFinite("a scale of 16 weights is no number")


def unpack(matrix: Matrix) -> Tensor:
    """The packed numbers again, [outputs, inputs] fp32."""
    matrix.check()
    values = torch.empty(matrix.outputs, matrix.inputs)
    status = core().bise_unpack(
        ctypes.byref(matrix._native()), ctypes.c_int64(matrix.is_gated), address(values)
    )
    done(status, f"unpack a matrix of {matrix.outputs} x {matrix.inputs}")
    return values


def use_exact(wanted: bool) -> None:
    """Make a row's results the same bits however many rows share a call; slower for many.

    It is said for the calls of one thread.
    """
    core().bise_use_exact(ctypes.c_int64(wanted))


def _inputs(x: Tensor, num_inputs: int) -> _Inputs:
    need_tensor("x", x, (-1, num_inputs), torch.float32)
    need(x.stride(1) == 1 or num_inputs == 1, "a row of `x` is in pieces")
    need(x.device.type == "cpu", "kernels read plain memory")
    return _Inputs(x.data_ptr(), x.shape[0], x.shape[1], x.stride(0))


def products(x: Tensor, matrices: Sequence[Matrix]) -> list[Tensor]:
    """Several products of the same rows in one go.

    x [rows, inputs] fp32 -> [rows, outputs] fp32 for every matrix
    """
    for one in matrices:
        one.check()
    inputs = [_inputs(x, one.inputs) for one in matrices]
    outs = [torch.empty(x.shape[0], one.outputs) for one in matrices]
    natives = [one._native() for one in matrices]
    listed = (_Product * len(outs))(
        *(
            _Product(ctypes.pointer(native), out.data_ptr(), native.outputs)
            for native, out in zip(natives, outs, strict=True)
        )
    )
    if outs:
        count = ctypes.c_int64(len(outs))
        status = core().bise_products(ctypes.byref(inputs[0]), listed, count)
        done(status, f"multiply {len(x)} rows")
    return outs


def product(x: Tensor, matrix: Matrix) -> Tensor:
    """x [rows, inputs] fp32 -> [rows, outputs] fp32"""
    return products(x, [matrix])[0]


def _gated(layer: Gated) -> _Gated:
    parts = (layer.gate_up, layer.down)
    return _Gated(*(ctypes.pointer(one._native()) for one in parts))


class Mixture:
    """A layer's experts, and the one that every row passes if there is one."""

    def __init__(self, experts: Sequence[Gated], shared: Gated | None = None):
        self.experts, self.shared = list(experts), shared
        some = self.experts[0] if self.experts else shared
        if some is None:
            raise ValueError("a mixture of no experts at all")
        self.inputs, self.outputs = some.gate_up.inputs, some.down.outputs
        for one in [*self.experts, *([shared] if shared else [])]:
            fits = (one.gate_up.inputs, one.down.outputs) == (self.inputs, self.outputs)
            need(fits, "experts of one layer take and make rows of the same widths")
        self._listed = (_Gated * len(self.experts))(*map(_gated, self.experts))
        self._native = _Mixture(
            self._listed,
            len(self.experts),
            ctypes.pointer(_gated(shared)) if shared else None,
        )

    @property
    def num_experts(self) -> int:
        return len(self.experts)

    def check(self) -> None:
        """See that nothing beyond packed bytes will be read."""
        for one in self.experts:
            one.check()
        if self.shared is not None:
            self.shared.check()

    def __call__(self, x: Tensor, choice: Tensor, weights: Tensor) -> Tensor:
        """Rows through their experts, added up by weight.

        x [rows, dim] fp32, choice [rows, topk] int32, weights [rows, topk] fp32 -> [rows, dim]
        """
        need_tensor("choice", choice, (len(x), -1), torch.int32)
        need_tensor("weights", weights, choice.shape, torch.float32)
        need(choice.shape[1] > 0 or self.shared is not None, "no expert was chosen")
        inside = (
            not choice.numel() or 0 <= int(choice.min()) <= int(choice.max()) < self.num_experts
        )
        need(inside, f"an expert was chosen that is not among the {self.num_experts}")
        self.check()
        out = torch.empty(x.shape[0], self.outputs)
        status = core().bise_mixture(
            ctypes.byref(_inputs(x, self.inputs)),
            ctypes.byref(self._native),
            address(choice),
            address(weights),
            ctypes.c_int64(choice.shape[1]),
            address(out),
            ctypes.c_int64(self.outputs),
        )
        done(status, f"put {len(x)} rows through their experts")
        return out


def feed_forward(x: Tensor, layer: Gated) -> Tensor:
    """x [rows, dim] fp32 -> [rows, dim] fp32"""
    layer.check()
    out = torch.empty(x.shape[0], layer.down.outputs)
    status = core().bise_feed_forward(
        ctypes.byref(_inputs(x, layer.gate_up.inputs)),
        ctypes.byref(_gated(layer)),
        address(out),
        ctypes.c_int64(layer.down.outputs),
    )
    done(status, f"put {len(x)} rows through a feed-forward")
    return out
