"""Choosing 64 tokens of 131,072 at once: the core's `choose` against its definition in torch.

PYTHONPATH=src python lab/cpu/bench_choose.py
"""

from statistics import median
from time import perf_counter, sleep

import torch

from bise.engine import Sampling
from bise.engine.sampling import pick
from bise.ops.cpu.choose import choose

ROWS, VOCAB, ROUNDS = 64, 131_072, 5


def main() -> None:
    logits, elsewhere = torch.randn(ROWS, VOCAB), torch.randn(30_000_000)
    for name, sampling in {
        "plain": Sampling(temperature=1.0),
        "top_p 0.95": Sampling(temperature=0.7, top_p=0.95),
        "top_k 50": Sampling(temperature=0.7, top_k=50),
    }.items():
        manner = (sampling.temperature, sampling.min_p, sampling.top_k, sampling.top_p, 0.3)
        taken: dict[str, list[float]] = {"core": [], "torch": []}
        for _ in range(ROUNDS):
            for who, seconds in taken.items():
                elsewhere.sum()  # the logits are no longer in the nearest caches
                sleep(0.05)  # torch's threads spin for a while before they sleep
                start = perf_counter()
                if who == "core":
                    choose(logits, [manner] * ROWS)
                else:
                    pick(logits, [sampling] * ROWS, [0.3] * ROWS)
                seconds.append(perf_counter() - start)
        core, plain = (1e3 * median(taken[who]) for who in ("core", "torch"))
        print(f"{name}: core {core:.2f} ms, torch {plain:.1f} ms, {plain / core:.0f} x")


if __name__ == "__main__":
    main()
