"""What the judge and the search ask of a Lean, whichever it is.

Two answer: `wasm`, which `bise prove setup` installs, and `native`, a `lean` on the path. Both run
everything that sees a stranger's file within the sandbox, and neither is believed: a compiled file
is read by us, and whether a kernel took it is asked of another process.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bise.errors import UserError
from bise.judge.constants import Constant
from bise.judge.messages import Message
from bise.judge.olean import Import
from bise.judge.region import Header
from bise.judge.sandbox import End, Limits
from bise.judge.terms import Name, Terms, show_name

MODULE = ("Judged",)
"""The one name that challenge and submission are compiled under: private names then agree."""

Parts = tuple[bytes, ...]
"""A compiled module: its `.olean`, then `.server` and `.private` if there are such."""


class NoLean(UserError):
    """There is no Lean to ask, or it does not run here."""


class NeedsNative(NoLean):
    """A module that this Lean does not have."""

    def __init__(self, module: Name):
        self.module = module
        super().__init__(
            f"`{show_name(module)}` is not among the modules of this Lean",
            hint="use a native Lean with the project the file belongs to",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Which Lean answered; part of every result."""

    backend: str
    """`wasm` or `native`."""

    version: str
    """As Lean says it, with its commit."""

    library: str
    """The hash of its library, and of the program itself where that is one file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compiled:
    """What became of a source file. Everything in it comes from a process nobody trusts."""

    parts: Parts
    """Empty unless Lean ended by itself and wrote a file."""

    messages: tuple[Message, ...]
    """With places in the source as it was given. Hints, no more: a file prints what it likes."""

    end: End
    status: int
    seconds: float
    cpu_s: float
    note: str = ""
    """The end of what Lean said if it neither wrote a file nor gave an error."""

    @property
    def is_done(self) -> bool:
        """Whether Lean ended by itself, content, and wrote a file."""
        return self.end == "exited" and self.status == 0 and bool(self.parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """What a fresh kernel said to declarations."""

    is_accepted: bool
    fault: str
    """Why not, in the kernel's words or ours; empty if accepted."""

    end: End
    seconds: float
    cpu_s: float
    has_answered: bool = True
    """Whether the kernel said anything, before its process ended."""


class Checking(Protocol):
    """A fresh kernel that waits to be shown declarations, once; a context manager."""

    def __enter__(self) -> "Checking": ...

    def __exit__(self, *_: object) -> None: ...

    def replay(self, constants: Iterable[Constant], terms: Terms) -> Replayed:
        """Let it check declarations; it is used up afterwards."""
        ...


class LeanBackend(Protocol):
    """A Lean. Methods raise `NoLean` or `NoWall` if it cannot be run; threads may call them."""

    @property
    def identity(self) -> Identity:
        """Which one it is."""
        ...

    def has_module(self, module: Name) -> bool:
        """Whether its library has a module."""
        ...

    def has_code(self, name: Name) -> bool:
        """Whether it has code of its own by a name, and runs that whatever a file declares."""
        ...

    def library_parts(self, module: Name) -> Parts:
        """A compiled module of its library, as importers see it. Raises `NeedsNative`."""
        ...

    def compile(
        self,
        source: str,
        *,
        module: Name = MODULE,
        dependencies: Mapping[Name, Parts] | None = None,
        noncomputable: bool = True,
        limits: Limits | None = None,
    ) -> Compiled:
        """Compile one file in a fresh folder and a fresh process.

        dependencies: other compiled modules it may import, besides the library.
        noncomputable: put `noncomputable section` behind the header where this Lean lacks the
        library's code; places in messages are those of the source as given.
        Raises `NeedsNative` for an import that is nowhere.
        """
        ...

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
        """Let a fresh kernel check declarations, after importing nothing but `imports`.

        header: of the compiled file they were read from. Only what is passed is checked: whatever
        they rest on must be among them or in what is imported.
        """
        ...

    def checker(
        self,
        header: Header,
        imports: Sequence[Import],
        *,
        dependencies: Mapping[Name, Parts] | None = None,
        limits: Limits | None = None,
    ) -> Checking:
        """A fresh kernel that imports these ahead, for one `replay`, then or later."""
        ...
