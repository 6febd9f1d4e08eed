"""A compiled file as one side of a comparison: its declarations, who wrote which, and the library.

Lean makes more declarations than a person writes. Which one belongs to which follows from where
they stand in the source, and for those without a place from their names.
"""

from collections.abc import Collection
from functools import cached_property

from bise.judge.backend import MODULE
from bise.judge.constants import Constant, Kind
from bise.judge.extensions import Range, declaration_ranges
from bise.judge.library import Library
from bise.judge.olean import Module
from bise.judge.terms import Name, Terms, name_order, show_name
from bise.judge.types import Types

PRIVATE = "_private"
MAX_SHOWN = 200


def without_private(name: Name) -> Name:
    """A name without what Lean puts before private ones: `_private.Module.0.`"""
    if name[:1] == (PRIVATE,) and 0 in name:
        return name[name.index(0) + 1 :]
    return name


def other_form(name: Name) -> Name:
    """What a private declaration is called if it is public, and a public one if it is private."""
    return without_private(name) if name[:1] == (PRIVATE,) else (PRIVATE, *MODULE, 0, *name)


def renamings(ours: Collection[Name], theirs: Collection[Name]) -> dict[Name, Name]:
    """New names for one file, where another has the same ones in private, or in public.

    Where all declarations are private unless marked, that is no part of what they are called.
    What Lean made for a declaration is renamed with it.
    """
    begins = {}
    for name in ours:
        other = other_form(name)
        if name not in theirs and other in theirs and other not in ours:
            begins.setdefault(other, name)
    found: dict[Name, Name] = {}
    for name in theirs if begins else ():
        at = next((at for at in range(len(name), 0, -1) if name[:at] in begins), 0)
        renamed = (*begins.get(name[:at], ()), *name[at:])
        if at and renamed not in theirs:
            found[name] = renamed
    return found if len(set(found.values())) == len(found) else {}


def shown(name: Name) -> str:
    """A name for people, as it is written in a source; a stranger's may be a megabyte long."""
    text = show_name(without_private(name))
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


class Side:
    """A compiled file and the library around it."""

    def __init__(self, module: Module, library: Library, terms: Terms):
        self.module, self.library, self.terms = module, library, terms
        self.types = Types(terms, self.find)

    def find(self, name: Name) -> Constant | None:
        """A declaration, of the file or of the library."""
        return self.module.get(name) or self.library.get(name)

    def kind(self, name: Name) -> Kind | None:
        """As what a name is declared, in the file or in the library."""
        found = self.module.get(name)
        return self.library.kind(name) if found is None else found.kind

    @cached_property
    def ranges(self) -> dict[Name, Range]:
        """Where declarations stand. Lean lists some private ones under their public names."""
        listed = declaration_ranges(self.module)
        found = {}
        for name in self.module:
            place = listed.get(name) or listed.get(without_private(name))
            if place is not None:
                found[name] = place
        return found

    @cached_property
    def outermost(self) -> frozenset[Name]:
        """Declarations that a person wrote, and not within another one."""
        ordered = sorted(
            self.ranges.items(),
            key=lambda one: (one[1].start, _reversed(one[1]), name_order(one[0])),
        )
        found: list[Name] = []
        around: Range | None = None
        for name, place in ordered:
            if around is None or not around.holds(place):
                found.append(name)
                around = place
        return frozenset(found)

    def is_written(self, name: Name) -> bool:
        """Whether a person wrote it; otherwise Lean made it."""
        return name in self.ranges

    def owner(self, name: Name) -> Name:
        """The outermost declaration that one is part of: itself, or what it was made for."""
        if name not in self._owners:
            self._owners[name] = self._owner(name)
        return self._owners[name]

    @cached_property
    def _owners(self) -> dict[Name, Name]:
        return {}

    def _owner(self, name: Name) -> Name:
        written = name
        while written and written not in self.ranges:
            written = written[:-1]
        if not written:
            return name
        if written in self.outermost:
            return written
        place = self.ranges[written]
        for one in self.outermost:
            if self.ranges[one].holds(place):
                return one
        return written


def _reversed(place: Range) -> tuple[int, int]:
    """Sorts longer ranges first."""
    return -place.end.line, -place.end.column
