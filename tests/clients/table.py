"""docs/clients.md, from what clients could do."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.clients.environments import ROOT

PAGE = ROOT / "docs" / "clients.md"
COLUMNS = ("chat", "streaming", "reasoning", "tools", "image")

HEAD = """# Clients: who has walked in

Written by `make test-clients`, which installs each of these as its users do, takes the network away
and lets it talk to the real server: over a scripted engine with Small 4's words and its 262,144
positions, which thinks, calls tools and looks at pictures as told (`tests/clients/script.py`), and
over nano, where prompts fit its 4,096 positions.

✓ done and checked; ✗ tried and failed; – the client has no such thing, or shows nothing of it.
*reasoning*: the whole trace arrived, in streams too, and where an agent goes on after a tool, the
model was shown its trace again. *tools*: a call, its result sent back, the answer to that. *image*:
a picture arrived with its right size. *nano*: what it asks of libraries and benchmarks, of a model.

| client | version | base | chat | streaming | reasoning | tools | image | nano | note |
|---|---|---|---|---|---|---|---|---|---|
"""

TAIL = """
`HOST` is the server's address, such as `127.0.0.1:8000`. Agents have a model's name built in, or
ask for a small second one: serve with `--accept-any-model` for them. Claude Code takes an unknown
model to have a million positions: set `CLAUDE_CODE_MAX_CONTEXT_TOKENS` as its own page says. llm
keeps no trace of chat completions. Python {python}, Node for what is of npm.
"""

Found = dict[str, str | Exception | None]
"""For each ability a note, or what went wrong."""


@dataclass
class Outcome:
    """One client, and what it could do."""

    name: str
    base: str
    version: str
    fits_nano: bool
    scripted: Found = field(default_factory=dict)
    nano: Found = field(default_factory=dict)

    @property
    def failures(self) -> list[str]:
        nano = ((f"{name} (nano)", one) for name, one in self.nano.items())
        both = [*self.scripted.items(), *nano]
        return [f"{name}: {one}" for name, one in both if isinstance(one, Exception)]

    @property
    def marks(self) -> list[str]:
        marks = [mark_of(self.scripted, column) for column in COLUMNS]
        nano = "✗" if any(isinstance(one, Exception) for one in self.nano.values()) else "✓"
        return [*marks, nano if self.nano else "–"]

    @property
    def line(self) -> str:
        return f"{self.name:42} {' '.join(self.marks)}  {'; '.join(self.failures)}"

    @property
    def row(self) -> str:
        said = ((name, one) for name, one in self.scripted.items() if isinstance(one, str))
        notes = [f"{name}: {one}" for name, one in said if one]
        told = "; ".join([*notes, *(short(one) for one in self.failures)])
        return " | ".join([f"| {self.name}", self.version, self.base, *self.marks, f"{told} |"])


def mark_of(found: Found, column: str) -> str:
    if column not in found:
        return "–"
    return "✗" if isinstance(found[column], Exception) else "✓"


def short(words: str) -> str:
    return " ".join(words.replace("|", "/").split())[:160]


def write_page(outcomes: Sequence[Outcome]) -> None:
    """The page, whole."""
    body = "\n".join(outcome.row for outcome in outcomes)
    PAGE.write_text(HEAD + body + "\n" + TAIL.format(python=platform.python_version()))
