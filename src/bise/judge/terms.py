"""Names, universe levels and expressions, each distinct one kept once.

An expression is a small tuple in a `Terms` table, its parts are indices of earlier ones. Equal
tuples have equal indices, also between files that share the table, so two expressions are the
same if and only if their numbers are: a tree that would fill the memory written out costs no more
than its file. Names are tuples of words and numbers, `Nat.rec` is `("Nat", "rec")`; dots inside a
word stay inside it, so names that merely print alike stay different.

Kept as Lean has them: binder names and kinds. Left out: what `mdata` says, and every cached hash.
Checked against: Lean 4 `Level`, `Expr` (src/Lean/Level.lean, src/Lean/Expr.lean).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bise.judge.region import BadOlean, Object, Region

Name = tuple[str | int, ...]
"""From the outermost word to the innermost; `()` is the anonymous name."""

MAX_NAME_WORDS = 256
BINDER_BITS = 20
"""Of a bound variable's number: Lean itself counts no further."""

MAX_WALKED = 100_000_000
"""Expressions that are gone through for all that is asked of one table: a forged file could have
a hundred thousand declarations of a million parts each, and share them."""

PLAIN_WORD = re.compile(r"[^\W\d][\w'!?]*")

ZERO, SUCC, MAX, IMAX, LEVEL_PARAM, LEVEL_HOLE = range(6)
"""Levels: `(ZERO,)`, `(SUCC, level)`, `(MAX, one, other)`, `(IMAX, one, other)`,
`(LEVEL_PARAM, name)`, `(LEVEL_HOLE, name)`."""

BOUND, FREE, HOLE, SORT, CONSTANT, APPLY, LAMBDA, FORALL, LET, LITERAL, NOTE, PROJECT = range(12)
"""Expressions, numbered as Lean's constructors:

    (BOUND, index)                        (FREE, name)  (HOLE, name)
    (SORT, level)                         (CONSTANT, name, levels)
    (APPLY, function, argument)           (LITERAL, number or text)
    (LAMBDA, name, type, body, binder)    (FORALL, name, type, body, binder)
    (LET, name, type, value, body, is_nondependent)
    (NOTE, expression)                    (PROJECT, structure's name, field, expression)
"""


class Shape(NamedTuple):
    """How the constructor of an expression lies in a file."""

    count: int
    """Fields."""

    parts: tuple[int, ...]
    """Which of them are expressions."""

    scalar_bytes: int = 8
    """Plain bytes: the cached word that every expression has, and binder kind or flag after it."""


SHAPES = (
    Shape(1, ()),
    Shape(1, ()),
    Shape(1, ()),
    Shape(1, ()),
    Shape(2, ()),
    Shape(2, (0, 1)),
    Shape(3, (1, 2), 9),
    Shape(3, (1, 2), 9),
    Shape(4, (1, 2, 3), 9),
    Shape(1, ()),
    Shape(2, (1,)),
    Shape(3, (2,)),
)
LEVEL_FIELDS = (0, 1, 2, 2, 1, 1)


class Table:
    """Tuples by number and numbers by tuple."""

    def __init__(self) -> None:
        self._tuples: list[tuple[Any, ...]] = []
        self._numbers: dict[tuple[Any, ...], int] = {}

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        return self._tuples[number]

    def __len__(self) -> int:
        return len(self._tuples)

    def add(self, *node: Any) -> int:
        """The number of a tuple."""
        number = self._numbers.setdefault(node, len(self._tuples))
        if number == len(self._tuples):
            self._tuples.append(node)
        return number


class Terms:
    """The levels and expressions of the files that are compared with each other."""

    def __init__(self) -> None:
        self.levels = Table()
        self.expressions = Table()
        self.names: dict[Name, Name] = {}
        """Equal names are one object: most comparisons end at its identity."""

        self._walked = 0

    def parts(self, number: int) -> tuple[int, ...]:
        """The expressions directly within one."""
        node = self.expressions[number]
        return tuple(node[1 + at] for at in PARTS[node[0]])

    def walk(self, *roots: int) -> Iterator[int]:
        """Every distinct expression within some, once each."""
        seen, waiting = set(roots), list(dict.fromkeys(roots))
        while waiting:
            number = waiting.pop()
            self._walked += 1
            if self._walked > MAX_WALKED:
                raise BadOlean("going through the terms of the compiled file takes too long")
            yield number
            for part in self.parts(number):
                if part not in seen:
                    seen.add(part)
                    waiting.append(part)

    def constants(self, *roots: int) -> set[Name]:
        """The names an expression rests on: constants, and structures that it projects from."""
        found: set[Name] = set()
        for number in self.walk(*roots):
            node = self.expressions[number]
            if node[0] in (CONSTANT, PROJECT):
                found.add(node[1])
        return found


PARTS = tuple((0,) if tag == NOTE else shape.parts for tag, shape in enumerate(SHAPES))
"""Which fields of a tuple are expressions: a note has lost the field before."""


