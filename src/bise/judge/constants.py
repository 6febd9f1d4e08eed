"""What a compiled file declares: axioms, definitions, theorems, inductive types and their kin.

Checked against: Lean 4 `ConstantInfo` (src/Lean/Declaration.lean).
"""

from dataclasses import dataclass
from typing import Literal, get_args

from bise.judge.region import BadOlean, Object
from bise.judge.terms import Name, Reader

Kind = Literal[
    "axiom",
    "definition",
    "theorem",
    "opaque",
    "quotient",
    "inductive",
    "constructor",
    "recursor",
]
"""In the order of Lean's constructors."""

KINDS: tuple[Kind, ...] = get_args(Kind)

Safety = Literal["unsafe", "safe", "partial"]
SAFETIES: tuple[Safety, ...] = get_args(Safety)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """How a recursor computes on one constructor."""

    constructor: Name
    num_fields: int
    value: int
    """An expression."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Constant:
    """A declaration as the kernel keeps it. Types and values are numbers of expressions."""

    name: Name
    kind: Kind
    universes: tuple[Name, ...]
    type: int
    safety: Safety = "safe"
    value: int | None = None
    """Of definitions, theorems and opaque constants."""

    unfolding: int | Literal["opaque", "abbreviation"] = "opaque"
    """Of definitions: a hint for the kernel's speed, its height where it is a number."""

    together: tuple[Name, ...] = ()
    """All that were declared in one mutual block."""

    constructors: tuple[Name, ...] = ()
    """Of an inductive type."""

    inductive: Name = ()
    """Of a constructor."""

    counts: tuple[int, ...] = ()
    """inductive: parameters, indices, nested types. constructor: its index, parameters, fields.
    recursor: parameters, indices, motives, minor premises. quotient: which of the four it is."""

    flags: tuple[bool, ...] = ()
    """inductive: is recursive, is reflexive. recursor: reduces like `Eq`."""

    rules: tuple[Rule, ...] = ()
    """Of a recursor."""

    def expressions(self) -> tuple[int, ...]:
        """Its type, its value and what its rules compute."""
        value = () if self.value is None else (self.value,)
        return (self.type, *value, *(rule.value for rule in self.rules))

    def named(self) -> tuple[Name, ...]:
        """Constants it names outside of its expressions."""
        owner = (self.inductive,) if self.inductive else ()
        rules = (rule.constructor for rule in self.rules)
        return (*self.together, *self.constructors, *owner, *rules)


def read_constant(reader: Reader, address: int) -> Constant:
    """Read a `ConstantInfo`. Raises `BadOlean`."""
    outer = reader.region.constructor(address)
    if outer.tag >= len(KINDS) or len(outer.fields) != 1:
        raise BadOlean(f"the object at {address:#x} is no declaration")
    return READERS[outer.tag](reader, outer.fields[0])


def _common(reader: Reader, address: int) -> tuple[Name, tuple[Name, ...], int]:
    """Name, universe parameters and type."""
    name, universes, kind = reader.region.fields(address, 0, 3).fields
    return reader.name(name), reader.names(universes), reader.expression(kind)


def _flag(found: Object, at: int) -> bool:
    if found.scalars[at] > 1:
        raise BadOlean(f"a flag is {found.scalars[at]}, expected 0 or 1")
    return bool(found.scalars[at])


def _safety(found: Object, at: int) -> Safety:
    return "unsafe" if _flag(found, at) else "safe"


def _axiom(reader: Reader, address: int) -> Constant:
    found = reader.region.fields(address, 0, 1, 1)
    name, universes, kind = _common(reader, found.fields[0])
    return Constant(
        name=name, kind="axiom", universes=universes, type=kind, safety=_safety(found, 0)
    )


