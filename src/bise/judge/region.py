"""The objects of a compiled Lean file, read as data and never trusted.

A `.olean` file is an image of memory: a header, the address of a root, then objects that point at
each other by address. Lean writes an object after everything it points at, and we insist on that:
whoever follows pointers goes down in the file, so there are no cycles and no endless walks. What
is read more than once (texts, arrays, digits may overlap in a forged file) is charged to an
allowance that grows with the file, so that work stays proportional to size.

Checked against: Lean 4 `runtime/compact.cpp`, `runtime/object.h`, `library/module.cpp` (header
version 2). Ref: https://github.com/leanprover/lean4
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bise.errors import UserError

MARKER, VERSION = b"olean", 2
BASE_AT = 80
"""Where the header says at which address it wants to lie: after marker, version, flags, the 33
bytes of Lean's version and the 40 of its commit."""

GRAIN = 1 << 16
"""The parts of a module follow each other in memory at multiples of this."""

MAX_BYTES = 256 << 20
"""Of all parts of a module; the largest of Lean's own library has 20 MB."""

MAX_CONSTRUCTOR_TAG = 244
ARRAY, SCALARS, STRING, BIG_NUMBER, THUNK = 246, 248, 249, 250, 251
WORD_BYTES: dict[int, Literal["I", "Q"]] = {4: "I", 8: "Q"}
"""How wide words may be, and what `memoryview` calls them."""

FEW = 64
"""Texts, arrays and digits up to so many words are free: a file is full of them."""


MAX_MESSAGE = 400


class BadOlean(UserError):
    """A compiled file that is damaged, forged, or of a format we do not know."""

    def __init__(self, message: str, *, hint: str = ""):
        """The message may quote the file, which may hold names of a megabyte."""
        brief = message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]}…"
        super().__init__(brief, hint=hint)


@dataclass(frozen=True, slots=True)
class Header:
    """What a compiled file says of itself."""

    lean_version: str
    commit: str
    uses_gmp: bool
    """Large numbers are laid out as GMP has them, else as Lean's own."""

    word_bytes: int
    """4 in the WebAssembly build, else 8."""

    base: int
    """The address its first byte would lie at."""


class Object(NamedTuple):
    """A constructor with its fields: addresses or boxed numbers, then plain bytes."""

    tag: int
    fields: tuple[int, ...]
    scalars: bytes


