"""Chains of arithmetic: the skill that thinking helps most, and most visibly.

Without thinking, six layers cannot do eight operations one after the other. With it, every line
carries the whole remaining problem, so no line needs more than the one above it:

    (47+86)-29*3
    47+86: 7+6=13, 4+8+1=13, 133
    133-29*3
    29*3: 9*3=27, 2*3+2=6+2=8, 87
    133-87
    133-87: 3-7+10=6, 3-8-1+10=4, 1-0-1=0, 46
    46
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from random import Random

from bise.evals.chain_phrasing import ask_chain
from bise.evals.task import Example, HoldOut, Task
from bise.evals.working import Step, work_out

MAX_RESULT = 999
"""No intermediate result is farther from zero."""

NEGATIVE_SHARE = 0.12
"""Chains whose running total goes below zero somewhere."""

PRODUCT, BRACKET, BRACKET_PRODUCT = 0.2, 0.13, 0.1
"""How often a term is a product, a bracket or a bracket times a digit, where there is room."""

MOST_DIGITS = 100
"""A number with more of them is no answer, and Python reads only so many."""

Token = int | str
"""A number, an operator or a bracket."""


@dataclass(frozen=True, slots=True)
class Chain(Task):
    """Work out a chain of `+`, `-`, `*` and brackets around pairs. `N terms` has N numbers."""

    slip_share: float = 0.05
    """Solutions that contain one wrong column, noticed and put right at once."""

    name = "chain"
    levels = tuple(f"{num} terms" for num in range(2, 9))
    shape_levels = ("9 terms", "10 terms")

    def draw(self, rng: Random, level: str, reach: float) -> Example:
        num_terms = int(level.split()[0])
        below_zero = rng.random() < NEGATIVE_SHARE
        small_share = 0.6 if reach < 0.1 else 0.35 if num_terms == 2 else 0.2
        while True:
            tokens = draw_chain(rng, num_terms, small_share)
            lines, steps = solve(tokens)
            results = [step.result for step in steps]
            fits = all(abs(result) <= MAX_RESULT for result in results)
            if fits and below_zero == (min(results) < 0 or lines[0][0] == "-"):
                break
        slip = draw_slip(rng, steps) if rng.random() < self.slip_share else None
        return Example(
            task=self.name,
            level=level,
            question=ask_chain(rng, tokens),
            answer=lines[-1],
            thinking=write_solution(lines, steps, slip),
            form=canonical(tokens),
        )

    def grade(self, example: Example, reply: str) -> float:
        """1.0 if the last whole number in the reply is the answer."""
        numbers = re.findall(r"(?<!\d)-?\d+", reply.replace("−", "-"))
        if not numbers or len(numbers[-1]) > MOST_DIGITS:
            return 0.0
        return float(int(numbers[-1]) == int(example.answer))

    def is_held_out(self, example: Example) -> bool:
        """Single digits alone are the alphabet of this skill: always trained."""
        is_alphabet = len(max(re.findall(r"\d+", example.form), key=len)) == 1
        has_shape = example.level in self.shape_levels
        # `super()` without arguments does not work in a dataclass with slots.
        return Task.is_held_out(self, example) and (has_shape or not is_alphabet)

    def hold_outs(self) -> dict[str, HoldOut]:
        # Two terms: unordered sums and ordered differences of 1–99. More: sums alone, unordered.
        nums = {num: comb(98 + num, num) for num in range(3, 11)} | {2: 4_950 + 9_801}
        return {
            level: HoldOut(
                "shape" if level in self.shape_levels else "content",
                nums[int(level.split()[0])],
            )
            for level in self.levels + self.shape_levels
        }

    def answer_class(self, example: Example) -> str:
        """The sign and the last digit."""
        return f"{'-' if example.answer[0] == '-' else ''}{example.answer[-1]}"


def draw_chain(rng: Random, num_terms: int, small_share: float) -> list[Token]:
    """Draw the numbers and operators of a chain; the results may still be too large."""
    tokens: list[Token] = []
    left = num_terms
    while left:
        if tokens:
            tokens.append("+" if rng.random() < 0.52 else "-")
        item = draw_item(rng, left, num_terms, small_share, is_first=not tokens)
        left -= sum(isinstance(token, int) for token in item)
        tokens += item
    return tokens


def draw_item(
    rng: Random, left: int, num_terms: int, small_share: float, *, is_first: bool
) -> list[Token]:
    """Draw one thing to add or take away: a number, a product or a bracket."""
    kind = rng.random()
    if kind < BRACKET_PRODUCT and left >= 3:
        factor = draw_factor(rng)
        bracket = draw_bracket(rng, small_share)
        return [*bracket, "*", factor] if rng.random() < 0.7 else [factor, "*", *bracket]
    kind -= BRACKET_PRODUCT
    if 0 <= kind < BRACKET and left >= 2 and num_terms > 2:
        return draw_bracket(rng, small_share)
    kind -= BRACKET
    if 0 <= kind < PRODUCT and left >= 2:
        number, factor = draw_number(rng, small_share, is_first=is_first), draw_factor(rng)
        return [number, "*", factor] if rng.random() < 0.7 else [factor, "*", number]
    number = draw_number(rng, small_share, is_first=is_first)
    return [-number if is_first and rng.random() < 0.05 else number]


def draw_bracket(rng: Random, small_share: float) -> list[Token]:
    """Draw a pair in brackets, never worth less than zero."""
    first, second = (draw_number(rng, small_share, is_first=True) for _ in range(2))
    if rng.random() < 0.5:
        return ["(", first, "+", second, ")"]
    return ["(", max(first, second), "-", min(first, second), ")"]


def draw_number(rng: Random, small_share: float, *, is_first: bool) -> int:
    """Mostly two digits, often one, and rarely, later in a chain, a little over a hundred."""
    kind = rng.random()
    if kind < small_share:
        return rng.randrange(10)
    if kind > 0.96 and not is_first:
        return rng.randint(100, 199)
    return rng.randint(10, 99)


def draw_factor(rng: Random) -> int:
    return rng.randint(2, 9) if rng.random() < 0.94 else rng.randrange(2)


def solve(tokens: Sequence[Token]) -> tuple[list[str], list[Step]]:
    """Solve a chain: the remaining problem before each step and at the end, and the steps."""
    remaining = list(tokens)
    lines, steps = [write(remaining)], list[Step]()
    while len(remaining) > 1:
        start, stop, first, operator, second = pick(remaining)
        step = work_out(first, operator, second)
        remaining[start:stop] = [step.result]
        lines.append(write(remaining))
        steps.append(step)
    return lines, steps


def pick(tokens: list[Token]) -> tuple[int, int, int, str, int]:
    """Find what to do next: the first bracket, else the first product, else the first pair."""
    if "(" in tokens:
        start = tokens.index("(")
        first, operator, second = tokens[start + 1 : start + 4]
        stop = start + 5
    else:
        start = tokens.index("*") - 1 if "*" in tokens else 0
        stop = start + 3
        first, operator, second = tokens[start:stop]
    assert isinstance(first, int) and isinstance(operator, str) and isinstance(second, int)
    return start, stop, first, operator, second


def write(tokens: Sequence[Token]) -> str:
    return "".join(map(str, tokens))


def write_solution(
    lines: Sequence[str], steps: Sequence[Step], slip: tuple[int, int, int] | None = None
) -> str:
    """Alternate what remains with how its next step is worked out."""
    text = [lines[0]]
    for place, (step, remaining) in enumerate(zip(steps, lines[1:], strict=True)):
        text.append(step.line(slip[1:] if slip and slip[0] == place else None))
        text.append(remaining)
    return "\n".join(text)


def draw_slip(rng: Random, steps: Sequence[Step]) -> tuple[int, int, int] | None:
    """Choose a step, a column and a wrong value for it; none if nothing is done in columns."""
    places = [
        (place, column) for place, step in enumerate(steps) for column in range(len(step.equations))
    ]
    if not places:
        return None
    place, column = rng.choice(places)
    right = steps[place].equations[column].right
    wrong = rng.choice([value for value in (right - 1, right + 1, right + 10) if value >= 0])
    return place, column, wrong


def canonical(tokens: Sequence[Token]) -> str:
    """One spelling for chains that differ only in the order of what is added or multiplied."""
    items: list[str] = []
    for sign, item in signed_items(tokens):
        if "(" in item:
            start = item.index("(")
            inner = canonical(item[start + 1 : start + 4])
            item = [*item[:start], f"({inner})", *item[start + 5 :]]
        factors = sorted(str(token) for token in item if token != "*")
        items.append(sign + "*".join(factors))
    return "".join(sorted(items))


def signed_items(tokens: Sequence[Token]) -> list[tuple[str, list[Token]]]:
    """Split a chain at the operators outside brackets."""
    items: list[tuple[str, list[Token]]] = [("+", [])]
    is_inside = False
    if isinstance(tokens[0], int) and tokens[0] < 0:  # -5+3 is 3-5
        items, tokens = [("-", [-tokens[0]])], tokens[1:]
    for token in tokens:
        if token in ("+", "-") and not is_inside:
            items.append((str(token), []))
        else:
            is_inside = token == "(" or (is_inside and token != ")")
            items[-1][1].append(token)
    return items
