"""Functions that are given: one has a mistake to find, the other is run by hand."""

import re
from functools import partial
from random import Random
from typing import Any

from bise.evals.phrasing import phrase
from bise.evals.python.ideas import NUMBERS, TEXT_COUNTS, TEXT_PARTS, TEXTS
from bise.evals.python.kinds import Draft, draw_any, draw_choice, draw_names, draw_steps
from bise.evals.python.limits import NotAllowed
from bise.evals.python.lists import LISTS, PICKS, TOTALS, draw_params
from bise.evals.python.loops import LOOPS
from bise.evals.python.parse import parse
from bise.evals.python.phrases import FIX, TRACE, block, wish
from bise.evals.python.plans import CHECKS, COUNTS, KEEPS, MAPS, STEPS, Plan, cases
from bise.evals.python.run import call
from bise.evals.python.step import Step
from bise.evals.words import WORDS

SLIPS = (
    *((" + ", " - "), (" - ", " + "), (" * ", " + "), (" // ", " % "), (" % ", " // ")),
    *((" > ", " < "), (" < ", " > "), (" > ", " >= "), (" < ", " <= "), (" >= ", " > ")),
    *((" <= ", " < "), (" == ", " != "), (" != ", " == "), (" == 0", " == 1")),
    *((" == 1", " == 0"), ("max(", "min("), ("min(", "max("), ("any(", "all("), ("all(", "any(")),
    *((".upper(", ".lower("), (".lower(", ".upper("), (" ** 2", " * 2"), (" ** 3", " ** 2")),
    *(("[::-1]", "[::1]"), ("[::2]", "[1::2]"), ("[1:]", "[:1]"), ("[:-1]", "[1:]")),
    *(("[0]", "[1]"), ("[-1]", "[0]"), (" + 1)", ")"), ("(1, ", "(0, "), ("sum(", "len(")),
    *((".startswith(", ".endswith("), (".endswith(", ".startswith("), (" not in ", " in ")),
    *((", reverse=True", ""), ("sorted(", "list("), ("total = 0", "total = 1"), ("[:", "[-")),
    *(("total = 1", "total = 0"), ("return -", "return "), (".count(", ".find("), ("[-", "[")),
)
"""Small mistakes people make."""


def draw_fix(rng: Random, high: int) -> Draft:
    """A function with one wrong line; the cases say that it is wrong."""
    while True:
        plan = draw_any(rng, high)
        name, args = draw_names(rng, plan)
        right = plan.source(name, args).split("\n")
        place = rng.randrange(1, len(right))
        line = slipped(rng, right[place])
        if line is None:
            continue
        wrong = "\n".join([*right[:place], line, *right[place + 1 :]])
        if not passes(plan, wrong, name):
            break
    do = wish(rng, plan, args)
    thinking = (
        f"It should {wish_plain(plan, args)}\nwrong: {line.strip()}\nright: {right[place].strip()}"
    )
    question = f"{phrase(rng, FIX, name=name, do=do)}\n{block(wrong)}"
    form = plan.text if len(plan.steps) > 1 else f"{plan.text} | {line.strip()}"
    return Draft(question, block("\n".join(right)), thinking, form)


def wish_plain(plan: Plan, args: list[str]) -> str:
    """What a plan is for, always in the same words."""
    return wish(Random(0), plan, args)


def slipped(rng: Random, line: str) -> str | None:
    """A line with a mistake, if there is one to make."""
    options = [(old, new) for old, new in SLIPS if old in line]
    number = re.search(r"\d+", line)
    if number and rng.random() < 0.25:
        near = int(number[0]) + rng.choice((1, 1, 10))
        return f"{line[: number.start()]}{near}{line[number.end() :]}"
    if not options:
        return None
    old, new = rng.choice(options)
    return line.replace(old, new, 1)


def passes(plan: Plan, code: str, name: str) -> bool:
    """Whether a function does what its plan says, as far as the cases tell."""
    try:
        functions = parse(code)
        if name not in functions:
            return False
        return all(
            is_same(call(functions, name, args), wanted) for args, wanted in cases(plan.text)
        )
    except NotAllowed:
        return False


def is_same(value: Any, wanted: Any) -> bool:
    """Equal; a list of numbers is no text, but `True` may be 1, as in a test of `==`."""
    return type(value) in (int, bool, float, str, list, dict) and bool(value == wanted)


HARD = ("cube", "digit sum", "vowels", "letters", "alternate", "dashes", "mean", "backwards")
TRACED = {
    "n": (*NUMBERS, *(one for one in CHECKS if one.takes == "n")),
    "s": (*TEXTS, *TEXT_COUNTS, *TEXT_PARTS, *(one for one in CHECKS if one.takes == "s")),
    "l": tuple(s for s in (*MAPS, *KEEPS, *COUNTS, *LISTS, *TOTALS, *PICKS) if s.takes == "l"),
    "nn": tuple(loop for loop in LOOPS if loop.takes == "nn" and "\n" not in loop.code),
}


