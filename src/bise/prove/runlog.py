"""What a search does, as events: for whoever watches, for its folder, for going on with it."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bise.errors import UserError

Kind = Literal[
    "began", "stage", "tried", "closed", "explored", "suggested", "call", "tool", "check",
    "compacted", "stalled", "sketch", "focus", "verdict", "ended",
]  # fmt: skip


EVENTS, STATE = "events.jsonl", "state.json"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, and when: seconds since the beginning."""

    at_s: float
    kind: Kind
    words: str
    """One line for people."""

    facts: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"at_s": round(self.at_s, 3), "kind": self.kind, "words": self.words, **self.facts}


@dataclass
class RunLog:
    """Events of one run: told to those who watch, and kept in a folder if there is one."""

    folder: Path | None = None
    watchers: list[Callable[[Event], None]] = field(default_factory=list[Callable[[Event], None]])
    events: list[Event] = field(default_factory=list[Event])
    """Those of earlier processes first, if the folder has some."""

    before_s: float = field(default=0.0, init=False)
    """Seconds that the run had gone on for when this process took it up."""

    _started: float = field(default_factory=time.monotonic, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise UserError(f"`{self.folder}` cannot hold the run: {fault}") from None
        self.events += read_events(self.folder / EVENTS)
        self.before_s = max((one.at_s for one in self.events), default=0.0)

    @property
    def seconds(self) -> float:
        """How long the run has gone on for, in all processes together."""
        return self.before_s + time.monotonic() - self._started

    def tell(self, kind: Kind, words: str, **facts: Any) -> None:
        """Something happened."""
        event = Event(self.seconds, kind, words, facts)
        with self._lock:
            self.events.append(event)
            if self.folder is not None:
                with (self.folder / EVENTS).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(event.as_json(), ensure_ascii=False) + "\n")
            for watch in self.watchers:
                watch(event)

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep where a run is, so that it can go on after it was killed."""
        if self.folder is not None:
            write_whole(self.folder / STATE, json.dumps(state, ensure_ascii=False))

    def load(self) -> dict[str, Any] | None:
        """Where the run in this folder was; None if it never began."""
        path = None if self.folder is None else self.folder / STATE
        if path is None or not path.exists():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as fault:
            raise UserError(
                f"`{path}` cannot be read: {fault}", hint="delete it to begin anew"
            ) from None
        if not isinstance(found, dict):
            raise UserError(f"`{path}` is no state of a run", hint="delete it to begin anew")
        return found


def read_events(path: Path) -> list[Event]:
    """What was told before; a last line that was only half written goes. Raises `UserError`."""
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        if not text.endswith("\n"):  # killed while it wrote
            text = text[: text.rfind("\n") + 1]
            write_whole(path, text)
        found = list[Event]()
        for line in text.split("\n")[:-1]:  # texts may hold other signs that end a line
            told = json.loads(line)
            at_s, kind, words = (told.pop(name) for name in ("at_s", "kind", "words"))
            found.append(Event(float(at_s), kind, str(words), told))
        return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise UserError(
            f"`{path}` cannot be read: {fault!r}", hint="delete it to begin anew"
        ) from None


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is the old one or the new one, never half of it."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as fault:
        with suppress(OSError):  # it may be what could not be made
            beside.unlink(missing_ok=True)
        raise UserError(f"`{path}` cannot be written: {fault}") from None
