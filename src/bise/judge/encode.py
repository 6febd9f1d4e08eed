"""Writes declarations as a compiled file of their own, for a kernel to replay.

A kernel should not load what a stranger's process left behind. It gets this instead: the same
declarations, read by us and written anew, with nothing of the old file but names, terms and counts.
Checked against: Lean 4 `runtime/compact.cpp`, and files that Lean wrote.
"""

import struct
from collections.abc import Iterable, Sequence

from bise.judge.constants import KINDS, SAFETIES, Constant, Rule
from bise.judge.hashes import WORD, Hashes
from bise.judge.olean import Import
from bise.judge.region import ARRAY, BASE_AT, BIG_NUMBER, MARKER, STRING, VERSION, BadOlean, Header
from bise.judge.terms import (
    BOUND,
    CONSTANT,
    FORALL,
    LAMBDA,
    LET,
    LEVEL_HOLE,
    LEVEL_PARAM,
    LITERAL,
    NOTE,
    PROJECT,
    SORT,
    Name,
    Terms,
)

NOTHING = 1
"""Stands for the anonymous name, the empty list, the first word of an enumeration."""


def encode_module(
    header: Header, imports: Iterable[Import], constants: Sequence[Constant], terms: Terms
) -> bytes:
    """A compiled file with some declarations, in this order, and nothing else.

    header: of a file that the same Lean wrote. Raises `BadOlean` for terms that Lean could not
    hold, such as a bound variable a million binders away.
    """
    image = Encoder(header, terms)
    made = [image.add_import(one) for one in imports]
    names = [image.name(one.name) for one in constants]
    fields = [
        image.array(made),
        image.array(names),
        image.array([image.constant(one) for one in constants]),
        image.array([]),
        image.array([]),
    ]
    return image.finish(image.constructor(0, *fields, scalars=b"\1"))


