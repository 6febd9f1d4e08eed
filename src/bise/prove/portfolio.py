"""What automation can do for nothing: no model, no tokens, only tactics tried one after another.

For each gap a few dozen scripts are made from what the goal shows: the closing tactics, alone and
with the file's own definitions and earlier theorems; then induction on each variable, on each
assumption and along each recursive function, followed by those. It is the floor every model has to
beat, and what proves things where there is none.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from bise.judge.pool import WarmPool
from bise.prove.budget import Budget
from bise.prove.explore import explore
from bise.prove.filling import Closed, Spot, Swept, Trial, fill_gaps
from bise.prove.goals import CLOSE, OPEN, Goal, Hypothesis, read_goal, words_of
from bise.prove.source import Declaration, Source
from bise.prove.tools import Finds, definitions_behind
from bise.prove.workspace import Workspace

EXPLORED_SHARE = 0.4
"""Of the CPU seconds for what scripts did not fill: those for lemmas."""

MOST_FOUND, MOST_PREMISES, MOST_INDUCTIONS = 24, 12, 3
"""Of the library: declarations looked at, theorems tried, inductions that they are tried behind."""

EMPTY, ANY_LIST = "[]", "more"
ONE_ELEMENT = re.compile(r"\[(?P<inside>[^\[\],|:]+)\]")
EXPLORED_CPU_S = 3.0
"""For one script of a lemma that may not even be true."""

MOST_NAMES = 12
"""Definitions and theorems named to one tactic."""

MOST_APPLICATIONS = 3
"""Of one function, for inductions along it."""

ARGUMENT = re.compile(r" +(?!(?:fun|then|else|with|do|in|at|by)\b)(?:[^\W\d][\w'!?.]*|\d+|[(\[⟨])")
Tried = set[tuple[str, str]]
"""Scripts that failed, each with the goal it was for."""

PLAIN_TYPES = ("Prop", "Type", "Sort")
RELATIONS = (" = ", " ≤ ", " < ", " ≥ ", " > ", " ≠ ", " ∣ ", " ∧ ", " ↔ ", " → ", "∀", "∃", "¬")


def sweep(
    work: Workspace,
    pool: WarmPool,
    budget: Budget,
    *,
    cpu_s: float = 60.0,
    told: Callable[[Closed], None] = lambda _: None,
    tried: Tried | None = None,
) -> Swept:
    """Fill what scripts can fill; see `fill_gaps`. tried: gets those that failed."""
    known = set[tuple[str, str]]() if tried is None else tried

    def close(spot: Spot, trial: Trial) -> str | None:
        return _close(spot, trial, known, None)

    return fill_gaps(work, pool, budget, close, cpu_s=cpu_s, told=told)


def sweep_deeper(
    work: Workspace,
    pool: WarmPool,
    budget: Budget,
    tried: Tried,
    premises: Callable[[], Finds],
    *,
    cpu_s: float,
    told: Callable[[Closed], None] = lambda _: None,
    explored: Callable[[Sequence[str]], None] = lambda _: None,
) -> Swept:
    """Fill what scripts can fill with lemmas that nobody stated, and with what the library proves.

    explored: of the lemmas that were found; tried: scripts that failed before; premises: the
    library. The rest as `fill_gaps`.
    """
    searched = Swept()
    trial = Trial(pool, budget, searched, cpu_s * EXPLORED_SHARE, EXPLORED_CPU_S)
    if lemmas := explore(work, trial):
        explored(lemmas)

    def close(spot: Spot, trial: Trial) -> str | None:
        return _close(spot, trial, tried, premises)

    left_s = cpu_s - searched.cpu_s
    return searched.followed_by(fill_gaps(work, pool, budget, close, cpu_s=left_s, told=told))


def _close(
    spot: Spot,
    trial: Trial,
    tried: Tried,
    premises: Callable[[], Finds] | None,
) -> str | None:
    """The first script that closes a gap. tried: those that failed there, not to be repeated."""
    trial.budget.check()
    shown = spot.goals(trial.pool)
    if not shown:
        return None
    goal = read_goal(shown[0])
    known = () if premises is None else _known(shown[0], spot, trial, premises())
    for script in dict.fromkeys(scripts_for(goal, spot.source, spot.declaration, known)):
        if trial.is_over:
            return None
        if (shown[0], script) in tried:
            continue
        tried.add((shown[0], script))
        if spot.is_closed(trial.check(spot.filled(script))):
            return script
    return None


def _known(goal: str, spot: Spot, trial: Trial, premises: Finds) -> list[str]:
    """Theorems of the library for a goal, and for what is left of it after the first steps."""
    see = setting_of(read_goal(goal), spot.source, spot.declaration)
    own, queries = _in_brackets(_list([*see.near, *see.theorems])), [goal]
    for begun in ("", *(f"{one} <;> " for one in see.inductions[:MOST_INDUCTIONS])):
        if trial.is_over:
            break
        queries += (spot.left(f"{see.intro}{begun}try simp_all{own}", trial) or ())[:1]
    context = definitions_behind(spot.source, goal)
    lists = [
        [one.name for one in premises.search(query, MOST_FOUND, context=context)
         if one.kind == "theorem"]
        for query in dict.fromkeys(queries)
    ]  # fmt: skip
    mixed = [one for several in zip_longest(*lists) for one in several if one is not None]
    return list(dict.fromkeys(mixed))[:MOST_PREMISES]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a goal and the file before it offer."""

    intro: str
    """Brings what the goal quantifies into the context."""

    variables: tuple[Hypothesis, ...]
    near: list[str]
    """Definitions the goal speaks of."""

    theorems: list[str]
    inductions: list[str]


