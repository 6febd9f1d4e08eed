"""How fast attention over pages is: microseconds a layer, and its share of the machine.

    PYTHONPATH=src python lab/cpu/bench_attention.py --isa avx512 --workers 1 --kinds int8

One process measures every case in turns and prints the best of its rounds. `ops` are those of the
form that is used (absorbed for few tokens, expanded for many), `bytes` those of the cache.
"""

import argparse
from ctypes import c_int64
from dataclasses import dataclass
from time import perf_counter

import torch

from bise.model.paged import Span
from bise.ops.cpu import look, pool
from bise.ops.cpu.library import core

HEADS, NOPE, ROPE, VALUE, LATENT = 16, 64, 64, 128, 256  # S4-mini
STORED = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "int8": torch.int8,
    "fp8": torch.float8_e4m3fn,
}
ISAS = ["portable", "avx2", "avx512", "amx"]
PAGE = 16

CASES = {
    "decode 1 @ 512": [(512, 1)],
    "decode 1 @ 2k": [(2048, 1)],
    "decode 1 @ 16k": [(16384, 1)],
    "decode 16 @ 512": [(512, 1)] * 16,
    "decode 16 @ 2k": [(2048, 1)] * 16,
    "prefill 512": [(0, 512)],
    "prefill 2k": [(0, 2048)],
    "chunk 512 @ 8k": [(8192, 512)],
    "chunk 64 @ 2k": [(2048, 64)],
    "chunk 16 @ 2k": [(2048, 16)],
}


@dataclass
class Case:
    """One call, ready to be repeated."""

    name: str
    kind: str
    layers: list[look.Pages]
    table: look.Table
    query: torch.Tensor
    up: look.LatentUp
    sizes: list[tuple[int, int]]
    best_s: float = float("inf")

    def run(self, repeats: int) -> None:
        """Layer after layer, as a step does, so that no cache is warm that would not be."""
        start = perf_counter()
        for i in range(repeats):
            pages = self.layers[i % len(self.layers)]
            look.latent_attention(self.query, self.up, pages, self.table, scale=0.1)
        self.best_s = min(self.best_s, (perf_counter() - start) / repeats)

    def cache_bytes(self) -> float:
        width = (LATENT + ROPE) * STORED[self.kind].itemsize
        return sum(start + count for start, count in self.sizes) * float(width)

    def operations(self) -> float:
        total = 0.0
        for start, count in self.sizes:
            pairs = count * (start + (count + 1) / 2) * HEADS
            if count <= 64:
                total += 2 * pairs * (2 * LATENT + ROPE) + 2 * count * HEADS * LATENT * (
                    NOPE + VALUE
                )
            else:
                total += 2 * pairs * (NOPE + ROPE + VALUE)
                total += 2 * (start + count) * HEADS * LATENT * (NOPE + VALUE)
        return total


def make_case(name: str, kind: str, sizes: list[tuple[int, int]], num_layers: int) -> Case:
    needed = [-(-(start + count) // PAGE) for start, count in sizes]
    order = torch.randperm(sum(needed)).tolist()
    spans = []
    for (start, count), number in zip(sizes, needed, strict=True):
        spans.append(Span(start, count, order[:number]))
        order = order[number:]
    layers = []
    for _ in range(num_layers):
        entries = torch.randn(sum(needed), PAGE, LATENT + ROPE)
        if kind in ("int8", "fp8"):
            entries = entries.mul_(30).clamp_(-120, 120)
        scales = torch.full((sum(needed), PAGE, 2), 0.03) if kind in ("int8", "fp8") else None
        layers.append(look.Pages(entries.to(STORED[kind]), LATENT, scales))
    up = look.pack_latent_up(torch.randn(HEADS, NOPE + VALUE, LATENT) / 16, nope=NOPE, rope=ROPE)
    query = torch.randn(sum(count for _, count in sizes), HEADS, NOPE + ROPE)
    return Case(name, kind, layers, look.Table(spans), query, up, sizes)


FLOOR = torch.zeros(1 << 27, dtype=torch.int64)


def memory_gbs() -> float:
    """A plain read of a gigabyte by all threads."""
    start = perf_counter()
    FLOOR.sum()
    return FLOOR.nbytes / (perf_counter() - start) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--isa", choices=ISAS)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", default=["bf16", "int8"])
    parser.add_argument("--cases", nargs="+", default=[])
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if options.isa:
        core().bise_use_isa(c_int64(ISAS.index(options.isa)))
    pool.set_workers(options.workers)
    wanted = [n for n in CASES if not options.cases or any(c in n for c in options.cases)]
    cases = [make_case(n, k, CASES[n], options.layers) for n in wanted for k in options.kinds]
    read_gbs = 0.0
    for _ in range(options.rounds):
        read_gbs = max(read_gbs, memory_gbs())
        for case in cases:
            repeats = 1 if case.best_s == float("inf") else max(1, int(0.03 / case.best_s))
            case.run(repeats)
    print(
        f"{options.isa or 'best'}, {pool.num_workers()} workers, a plain read {read_gbs:.1f} GB/s"
    )
    print(f"{'':18}{'type':6}{'us':>10}{'GB/s':>8}{'GFLOP/s':>9}")
    for case in cases:
        speed = case.operations() / case.best_s / 1e9
        rate = case.cache_bytes() / case.best_s / 1e9
        print(f"{case.name:18}{case.kind:6}{case.best_s * 1e6:10.1f}{rate:8.1f}{speed:9.0f}")


if __name__ == "__main__":
    main()
