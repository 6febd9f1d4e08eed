"""Whether a tactic is a right step at a goal of logic, decided without Lean.

Reads the tactics that `lean_goals` teaches, and the ways around them that people write. A step is
right if it is allowed and what it leaves can still be shown. Anything unknown is wrong.
"""

import re
from dataclasses import replace

from bise.evals.lean.proofs import Builder, Wrong, part, read_term
from bise.evals.lean.search import backwards, is_reflexive, provable
from bise.evals.lean.terms import FALSE, Atom, Bind, Formula, Join, Not, Sequent, replaced

LONGEST = 200
"""Characters of a tactic."""

NAME = re.compile(r"[^\W\d][\w'✝]*|_")


def is_right(goal: Sequent, tactic: str) -> bool:
    """Whether this is a step forward, to goals that can be shown."""
    if len(tactic) > LONGEST:
        return False
    try:
        goals = [goal]
        for one in split(tactic, ";"):
            if not goals:
                raise Wrong
            first, *rest = goals
            goals = [*step(first, one), *rest]
        return all(provable(one) for one in goals)
    except (Wrong, ValueError, RecursionError):
        return False


def step(goal: Sequent, tactic: str) -> list[Sequent]:
    """The goals a tactic leaves. Raises `Wrong`."""
    word, _, rest = tactic.strip().partition(" ")
    rest = rest.strip()
    if word in ("intro", "rintro"):
        return [_intro(goal, rest.split() or ["a✝"])]
    if word == "exact":
        return _refine(goal, rest, may_leave=False)
    if word == "refine":
        return _refine(goal, rest, may_leave=True)
    if word == "apply":
        return _apply(goal, rest)
    if word == "exists":
        return [_instance(goal, rest)]
    if word in ("rcases", "cases"):
        subject, _, pattern = rest.partition(" with ")
        if word == "cases" and pattern:
            raise Wrong
        return _cases(goal, subject, pattern)
    if word == "obtain":
        pattern, _, subject = rest.partition(" := ")
        return _cases(goal, subject, pattern)
    return _plain(goal, " ".join(tactic.split()))


def _plain(goal: Sequent, tactic: str) -> list[Sequent]:
    """A tactic without arguments."""
    facts = set(goal.known.values())
    is_there, is_clash = goal.target in facts, any(clashes(fact, facts) for fact in facts)
    match tactic, goal.target:
        case "assumption" | "trivial", _ if is_there:
            return []
        case "contradiction" | "trivial", _ if is_clash:
            return []
        case "rfl" | "trivial", target if is_reflexive(target):
            return []
        case "exfalso", target if target != FALSE:
            return [replace(goal, target=FALSE)]
        case "constructor", Join("∧", left, right):
            return [replace(goal, target=left), replace(goal, target=right)]
        case "constructor", Join("↔", left, right):
            return [replace(goal, target=Join("→", *way)) for way in ((left, right), (right, left))]
        case "left", Join("∨", left, _):
            return [replace(goal, target=left)]
        case "right", Join("∨", _, right):
            return [replace(goal, target=right)]
        case _:
            raise Wrong


def clashes(fact: Formula, facts: set[Formula]) -> bool:
    """Whether `contradiction` is content with this fact."""
    match fact:
        case Not(body):
            return body in facts or is_reflexive(body)
        case Atom(text):
            return text == "False" or is_impossible(text)
        case _:
            return False


def is_impossible(text: str) -> bool:
    """Whether an equation says that different constructors are equal."""
    left, _, right = text.partition(" = ")
    return bool(right) and head(left) != head(right) and "" not in (head(left), head(right))


def head(term: str) -> str:
    """The constructor or literal a term shows, or nothing."""
    if re.fullmatch(r"\d+|true|false|none|\[\]", term):
        return term
    if re.fullmatch(r"some \w+", term):
        return "some"
    return "::" if re.fullmatch(r"\w+ :: \w+", term) else ""


