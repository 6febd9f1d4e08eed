"""A Lean that keeps a header imported and answers about one file after another behind it.

For searching only: files run code in its process, so it may lie; a verdict never asks it.
"""

import json
import re
import secrets
from contextlib import ExitStack
from dataclasses import dataclass

from bise.judge.checker import PROGRAMS, Starts
from bise.judge.dialogue import Answer, Dialogue, Heard
from bise.judge.extensions import Position
from bise.judge.header import Inserted, end_of_comment
from bise.judge.messages import Message, read_messages
from bise.judge.rooms import rooms
from bise.judge.sandbox import Limits

SORRY = re.compile(
    r"--[^\n]*|/-|\"(?:\\.|[^\"\\])*(?:\"|\\?\Z)|«[^»]*(?:»|\Z)|[\w.'!?]+", re.DOTALL
)
MAX_GAPS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """What is to be proved at a place."""

    place: Position
    text: str
    """Hypotheses and what follows from them, as Lean prints a goal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a warm Lean says about a file. A hint for a search, never a verdict."""

    end: Heard
    """`answered`, or the limit it met, or `exited` if the file ended Lean."""

    messages: tuple[Message, ...] = ()
    goals: tuple[Goal, ...] = ()
    """At each `sorry` of the source."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    is_cached: bool = False

    @property
    def has_errors(self) -> bool:
        """Whether it did not get through, or something in it is wrong."""
        return self.end != "answered" or any(one.severity == "error" for one in self.messages)

    @property
    def has_gaps(self) -> bool:
        """Whether Lean says that something rests on `sorry`."""
        return any(one.kind == "hasSorry" for one in self.messages)

    @property
    def seems_done(self) -> bool:
        """Neither errors nor gaps: worth a verdict."""
        return not self.has_errors and not self.has_gaps


class WarmLean:
    """One process, used by one caller at a time."""

    def __init__(self, lean: Starts, header: str, limits: Limits):
        """Start it. header: the head of a source, up to its first command."""
        self._word = secrets.token_hex(16)
        self._prefix = self._word.encode() + b" "
        self._closing = ExitStack()
        self.num_files = 0
        """How many it was given."""

        with ExitStack() as closing:
            self._work, beside = closing.enter_context(rooms({}))
            (self._work / "Warm.lean").write_bytes((PROGRAMS / "warm.lean").read_bytes())
            (self._work / "Header.lean").write_text(header, encoding="utf-8", newline="")
            arguments = ["--run", "Warm.lean", self._word, "Header.lean"]
            self._boxed = lean.start(arguments, self._work, beside, limits)
            closing.callback(self._boxed.close)
            self._dialogue = Dialogue(self._boxed)
            self._closing = closing.pop_all()

    def wait(self, *, cpu_s: float, wall_s: float) -> Answer:
        """Until the header is imported."""
        return self._ask("", cpu_s, wall_s)

    def check(self, made: Inserted, *, with_goals: bool, cpu_s: float, wall_s: float) -> Checked:
        """Elaborate a file that has its header."""
        path = self._work / "Judged.lean"
        path.write_text(made.text, encoding="utf-8", newline="")
        self.num_files += 1
        answer = self._ask("check Judged.lean", cpu_s, wall_s)
        goals: list[Goal] = []
        end, used_s = answer.end, answer.cpu_s
        if with_goals and end == "answered":
            for place in gaps(made.text):
                end, found = self._goals(made, place, cpu_s, wall_s)
                goals += found
                if end != "answered":
                    break
        messages = self._told(answer, b"message ")
        return Checked(
            end=end,
            messages=read_messages(b"\n".join(messages), made.restore),
            goals=tuple(goals),
            seconds=answer.seconds,
            cpu_s=used_s,
        )

    def goals(self, made: Inserted, offset: int, *, cpu_s: float, wall_s: float) -> list[Goal]:
        """Goals at a place, an offset into the text, of the file checked last."""
        return self._goals(made, offset, cpu_s, wall_s)[1]

    def close(self) -> None:
        """End it."""
        self._closing.close()

    def check_walls(self) -> None:
        """After `close`: raise `NoWall` if a wall was missing."""
        self._boxed.check_walls(self._dialogue.last_errors.decode("utf-8", "replace"))

    @property
    def memory_bytes(self) -> int:
        """What it uses."""
        return self._boxed.look().memory_bytes

    @property
    def has_ended(self) -> bool:
        """Whether its process is gone."""
        return self._boxed.has_ended()

    def _goals(
        self, made: Inserted, offset: int, cpu_s: float, wall_s: float
    ) -> tuple[Heard, list[Goal]]:
        before = made.text[:offset]
        answer = self._ask(f"goals {len(before.encode())}", cpu_s, wall_s)
        line = before.count("\n") + 1
        place = made.restore(Position(line, offset - (before.rfind("\n") + 1)))
        texts = dict.fromkeys(map(_text, self._told(answer, b"goal ")))
        return answer.end, [Goal(place=place, text=text) for text in texts if text]

    def _ask(self, line: str, cpu_s: float, wall_s: float) -> Answer:
        # our lines end with a space: the program splits them there, newline and all
        sent = f"{line} " if line else ""
        return self._dialogue.ask(sent, self._prefix + b"done", cpu_s=cpu_s, wall_s=wall_s)

    def _told(self, answer: Answer, kind: bytes) -> list[bytes]:
        start = self._prefix + kind
        return [one[len(start) :] for one in answer.lines if one.startswith(start)]


def _text(line: bytes) -> str:
    try:
        told = json.loads(line)
    except ValueError:
        return ""
    return told.strip() if isinstance(told, str) else ""


def gaps(source: str) -> list[int]:
    """Where `sorry` stands in a source, comments and strings left out; the first of them."""
    found: list[int] = []
    at = 0
    while (word := SORRY.search(source, at)) is not None and len(found) < MAX_GAPS:
        at = word.end()
        if word[0] == "/-":
            at = end_of_comment(source, word.start())
        elif word[0] == "sorry":
            found.append(word.start())
    return found