class Reader:
    """Reads names, levels and expressions of one region into a table. Raises `BadOlean`."""

    def __init__(self, region: Region, terms: Terms, renamed: Mapping[Name, Name] | None = None):
        self.region = region
        self.terms = terms
        self.renamed = renamed or {}
        self.names_at: dict[int, Name] = {1: ()}
        self.levels_at: dict[int, int] = {}
        self.expressions_at: dict[int, int] = {}
        """What was found at which address."""

        self._texts: dict[int, str] = {}
        self._level_lists: dict[int, tuple[int, ...]] = {}

    def name(self, address: int) -> Name:
        """A name; what it begins with is read once."""
        ahead: list[tuple[int, str | int]] = []
        at = address
        while at not in self.names_at:
            found = self.region.constructor(at)
            if found.tag not in (1, 2) or len(found.fields) != 2:
                raise BadOlean(f"the object at {at:#x} is no name")
            prefix, last = found.fields
            ahead.append((at, self.text(last) if found.tag == 1 else self._index(last)))
            if len(ahead) > MAX_NAME_WORDS:
                raise BadOlean(f"a name has more than {MAX_NAME_WORDS} words")
            at = prefix
        name = self.names_at[at]
        for at, word in reversed(ahead):
            name = (*name, word)
            if len(name) > MAX_NAME_WORDS:
                raise BadOlean(f"a name has more than {MAX_NAME_WORDS} words")
            letters = sum(len(word) for word in name if isinstance(word, str))
            self.region.charge((len(name) + letters) // 8)  # a long word may stand in many names
            name = self.names_at[at] = self.terms.names.setdefault(name, name)
        return self.renamed.get(name, name)

    def _index(self, address: int) -> int:
        number = self.region.number(address)
        if number.bit_length() > 64:
            raise BadOlean(f"a name counts up to a number of {number.bit_length():,} bits")
        return number

    def names(self, address: int) -> tuple[Name, ...]:
        """A linked list of names."""
        return tuple(map(self.name, self.region.items(address)))

    def text(self, address: int) -> str:
        """A string, read once."""
        if address not in self._texts:
            self._texts[address] = self.region.text(address)
        return self._texts[address]

    def level(self, address: int) -> int:
        """A universe level's number in the table."""
        done, waiting = self.levels_at, [address]
        while waiting:
            at = waiting[-1]
            if at in done:
                waiting.pop()
                continue
            found = self._boxed(at) if at & 1 else self.region.constructor(at)
            tag, fields = found.tag, found.fields
            if tag > LEVEL_HOLE or len(fields) != LEVEL_FIELDS[tag]:
                raise BadOlean(f"the object at {at:#x} is no universe level")
            if tag in (LEVEL_PARAM, LEVEL_HOLE):
                done[at] = self.terms.levels.add(tag, self.name(fields[0]))
            elif missing := [field for field in fields if field not in done]:
                waiting.extend(missing)
            else:
                done[at] = self.terms.levels.add(tag, *(done[field] for field in fields))
        return done[address]

    @staticmethod
    def _boxed(address: int) -> Object:
        """A constructor without fields: its number stands in place of its address."""
        return Object(address >> 1, (), b"")

    def level_list(self, address: int) -> tuple[int, ...]:
        """The levels a constant is used at; lists are shared, and read once."""
        found = self._level_lists.get(address)
        if found is None:
            found = tuple(map(self.level, self.region.items(address)))
            self._level_lists[address] = found
        return found

    def expression(self, address: int) -> int:
        """An expression's number in the table."""
        done, waiting = self.expressions_at, [address]
        while waiting:
            at = waiting[-1]
            if at in done:
                waiting.pop()
                continue
            found = self.region.constructor(at)
            tag, fields = found.tag, found.fields
            if tag > PROJECT or len(fields) != SHAPES[tag].count:
                raise BadOlean(f"the object at {at:#x} is no expression")
            missing = [fields[one] for one in SHAPES[tag].parts if fields[one] not in done]
            if missing:
                waiting.extend(missing)
                continue
            if len(found.scalars) < SHAPES[tag].scalar_bytes:
                raise BadOlean(f"the expression at {at:#x} lacks its cached word")
            parts = [done[fields[one]] for one in SHAPES[tag].parts]
            done[at] = self._node(tag, fields, parts, found.scalars)
            waiting.pop()
        return done[address]

    def _node(self, tag: int, fields: tuple[int, ...], parts: list[int], scalars: bytes) -> int:
        """Add an expression whose parts are in the table."""
        add, region = self.terms.expressions.add, self.region
        if tag in (APPLY, NOTE):
            return add(tag, *parts)
        if tag == CONSTANT:
            return add(tag, self.name(fields[0]), self.level_list(fields[1]))
        if tag in (LAMBDA, FORALL, LET):
            return add(tag, self.name(fields[0]), *parts, _small(scalars[8], tag))
        if tag == BOUND:
            index = region.number(fields[0])
            if index.bit_length() > BINDER_BITS:
                raise BadOlean("a variable is bound further away than Lean can count")
            return add(tag, index)
        if tag == SORT:
            return add(tag, self.level(fields[0]))
        if tag == PROJECT:
            return add(tag, self.name(fields[0]), region.number(fields[1]), *parts)
        if tag == LITERAL:
            return add(tag, self._literal(fields[0]))
        return add(tag, self.name(fields[0]))  # free variables and holes

    def _literal(self, address: int) -> int | str:
        found = self.region.constructor(address)
        if found.tag > 1 or len(found.fields) != 1:
            raise BadOlean(f"the object at {address:#x} is no literal")
        value = found.fields[0]
        return self.text(value) if found.tag else self.region.number(value)


def _small(byte: int, tag: int) -> int:
    """The kind of a binder (0 to 3: explicit, implicit, strict, instance) or a flag."""
    if byte > (1 if tag == LET else 3):
        raise BadOlean(f"{byte} is neither a binder's kind nor a flag")
    return byte


def name_order(name: Name) -> list[tuple[bool, str | int]]:
    """A key to sort names by, that writes none of them out."""
    return [(isinstance(word, int), word) for word in name]


def show_name(name: Name) -> str:
    """A name for people: `Nat.rec`, `«odd word».x`, `foo._1`."""
    if not name:
        return "[anonymous]"
    return ".".join(map(_show_word, name))


def _show_word(word: str | int) -> str:
    if isinstance(word, int):
        return str(word)
    return word if PLAIN_WORD.fullmatch(word) else f"«{word}»"
