"""A packed network is used by several threads, and by children of a fork."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from threading import Thread

import pytest
import torch
from model_shapes import SHAPES

from bise.model.cache import make_cache
from bise.model.packed import PackedNetwork
from bise.model.packed_source import FromRandom
from bise.model.paged import Span
from bise.ops.cpu.library import library
from bise.ops.cpu.look import Pages
from bise.ops.cpu.network import Caches

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)


def read(packed: PackedNetwork, count: int, *, is_exact: bool = False) -> torch.Tensor:
    cache = make_cache(packed.config, 4, 64, dtype=torch.float32)
    caches = Caches([Pages(one, 0) for one in cache.entries])
    spans = [Span(0, count, [2, 0, 1, 3])]
    return packed.core.run([7] * count, spans, caches, [count - 1], is_exact=is_exact).logits


def test_threads_may_share_a_network():
    """The memory of a pass lives as long as the pass, whatever another thread asks for."""
    shared, wrong = PackedNetwork(FromRandom(SHAPES["small4-text"])), []
    alone = {count: read(shared, count) for count in (3, 60, 150, 200)}
    shared.core._memory = torch.empty(0, dtype=torch.uint8)  # as if it were new

    def again(count: int) -> None:
        same = [torch.equal(read(shared, count), alone[count]) for _ in range(40)]
        wrong.extend([count] * same.count(False))

    threads = [Thread(target=again, args=(count,)) for count in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_exactness_is_that_of_a_pass_and_not_of_its_neighbours():
    shared, wrong = PackedNetwork(FromRandom(SHAPES["small4-text"])), []
    alone = {is_exact: read(shared, 90, is_exact=is_exact) for is_exact in (False, True)}
    head = torch.randn(50, shared.config.dim, generator=torch.Generator().manual_seed(1))
    many = shared.logits(head)

    def again(is_exact: bool) -> None:
        said = [read(shared, 90, is_exact=is_exact) for _ in range(40)]
        wrong.extend([is_exact for one in said if not torch.equal(one, alone[is_exact])])

    threads = [Thread(target=again, args=(is_exact,)) for is_exact in alone]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert torch.equal(shared.logits(head), many), "exact because a neighbour is"
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.slow
def test_a_child_forked_in_the_middle_of_a_pass_can_pass_too():
    script = """
        import os, sys, threading, torch
        torch.set_num_threads(1)
        from bise.model.packed import PackedNetwork
        from bise.model.packed_source import FromRandom
        from model_shapes import SHAPES
        from test_packed_threads import read
        packed = PackedNetwork(FromRandom(SHAPES["small4-text"]))
        expected, is_over = read(packed, 200), []
        def work():
            while not is_over:
                read(packed, 200)
        thread = threading.Thread(target=work)
        thread.start()
        for _ in range(10):
            child = os.fork()
            if child == 0:
                own = PackedNetwork(FromRandom(SHAPES["small4-text"]))
                same = [torch.equal(read(one, 200), expected) for one in (packed, own)]
                os._exit(same.count(False))
            print(os.waitpid(child, 0)[1])
        is_over.append(1)
        thread.join()
        """
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert made.stdout.split() == ["0"] * 10, made.stderr
