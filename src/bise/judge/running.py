"""What runs when a definition runs, and whether it is the definition that was proved correct.

The kernel sees a definition's value. Running code may be something else: Lean lets a declaration
say so, and compiles recursive ones from what was written, kept as `f._unsafe_rec`. Proofs and types
never run, so what stands in them does not count.
"""

from collections.abc import Callable
from typing import Literal

from bise.judge.axioms import reachable
from bise.judge.challenge import GAP
from bise.judge.compare import Rejected, deep_recursion
from bise.judge.constants import Constant
from bise.judge.extensions import (
    csimp,
    extern,
    implemented_by,
    initialized,
    noncomputable,
)
from bise.judge.side import Side, shown, without_private
from bise.judge.terms import (
    APPLY,
    CONSTANT,
    FORALL,
    LAMBDA,
    LET,
    LITERAL,
    NOTE,
    PROJECT,
    SORT,
    Name,
)
from bise.judge.types import Context, Unknown

CHOICE: Name = ("Classical", "choice")
MAX_STEPS = 300_000
"""Places in terms that are looked at, at most."""

COMPANION = "_unsafe_rec"
"""The last word of what recursive definitions are compiled from."""

Recursion = Literal["none", "structural", "well-founded"]


def check_running(
    side: Side, holes: tuple[Name, ...], has_code: Callable[[Name], bool] = lambda _: False
) -> None:
    """Hold the run-time code of holes against the rules. Raises `Rejected`.

    has_code: whether Lean would run code of its own by a name instead of the file's.
    """
    if holes:
        for name, constant in side.module.items():
            if constant.kind in ("definition", "opaque") and has_code(name):
                raise Rejected(
                    "run_time_code", f"`{shown(name)}` runs as what Lean has by that name"
                )
    with deep_recursion():
        _Running(side).check(holes)


def recursion(side: Side, name: Name, *, with_parts: bool = True) -> Recursion:
    """How the kernel's form of a definition recurses, that of its `where` parts included."""
    made = {
        one: side.module[one]
        for one in side.module
        if one == name or _is_part(side, one, name, with_parts=with_parts)
    }
    found: Recursion = "none"
    for one in reachable([name], made, side.terms):
        last = one[-1] if one else ""
        if last in ("fix", "lfp"):
            return "well-founded"
        if isinstance(last, str) and last.startswith(("brecOn", "binductionOn")):
            found = "structural"
    return found


def _is_part(side: Side, one: Name, name: Name, *, with_parts: bool) -> bool:
    """Whether a declaration was made by Lean, or stands within another one."""
    if one[-1] == COMPANION:
        return False
    return not side.is_written(one) or (with_parts and side.owner(one) == name)


