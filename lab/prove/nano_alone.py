"""Whole goals that nano proves by itself: its tactics, Lean's answers, nothing else.

    .venv/bin/python lab/prove/nano_alone.py [--num 8] [--width 8] [--effort none] [LEVEL ...]

Held-out goals of the skill `lean`, as theorems. At each goal nano is asked once greedily and then
for samples at temperature 1; what differs is tried in that order, best first. No automation is
tried beside it. One line a level: how many goals were closed, and by how many tactics.
"""

import argparse
import json
import time
from random import Random

import bise
from bise.evals.lean.tasks import TACTICS, Lean
from bise.evals.task import Example
from bise.prove import suggest
from bise.prove.budget import Budget
from bise.prove.hand import Hand
from bise.prove.workspace import Workspace
from bise.text import Message


class Nano:
    """A `Suggester`: the greedy answer first, then samples."""

    def __init__(self, model: bise.Model, width: int, effort: str):
        self.model = model
        self.width = width
        self.effort = effort

    def suggest(self, goal: str, count: int) -> list[str]:
        asked = [Message.of("system", TACTICS.format(count=count)), Message.of("user", goal)]
        said: dict[str, None] = {}
        for seed in range(self.width):
            heat = 1.0 if seed else 0.0
            reply = self.model.ask(
                asked, temperature=heat, seed=seed, max_tokens=480, effort=self.effort
            )
            said |= dict.fromkeys(suggest.tactics_of(reply.text)[:1])
        return list(said)


def theorem(example: Example, number: int) -> str:
    """The goal as a statement with a gap; a hypothesis without a name comes by `intro`."""
    before, _, target = example.form.partition(": ")[2].partition("⊢ ")
    bound, proof = "", "sorry"
    for line in before.splitlines():
        name, _, kind = line.partition(" : ")
        if name == "a✝":
            target, proof = f"({kind}) → ({target})", "intro\n  sorry"
        else:
            bound += f" ({line})"
    return f"theorem t{number}{bound} : {target} := by\n  {proof}\n"


def main() -> None:
    """Print a line a level."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("levels", nargs="*")
    parser.add_argument("--num", type=int, default=8)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--effort", default="none")
    parser.add_argument("--cpu-s", type=float, default=20.0)
    flags = parser.parse_args()
    suggest.FINISHES = ()
    task = Lean()
    with bise.load("nano") as model, Hand() as hand:
        nano = Nano(model, flags.width, flags.effort)
        for level in flags.levels or task.levels + task.shape_levels:
            rng = Random(f"alone {level}")
            examples = [task.sample(rng, level, "held_out") for _ in range(flags.num)]
            text = "\n".join(theorem(one, i) for i, one in enumerate(examples))
            began, closed = time.monotonic(), []
            suggest.walk(
                Workspace(text),
                hand.pool,
                Budget(),
                nano,
                cpu_s=flags.cpu_s,
                told=closed.append,
            )
            print(
                json.dumps(
                    {
                        "level": level,
                        "closed": len(closed),
                        "of": flags.num,
                        "proofs": [one.script for one in closed],
                        "seconds": round(time.monotonic() - began),
                    },
                    ensure_ascii=False,
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
