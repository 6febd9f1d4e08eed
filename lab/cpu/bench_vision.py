"""How fast the eye looks: the core against the plain definition in torch's bfloat16.

    python lab/cpu/bench_vision.py --threads 2 --isa amx --kind bf16 --rounds 3

Small 4's tower and projector with random weights, one picture a call. Both look in turns, round
after round, so that they meet the same weather; beside them a large product of the core, whose
speed is the peak of this very round. Printed: milliseconds (medians), how many times faster the
core is, its GFLOP/s and how much that is of the peak; with `--accuracy` how far both are from fp32.
"""

import argparse
import ctypes
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from bise.model.config import ModelConfig, VisionConfig
from bise.model.network import Network
from bise.model.packed import PackedNetwork, WeightKind
from bise.model.packed_source import FromNetwork
from bise.model.presets import nano, small4
from bise.ops.cpu import matrix
from bise.ops.cpu.library import ISAS, core
from bise.ops.cpu.pool import set_workers

SIDES = [504, 1008, 1540]
"""Pixels: multiples of a token's side nearest to 512 and 1024, and the largest there are."""

PEAK_ROWS, PEAK_DIM = 1024, 4096


def shape_with(layers: int) -> ModelConfig:
    """A small text network with Small 4's eye, as wide as Small 4 where that matters to the eye."""
    eye, full = small4().vision, small4()
    assert eye is not None
    return replace(nano(), num_layers=1, dim=full.dim, vision=replace(eye, num_layers=layers))


def filled(config: ModelConfig) -> Network:
    """Random weights of a usual size, in bf16."""
    torch.manual_seed(0)
    network = Network(config).bfloat16()
    with torch.no_grad():
        for weight in network.parameters():
            weight.fill_(1.0) if weight.ndim == 1 else weight.normal_(std=0.02)
    return network.eval()


def operations(vision: VisionConfig, dim: int, side: int) -> float:
    """Two for each multiplication that a picture needs."""
    patches = (side // vision.patch) ** 2
    tokens, wide = patches // vision.merge**2, vision.dim
    begin = patches * vision.num_channels * vision.patch**2 * wide
    layer = patches * wide * (4 * wide + 3 * vision.mlp_dim) + 2 * patches**2 * wide
    end = tokens * (wide**2 * vision.merge**2 + wide * dim + dim**2)
    return 2.0 * (begin + vision.num_layers * layer + end)


def seconds_of(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def peak_of(kind: WeightKind) -> Callable[[], float]:
    """Measures operations a second of a product that is all product."""
    types = {"int8": matrix.WeightType.INT8, "bf16": matrix.WeightType.BF16}
    packed = matrix.pack(torch.randn(PEAK_DIM, PEAK_DIM) * 0.02, types[kind])
    x = torch.randn(PEAK_ROWS, PEAK_DIM)

    def measure() -> float:
        matrix.product(x, packed)
        seconds = seconds_of(lambda: [matrix.product(x, packed) for _ in range(4)])
        return 4 * 2.0 * PEAK_ROWS * PEAK_DIM**2 / seconds

    return measure


def off(found: Tensor, expected: Tensor) -> float:
    return float((found.float() - expected).norm() / expected.norm())


@torch.inference_mode()
def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    options.add_argument("--isa", choices=ISAS)
    options.add_argument("--kind", choices=["bf16", "int8"], default="bf16")
    options.add_argument("--sides", type=int, nargs="*", default=SIDES)
    options.add_argument("--layers", type=int, default=24)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--accuracy", action="store_true", help="also look in fp32")
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    set_workers(given.threads)
    if given.isa and not core().bise_use_isa(ctypes.c_int64(ISAS.index(given.isa))):
        raise SystemExit(f"this processor has no {given.isa}")
    config = shape_with(given.layers)
    assert config.vision is not None
    plain = filled(config)
    packed = PackedNetwork(FromNetwork(plain), given.kind)
    peak = peak_of(given.kind)
    print(f"{given.threads} threads, {given.isa or 'best isa'}, {given.kind}")
    print(f"{'side':>6} {'torch ms':>9} {'core ms':>9} {'ratio':>6} {'GFLOP/s':>8} {'of peak':>8}")
    for side in given.sides:
        picture = torch.rand(3, side, side) * 2 - 1
        rounds: list[tuple[float, float, float]] = []
        for _ in range(given.rounds):
            plain_s = seconds_of(lambda picture=picture: plain.see([picture.bfloat16()]))
            core_s = seconds_of(lambda picture=picture: packed.see([picture]))
            rounds.append((plain_s, core_s, peak()))
        plain_s, core_s, _ = (statistics.median(one) for one in zip(*rounds, strict=True))
        work = operations(config.vision, config.dim, side)
        share = statistics.median(work / seconds / top for _, seconds, top in rounds)
        ratio = statistics.median(one / other for one, other, _ in rounds)
        print(
            f"{side:6} {plain_s * 1e3:9.0f} {core_s * 1e3:9.0f} {ratio:6.2f}"
            f" {work / core_s / 1e9:8.0f} {share:8.0%}",
            flush=True,
        )
    if given.accuracy:
        picture = torch.rand(3, given.sides[0], given.sides[0]) * 2 - 1
        expected = Network(config).eval()
        expected.load_state_dict(plain.state_dict())
        whole = expected.see([picture])
        ours, torchs = packed.see([picture]), plain.see([picture.bfloat16()])
        print(f"away from fp32: core {off(ours, whole):.2%}, torch {off(torchs, whole):.2%}")


if __name__ == "__main__":
    main()
