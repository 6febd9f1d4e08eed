"""Types of terms that a kernel checks: enough to tell proofs and types from data.

This is no type checker. It assumes that terms are well-typed and only computes what their types
are; where that would take more than unfolding definitions, it says that it does not know.
Variables are de Bruijn indices into a `Context`, innermost first.
Ref: https://arxiv.org/abs/1910.04301 (what a type of Lean is)
"""

from collections.abc import Callable

from bise.errors import UserError
from bise.judge.constants import Constant
from bise.judge.terms import (
    APPLY,
    BOUND,
    CONSTANT,
    FORALL,
    IMAX,
    LAMBDA,
    LET,
    LEVEL_PARAM,
    LITERAL,
    MAX,
    NOTE,
    PROJECT,
    SORT,
    SUCC,
    ZERO,
    Name,
    Terms,
)

Context = tuple[int, "Context"] | None
"""The types of the variables around a term: the innermost, then the others."""

MAX_STEPS = 2_000_000
"""Of one table of types: a stranger's terms could unfold without end."""


class Unknown(UserError):
    """A type that cannot be computed here."""


class Types:
    """Computes types of terms in one table. What cannot be computed raises `Unknown`."""

    def __init__(self, terms: Terms, find: Callable[[Name], Constant | None]):
        """find: the declaration of a name, from the file under test or the library."""
        self.terms, self.find = terms, find
        self._loose: dict[int, int] = {}
        self._closed: dict[int, int] = {}
        self._lifted: dict[tuple[int, int, int], int] = {}
        self._at_levels: dict[tuple[int, tuple[Name, ...], tuple[int, ...]], int] = {}
        self._steps = 0

    def is_proof(self, term: int, context: Context = None) -> bool:
        """Whether a term proves something: its type is a proposition."""
        return self.is_proposition(self.type_of(term, context), context)

    def is_proposition(self, term: int, context: Context = None) -> bool:
        """Whether a type is a proposition."""
        return self._is_zero_sort(self.type_of(term, context), context)

    def is_type(self, term: int, context: Context = None) -> bool:
        """Whether a term is a type or a function that makes one: nothing of it runs."""
        return self.ends_in_sort(self.type_of(term, context), context)

    def ends_in_sort(self, term: int, context: Context = None) -> bool:
        """Whether a type is `Sort`, or that of functions that end in it."""
        while True:
            term = self.head(term, context)
            node = self.terms.expressions[term]
            if node[0] == SORT:
                return True
            if node[0] != FORALL:
                return False
            context, term = (node[2], context), node[3]

    def type_of(self, term: int, context: Context = None) -> int:
        """The type of a term."""
        if self.loose(term) == 0:
            if term not in self._closed:
                self._closed[term] = self._type_of(term, None)
            return self._closed[term]
        return self._type_of(term, context)

    def head(self, term: int, context: Context = None) -> int:
        """A term reduced until its head shows: unfolding, applying, projecting."""
        while True:
            function, arguments = self.spine(term)
            self._count(1 + len(arguments))
            node = self.terms.expressions[function]
            following = None
            if node[0] == LAMBDA and arguments:
                following = self._apply(function, arguments)
            elif node[0] == LET:
                body = self.instantiate(node[4], [node[3]])
                following = self.applied(body, arguments)
            elif node[0] == CONSTANT:
                body = self.unfold(function)
                if body is not None:
                    following = self.applied(body, arguments)
            elif node[0] == PROJECT:
                body = self._project(node, context)
                if body is not None:
                    following = self.applied(body, arguments)
            if following is None:
                return self.applied(function, arguments)
            term = following

    def unfold(self, constant: int) -> int | None:
        """The value of a definition at some universes."""
        _, name, levels = self.terms.expressions[constant]
        found = self.find(name)
        if found is None or found.kind != "definition" or found.value is None:
            return None
        return self.at_levels(found.value, found.universes, levels)

    def spine(self, term: int) -> tuple[int, list[int]]:
        """A function and what it is applied to."""
        arguments = []
        node = self.terms.expressions[term]
        while node[0] in (APPLY, NOTE):
            if node[0] == APPLY:
                arguments.append(node[2])
            term = node[1]
            node = self.terms.expressions[term]
        arguments.reverse()
        return term, arguments

    def applied(self, function: int, arguments: list[int]) -> int:
        """A function applied to some arguments."""
        for argument in arguments:
            function = self.terms.expressions.add(APPLY, function, argument)
        return function

    def loose(self, term: int) -> int:
        """How many binders around a term it may speak of."""
        done, waiting = self._loose, [term]
        while waiting:
            at = waiting[-1]
            if at in done:
                waiting.pop()
                continue
            node, parts = self.terms.expressions[at], self.terms.parts(at)
            missing = [part for part in parts if part not in done]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            done[at] = self._loose_of(node, parts)
        return done[term]

    def instantiate(self, term: int, values: list[int]) -> int:
        """A term with its innermost variables replaced: the last value for variable 0."""

        def replace(node: tuple, depth: int) -> int:
            index = node[1]
            if index < depth:
                return self.terms.expressions.add(*node)
            at = index - depth
            if at < len(values):
                return self.lift(values[len(values) - 1 - at], depth)
            return self.terms.expressions.add(BOUND, index - len(values))

        return self._rewrite(term, 0, {}, replace)

    def lift(self, term: int, by: int, above: int = 0) -> int:
        """A term moved under more binders."""
        if by == 0 or self.loose(term) <= above:
            return term
        key = (term, by, above)
        if key not in self._lifted:

            def replace(node: tuple, depth: int) -> int:
                moved = node[1] + by if node[1] >= depth else node[1]
                return self.terms.expressions.add(BOUND, moved)

            self._lifted[key] = self._rewrite(term, above, {}, replace)
        return self._lifted[key]

    def at_levels(self, term: int, names: tuple[Name, ...], levels: tuple[int, ...]) -> int:
        """A term with universe parameters replaced."""
        if not names:
            return term
        if len(names) != len(levels):
            raise Unknown("a constant is used at another number of universes than it has")
        table = dict(zip(names, levels, strict=True))
        if all(self.terms.levels[to] == (LEVEL_PARAM, name) for name, to in table.items()):
            return term
        key = (term, names, levels)
        if key not in self._at_levels:
            self._at_levels[key] = self._replace_levels(term, table)
        return self._at_levels[key]

    def _replace_levels(self, term: int, table: dict[Name, int]) -> int:
        done: dict[int, int] = {}
        for one in sorted(self.terms.walk(term)):  # parts have lower numbers
            self._count()
            node = list(self.terms.expressions[one])
            if node[0] == SORT:
                node[1] = self.level_at(node[1], table)
            elif node[0] == CONSTANT:
                node[2] = tuple(self.level_at(level, table) for level in node[2])
            else:
                node = self._with_parts(node, [done[part] for part in self.terms.parts(one)])
            done[one] = self.terms.expressions.add(*node)
        return done[term]

    def level_at(self, level: int, table: dict[Name, int]) -> int:
        """A level with parameters replaced."""
        self._count()
        node = self.terms.levels[level]
        if node[0] == LEVEL_PARAM:
            return table.get(node[1], level)
        if node[0] in (SUCC, MAX, IMAX):
            parts = [self.level_at(part, table) for part in node[1:]]
            return self.terms.levels.add(node[0], *parts)
        return level

    def is_zero(self, level: int) -> bool:
        """Whether a level is that of propositions, whatever its parameters are."""
        self._count()
        node = self.terms.levels[level]
        if node[0] == MAX:
            return self.is_zero(node[1]) and self.is_zero(node[2])
        return node[0] == ZERO or (node[0] == IMAX and self.is_zero(node[2]))

    def _is_zero_sort(self, term: int, context: Context) -> bool:
        node = self.terms.expressions[self.head(term, context)]
        return node[0] == SORT and self.is_zero(node[1])

    def _type_of(self, term: int, context: Context) -> int:
        self._count()
        node = self.terms.expressions[term]
        tag, add = node[0], self.terms.expressions.add
        if tag == NOTE:
            return self.type_of(node[1], context)
        if tag == APPLY:
            return self._type_of_application(term, context)
        if tag == CONSTANT:
            found = self.find(node[1])
            if found is None:
                raise Unknown("a constant is declared nowhere")
            return self.at_levels(found.type, found.universes, node[2])
        if tag == BOUND:
            return self._type_of_variable(node[1], context)
        if tag == SORT:
            return add(SORT, self.terms.levels.add(SUCC, node[1]))
        if tag == LAMBDA:
            body = self.type_of(node[3], (node[2], context))
            return add(FORALL, node[1], node[2], body, node[4])
        if tag == FORALL:
            one = self._level_of(node[2], context)
            other = self._level_of(node[3], (node[2], context))
            return add(SORT, self.terms.levels.add(IMAX, one, other))
        if tag == LET:
            return self.type_of(self.instantiate(node[4], [node[3]]), context)
        if tag == LITERAL:
            return add(CONSTANT, ("String",) if isinstance(node[1], str) else ("Nat",), ())
        if tag == PROJECT:
            return self._type_of_projection(node, context)
        raise Unknown("a term has free variables or holes")

    def _type_of_application(self, term: int, context: Context) -> int:
        function, arguments = self.spine(term)
        kind, given = self.type_of(function, context), 0
        for at in range(len(arguments)):
            node = self.terms.expressions[kind]
            if node[0] != FORALL:
                kind = self.head(self.instantiate(kind, arguments[given:at]), context)
                given, node = at, self.terms.expressions[kind]
                if node[0] != FORALL:
                    raise Unknown("something that is no function is applied")
            kind = node[3]
        return self.instantiate(kind, arguments[given:])

    def _type_of_variable(self, index: int, context: Context) -> int:
        around = context
        for _ in range(index):
            if around is None:
                break
            around = around[1]
        if around is None:
            raise Unknown("a variable is bound nowhere")
        return self.lift(around[0], index + 1)

    def _type_of_projection(self, node: tuple, context: Context) -> int:
        _, structure, field, value = node
        function, arguments = self.spine(self.head(self.type_of(value, context), context))
        found = self.find(structure)
        held = self.terms.expressions[function]
        if found is None or len(found.constructors) != 1 or held[0] != CONSTANT:
            raise Unknown("a field is taken of something that is no structure")
        made = self.find(found.constructors[0])
        if made is None:
            raise Unknown("a structure has no constructor")
        kind = self.at_levels(made.type, made.universes, held[2])
        self._count(field + 1)  # a forged number may be any
        fields = [
            self.terms.expressions.add(PROJECT, structure, at, value) for at in range(field + 1)
        ]
        for one in [*arguments[: found.counts[0]], *fields]:
            shown = self.terms.expressions[self.head(kind, context)]
            if shown[0] != FORALL:
                raise Unknown("a structure has fewer fields than are asked for")
            if one == fields[-1]:
                return shown[2]
            kind = self.instantiate(shown[3], [one])
        raise Unknown("a structure has no such field")

    def _level_of(self, term: int, context: Context) -> int:
        node = self.terms.expressions[self.head(self.type_of(term, context), context)]
        if node[0] != SORT:
            raise Unknown("something that is no type stands where one is expected")
        return node[1]

    def _project(self, node: tuple, context: Context) -> int | None:
        """What a field of a constructor's application is."""
        function, arguments = self.spine(self.head(node[3], context))
        held = self.terms.expressions[function]
        made = self.find(held[1]) if held[0] == CONSTANT else None
        if made is None or made.kind != "constructor" or len(made.counts) != 3:
            return None
        at = made.counts[1] + node[2]
        return arguments[at] if at < len(arguments) else None

    def _apply(self, function: int, arguments: list[int]) -> int:
        used, node = 0, self.terms.expressions[function]
        while node[0] == LAMBDA and used < len(arguments):
            function, used = node[3], used + 1
            node = self.terms.expressions[function]
        return self.applied(self.instantiate(function, arguments[:used]), arguments[used:])

    def _loose_of(self, node: tuple, parts: tuple[int, ...]) -> int:
        if node[0] == BOUND:
            return node[1] + 1
        found = [self._loose[part] for part in parts]
        if node[0] in (LAMBDA, FORALL, LET):
            found[-1] = max(0, found[-1] - 1)
        return max(found, default=0)

    def _rewrite(
        self,
        term: int,
        depth: int,
        done: dict[tuple[int, int], int],
        replace: Callable[[tuple, int], int],
    ) -> int:
        """A term with its loose variables replaced, parts first and without recursion."""
        waiting = [(term, depth)]
        while waiting:
            one, deep = waiting[-1]
            if (one, deep) in done:
                waiting.pop()
                continue
            if self.loose(one) <= deep:
                done[waiting.pop()] = one
                continue
            self._count()
            node = self.terms.expressions[one]
            if node[0] == BOUND:
                done[waiting.pop()] = replace(node, deep)
                continue
            keys = [(part, deep) for part in self.terms.parts(one)]
            if node[0] in (LAMBDA, FORALL, LET):
                keys[-1] = (keys[-1][0], deep + 1)
            missing = [key for key in keys if key not in done]
            if missing:
                waiting += missing
                continue
            made = self._with_parts(list(node), [done[key] for key in keys])
            done[waiting.pop()] = self.terms.expressions.add(*made)
        return done[(term, depth)]

    @staticmethod
    def _with_parts(node: list, parts: list[int]) -> list:
        """A node with other parts."""
        first = {APPLY: 1, NOTE: 1, LAMBDA: 2, FORALL: 2, LET: 2, PROJECT: 3}.get(node[0])
        if first is not None:
            node[first : first + len(parts)] = parts
        return node

    def _count(self, steps: int = 1) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise Unknown("computing types takes too long")
