"""The next step of a proof: a goal as Lean prints it, a tactic of the core library.

Asked in words, or as `bise prove` asks: the goal alone, under the system prompt `TACTICS`.
"""

from dataclasses import dataclass
from random import Random

from bise.evals.lean.check import is_right
from bise.evals.lean.facts import FACTS, is_known
from bise.evals.lean.goals import LOGIC, draw_deep, draw_logic, draw_long
from bise.evals.lean.steps import Step
from bise.evals.lean.terms import read_goal
from bise.evals.phrasing import phrase
from bise.evals.task import Example, HoldOut, Task

TACTICS = """\
You are given a goal of Lean 4, core library only. Answer with up to {count} tactics that may \
prove it or bring it forward, one a line, the likeliest first, and nothing else."""
"""The system prompt of whoever wants tactics to try; a search asks with it as well."""

COUNTS = (8, 8, 8, 8, 8, 1, 2, 4, 5, 16)
"""How many tactics are asked for; a search asks for 8."""

CASES = ("left", "right", "mp", "mpr", "inl", "inr", "zero", "intro", "h", "nil", "true")
CASE_SHARE = 0.08
"""Goals that carry the name of the case they are."""

ASKING = (
    "Which tactic comes next?\n{goal}",
    "What is the next tactic?\n{goal}",
    "Which tactic would you use here?\n{goal}",
    "What comes next in this proof?\n{goal}",
    "Prove this goal:\n{goal}",
    "Prove this in Lean:\n{goal}",
    "Next tactic?\n{goal}",
    "Next step:\n{goal}",
    "Give me a Lean tactic for this goal.\n{goal}",
    "Give the next tactic.\n{goal}",
    "I am stuck on this goal:\n{goal}",
    "How do I go on?\n{goal}",
    "How do I prove this in Lean 4?\n{goal}",
    "Here is my goal. What now?\n{goal}",
    "Lean shows this goal:\n{goal}",
    "Help me with this proof:\n{goal}",
    "Suggest a tactic.\n{goal}",
    "Find a tactic for this:\n{goal}",
    "Goal:\n{goal}\nTactic?",
    "{goal}\nWhich tactic?",
    "{goal}\nWhat is the next step?",
    "{goal}\nHow can this be proved?",
    "The goal is\n{goal}\nWhat should I write?",
    "One step of this proof, please:\n{goal}",
)


@dataclass(frozen=True, slots=True)
class Lean(Task):
    """Say which tactic comes next."""

    name = "lean"
    levels = (*LOGIC, *FACTS)
    shape_levels = ("deep", "three steps")

    def draw(self, rng: Random, level: str, reach: float) -> Example:
        step = draw_step(rng, level, reach)
        goal, system = step.goal, ""
        if rng.random() < CASE_SHARE * reach:
            goal = f"case {rng.choice(CASES)}\n{goal}"
        if rng.random() < 0.5:
            question, system = goal, TACTICS.format(count=rng.choice(COUNTS))
        else:
            question = phrase(rng, ASKING, goal=goal)
        return Example(
            task=self.name,
            level=level,
            question=question,
            answer=step.tactic,
            thinking=step.thinking,
            form=f"{step.kind}: {step.goal}",
            system=system,
        )

    def grade(self, example: Example, reply: str) -> float:
        """1.0 for a right tactic; of several lines the first counts."""
        tactic = tactic_of(reply)
        kind, _, goal = example.form.partition(": ")
        if kind:
            return float(is_known(kind, example.answer, tactic))
        return float(is_right(read_goal(goal), tactic))

    def hold_outs(self) -> dict[str, HoldOut]:
        # What is known beside the facts that matter, and names, make every level this large.
        nums = {level: HoldOut("content", 100_000) for level in self.levels}
        return nums | {level: HoldOut("shape", 10**9) for level in self.shape_levels}


def draw_step(rng: Random, level: str, reach: float) -> Step:
    """A goal of a level and what comes next."""
    if level == "deep":
        return draw_deep(rng, reach)
    if level == "three steps":
        return draw_long(rng, reach)
    return FACTS[level](rng, reach) if level in FACTS else draw_logic(rng, level, reach)


def tactic_of(reply: str) -> str:
    """The first line of a reply without a fence, quotes or a bullet."""
    lines = [line.strip() for line in reply.splitlines()]
    first = next((line for line in lines if line and not line.startswith("```")), "")
    return first.removeprefix("- ").strip("`").removeprefix("by ").strip()