class Region:
    """The objects of one module: its exported part, or that and its other parts together.

    Addresses are those of the file; `roots` has one for each part. Every method takes an address
    and raises `BadOlean` if there is no such object there.
    """

    def __init__(self, parts: Sequence[bytes], max_bytes: int = MAX_BYTES):
        """parts: whole files, in the order they were written (`.olean`, `.server`, `.private`)."""
        if not parts:
            raise BadOlean("a module without files, expected its `.olean` first")
        if sum(map(len, parts)) > max_bytes:
            raise BadOlean(f"the compiled files are larger than {max_bytes:,} bytes")
        self.header = read_header(parts[0])
        image, self._ranges = _join(parts, self.header)
        self._latest = self._ranges[0]
        self._image = image
        self._base, self._word = self.header.base, self.header.word_bytes
        self._mask = (1 << 8 * self._word) - 1
        self._words = memoryview(image).cast(WORD_BYTES[self._word])
        self._allowance = 4 * len(self._words) + 10_000
        self.roots = tuple(self._words[start // self._word] for start, _ in self._ranges)

    def number(self, address: int) -> int:
        """A natural number of any size."""
        if address & 1:
            return address >> 1
        at, tag = self._object(address)[:2]
        if tag != BIG_NUMBER:
            raise self._fault(address, "a number", tag)
        word = self._word
        if self.header.uses_gmp:  # int alloc, int size, limb*; a limb is a word
            size = int.from_bytes(self._bytes(at + 12, 4), "little", signed=True)
            start, width, negative = at + 16 + word, word, size < 0
            size = abs(size)
        else:  # bool sign, size_t size, digit*; a digit has four bytes
            negative = self._bytes(at + 8, 1) != b"\0"
            size = self._field(at + 8 + word)
            start, width = at + 8 + 3 * word, 4
        if negative:
            raise BadOlean(f"a negative number at {address:#x}, expected a natural one")
        return int.from_bytes(self._bytes(start, size * width), "little")

    def text(self, address: int) -> str:
        """A string; it must be UTF-8 and as long as it says."""
        at, tag = self._object(address)[:2]
        if tag != STRING:
            raise self._fault(address, "a text", tag)
        word = self._word
        size, letters = self._field(at + 8), self._field(at + 8 + 2 * word)
        raw = self._bytes(at + 8 + 3 * word, size)
        if raw[-1:] != b"\0":
            raise BadOlean(f"the text at {address:#x} does not end where it says")
        try:
            text = raw[:-1].decode()
        except UnicodeDecodeError:
            raise BadOlean(f"the text at {address:#x} is no UTF-8") from None
        if len(text) != letters:
            raise BadOlean(f"the text at {address:#x} has {len(text)} letters, not {letters}")
        return text

    def array(self, address: int) -> Sequence[int]:
        """The elements of an array."""
        at, tag = self._object(address)[:2]
        if tag != ARRAY:
            raise self._fault(address, "an array", tag)
        word = self._word
        size, start = self._field(at + 8), at + 8 + 2 * word
        self._bytes(start, size * word)
        first = start // word
        return self._checked(at, self._words[first : first + size].tolist())

    def constructor(self, address: int) -> Object:
        """A constructor, whatever its type."""
        at, tag, info, end = self._object(address)
        if tag > MAX_CONSTRUCTOR_TAG:
            raise self._fault(address, "a constructor", tag)
        word, size, num_fields = self._word, info & 0xFFFF, info >> 16 & 0xFF
        start = at + 8
        scalars_at = start + num_fields * word
        if at + size < scalars_at or end < at + size:
            raise BadOlean(f"the object at {address:#x} has no room for its {num_fields} fields")
        fields = self._words[start // word : scalars_at // word].tolist()
        scalars = self._image[scalars_at : at + size]
        return Object(tag, tuple(self._checked(at, fields)), scalars)

    def fields(self, address: int, tag: int, count: int, scalar_bytes: int = 0) -> Object:
        """A constructor that must be this one."""
        found = self.constructor(address)
        if (found.tag, len(found.fields)) != (tag, count) or len(found.scalars) < scalar_bytes:
            raise BadOlean(
                f"the object at {address:#x} is constructor {found.tag} with {len(found.fields)} "
                f"fields, expected {tag} with {count}"
            )
        return found

    def items(self, address: int) -> list[int]:
        """The elements of a linked list."""
        found: list[int] = []
        while not address & 1:
            head, address = self.fields(address, 1, 2).fields
            found.append(head)
            self.charge(1)
        if address != 1:
            raise BadOlean(f"a list ends in the number {address >> 1}")
        return found

    def charge(self, words: int) -> None:
        """Count work that a forged file could ask for again and again."""
        self._allowance -= words
        if self._allowance < 0:
            raise BadOlean("the compiled file asks for more work than its size can explain")

    def _object(self, address: int) -> tuple[int, int, int, int]:
        """Where it begins in the image, its tag, its size and fields, where its part ends."""
        at = (address - self._base) & self._mask
        end = self._end_of(at)
        if address % self._word or end < at + 8:
            raise BadOlean(f"the address {address:#x} points outside of the compiled file")
        info = self._words[at >> 3] >> 32 if self._word == 8 else self._words[(at >> 2) + 1]
        return at, info >> 24, info & 0xFFFFFF, end

    def _checked(self, at: int, pointers: list[int]) -> list[int]:
        """Pointers of the object at a place, all of which must lead down."""
        base, mask = self._base, self._mask
        for pointer in pointers:
            if not pointer & 1 and (pointer - base) & mask >= at:
                raise BadOlean(f"the address {pointer:#x} points forward in the compiled file")
        return pointers

    def _field(self, at: int) -> int:
        return int.from_bytes(self._bytes(at, self._word), "little")

    def _bytes(self, at: int, size: int) -> bytes:
        if self._end_of(at) < at + size:
            raise BadOlean(f"an object reaches {size:,} bytes past its beginning, out of its file")
        if size > FEW * self._word:
            self.charge(size // self._word)
        return self._image[at : at + size]

    def _end_of(self, at: int) -> int:
        """Where the part that holds a place ends; -1 if none does."""
        start, end = self._latest
        if start <= at < end:
            return end
        for start, end in self._ranges:
            if start <= at < end:
                self._latest = start, end
                return end
        return -1

    def _fault(self, address: int, wanted: str, tag: int) -> BadOlean:
        return BadOlean(f"expected {wanted} at {address:#x}, found an object of tag {tag}")


def read_header(file: bytes) -> Header:
    """Check a file's first bytes, and find out how wide its words are: nothing says so.

    The root lies behind the address the file wants to lie at, and must point into the file; read
    with the wrong width it does not.
    """
    if file[:5] != MARKER:
        raise BadOlean("the file does not begin with `olean`", hint="pass what Lean compiled")
    if len(file) < BASE_AT + 16:
        raise BadOlean(f"the compiled file ends after {len(file)} bytes, within its header")
    if file[5] != VERSION:
        raise BadOlean(f"the compiled file has version {file[5]}, expected {VERSION}")
    fitting = [width for width in WORD_BYTES if _fits(file, width)]
    if len(fitting) != 1:
        raise BadOlean("the compiled file's root does not point into it")
    word = fitting[0]
    return Header(
        lean_version=_ascii(file[7:40]),
        commit=_ascii(file[40:80]),
        uses_gmp=bool(file[6] & 1),
        word_bytes=word,
        base=int.from_bytes(file[BASE_AT : BASE_AT + word], "little"),
    )


def _fits(file: bytes, word: int) -> bool:
    base, root = (
        int.from_bytes(file[at : at + word], "little") for at in (BASE_AT, BASE_AT + word)
    )
    offset = (root - base) % (1 << 8 * word)
    return base % GRAIN == 0 and root % word == 0 and BASE_AT + 2 * word <= offset < len(file)


def _ascii(field: bytes) -> str:
    return field.rstrip(b"\0").decode("ascii", "replace")


def _join(parts: Sequence[bytes], first: Header) -> tuple[bytes, list[tuple[int, int]]]:
    """One image of all parts as memory would hold them, and where each one's objects lie.

    The range of a part begins at its root word: header and gaps belong to no range.
    """
    image, ranges = bytearray(), []
    for part in parts:
        image += bytes(-len(image) % GRAIN)
        start = len(image)
        if part[:BASE_AT] != parts[0][:BASE_AT]:
            raise BadOlean("the parts of a module were written by different programs")
        root_at = BASE_AT + first.word_bytes
        if len(part) < root_at + first.word_bytes:
            raise BadOlean(f"a part of a module ends after {len(part)} bytes, within its header")
        base = int.from_bytes(part[BASE_AT:root_at], "little")
        if (base - first.base) % (1 << 8 * first.word_bytes) != start:
            raise BadOlean("the parts of a module do not follow each other")
        image += part
        ranges.append((start + root_at, len(image)))
    image += bytes(-len(image) % 8)  # a view of words wants whole words
    return bytes(image), ranges
