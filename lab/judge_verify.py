"""How long `bise verify` takes over problems, part by part; a median and the 95th percentile.

    python lab/judge_verify.py [CASE…] > lab/judge/verify.json

Without names: the honest proofs of problems among the judge's cases. Each is judged twice: once
with a new challenge, once with the challenge kept.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "judge" / "cases"
PROBLEMS = ROOT / "src" / "bise" / "judge" / "problems"


def timed(challenge: Path, submission: Path) -> dict:
    """One run of the command, from the shell."""
    command = [sys.executable, "-m", "bise.cli", "verify", str(challenge), str(submission)]
    start = time.monotonic()
    ran = subprocess.run([*command, "--json"], capture_output=True, check=False)
    told = json.loads(ran.stdout)
    kept = {name: told[name] for name in ("verdict", "reason", "seconds", "parts_s")}
    return {**kept, "wall_s": round(time.monotonic() - start, 2)}


def main() -> None:
    names = sys.argv[1:] or sorted(path.stem for path in CASES.glob("honest/problem_*.lean"))
    rows = []
    for name in names:
        submission = CASES / "honest" / f"{name}.lean"
        text = (PROBLEMS / f"{name.removeprefix('problem_')}.lean").read_text()
        with tempfile.TemporaryDirectory() as folder:
            challenge = Path(folder) / "challenge.lean"
            challenge.write_text(f"{text}\n-- {time.time()}\n")  # new to the cache
            rows.append({"name": name, "first": timed(challenge, submission)})
            rows[-1]["kept"] = timed(challenge, submission)
        sys.stderr.write(f"{rows[-1]}\n")
    walls = sorted(row["kept"]["wall_s"] for row in rows)
    told = {
        "median_s": statistics.median(walls),
        "p95_s": walls[min(len(walls) - 1, int(0.95 * len(walls)))],
        "rows": rows,
    }
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
