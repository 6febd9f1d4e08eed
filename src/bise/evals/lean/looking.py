"""What a look at each hypothesis finds, one after the other: how a small model thinks of a goal.

To find the name of what says something means to look behind oneself, which a small model does not
do in one go. So it writes every hypothesis down again and judges it when it stands there. A second
look goes for what the first one found wanting.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bise.evals.lean.check import is_impossible
from bise.evals.lean.search import backwards, fits
from bise.evals.lean.terms import FALSE, Atom, Bind, Formula, Join, Not, read_goal, replaced, show

NOTHING = "no"
UNKNOWN = re.compile(r"#u\d+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something that would show the target or a side of it."""

    formula: Formula
    label: str


def look_through(goal: str) -> str:
    """One line a hypothesis, as it stands, with what it is good for; perhaps all of them twice."""
    sequent = read_goal(goal)
    lines = [line.partition(" : ") for line in goal.splitlines()]
    texts = [(name, text) for name, _, text in lines if name in sequent.known]
    wanted = what_helps(sequent.target)
    worths = {name: worth(fact, wanted) for name, fact in sequent.known.items()}
    is_found = any(found in ("is it", "has it") for found, _ in worths.values())
    asked = dict[Formula, None]()
    for found, premises in worths.values():
        if found != "denies" or not is_found:
            asked.update(dict.fromkeys(premises))

    def first(name: str) -> str:
        found, premises = worths[name]
        link = " " if found == "denies" else " from " * bool(premises)
        return f"{found}{link}{_listing(premises, goal)}"

    def second(name: str) -> str:
        is_there = any(fits(one, sequent.known[name], {}) for one in asked)
        return "yes" if is_there else NOTHING

    def look(judge: Callable[[str], str]) -> list[str]:
        return [f"{name} : {text} -- {judge(name)}" for name, text in texts]

    seen = look(first)
    if asked:
        seen += [f"Is there {_listing(list(asked), goal)}?", *look(second)]
    return "\n".join(seen)


def what_helps(target: Formula) -> list[Wanted]:
    """The target, and its parts, sides or instances."""
    helps = [Wanted(target, "it")]
    match target:
        case Join("↔", left, right):
            helps += [Wanted(Join("→", left, right), "part 1")]
            helps += [Wanted(Join("→", right, left), "part 2")]
        case Join("∧" | "∨" as sign, _, _):
            word = "part" if sign == "∧" else "side"
            for number, one in enumerate(_listed(target, sign), start=1):
                helps.append(Wanted(one, f"{word} {number}"))
        case Bind("∃", name, _, body):
            parts = _listed(replaced(body, name, "#u0"), "∧")
            helps += [Wanted(one, f"part {number}") for number, one in enumerate(parts, start=1)]
        case _:
            pass
    return helps


def worth(fact: Formula, wanted: Sequence[Wanted]) -> tuple[str, list[Formula]]:
    """What a hypothesis is good for, and what it asks for first."""
    for one in wanted:
        if fits(one.formula, fact, {}):
            return f"is {one.label}", []
    for one in wanted:
        if any(fits(one.formula, each, {}) for each in _inside(fact)):
            return f"has {one.label}", []
    for one in wanted:
        if one.formula == FALSE or "#u" in show(one.formula):
            continue
        for premises in backwards(fact, one.formula):
            return f"gives {one.label}", premises
    match fact:
        case Atom("False"):
            return "gives all", []
        case Atom(text) if is_impossible(text):
            return "cannot be", []
        case Not(body):
            return "denies", [body]
        case Join("∨", _, _):
            return "two cases", []
        case Join("∧", _, _) if any(isinstance(p, Join) and p.sign == "∨" for p in _inside(fact)):
            return "has two cases", []
        case Bind("∃", _, _, _):
            return "hides one", []
        case _:
            return NOTHING, []


def _inside(fact: Formula) -> list[Formula]:
    """The parts of `∧` and `↔`, however deep."""
    match fact:
        case Join("∧", left, right):
            return [left, *_inside(left), right, *_inside(right)]
        case Join("↔", left, right):
            return [Join("→", left, right), Join("→", right, left)]
        case _:
            return []


def _listed(formula: Formula, sign: str) -> list[Formula]:
    """What signs of one kind join, from the left to the right."""
    if isinstance(formula, Join) and formula.sign == sign:
        return [formula.left, *_listed(formula.right, sign)]
    return [formula]


def _listing(formulas: Sequence[Formula], goal: str) -> str:
    return ", ".join(_said(one, goal) for one in formulas)


def _said(formula: Formula, goal: str) -> str:
    """A formula in the words of the goal; what is not known of it is `_`."""
    text = UNKNOWN.sub("_", show(formula))
    if "#" in text:
        return "more"  # a binder inside of it, whose name was not kept
    if isinstance(formula, Not) and isinstance(formula.body, Atom) and text not in goal:
        return formula.body.text.replace(" = ", " ≠ ")
    return text
