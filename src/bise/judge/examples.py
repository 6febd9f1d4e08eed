"""Examples that a submitted definition must agree with, evaluated by a kernel.

A file of examples has lines `#guard e`. They are elaborated behind the challenge, so a submission
has no say in what they mean; then a kernel that was shown the submission's declarations is asked
whether each one computes to `true`. No code of the submission runs for it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from bise.judge.axioms import reachable
from bise.judge.backend import Replayed
from bise.judge.challenge import Challenge, Unusable
from bise.judge.compare import Comparison, Rejected
from bise.judge.constants import Constant
from bise.judge.side import Side, without_private
from bise.judge.terms import APPLY, CONSTANT, SUCC, ZERO, Name, show_name

GUARD, PREFIX = "#guard", "judged_example_"

Replay = Callable[[Sequence[Constant]], Replayed]
"""Lets a fresh kernel check declarations."""


def as_definitions(text: str) -> str:
    """A file of examples as definitions of `Bool`. Raises `Unusable` if there are none."""
    made, count = [], 0
    for block in _blocks(text):
        if block.startswith(GUARD) and block[len(GUARD) : len(GUARD) + 1].isspace():
            count += 1
            claim = block[len(GUARD) :]
            made.append(f"def {PREFIX}{count} : Bool := decide (\n {claim}\n  )")
        else:
            made.append(block)
    if not count:
        raise Unusable("no_examples", f"the file of examples has no line `{GUARD} …`")
    return "\n".join(made) + "\n"


def _blocks(text: str) -> Iterator[str]:
    """Lines that begin at the margin, each with those that are indented below it."""
    block: list[str] = []
    # other characters that end lines for Python may stand in a text of an example
    for line in text.replace("\r\n", "\n").removesuffix("\n").split("\n"):
        if block and line[:1].strip():
            yield "\n".join(block)
            block = []
        block.append(line)
    if block:
        yield "\n".join(block)


class Examples:
    """The examples of a challenge, put to a submission."""

    def __init__(self, challenge: Challenge, submission: Side, comparison: Comparison):
        """challenge: compiled with its examples behind it. comparison: one that found no fault."""
        self.ours, self.theirs, self.comparison = challenge.side, submission, comparison
        self.holes = frozenset(challenge.holes)
        self.names = [name for name in self.ours.module if _number(name)]
        self.names.sort(key=_number)
        self.true: list[Name] = []
        self.unknown: list[Name] = []

    def check(self, replay: Replay) -> None:
        """Have all of them evaluated. Raises `Rejected` for the first that is false."""
        left = []
        for name in self.names:
            (left if self._rest(name) is not None else self.unknown).append(name)
        while left:
            answer = replay(self._declarations(left, is_true=True))
            if answer.is_accepted:
                self.true += left
                return
            refused = next((one for one in left if f"`{show_name(one)}`" in answer.fault), None)
            if refused is None:  # it took too long, or something else went wrong
                self.unknown += left
                return
            if replay(self._declarations([refused], is_true=False)).is_accepted:
                number = _number(refused)
                raise Rejected("example_failed", f"example {number} is false of what was submitted")
            self.unknown.append(refused)
            left.remove(refused)

    def _declarations(self, names: Sequence[Name], *, is_true: bool) -> list[Constant]:
        """What the examples speak of, and for each one that it is true, or false."""
        found: dict[Name, Constant] = {}
        for name in names:
            found |= self._rest(name) or {}
            found[name] = self._claim(self.ours.module[name], is_true)
        return list(found.values())

    def _rest(self, name: Name) -> dict[Name, Constant] | None:
        """What an example rests on; nothing if the submission has something else by a name."""
        open_ends = {one: self.ours.module[one] for one in self.ours.module}
        for hole in self.holes:
            open_ends[hole] = replace(open_ends[hole], value=None, kind="axiom")
        own: dict[Name, Constant] = {}
        theirs: list[Name] = []
        for one, constant in reachable([name], open_ends, self.ours.terms).items():
            if constant is None or one == name:
                continue
            if one not in self.theirs.module:
                own[one] = constant
            elif self.comparison.is_same(one):
                theirs.append(one)
            else:
                return None
        rest = reachable(theirs, self.theirs.module, self.theirs.terms)
        return own | {one: constant for one, constant in rest.items() if constant is not None}

    def _claim(self, example: Constant, is_true: bool) -> Constant:
        """`example = true`, and that computing both sides shows it."""
        terms = self.ours.terms
        add, levels = terms.expressions.add, terms.levels
        level = (levels.add(SUCC, levels.add(ZERO)),)
        truth = add(CONSTANT, ("Bool", "true" if is_true else "false"), ())
        kind = add(CONSTANT, ("Bool",), ())
        assert example.value is not None, "an example is a definition"
        says = add(APPLY, add(CONSTANT, ("Eq",), level), kind)
        says = add(APPLY, add(APPLY, says, example.value), truth)
        proof = add(APPLY, add(CONSTANT, ("Eq", "refl"), level), kind)
        return Constant(
            name=example.name,
            kind="theorem",
            universes=(),
            type=says,
            value=add(APPLY, proof, truth),
            together=(example.name,),
        )


def _number(name: Name) -> int:
    """Which example a name stands for; 0 if it is none."""
    words = without_private(name)
    if len(words) != 1 or not isinstance(words[0], str) or not words[0].startswith(PREFIX):
        return 0
    digits = words[0][len(PREFIX) :]
    return int(digits) if digits.isdecimal() else 0
