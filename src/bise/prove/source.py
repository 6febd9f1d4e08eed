"""A Lean source as text, without Lean: where its gaps are and where its declarations begin.

Good enough to search with: what a gap is, and whether it was filled, is decided by the judge.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, replace

from bise.judge.header import end_of_comment

TOKEN = re.compile(
    r"--[^\n]*"
    r"|/-"
    r'|r(?P<raw>#*)".*?(?:"(?P=raw)|\Z)'
    r'|"(?:\\.|[^"\\])*(?:"|\\?\Z)'
    r"|'(?:\\.[^']*|[^'\\])'"
    r"|«[^»\n]*»?"
    r"|[^\W\d][\w'!?.]*",
    re.DOTALL,
)
"""What begins a string is one even if it does not end: else each is searched to the end."""

GAP_WORD = "sorry"
BEGINNINGS = re.compile(
    r"^(?:@\[[^\]\n]*\]\s*)*"
    r"(?:(?:private|protected|noncomputable|unsafe|partial|public|scoped|local)\s+)*"
    r"(?P<kind>theorem|lemma|def|abbrev|instance|example|inductive|structure|class|opaque|axiom"
    r"|mutual|namespace|section|end|open|variable|universe|set_option|macro|notation|deriving"
    r"|infixl?|infixr|attribute|termination_by)\b(?:[ \t]+(?P<name>(?:«[^»\n]*»|[^\s:({\[«])+))?"
)
DECLARED = ("theorem", "lemma", "def", "abbrev", "instance", "example", "opaque", "mutual")


@dataclass(frozen=True, slots=True)
class Gap:
    """A `sorry` in a source, with the `by` before it if that is all there is to the proof."""

    start: int
    end: int
    """Characters of the source."""

    line: int
    column: int
    """Of the word itself, as Lean counts them: lines from 1, columns from 0, in characters."""

    is_tactic: bool
    """Whether a `by` stands before it, so that tactics go on here."""

    def moved(self, count: int) -> "Gap":
        """The same behind so many more characters, a line of their own."""
        return replace(self, start=self.start + count, end=self.end + count, line=self.line + 1)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What begins at the left edge of a line."""

    kind: str
    name: str
    start: int
    end: int
    """Up to the next one."""

    line: int


class Source:
    """A text and what can be seen in it."""

    def __init__(self, text: str):
        self.text = text
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self.words = _words(text)
        """Names and keywords outside of comments and strings: (start, end)."""

        self.gaps = [self._gap(i) for i, _ in enumerate(self.words) if self._word(i) == GAP_WORD]
        self.declarations = self._declarations()

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, as Lean counts them."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1]

    def offset(self, line: int, column: int) -> int:
        """The character at a place; the nearest one there is."""
        if line < 1:
            return 0
        if line > len(self._lines):
            return len(self.text)
        end = self._lines[line] - 1 if line < len(self._lines) else len(self.text)
        return min(self._lines[line - 1] + max(column, 0), end)

    def declaration_at(self, offset: int) -> Declaration | None:
        """The declaration a character is in."""
        found = bisect_right(self.declarations, offset, key=lambda one: one.start)
        one = self.declarations[found - 1] if found else None
        return one if one is not None and one.kind in DECLARED else None

    def qualified(self, declaration: Declaration) -> str:
        """Its name with the namespaces around it."""
        spaces: list[str] = []
        for one in self.declarations:
            if one.start >= declaration.start:
                break
            if one.kind in ("namespace", "section", "mutual"):
                spaces.append(one.name if one.kind == "namespace" else "")
            elif one.kind == "end" and spaces:
                spaces.pop()
        return ".".join([*filter(None, spaces), declaration.name])

    def _word(self, number: int) -> str:
        start, end = self.words[number]
        return self.text[start:end]

    def _gap(self, number: int) -> Gap:
        start, end = self.words[number]
        line, column = self.place(start)
        has_by = number > 0 and self._word(number - 1) == "by"
        before = self.words[number - 1] if has_by else (start, start)
        is_all = has_by and not self.text[before[1] : start].strip()
        return Gap(before[0] if is_all else start, end, line, column, is_all)

    def _declarations(self) -> list[Declaration]:
        outside = {self.place(start)[0] for start, _ in self.words if self.place(start)[1] == 0}
        marked = {
            number + 1
            for number, start in enumerate(self._lines)
            if self.text.startswith("@[", start)
        }
        found: list[tuple[str, str, int, int]] = []
        for number in sorted(outside | marked):
            start = self._lines[number - 1]
            rest = self.text[start : start + 400]
            match = BEGINNINGS.match(rest)
            if match is not None:
                found.append((match["kind"], match["name"] or "", start, number))
        if not found:
            return []
        ends = [one[2] for one in found[1:]] + [len(self.text)]
        return [
            Declaration(kind, name, start, end, line)
            for (kind, name, start, line), end in zip(found, ends, strict=True)
        ]


def _words(text: str) -> list[tuple[int, int]]:
    """Words outside of comments, which nest, and of strings and characters."""
    found: list[tuple[int, int]] = []
    at = 0
    while (token := TOKEN.search(text, at)) is not None:
        word, at = token[0], token.end()
        if word == "/-":
            at = end_of_comment(text, token.start())
        elif (word[0].isalpha() or word[0] in "_«") and not word.startswith(("r#", 'r"')):
            found.append(token.span())
    return found
