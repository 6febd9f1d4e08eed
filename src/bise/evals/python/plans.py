"""A plan is what a function shall do: its steps, its lines of code, and the cases that test it.

It is written as a short text such as `keep even; each add 3`, from which it can be read again, so
that a reply is marked against the plan and never against another piece of code.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from bise.evals.python.ideas import (
    IF_NUMBERS,
    IF_TEXTS,
    NUMBERS,
    TEXT_COUNTS,
    TEXT_PARTS,
    TEXTS,
)
from bise.evals.python.lists import ITEM, LISTS, PICKS, TOTALS, checks, filters, maps
from bise.evals.python.loops import LOOPS
from bise.evals.python.step import Step, step
from bise.evals.words import WORDS

BRANCHES = (
    step("say", ">o", "t", "{k}", "return {k}", lambda x, k: k),  # noqa: ARG005
    step("number", ">o", "k", "{k}", "return {k}", lambda x, k: k),  # noqa: ARG005
    step("same", ">o", "", "{x}", "return {x}", lambda x: x),
)
"""What else, beside a step, may follow an `if`."""

FILTERS, MAPS, CHECKS = filters(), maps(), checks()
KEEPS = [each for each in FILTERS if each.name.startswith("keep ")]
COUNTS = [each for each in FILTERS if not each.name.startswith("keep ")]
STEPS: dict[str, Step] = {
    each.name: each
    for each in (
        *(*NUMBERS, *TEXTS, *TEXT_COUNTS, *TEXT_PARTS, *CHECKS, *IF_NUMBERS, *IF_TEXTS),
        *(*LISTS, *TOTALS, *PICKS, *FILTERS, *MAPS, *LOOPS, *BRANCHES),
    )
}

NEW_SHARE = 8
"""One of so many pairs of steps is never trained."""

NUM_CASES = 8
NUM_TRIES = 40
"""Arguments are drawn until the cases have different results, or so many times."""

Params = tuple[int | str, ...]
Case = tuple[tuple[Any, ...], Any]
"""Arguments, and what the function shall return for them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps one after the other, or a condition and what to do in either case."""

    steps: tuple[tuple[Step, Params], ...]
    is_choice: bool = False

    @property
    def text(self) -> str:
        parts = (
            " ".join([s.name.replace(" ", "_"), *map(str, params)]) for s, params in self.steps
        )
        return (" ? " if self.is_choice else "; ").join(parts)

    @property
    def takes(self) -> str:
        return self.steps[0][0].takes

    def run(self, *args: Any) -> Any:
        """What the function shall return."""
        if self.is_choice:
            (test, params), then, other = self.steps
            does, its = then if test.run(*args, *params) else other
            return does.run(*args, *its)
        (first, params), *others = self.steps
        value = first.run(*args, *params)
        for does, its in others:
            value = does.run(value, *its)
        return value

    def branch(self, *args: Any) -> str:
        """Which of its two ends a choice comes to."""
        test, params = self.steps[0]
        return str(bool(test.run(*args, *params)))

    def lines(self, names: list[str]) -> list[str]:
        """The lines of the function's body."""
        x, y = names[0], names[-1]
        codes = [does.source(x, params, y) for does, params in self.steps]
        if self.is_choice:
            test, then, other = codes
            return [f"if {test}:", f"    return {then}", f"return {other}"]
        if self.is_fused:
            value, loop = self.fused(x)
            return [f"return [{value} {loop}]"]
        *before, last = codes
        lines = [f"{x} = {code}" for code in before]
        return lines + (last.split("\n") if "return " in last else [f"return {last}"])

    @property
    def is_fused(self) -> bool:
        """Keeping some items and changing each of them is one comprehension."""
        names = [does.name.split(" ")[0] for does, _ in self.steps]
        return names == ["keep", "each"]

    def fused(self, x: str) -> tuple[str, str]:
        """What becomes of an item, and the loop over those that are kept."""
        (keep, its), (each, others) = self.steps
        item = ITEM[keep.takes][0]
        loop = keep.source(x, its).removeprefix(f"[{item} ").removesuffix("]")
        return each.source(x, others)[1:].rsplit(f" for {item} in ", 1)[0], loop

    def source(self, name: str, names: list[str]) -> str:
        body = "".join(f"\n    {line}" for line in self.lines(names))
        return f"def {name}({', '.join(names)}):{body}"

    @property
    def has_new_pair(self) -> bool:
        """Whether two neighbouring steps are kept from training together."""
        names = [does.name for does, _ in self.steps]
        return not self.is_choice and any(map(is_new, names, names[1:]))


