"""What Lean noted about a module's declarations beside the declarations themselves.

Where each was written, and whatever changes how it runs without changing what the kernel sees:
`noncomputable`, `implemented_by`, `extern`, `init`, `csimp`; and what it was before its export.
Checked against: Lean 4 `declRangeExt`, `noncomputableExt`, `implementedByAttr`, `externAttr`,
`CSimp.ext`, `privateConstKindsExt`.
"""

from dataclasses import dataclass

from bise.judge.constants import Kind
from bise.judge.olean import Module
from bise.judge.region import BadOlean
from bise.judge.terms import Name, Reader

DECLARATION_RANGES = ("Lean", "declRangeExt")
NONCOMPUTABLE = ("Lean", "noncomputableExt")
IMPLEMENTED_BY = ("Lean", "Compiler", "implementedByAttr")
EXTERN = ("Lean", "externAttr")
CSIMP = ("Lean", "Compiler", "CSimp", "ext")
INITIALIZERS = (("Lean", "regularInitAttr"), ("Lean", "builtinInitAttr"))
ORIGINAL_KINDS = tuple(
    ("_private", "Lean", module, 0, "Lean", "privateConstKindsExt")
    for module in ("AddDecl", "OriginalConstKind")
)
"""Under two names: Lean moved it from one module to another."""

ENUMERATED: tuple[Kind, ...] = (
    "definition",
    "theorem",
    "axiom",
    "opaque",
    "quotient",
    "inductive",
    "constructor",
    "recursor",
)
"""In the order of Lean's `ConstantKind`, which is another one than that of its constructors."""


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """A place in a source file: line from 1, column from 0, in code points."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Range:
    """Where a declaration was written, from its first character to behind its last."""

    start: Position
    end: Position

    def holds(self, other: "Range") -> bool:
        """Whether another range lies within this one and is not the same."""
        return self != other and self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Replacement:
    """A `csimp` lemma: running code calls `new` where it says `old`."""

    old: Name
    new: Name
    lemma: Name


def declaration_ranges(module: Module) -> dict[Name, Range]:
    """Where declarations stand in the source; compiler-made ones mostly have no place."""
    return dict(module.entries(DECLARATION_RANGES, _range_entry))


def noncomputable(module: Module) -> frozenset[Name]:
    """Declarations marked `noncomputable`, by keyword or section."""
    return frozenset(module.entries(NONCOMPUTABLE, Reader.name))


def implemented_by(module: Module) -> dict[Name, Name]:
    """Declarations that run as another one."""
    return dict(module.entries(IMPLEMENTED_BY, _name_pair))


def extern(module: Module) -> frozenset[Name]:
    """Declarations that run as foreign code."""
    return frozenset(module.entries(EXTERN, _first_name))


def initialized(module: Module) -> frozenset[Name]:
    """Declarations whose value is made when a program starts."""
    return frozenset(name for one in INITIALIZERS for name in module.entries(one, _first_name))


def csimp(module: Module) -> tuple[Replacement, ...]:
    """Lemmas that replace what runs."""
    return tuple(module.entries(CSIMP, _replacement))


def original_kinds(module: Module) -> dict[Name, Kind]:
    """What declarations were before they were exported, where that is something else.

    To whoever imports a `module`, a theorem is an axiom and a definition not exposed is opaque or
    an axiom: without this, nobody could tell Lean's own theorems from its axioms.
    """
    found: dict[Name, Kind] = {}
    for extension in ORIGINAL_KINDS:
        found.update(module.entries(extension, _kind_entry))
    return found


def _kind_entry(reader: Reader, address: int) -> tuple[Name, Kind]:
    name, kind = reader.region.fields(address, 0, 2).fields
    number = reader.region.number(kind)
    if number >= len(ENUMERATED):
        raise BadOlean(f"a declaration was of kind {number}, expected 0 to {len(ENUMERATED) - 1}")
    return reader.name(name), ENUMERATED[number]


def _range_entry(reader: Reader, address: int) -> tuple[Name, Range]:
    name, ranges = reader.region.fields(address, 0, 2).fields
    whole, _ = reader.region.fields(ranges, 0, 2).fields
    start, _, end, _ = reader.region.fields(whole, 0, 4).fields
    return reader.name(name), Range(_position(reader, start), _position(reader, end))


def _position(reader: Reader, address: int) -> Position:
    line, column = reader.region.fields(address, 0, 2).fields
    return Position(reader.region.number(line), reader.region.number(column))


def _name_pair(reader: Reader, address: int) -> tuple[Name, Name]:
    one, other = reader.region.fields(address, 0, 2).fields
    return reader.name(one), reader.name(other)


def _first_name(reader: Reader, address: int) -> Name:
    return reader.name(reader.region.fields(address, 0, 2).fields[0])


def _replacement(reader: Reader, address: int) -> Replacement:
    """A lemma, global or within a namespace: both replace what runs."""
    scope = reader.region.constructor(address)
    if (scope.tag, len(scope.fields)) not in ((0, 1), (1, 2)):
        raise BadOlean(f"the object at {address:#x} is no entry of a scoped extension")
    old, new, lemma = reader.region.fields(scope.fields[-1], 0, 3).fields
    return Replacement(reader.name(old), reader.name(new), reader.name(lemma))
