"""How fast the core multiplies: products and mixtures whose weights come from memory, not a cache.

    python lab/cpu/bench_matrix.py --threads 2 --isa amx --type int8 --type int4

For every type and number of rows, one after the other and round after round, so that all meet the
same weather: milliseconds (median), GB/s of weights and how much that is of a plain read by as many
threads in the same round, and GFLOP/s. Shapes are S4-mini's.
"""

import argparse
import ctypes
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from bise.ops.cpu import matrix as cpu
from bise.ops.cpu.library import core
from bise.ops.cpu.matrix import Gated, Matrix, Mixture, WeightType

ISAS = ("portable", "avx2", "avx512", "amx")
DIM, WIDTH, EXPERTS, TOPK = 2048, 1024, 64, 4
FLOOR_BYTES = 1 << 29
REST_S = 0.01
"""Until torch's threads, which wait by turning round, have fallen asleep."""
REPEATS = 4


def floor_gb_s(plain: Tensor) -> float:
    """A plain read of memory that is in no cache, by all of torch's threads."""
    start = time.perf_counter()
    plain.sum()
    return plain.nbytes / (time.perf_counter() - start) / 1e9


def random_codes(type: WeightType, outputs: int, inputs: int) -> Matrix:
    """Random weights, or random codes where weights are made of them."""
    if type == WeightType.FP8:
        codes = torch.randint(0, 120, (outputs, inputs), dtype=torch.uint8)
        return cpu.pack(codes, type, scale=1e-3)
    if type == WeightType.NVFP4:
        codes = torch.randint(0, 256, (outputs, inputs // 2), dtype=torch.uint8)
        scales = torch.full((outputs, inputs // 16), 56, dtype=torch.uint8)
        return cpu.pack(codes, type, scales=scales, scale=1e-2)
    return cpu.pack(torch.randn(outputs, inputs) * 0.02, type)


def copies(matrix: Matrix, count: int) -> list[Matrix]:
    """The same matrix in other places."""
    return [
        Matrix(matrix.type, matrix.outputs, matrix.inputs, matrix.packed.clone(), matrix.scale)
        for _ in range(count)
    ]


Case = tuple[str, Callable[[], None], Callable[[], float], float]
"""Name, what to time, bytes of weights that it read, floating point operations."""


def product_cases(type: WeightType, rows: list[int], memory: int) -> Iterator[Case]:
    matrix = random_codes(type, DIM, DIM)
    places = copies(matrix, max(1, memory // matrix.packed.nbytes))
    turn = iter(range(1 << 60))
    for count in rows:
        x = torch.randn(count, DIM)

        def run(x: Tensor = x) -> None:
            cpu.product(x, places[next(turn) % len(places)])

        yield f"product {count}", run, lambda: matrix.packed.nbytes, 2.0 * count * DIM * DIM


def mixture_cases(type: WeightType, rows: list[int]) -> Iterator[Case]:
    gate_up, down = random_codes(type, 2 * WIDTH, DIM), random_codes(type, DIM, WIDTH)
    pairs = zip(copies(gate_up, EXPERTS + 1), copies(down, EXPERTS + 1), strict=True)
    *experts, shared = (Gated(*pair) for pair in pairs)
    mixture = Mixture(experts, shared)
    expert_bytes = gate_up.packed.nbytes + down.packed.nbytes
    for count in rows:
        x, weights = torch.randn(count, DIM), torch.full((count, TOPK), 1 / TOPK)
        used = [0]

        def run(x: Tensor = x, weights: Tensor = weights, used: list[int] = used) -> None:
            choice = torch.rand(len(x), EXPERTS).topk(TOPK).indices.int()
            used[0] = len(choice.unique()) + 1
            mixture(x, choice, weights)

        yield (
            f"mixture {count}",
            run,
            lambda used=used: used[0] * expert_bytes,
            6.0 * count * (TOPK + 1) * DIM * WIDTH,
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    options.add_argument("--isa", choices=ISAS)
    options.add_argument(
        "--type", action="append", choices=[one.name.lower() for one in WeightType]
    )
    options.add_argument("--rows", type=int, nargs="*", default=[1, 4, 8, 16, 32, 128, 512])
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    core().bise_set_workers(ctypes.c_int64(given.threads))
    if given.isa and not core().bise_use_isa(ctypes.c_int64(ISAS.index(given.isa))):
        raise SystemExit(f"this processor has no {given.isa}")
    plain = torch.ones(FLOOR_BYTES // 4)
    print(f"{given.threads} threads, {given.isa or 'best isa'}")
    for name in given.type or ["int8", "int4"]:
        type = WeightType[name.upper()]
        cases = [*product_cases(type, given.rows, FLOOR_BYTES), *mixture_cases(type, given.rows)]
        found: list[list[tuple[float, float, float]]] = [[] for _ in cases]
        for _ in range(given.rounds):
            for results, (_, run, read, _) in zip(found, cases, strict=True):
                floor = floor_gb_s(plain)
                time.sleep(REST_S)
                run()
                start = time.perf_counter()
                for _ in range(REPEATS):
                    run()
                seconds = (time.perf_counter() - start) / REPEATS
                results.append((seconds, read() / seconds / 1e9, floor))
        print(f"\n{name:>6} {'case':14} {'ms':>9} {'GB/s':>7} {'of floor':>9} {'GFLOP/s':>9}")
        for results, (case, _, _, operations) in zip(found, cases, strict=True):
            seconds, speed, floor = (statistics.median(one) for one in zip(*results, strict=True))
            share = statistics.median(gb_s / floor for _, gb_s, floor in results)
            print(
                f"{'':6} {case:14} {seconds * 1e3:9.3f} {speed:7.1f} {share:9.0%}"
                f" {operations / seconds / 1e9:9.0f}"
            )


if __name__ == "__main__":
    main()
