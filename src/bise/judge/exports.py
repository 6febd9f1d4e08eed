"""Turns most exports of a WebAssembly module into a list to look up.

Lean exports 200,000 functions, for its interpreter to find by name. Each thread made a JavaScript
object of every one of them: most of what a start cost. Here they go into the module's own table of
functions, which costs nothing until one is called, and into a sorted list of names.
Ref: https://webassembly.github.io/spec/core/binary/modules.html
"""

import struct
from collections.abc import Container, Iterator
from itertools import accumulate
from typing import NamedTuple

from bise.errors import UserError

CUSTOM, IMPORTS, TABLES, GLOBALS, EXPORTS, ELEMENTS = 0, 2, 4, 6, 7, 9
"""Numbers of sections."""

FUNCTION, MEMORY, GLOBAL = 0, 2, 3
"""Kinds of what is imported and exported."""

EXPORT_INFO, OF_A_THREAD = 3, 256
"""A part of the section for linking, and a flag in it.
Ref: https://github.com/WebAssembly/tool-conventions/blob/main/DynamicLinking.md"""

FUNCREF, INT32, CONST, END = 0x70, 0x7F, 0x41, 0x0B


class BadModule(UserError):
    """A module that is damaged, or not made as the one we know."""

    def __init__(self, what: str):
        super().__init__(
            f"`lean.wasm` has {what}", hint="it is of another build than the one we know"
        )


class Trimmed(NamedTuple):
    """A module with few exports, and the list of the others."""

    module: bytes
    symbols: bytes
    """Little-endian words of 32 bits: how many there are; for each what it stands for, a place in
    the table or an address; where its name begins; then where the last ends, and all names, in
    the order of their bytes."""


class Export(NamedTuple):
    """A name and what it stands for."""

    name: bytes
    kind: int
    index: int


class Section(NamedTuple):
    """A part of a module: its number, and where its head, its contents and what follows begin."""

    number: int
    begin: int
    start: int
    end: int


class Reader:
    """Goes through the bytes of a module."""

    def __init__(self, data: bytes, at: int = 0):
        self.data, self.at = data, at

    def number(self) -> int:
        """An unsigned number."""
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def signed(self) -> int:
        """A signed number, as its 32 bits."""
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return (value - (1 << shift) if byte & 64 else value) & 0xFFFFFFFF

    def name(self) -> bytes:
        """Bytes behind their count."""
        size = self.number()
        self.at += size
        return self.data[self.at - size : self.at]

    def byte(self) -> int:
        """One byte."""
        self.at += 1
        return self.data[self.at - 1]

    def expect(self, value: int, what: str) -> None:
        """One byte that must be this one."""
        if self.byte() != value:
            raise BadModule(what)


def trim(module: bytes, kept: Container[str]) -> Trimmed:
    """Keep the exports with some names and make a list of all. Raises `BadModule`."""
    try:
        return _trim(module, kept)
    except (IndexError, KeyError):
        raise BadModule("an end too early, or lacks a part") from None


def _trim(module: bytes, kept: Container[str]) -> Trimmed:
    sections = {one.number: one for one in _sections(module)}
    exports = _exports(Reader(module, sections[EXPORTS].start))
    num_imported = _imported_globals(Reader(module, sections[IMPORTS].start))
    values = _globals(Reader(module, sections[GLOBALS].start))
    places = _elements(Reader(module, sections[ELEMENTS].start))
    table_size = _table_size(Reader(module, sections[TABLES].start))
    added: list[int] = []
    symbols: dict[bytes, int] = {}
    for one in exports:
        if one.kind == FUNCTION:
            if one.index not in places:
                places[one.index] = table_size + len(added)
                added.append(one.index)
            symbols[one.name] = places[one.index]
        elif one.kind == GLOBAL and one.index >= num_imported:
            symbols[one.name] = values[one.index - num_imported]
    of_threads = _thread_names(Reader(module, sections[CUSTOM].start), sections[CUSTOM].end)
    left = [one for one in exports if one.name.decode() in kept or one.name in of_threads]
    changed = {
        EXPORTS: _number(len(left)) + b"".join(map(_export, left)),
        TABLES: bytes([1, FUNCREF, 0]) + _number(table_size + len(added)),
        ELEMENTS: _with_elements(module, sections[ELEMENTS], table_size, added),
    }
    return Trimmed(_rebuilt(module, changed), _list(symbols))


