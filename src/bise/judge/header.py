"""The head of a Lean source file: `module`, `prelude` and what it imports, up to its first command.

Read without Lean, for two things that must be known before Lean runs: which modules a file wants,
and where a line may be put in behind them.
Checked against: Lean 4 `Parser.Module.header` (src/Lean/Parser/Module.lean).
"""

import re
from dataclasses import dataclass

from bise.judge.extensions import Position
from bise.judge.terms import Name

SPACE = re.compile(r"\s+|--[^\n]*")
COMMENT_EDGE = re.compile(r"/-|-/")
WORD = re.compile(r"(?:«[^»\n]*»|[^\W\d][\w'!?]*)(?:\.(?:«[^»\n]*»|[^\W\d][\w'!?]*))*")
PART = re.compile(r"«([^»\n]*)»|([^.«»]+)")

NONCOMPUTABLE_SECTION = "\nnoncomputable section\n"
"""Without code of the library at hand, Lean could not compile a definition that uses some of it."""


@dataclass(frozen=True, slots=True)
class SourceHeader:
    """What stands before the first command."""

    words: tuple[str, ...]
    """As written, without space and comments: equal headers have equal words."""

    modules: tuple[Name, ...]
    """What is imported; `Init` too, unless the file says `prelude`."""

    end: int
    """How many characters it has, the space after it not counted."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """A source with a line of ours behind its header, and the way back for positions."""

    text: str
    line: int
    """The line of the original at whose column the insertion was made."""

    column: int
    count: int
    """Lines that were put in; 0 if nothing was."""

    def restore(self, position: Position) -> Position:
        """Where in the original a place of the text is."""
        if self.count == 0 or position.line <= self.line:
            return position
        ours = self.line + self.count
        if position.line < ours:
            return Position(self.line, self.column)
        column = self.column + position.column if position.line == ours else position.column
        return Position(position.line - self.count, column)


def read_header(source: str) -> SourceHeader:
    """The head of a source; never fails, what is no header is the first command."""
    words: list[str] = []
    modules: list[Name] = []
    at = end = 0
    for first in ("module", "prelude"):
        word, after = _word(source, at)
        if word == first:
            words.append(word)
            at = end = after
    while (found := _import(source, at)) is not None:
        written, at = found
        words += written
        modules.append(_name(written[-1]))
        end = at
    if "prelude" not in words[:2] and ("Init",) not in modules:
        modules.insert(0, ("Init",))
    return SourceHeader(tuple(words), tuple(modules), end)


def insert_line(source: str, line: str = NONCOMPUTABLE_SECTION) -> Inserted:
    """Put a line of ours behind the header."""
    end = read_header(source).end
    before = source[:end]
    number = before.count("\n") + 1
    column = end - (before.rfind("\n") + 1)
    return Inserted(before + line + source[end:], number, column, line.count("\n"))


def untouched(source: str) -> Inserted:
    """A source as it is."""
    return Inserted(source, 0, 0, 0)


def _import(source: str, at: int) -> tuple[list[str], int] | None:
    """One import's words and where it ends."""
    written: list[str] = []
    for optional in ("public", "meta", "import", "all"):
        word, after = _word(source, at)
        if word == optional:
            written.append(word)
            at = after
        elif optional == "import":
            return None
    word, after = _word(source, at)
    return ([*written, word], after) if word else None


def _word(source: str, at: int) -> tuple[str, int]:
    """The next word and where it ends; nothing if something else comes."""
    at = _skip(source, at)
    found = WORD.match(source, at)
    return (found[0], found.end()) if found else ("", at)


def _skip(source: str, at: int) -> int:
    """Past space and comments; comments nest, and those with documentation are none."""
    while True:
        if found := SPACE.match(source, at):
            at = found.end()
        elif source.startswith("/-", at) and source[at + 2 : at + 3] not in ("-", "!"):
            at = end_of_comment(source, at)
        else:
            return at


def end_of_comment(source: str, at: int) -> int:
    """Behind the comment that begins at a place; comments nest."""
    depth = 0
    for edge in COMMENT_EDGE.finditer(source, at):
        depth += 1 if edge[0] == "/-" else -1
        if depth == 0:
            return edge.end()
    return len(source)


def _name(word: str) -> Name:
    return tuple(odd or plain for odd, plain in PART.findall(word))
