"""The shared library of the core, found and loaded once; what must be true of all it is given."""

import ctypes
import os
from array import array
from collections.abc import Sequence
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import torch
from torch import Tensor

from bise.errors import UserError, quoted

ISAS = ("portable", "avx2", "avx512", "amx")
"""Variants of every kernel, by number."""

LACKED_MEMORY = -1
"""What any call of the core answers that would have needed more memory than there was."""


@cache
def library() -> ctypes.CDLL | None:
    """The loaded core; None where the package was built without one."""
    path = core_path()
    if path is None:
        return None
    wanted = os.environ.get("BISE_ISA")
    if wanted and wanted not in ISAS:
        raise UserError(
            f"BISE_ISA is `{wanted}`, expected {quoted(ISAS)}",
            hint="leave it out for the best that this processor has",
        )
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise UserError(
            f"the C++ core `{path}` cannot be loaded: {error}",
            hint="install the package again; if BISE_CORE names another build, see to that",
        ) from None


def core_path() -> Path | None:
    """Where the core lies: what BISE_CORE names (another build of it), or beside this file."""
    if named := os.environ.get("BISE_CORE"):
        if not Path(named).is_file():
            raise UserError(
                f"BISE_CORE is `{named}`, where no file is", hint="build it there, or unset it"
            )
        return Path(named).absolute()
    files = (Path(__file__).with_name(f"_core{suffix}") for suffix in EXTENSION_SUFFIXES)
    return next((file for file in files if file.exists()), None)


def describe() -> str:
    """The variant of the kernels in use."""
    return ISAS[core().bise_isa()]


def core() -> ctypes.CDLL:
    """The loaded core; an error that says what to do where there is none."""
    found = library()
    if found is None:
        raise UserError(
            "this installation has no C++ core",
            hint="install a C++17 compiler and the package again",
        )
    return found


def done(status: int, what: str) -> None:
    """See that a call of the core was; `what` it was to do is said where memory was lacking."""
    if status == LACKED_MEMORY:
        raise MemoryError(f"too little memory to {what}")


def address(tensor: Tensor) -> ctypes.c_void_p:
    """Where a contiguous tensor on the CPU lies."""
    if not tensor.is_contiguous() or tensor.device.type != "cpu":
        raise ValueError("a tensor is not contiguous, or not on the CPU; kernels read plain memory")
    return ctypes.c_void_p(tensor.data_ptr())


def whole_numbers(values: Sequence[int]) -> "array[int]":
    """As the core reads them: int64. A tensor would cost a step ten times as much to make."""
    return array("q", values)


def start_of(numbers: "array[int]") -> int:
    """Where they lie; whoever gives this to the core keeps them."""
    return numbers.buffer_info()[0]


def need(claim: bool, message: str) -> None:
    """Refuse a call that would have the core read or write where it should not; also under `-O`."""
    if not claim:
        raise ValueError(message)


def need_tensor(
    name: str, tensor: Tensor | None, shape: Sequence[int], *dtypes: torch.dtype
) -> None:
    """It is there, of this shape, -1 standing for any size, and of one of these types."""
    if tensor is None:
        raise ValueError(f"`{name}` is missing")
    found = tensor.shape
    fits = len(found) == len(shape) and all(
        want in (size, -1) for size, want in zip(found, shape, strict=True)
    )
    if not fits or tensor.dtype not in dtypes:
        wanted = " or ".join(str(one).removeprefix("torch.") for one in dtypes)
        raise ValueError(
            f"`{name}` is {list(found)} {str(tensor.dtype).removeprefix('torch.')},"
            f" expected {list(shape)} {wanted}"
        )
