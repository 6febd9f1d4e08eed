"""Lemmas nobody asked for: what the functions of a file are likely to satisfy, tried and kept.

A proof by induction often needs a lemma about a function of the file that nobody stated: that it
goes over `++`, that an accumulator can be taken out, that it loses no element. Such statements are
made from the functions' types alone, and those that automation proves are put before the first open
theorem, where everything that is tried afterwards may use them. False ones only fail.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bise.prove.bodies import body_start
from bise.prove.filling import PATIENCE, Trial, is_closed
from bise.prove.goals import split_outside, words_of
from bise.prove.source import BEGINNINGS, Declaration, Source
from bise.prove.workspace import Workspace

MOST_FUNCTIONS = 6
"""Those nearest to the open theorem."""

NUMBERS = ("Nat", "Int")
GROUP = re.compile(r"\s*([({⦃\[])")
CLOSING = {"(": ")", "{": "}", "[": "]", "⦃": "⦄"}
TAKEN = ("xs", "ys", "acc", "one")
"""Names of ours in a lemma; a function that has them among its own gets none."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a definition takes and gives, as it is written."""

    name: str
    implicit: str
    """Binders in braces and brackets, to be copied."""

    taken: tuple[tuple[str, str], ...]
    """Explicit arguments: name and type."""

    gives: str
    is_structural: bool = True
    """Whether it says nothing of a measure: `grind` may follow one that has for ever."""

    def call(self, **instead: str) -> str:
        """The function applied to its arguments, some of them replaced."""
        words = [instead.get(name, name) for name, _ in self.taken]
        return " ".join([self.name, *words])

    def binders(self, *without: str) -> str:
        """The arguments to be quantified over."""
        found = [f"({name} : {kind})" for name, kind in self.taken if name not in without]
        return " ".join(found)


@dataclass(frozen=True, slots=True)
class Conjecture:
    """A statement that may hold, and where an induction may begin."""

    about: Signature
    kind: str
    """Ends its name."""

    binders: str
    claim: str
    on: str
    """The variable for an induction,"""

    along: str
    """and the application for one along the function."""

    @property
    def question(self) -> tuple[str, str, str]:
        """Of several that share it, one answer is enough."""
        return self.about.name, self.kind, self.on


def explore(work: Workspace, trial: Trial) -> list[str]:
    """Prove what can be proved, and write it before the first open theorem: the lemmas' names.

    Raises `Spent`.
    """
    source = work.source
    place = _first_open(source)
    if place is None:
        return []
    head, known, settled = source.text[: place.start], list[str](), set[tuple[str, str, str]]()
    lemmas = ""
    for one in _conjectures(source, place):
        if trial.is_over:
            break
        if one.question in settled:
            continue
        name = _free_name(f"{one.about.name.rpartition('.')[2]}_{one.kind}", source, known)
        words = f"theorem {name} {one.about.implicit} {one.binders} :".split()
        statement = f"{' '.join(words)}\n    {one.claim} := by\n"
        script = _proof(one, known, head + lemmas + PATIENCE + statement, trial)
        if script is not None:
            known.append(name)
            settled.add(one.question)
            lemmas += f"{statement}  {script}\n\n"
    if lemmas:
        work.replace(head + lemmas + source.text[place.start :])
    return known


def _proof(one: Conjecture, known: Sequence[str], begun: str, trial: Trial) -> str | None:
    """The script that proves a conjecture."""
    line = begun.count("\n") - 1  # where the statement begins
    for script in _scripts(one, known):
        if trial.is_over:
            return None
        if is_closed(trial.check(f"{begun}  {script}\n"), line):
            return script
    return None


def _scripts(one: Conjecture, known: Sequence[str]) -> Iterator[str]:
    names = ", ".join([one.about.name, *known])
    others = [name for name, _ in one.about.taken if name != one.on]
    others += [name for name in ("acc", "ys") if f"({name} " in one.binders]
    variable = f" generalizing {' '.join(others)}" if others else ""
    for way in (f"induction {one.on}{variable}", f"fun_induction {one.along}"):
        yield f"{way} <;> simp_all [{names}]"
        if one.about.is_structural:
            yield f"{way} <;> grind [{names}]"


def _conjectures(source: Source, place: Declaration) -> Iterator[Conjecture]:
    """Likely statements about recursive functions before a place, the plainest first."""
    found = list[Signature]()
    for one in source.declarations:
        if one.start >= place.start or one.kind not in ("def", "abbrev"):
            continue
        signature = signature_of(source, one)
        if signature is not None and _is_recursive(source, one):
            found.append(signature)
    for signature in found[-MOST_FUNCTIONS:]:
        yield from conjectures_about(signature)


def conjectures_about(it: Signature) -> Iterator[Conjecture]:
    """What a function of such a type often satisfies."""
    for name, kind in it.taken:
        if kind.startswith("List "):
            yield from _over_append(it, name)
    for name, kind in it.taken:
        if kind == it.gives and len(it.taken) > 1:
            yield from _without_accumulator(it, name)
    for name, kind in it.taken:
        if kind.startswith("List ") and it.gives == kind:
            yield from _of_elements(it, name, kind.removeprefix("List ").strip())


