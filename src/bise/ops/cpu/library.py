"""The shared library of the core: found, loaded once, its functions with their types."""

import ctypes
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from torch import Tensor

from bise.errors import UserError


@cache
def library() -> ctypes.CDLL | None:
    """The loaded core; None where the package was built without one."""
    folder = Path(__file__).parent
    for suffix in EXTENSION_SUFFIXES:
        path = folder / f"_core{suffix}"
        if path.exists():
            return ctypes.CDLL(str(path))
    return None


ISAS = ("portable", "avx2", "avx512", "amx")
"""Variants of every kernel, by number."""


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


def address(tensor: Tensor) -> ctypes.c_void_p:
    """Where a contiguous tensor on the CPU lies."""
    assert tensor.is_contiguous() and tensor.device.type == "cpu", "kernels read plain memory"
    return ctypes.c_void_p(tensor.data_ptr())
