"""What Lean made of the cases, kept in `data/cases.tar.xz`, and a stand-in that plays it back.

`record.py` fills the archive with a real Lean. The stand-in answers for sources it knows and for
nothing else; its library has the declarations that judging the cases asks for.
"""

import hashlib
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import bise.judge
from bise.judge import Constant, Header, Import, Limits, Name, Request, Terms
from bise.judge.backend import MODULE, Compiled, Identity, NeedsNative, Parts, Replayed
from bise.judge.extensions import Position
from bise.judge.header import read_header
from bise.judge.messages import Message
from bise.judge.replay import in_order

CASES = Path(__file__).parent / "cases"
PROBLEMS = Path(bise.judge.__file__).parent / "problems"
ARCHIVE = Path(__file__).parent / "data" / "cases.tar.xz"


@cache
def index() -> dict[str, dict[str, Any]]:
    """The cases: family and name, challenge, expected verdict and reason."""
    return json.loads((CASES / "cases.json").read_text())


def challenge_of(case: str) -> str:
    """The source of a case's challenge."""
    return read(challenge_path(index()[case]["challenge"]))


def request_of(case: str, **more: Any) -> Request:
    """What is asked of the judge in a case."""
    about = index()[case]
    return Request(
        challenge=challenge_of(case),
        submission=submission_of(case),
        examples=about.get("examples"),
        disproves=tuple(about.get("disproves", ())),
        **more,
    )


def expected(case: str) -> tuple[str, list[str]]:
    """The outcome of a case, and which reasons it may have."""
    about = index()[case]
    return about["verdict"], about.get("reason", "").split("|")


def challenge_path(name: str) -> Path:
    """The file of a challenge, or of a problem that ships."""
    folder, _, problem = name.rpartition("/")
    return PROBLEMS / f"{problem}.lean" if folder else CASES / "challenges" / f"{name}.lean"


def submission_of(case: str) -> str:
    """The source of a case's submission; the challenge itself where that is unusable anyway."""
    path = CASES / f"{case}.lean"
    return read(path) if path.is_file() else challenge_of(case)


def read(path: Path) -> str:
    """A source as it is, line ends included."""
    return path.read_bytes().decode()


def digest(source: str) -> str:
    """What a source is kept under."""
    return hashlib.sha256(source.encode()).hexdigest()


@cache
def archive() -> dict[str, bytes]:
    """All that was recorded, by its name in the archive."""
    with tarfile.open(ARCHIVE) as held:
        files = ((one.name, held.extractfile(one)) for one in held)
        return {name: file.read() for name, file in files if file is not None}


class RecordedLean:
    """A `LeanBackend` that has seen the cases before."""

    identity = Identity(backend="recorded", version="Lean 4.28.0-pre, recorded", library="recorded")

    def has_module(self, module: Name) -> bool:
        return module in (("Init",), ("Lean",))

    def has_code(self, name: Name) -> bool:
        """It has none."""
        del name
        return False

    def library_parts(self, module: Name) -> Parts:
        if not self.has_module(module):
            raise NeedsNative(module)
        return (archive()[f"library/{module[0]}.olean"],)

    def compile(
        self,
        source: str,
        *,
        module: Name = MODULE,  # noqa: ARG002
        dependencies: Mapping[Name, Parts] | None = None,  # noqa: ARG002
        noncomputable: bool = True,  # noqa: ARG002
        limits: Limits | None = None,  # noqa: ARG002
    ) -> Compiled:
        for wanted in read_header(source).modules:
            self.library_parts(wanted)
        held, key = archive(), digest(source)
        how = json.loads(held[f"{key}/how.json"])
        return Compiled(
            parts=tuple(held[f"{key}/{at}"] for at in range(how["parts"])),
            messages=tuple(
                Message(severity="error", text=text, start=Position(1, 0)) for text in how["errors"]
            ),
            end=how["end"],
            status=how["status"],
            seconds=0.0,
            cpu_s=0.0,
        )

    def checker(
        self,
        header: Header,  # noqa: ARG002
        imports: Sequence[Import],  # noqa: ARG002
        *,
        dependencies: Mapping[Name, Parts] | None = None,  # noqa: ARG002
        limits: Limits | None = None,  # noqa: ARG002
    ) -> "RecordedChecker":
        return RecordedChecker()

    def replay(
        self,
        header: Header,
        imports: Sequence[Import],
        constants: Iterable[Constant],
        terms: Terms,
        *,
        dependencies: Mapping[Name, Parts] | None = None,  # noqa: ARG002
        limits: Limits | None = None,  # noqa: ARG002
    ) -> Replayed:
        return self.checker(header, imports).replay(constants, terms)


class RecordedChecker:
    """What a kernel would say is not recorded: it accepts whatever is whole and in order."""

    def __enter__(self) -> "RecordedChecker":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def replay(self, constants: Iterable[Constant], terms: Terms) -> Replayed:
        in_order(constants, terms)
        return Replayed(is_accepted=True, fault="", end="exited", seconds=0.0, cpu_s=0.0)
