"""What tests of the core share."""

from ctypes import c_int64

import pytest

from bise.ops.cpu.library import ISAS, core, library

HERE = ISAS[: core().bise_best_isa() + 1] if library() is not None else ()
"""Variants of the kernels that this processor has."""


@pytest.fixture(scope="module", params=range(len(HERE)), ids=HERE)
def isa(request):
    """Each of them in turn."""
    core().bise_use_isa(c_int64(request.param))
    yield
    core().bise_use_isa(c_int64(len(HERE) - 1))
