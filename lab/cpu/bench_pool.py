"""What the pool costs, and what is left of it beside a neighbour that keeps every processor busy.

    PYTHONPATH=src python lab/cpu/bench_pool.py

A neighbour is as many processes as there are workers, each in an endless loop. The two moods take
turns, so that what else happens on the machine meets both; the share is of the medians.
"""

import subprocess
import sys
from statistics import median
from time import perf_counter

from bise.ops.cpu import pool

ROUNDS = 3
CALLS_S = 0.6  # how long each measurement takes


def rounds_for(microseconds: float) -> int:
    """Steps of arithmetic that take so long."""
    best = min(pool.busy_tasks(1, 100_000) for _ in range(20))
    return int(microseconds * 1e-6 / best * 100_000)


def calls_a_second(count: int, rounds: int) -> float:
    repeats = max(1, int(0.02 / max(pool.busy_tasks(count, rounds, 3) / 3, 1e-7)))
    start, done = perf_counter(), 0
    while perf_counter() - start < CALLS_S:
        pool.busy_tasks(count, rounds, repeats)
        done += repeats
    return done / (perf_counter() - start)


def main() -> None:
    workers = pool.num_workers()
    dispatch = min(pool.busy_tasks(workers, 0, 20_000) / 20_000 for _ in range(9))
    print(f"{workers} workers, an empty call of {workers} tasks: {dispatch * 1e6:.2f} us")
    print(f"{'tasks':>6}{'us each':>9}{'calls/s':>10}{'beside':>10}{'share':>8}")
    for count, microseconds in ((4, 5), (16, 10), (64, 10), (16, 100)):
        rounds = rounds_for(microseconds)
        quiet: list[float] = []
        beside: list[float] = []
        for _ in range(ROUNDS):
            quiet.append(calls_a_second(count, rounds))
            neighbours = [
                subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(workers)
            ]
            try:
                calls_a_second(count, rounds)  # the scheduler needs a moment to be fair
                beside.append(calls_a_second(count, rounds))
            finally:
                for one in neighbours:
                    one.kill()
                    one.wait()
        alone, shared = median(quiet), median(beside)
        print(f"{count:6}{microseconds:9}{alone:10.0f}{shared:10.0f}{shared / alone:8.0%}")


if __name__ == "__main__":
    main()