def setting_of(goal: Goal, source: Source, declaration: Declaration) -> Setting:
    """What there is to work with at a goal of a declaration."""
    before = [one for one in source.declarations if one.start < declaration.start and one.name]
    definitions = [one.name for one in before if one.kind in ("def", "abbrev", "instance")]
    theorems = [one.name for one in before if one.kind in ("theorem", "lemma")]
    named = words_of(goal.target).union(*(words_of(one.type) for one in goal.hypotheses))
    near = _near(definitions, source, named)
    binders = goal.binders
    intro = f"intro {' '.join(one.name for one in binders)}\n" if binders else ""
    variables = (*goal.hypotheses, *binders)
    inductions = list(dict.fromkeys(_inductions(variables, near, goal.target)))
    return Setting(intro, variables, near, theorems, inductions)


def scripts_for(
    goal: Goal, source: Source, declaration: Declaration, known: Sequence[str] = ()
) -> Iterator[str]:
    """Scripts that may close a goal of a declaration, the cheapest and likeliest first.

    known: theorems of the library that may help.
    """
    see = setting_of(goal, source, declaration)
    yield from _closers(see, "∃" in goal.target)
    yield from _generalized(see, goal.claim)
    first, rest = see.inductions[:MOST_INDUCTIONS], see.inductions[MOST_INDUCTIONS:]
    yield from _by_induction(see, first)
    if known:
        yield from _by_library(see, known)
    yield from _by_induction(see, rest)


def _by_induction(see: Setting, inductions: Sequence[str]) -> Iterator[str]:
    for induction in inductions:
        for finish in _finishes(see):
            yield f"{see.intro}{induction} <;> {finish}"


def _closers(see: Setting, has_witness: bool) -> Iterator[str]:
    intro, names = see.intro, _list([*see.near, *see.theorems])
    yield from ("rfl", "decide", "omega", "simp", "grind")
    yield f"{intro}simp_all"
    if intro:
        yield f"{intro}omega"
        yield f"{intro}grind"
    if names:
        yield f"{intro}simp [{names}]"
        yield f"{intro}simp_all [{names}]"
        yield f"{intro}grind [{names}]"
        if see.near:
            yield f"{intro}unfold {' '.join(see.near)}\ngrind"
        yield f"{intro}simp [{names}] <;> omega"
        yield f"{intro}simp_all [{names}] <;> grind [{names}]"
    if has_witness:
        yield from _witnesses(intro, see.variables, names)
    yield f"{intro}constructor <;> intros <;> simp_all{_in_brackets(names)}"
    yield f"{intro}refine ⟨?_, ?_⟩ <;> grind{_in_brackets(names)}"
    yield f"{intro}repeat' constructor\nall_goals grind{_in_brackets(names)}"
    yield f"{intro}split <;> simp_all{_in_brackets(names)} <;> omega"


