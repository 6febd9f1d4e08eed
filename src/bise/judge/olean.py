"""A compiled Lean module: what it imports, what it declares, what its extensions noted.

Lean writes up to three files for a module: `.olean` for whoever imports it, `.olean.server` for
editors, `.olean.private` with everything, proofs and private declarations included. They share
objects. The last one given is the one told of here.

Nothing is decoded before it is asked for: a library file of megabytes opens in milliseconds.
Checked against: Lean 4 `ModuleData` (src/Lean/Environment.lean), `Import` (src/Lean/Setup.lean).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bise.errors import NotFound
from bise.judge.constants import Constant, read_constant
from bise.judge.region import MAX_BYTES, BadOlean, Header, Region
from bise.judge.terms import Name, Reader, Terms, show_name

Entry = TypeVar("Entry")

SUFFIXES = ("", ".server", ".private")
"""Of a module's files, in the order Lean writes them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """A module another one imports, and how."""

    module: Name
    is_all: bool
    """`import all`: private declarations too."""

    is_exported: bool
    """`public import`: whoever imports this module gets that one as well."""

    is_meta: bool
    """For code that runs while compiling."""


class Module(Mapping[Name, Constant]):
    """A module's declarations by name; the rest by attribute. Everything raises `BadOlean`."""

    def __init__(self, region: Region, terms: Terms, renamed: Mapping[Name, Name] | None = None):
        """renamed: other names for some, wherever they stand."""
        self.region = region
        self.reader = Reader(region, terms, renamed or {})
        root = region.fields(region.roots[-1], 0, 5, 1)
        imports, names, constants, extra, entries = root.fields
        if root.scalars[0] > 1:
            raise BadOlean("the compiled file does not say whether it is a `module`")
        self.is_module = bool(root.scalars[0])
        """Whether it began with the word `module`."""

        self.imports = tuple(map(self._import, region.array(imports)))
        self._extra = extra
        self._addresses = self._by_name(names, constants)
        self._constants: dict[Name, Constant] = {}
        self._extensions = dict(map(self._extension, region.array(entries)))

    @property
    def header(self) -> Header:
        """Who wrote the file."""
        return self.region.header

    def __getitem__(self, name: Name) -> Constant:
        found = self._constants.get(name)
        if found is None:
            found = read_constant(self.reader, self._addresses[name])
            if found.name != name:
                raise BadOlean(f"`{show_name(name)}` is listed, but is `{show_name(found.name)}`")
            self._constants[name] = found
        return found

    def __iter__(self) -> Iterator[Name]:
        return iter(self._addresses)

    def __len__(self) -> int:
        return len(self._addresses)

    def __contains__(self, name: object) -> bool:
        return name in self._addresses

    def extra_names(self) -> frozenset[Name]:
        """Names that only the code generator knows."""
        return frozenset(map(self.reader.name, self.region.array(self._extra)))

    def extensions(self) -> tuple[Name, ...]:
        """The environment extensions that wrote something into this module, or could have."""
        return tuple(self._extensions)

    def entries(self, extension: Name, read: Callable[[Reader, int], Entry]) -> list[Entry]:
        """What an extension noted, each entry read by `read`; nothing if it is unknown."""
        address = self._extensions.get(extension)
        if address is None:
            return []
        return [read(self.reader, entry) for entry in self.region.array(address)]

    def _import(self, address: int) -> Import:
        found = self.region.fields(address, 0, 1, 3)
        if max(found.scalars[:3]) > 1:
            raise BadOlean(f"the import at {address:#x} has a flag that is neither 0 nor 1")
        is_all, is_exported, is_meta = map(bool, found.scalars[:3])
        module = self.reader.name(found.fields[0])
        return Import(module=module, is_all=is_all, is_exported=is_exported, is_meta=is_meta)

    def _by_name(self, names: int, constants: int) -> dict[Name, int]:
        listed = list(map(self.reader.name, self.region.array(names)))
        addresses = self.region.array(constants)
        if len(listed) != len(addresses):
            raise BadOlean(
                f"the compiled file lists {len(listed)} names for {len(addresses)} declarations"
            )
        found = dict(zip(listed, addresses, strict=True))
        if len(found) != len(listed):
            raise BadOlean("the compiled file declares a name twice")
        return found

    def _extension(self, address: int) -> tuple[Name, int]:
        name, entries = self.region.fields(address, 0, 2).fields
        return self.reader.name(name), entries


def read_module(
    path: Path, terms: Terms, *, max_bytes: int = MAX_BYTES, with_private: bool = True
) -> Module:
    """Read a module from its `.olean` and, if wanted and there, the files beside it.

    terms: the table it is read into; modules that share one are compared by numbers.
    Raises `NotFound` if there is no such file, `BadOlean` for everything wrong within it.
    """
    if not path.is_file():
        raise NotFound(f"there is no compiled file `{path}`")
    paths = [path.with_name(path.name + suffix) for suffix in SUFFIXES]
    wanted = paths if with_private and all(map(Path.is_file, paths)) else paths[:1]
    if sum(one.stat().st_size for one in wanted) > max_bytes:
        raise BadOlean(f"`{path}` and what lies beside it is larger than {max_bytes:,} bytes")
    parts = []
    for one in wanted:
        with one.open("rb") as file:
            parts.append(file.read(max_bytes + 1))  # it may have grown since
    return Module(Region(parts, max_bytes), terms)
