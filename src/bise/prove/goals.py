"""A goal as Lean prints it, taken apart: who is in the context, and what is to be shown."""

import re
from dataclasses import dataclass

CASE = re.compile(r"^case [^\n]*\n")
HYPOTHESIS = re.compile(r"^(?P<names>[^\s:(][^:\n]*?) : (?P<type>.*)$", re.DOTALL)
GROUP = re.compile(r"[({⦃\[]\s*(?P<names>[^:(){}\[\]⦃⦄]*?)\s*:\s*")
WORD = re.compile(r"[^\W\d][\w'!?.]*")
OPEN, CLOSE = "({⦃[⟨", ")}⦄]⟩"


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Something in the context, variable or assumption."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal."""

    hypotheses: tuple[Hypothesis, ...]
    target: str
    """What stands behind `⊢`."""

    @property
    def binders(self) -> tuple[Hypothesis, ...]:
        """What the target's leading `∀` and `→` would bring into the context, by these names.

        Assumptions without a name get `h1`, `h2`, …
        """
        return self._opened()[0]

    @property
    def claim(self) -> str:
        """The target behind those."""
        return self._opened()[1]

    def _opened(self) -> tuple[tuple[Hypothesis, ...], str]:
        found: list[Hypothesis] = []
        taken = {one.name for one in self.hypotheses}
        rest = self.target.strip()
        while True:
            if rest.startswith("∀"):
                body = split_outside(rest, ",")
                if body is None:
                    return tuple(found), rest
                found += _bound(body[0][1:].strip())
                rest = body[1].strip()
                continue
            arrow = split_outside(rest, "→")
            if arrow is None:
                return tuple(found), rest
            number = sum(one.name.startswith("h") for one in found) + 1
            while f"h{number}" in taken:
                number += 1
            taken.add(f"h{number}")
            found.append(Hypothesis(f"h{number}", arrow[0].strip()))
            rest = arrow[1].strip()


def read_goal(text: str) -> Goal:
    """A goal from Lean's words: hypotheses line by line, then the target."""
    text = CASE.sub("", text.strip("\n") + "\n")
    before, _, target = text.partition("⊢")
    found: list[Hypothesis] = []
    for block in re.split(r"\n(?=\S)", before.strip("\n")):
        match = HYPOTHESIS.match(block)
        if match is not None:
            kind = " ".join(match["type"].split())
            found += [Hypothesis(name, kind) for name in match["names"].split()]
    return Goal(tuple(found), " ".join(target.split()))


def words_of(text: str) -> set[str]:
    """The names that occur in it."""
    return set(WORD.findall(text))


def _bound(text: str) -> list[Hypothesis]:
    """The names a `∀` binds: `(a b : T) {c : U}` or `a b : T` or `a b`."""
    found: list[Hypothesis] = []
    at = 0
    while group := GROUP.match(text, at):
        end = _closing(text, at)
        kind = text[group.end() : end].strip()
        found += [Hypothesis(name, kind) for name in group["names"].split()]
        at = end + 1
        while at < len(text) and text[at] == " ":
            at += 1
    if not found:
        names, _, kind = text.partition(" : ")
        found = [Hypothesis(name, kind.strip()) for name in names.split()]
    return found


def _closing(text: str, at: int) -> int:
    """Where the bracket that opens at a place is closed."""
    depth = 0
    for place in range(at, len(text)):
        depth += (text[place] in OPEN) - (text[place] in CLOSE)
        if depth == 0:
            return place
    return len(text)


def split_outside(text: str, mark: str) -> tuple[str, str] | None:
    """A text before and after the first such mark outside of all brackets."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in OPEN) - (letter in CLOSE)
        if depth == 0 and text.startswith(mark, place):
            return text[:place], text[place + len(mark) :]
        if depth == 0 and letter in "∃λ" and mark == "→":
            return None  # the arrow belongs to what is bound here
    return None
