"""What Lean says about a file: messages with places, read from the JSON it prints.

They are for people and for a search, never for a verdict: a file under test can print what it
likes, lines that look like messages too.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bise.judge.extensions import Position

Severity = Literal["error", "warning", "information"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "information")


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message."""

    severity: Severity
    text: str
    start: Position
    end: Position | None = None
    kind: str = ""
    """Lean's word for what it is about, such as `hasSorry`; mostly empty."""


def read_messages(
    output: bytes, restore: Callable[[Position], Position] = lambda place: place
) -> tuple[Message, ...]:
    """Messages among the lines of an output; everything else in it is passed over."""
    found = []
    for line in output.split(b"\n"):
        if line.startswith(b"{"):
            message = _message(line, restore)
            if message is not None:
                found.append(message)
    return tuple(found)


def _message(line: bytes, restore: Callable[[Position], Position]) -> Message | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    start = _position(told.get("pos"))
    severity, text = told.get("severity"), told.get("data")
    if start is None or severity not in SEVERITIES or not isinstance(text, str):
        return None
    end, kind = _position(told.get("endPos")), told.get("kind")
    return Message(
        severity=severity,
        text=text,
        start=restore(start),
        end=None if end is None else restore(end),
        kind=kind if isinstance(kind, str) and kind != "[anonymous]" else "",
    )


def _position(told: Any) -> Position | None:
    if not isinstance(told, dict):
        return None
    line, column = told.get("line"), told.get("column")
    if type(line) is not int or type(column) is not int or line < 1 or column < 0:
        return None
    return Position(line, column)
