"""Experts read from a mapped file when they are needed, within a budget of memory."""

import ctypes
import os
import weakref
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from bise.ops.cpu.library import address, core, done
from bise.ops.cpu.network import CoreNetwork


@dataclass(frozen=True, slots=True)
class ResidencyCounts:
    """What has happened since the network was opened."""

    num_asked: int
    """Times an expert was needed."""

    num_found: int
    """Of those, how often it was in memory or on its way."""

    num_guessed: int
    """Of those, how often only because the layer before had been asked what it would choose."""

    read_bytes: int
    resident_bytes: int


class Residency:
    """Keeps a network's experts within a budget, the ones used longest ago leaving first."""

    def __init__(self, network: CoreNetwork, budget_bytes: int, path: Path, mapped: Tensor):
        """mapped: the whole file at `path` as bytes, in which all experts lie"""
        file = os.open(path, os.O_RDONLY)
        native = ctypes.c_void_p()
        status = core().bise_residency(
            ctypes.byref(network._native),
            ctypes.c_int64(budget_bytes),
            ctypes.c_int64(file),
            address(mapped),
            ctypes.byref(native),
        )
        end = weakref.finalize(network, _end, native, file)
        end.atexit = False  # a thread may still be in a pass then
        done(status, "keep account of experts")
        self._native = native
        network._native.residency = native.value
        self._network = network  # what is counted lives as long as it

    def counts(self) -> ResidencyCounts:
        """A moment of it."""
        found = (ctypes.c_int64 * 5)()
        core().bise_residency_counts(self._native, found)
        return ResidencyCounts(*found)


def _end(native: ctypes.c_void_p, file: int) -> None:
    core().bise_residency_end(native)
    os.close(file)
