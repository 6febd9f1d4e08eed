"""Goals of logic, with the tactic that comes next and why."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from bise.evals.lean.branches import draw_cases, draw_choose, draw_contradiction, draw_split
from bise.evals.lean.check import is_right
from bise.evals.lean.looking import look_through
from bise.evals.lean.scenes import Scene, draw_scene
from bise.evals.lean.steps import (
    Step,
    draw_apply,
    draw_assumption,
    draw_chain,
    draw_intro,
    draw_projection,
)
from bise.evals.lean.terms import read_goal

LOGIC: dict[str, Callable[[Scene], Step]] = {
    "assumption": draw_assumption,
    "projection": draw_projection,
    "intro": draw_intro,
    "apply": draw_apply,
    "split": draw_split,
    "choose": draw_choose,
    "cases": draw_cases,
    "contradiction": draw_contradiction,
}
"""What draws each level whose tactics `lean_check` can judge."""


def draw_logic(rng: Random, level: str, reach: float) -> Step:
    """A step of a level; again, where what nobody needs has made another way shorter."""
    while True:
        step = LOGIC[level](draw_scene(rng, reach))
        if is_right(read_goal(step.goal), step.tactic):
            return step if level == "intro" else looked_through(step)


def looked_through(step: Step) -> Step:
    """The same step, found by a look at one hypothesis after the other."""
    head = f"Target: {step.goal.rpartition('⊢ ')[2]}."
    assert step.thinking.startswith(head), step.thinking
    rest = step.thinking.removeprefix(head).strip()
    return replace(step, thinking=f"{head}\n{look_through(step.goal)}\n{rest}")


def draw_deep(rng: Random, reach: float) -> Step:
    """A fact further inside than any trained one."""
    return looked_through(draw_projection(draw_scene(rng, reach, "props"), rng.randint(4, 5)))


def draw_long(rng: Random, reach: float) -> Step:
    """Three implications one after the other."""
    scene = draw_scene(rng, reach, rng.choice(("numbers", "predicates")))
    return looked_through(draw_chain(scene, 3))
