"""Every reference proof through `bise verify`, and every challenge as its own answer.

    python lab/judge/references.py [NAME…]

Writes `references.json` beside this file after each problem, and goes on where it was: the verdict
on the proof (with examples where there are some), and on the challenge unchanged, which must be
rejected. Seconds are those of the shell command, of its second run: the challenge is then kept.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bise.prove.problems import CORE, core_problems

ROOT = Path(__file__).parents[2]
PROOFS = ROOT / "tests" / "prove" / "proofs"
RECORD = Path(__file__).with_name("references.json")


def timed(*words: object) -> dict:
    """One run of the command."""
    started = time.monotonic()
    command = [sys.executable, "-m", "bise.cli", "verify", *map(str, words), "--json"]
    told = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    kept = {name: told[name] for name in ("verdict", "reason", "message", "axioms", "parts_s")}
    return {**kept, "examples": told["examples"], "wall_s": round(time.monotonic() - started, 2)}


def judged(name: str, kind: str) -> dict:
    """A problem's proof and its challenge."""
    challenge, more = CORE / f"{name}.lean", list[object]()
    if kind == "disprove":
        index = json.loads((CORE / "index.json").read_text())["problems"]
        entry = next(one for one in index if one["id"] == name)
        more = [word for target in entry["theorems"] for word in ("--disprove", target)]
    examples = CORE / f"{name}.examples.lean"
    if examples.exists():
        more += ["--examples", examples]
    unchanged = timed(challenge, challenge)
    return {"proof": timed(challenge, PROOFS / f"{name}.lean", *more), "unchanged": unchanged}


def main() -> None:
    found = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    for one in core_problems():
        if one.name in found or (sys.argv[1:] and one.name not in sys.argv[1:]):
            continue
        found[one.name] = judged(one.name, one.kind)
        RECORD.write_text(json.dumps(found, indent=1) + "\n")
        told = found[one.name]
        print(one.name, told["proof"]["verdict"], told["unchanged"]["verdict"], flush=True)
    wrong = [
        name
        for name, one in found.items()
        if one["proof"]["verdict"] != "accepted" or one["unchanged"]["verdict"] != "rejected"
    ]
    seconds = sorted(one["proof"]["wall_s"] for one in found.values())
    print(f"{len(found)} problems, wrong: {wrong}")
    print(
        f"median {statistics.median(seconds):.1f} s, "
        f"95 % within {seconds[int(0.95 * (len(seconds) - 1))]:.1f} s"
    )


if __name__ == "__main__":
    main()
