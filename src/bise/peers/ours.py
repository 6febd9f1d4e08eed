"""Our own engine as a peer: `python -m bise.peers.ours SOURCE KIND`, measured over the same pipe.

Steps are those of `CoreRunner`, without a scheduler or a sampler: the other engines are measured
without theirs. Besides the common commands it measures the machine: `bandwidth` and `peak`.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, median
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from bise.engine.core_runner import CoreRunner
from bise.engine.pages import PAGE_TOKENS
from bise.engine.runner import Work
from bise.model import locate, open_checkpoint
from bise.model.hub import is_shape
from bise.model.packed import PackedNetwork, WeightKind
from bise.model.packed_source import FromCheckpoint, FromRandom, Source
from bise.model.presets import preset
from bise.ops.cpu.arena import Arena
from bise.ops.cpu.library import describe
from bise.ops.cpu.matrix import WeightType, pack, product
from bise.ops.cpu.pool import num_workers

CHUNK_TOKENS = 2048
"""A prompt is read in pieces of so many tokens."""

COMPUTED_TOKENS = 16_384
"""A context longer than this over all streams is filled with noise instead of being computed."""

Numbers = tuple[float, ...]


def open_source(name: str) -> Source:
    """A checkpoint, or a preset filled at random."""
    if is_shape(name):
        return FromRandom(preset(name))
    return FromCheckpoint(open_checkpoint(locate(name)))


def read_ids(path: str, *shape: int) -> Tensor:
    return torch.from_numpy(np.fromfile(path, dtype=np.int32)).long().view(shape)


class Stepper:
    """Several texts of one length, computed step by step."""

    def __init__(self, network: PackedNetwork, streams: int, length: int):
        self.num_pages = -(-length // PAGE_TOKENS)
        self.streams = range(streams)
        self.runner = CoreRunner(network, streams * self.num_pages * PAGE_TOKENS)

    def read(self, ids: Tensor, num_wanted: int = 1) -> Tensor:
        """Read prompts one after another in chunks. ids [streams, tokens]; logits of the last."""
        logits = torch.empty(0)
        for stream, prompt in enumerate(ids.tolist()):
            for start in range(0, len(prompt), CHUNK_TOKENS):
                piece = prompt[start : start + CHUNK_TOKENS]
                is_last = start + CHUNK_TOKENS >= len(prompt)
                logits = self._compute([stream], [piece], start, num_wanted if is_last else 0)
        return logits

    def step(self, ids: Tensor, position: int, routing: list[Tensor] | None = None) -> Tensor:
        """ids [streams], all at one position -> logits [streams, vocab]"""
        return self._compute(self.streams, [[one] for one in ids.tolist()], position, 1, routing)

    def fill(self) -> None:
        """Noise instead of a context."""
        entries = self.runner.cache.entries
        for layer in entries:
            layer.copy_(
                torch.randn(4096)[torch.randint(4096, layer.shape, dtype=torch.int16).int()]
            )

    def _compute(
        self,
        streams: Sequence[int],
        pieces: Sequence[Sequence[int]],
        start: int,
        num_wanted: int,
        routing: list[Tensor] | None = None,
    ) -> Tensor:
        works = [
            Work(
                ids=piece,
                start=start,
                pages=range(stream * self.num_pages, (stream + 1) * self.num_pages),
                num_wanted=num_wanted,
            )
            for stream, piece in zip(streams, pieces, strict=True)
        ]
        return self.runner.compute(works, routing)


def touched(steps: Sequence[Sequence[Tensor]]) -> float:
    """Different experts of a layer in a step, on average. steps: of each, [1, layers, topk] each"""
    layers = [layer for step in steps if step for layer in torch.cat(list(step)).transpose(0, 1)]
    return fmean(len(layer.unique()) for layer in layers) if layers else 0.0


class Answers:
    """What each command does."""

    def __init__(self, network: PackedNetwork):
        self.network = network

    def prefill(self, path: str, count: str) -> Numbers:
        """Once to warm up, once timed."""
        ids = read_ids(path, 1, int(count))
        stepper = Stepper(self.network, 1, int(count))
        stepper.read(ids)
        start = perf_counter()
        stepper.read(ids)
        return (perf_counter() - start,)

    def decode(self, path: str, *sizes: str) -> Numbers:
        """Also how many different experts a layer's step reads, counted while it warms up."""
        streams, context, warm, steps = map(int, sizes)
        ids = read_ids(path, streams, context + warm + steps)
        stepper = Stepper(self.network, streams, context + warm + steps)
        if streams * context <= COMPUTED_TOKENS:
            stepper.read(ids[:, :context])
        else:
            stepper.fill()
        routing = list[list[Tensor]]()
        for step in range(warm):
            routing.append([])
            stepper.step(ids[:, context + step], context + step, routing[-1])
        start = perf_counter()
        for step in range(warm, warm + steps):
            stepper.step(ids[:, context + step], context + step)
        return (perf_counter() - start, touched(routing))

    def logits(self, path: str, windows: str, length: str, out: str) -> Numbers:
        ids, start = read_ids(path, int(windows), int(length)), perf_counter()
        with Path(out).open("wb") as file:
            for window in ids:
                stepper = Stepper(self.network, 1, len(window))
                stepper.read(window[None], num_wanted=len(window)).numpy().tofile(file)
        return (perf_counter() - start,)

    def bandwidth(self) -> Numbers:
        """Bytes a second when all workers read 1 GiB: plainly, and as one int8 matrix."""
        plain_s = _timed(torch.ones(2**27, dtype=torch.int64).sum)
        zeros = torch.zeros(2**17, 2**13, dtype=torch.bfloat16)
        matrix = pack(zeros, WeightType.INT8, room=Arena().take)
        row = torch.zeros(1, matrix.inputs)
        return (0.0, 2**30 / plain_s, matrix.packed.numel() / _timed(lambda: product(row, matrix)))

    def peak(self) -> Numbers:
        """Operations a second of our best product: 512 rows, many matrices, by kind of weights."""
        kinds = {"int4": WeightType.INT4, "int8": WeightType.INT8}
        kind = kinds.get(self.network.kind, WeightType.BF16)
        matrices = [pack(torch.randn(2048, 2048), kind) for _ in range(32)]
        rows = torch.randn(512, 2048)

        def all_of_them() -> None:
            for matrix in matrices:
                product(rows, matrix)

        return (0.0, 32 * 2 * 512 * 2048 * 2048 / _timed(all_of_them))


def _timed(work: Callable[[], object], rounds: int = 5) -> float:
    work()
    taken = list[float]()
    for _ in range(rounds):
        start = perf_counter()
        work()
        taken.append(perf_counter() - start)
    return median(taken)


def main(name: str, kind: WeightKind) -> None:
    """Answer commands until there are no more."""
    network = PackedNetwork(open_source(name), kind)
    torch.set_num_threads(num_workers())
    answers = Answers(network)
    _say("ready", f"core {describe()}, {num_workers()} workers, {network.kind}")
    for line in sys.stdin:
        command, *rest = line.split()
        try:
            numbers = getattr(answers, command)(*rest)
        except (OSError, ValueError) as fault:
            _say("error", str(fault))
        else:
            _say("ok", " ".join(f"{number:.9f}" for number in numbers))


def _say(mark: str, words: str) -> None:
    sys.stdout.write(f"{mark} {words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])  # pyright: ignore[reportArgumentType] - `bise bench` checked it
