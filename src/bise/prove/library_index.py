"""An index over the library's declarations, made once from its compiled files.

Every declaration that a person wrote is a document: its name, its type in print, and features to
find it by. No Lean runs for that. The index is one file in the cache, found again by the library's
hash; it is read in a fraction of a second.

A feature is a text that begins with its kind:

    n:append                    a word of the name
    t:length                    a word of a constant in the type
    c:List.length               a constant in the type, class instances left out
    c:HAppend.hAppend@List      the same, and the type that it is used at
    p:length>hAppend            a function directly applied to what another gives
    h:Eq  h:Eq List.length      what the conclusion is, and what stands at its sides
"""

import os
import re
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bise.judge.backend import LeanBackend
from bise.judge.constants import KINDS, Constant, Kind
from bise.judge.extensions import original_kinds
from bise.judge.olean import Module
from bise.judge.region import BadOlean, Region
from bise.judge.terms import (
    APPLY,
    CONSTANT,
    FORALL,
    LAMBDA,
    PARTS,
    PROJECT,
    Name,
    Reader,
    Terms,
    show_name,
)
from bise.prove.pretty import EXPLICIT, INSTANCE, Printer, Signature, signature_of

VERSION = 2
"""Of the file and of everything that decides what is in it."""

ROOTS: tuple[Name, ...] = (("Init",), ("Std",), ("Lean",), ("Lake",))
"""Modules that import everything there is."""

BLOCK = 64
"""Types that are packed together."""

Told = Callable[[int, int], None]
"""Modules done, modules in all."""

SIMP, GRIND, DEPRECATED = 1, 2, 4
"""Marks of a declaration."""

SIMP_SET = ("Lean", "Meta", "simpExtension")
GRIND_SET = ("Lean", "Meta", "Grind", "grindExt")
DEPRECATED_SET = ("Lean", "Linter", "deprecatedAttr")

MADE = re.compile(
    r"(?:noConfusion(?:Type|Enum)?|casesOn|recOn|rec|brecOn|binductionOn|below|ibelow|ctorIdx"
    r"|toCtorIdx|ctorElim(?:Type)?|sizeOf_spec|congr_simp|eq_def|eq|match|congr_eq|induct"
    r"|induct_unfolding|mutual_induct|fun_cases|fun_cases_unfolding|formatter|parenthesizer"
    r"|hcongr|congr|proof|splitter|else_eq|instConfigField)(?:_\d+)*"
)
"""Last words of names that Lean makes up beside a declaration; some of them only with a number."""

WRITTEN = ("eq", "match", "congr", "proof", "induct")
"""Those that are somebody's own without one."""

SYNTAX = frozenset(
    tuple(one.split("."))
    for one in (
        "Lean.ParserDescr",
        "Lean.TrailingParserDescr",
        "Lean.Macro",
        "Lean.Parser.Parser",
        "Lean.Parser.TrailingParser",
        "Lean.PrettyPrinter.Unexpander",
        "Lean.PrettyPrinter.Delaborator.Delab",
        "Lean.Elab.Term.TermElab",
        "Lean.Elab.Command.CommandElab",
        "Lean.Elab.Tactic.Tactic",
    )
)
"""Types of notations and of what elaborates them: nothing to prove with."""

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
RELATIONS = frozenset({("Eq",), ("Iff",), ("Ne",), ("HEq",)})
SHAPES = frozenset({("LT", "lt"), ("LE", "le"), ("Membership", "mem"), ("Dvd", "dvd"), ("Not",)})


class Row(NamedTuple):
    """A declaration that is kept."""

    name: Name
    module: int
    kind: Kind
    marks: int
    type: str
    features: tuple[str, ...]


def words_of(name: str) -> list[str]:
    """The words of an identifier, in small letters: `getElem?_append` has get, elem, append."""
    return [one.lower() for one in WORD.findall(name)]


def is_left_out(name: Name) -> bool:
    """Whether a name is private or of Lean's making."""
    for word in name:
        if isinstance(word, int) or word.startswith("_") or "✝" in word:
            return True
    last = str(name[-1])
    return MADE.fullmatch(last) is not None and last not in WRITTEN


def build(lean: LeanBackend, told: Told = lambda _done, _all: None) -> dict[str, np.ndarray]:
    """Read the whole library: what `save` writes. A minute of processor time, 200 MB of memory."""
    maker = _Maker(lean)
    modules = in_order(lean)
    for done, module in enumerate(modules):
        told(done, len(modules))
        maker.add(module)
    told(len(modules), len(modules))
    return maker.arrays()


