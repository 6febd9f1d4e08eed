"""The installed Lean, for tests that need a real one."""

import pytest

from bise.judge.backend import NoLean
from bise.judge.wasm import WasmLean


@pytest.fixture(scope="session")
def lean() -> WasmLean:
    """The Lean of `bise prove setup`."""
    try:
        return WasmLean()
    except NoLean:
        pytest.skip("Lean not installed: bise prove setup")