def is_easy(does: Step) -> bool:
    return not any(hard in does.name for hard in HARD)


def draw_trace(rng: Random, high: int) -> Draft:
    """Small arguments, so that each line can be worked out in writing."""
    small = min(9, high)
    while True:
        plan = draw_traced(rng, small)
        if not all(is_easy(does) for does, _ in plan.steps):
            continue
        args = [draw_small(rng, kind, small) for kind in plan.takes]
        try:
            answer = show(plan.run(*args))
        except (LookupError, ValueError, ArithmeticError):
            continue
        lines = worked(plan, args)
        if max(map(int, re.findall(r"\d+", "\n".join(lines))), default=0) < 200 and answer != '""':
            break
    name, names = draw_names(rng, plan)
    called = f"{name}({', '.join(map(show, args))})"
    question = f"{phrase(rng, TRACE, call=called)}\n{block(plan.source(name, names))}"
    given = [f"{own} = {show(value)}" for own, value in zip(names, args, strict=True)]
    code = [line.strip() for line in plan.lines(names)]
    if plan.is_choice:
        test, params = plan.steps[0]
        code = [code[0].removesuffix(":"), code[1 if test.run(*args, *params) else 2]]
    steps = [f"{line}: {work}" for line, work in zip(code, lines, strict=True)]
    form = plan.text if len(plan.steps) > 1 else f"{plan.text} | {', '.join(map(show, args))}"
    return Draft(question, answer, "\n".join([*given, *steps]), form)


def draw_traced(rng: Random, high: int) -> Plan:
    kind = rng.random()
    if kind < 0.2:
        return draw_choice(rng, high)
    if kind < 0.5:
        while (plan := draw_steps(rng, 2, high)).takes == "w":
            pass
        return plan
    does = rng.choice(TRACED[rng.choice(("n", "s", "l", "l", "nn"))])
    return Plan(((does, draw_params(rng, does.params, high)),))


def draw_small(rng: Random, kind: str, high: int) -> Any:
    if kind == "s":
        return rng.choice([word for word in rng.sample(WORDS, 8) if len(word) < 6] or ["cat"])
    if kind == "l":
        return [rng.randint(1, high) for _ in range(rng.randint(2, 4))]
    return rng.randint(0, high + 3)


def worked(plan: Plan, args: list[Any]) -> list[str]:
    """What each line that is reached does with its values."""
    if plan.is_choice:
        test, then, other = plan.steps
        is_so = test[0].run(*args, *test[1])
        return [work(*test, args), work(*(then if is_so else other), args)]
    if plan.is_fused:
        (keep, its), (each, others) = plan.steps
        test, does = STEPS[keep.name[5:]], STEPS[each.name[5:]]
        parts: list[str] = []
        for item in args[0]:
            is_kept = test.run(item, *its)
            parts.append(f"{test.source(show(item), its)} {is_kept}")
            if is_kept:
                parts.append(f"{does.source(show(item), others)} = {show(does.run(item, *others))}")
        return [f"{', '.join(parts)}: {show(plan.run(*args))}"]
    lines: list[str] = []
    values = args
    for does, its in plan.steps:
        lines.append(work(does, its, values))
        values = [does.run(*values, *its)]
    return lines


def work(does: Step, params: tuple[int | str, ...], values: list[Any]) -> str:
    """One step with its values, item by item where it goes through a list."""
    result = show(does.run(*values, *params))
    first, _, rest = does.name.partition(" ")
    if isinstance(values[0], list) and first in ("each", "keep", "num", "any", "all") and rest:
        one = STEPS[rest]
        shown = partial(item_work, one, params, is_map=first == "each")
        return f"{', '.join(map(shown, values[0]))}: {result}"
    if does.name == "sum":
        total, parts = 0, list[str]()
        for item in values[0]:
            parts.append(f"{total} + {item} = {total + item}")
            total += item
        return f"{', '.join(parts)}: {result}"
    code = does.source(shown_in(does, values[0]), params, show(values[-1])).removeprefix("return ")
    return (
        result
        if code == result
        else f"{code} = {result}"
        if does.gives != "b"
        else f"{code} is {result}"
    )


def item_work(one: Step, params: tuple[int | str, ...], item: Any, *, is_map: bool) -> str:
    code = one.source(shown_in(one, item), params)
    value = show(one.run(item, *params))
    return f"{code} = {value}" if is_map else f"{code} {value}"


def shown_in(does: Step, value: Any) -> str:
    """A value in the place of a name; a negative number beside an operator has brackets."""
    text = show(value)
    return f"({text})" if text[0] == "-" and "({x}" not in does.code else text


def show(value: Any) -> str:
    """A value as Python writes it, with double quotes."""
    return repr(value).replace("'", '"')
