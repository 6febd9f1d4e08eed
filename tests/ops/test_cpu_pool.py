"""The pool: every index once, whoever asks, however many threads there are, also after a fork."""

import os
import subprocess
import sys
import textwrap
from threading import Thread

import pytest
import torch

from bise.ops.cpu import pool
from bise.ops.cpu.library import library

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)


@pytest.fixture(params=[1, 0], ids=["alone", "all"])
def workers(request):
    pool.set_workers(request.param)
    yield
    pool.set_workers(0)


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize("count", [0, 1, 2, 3, 100, 4097, 200_001])
def test_every_index_is_met_once_a_call(count):
    assert torch.equal(pool.count_tasks(count, repeats=50), torch.full((count,), 50))


@pytest.mark.usefixtures("workers")
def test_calls_from_several_threads_take_turns():
    found = []
    threads = [
        Thread(target=lambda: found.append(pool.count_tasks(57, repeats=500))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(hits, torch.full((57,), 500)) for hits in found) and len(found) == 4


@pytest.mark.usefixtures("workers")
def test_calls_that_want_more_and_fewer_workers_take_turns():
    found = []

    def count(most: int) -> None:
        found.extend(pool.count_tasks(57, repeats=5, most=most) for _ in range(100))

    threads = [Thread(target=count, args=(most,)) for most in (0, 1, 2, 3, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(hits, torch.full((57,), 5)) for hits in found) and len(found) == 500


def test_threads_that_have_hardly_begun_are_sent_home():
    said = _run(
        """
        from bise.ops.cpu import pool
        for _ in range(3000):
            pool.set_workers(1)
            pool.set_workers(0)
        print("ended")
        """
    )
    assert said == "ended"


def test_there_are_never_more_workers_than_processors():
    pool.set_workers(10_000)
    assert 1 <= pool.num_workers() <= len(os.sched_getaffinity(0))


def _run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_a_child_of_fork_has_a_pool_of_its_own_and_both_end():
    said = _run(
        """
        import os
        from bise.ops.cpu import pool
        assert (pool.count_tasks(64) == 1).all()
        child = os.fork()
        if child == 0:
            os._exit(0 if (pool.count_tasks(64, 100) == 100).all() else 1)
        print(os.waitpid(child, 0)[1], (pool.count_tasks(64) == 1).all().item())
        """
    )
    assert said == "0 True"


def test_affinity_limits_the_workers():
    said = _run(
        """
        import os
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        from bise.ops.cpu import pool
        print(pool.num_workers())
        """
    )
    assert said == "1"
