"""A fresh kernel: a process that imports a header and nothing else, and answers once."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from bise.judge.backend import Parts, Replayed
from bise.judge.constants import Constant
from bise.judge.dialogue import Dialogue
from bise.judge.encode import encode_module
from bise.judge.olean import Import
from bise.judge.region import Header
from bise.judge.replay import in_order, read_answer
from bise.judge.rooms import rooms
from bise.judge.sandbox import Boxed, End, Limits
from bise.judge.terms import Name, Terms

PROGRAMS = Path(__file__).with_name("lean")

ENDED = {
    "exited": "it ended without one",
    "killed": "it was killed",
    "cpu": "it met its limit of processor time",
    "wall": "it met its limit of time",
    "memory": "it met its limit of memory",
    "output": "it met its limit of output",
}


class Starts(Protocol):
    """What can start Lean in a folder, within the sandbox, with lines on its standard input."""

    def start(self, arguments: Sequence[str], work: Path, beside: Path, limits: Limits) -> Boxed:
        """beside: a folder with other compiled modules that it may import."""
        ...


class Checker:
    """A fresh kernel: it has imported a header and nothing else, and answers once.

    No line of a file under test runs in its process, and what it is shown is written by us.
    """

    def __init__(
        self,
        lean: Starts,
        header: Header,
        imports: Sequence[Import],
        dependencies: Mapping[Name, Parts],
        limits: Limits,
    ):
        self._word = secrets.token_hex(16)
        self._header, self._limits = header, limits
        self._closing = ExitStack()
        with self._closing:
            self._work, beside = self._closing.enter_context(rooms(dependencies))
            image = encode_module(header, imports, (), Terms())
            (self._work / "Header.olean").write_bytes(image)
            (self._work / "Replay.lean").write_bytes((PROGRAMS / "replay.lean").read_bytes())
            self._boxed = lean.start(
                ["--run", "Replay.lean", self._word], self._work, beside, limits
            )
            self._closing.callback(self._boxed.close)
            self._dialogue = Dialogue(self._boxed)
            self._closing = self._closing.pop_all()

    def __enter__(self) -> "Checker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def replay(self, constants: Iterable[Constant], terms: Terms) -> Replayed:
        """Let it check declarations; it is used up afterwards. Raises `NoWall`."""
        sent = in_order(constants, terms)
        image = encode_module(self._header, (), sent, terms)
        (self._work / "Declarations.olean").write_bytes(image)
        answer = self._dialogue.ask(
            "go", self._word.encode() + b" ", cpu_s=self._limits.cpu_s, wall_s=self._limits.wall_s
        )
        self.close()
        self._boxed.check_walls(self._dialogue.last_errors.decode("utf-8", "replace"))
        end: End = "exited" if answer.end == "answered" else answer.end
        if answer.end == "answered":
            fault = read_answer(answer.lines[-1], self._word, sent)
        else:
            fault = f"the kernel gave no answer: {ENDED[end]}"
        return Replayed(
            is_accepted=fault is None,
            fault=fault or "",
            end=end,
            seconds=self._boxed.seconds,
            cpu_s=self._boxed.used.cpu_s,
            has_answered=answer.end == "answered",
        )

    def close(self) -> None:
        """End its process and take its folder away."""
        self._closing.close()
