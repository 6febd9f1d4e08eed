"""What a call of the core does where memory is scarce: one line in Python, and nothing worse."""

import subprocess
import sys
import textwrap

import pytest

from bise.ops.cpu.library import library

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)
if sys.platform != "linux":
    pytest.skip("the limit is Linux's", allow_module_level=True)

START = """
import os, resource, torch
torch.set_num_threads(1)
from bise.ops import cpu
from bise.ops.cpu.choose import choose
from bise.ops.cpu.matrix import Gated, Mixture, WeightType, feed_forward, pack, product
torch.manual_seed(0)
rows = torch.randn(2_000, 320)
up, down = (pack(torch.randn(one), WeightType.INT8) for one in ((640, 320), (320, 320)))
gated = Gated(pack(torch.randn(640, 320), WeightType.INT8, is_gated=True), down)
logits = torch.randn(1, 2**24)
choice, weights = torch.zeros(2_000, 1, dtype=torch.int32), torch.ones(2_000, 1)
"""

REST = """
size = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
hard = resource.getrlimit(resource.RLIMIT_AS)[1]
refused, found = set(), None
for more in range(0, 2**27, 2**18):
    resource.setrlimit(resource.RLIMIT_AS, (size + more, hard))
    try:
        found = call()
        break
    except MemoryError as error:
        refused.add(str(error))
    except RuntimeError:  # from torch, before the core is asked
        pass
resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
print(refused, torch.equal(torch.as_tensor(found), torch.as_tensor(call())))
"""

CALLS = {
    "multiply 2000 rows": "product(rows, up)",
    "put 2000 rows through a feed-forward": "feed_forward(rows, gated)",
    "put 2000 rows through their experts": "Mixture([gated])(rows, choice, weights)",
    "choose among 16777216 tokens": "choose(logits, [(0.7, 0.0, 50, 0.9, 0.5)])",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", CALLS)
def test_a_call_without_enough_memory_says_so_and_the_next_one_is_right(what):
    """Each is the first of its process, for the core keeps what it has taken."""
    script = START + textwrap.dedent(f"call = lambda: {CALLS[what]}\n") + REST
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=120
    )
    said = f"{ {f'too little memory to {what}'} } True"
    assert made.stdout.strip() == said, (made.returncode, made.stderr)