def _over_append(it: Signature, name: str) -> Iterator[Conjecture]:
    """A list put together of two: first the one, then the other."""
    others = it.binders(name)
    binders = f"{others} ({name} ys : {dict(it.taken)[name]})"
    whole = it.call(**{name: f"({name} ++ ys)"})
    one, two = it.call(), it.call(**{name: "ys"})

    def claim(kind: str, right: str, sign: str = "=") -> Conjecture:
        return Conjecture(it, kind, binders, f"{whole} {sign} {right}", name, one)

    for state, kind in it.taken:
        if state == name:
            continue
        then = it.call(**{name: "ys", state: f"({one})"})
        if kind == it.gives:
            yield claim("append", then)
        if it.gives in (f"Option {kind}", f"Option ({kind})"):
            later = it.call(**{name: "ys", state: "one"})
            yield claim("append", f"({one}).bind fun one => {later}")
    if it.gives.startswith("List "):
        yield claim("append", f"{one} ++ {two}")
        yield claim("append", f"{two} ++ {one}")
    elif it.gives in NUMBERS:
        yield claim("append", f"{one} + {two}")
    elif it.gives == "Bool":
        yield claim("append", f"({one} && {two})")
        yield claim("append", f"({one} || {two})")
    elif it.gives == "Prop":
        yield claim("append", f"({one} ∧ {two})", "↔")


def _without_accumulator(it: Signature, name: str) -> Iterator[Conjecture]:
    """What is handed on and given back at the end, taken out."""
    others = [one for one in it.taken if one[0] != name]
    binders = f"{it.binders(name)} (acc : {it.gives})"
    on = next((one for one, kind in others if kind.startswith("List ")), others[0][0])
    whole = it.call(**{name: "acc"})

    def claim(start: str, right: str) -> Conjecture:
        plain = it.call(**{name: start})
        return Conjecture(it, "acc", binders, f"{whole} = {right.format(plain)}", on, whole)

    if it.gives.startswith("List "):
        yield claim("[]", "{} ++ acc")
        yield claim("[]", "acc ++ {}")
        yield claim("[]", "acc.reverse ++ {}")
    elif it.gives in NUMBERS:
        yield claim("0", "acc + {}")
        yield claim("1", "acc * {}")


def _of_elements(it: Signature, name: str, kind: str) -> Iterator[Conjecture]:
    """Nothing is lost, nothing is made up."""
    more = [one for one, of in it.taken if one != name and of in (kind, f"({kind})")]
    binders = it.binders()
    plain = len(more) == len(it.taken) - 1
    whole = f"({it.call()})"
    given = f"({' :: '.join([*more, name])})" if more else name

    def claim(ends: str, said: str) -> Conjecture:
        return Conjecture(it, ends, binders, said, name, it.call())

    yield claim("length", f"{whole}.length = {given}.length")
    if plain:
        yield claim("perm", f"{whole}.Perm {given}")
        member = f"{binders} (one : {kind})"
        said = f"one ∈ {it.call()} ↔ one ∈ {given}"
        yield Conjecture(it, "mem", member, said, name, it.call())


def signature_of(source: Source, declaration: Declaration) -> Signature | None:
    """A definition's type, if it is written out."""
    body = body_start(source, declaration)
    match = BEGINNINGS.match(source.text[declaration.start : declaration.end])
    if body is None or match is None or not match["name"]:
        return None
    rest = source.text[declaration.start + match.end() : body]
    implicit, taken = list[str](), list[tuple[str, str]]()
    while (opening := GROUP.match(rest)) is not None:
        end = _end_of_group(rest, opening.end() - 1)
        group, rest = rest[opening.start(1) : end], rest[end:]
        if group[0] != "(":
            implicit.append(group)
            continue
        names, _, kind = group[1:-1].partition(":")
        taken += [(one, " ".join(kind.split())) for one in names.split()]
    mark, _, kind = rest.partition(":")
    if mark.strip() or not kind.strip():
        return None
    kind = " ".join(kind.split())
    while (sides := split_outside(kind, "→")) is not None:
        taken.append((f"a{len(taken) + 1}", sides[0].strip()))
        kind = sides[1].strip()
    used = {one for one, _ in taken}
    if not taken or len(used) != len(taken) or used & set(TAKEN[1:]) or "_" in used:
        return None
    is_structural = "termination_by" not in source.text[body : declaration.end + 20]
    return Signature(match["name"], " ".join(implicit), tuple(taken), kind, is_structural)


def _end_of_group(text: str, start: int) -> int:
    """Behind the bracket that closes the one at a place."""
    opening, depth = text[start], 0
    for place in range(start, len(text)):
        depth += (text[place] == opening) - (text[place] == CLOSING[opening])
        if depth == 0:
            return place + 1
    return len(text)


def _is_recursive(source: Source, declaration: Declaration) -> bool:
    body = body_start(source, declaration)
    inside = source.text[body : declaration.end] if body is not None else ""
    return declaration.name.rpartition(".")[2] in words_of(inside)


def _first_open(source: Source) -> Declaration | None:
    for gap in source.gaps:
        found = source.declaration_at(gap.start)
        if found is not None and found.kind in ("theorem", "lemma"):
            return found
    return None


def _free_name(name: str, source: Source, known: Sequence[str]) -> str:
    words = words_of(source.text) | set(known)
    return next(one for one in (name + "'" * count for count in range(1, 99)) if one not in words)