def is_new(first: str, second: str) -> bool:
    return hashlib.sha256(f"{first}; {second}".encode()).digest()[0] < 256 // NEW_SHARE


def read_plan(text: str) -> Plan:
    """A plan from its text."""
    is_choice = " ? " in text
    steps: list[tuple[Step, Params]] = []
    for part in text.split(" ? " if is_choice else "; "):
        name, *params = part.split(" ")
        steps.append((STEPS[name.replace("_", " ")], tuple(map(whole_or_text, params))))
    return Plan(tuple(steps), is_choice)


def whole_or_text(text: str) -> int | str:
    return int(text) if text.isdigit() else text


@lru_cache(maxsize=4096)
def cases(text: str) -> tuple[Case, ...]:
    """Arguments with what the plan of this text returns for them; the same ones each time."""
    plan, rng = read_plan(text), Random(text)
    params = [each for _, its in plan.steps for each in its]
    groups: dict[str, dict[str, Case]] = {}
    for turn in range(NUM_TRIES):
        args: list[Any] = []
        for place, kind in enumerate(plan.takes):
            args.append(draw_value(rng, kind, params, turn + 3 * place))
        if plan.takes == "ss" and turn % 3:
            args[1] = args[0][::-1] if turn % 3 == 1 else args[0][0] + args[1]
        try:
            result = plan.run(*args)
        except (LookupError, ValueError, ArithmeticError):
            continue  # nobody said what to do with, say, the largest of no numbers
        group = plan.branch(*args) if plan.is_choice else repr(result)
        groups.setdefault(group, {})[repr(args)] = (tuple(args), result)
        if sum(min(NUM_CASES // 2, len(same)) for same in groups.values()) >= NUM_CASES:
            break
    listed = [list(same.values()) for same in groups.values()]
    turns = range(max(map(len, listed), default=0))
    return tuple(same[turn] for turn in turns for same in listed if turn < len(same))[:NUM_CASES]


def draw_value(rng: Random, kind: str, params: list[int | str], turn: int) -> Any:
    """An argument near the plan's own numbers and letters, where mistakes show."""
    if kind == "u":
        return (3, 6, 1, 4, 7, 2, 9, 5, 8, 0)[turn % 10]
    if kind == "n":
        nums = [each for each in params if isinstance(each, int)]
        pool = [each + shift for each in nums for shift in (0, 1, -1)]
        pool += [7, -4, 12, 0, 35, -13, 1, 88]
        return pool[turn] if turn < min(9, len(pool)) else rng.randint(-60, 150)
    if kind == "s":
        return draw_text(rng, params, turn)
    if turn % 4 == 1 and kind in ITEM:
        return [draw_value(rng, ITEM[kind][1], params, turn // 4)]
    if kind == "w":
        words = [draw_text(rng, params, rng.randrange(8)) for _ in range(rng.randint(2, 6))]
        words += [each for each in params if isinstance(each, str) and turn % 4 == 2]
        return words + words[:1] if turn % 3 == 0 else words
    few = [draw_value(rng, "n", params, rng.randrange(12)) for _ in range(rng.randint(3, 7))]
    return few + few[:1] if turn % 3 == 0 else few


def draw_text(rng: Random, params: list[int | str], turn: int) -> str:
    words = [each for each in params if isinstance(each, str)] or [rng.choice("aeo")]
    sizes = [each for each in params if isinstance(each, int) and each < 40] or [5]
    word, own = rng.choice(WORDS), rng.choice(words)
    return (
        own + word,
        word + own,
        "".join(rng.choices("abcdeo", k=rng.choice(sizes) - 1)),
        f"{own}{word}{own}{rng.choice(words)}",
        f"{word.capitalize()} {rng.choice(WORDS)}",
        rng.choice(("level", "noon", "anna", "radar", "otto", "abba")),
        "".join(rng.choices("abcdeo", k=rng.choice(sizes) + rng.choice((0, 0, 1)))),
        rng.choice((word, word.upper(), word.title())),
    )[turn % 8]
