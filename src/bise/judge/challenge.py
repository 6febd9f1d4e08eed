"""What a challenge asks for: theorems to prove, definitions to give, and whether it is a fair one.

A challenge is an ordinary file with gaps: `sorry` where something is to be put in. The rules are
those of the page on the judge, decided from the compiled file and never from its text.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bise.errors import UserError
from bise.judge.axioms import reachable
from bise.judge.constants import Constant
from bise.judge.side import Side, shown
from bise.judge.terms import CONSTANT, FORALL, LAMBDA, NOTE, PROJECT, SORT, Name, name_order
from bise.judge.types import Context, Unknown

GAP: Name = ("sorryAx",)

MAX_KINDS = 200
"""Types that are looked into for one hole, each held by another one."""


class Unusable(UserError):
    """A challenge or a call that nothing can be judged by."""

    def __init__(self, reason: str, message: str, *, hint: str = ""):
        super().__init__(message, hint=hint)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Challenge:
    """A challenge that can be judged by."""

    side: Side
    targets: tuple[Name, ...]
    """Theorems to be proved, in the order they are written."""

    holes: tuple[Name, ...]
    """Definitions to be given, likewise."""

    needs_review: tuple[Name, ...]
    """Holes that yield a proposition or a type: whoever fills them says what the theorems mean."""


def read_challenge(side: Side, *, allows_predicates: bool = False) -> Challenge:
    """Find targets and holes. Raises `Unusable`."""
    _refuse_axioms(side)
    gaps = _Gaps(side)
    gaps.refuse_in_types()
    order = sorted(side.outermost, key=lambda name: (side.ranges[name].start, name_order(name)))
    holes = tuple(name for name in order if gaps.is_hole(name))
    gaps.refuse_partial(holes)
    predicates = tuple(name for name in holes if yields_predicate(side, side.module[name].type))
    if predicates and not allows_predicates:
        raise Unusable(
            "predicate_hole",
            f"the hole `{shown(predicates[0])}` yields a proposition or a type, so whoever "
            "fills it says what the theorems mean",
            hint="allow it with a flag, and have the result read by a person",
        )
    targets = tuple(name for name in order if gaps.is_target(name))
    if not targets:
        raise Unusable("no_targets", "no theorem of the challenge rests on a gap")
    return Challenge(side=side, targets=targets, holes=holes, needs_review=predicates)


def _refuse_axioms(side: Side) -> None:
    for name, constant in side.module.items():
        if constant.kind == "axiom":
            raise Unusable("axiom_in_challenge", f"the challenge has an axiom `{shown(name)}`")


class _Gaps:
    """Where the gaps of a challenge are."""

    def __init__(self, side: Side):
        self.side, self.terms = side, side.terms

    def refuse_in_types(self) -> None:
        """A gap may be what somebody fills in, never a part of what is asked."""
        for name, constant in self.side.module.items():
            owner = self.side.module.get(self.side.owner(name))
            if constant.kind in ("inductive", "constructor", "recursor"):
                self._refuse("gap_in_type", name, constant.type)
            elif owner is not None and owner.kind == "inductive" and constant.value is not None:
                if constant.kind != "theorem":
                    self._refuse("gap_in_type", name, constant.type, constant.value)
            elif owner is not None and owner.kind == "opaque":
                self._refuse("gap_in_opaque", name, *constant.expressions())
            if name in self.side.outermost:
                self._refuse("gap_in_statement", name, *self._with_parts(constant.type))

    def is_hole(self, name: Name) -> bool:
        """Whether a definition's whole body after the binders is a gap."""
        constant = self.side.module[name]
        if constant.kind != "definition" or constant.value is None:
            return False
        body = constant.value
        node = self.terms.expressions[body]
        while node[0] in (LAMBDA, NOTE):
            body = node[3] if node[0] == LAMBDA else node[1]
            node = self.terms.expressions[body]
        head = self.terms.expressions[self.side.types.spine(body)[0]]
        return head[0] == CONSTANT and head[1] == GAP

    def refuse_partial(self, holes: tuple[Name, ...]) -> None:
        """Elsewhere in a definition only proofs may be missing."""
        for name, constant in self.side.module.items():
            owner = self.side.module.get(self.side.owner(name))
            if owner is None or owner.kind != "definition" or owner.name in holes:
                continue
            if constant.kind != "theorem" and any(self._data_gaps(constant)):
                raise Unusable(
                    "partial_hole",
                    f"a part of `{shown(owner.name)}` is missing, and it is no proof",
                    hint="leave the whole body open, or a proof within it",
                )
        for name in holes:
            if self.side.module[name].safety != "safe":
                raise Unusable("partial_hole", f"the hole `{shown(name)}` is not safe")

    def is_target(self, name: Name) -> bool:
        """Whether it is a theorem from which a gap can be reached."""
        if self.side.module[name].kind != "theorem":
            return False
        return GAP in reachable([name], self.side.module, self.terms)

    def _data_gaps(self, constant: Constant) -> Iterator[bool]:
        """For each gap of a declaration: whether it is something else than a proof."""
        for one in self.terms.walk(*constant.expressions()):
            node = self.terms.expressions[one]
            if node[0] == CONSTANT and node[1] == GAP:
                yield not (len(node[2]) == 1 and self.side.types.is_zero(node[2][0]))

    def _with_parts(self, expression: int) -> set[int]:
        """An expression, and those of what Lean took out of it: proofs and matches."""
        found, waiting = set(), [expression]
        while waiting:
            one = waiting.pop()
            if one in found:
                continue
            found.add(one)
            for name in self.terms.constants(one):
                if name in self.side.module and not self.side.is_written(name):
                    waiting += self.side.module[name].expressions()
        return found

    def _refuse(self, reason: str, name: Name, *expressions: int) -> None:
        if GAP in self.terms.constants(*expressions):
            raise Unusable(reason, f"`{shown(name)}` has a gap where nothing may be missing")


