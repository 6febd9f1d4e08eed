"""What automation can do for nothing: no model, no tokens, only tactics tried one after another.

For each gap a few dozen scripts are made from what the goal shows: the closing tactics, alone and
with the file's own definitions and earlier theorems; then induction on each variable, on each
assumption and along each recursive function, followed by those. It is the floor every model has to
beat, and what proves things where there is none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bise.judge.extensions import Position
from bise.judge.pool import WarmPool
from bise.judge.warm import Checked
from bise.prove.budget import Budget
from bise.prove.goals import Goal, Hypothesis, read_goal, words_of
from bise.prove.source import Declaration, Gap, Source
from bise.prove.workspace import Workspace, fill

TRY_CPU_S = 8.0
"""CPU seconds for one script, after which Lean is ended and has to start anew."""

PATIENCE = "set_option maxHeartbeats 20000\n"
"""So that Lean itself gives a script up before that; a tenth of what it would spend."""

MOST_NAMES = 12
"""Definitions and theorems named to one tactic."""

PLAIN_TYPES = ("Prop", "Type", "Sort")
RELATIONS = (" = ", " ≤ ", " < ", " ≥ ", " > ", " ≠ ", " ∣ ", " ∧ ", " ↔ ", " → ", "∀", "∃", "¬")


@dataclass(frozen=True, slots=True)
class Closed:
    """A gap and the script that fills it."""

    name: str
    script: str
    cpu_s: float


@dataclass(slots=True)
class Swept:
    """What the portfolio did to a file."""

    closed: list[Closed] = field(default_factory=list[Closed])
    open: list[str] = field(default_factory=list[str])
    """Declarations whose gap nothing filled."""

    num_tried: int = 0
    cpu_s: float = 0.0


def sweep(work: Workspace, pool: WarmPool, budget: Budget, *, cpu_s: float = 60.0) -> Swept:
    """Fill what automation can fill. The workspace keeps what was found.

    cpu_s: of Lean, for the whole file. Raises `Spent` when the budget ends it.
    """
    swept = Swept()
    skipped, holes = 0, set[str]()
    while skipped < len(work.gaps):
        gap = work.gaps[skipped]
        declaration = work.source.declaration_at(gap.start)
        name = work.source.qualified(declaration) if declaration is not None else "?"
        found = None
        is_theorem = declaration is not None and declaration.kind in ("theorem", "lemma")
        if declaration is not None and not is_theorem:
            holes.add(declaration.name)
        text = "" if declaration is None else work.text[declaration.start : declaration.end]
        if is_theorem and not holes & words_of(text):  # of what has no body nothing can be shown
            share = (cpu_s - swept.cpu_s) / (len(work.gaps) - skipped)
            found = _close(work, gap, pool, budget, swept, max(share, 0.0))
        if found is None:
            swept.open.append(name)
            skipped += 1
        else:
            swept.closed.append(Closed(name, found, swept.cpu_s))
            work.replace(fill(work.text, gap, found))
    return swept


def _close(
    work: Workspace, gap: Gap, pool: WarmPool, budget: Budget, swept: Swept, cpu_s: float
) -> str | None:
    """The first script that closes a gap."""
    source = work.source
    declaration = source.declaration_at(gap.start)
    assert declaration is not None
    # what follows the declaration cannot matter, and takes time
    begun = source.text[: declaration.start] + PATIENCE
    begun += source.text[declaration.start : declaration.end]
    gap, line = gap.moved(len(PATIENCE)), declaration.line + 1
    budget.check()
    shown = pool.goals(begun, Position(gap.line, gap.column))
    if not shown:
        return None
    end = swept.cpu_s + cpu_s
    for script in dict.fromkeys(scripts_for(read_goal(shown[0].text), source, declaration)):
        if swept.cpu_s >= end:
            return None
        budget.check()
        limit_s = min(TRY_CPU_S, max(end - swept.cpu_s, 1.0))
        tried = pool.check(fill(begun, gap, script), with_goals=False, cpu_s=limit_s)
        swept.num_tried += 1
        swept.cpu_s += tried.cpu_s
        budget.checked(tried.cpu_s)
        if is_closed(tried, line):
            return script
    return None


def is_closed(checked: Checked, line: int) -> bool:
    """Whether a declaration that begins in a line, the last of its file, is proved."""
    after = [one for one in checked.messages if one.start.line >= line]
    return checked.end == "answered" and not any(
        one.severity == "error" or one.kind == "hasSorry" for one in after
    )


def scripts_for(goal: Goal, source: Source, declaration: Declaration) -> Iterator[str]:
    """Scripts that may close a goal of a declaration, the cheapest and likeliest first."""
    before = [one for one in source.declarations if one.start < declaration.start and one.name]
    definitions = [one.name for one in before if one.kind in ("def", "abbrev", "instance")]
    theorems = [one.name for one in before if one.kind in ("theorem", "lemma")]
    named = words_of(goal.target).union(*(words_of(one.type) for one in goal.hypotheses))
    near = _near(definitions, source, named)
    binders = goal.binders
    intro = f"intro {' '.join(one.name for one in binders)}\n" if binders else ""
    variables = (*goal.hypotheses, *binders)
    yield from _closers(intro, near, theorems, variables, "∃" in goal.target)
    for induction in _inductions(variables, near, goal.target):
        for finish in _finishes(near, theorems):
            yield f"{intro}{induction} <;> {finish}"


def _closers(
    intro: str,
    definitions: Sequence[str],
    theorems: Sequence[str],
    variables: Sequence[Hypothesis],
    has_witness: bool,
) -> Iterator[str]:
    names = _list([*definitions, *theorems])
    yield from ("rfl", "decide", "omega", "simp", "grind")
    yield f"{intro}simp_all"
    if intro:
        yield f"{intro}omega"
        yield f"{intro}grind"
    if names:
        yield f"{intro}simp [{names}]"
        yield f"{intro}simp_all [{names}]"
        yield f"{intro}grind [{names}]"
        if definitions:
            yield f"{intro}unfold {' '.join(definitions)}\ngrind"
        yield f"{intro}simp [{names}] <;> omega"
        yield f"{intro}simp_all [{names}] <;> grind [{names}]"
    if has_witness:
        yield from _witnesses(intro, variables, names)
    yield f"{intro}constructor <;> intros <;> simp_all{_in_brackets(names)}"
    yield f"{intro}refine ⟨?_, ?_⟩ <;> grind{_in_brackets(names)}"
    yield f"{intro}repeat' constructor\nall_goals grind{_in_brackets(names)}"
    yield f"{intro}split <;> simp_all{_in_brackets(names)} <;> omega"


def _witnesses(intro: str, variables: Sequence[Hypothesis], names: str) -> Iterator[str]:
    """For what is said to exist: the variables themselves, and halves of numbers."""
    finish = f"first | rfl | omega | grind{_in_brackets(names)}"
    data = [one for one in variables if _is_data(one)][:3]
    for one in data:
        yield f"{intro}refine ⟨{one.name}, ?_⟩ <;> ({finish})"
        if one.type in ("Nat", "Int"):
            yield f"{intro}refine ⟨{one.name} / 2, ?_⟩ <;> ({finish})"
            yield f"{intro}refine ⟨{one.name} + 1, ?_⟩ <;> ({finish})"
    if data:
        yield f"{intro}exact ⟨_, rfl⟩"


def _finishes(definitions: Sequence[str], theorems: Sequence[str]) -> Iterator[str]:
    every = _in_brackets(_list([*definitions, *theorems]))
    own = _in_brackets(_list(definitions))
    yield f"grind{every}"
    yield f"simp_all{every}"
    yield f"simp_all{own} <;> grind{every}"
    yield f"simp_all{every} <;> omega"
    yield f"simp_all{own} <;> (repeat' split) <;> simp_all{every} <;> grind{every}"


def _inductions(
    variables: Sequence[Hypothesis], definitions: Sequence[str], target: str
) -> Iterator[str]:
    """Ways to begin an induction, those along functions of the goal first."""
    words = words_of(target)
    for name in definitions:
        if name in words:
            yield f"fun_induction {name}"
    data = [one for one in variables if _is_data(one)]
    for one in data:
        others = [other.name for other in data if other is not one]
        yield f"induction {one.name}"
        if others:
            yield f"induction {one.name} generalizing {' '.join(others)}"
    for one in variables:
        if _is_assumption(one):
            yield f"induction {one.name}"
            yield f"cases {one.name}"
    for one in data:
        yield f"cases {one.name}"


def _is_data(one: Hypothesis) -> bool:
    """Whether it is worth an induction: a list, a number, a tree."""
    return not (
        one.type.startswith(PLAIN_TYPES)
        or any(mark in one.type for mark in RELATIONS)
        or one.name.startswith(("inst", "h"))
        or "✝" in one.name
        or one.type[:1] == one.type  # a type variable
    )


def _is_assumption(one: Hypothesis) -> bool:
    """Whether it may be an inductive proposition."""
    is_compound = " " in one.type and not any(mark in one.type for mark in RELATIONS)
    return is_compound and one.name.startswith("h") and "✝" not in one.name


def _near(definitions: Sequence[str], source: Source, named: set[str]) -> list[str]:
    """Of the file's definitions those the goal names, and those they are made of."""
    texts = {one.name: source.text[one.start : one.end] for one in source.declarations if one.name}
    found: list[str] = []
    coming = [name for name in definitions if name in named or name.split(".")[-1] in named]
    while coming and len(found) < MOST_NAMES:
        name = coming.pop(0)
        if name in found:
            continue
        found.append(name)
        inside = words_of(texts.get(name, ""))
        coming += [one for one in definitions if one in inside and one not in found]
    return found


def _list(names: Sequence[str]) -> str:
    return ", ".join(list(dict.fromkeys(names))[-MOST_NAMES:])


def _in_brackets(names: str) -> str:
    return f" [{names}]" if names else ""
