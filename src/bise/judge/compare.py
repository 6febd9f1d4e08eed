"""Whether what a challenge fixed is the same in a submission.

Two declarations are compared by what they are: kind, universes, type, value, constructors. What a
person wrote is called by its name in both files; what Lean made besides is known by its content,
for Lean names and numbers such parts as it meets them. Proofs are alike when both are proofs in
the same place: the kernel says what they prove. Names of binders, kinds of binders and notes do
not count.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bise.errors import UserError
from bise.judge.challenge import Challenge
from bise.judge.constants import Constant
from bise.judge.side import Side, shown
from bise.judge.terms import (
    APPLY,
    CONSTANT,
    FORALL,
    LAMBDA,
    LET,
    LEVEL_PARAM,
    NOTE,
    PROJECT,
    Name,
)
from bise.judge.types import Context, Unknown

MAX_STEPS = 3_000_000
"""Pairs of terms that are looked at, at most."""

PLACES = {("panicWithPosWithDecl",): {4, 5}, ("panicWithPos",): {3, 4}}
"""Arguments that say in which line and column of the source a call stands. They mean nothing: what
panics is, to the kernel, some value of its type, whatever the message."""

MAX_DEPTH = 50_000
"""Terms nested deeper than this cannot be compared."""

LOCK = threading.Lock()
DEEP: list[int] = []
"""The limit of recursion before each of those who raised it and are not done; the first is as it
was before all of them."""

COMPUTED = """
Nat Nat.zero Nat.succ Nat.add Nat.sub Nat.mul Nat.div Nat.mod Nat.gcd Nat.beq Nat.ble Nat.land
Nat.lor Nat.xor Nat.shiftLeft Nat.shiftRight Nat.pow Nat.log2 Bool Bool.true Bool.false
Char Char.ofNat String String.mk String.ofList List List.nil List.cons Eq Eq.refl
Quot Quot.mk Quot.lift Quot.ind Lean.reduceBool Lean.reduceNat eagerReduce
"""
KNOWN_TO_KERNELS: frozenset[Name] = frozenset(tuple(one.split(".")) for one in COMPUTED.split())
"""A kernel computes these by their names, whatever they are declared as. Where the library at hand
lacks one (a challenge with `prelude`), another meaning for it would prove anything.
Checked against: Lean 4 src/kernel/type_checker.cpp, inductive.cpp, quot.cpp."""


class Rejected(UserError):
    """Why a submission is not what was asked for."""

    def __init__(self, reason: str, message: str, *, hint: str = ""):
        super().__init__(message, hint=hint)
        self.reason = reason


def compare(challenge: Challenge, submission: Side) -> "Comparison":
    """Hold a submission against a challenge. Raises `Rejected`."""
    refuse_shadows(challenge, submission)
    comparison = Comparison(challenge, submission)
    with deep_recursion():
        comparison.run()
    return comparison


def refuse_shadows(challenge: Challenge, submission: Side) -> None:
    """Nothing may bear the name of something that the library has, or that kernels know."""
    fixed = challenge.side.module
    for name in submission.module:
        if name in submission.library:
            raise Rejected(
                "shadows_library",
                f"`{shown(name)}` is declared anew, though the library has it",
            )
        if name in KNOWN_TO_KERNELS and (name not in fixed or name in challenge.holes):
            raise Rejected(
                "shadows_library",
                f"`{shown(name)}` is declared, though the kernel computes it by its name",
            )


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Terms may be nested deeper than Python likes to recurse; its limit is one for all threads."""
    with LOCK:
        DEEP.append(sys.getrecursionlimit())
        sys.setrecursionlimit(max(DEEP[0], MAX_DEPTH))
    try:
        yield
    except RecursionError:
        raise Rejected("too_complex", "terms are nested too deeply to be looked at") from None
    finally:
        with LOCK:
            before = DEEP.pop(0)
            if DEEP:
                DEEP[0] = before
            else:
                sys.setrecursionlimit(before)


