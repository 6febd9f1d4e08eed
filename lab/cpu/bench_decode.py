"""Steps of one stream of `small4_mini` in int8: beside busy neighbours, and in a long context.

PYTHONPATH=src python lab/cpu/bench_decode.py
"""

import subprocess
import sys
from statistics import median
from time import perf_counter

import torch

from bise.engine.core_runner import CoreRunner
from bise.engine.pages import PAGE_TOKENS
from bise.model.cache import CacheKind
from bise.model.packed import PackedNetwork
from bise.model.packed_source import FromRandom
from bise.model.presets import preset
from bise.ops.cpu.pool import num_workers
from bise.peers.ours import Stepper

SHORT, LONG, ROUNDS, STEPS, WARM = 512, 16_000, 4, 30, 4


def stepper(network: PackedNetwork, kind: CacheKind) -> Stepper:
    made = Stepper(network, 1, LONG + 2 * STEPS)
    if kind == "plain":
        made.fill()
    else:
        made.runner = CoreRunner(network, made.num_pages * PAGE_TOKENS, cache_kind=kind)
    return made


def step_ms(made: Stepper, context: int) -> float:
    vocab = made.runner.network.config.vocab_size
    ids = torch.randint(1000, vocab, (WARM + STEPS, 1))
    for at in range(WARM):
        made.step(ids[at], context + at)
    start = perf_counter()
    for at in range(WARM, WARM + STEPS):
        made.step(ids[at], context + at)
    return 1e3 * (perf_counter() - start) / STEPS


def beside_neighbours(made: Stepper) -> float:
    """One endless process for each worker."""
    command = [sys.executable, "-c", "while True: pass"]
    neighbours = [subprocess.Popen(command) for _ in range(num_workers())]
    try:
        return step_ms(made, SHORT)
    finally:
        for one in neighbours:
            one.kill()
            one.wait()


def main() -> None:
    network = PackedNetwork(FromRandom(preset("small4_mini")), "int8")
    plain, small = stepper(network, "plain"), stepper(network, "int8")
    taken: dict[str, list[float]] = {
        name: [] for name in ("quiet", "beside", "long", "short int8", "long int8")
    }
    for _ in range(ROUNDS):
        taken["quiet"].append(step_ms(plain, SHORT))
        taken["beside"].append(beside_neighbours(plain))
        taken["long"].append(step_ms(plain, LONG))
        taken["short int8"].append(step_ms(small, SHORT))
        taken["long int8"].append(step_ms(small, LONG))
    found = {name: median(values) for name, values in taken.items()}
    print({name: round(value, 1) for name, value in found.items()}, "ms a step")
    print(
        f"beside neighbours {found['quiet'] / found['beside']:.0%} of the quiet speed; context of"
        f" {LONG:,}: + {found['long'] - found['quiet']:.1f} ms, int8 cache"
        f" + {found['long int8'] - found['short int8']:.1f} ms"
    )


if __name__ == "__main__":
    main()
