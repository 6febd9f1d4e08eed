"""How each kind of small function is drawn, asked for and planned in writing."""

import builtins
import keyword
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from bise.evals.python.ideas import IF_NUMBERS, IF_TEXTS, NUMBERS, TEXT_COUNTS, TEXT_PARTS, TEXTS
from bise.evals.python.lists import LISTS, PICKS, TOTALS, draw_params
from bise.evals.python.loops import LOOPS
from bise.evals.python.phrases import ask, block
from bise.evals.python.plans import BRANCHES, CHECKS, COUNTS, KEEPS, MAPS, Plan, cases
from bise.evals.python.step import Step, third
from bise.evals.words import WORDS

SINGLE: dict[str, tuple[Step, ...]] = {
    "number": (
        *NUMBERS,
        *(check for check in CHECKS if check.takes == "n"),
        *(loop for loop in LOOPS if loop.takes in ("n", "nn")),
    ),
    "string": (
        *(*TEXTS, *TEXT_COUNTS, *TEXT_PARTS),
        *(check for check in CHECKS if check.takes == "s"),
        *(loop for loop in LOOPS if loop.takes in ("s", "ss")),
    ),
    "list": (*LISTS, *TOTALS, *PICKS),
    "map": tuple(MAPS),
    "filter": (*KEEPS, *COUNTS),
    "loop": tuple(loop for loop in LOOPS if loop.takes not in ("n", "nn", "s", "ss")),
}
"""Levels of one idea, with their ideas."""

GOING_ON: dict[str, tuple[Sequence[Step], ...]] = {
    "n": (NUMBERS,),
    "s": (TEXTS,),
    "l": (MAPS, KEEPS, LISTS),
    "w": (MAPS, KEEPS, LISTS),
}
"""Families of steps after which a plan may go on, by what they take."""

ENDING: dict[str, tuple[Sequence[Step], ...]] = {
    "n": (NUMBERS, CHECKS),
    "s": (TEXTS, TEXT_COUNTS, CHECKS),
    "l": (MAPS, KEEPS, LISTS, COUNTS, TOTALS, PICKS),
    "w": (MAPS, KEEPS, LISTS, COUNTS, TOTALS),
}
"""Families with which it may end."""

ARGUMENTS = {
    "n": ("n", "x", "number", "value", "num", "m"),
    "u": ("n", "num", "number", "count", "m"),
    "s": ("s", "text", "word", "string", "name", "line"),
    "l": ("items", "numbers", "values", "nums", "data", "xs"),
    "w": ("items", "names", "texts", "parts", "strings", "values"),
}
"""Names of arguments; the first is taken when nobody asks for one."""

SHORT_NAMES = ("f", "g", "h", "func", "solve", "run", "work", "task", "apply", "change")
RESERVED = {
    *dir(builtins),
    *keyword.kwlist,
    *(one for names in ARGUMENTS.values() for one in names),
}
NAMES = tuple(word for word in WORDS if word not in RESERVED)


@dataclass(frozen=True, slots=True)
class Draft:
    """A question about a function, its answer and how to get there."""

    question: str
    answer: str
    thinking: str
    form: str


def draw_step(rng: Random, pool: Sequence[Step], high: int) -> tuple[Step, tuple[int | str, ...]]:
    does = rng.choice(pool)
    return does, draw_params(rng, does.params, high)


def draw_single(rng: Random, level: str, high: int) -> Plan:
    return Plan((draw_step(rng, SINGLE[level], high),))


def draw_choice(rng: Random, high: int) -> Plan:
    """A condition on a number or a text, with something to do or to say in either case."""
    while True:
        plan = draw_branches(rng, high, is_number=rng.random() < 0.65)
        if is_told(plan):
            return plan


def draw_branches(rng: Random, high: int, *, is_number: bool) -> Plan:
    test = draw_step(rng, IF_NUMBERS if is_number else IF_TEXTS, high)
    if rng.random() < 0.4:
        pool: Sequence[Step] = BRANCHES[:1] if rng.random() < 0.7 else BRANCHES[1:2]
    else:
        pool = (*(NUMBERS if is_number else TEXTS), BRANCHES[2])
    then = draw_step(rng, pool, high)
    while (other := draw_step(rng, pool, high)) == then:
        pass
    return Plan((test, then, other), is_choice=True)


def draw_steps(rng: Random, num: int, high: int, *, is_new: bool = False) -> Plan:
    """Several steps; with or without a pair that is kept from training."""
    while True:
        kind = rng.choice("nssllllww")
        steps: list[tuple[Step, tuple[int | str, ...]]] = []
        for place in range(num):
            families = (ENDING if place == num - 1 else GOING_ON)[kind]
            pool = [each for each in rng.choice(families) if each.takes == kind]
            if not pool:
                break
            steps.append(draw_step(rng, pool, high))
            kind = steps[-1][0].gives
            if kind not in GOING_ON:
                break
        if len(steps) == num and is_sensible(steps):
            plan = Plan(tuple(steps))
            if plan.has_new_pair == is_new and is_told(plan):
                return plan


