"""Lean's own library as a file under test sees it: what is declared there, and as what.

The library is trusted. It is still read as data: a name is looked up in the modules that a file
imports and in those they hand on. Nothing is decoded before it is asked for; opening all of `Init`
takes a second.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from bise.judge.constants import Constant, Kind
from bise.judge.extensions import csimp, implemented_by, noncomputable, original_kinds
from bise.judge.olean import Import, Module
from bise.judge.region import Region
from bise.judge.terms import Name, Terms


class Library:
    """The modules that some imports bring, read into one table."""

    def __init__(
        self,
        parts: Callable[[Name], Sequence[bytes]],
        imports: Iterable[Import],
        terms: Terms,
    ):
        """parts: a compiled module by its name, as importers see it; its errors are passed on."""
        self._parts, self._terms = parts, terms
        self._modules: dict[Name, Module] = {}
        self._home: dict[Name, Name] = {}
        self._kinds: dict[Name, dict[Name, Kind]] = {}
        self.add(imports)

    def add(self, imports: Iterable[Import]) -> None:
        """Bring in what some imports bring."""
        waiting = [one.module for one in imports]
        while waiting:
            name = waiting.pop()
            if name in self._modules:
                continue
            module = self._modules[name] = Module(Region(self._parts(name)), self._terms)
            waiting += [one.module for one in module.imports]
            for declared in module:
                self._home.setdefault(declared, name)

    def __contains__(self, name: Name) -> bool:
        return name in self._home

    def get(self, name: Name) -> Constant | None:
        """A declaration, as its module hands it on: theorems have no proofs there."""
        home = self._home.get(name)
        return None if home is None else self._modules[home][name]

    def kind(self, name: Name) -> Kind | None:
        """As what a name was declared before it was handed on; None if it was not."""
        home = self._home.get(name)
        if home is None:
            return None
        if home not in self._kinds:
            self._kinds[home] = original_kinds(self._modules[home])
        return self._kinds[home].get(name) or self._modules[home][name].kind

    @cached_property
    def noncomputable(self) -> frozenset[Name]:
        """Declarations marked so, by keyword or section, that do not run as something else."""
        modules = self._modules.values()
        marked = frozenset().union(*map(noncomputable, modules))
        replaced = {one.old for module in modules for one in csimp(module)}
        return marked.difference(replaced, *map(implemented_by, modules))