class Comparison:
    """One run: pairs of names that were found alike, or are still to be looked at."""

    def __init__(self, challenge: Challenge, submission: Side):
        self.challenge, self.ours, self.theirs = challenge, challenge.side, submission
        self.terms = submission.terms
        self.holes = frozenset(challenge.holes)
        self._waiting: list[Name] = [one for one in self.ours.module if one in KNOWN_TO_KERNELS]
        self._queued: set[Name] = set()
        self._alike: dict[tuple[Name, Name], bool] = {}
        self._partners: tuple[dict[Name, Name], dict[Name, Name]] = ({}, {})
        self._equal: set[tuple[int, int]] = set()
        self._steps = self._passed_over = 0

    def run(self) -> None:
        """Targets, holes, then whatever their statements speak of."""
        for name in self.challenge.holes:
            self._check_hole(name)
        for name in self.challenge.targets:
            self._check_target(name)
        self._drain()

    def is_same(self, name: Name) -> bool:
        """Whether a declaration, and all it rests on, is the same in both files."""
        with deep_recursion():
            try:
                if name not in self.holes and not self._same_content(name, name):
                    return False
                self._drain()
            except Rejected:
                self._waiting.clear()
                return False
        return True

    def says(self, asked: Constant, given: Constant) -> bool:
        """Whether a theorem says what was asked, and all it speaks of is the same. May raise."""
        if not self._same_type(asked, given):
            return False
        self._drain()
        return True

    def _drain(self) -> None:
        """Look at what was put off."""
        while self._waiting:
            name = self._waiting.pop()
            if name in self.holes or name in self.challenge.targets:
                continue
            if name not in self.theirs.module:
                raise Rejected("fixed_missing", f"`{shown(name)}` of the challenge is missing")
            if not self._same_content(name, name):
                raise Rejected(
                    "fixed_changed", f"`{shown(name)}` is not what it is in the challenge"
                )

    def _check_target(self, name: Name) -> None:
        found = self.theirs.module.get(name)
        if found is None:
            raise Rejected("target_missing", f"there is no theorem `{shown(name)}`")
        if found.kind != "theorem":
            raise Rejected(
                "target_kind", f"`{shown(name)}` is declared as {found.kind}, not as a theorem"
            )
        if not self._same_type(self.ours.module[name], found):
            raise Rejected(
                "statement_differs", f"`{shown(name)}` does not say what the challenge says"
            )

    def _check_hole(self, name: Name) -> None:
        found = self.theirs.module.get(name)
        if found is None:
            raise Rejected("hole_missing", f"there is no definition `{shown(name)}`")
        if found.kind != "definition" or found.safety != "safe":
            kind = found.kind if found.safety == "safe" else f"{found.safety} {found.kind}"
            raise Rejected(
                "hole_kind", f"`{shown(name)}` is declared as {kind}, not as a definition"
            )
        if not self._same_type(self.ours.module[name], found):
            raise Rejected("hole_type", f"`{shown(name)}` has another type than asked for")

    def _link(self, ours: Name, theirs: Name) -> bool:
        """Whether one name means in the challenge what the other means in the submission."""
        if ours not in self.ours.module:
            return ours == theirs and theirs not in self.theirs.module
        if ours in self.holes:
            return ours == theirs
        if self.ours.is_written(ours):
            if ours != theirs:
                return False
            if ours not in self._queued:
                self._queued.add(ours)
                self._waiting.append(ours)
            return self._are_partners(ours, theirs)
        if theirs not in self.theirs.module:
            return False
        return self._same_content(ours, theirs) and self._are_partners(ours, theirs)

    def _are_partners(self, ours: Name, theirs: Name) -> bool:
        """Whether neither of two alike declarations stands for yet another one as well.

        Definitions may, for they are equal if alike. Two types or two opaque constants are not.
        """
        if self.ours.module[ours].kind in ("definition", "theorem"):
            return True
        there, back = self._partners
        return there.setdefault(ours, theirs) == theirs and back.setdefault(theirs, ours) == ours

    def _same_content(self, ours: Name, theirs: Name) -> bool:
        """Whether two declarations are the same but for their names."""
        known = self._alike.get((ours, theirs))
        if known is None:
            before = len(self._alike)
            self._alike[(ours, theirs)] = True  # while they speak of each other
            one, other = self.ours.module[ours], self.theirs.module[theirs]
            known = self._same_declaration(one, other)
            if not known:  # what was found alike or equal since may have rested on it
                for pair in list(self._alike)[before:]:
                    if self._alike[pair]:
                        del self._alike[pair]
                self._equal.clear()
            self._alike[(ours, theirs)] = known
        return known

    def _same_declaration(self, one: Constant, other: Constant) -> bool:
        if (one.kind, one.safety, one.counts, one.flags) != (
            other.kind,
            other.safety,
            other.counts,
            other.flags,
        ):
            return False
        if not self._same_type(one, other):
            return False
        if one.kind == "theorem":
            return True
        if one.value is not None and other.value is not None:
            return self._same(one.value, self._renamed(other.value, one, other))
        return self._same_parts(one, other)

    def _same_parts(self, one: Constant, other: Constant) -> bool:
        """Constructors, the types of a mutual block, what a recursor computes."""
        pairs = [
            (one.constructors, other.constructors),
            (
                (one.inductive,) if one.inductive else (),
                (other.inductive,) if other.inductive else (),
            ),
            (one.together, other.together),
        ]
        for ours, theirs in pairs:
            if len(ours) != len(theirs):
                return False
            if not all(self._link(*pair) for pair in zip(ours, theirs, strict=True)):
                return False
        if len(one.rules) != len(other.rules):
            return False
        for mine, yours in zip(one.rules, other.rules, strict=True):
            if mine.num_fields != yours.num_fields:
                return False
            if not self._link(mine.constructor, yours.constructor):
                return False
            if not self._same(mine.value, self._renamed(yours.value, one, other)):
                return False
        return True

    def _same_type(self, one: Constant, other: Constant) -> bool:
        if len(one.universes) != len(other.universes):
            return False
        return self._same(one.type, self._renamed(other.type, one, other))

    def _renamed(self, term: int, one: Constant, other: Constant) -> int:
        """A term of the second declaration with the first one's names of universes."""
        if one.universes == other.universes:
            return term
        levels = tuple(self.terms.levels.add(LEVEL_PARAM, name) for name in one.universes)
        return self.theirs.types.at_levels(term, other.universes, levels)

    def _same(self, ours: int, theirs: int, mine: Context = None, yours: Context = None) -> bool:
        """Whether two terms are the same; mine, yours: the types of variables around them."""
        ours, theirs = self._bare(ours), self._bare(theirs)
        if (ours, theirs) in self._equal:
            return True
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise Rejected("too_complex", "comparing takes too long")
        if ours == theirs and self._names_agree(ours):
            self._equal.add((ours, theirs))
            return True
        passed_over = self._passed_over
        if self._same_node(ours, theirs, mine, yours):
            if self._passed_over == passed_over:  # else it depends on what stands around
                self._equal.add((ours, theirs))
            return True
        self._passed_over += 1
        return self._both_prove(ours, theirs, mine, yours)

    def _same_node(self, ours: int, theirs: int, mine: Context, yours: Context) -> bool:
        one, other = self.terms.expressions[ours], self.terms.expressions[theirs]
        tag = one[0]
        if tag != other[0]:
            return False
        if tag == CONSTANT:
            return one[2] == other[2] and self._link(one[1], other[1])
        if tag == APPLY:
            return self._same_application(ours, theirs, mine, yours)
        if tag in (LAMBDA, FORALL, LET):
            return self._same_binder(one, other, mine, yours)
        if tag == PROJECT:
            return (
                one[2] == other[2]
                and self._link(one[1], other[1])
                and self._same(one[3], other[3], mine, yours)
            )
        return ours == theirs

    def _same_application(self, ours: int, theirs: int, mine: Context, yours: Context) -> bool:
        head, arguments = self.ours.types.spine(ours)
        other, others = self.theirs.types.spine(theirs)
        if len(arguments) != len(others) or not self._same(head, other, mine, yours):
            return False
        node = self.terms.expressions[head]
        is_theirs = node[0] == CONSTANT and node[1] in self.ours.library
        skipped = PLACES.get(node[1], ()) if is_theirs else ()
        return all(
            at in skipped or self._same(one, two, mine, yours)
            for at, (one, two) in enumerate(zip(arguments, others, strict=True))
        )

    def _same_binder(self, one: tuple, other: tuple, mine: Context, yours: Context) -> bool:
        if one[0] == LET and one[5] != other[5]:
            return False
        if not self._same(one[2], other[2], mine, yours):
            return False
        if one[0] == LET and not self._same(one[3], other[3], mine, yours):
            return False
        body = 4 if one[0] == LET else 3
        return self._same(one[body], other[body], (one[2], mine), (other[2], yours))

    def _both_prove(self, ours: int, theirs: int, mine: Context, yours: Context) -> bool:
        """Whether both are proofs: all proofs of a proposition are one to the kernel."""
        try:
            return self.ours.types.is_proof(ours, mine) and self.theirs.types.is_proof(
                theirs, yours
            )
        except Unknown:
            return False

    def _names_agree(self, term: int) -> bool:
        """Whether all names in one term mean the same in both files."""
        return all(
            self._link(name, name)
            for name in self.terms.constants(term)
            if name in self.ours.module or name in self.theirs.module
        )

    def _bare(self, term: int) -> int:
        node = self.terms.expressions[term]
        while node[0] == NOTE:
            term = node[1]
            node = self.terms.expressions[term]
        return term