def is_told(plan: Plan) -> bool:
    """Whether the cases show that every step is needed."""
    found = cases(plan.text)
    if plan.is_choice:
        return len({plan.branch(*args) for args, _ in found}) == 2
    if len({repr(wanted) for _, wanted in found}) < 2:
        return False
    return not any(is_idle(plan, place) for place in range(len(plan.steps)))


def is_idle(plan: Plan, place: int) -> bool:
    """Whether the plan returns the same without one of its steps."""
    shorter = Plan((*plan.steps[:place], *plan.steps[place + 1 :]))
    try:
        return all(shorter.run(*args) == wanted for args, wanted in cases(plan.text))
    except (LookupError, ValueError, ArithmeticError, TypeError, AttributeError):
        return False


def is_sensible(steps: list[tuple[Step, tuple[int | str, ...]]]) -> bool:
    """No step twice in a row, and no pick from a list in which nothing may be left."""
    names = [does.name for does, _ in steps]
    may_be_empty = any(name.startswith(("keep", "rest", "but last")) for name in names)
    if may_be_empty and any(does in PICKS for does, _ in steps):
        return False
    return all(first != second for first, second in pairwise(names))


def draw_names(rng: Random, plan: Plan) -> tuple[str, list[str]]:
    """A name for the function, and for its arguments."""
    kind = rng.random()
    if kind < 0.15:
        name = rng.choice(SHORT_NAMES)
    elif kind < 0.4:
        name = re.sub(r"[ -]", "_", re.sub(r" [lw]$", "", plan.steps[-1][0].name))
    elif kind < 0.7:
        name = rng.choice(NAMES)
    else:
        name = f"{rng.choice(NAMES)}_{rng.choice(NAMES)}"
    if name in RESERVED:
        name = f"{name}_{rng.choice(NAMES)}"
    args: list[str] = []
    for takes in plan.takes:
        args.append(rng.choice([arg for arg in ARGUMENTS[takes] if arg not in args]))
    return name, args


def draw_written(rng: Random, plan: Plan) -> Draft:
    """Ask for a whole function."""
    name, args = draw_names(rng, plan)
    question, is_free = ask(rng, plan, name, args)
    if is_free:
        name, args = "f", [ARGUMENTS[plan.takes][0]]
    form = plan.text if len(plan.steps) > 1 else f"{plan.text} | {name}"
    return Draft(question, block(plan.source(name, args)), planned(plan, name, args), form)


def planned(plan: Plan, name: str, args: list[str]) -> str:
    """Each step in words, with its piece of code beside it."""
    x, y = args[0], args[-1]
    parts = [
        (does.source(x, its, y), does.clause(does.says[0], x, its, '"', y))
        for does, its in plan.steps
    ]
    lines = [f"def {name}({', '.join(args)})"]
    if plan.is_choice:
        test, clause = parts[0]
        parts[0] = (test, third(clause))
        for word, (code, clause) in zip((f"if {x}", "then", "else"), parts, strict=True):
            is_said = clause == f"return {code}"
            lines.append(f"{word} {clause}" if is_said else f"{word} {clause}: {code}")
    elif len(parts) == 1 and "return" in parts[0][0]:
        code, clause = parts[0]
        lines.append(f"{clause}: {heart(code)}")
    elif plan.is_fused:
        value, loop = plan.fused(x)
        lines += [f"{parts[0][1]}: {loop.split(' if ')[1]}", f"{parts[1][1]}: {value}"]
    else:
        lines += [f"{clause}: {code}" for code, clause in parts]
    return "\n".join(lines)


def heart(body: str) -> str:
    """The line of a function on which the rest hangs: the innermost one, or its condition."""
    lines = body.split("\n")
    if lines[0].startswith("if ") and "for " not in body:
        return lines[0].removesuffix(":")
    inner = max(lines, key=lambda line: len(line) - len(line.lstrip()))
    return inner.strip().removeprefix("return ")


def draw_code(level: str) -> Callable[[Random, int], Draft]:
    return lambda rng, high: draw_written(rng, draw_single(rng, level, high))


WRITTEN: dict[str, Callable[[Random, int], Draft]] = {
    **{level: draw_code(level) for level in SINGLE},
    "condition": lambda rng, high: draw_written(rng, draw_choice(rng, high)),
    "compose": lambda rng, high: draw_written(rng, draw_steps(rng, 2, high)),
    "new compositions": lambda rng, high: draw_written(rng, draw_steps(rng, 2, high, is_new=True)),
    "three steps": lambda rng, high: draw_written(rng, draw_steps(rng, 3, high)),
}
"""What draws the levels where a function is to be written, given the largest number in it."""


def draw_any(rng: Random, high: int) -> Plan:
    """A plan of any trained kind."""
    kind = rng.random()
    if kind < 0.2:
        return draw_choice(rng, high)
    if kind < 0.45:
        return draw_steps(rng, 2, high)
    return draw_single(rng, rng.choice(list(SINGLE)), high)
