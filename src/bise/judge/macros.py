"""Macros of a source's own: whether they only quote, or compute.

What a macro quotes stands in the source as well, and can do no more than that. What it computes, or
puts into a quotation without being given it, may be anything.
"""

from bisect import bisect_left
from collections.abc import Sequence


def words_of(text: str) -> frozenset[str]:
    """A set of words, written with spaces between them."""
    return frozenset(text.split())


ONE_MACRO = words_of("macro elab binder_predicate")
MACROS = ONE_MACRO | words_of("macro_rules")
NOTATIONS = words_of("notation infix infixl infixr prefix postfix")
COMMANDS = words_of(
    "theorem lemma def abbrev instance example opaque axiom inductive structure class mutual "
    "binder_predicate "
    "namespace section end open variable universe set_option macro macro_rules syntax notation "
    "infix infixl infixr prefix postfix deriving attribute private protected public noncomputable "
    "unsafe partial local scoped export include omit elab initialize declare_syntax_cat"
)
"""Words that cannot go on a term that has ended."""

WITHIN_TERMS = words_of("open set_option unsafe")
"""Those that may begin one."""

TACTIC_CALLS = words_of(
    "evalTactic Tactic.evalTactic Elab.Tactic.evalTactic Lean.Elab.Tactic.evalTactic "
    "withMainContext"
)
BEFORE_QUOTING = TACTIC_CALLS | words_of("do ( ← < - | $")
"""All that may stand before the quotation in a tactic of one's own."""


class Macros:
    """Macros and tactics of one's own among the pieces of a source; work is linear in its size."""

    def __init__(self, pieces: Sequence[str]):
        self.pieces = [*pieces, "", ""]
        self._closing: dict[int, int] = {}
        self._num_computed, self._num_quotations = [0], [0]
        opened: list[int] = []
        for at, word in enumerate(pieces):
            if word in ("(", "`("):
                opened.append(at)
            elif word == ")" and opened:
                self._closing[opened.pop()] = at
            self._num_computed.append(self._num_computed[-1] + self._splices_computed(at))
            self._num_quotations.append(self._num_quotations[-1] + (word == "`("))
        self._arrows = [at for at, word in enumerate(pieces) if word == "=>"]
        self._cases: dict[int, bool] = {}

    def computing(self) -> str | None:
        """The first that does more than quote."""
        called: set[int] = set()
        last = 0
        for at, word in enumerate(self.pieces):
            if word == "macro_rules" and not self._only_quote(at + 1):
                return word
            if word in NOTATIONS and self._splices(at):
                return word
            if word in ONE_MACRO:
                arrow = self._arrow(at)
                end = arrow and self._end_of_quotation(arrow + 1, is_tactic=word == "elab")
                if not end or arrow == last or not begins_command(self.pieces[end : end + 2]):
                    return word
                last = arrow
                if not self._spliced(arrow, end) <= self._parameters(at, arrow):
                    return word
                if word == "elab":
                    called |= self._calls(arrow)
        last = [one.rpartition(".")[2] for one in self.pieces]
        if called and len(called) != sum(one in TACTIC_CALLS for one in last):
            return "evalTactic"  # which may be one of their own
        return None

    def _arrow(self, at: int) -> int:
        """Where the right side of a macro begins, before which nothing is quoted; 0 if nowhere."""
        number = bisect_left(self._arrows, at)
        arrow = self._arrows[number] if number < len(self._arrows) else 0
        return arrow if self._num_quotations[at] == self._num_quotations[arrow] else 0

    def _only_quote(self, at: int) -> bool:
        """Whether all cases of a `macro_rules`, from a place on, turn quotations into others."""
        passed = []
        while at not in self._cases:
            passed.append(at)
            pattern = self._closing.get(at + 1, 0)
            pieces = self.pieces
            if (pieces[at], pieces[at + 1], pieces[pattern + 1]) != ("|", "`(", "=>"):
                self._cases[at] = False
                break
            end = self._end_of_quotation(pattern + 2, is_tactic=False)
            if end and not self._spliced(pattern, end) <= self._spliced(at, pattern):
                end = None
            if end is None or pieces[end] != "|":
                self._cases[at] = end is not None and begins_command(pieces[end : end + 2])
                break
            at = end
        self._cases.update(dict.fromkeys(passed, self._cases[at]))
        return self._cases[at]

    def _splices(self, at: int) -> bool:
        """Whether a notation from a place on puts something into what it stands for: `$e`.

        What it stands for becomes a quotation, in which its parameters need no sign.
        """
        following = self.pieces[at + 1 : at + 3]
        while following[0] in WITHIN_TERMS or not begins_command(following):
            if following[0] in ("$", "`("):
                return True
            at += 1
            following = self.pieces[at + 1 : at + 3]
        return False

    def _parameters(self, at: int, arrow: int) -> set[str]:
        """The names of what stands between a macro and its arrow: `x:term`."""
        found = {self.pieces[one] for one in range(at, arrow) if self.pieces[one + 1] == ":"}
        return found | {self.pieces[at + 1]} if self.pieces[at] == "binder_predicate" else found

    def _spliced(self, start: int, end: int) -> set[str]:
        """Names with a sign before them: put into a quotation, or bound by one."""
        signs = (one for one in range(start, end) if self.pieces[one] == "$")
        named = (one + 1 + (self.pieces[one + 1] == "(") for one in signs)
        return {self.pieces[one] for one in named} - {"[", "$"}

    def _calls(self, arrow: int) -> set[int]:
        """Where the calls stand that lead to the quotation behind an arrow."""
        at = arrow + 1
        while self.pieces[at] in BEFORE_QUOTING:
            at += 1
        return {one for one in range(arrow, at) if self.pieces[one] in TACTIC_CALLS}

    def _end_of_quotation(self, at: int, *, is_tactic: bool) -> int | None:
        """Behind what stands on a right side, if that is a quotation."""
        opened = 0
        while is_tactic and self.pieces[at] in BEFORE_QUOTING:
            opened, at = opened + (self.pieces[at] == "("), at + 1
        closing = self._closing.get(at)
        if self.pieces[at] != "`(" or closing is None:
            return None
        if self._num_computed[at] != self._num_computed[closing]:
            return None
        at = closing + 1
        while opened and self.pieces[at] == ")":
            opened, at = opened - 1, at + 1
        return None if opened else at

    def _splices_computed(self, at: int) -> bool:
        """Whether more than a name is put into a quotation at a place: `$(e)`."""
        if self.pieces[at : at + 2] != ["$", "("]:
            return False
        inner = self.pieces[at + 2 : at + 4]
        return inner[-1:] != [")"] or "." in inner[0]


def begins_command(pieces: Sequence[str]) -> bool:
    """Whether a command begins, or nothing more comes."""
    if not pieces or not pieces[0]:
        return True
    return pieces[0] in COMMANDS or pieces[0][0] == "#" or list(pieces) == ["@", "["]
