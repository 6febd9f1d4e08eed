"""A Lean of the person's own, found on the path or through elan, and the project of a file.

The program and the project are theirs and trusted; what they compile is not, and sees only the
toolchain, the project's compiled modules and one folder.
Not yet run with a real one: see lab/native-queue.md.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from bise.judge.backend import Identity, NeedsNative, NoLean, Parts
from bise.judge.olean import SUFFIXES
from bise.judge.rooms import path_of
from bise.judge.sandboxed import SYSTEM, SandboxedLean
from bise.judge.terms import Name

VERSION = re.compile(r"Lean \(version ([^,)]+)(?:, [\w.-]+)??(?:, commit ([0-9a-f]+))?(?:, \w+)?\)")
ASK_S = 120
"""For the toolchain to say who it is: elan may have to fetch it first."""

PROJECT_FILES = ("lean-toolchain", "lake-manifest.json", "lakefile.toml", "lakefile.lean")


def find_lean(environment: Mapping[str, str] | None = None) -> Path:
    """The `lean` on the path, or elan's. Raises `NoLean` if there is none."""
    known = os.environ if environment is None else environment
    found = shutil.which("lean", path=known.get("PATH", ""))
    home = Path(known.get("ELAN_HOME") or Path(known.get("HOME") or "~").expanduser() / ".elan")
    for path in (found, home / "bin" / "lean"):
        if path is not None and os.access(path, os.X_OK):
            return Path(path).absolute()
    raise NoLean("there is no `lean` on the path", hint="install elan, or run `bise prove setup`")


class NativeLean(SandboxedLean):
    """A toolchain, and the project whose modules files may import, as a `LeanBackend`."""

    def __init__(
        self,
        program: Path | None = None,
        project: Path | None = None,
        *,
        has_walls: bool = True,
    ):
        """project: a folder that `lake` builds. Raises `NoLean` if either does not answer."""
        self._given = program or find_lean()
        self.has_walls = has_walls
        self.project = None if project is None else project.resolve()
        if self.project is not None and not self.project.is_dir():
            raise NoLean(f"`{project}` is no folder", hint="name the folder with the lakefile")
        self.prefix = Path(self._ask([str(self._given), "--print-prefix"]))
        self.program = self.prefix / "bin" / "lean"
        """Not elan's stand-in for it, which would look for the person's files."""

        if not self.program.is_file():
            raise NoLean(
                f"`{self._given}` says it lies in `{self.prefix}`, which has no `bin/lean`"
            )
        self.search_path = [*self._project_path(), self.prefix / "lib" / "lean"]

    @cached_property
    def identity(self) -> Identity:
        """Which one it is, as it says itself; the library's hash takes some seconds."""
        told = self._ask([str(self.program), "--version"])
        found = VERSION.search(told)
        if found is None:
            raise NoLean(
                f"`{self.program}` calls itself `{told[:80]}`, expected a version of Lean 4"
            )
        commit = f", commit {found[2]}" if found[2] else ""
        return Identity(
            backend="native", version=f"Lean {found[1]}{commit}, 64 bits", library=self._hash()
        )

    def has_module(self, module: Name) -> bool:
        """Whether the library or the project has a module, compiled."""
        return self._find(module) is not None

    def library_parts(self, module: Name) -> Parts:
        """A compiled module of the library or the project."""
        path = self._find(module)
        if path is None:
            raise NeedsNative(module)
        paths = [path.with_name(path.name + suffix) for suffix in SUFFIXES]
        return tuple(one.read_bytes() for one in paths if one.is_file())

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Lean with arguments."""
        return [str(self.program), *arguments]

    def sight(self, work: Path, beside: Path) -> tuple[list[Path], dict[str, str]]:
        """The toolchain, compiled modules, and where they are."""
        del work  # it starts there, and finds its files by their names
        read_only = [self.prefix, *self._project_path(), beside]
        read_only += [one for one in SYSTEM if one.exists()]
        return read_only, {"LEAN_PATH": os.pathsep.join(map(str, [beside, *self.search_path]))}

    def _find(self, module: Name) -> Path | None:
        path = path_of(module)
        if path is None:
            return None
        places = (one / path.with_suffix(".olean") for one in self.search_path)
        return next(filter(Path.is_file, places), None)

    def _project_path(self) -> list[Path]:
        """Where the project's own modules and those of its dependencies lie."""
        return [] if self.project is None else self._lake_path

    @cached_property
    def _lake_path(self) -> list[Path]:
        lake = self._given.with_name("lake")
        told = self._ask([str(lake), "env", "printenv", "LEAN_PATH"])
        paths = [(self.project or Path()) / one for one in told.split(os.pathsep) if one]
        return [one.resolve() for one in paths if one.is_dir()]

    def _hash(self) -> str:
        """Of Lean, its library, and the files that pin what the project uses."""
        whole = hashlib.sha256()
        library = self.prefix / "lib" / "lean"
        files = [self.program, *sorted(library.rglob("*.olean"))]
        files += [] if self.project is None else [self.project / one for one in PROJECT_FILES]
        for path in files:
            if path.is_file():
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                whole.update(f"{digest}  {path.name}\n".encode())
        return whole.hexdigest()

    def _ask(self, command: Sequence[str]) -> str:
        """What the toolchain says to a question about itself."""
        try:
            asked = subprocess.run(
                command,
                cwd=self.project,
                capture_output=True,
                text=True,
                timeout=ASK_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as fault:
            raise NoLean(
                f"`{command[0]}` does not run: {fault}", hint="see whether it works"
            ) from None
        if asked.returncode or not asked.stdout.strip():
            words = (asked.stderr.strip() or "nothing").splitlines()[-1][:200]
            raise NoLean(
                f"`{' '.join(command)}` ends with {asked.returncode} and says `{words}`",
                hint="see whether it works in a terminal",
            )
        return asked.stdout.strip()