class Image:
    """Objects written one after another; every method returns the address of a new one."""

    def __init__(self, header: Header):
        self.word, self.base, self.uses_gmp = header.word_bytes, header.base, header.uses_gmp
        self._format = "I" if self.word == 4 else "Q"
        self._mask = (1 << 8 * self.word) - 1
        version, commit = header.lean_version.encode(), header.commit.encode()
        head = struct.pack("<5sBB33s40s", MARKER, VERSION, header.uses_gmp, version, commit)
        self.image = bytearray(head) + self.pack(self.base, 0)
        self._texts: dict[str, int] = {}

    def pack(self, *values: int) -> bytes:
        """Words."""
        return struct.pack(f"<{len(values)}{self._format}", *(one & self._mask for one in values))

    def add(self, tag: int, other: int, size: int, body: bytes) -> int:
        """An object: the header that all have, and what follows it."""
        address = (self.base + len(self.image)) & self._mask
        self.image += struct.pack("<IHBB", 0, size, other, tag) + body
        self.image += bytes(-len(self.image) % self.word)
        return address

    def constructor(self, tag: int, *fields: int, scalars: bytes = b"") -> int:
        """A constructor; Lean rounds their size up to eight bytes."""
        body = self.pack(*fields) + scalars
        body += bytes(-len(body) % 8)
        return self.add(tag, len(fields), 8 + len(body), body)

    def text(self, text: str) -> int:
        """A string, written once."""
        if text not in self._texts:
            raw = text.encode() + b"\0"
            body = self.pack(len(raw), len(raw), len(text)) + raw
            self._texts[text] = self.add(STRING, 0, 1, body)
        return self._texts[text]

    def array(self, elements: Sequence[int]) -> int:
        """An array."""
        count = len(elements)
        return self.add(ARRAY, 0, 1, self.pack(count, count, *elements))

    def linked(self, elements: Sequence[int]) -> int:
        """A linked list."""
        address = NOTHING
        for element in reversed(elements):
            address = self.constructor(1, element, address)
        return address

    def number(self, value: int) -> int:
        """A natural number, boxed where it fits."""
        if value < 1 << (8 * self.word - 1):
            return value << 1 | 1
        width = self.word if self.uses_gmp else 4
        count = -(-value.bit_length() // (8 * width))
        ahead = 8 + (8 + self.word if self.uses_gmp else 3 * self.word)
        start = self.base + len(self.image) + ahead  # of the digits, which Lean points at
        if self.uses_gmp:
            head = struct.pack("<ii", count, count) + self.pack(start)
        else:
            head = self.pack(0, count, start)
        size = ahead + count * width
        if size > 0xFFFF:
            raise BadOlean(f"a number has {value.bit_length():,} bits, more than Lean can write")
        return self.add(BIG_NUMBER, 0, size, head + value.to_bytes(count * width, "little"))

    def finish(self, root: int) -> bytes:
        """The whole file."""
        at = BASE_AT + self.word
        self.image[at : at + self.word] = self.pack(root)
        return bytes(self.image)


class Encoder(Image):
    """Objects that stand for names, terms and declarations of a table."""

    def __init__(self, header: Header, terms: Terms):
        super().__init__(header)
        self.terms = terms
        self.hashes = Hashes(terms)
        self._names: dict[Name, int] = {(): NOTHING}
        self._levels: dict[int, int] = {}
        self._lists: dict[tuple[int, ...], int] = {}
        self._expressions: dict[int, int] = {}

    def name(self, name: Name) -> int:
        """A name, written once; what it begins with too."""
        if name not in self._names:
            prefix, last = self.name(name[:-1]), name[-1]
            tag, word = (1, self.text(last)) if isinstance(last, str) else (2, self.number(last))
            scalars = self._cached(self.hashes.name(name))
            self._names[name] = self.constructor(tag, prefix, word, scalars=scalars)
        return self._names[name]

    def names(self, names: Iterable[Name]) -> int:
        """A linked list of names."""
        return self.linked([self.name(one) for one in names])

    def level(self, number: int) -> int:
        """A universe level, its parts first."""
        waiting = [number]
        while waiting:
            one = waiting[-1]
            tag, *parts = self.terms.levels[one]
            missing = [part for part in parts if tag < LEVEL_PARAM and part not in self._levels]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if one not in self._levels:
                self._levels[one] = self._level(one, tag, parts)
        return self._levels[number]

    def expression(self, number: int) -> int:
        """An expression, its parts first: they have lower numbers."""
        if number not in self._expressions:
            for one in sorted(self.terms.walk(number)):
                if one not in self._expressions:
                    self._expressions[one] = self._expression(one)
        return self._expressions[number]

    def constant(self, constant: Constant) -> int:
        """A `ConstantInfo`."""
        universes, kind = self.names(constant.universes), self.expression(constant.type)
        common = self.constructor(0, self.name(constant.name), universes, kind)
        fields, scalars = self._kept(constant)
        inner = self.constructor(0, common, *fields, scalars=scalars)
        return self.constructor(KINDS.index(constant.kind), inner)

    def add_import(self, one: Import) -> int:
        """An import with its flags."""
        flags = bytes([one.is_all, one.is_exported, one.is_meta])
        return self.constructor(0, self.name(one.module), scalars=flags)

    def _cached(self, word: int) -> bytes:
        if word > WORD:
            raise BadOlean("a term is too deep, or its bound variables too far, for Lean to hold")
        return struct.pack("<Q", word)

    def _level(self, number: int, tag: int, parts: list) -> int:
        if not parts:
            return NOTHING
        if tag in (LEVEL_PARAM, LEVEL_HOLE):
            fields = [self.name(parts[0])]
        else:
            fields = [self._levels[part] for part in parts]
        return self.constructor(tag, *fields, scalars=self._cached(self.hashes.level(number)))

    def _expression(self, number: int) -> int:
        tag, *rest = self.terms.expressions[number]
        fields = self._fields(tag, rest)
        scalars = self._cached(self.hashes.expression(number))
        if tag in (LAMBDA, FORALL, LET):
            scalars += bytes([rest[-1]])
        return self.constructor(tag, *fields, scalars=scalars)

    def _fields(self, tag: int, rest: list) -> list[int]:
        done = self._expressions
        if tag == BOUND:
            return [self.number(rest[0])]
        if tag == SORT:
            return [self.level(rest[0])]
        if tag == CONSTANT:
            if rest[1] not in self._lists:
                self._lists[rest[1]] = self.linked([self.level(one) for one in rest[1]])
            return [self.name(rest[0]), self._lists[rest[1]]]
        if tag in (LAMBDA, FORALL, LET):
            return [self.name(rest[0]), *(done[part] for part in rest[1:-1])]
        if tag == LITERAL:
            value, is_text = rest[0], isinstance(rest[0], str)
            inner = self.text(value) if is_text else self.number(value)
            return [self.constructor(int(is_text), inner)]
        if tag == NOTE:
            return [NOTHING, done[rest[0]]]
        if tag == PROJECT:
            return [self.name(rest[0]), self.number(rest[1]), done[rest[2]]]
        if isinstance(rest[0], tuple):  # free variables and holes: no kernel takes them, but told
            return [self.name(rest[0])]
        return [done[part] for part in rest]

    def _kept(self, constant: Constant) -> tuple[list[int], bytes]:
        """Fields and plain bytes of a declaration, after what all kinds share."""
        unsafe = bytes([constant.safety == "unsafe"])
        counts = [self.number(one) for one in constant.counts]
        match constant.kind:
            case "axiom":
                return [], unsafe
            case "quotient":
                return [], bytes(constant.counts)
            case "constructor":
                return [self.name(constant.inductive), *counts], unsafe
            case "inductive":
                first, second = (bytes([flag]) for flag in constant.flags)
                lists = [self.names(constant.together), self.names(constant.constructors)]
                return [*counts[:2], *lists, counts[2]], first + unsafe + second
            case "recursor":
                rules = self.linked([self._rule(one) for one in constant.rules])
                fields = [self.names(constant.together), *counts, rules]
                return fields, bytes(constant.flags) + unsafe
        assert constant.value is not None, f"a {constant.kind} without a value"
        value, together = self.expression(constant.value), self.names(constant.together)
        if constant.kind == "definition":
            safety = bytes([SAFETIES.index(constant.safety)])
            return [value, self._hints(constant.unfolding), together], safety
        return [value, together], unsafe if constant.kind == "opaque" else b""

    def _rule(self, rule: Rule) -> int:
        constructor, fields = self.name(rule.constructor), self.number(rule.num_fields)
        return self.constructor(0, constructor, fields, self.expression(rule.value))

    def _hints(self, unfolding: int | str) -> int:
        if isinstance(unfolding, int):
            return self.constructor(2, scalars=struct.pack("<I", unfolding))
        return NOTHING if unfolding == "opaque" else 3