def _intro(goal: Sequent, names: list[str]) -> Sequent:
    for name in names:
        if not NAME.fullmatch(name):
            raise Wrong
        goal = Builder(goal).introduced(name)
    return goal


def _refine(goal: Sequent, text: str, *, may_leave: bool) -> list[Sequent]:
    builder = Builder(goal)
    builder.check(read_term(text), goal.target)
    if builder.left and not may_leave:
        raise Wrong
    return builder.left


def _apply(goal: Sequent, text: str) -> list[Sequent]:
    holes = {"And.intro": 2, "Iff.intro": 2, "Or.inl": 1, "Or.inr": 1, "False.elim": 1}
    if text in holes:
        return _refine(goal, text + " ?_" * holes[text], may_leave=True)
    fact = Builder(goal).infer(read_term(text))
    for premises in backwards(fact, goal.target):
        return [replace(goal, target=one) for one in premises]
    raise Wrong


def _instance(goal: Sequent, text: str) -> Sequent:
    if not (isinstance(goal.target, Bind) and goal.target.sign == "∃" and text in goal.terms):
        raise Wrong
    return replace(goal, target=replaced(goal.target.body, goal.target.name, text))


def _cases(goal: Sequent, subject: str, pattern: str) -> list[Sequent]:
    """Take a fact apart that is needed: without it the goal could not be shown."""
    fact = Builder(goal).infer(read_term(subject))
    known = {name: each for name, each in goal.known.items() if name != subject}
    without = replace(goal, known=known)
    if isinstance(fact, Atom | Not) and fact != FALSE:
        raise Wrong
    if provable(without):
        raise Wrong
    return _opened(without, fact, pattern.strip() or _all_new(fact), 0)


def _all_new(fact: Formula) -> str:
    """What bare `cases` does: names that cannot be written."""
    match fact:
        case Join("∨", _, _):
            return "new✝ | new✝"
        case Join(_, _, _) | Bind("∃", _, _, _):
            return "⟨new✝, other✝⟩"
        case _:
            return ""


def _opened(goal: Sequent, fact: Formula, pattern: str, depth: int) -> list[Sequent]:
    """A goal with a fact taken apart as a pattern of `rcases` says."""
    pattern = pattern.strip()
    ways = split(pattern, "|")
    match fact:
        case Atom("False"):
            return []
        case Join("∨", left, right) if len(ways) > 1:
            rest = " | ".join(ways[1:])
            return _opened(goal, left, ways[0], depth) + _opened(goal, right, rest, depth)
        case _ if pattern.startswith("(") and pattern.endswith(")"):
            return _opened(goal, fact, pattern[1:-1], depth)
        case _ if NAME.fullmatch(pattern):
            name = f"{pattern}{depth}✝" if pattern in ("_", "new✝", "other✝") else pattern
            return [replace(goal, known={**goal.known, name: fact})]
        case _ if not (pattern.startswith("⟨") and pattern.endswith("⟩")):
            raise Wrong
        case Join("∧" | "↔", _, _):
            first, *rest = split(pattern[1:-1], ",")
            if not rest:
                raise Wrong
            inner = rest[0] if len(rest) == 1 else f"⟨{', '.join(rest)}⟩"
            opened = _opened(goal, part(fact, "1"), first, depth + 1)
            return [
                end for one in opened for end in _opened(one, part(fact, "2"), inner, depth + 2)
            ]
        case Bind("∃", name, kind, body):
            first, *rest = (one.strip() for one in split(pattern[1:-1], ","))
            if not rest or not NAME.fullmatch(first) or first in goal.terms:
                raise Wrong
            inner = rest[0] if len(rest) == 1 else f"⟨{', '.join(rest)}⟩"
            known = replace(goal, terms={**goal.terms, first: kind})
            return _opened(known, replaced(body, name, first), inner, depth + 1)
        case _:
            raise Wrong


def split(text: str, mark: str) -> list[str]:
    """A text cut at a mark outside of all brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "(⟨") - (letter in ")⟩")
        if letter == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
