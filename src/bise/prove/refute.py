"""Small counterexamples: the negation of a statement, tried with values for what it quantifies."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from bise.judge.pool import WarmPool
from bise.prove.budget import Budget
from bise.prove.filling import is_closed
from bise.prove.goals import Hypothesis, read_goal, split_outside
from bise.prove.source import BEGINNINGS, Declaration, Source
from bise.prove.workspace import Workspace

VALUES = {
    "Nat": ("0", "1", "2", "3", "5"),
    "Int": ("0", "1", "(-1)", "2", "(-2)"),
    "Bool": ("true", "false"),
    "Prop": ("True", "False"),
    "Char": ("'a'", "'b'"),
    "String": ('""', '"a"', '"ab"'),
    "Unit": ("()",),
}
"""Small values of plain types, the smallest first."""

OPERATIONS = {"Nat": ("(· - ·)", "(· + ·)"), "Int": ("(· - ·)",), "Bool": ("(· && ·)",)}
TESTS = ("(fun x => x == 0)", "(fun x => x == 1)")
"""Of numbers."""

ASSUMPTION = "(by first | decide | simp | omega | grind)"
"""The proof of an assumption, once values stand in it."""

MOST_TRIED, MOST_BINDERS = 96, 64
LONGEST_TYPE, MOST_LISTS = 200, 3
"""Letters of a type, and lists in it: values of more than that are no small ones."""

TRY_CPU_S = 4.0
STATEMENT = re.compile(r":=\s*(?:by\s+)?$")


def refute(work: Workspace, pool: WarmPool, budget: Budget, *, cpu_s: float = 30.0) -> bool:
    """Look for a counterexample to the only target; the workspace then holds the disproof.

    Raises `Spent` when the budget ends it.
    """
    name = work.sole_target
    source = Source(work.challenge)
    if name is None or len(source.gaps) != 1:
        return False
    declaration = source.declaration_at(source.gaps[0].start)
    statement = None if declaration is None else statement_of(source, declaration)
    if declaration is None or statement is None:
        return False
    head = f"{source.text.rstrip()}\n\n{_opening(source, declaration)}"
    head += f"theorem not_{declaration.name.split('.')[-1]} : ¬ ({statement}) := by\n"
    line = head.count("\n")
    used_s = 0.0
    for script in islice(_scripts(source, declaration, statement), MOST_TRIED):
        if used_s >= cpu_s:
            break
        budget.check()
        lines = "\n".join(f"  {one}" for one in script.split("\n"))
        text = head + lines + "\n" + _closing(source, declaration)
        tried = pool.check(text, with_goals=False, cpu_s=TRY_CPU_S)
        budget.checked(tried.cpu_s)
        used_s += tried.cpu_s
        if is_closed(tried, line):
            work.begin_disproof(name)
            work.replace(text)
            return True
    return False


def statement_of(source: Source, declaration: Declaration) -> str | None:
    """A theorem's statement as one proposition, its binders before it as `∀`."""
    text = source.text[declaration.start : declaration.end]
    head = BEGINNINGS.match(text)
    at = 0 if head is None else head.end()
    gap = next((one for one in source.gaps if declaration.start <= one.start), None)
    if gap is None or gap.start >= declaration.end:
        return None
    rest = STATEMENT.sub("", text[at : gap.start - declaration.start].rstrip())
    depth = 0
    for place, letter in enumerate(rest):
        depth += (letter in "({[⦃") - (letter in ")}]⦄")
        if depth == 0 and letter == ":" and rest[place : place + 2] != ":=":
            binders, kind = rest[:place].strip(), rest[place + 1 :].strip()
            return f"∀ {binders}, {kind}" if binders else kind
    return None


def _opening(source: Source, declaration: Declaration) -> str:
    """The namespace of a declaration, opened again behind the file."""
    space = source.qualified(declaration).removesuffix(declaration.name).rstrip(".")
    return f"namespace {space}\n\n" if space else ""