def _sections(module: bytes) -> Iterator[Section]:
    reader = Reader(module, 8)
    if module[:8] != b"\0asm\1\0\0\0":
        raise BadModule("no WebAssembly in it")
    while reader.at < len(module):
        begin, number = reader.at, reader.byte()
        size = reader.number()
        yield Section(number, begin, reader.at, reader.at + size)
        reader.at += size


def _thread_names(reader: Reader, end: int) -> set[bytes]:
    """Exports that each thread has its own of: whoever links a module needs them by name."""
    if reader.name() != b"dylink.0":
        raise BadModule("another section than that for linking at its begin")
    while reader.at < end:
        part, size = reader.byte(), reader.number()
        if part == EXPORT_INFO:
            told = [(reader.name(), reader.number()) for _ in range(reader.number())]
            return {name for name, flags in told if flags & OF_A_THREAD}
        reader.at += size
    return set()


def _exports(reader: Reader) -> list[Export]:
    return [Export(reader.name(), reader.byte(), reader.number()) for _ in range(reader.number())]


def _imported_globals(reader: Reader) -> int:
    """How many globals are imported: the module's own are numbered after them."""
    count = 0
    for _ in range(reader.number()):
        reader.name()
        reader.name()
        kind = reader.byte()
        if kind == FUNCTION:
            reader.number()
        elif kind == MEMORY:
            has_maximum = reader.byte() & 1
            reader.number()
            if has_maximum:
                reader.number()
        elif kind == GLOBAL:
            count += 1
            reader.at += 2
        else:
            raise BadModule(f"an import of kind {kind}, expected functions, globals and a memory")
    return count


def _globals(reader: Reader) -> list[int]:
    """What the module's own globals begin with; all are plain numbers of 32 bits."""
    values = []
    for _ in range(reader.number()):
        reader.expect(INT32, "a global that is no number of 32 bits")
        reader.byte()  # whether it changes
        reader.expect(CONST, "a global whose value is computed")
        values.append(reader.signed())
        reader.expect(END, "a global whose value is computed")
    return values


def _table_size(reader: Reader) -> int:
    reader.expect(1, "several tables")
    reader.expect(FUNCREF, "a table of something else than functions")
    reader.expect(0, "a table that has a maximum")
    return reader.number()


def _elements(reader: Reader) -> dict[int, int]:
    """The first place in the table of each function that has one."""
    reader.expect(1, "several lists of functions for its table")
    reader.expect(0, "an unusual list of functions for its table")
    reader.expect(CONST, "a list of functions whose place is computed")
    start = reader.signed()
    reader.expect(END, "a list of functions whose place is computed")
    places: dict[int, int] = {}
    for place in range(start, start + reader.number()):
        places.setdefault(reader.number(), place)
    return places


def _with_elements(module: bytes, section: Section, start: int, added: list[int]) -> bytes:
    """The lists of functions for the table, and one more."""
    head = bytes([0, CONST]) + _signed(start) + bytes([END])
    functions = b"".join(map(_number, added))
    return b"\2" + module[section.start + 1 : section.end] + head + _number(len(added)) + functions


def _rebuilt(module: bytes, changed: dict[int, bytes]) -> bytes:
    """The module with other contents of some sections."""
    made = [module[:8]]
    for one in _sections(module):
        body = changed.get(one.number)
        if body is None:
            made.append(module[one.begin : one.end])
        else:
            made.append(bytes([one.number]) + _number(len(body)) + body)
    return b"".join(made)


def _list(symbols: dict[bytes, int]) -> bytes:
    """See `Trimmed.symbols`."""
    names = sorted(symbols)
    begins = list(accumulate(map(len, names), initial=0))
    words = [len(names), *(symbols[name] for name in names), *begins]
    return struct.pack(f"<{len(words)}I", *words) + b"".join(names)


def _export(one: Export) -> bytes:
    return _number(len(one.name)) + one.name + bytes([one.kind]) + _number(one.index)


def _number(value: int) -> bytes:
    """An unsigned number, seven bits a byte."""
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def _signed(value: int) -> bytes:
    """A number that is not negative, in the signed format: its last byte keeps bit 6 free."""
    made = bytearray()
    while value > 63:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])
