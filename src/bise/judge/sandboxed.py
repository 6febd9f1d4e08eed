"""What both Leans do alike: compile a file and check declarations, each in a sandboxed process."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bise.judge.backend import MODULE, Compiled, Identity, NeedsNative, Parts, Replayed
from bise.judge.checker import Checker
from bise.judge.constants import Constant
from bise.judge.header import insert_line, read_header, untouched
from bise.judge.messages import read_messages
from bise.judge.olean import Import
from bise.judge.region import Header
from bise.judge.rooms import path_of, read_parts, rooms
from bise.judge.sandbox import Boxed, Limits, NoWall, Ran, run
from bise.judge.symbols import ROOTS
from bise.judge.terms import Name, Terms

SYSTEM = tuple(Path(one) for one in ("/lib", "/lib64", "/usr/lib", "/usr/lib64"))
"""Where the libraries lie that programs are linked with."""

NOTE_CHARS = 400


class SandboxedLean(ABC):
    """A `LeanBackend` over a command; which command, and what it may see, is for others to say."""

    lacks_code = False
    """Whether the library's code is missing, so that definitions using it cannot be compiled."""

    has_walls = True
    """Without walls a Lean may be asked while searching, never for a verdict."""

    @property
    @abstractmethod
    def identity(self) -> Identity:
        """Which one it is."""

    @abstractmethod
    def has_module(self, module: Name) -> bool:
        """Whether its library has a module."""

    def has_code(self, name: Name) -> bool:
        """Whether it has code by a name; a guess from the first word where it cannot be asked."""
        return name[:1] != () and name[0] in ROOTS

    @abstractmethod
    def library_parts(self, module: Name) -> Parts:
        """A compiled module of its library. Raises `NeedsNative`."""

    @abstractmethod
    def command(self, arguments: Sequence[str]) -> list[str]:
        """Lean with arguments."""

    @abstractmethod
    def sight(self, work: Path, beside: Path) -> tuple[list[Path], dict[str, str]]:
        """What Lean may see besides the folder it works in, and its environment."""

    def compile(
        self,
        source: str,
        *,
        module: Name = MODULE,
        dependencies: Mapping[Name, Parts] | None = None,
        noncomputable: bool = True,
        limits: Limits | None = None,
    ) -> Compiled:
        """Compile one file; see `LeanBackend`."""
        dependencies = dependencies or {}
        self._need_walls()
        self.need(read_header(source).modules, dependencies)
        is_needed = noncomputable and self.lacks_code
        made = insert_line(source) if is_needed else untouched(source)
        path = path_of(module)
        assert path is not None, f"a module named {module}"
        output = path.with_suffix(".olean")
        with rooms(dependencies) as (work, beside):
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(made.text, encoding="utf-8", newline="")
            ran = self.run(["--json", "-o", str(output), str(path)], work, beside, limits)
            messages = read_messages(ran.out, made.restore)
            is_written = ran.end == "exited" and ran.status == 0
            parts = read_parts(work / output) if is_written else ()
        has_errors = any(one.severity == "error" for one in messages)
        return Compiled(
            parts=parts,
            messages=messages,
            end=ran.end,
            status=ran.status,
            seconds=ran.seconds,
            cpu_s=ran.cpu_s,
            note="" if parts or has_errors else _last_words(ran.err),
        )

    def replay(
        self,
        header: Header,
        imports: Sequence[Import],
        constants: Iterable[Constant],
        terms: Terms,
        *,
        dependencies: Mapping[Name, Parts] | None = None,
        limits: Limits | None = None,
    ) -> Replayed:
        """Let a fresh kernel check declarations; see `LeanBackend`."""
        with self.checker(header, imports, dependencies=dependencies, limits=limits) as checker:
            return checker.replay(constants, terms)

    def checker(
        self,
        header: Header,
        imports: Sequence[Import],
        *,
        dependencies: Mapping[Name, Parts] | None = None,
        limits: Limits | None = None,
    ) -> "Checker":
        """Start a process that imports these and nothing else, for one `replay`, then or later."""
        self._need_walls()
        self.need((one.module for one in imports), dependencies or {})
        return Checker(self, header, imports, dependencies or {}, limits or Limits())

    def _need_walls(self) -> None:
        if not self.has_walls:
            raise NoWall(
                "a Lean without a sandbox may search, but not judge",
                hint="verify where the sandbox works, without `--unsafe-no-sandbox`",
            )

    def need(self, modules: Iterable[Name], dependencies: Mapping[Name, Parts]) -> None:
        """Raise `NeedsNative` for a module that is nowhere."""
        for module in modules:
            if module not in dependencies and not self.has_module(module):
                raise NeedsNative(module)

    def start(self, arguments: Sequence[str], work: Path, beside: Path, limits: Limits) -> Boxed:
        """Start Lean in a folder, within the sandbox; it takes lines on its standard input."""
        read_only, environment = self.sight(work, beside)
        return Boxed(
            self.command(arguments),
            work,
            read_only=read_only,
            environment=environment,
            limits=limits,
            takes_input=True,
            has_walls=self.has_walls,
        )

    def run(self, arguments: Sequence[str], work: Path, beside: Path, limits: Limits | None) -> Ran:
        """Run Lean in a folder, within the sandbox, until it ends."""
        read_only, environment = self.sight(work, beside)
        return run(
            self.command(arguments),
            work,
            read_only=read_only,
            environment=environment,
            limits=limits,
        )


def _last_words(text: bytes) -> str:
    lines = text[-4 * NOTE_CHARS :].decode("utf-8", "replace").split("\n")
    return "\n".join(one for one in lines if not one.startswith("[DEBUG"))[-NOTE_CHARS:].strip()