def in_order(lean: LeanBackend) -> list[Name]:
    """All modules, behind those that they import: what a type names was then seen before it."""
    found: dict[Name, None] = {}
    waiting = [(one, False) for one in reversed(ROOTS) if lean.has_module(one)]
    while waiting:
        module, is_ready = waiting.pop()
        if module in found:
            continue
        if is_ready:
            found[module] = None
            continue
        waiting.append((module, True))
        imports = Module(Region(lean.library_parts(module)), Terms()).imports
        waiting += [(one.module, False) for one in imports if one.module not in found]
    return list(found)


class _Maker:
    """Collects rows, module by module."""

    def __init__(self, lean: LeanBackend):
        self._lean = lean
        self._signatures: dict[Name, Signature] = {}
        self._constructors: set[Name] = set()
        self._modules: list[str] = []
        self._names: list[str] = []
        self._kinds = array("B")
        self._homes = array("H")
        self._marks = array("B")
        self._packed: list[bytes] = []
        self._block: list[str] = []
        self._terms: dict[str, int] = {}
        self._pairs = array("i")
        """Features of all rows one after the other."""

        self._starts = array("i", [0])

    def add(self, name: Name) -> None:
        """Everything worth finding in a module."""
        terms = Terms()
        module = Module(Region(self._lean.library_parts(name)), terms)
        kinds, marks = original_kinds(module), marks_of(module)
        found: list[Constant] = []
        for declared in module:
            if is_left_out(declared):
                continue
            constant = module[declared]
            self._signatures[declared] = signature_of(declared, terms, constant.type)
            if constant.kind == "constructor":
                self._constructors.add(declared)
            found.append(constant)
        printer = Printer(terms, self._signatures)
        home = len(self._modules)
        self._modules.append(show_name(name))
        for constant in found:
            head = terms.expressions[constant.type]
            if head[0] == CONSTANT and head[1] in SYNTAX:
                continue
            if constant.name[-1] == "elim" and constant.name[:-1] in self._constructors:
                continue
            self._put(
                Row(
                    constant.name,
                    home,
                    kinds.get(constant.name, constant.kind),
                    marks.get(constant.name, 0),
                    printer.statement(constant.type),
                    features(printer, constant.name, constant.type),
                )
            )

    def _put(self, row: Row) -> None:
        self._names.append(show_name(row.name))
        self._kinds.append(KINDS.index(row.kind))
        self._homes.append(row.module)
        self._marks.append(row.marks)
        self._pairs.extend(self._terms.setdefault(one, len(self._terms)) for one in row.features)
        self._starts.append(len(self._pairs))
        self._block.append(row.type.replace("\n", " "))
        if len(self._block) == BLOCK:
            self._pack()

    def _pack(self) -> None:
        self._packed.append(zlib.compress("\n".join(self._block).encode("utf-8", "replace"), 6))
        self._block = []

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays, features renumbered by frequency of nothing but first sight."""
        if self._block:
            self._pack()
        starts = np.frombuffer(self._starts, np.int32).copy()
        forward = np.frombuffer(self._pairs, np.int32).copy()
        rows = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
        order = np.argsort(forward, kind="stable")
        counts = np.bincount(forward, minlength=len(self._terms))
        return {
            "modules": _blob("\n".join(self._modules)),
            "names": _blob("\n".join(self._names)),
            "kinds": np.frombuffer(self._kinds, np.uint8).copy(),
            "homes": np.frombuffer(self._homes, np.uint16).copy(),
            "marks": np.frombuffer(self._marks, np.uint8).copy(),
            "terms": _blob("\n".join(self._terms)),
            "forward": forward,
            "starts": starts,
            "postings": rows[order],
            "ends": np.cumsum(counts, dtype=np.int64).astype(np.int32),
            "types": np.frombuffer(b"".join(self._packed), np.uint8).copy(),
            "blocks": np.cumsum([0, *map(len, self._packed)], dtype=np.int64).astype(np.int32),
        }


def save(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an index; it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    beside.rename(path)


def features(printer: Printer, name: Name, type_: int) -> tuple[str, ...]:
    """What a declaration is found by; each once."""
    terms, signatures = printer.terms, printer.signatures
    found: dict[str, None] = {}
    for word in words_of(".".join(str(one) for one in name)):
        found[f"n:{word}"] = None
    made_of = used(terms, signatures, type_)
    for constant, at in made_of.constants:
        shown = show_name(constant)
        found[f"c:{shown}"] = None
        if at is not None:
            found[f"c:{shown}@{show_name(at)}"] = None
        for word in words_of(shown):
            found[f"t:{word}"] = None
    for outer, inner in made_of.pairs:
        found[f"p:{outer}>{inner}"] = None
    for shape in conclusion(printer, type_):
        found[f"h:{shape}"] = None
    return tuple(found)


class Used(NamedTuple):
    """What a type is made of; class instances left out."""

    constants: dict[tuple[Name, Name | None], None]
    """Constants; those of a class with the type that they are used at."""

    pairs: dict[tuple[str, str], None]
    """Functions and what they are directly applied to, each by the last word of its name."""


def used(terms: Terms, signatures: Mapping[Name, Signature], type_: int) -> Used:
    """Go through a type, every distinct part of it once."""
    found = Used({}, {})
    seen, waiting = {type_}, [type_]

    def visit(number: int) -> None:
        if number not in seen:
            seen.add(number)
            waiting.append(number)

    while waiting:
        node = terms.expressions[waiting.pop()]
        tag = node[0]
        if tag == CONSTANT:
            found.constants[node[1], None] = None
        elif tag == APPLY:
            arguments: list[int] = []
            while node[0] == APPLY:
                arguments.append(node[2])
                node = terms.expressions[node[1]]
            arguments.reverse()
            kinds = b""
            if node[0] == CONSTANT:
                signature = signatures.get(node[1])
                kinds = signature.binders if signature else b""
                at = _head(terms, arguments[0]) if INSTANCE in kinds else None
                found.constants[node[1], at] = None
            for place, argument in enumerate(arguments):
                kind = kinds[place] if place < len(kinds) else EXPLICIT
                if kind != INSTANCE:
                    visit(argument)
                if kind == EXPLICIT and node[0] == CONSTANT:
                    inner = _head(terms, argument)
                    if inner is not None:
                        found.pairs[str(node[1][-1]), str(inner[-1])] = None
        elif tag in (FORALL, LAMBDA):
            if node[4] != INSTANCE:
                visit(node[2])
            visit(node[3])
        elif tag == PROJECT:
            found.constants[node[1], None] = None
            visit(node[3])
        else:
            for place in PARTS[tag]:
                visit(node[1 + place])
    return found


def _head(terms: Terms, number: int) -> Name | None:
    """The constant at the head of an expression."""
    node = terms.expressions[number]
    while node[0] == APPLY:
        node = terms.expressions[node[1]]
    return node[1] if node[0] == CONSTANT else None


def conclusion(printer: Printer, type_: int) -> Iterator[str]:
    """What a statement says in the end, in a word or two."""
    terms = printer.terms
    node = terms.expressions[type_]
    while node[0] == FORALL:
        node = terms.expressions[node[3]]
    if node[0] == CONSTANT:
        yield show_name(node[1])
    if node[0] != APPLY:
        return
    head, arguments = printer.spine(node)
    node = terms.expressions[head]
    if node[0] != CONSTANT:
        return
    yield show_name(node[1])
    if node[1] in RELATIONS or node[1] in SHAPES:
        for place in arguments[-2:] if node[1] != ("Not",) else arguments[-1:]:
            inner = _head(terms, place)
            if inner is not None:
                yield f"{show_name(node[1])} {show_name(inner)}"


def marks_of(module: Module) -> dict[Name, int]:
    """What a module's declarations are marked as."""
    found: dict[Name, int] = {}
    for extension, mark, read in (
        (SIMP_SET, SIMP, _simp_entry),
        (GRIND_SET, GRIND, _grind_entry),
        (DEPRECATED_SET, DEPRECATED, _deprecated_entry),
    ):
        for name in module.entries(extension, read):
            if name:
                found[name] = found.get(name, 0) | mark
    return found


def _simp_entry(reader: Reader, address: int) -> Name:
    return _origin(reader, address, 0, 4)


def _grind_entry(reader: Reader, address: int) -> Name:
    return _origin(reader, address, 3, 5)


def _deprecated_entry(reader: Reader, address: int) -> Name:
    return reader.name(reader.region.constructor(address).fields[0])


def _origin(reader: Reader, address: int, tag: int, place: int) -> Name:
    """The declaration a scoped entry is about; nothing for entries of other kinds.

    Layouts change between releases of Lean: what is not as we know it is passed over.
    Checked against: Lean 4 `SimpTheorem`, `Grind.EMatchTheorem`, `Origin.decl`.
    """
    region = reader.region
    try:
        entry = region.constructor(region.constructor(address).fields[-1])
        if entry.tag != tag:
            return ()
        origin = region.constructor(region.constructor(entry.fields[0]).fields[place])
        return reader.name(origin.fields[0]) if origin.tag == 0 else ()
    except (BadOlean, IndexError):
        return ()


def _blob(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-8", "replace"), np.uint8).copy()
