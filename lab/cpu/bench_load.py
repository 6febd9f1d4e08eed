"""How long a model takes to be there, and what memory that needs at most.

    python lab/cpu/bench_load.py --preset small4_mini --kind int8 --room /tmp --rounds 3

Writes a bf16 checkpoint of random weights into a temporary folder, packs it there, and deletes both
afterwards. Every measurement is a process of its own, after a rest, so that each finds memory as
the system keeps it when nobody needs any:

    floor    reading all bytes of the checkpoint into a buffer, packing as many from a buffer, and
             taking as much fresh memory from the system as the packed weights need
    first    the network from the checkpoint: read, quantised, packed; peak of resident memory
             beyond what Python with torch takes, and how much that is of the packed weights
    ready    the same into memory that was taken and touched before. A virtual machine whose host
             takes free memory back gets it slowly: there this differs much from `first`
    packed   the network from the packed file, then the first token of a 100-token prompt; also
             from the start of the process on
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from bise.engine.core_runner import CoreRunner
from bise.engine.runner import Work
from bise.model import inspect, open_checkpoint, preset, write_random
from bise.model.names import weights
from bise.model.packed import InMemory, PackedNetwork, WeightKind, pack_all
from bise.model.packed_file import DATA, PackedFolder, pack_folder
from bise.model.packed_source import FromCheckpoint
from bise.ops.cpu.arena import ALIGNMENT, Arena, zeros
from bise.ops.cpu.matrix import WeightType, bytes_of_its_own, pack, packed_bytes

STEP_BYTES = 2**24
REST_S = 20
PROMPT_TOKENS = 100


def peak_bytes() -> int:
    """Of memory of our own that was resident, at most; mapped files do not count."""
    text = Path("/proc/self/status").read_text()
    lines = dict(line.split(":", 1) for line in text.splitlines())
    kib = {name: int(lines[name].split()[0]) for name in ("VmHWM", "RssFile")}
    return (kib["VmHWM"] - kib["RssFile"]) * 1024


def floor(folder: Path, kind: WeightKind) -> dict[str, float]:
    """Nothing but reading, and nothing but packing."""
    buffer = memoryview(bytearray(STEP_BYTES))
    started = time.perf_counter()
    for path in folder.glob("*.safetensors"):
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
    read_s = time.perf_counter() - started
    rows = torch.randn(2048, 2048).bfloat16()
    type = WeightType[kind.upper()]
    room = bytes_of_its_own(packed_bytes(type, *rows.shape))
    count = sum(one.numel for one in weights(open_checkpoint(folder).config))
    started = time.perf_counter()
    for _ in range(count // rows.numel()):
        pack(rows, type, room=lambda _: room)
    pack_s = time.perf_counter() - started
    started = time.perf_counter()
    arena = Arena()
    kept = [arena.take(len(room)).fill_(0) for _ in range(count // rows.numel())]
    take_s = time.perf_counter() - started
    return {"read_s": read_s, "pack_s": pack_s, "take_s": take_s, "pieces": len(kept)}


def first(folder: Path, kind: WeightKind) -> dict[str, float]:
    """The network from the checkpoint."""
    before = peak_bytes()
    started = time.perf_counter()
    network = PackedNetwork(FromCheckpoint(open_checkpoint(folder)), kind)
    seconds = time.perf_counter() - started
    assert network.kind == kind
    return {"load_s": seconds, "peak_bytes": peak_bytes() - before}


class Ready(InMemory):
    """Packs into memory that is there already."""

    def __init__(self, count: int):
        self.left = zeros((count,), torch.uint8).fill_(1)
        self.room = self.take

    def take(self, count: int) -> torch.Tensor:
        taken, self.left = self.left[:count], self.left[-(-count // ALIGNMENT) * ALIGNMENT :]
        return taken


def ready(folder: Path, kind: WeightKind) -> dict[str, float]:
    """Nothing but what the project does itself."""
    source = FromCheckpoint(open_checkpoint(folder))
    per_matrix = packed_bytes(WeightType[kind.upper()], 2048, 2048)
    count = sum(one.numel for one in weights(source.config)) // 2048**2 + 8
    keep = Ready(count * per_matrix)
    started = time.perf_counter()
    pack_all(source, kind, keep)
    return {"load_s": time.perf_counter() - started}


def packed(folder: Path, kind: WeightKind) -> dict[str, float]:
    """The network from the packed file, and its first token."""
    started = time.perf_counter()
    network = PackedFolder(folder).network()
    assert network.kind == kind
    open_s = time.perf_counter() - started
    runner = CoreRunner(network, 1024)
    ids = torch.randint(100, network.config.vocab_size, (PROMPT_TOKENS,)).tolist()
    runner.compute([Work(ids=ids, start=0, pages=range(7), num_wanted=1)]).argmax()
    return {"open_s": open_s, "token_s": time.perf_counter() - started}


MEASURES: dict[str, Callable[[Path, WeightKind], dict[str, float]]] = {
    "floor": floor,
    "first": first,
    "ready": ready,
    "packed": packed,
}


def measured(name: str, folder: Path, kind: str) -> dict[str, float]:
    """By a process of its own."""
    time.sleep(REST_S)
    command = [sys.executable, __file__, "--measure", name, "--folder", str(folder)]
    started = time.perf_counter()
    done = subprocess.run([*command, "--kind", kind], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return {**found, "process_s": time.perf_counter() - started}


def compare(options: argparse.Namespace) -> None:
    config, kind = preset(options.preset), options.kind
    with tempfile.TemporaryDirectory(dir=options.room) as room:
        plain, made = Path(room) / "plain", Path(room) / "packed"
        write_random(config, plain)
        started = time.perf_counter()
        pack_folder(FromCheckpoint(open_checkpoint(plain)), plain, made, kind)
        pack_s = time.perf_counter() - started
        sizes = inspect(plain).size_bytes, (made / DATA).stat().st_size
        print(f"{options.preset}, {sizes[0]:,} bytes in bf16, {sizes[1]:,} as {kind}")
        print(f"packed into a file in {pack_s:.1f} s")
        rounds: list[dict[str, dict[str, float]]] = []
        for _ in range(options.rounds):
            folders = {"floor": plain, "first": plain, "ready": plain, "packed": made}
            rounds.append({name: measured(name, folders[name], kind) for name in folders})
            print(json.dumps(rounds[-1]), flush=True)

    def median(name: str, value: str) -> float:
        return statistics.median(one[name][value] for one in rounds)

    parts = ("read_s", "pack_s", "take_s")
    ratio = statistics.median(
        one["first"]["load_s"] / sum(one["floor"][part] for part in parts) for one in rounds
    )
    read_s, pack_s, take_s = (median("floor", part) for part in parts)
    print(f"reading {read_s:.2f} s, packing {pack_s:.2f} s, taking memory {take_s:.2f} s")
    print(f"first load {median('first', 'load_s'):.2f} s, {ratio:.2f} of all three")
    own = statistics.median(
        one["ready"]["load_s"] / (one["floor"]["read_s"] + one["floor"]["pack_s"]) for one in rounds
    )
    own_s = median("ready", "load_s")
    print(f"into memory at hand {own_s:.2f} s, {own:.2f} of reading and packing")
    peak = median("first", "peak_bytes")
    print(f"peak of memory {peak:,.0f} bytes, {peak / sizes[1]:.2f} of the packed weights")
    print(
        f"packed file: open after {median('packed', 'open_s'):.2f} s, first token after"
        f" {median('packed', 'token_s'):.2f} s, whole process {median('packed', 'process_s'):.2f} s"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--preset", default="small4_mini")
    options.add_argument("--kind", choices=["bf16", "int8", "int4"], default="int8")
    options.add_argument("--room", type=Path, help="a disk with room for both")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--measure", choices=MEASURES, help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.measure:
        print(json.dumps(MEASURES[given.measure](given.folder, given.kind)))
    else:
        compare(given)


if __name__ == "__main__":
    main()