class _Running:
    """A walk over everything that runs."""

    def __init__(self, side: Side):
        self.side, self.terms, self.module = side, side.terms, side.module
        module, self._steps = side.module, 0
        self._replaced = frozenset(one.old for one in csimp(module))
        self._marks: tuple[tuple[str, Callable[[Name], bool]], ...] = (
            ("noncomputable", noncomputable(module).__contains__),
            ("implemented_by", implemented_by(module).__contains__),
            ("extern", extern(module).__contains__),
            ("init", initialized(module).__contains__),
            ("csimp", self._replaced.__contains__),
        )

    def check(self, holes: tuple[Name, ...]) -> None:
        """Raises `Rejected` for the first thing met that may not run."""
        if holes:
            self._check_replaced()
            self._check_names()
        waiting, seen = list(holes), set(holes)
        while waiting:
            name = waiting.pop()
            self._check_marks(name)
            constant = self.module.get(name)
            if constant is None:
                self._check_library(name)
                continue
            body = self._body(constant)
            if body is None or not self._is_data(constant):
                continue
            for one in self._running_names(body):
                base = self._base(one)
                if base not in seen:
                    seen.add(base)
                    waiting.append(base)

    def _check_replaced(self) -> None:
        """`csimp` for something of the library works, too, where Lean puts in the library's own.

        `if` becomes `Decidable.casesOn` so, which no term of the submission speaks of.
        """
        for name in self._replaced:
            if name not in self.module:
                raise Rejected("run_time_code", f"`{shown(name)}` is replaced by `csimp`")

    def _check_names(self) -> None:
        """Nothing may have a name as Lean gives it to what it takes out of running code.

        It never asks whether `f._lam_0` is there already: of two by one name, the later one runs.
        """
        for name in self.side.ranges:
            words = without_private(name)
            before = name[: len(name) - len(words)]
            for at, word in enumerate(words):
                if at == 0 or not isinstance(word, str) or word[:1] != "_" or word == "_@":
                    continue
                owners = {words[:at], (*before, *words[:at])}
                if any(self.side.kind(one) in ("definition", "opaque") for one in owners):
                    raise Rejected(
                        "run_time_code", f"`{shown(name)}` is named like what Lean makes to run"
                    )

    def _check_marks(self, name: Name) -> None:
        for word, is_marked in self._marks:
            if is_marked(name):
                raise Rejected("run_time_code", f"`{shown(name)}` runs, and is marked `{word}`")

    def _check_library(self, name: Name) -> None:
        if name in (CHOICE, GAP) or name in self.side.library.noncomputable:
            raise Rejected(
                "not_computable", f"what runs rests on `{shown(name)}`, which is no algorithm"
            )

    def _body(self, constant: Constant) -> int | None:
        """What a declaration is compiled from, if it runs at all."""
        name = constant.name
        companion = self.module.get((*name, COMPANION))
        if constant.kind == "opaque" and companion is not None:
            raise Rejected("run_time_code", f"`{shown(name)}` runs, and is `partial`")
        if constant.safety != "safe":
            raise Rejected("run_time_code", f"`{shown(name)}` runs, and is {constant.safety}")
        if constant.kind not in ("definition", "opaque"):
            return None
        if companion is None:
            return constant.value
        if not self._is_made(constant, companion):
            raise Rejected(
                "run_time_code", f"`{shown(companion.name)}` runs, and was not made by Lean"
            )
        return companion.value

    def _is_data(self, constant: Constant) -> bool:
        """Whether a declaration is no proof and no type: those never run."""
        types = self.side.types
        try:
            return not (types.is_proposition(constant.type) or types.ends_in_sort(constant.type))
        except Unknown:
            return True

    def _is_made(self, constant: Constant, companion: Constant) -> bool:
        """Whether the compiled form of a recursive definition looks as Lean makes it."""
        return (
            companion.kind == "definition"
            and companion.safety == "partial"
            and not self.side.is_written(companion.name)
            and (companion.type, companion.universes) == (constant.type, constant.universes)
            and recursion(self.side, constant.name, with_parts=False) != "none"
        )

    def _base(self, name: Name) -> Name:
        """The definition whose compiled form a name is."""
        if len(name) > 1 and name[-1] == COMPANION and name[:-1] in self.module:
            return name[:-1]
        return name

    def _running_names(self, body: int) -> set[Name]:
        """Constants that a term uses where it runs."""
        found: set[Name] = set()
        seen: set[tuple[int, int]] = set()
        kept: list[Context] = []  # contexts are told apart by where they lie in memory
        waiting: list[tuple[int, Context]] = [(body, None)]
        while waiting:
            term, context = waiting.pop()
            key = (term, 0 if self.side.types.loose(term) == 0 else id(context))
            if key in seen:
                continue
            seen.add(key)
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise Rejected("too_complex", "looking through what runs takes too long")
            node = self.terms.expressions[term]
            if node[0] in (SORT, FORALL, LITERAL):
                continue
            if node[0] == CONSTANT:
                if self.side.kind(node[1]) not in ("theorem", "inductive"):
                    found.add(node[1])
            elif node[0] == NOTE:
                waiting.append((node[1], context))
            elif node[0] == PROJECT:
                waiting.append((node[3], context))
            elif node[0] == APPLY:
                function, arguments = self.side.types.spine(term)
                parts = [function, *arguments]
                waiting += [(one, context) for one in parts if not self._is_erased(one, context)]
            elif node[0] in (LAMBDA, LET):
                inner: Context = (node[2], context)
                kept.append(inner)
                waiting.append((node[-2], inner))
                if node[0] == LET and not self._is_erased(node[3], context):
                    waiting.append((node[3], context))
        return found

    def _is_erased(self, term: int, context: Context) -> bool:
        """Whether a term is a proof or a type."""
        types = self.side.types
        function, _ = types.spine(term)
        node = self.terms.expressions[function]
        if node[0] in (SORT, FORALL):
            return True
        if node[0] == LITERAL:
            return False
        if node[0] == CONSTANT:
            kind = self.side.kind(node[1])
            if kind in ("theorem", "inductive"):
                return True
            if kind == "constructor" and self._makes_data(node[1]):
                return False
        try:
            return types.is_proof(term, context) or types.is_type(term, context)
        except Unknown:
            return False

    def _makes_data(self, name: Name) -> bool:
        """Whether a constructor's type is certainly no proposition."""
        return name[:1] in (("Nat",), ("List",), ("Option",), ("Bool",), ("Prod",))