def _definition(reader: Reader, address: int) -> Constant:
    found = reader.region.fields(address, 0, 4, 1)
    common, value, hints, together = found.fields
    name, universes, kind = _common(reader, common)
    if found.scalars[0] >= len(SAFETIES):
        raise BadOlean(f"the definition at {address:#x} has safety {found.scalars[0]}")
    return Constant(
        name=name,
        kind="definition",
        universes=universes,
        type=kind,
        value=reader.expression(value),
        unfolding=_unfolding(reader, hints),
        safety=SAFETIES[found.scalars[0]],
        together=reader.names(together),
    )


def _unfolding(reader: Reader, address: int) -> int | Literal["opaque", "abbreviation"]:
    if address == 1:
        return "opaque"
    if address == 3:
        return "abbreviation"
    height = reader.region.fields(address, 2, 0, 4).scalars[:4]
    return int.from_bytes(height, "little")


def _theorem(reader: Reader, address: int) -> Constant:
    common, value, together = reader.region.fields(address, 0, 3).fields
    name, universes, kind = _common(reader, common)
    return Constant(
        name=name,
        kind="theorem",
        universes=universes,
        type=kind,
        value=reader.expression(value),
        together=reader.names(together),
    )


def _opaque(reader: Reader, address: int) -> Constant:
    found = reader.region.fields(address, 0, 3, 1)
    common, value, together = found.fields
    name, universes, kind = _common(reader, common)
    return Constant(
        name=name,
        kind="opaque",
        universes=universes,
        type=kind,
        value=reader.expression(value),
        safety=_safety(found, 0),
        together=reader.names(together),
    )


def _quotient(reader: Reader, address: int) -> Constant:
    found = reader.region.fields(address, 0, 1, 1)
    name, universes, kind = _common(reader, found.fields[0])
    which = found.scalars[0]
    if which > 3:
        raise BadOlean(f"the quotient constant at {address:#x} is number {which}, expected 0 to 3")
    return Constant(name=name, kind="quotient", universes=universes, type=kind, counts=(which,))


def _inductive(reader: Reader, address: int) -> Constant:
    found = reader.region.fields(address, 0, 6, 3)
    common, parameters, indices, together, constructors, nested = found.fields
    name, universes, kind = _common(reader, common)
    return Constant(
        name=name,
        kind="inductive",
        universes=universes,
        type=kind,
        counts=tuple(map(reader.region.number, (parameters, indices, nested))),
        together=reader.names(together),
        constructors=reader.names(constructors),
        safety=_safety(found, 1),
        flags=(_flag(found, 0), _flag(found, 2)),
    )


def _constructor(reader: Reader, address: int) -> Constant:
    found = reader.region.fields(address, 0, 5, 1)
    common, inductive, index, parameters, fields = found.fields
    name, universes, kind = _common(reader, common)
    return Constant(
        name=name,
        kind="constructor",
        universes=universes,
        type=kind,
        inductive=reader.name(inductive),
        counts=tuple(map(reader.region.number, (index, parameters, fields))),
        safety=_safety(found, 0),
    )


def _recursor(reader: Reader, address: int) -> Constant:
    found = reader.region.fields(address, 0, 7, 2)
    common, together, *counts, rules = found.fields
    name, universes, kind = _common(reader, common)
    return Constant(
        name=name,
        kind="recursor",
        universes=universes,
        type=kind,
        together=reader.names(together),
        counts=tuple(map(reader.region.number, counts)),
        rules=tuple(_rule(reader, one) for one in reader.region.items(rules)),
        flags=(_flag(found, 0),),
        safety=_safety(found, 1),
    )


def _rule(reader: Reader, address: int) -> Rule:
    constructor, fields, value = reader.region.fields(address, 0, 3).fields
    return Rule(
        constructor=reader.name(constructor),
        num_fields=reader.region.number(fields),
        value=reader.expression(value),
    )


READERS = (
    _axiom,
    _definition,
    _theorem,
    _opaque,
    _quotient,
    _inductive,
    _constructor,
    _recursor,
)
"""In the order of Lean's constructors."""
