"""A model three times larger than its memory: is it right, and how fast does its disk let it be?

    python lab/cpu/bench_paged.py --room /tmp

Packs random weights (S4-mini's layers, twelve of them, a vocabulary of 32,768) into a temporary
folder, then, each a process of its own:

    disk     experts read at random from a cold file, by four threads: bytes a second, the most
    whole    a prompt and greedy tokens with all weights in memory
    paged    the same with a third of the file's size for the whole process: in a memory cgroup
             (version 1 or 2) where one can be made, else kept to by the weights' budget alone, and
             then shown by the peak of resident memory

Told are the ids (the same?), tokens a second, how many experts were found in memory, and the time
that reading what was read and computing would take one after the other, as a share of what it took.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from bise.engine.core_runner import CoreRunner
from bise.engine.pages import PAGE_TOKENS
from bise.engine.runner import Work
from bise.model import preset
from bise.model.packed_file import DATA, PackedFolder, pack_folder
from bise.model.packed_source import FromRandom

TIMES_LARGER = 3
PROMPT_TOKENS, NEW_TOKENS = 32, 48
OWN_BYTES = 560 * 10**6
"""What Python, torch, the cache and the rows at work take beside weights."""

EXPERT_BYTES = 7 * 10**6
READERS, READS = 4, 200
CGROUPS = {
    Path("/sys/fs/cgroup/memory"): "memory.limit_in_bytes",
    Path("/sys/fs/cgroup"): "memory.max",
}


def forget(path: Path) -> None:
    """The system's cache holds nothing of the file any more."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def disk(folder: Path) -> dict[str, object]:
    path = folder / DATA
    forget(path)
    places = random.Random(0).choices(range(path.stat().st_size // EXPERT_BYTES), k=READS)
    file = os.open(path, os.O_RDONLY)
    started = time.perf_counter()
    with ThreadPoolExecutor(READERS) as pool:
        taken = sum(
            pool.map(lambda at: len(os.pread(file, EXPERT_BYTES, at * EXPERT_BYTES)), set(places))
        )
    return {"bytes_per_s": taken / (time.perf_counter() - started)}


def written(folder: Path, budget: int | None) -> dict[str, object]:
    """A prompt read and tokens written greedily; only the writing is timed."""
    network = PackedFolder(folder).network(budget)
    runner = CoreRunner(network, 8 * PAGE_TOKENS)
    generator = torch.Generator().manual_seed(0)
    piece = torch.randint(1000, network.config.vocab_size, (PROMPT_TOKENS,), generator=generator)
    ids, at = piece.tolist(), 0
    found = list[int]()
    before, started = network.residency and network.residency.counts(), 0.0
    for step in range(NEW_TOKENS + 1):
        logits = runner.compute([Work(ids=ids, start=at, pages=range(8), num_wanted=1)])
        if step == 0:
            before, started = network.residency and network.residency.counts(), time.perf_counter()
        at += len(ids)
        ids = [int(logits.argmax())]
        found += ids
    told: dict[str, object] = {"ids": found, "seconds": time.perf_counter() - started}
    if network.residency is not None and before is not None:
        after = network.residency.counts()
        told |= {
            "read_bytes": after.read_bytes - before.read_bytes,
            "found": (after.num_found - before.num_found) / (after.num_asked - before.num_asked),
        }
    status = Path("/proc/self/status").read_text()
    return {**told, "peak_bytes": int(status.split("VmHWM:")[1].split()[0]) * 1024}


def whole(folder: Path) -> dict[str, object]:
    return written(folder, PackedFolder(folder).size_bytes)


def paged(folder: Path) -> dict[str, object]:
    limit = limit_of(folder)
    forget(folder / DATA)
    with cgroup(limit) as kind:
        return {"limit": limit, "kept_by": kind, **written(folder, limit - OWN_BYTES)}


def limit_of(folder: Path) -> int:
    return (folder / DATA).stat().st_size // TIMES_LARGER


@contextmanager
def cgroup(limit: int) -> Iterator[str]:
    """This process in a group with so much memory, if the system lets us."""
    for place, name in CGROUPS.items():
        made = place / f"bise-{os.getpid()}"
        try:
            made.mkdir()
            (made / name).write_text(str(limit))
            (made / "cgroup.procs").write_text(str(os.getpid()))
        except OSError:
            if made.is_dir():
                made.rmdir()
            continue
        try:
            yield f"a cgroup ({name})"
        finally:
            (place / "cgroup.procs").write_text(str(os.getpid()))
            made.rmdir()
        return
    yield "the weights' budget"


MEASURES: dict[str, Callable[[Path], dict[str, object]]] = {
    "disk": disk,
    "whole": whole,
    "paged": paged,
}


def measured(name: str, folder: Path) -> dict[str, object]:
    """By a process of its own."""
    command = [sys.executable, __file__, "--measure", name, "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} ended with {done.returncode}")
    found: dict[str, object] = json.loads(done.stdout)
    return found


def number(told: dict[str, object], name: str) -> float:
    value = told[name]
    assert isinstance(value, int | float)
    return value


def compare(room: Path | None, rounds: int) -> None:
    config = replace(preset("small4_mini"), num_layers=12, vocab_size=2**15)
    with tempfile.TemporaryDirectory(dir=room) as name:
        folder = Path(name) / "packed"
        pack_folder(FromRandom(config), None, folder, "int8")
        print(f"{(folder / DATA).stat().st_size:,} bytes, {limit_of(folder):,} for the process")
        right = measured("whole", folder)
        print(f"all in memory: {NEW_TOKENS / number(right, 'seconds'):.2f} tokens/s")
        for _ in range(rounds):
            speeds = [number(measured("disk", folder), "bytes_per_s")]
            told = measured("paged", folder)
            speeds.append(number(measured("disk", folder), "bytes_per_s"))
            allowed = number(told, "read_bytes") / max(speeds) + number(right, "seconds")
            print(
                f"paged: {NEW_TOKENS / number(told, 'seconds'):.2f} tokens/s,"
                f" {'the same ids' if told['ids'] == right['ids'] else 'OTHER IDS'};"
                f" {number(told, 'found'):.0%} of experts were there,"
                f" {number(told, 'read_bytes'):,.0f} bytes read, disk"
                f" {' and '.join(f'{one / 1e9:.2f}' for one in speeds)} GB/s: reading and computing"
                f" one after the other {allowed:.1f} s, it took {number(told, 'seconds'):.1f}"
                f" ({allowed / number(told, 'seconds'):.0%});"
                f" peak {number(told, 'peak_bytes'):,.0f} bytes, kept by {told['kept_by']}",
                flush=True,
            )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--room", type=Path, help="a disk with room for it")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--measure", choices=MEASURES, help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.measure:
        print(json.dumps(MEASURES[given.measure](given.folder)))
    else:
        compare(given.room, given.rounds)


if __name__ == "__main__":
    main()