def _by_library(see: Setting, known: Sequence[str]) -> Iterator[str]:
    """With theorems of the library: all of them to rewrite with, one by one else."""
    intro, names, library = see.intro, _list([*see.near, *see.theorems]), ", ".join(known)
    every = f"{names}, {library}" if names else library
    yield f"{intro}simp [{every}]"
    yield f"{intro}simp_all [{every}]"
    yield f"{intro}simp [{every}] <;> grind{_in_brackets(names)}"
    for one in known:
        yield f"{intro}grind [{', '.join(filter(None, (names, one)))}]"
        others = [other for other in known if other != one]
        yield f"{intro}simp [{', '.join(filter(None, (names, f'← {one}', *others)))}]"
        yield f"{intro}apply {one} <;> simp_all{_in_brackets(names)} <;> omega"
    for induction in see.inductions[:MOST_INDUCTIONS]:
        yield f"{intro}{induction} <;> simp_all [{every}]"
        yield f"{intro}{induction} <;> simp_all [{every}] <;> grind{_in_brackets(names)}"
        for one in known[: 2 * MOST_INDUCTIONS]:
            yield f"{intro}{induction} <;> grind [{', '.join(filter(None, (names, one)))}]"


def _generalized(see: Setting, claim: str) -> Iterator[str]:
    """A statement about `[]`, shown for every list instead: what begins empty does not stay so."""
    if EMPTY not in claim:
        return
    wider = ONE_ELEMENT.sub(rf"(\g<inside> :: {ANY_LIST})", claim.replace(EMPTY, ANY_LIST))
    names = _in_brackets(_list([*see.near, *see.theorems]))
    for induction in see.inductions[:MOST_INDUCTIONS]:
        for finish in (f"simp_all{names}", f"grind{names}", f"simp_all{names} <;> grind{names}"):
            yield (
                f"{see.intro}have wider : ∀ {ANY_LIST}, {wider} := by\n"
                f"  {induction} <;> intros <;> {finish}\n"
                f"simpa using wider {EMPTY}"
            )


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


def _finishes(see: Setting) -> Iterator[str]:
    every = _in_brackets(_list([*see.near, *see.theorems]))
    own = _in_brackets(_list(see.near))
    yield f"grind{every}"
    yield f"simp_all{every}"
    yield f"simp_all{own} <;> grind{every}"
    yield f"simp_all{every} <;> omega"
    yield f"simp_all{own} <;> (repeat' split) <;> simp_all{every} <;> grind{every}"


def _inductions(
    variables: Sequence[Hypothesis], definitions: Sequence[str], target: str
) -> Iterator[str]:
    """Ways to begin an induction, those along functions of the goal first."""
    said = [target, *(one.type for one in variables if not _is_data(one))]
    for name in definitions:
        found = applications(name, target)
        if len(found) == 1:
            yield f"fun_induction {name}"
        for one in found or applications(name, " , ".join(said)):
            yield f"fun_induction {one}"
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
    for name in definitions:
        if name in words_of(target):
            yield f"fun_cases {name}"


def applications(name: str, text: str) -> list[str]:
    """How a function is applied in a text, each way once: name and arguments, as they stand."""
    found = list[str]()
    for match in re.finditer(rf"(?<![\w.'!?]){re.escape(name)}(?![\w'!?.])", text):
        at = match.end()
        while (argument := ARGUMENT.match(text, at)) is not None:
            at = _end_of(text, argument)
        if at > match.end():
            found.append(text[match.start() : at])
    return list(dict.fromkeys(found))[:MOST_APPLICATIONS]


def _end_of(text: str, argument: "re.Match[str]") -> int:
    """Where an argument ends: a word, or a bracket with what is in it."""
    start = argument.end() - 1
    if text[start] not in OPEN:
        return argument.end()
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] in OPEN) - (text[at] in CLOSE)
        if depth == 0:
            return at + 1
    return len(text)


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