def yields_predicate(side: Side, kind: int) -> bool:
    """Whether values of a type are propositions, types, functions to them, or hold such."""
    try:
        return _Holding(side).is_held(kind, None)
    except Unknown:
        return False


class _Holding:
    """Looks for propositions and types among what values of a type are built from."""

    def __init__(self, side: Side):
        self.side, self.types, self.terms = side, side.types, side.terms
        self._seen: set[int] = set()

    def is_held(self, kind: int, context: Context) -> bool:
        """Whether a value of a type, or what a function of that type yields, holds one."""
        while True:
            kind = self.types.head(kind, context)
            node = self.terms.expressions[kind]
            if node[0] == SORT:
                return True
            if node[0] not in (FORALL, LAMBDA):  # the latter where a case takes more arguments
                break
            context, kind = (node[2], context), node[3]
        if kind in self._seen or len(self._seen) == MAX_KINDS or self._is_proved(kind, context):
            return False
        self._seen.add(kind)
        return self._is_built_from(kind, context) or any(
            self.is_held(one, around) for one, around in self._branches(kind, context)
        )

    def _is_proved(self, kind: int, context: Context) -> bool:
        """Whether values of a type are proofs: nothing can be taken out of those."""
        try:
            return self.types.is_proposition(kind, context)
        except Unknown:
            return False

    def _is_built_from(self, kind: int, context: Context) -> bool:
        """Whether parameters of an inductive type, or fields of its constructors, hold one."""
        function, arguments = self.types.spine(kind)
        head = self.terms.expressions[function]
        found = self.side.find(head[1]) if head[0] == CONSTANT else None
        if found is not None and found.kind == "quotient":
            return any(self.is_held(one, context) for one in arguments[:1])
        if found is None or found.kind != "inductive":
            return False
        parameters = arguments[: found.counts[0]]
        if any(self.types.ends_in_sort(one, context) for one in parameters):
            return True
        return any(
            self._has_field(name, head[2], parameters, context) for name in found.constructors
        )

    def _branches(self, kind: int, context: Context) -> Iterator[tuple[int, Context]]:
        """What a type is in each case, where it is computed by cases or by recursion."""
        function, arguments = self.types.spine(kind)
        head = self.terms.expressions[function]
        if head[0] == PROJECT:  # recursion computes the type along with those of smaller values
            inner = self.types.head(head[3], context)
            for body, around in self._branches(inner, context):
                yield self.terms.expressions.add(PROJECT, head[1], head[2], body), around
        found = self.side.find(head[1]) if head[0] == CONSTANT else None
        if found is None or found.kind != "recursor":
            return
        parameters, _, motives, minors = found.counts
        for body in arguments[parameters + motives : parameters + motives + minors]:
            around, node = context, self.terms.expressions[body]
            while node[0] in (LAMBDA, NOTE):
                around = (node[2], around) if node[0] == LAMBDA else around
                body = node[3] if node[0] == LAMBDA else node[1]
                node = self.terms.expressions[body]
            yield body, around

    def _has_field(
        self, constructor: Name, levels: tuple[int, ...], parameters: list[int], context: Context
    ) -> bool:
        made = self.side.find(constructor)
        if made is None:
            return False
        fields = self.types.at_levels(made.type, made.universes, levels)
        for one in parameters:
            node = self.terms.expressions[self.types.head(fields, context)]
            if node[0] != FORALL:
                return False
            fields = self.types.instantiate(node[3], [one])
        node = self.terms.expressions[self.types.head(fields, context)]
        while node[0] == FORALL:
            if self.is_held(node[2], context):
                return True
            context, fields = (node[2], context), node[3]
            node = self.terms.expressions[self.types.head(fields, context)]
        return False
