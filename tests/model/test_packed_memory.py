"""What a packed network does where memory is scarce: one line in Python, and nothing worse."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bise.ops.cpu.library import library

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)
if sys.platform != "linux":
    pytest.skip("the limit is Linux's", allow_module_level=True)


@pytest.mark.slow
def test_a_pass_without_enough_memory_says_so_and_the_next_one_is_right():
    """Whatever is asked for last, by whichever worker: limits a little higher every time."""
    script = """
        import os, resource, torch
        torch.set_num_threads(1)
        from bise.model.packed import PackedNetwork
        from bise.model.packed_source import FromRandom
        from model_shapes import SHAPES
        from test_packed_threads import read
        packed = PackedNetwork(FromRandom(SHAPES["small4-text"]))
        size = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        refused = 0
        for more in range(0, 2**26, 2**17):
            resource.setrlimit(resource.RLIMIT_AS, (size + more, hard))
            try:
                found = read(packed, 256)
                break
            except MemoryError:
                refused += 1
            except RuntimeError:  # from torch, before the core is asked
                pass
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        expected = read(PackedNetwork(FromRandom(SHAPES["small4-text"])), 256)
        print(refused > 0, torch.equal(found, expected))
        """
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        env=os.environ | {"PYTHONPATH": ":".join([str(Path(__file__).parent), *sys.path])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert made.stdout.split() == ["True", "True"], (made.returncode, made.stderr)
