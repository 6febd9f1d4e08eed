"""How long warm checks take: every problem that ships, and variants of one place.

    PYTHONPATH=src python lab/judge/bench_warm.py [--json FILE]

Needs the Lean of `bise prove setup`. Prints medians and the worst, memory, and what a start costs.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

from bise.judge.extensions import Position
from bise.judge.pool import WarmPool
from bise.judge.warm import gaps
from bise.judge.wasm import WasmLean

PROBLEMS = Path(__file__).parents[2] / "src" / "bise" / "judge" / "problems"
TACTICS = ["rfl", "simp", "simp_all", "omega", "grind", "decide", "trivial", "assumption"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    parser.add_argument("--every", type=int, default=5, help="tactics at each such problem")
    options = parser.parse_args()
    lean = WasmLean()
    starts: list[str] = []
    paths = [one for one in sorted(PROBLEMS.glob("*.lean")) if ".examples" not in one.name]
    sources = {path.stem: path.read_text() for path in paths}
    with WarmPool(lean, told=starts.append) as pool:
        begun = time.monotonic()
        pool.check("#check 1")
        start_s = time.monotonic() - begun
        checks = {name: pool.check(one) for name, one in sources.items()}
        some = [one for one in sources.values() if gaps(one)][:: options.every]
        tries = [try_all(pool, one) for one in some]
        memory = max(one.memory_bytes for several in pool._idle.values() for one in several)
    wrong = [name for name, one in checks.items() if one.has_errors]
    numbers = {
        "lean": lean.identity.version,
        "files": len(checks),
        "with_errors": wrong,
        "start_s": round(start_s, 1),
        "starts": sum(one.startswith("starting") for one in starts),
        "check_s": spread([one.seconds for one in checks.values()]),
        "check_cpu_s": spread([one.cpu_s for one in checks.values()]),
        "tactic_s": spread([one for several in tries for one in several]),
        "memory_mb": round(memory / 1e6),
    }
    print(json.dumps(numbers, indent=1))
    if options.json:
        options.json.write_text(json.dumps(numbers, indent=1) + "\n")


def try_all(pool: WarmPool, source: str) -> list[float]:
    """Seconds of each tactic at the first gap."""
    before = source[: gaps(source)[0]]
    place = Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1))
    return [one.seconds for one in pool.try_many(source, place, TACTICS)]


def spread(values: list[float]) -> dict[str, float]:
    """Median, 95th of a hundred, worst."""
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), 3),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 3),
        "max": round(ordered[-1], 3),
    }


if __name__ == "__main__":
    main()
