"""The four clients most people come with, each doing all it can against the scripted engine.

The whole list is in docs/clients.md; `make test-clients` tries it and writes that page anew.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.serving import MODEL, scripted_server

DRIVERS = Path(__file__).parent / "drivers"
LITELLM = Path(__file__).parents[2] / ".clients" / "litellm" / "bin" / "python"
ABILITIES = ("chat", "streaming", "reasoning", "tools", "image")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with scripted_server() as scripted:
        yield scripted.url


def abilities(python: str, driver: str, url: str) -> dict[str, str]:
    """What a driver says it could do, and why it could not do the rest."""
    done = subprocess.run(
        [python, "-W", "ignore", str(DRIVERS / f"{driver}.py"), url, MODEL],
        env={**os.environ, "NO_PROXY": "127.0.0.1", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert told, done.stderr[-2000:]
    return {one["ability"]: one["note"] if not one["passed"] else "" for one in told}


@pytest.mark.slow
@pytest.mark.parametrize("driver", ["mistralai_python", "openai_python", "anthropic_python"])
def test_a_makers_own_library_does_all_it_can(address, driver):
    assert abilities(sys.executable, driver, address) == dict.fromkeys(ABILITIES, "")


@pytest.mark.slow
def test_litellm_does_all_it_can_both_ways(address):
    assert LITELLM.exists(), "`make client` makes its environment"
    assert abilities(str(LITELLM), "litellm_python", address) == dict.fromkeys(ABILITIES, "")
