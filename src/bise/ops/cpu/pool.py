"""The threads of the core: how many there are, and how long it takes to reach them."""

from ctypes import c_int64
from time import perf_counter

import torch
from torch import Tensor

from bise.ops.cpu.library import address, core, done


def num_workers() -> int:
    """How many threads share the work of the core, the caller's among them."""
    count = core().bise_num_workers()
    done(count, "start threads")
    return count


def set_workers(count: int) -> None:
    """Share the work among so many threads; 0 is as many as this process may keep busy."""
    done(core().bise_set_workers(c_int64(count)), f"start {count} threads")


def count_tasks(count: int, repeats: int = 1, most: int = 2**31 - 1) -> Tensor:
    """Hand out `count` indices `repeats` times: how often each was met, [count] int64.

    most: workers that share them
    """
    hits = torch.zeros(count, dtype=torch.int64)
    numbers = map(c_int64, (most, repeats, count))
    done(core().bise_count_tasks(*numbers, address(hits)), f"share {count} tasks")
    return hits


def busy_tasks(count: int, rounds: int, repeats: int = 1) -> float:
    """Seconds that `repeats` calls of `count` tasks take, each of `rounds` steps of arithmetic."""
    start = perf_counter()
    done(core().bise_busy_tasks(*map(c_int64, (repeats, count, rounds))), f"share {count} tasks")
    return perf_counter() - start