def _closing(source: Source, declaration: Declaration) -> str:
    space = source.qualified(declaration).removesuffix(declaration.name).rstrip(".")
    return f"\nend {space}\n" if space else ""


def _scripts(source: Source, declaration: Declaration, statement: str) -> Iterator[str]:
    names = [
        one.name
        for one in source.declarations
        if one.kind == "def" and one.start < declaration.start
    ]
    simp = f"simp [{', '.join(names)}] at h" if names else "simp at h"
    yield "decide"
    yield "intro h\nsimp_all"
    binders = read_goal(f"⊢ {statement}").binders
    for values in _instances(binders):
        yield f"intro h\nhave h := h {values}\nrevert h\ndecide"
        yield f"intro h\nhave h := h {values}\n{simp}"


def _instances(binders: tuple[Hypothesis, ...]) -> Iterator[str]:
    """Arguments for a statement: small values, and `by decide` for assumptions."""
    choices = list[tuple[str, ...]]()
    for one in binders:
        found = values_of(one.type)
        choices.append(found or (ASSUMPTION,))
    if 0 < len(choices) <= MOST_BINDERS:
        for ranks in _ranks([len(one) for one in choices]):
            yield " ".join(one[rank] for one, rank in zip(choices, ranks, strict=True))


def _ranks(sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """One place in each of some lists, those nearest to all beginnings first: only what is asked
    for is made, for all there are is more than any memory holds."""
    for total in range(sum(sizes) - len(sizes) + 1):
        yield from _ranks_of(sizes, total)


def _ranks_of(sizes: Sequence[int], total: int) -> Iterator[tuple[int, ...]]:
    if not sizes:
        yield ()
        return
    rest = sizes[1:]
    least = max(0, total - (sum(rest) - len(rest)))
    for first in range(least, min(sizes[0] - 1, total) + 1):
        for others in _ranks_of(rest, total - first):
            yield (first, *others)


def values_of(kind: str) -> tuple[str, ...]:
    """Small values of a type; none if it is not known."""
    kind = kind.strip()
    if len(kind) > LONGEST_TYPE or kind.count("List") > MOST_LISTS:
        return ()
    while kind.startswith("(") and kind.endswith(")"):
        kind = kind[1:-1].strip()
    if kind in VALUES:
        return VALUES[kind]
    if kind in ("Type", "Type _", "Type u", "Sort u"):
        return ("Nat", "Bool")
    if (sides := split_outside(kind, "→")) is not None:
        return _functions(sides[0].strip(), sides[1].strip())
    word, _, inner = kind.partition(" ")
    inside = values_of(inner) if inner else ()
    if word == "List" and inside:
        one, other = inside[0], inside[min(1, len(inside) - 1)]
        pairs = (f"[{one}, {one}]", f"[{one}, {other}]", f"[{other}, {one}]")
        return ("[]", f"[{one}]", f"[{other}]", *pairs)
    if word == "Option" and inside:
        return ("none", f"(some {inside[0]})")
    return ()


def _functions(start: str, end: str) -> tuple[str, ...]:
    """Some functions from a type to another: the plain ones, constants, projections."""
    found = list[str]()
    if (rest := split_outside(end, "→")) is not None:
        first, last = rest[0].strip(), rest[1].strip()
        found += ["(fun x _ => x)"] * (start == last) + ["(fun _ y => y)"] * (first == last)
        if start == first == last:
            found += OPERATIONS.get(start, ())
        return tuple(found)
    if start == end:
        found += ["(fun x => x + 1)"] if start in ("Nat", "Int") else []
        found += ["(fun x => !x)"] if start == "Bool" else []
        found.append("(fun x => x)")
    if end == "Bool" and start in ("Nat", "Int"):
        found += TESTS
    found += [f"(fun _ => {one})" for one in values_of(end)[:2]]
    return tuple(found)
