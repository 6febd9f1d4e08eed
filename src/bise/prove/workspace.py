"""A challenge being filled in: its text, what may be changed in it, and what has been changed.

Whoever fills it in may write in the gaps, and may put lemmas of their own before a declaration that
has one. Everything else stays as it is: that is what the person asked about. The judge compares
what was compiled; this only keeps a search from losing its way.
"""

import difflib
from dataclasses import dataclass, field
from pathlib import Path

from bise.errors import UserError
from bise.prove.source import Gap, Source

LONGEST_TEXT = 1 << 20
"""Characters of a submission."""


class Protected(UserError):
    """An edit outside of the gaps."""


@dataclass(slots=True)
class Workspace:
    """One submission on its way."""

    challenge: str
    text: str = ""
    """The submission as it is now."""

    is_free: bool = False
    """Whether everything may be changed; the judge then still compares with the challenge."""

    disproves: tuple[str, ...] = ()
    """Targets whose negation is to be proved instead."""

    _pieces: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._pieces = _fixed_pieces(Source(self.challenge))
        self.text = self.text or self.challenge

    @classmethod
    def open(cls, path: Path, *, is_free: bool = False) -> "Workspace":
        """From a file with gaps. Raises `UserError` if it cannot be read or has none."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise UserError(f"`{path}` cannot be read: {fault}") from None
        if not Source(text).gaps:
            raise UserError(
                f"`{path}` has no `sorry`", hint="write `sorry` where a proof is to be found"
            )
        return cls(text, is_free=is_free)

    @property
    def source(self) -> Source:
        return Source(self.text)

    @property
    def gaps(self) -> list[Gap]:
        """What is still open."""
        return self.source.gaps

    def replace(self, text: str) -> None:
        """Put a whole submission in place of what there is. Raises `Protected`."""
        if len(text) > LONGEST_TEXT:
            raise UserError(
                f"a submission of {len(text):,} characters, expected at most {LONGEST_TEXT:,}"
            )
        if not self.is_free:
            lost = self.lost_in(text)
            if lost is not None:
                raise Protected(
                    f"this part of the challenge must stay as it is: {_excerpt(lost)}",
                    hint="write only where `sorry` stands, or lemmas before that declaration",
                )
        self.text = text

    def edit(self, old: str, new: str) -> None:
        """Put `new` in the one place where `old` stands. Raises `Protected`, `UserError`."""
        count = self.text.count(old) if old else 0
        if count != 1:
            found = "is not in the file" if count == 0 else f"stands there {count} times"
            raise UserError(
                f"the text to be replaced {found}: {_excerpt(old)}",
                hint="copy a passage that occurs once, with its line breaks",
            )
        self.replace(self.text.replace(old, new))

    @property
    def sole_target(self) -> str | None:
        """The theorem, if the challenge asks for one and for nothing else."""
        source = Source(self.challenge)
        found = {source.declaration_at(gap.start) for gap in source.gaps}
        one = found.pop() if len(found) == 1 else None
        return source.qualified(one) if one is not None and one.kind == "theorem" else None

    def begin_disproof(self, name: str) -> None:
        """From here on the negation of a target is wanted; begins with the challenge again."""
        self.disproves = (name,)
        self.text = self.challenge

    def lost_in(self, text: str) -> str | None:
        """The first part of the challenge that a text does not keep, if there is one."""
        at = 0
        for number, piece in enumerate(self._pieces):
            if number == 0:
                found = 0 if text.startswith(piece) else -1
            elif number == len(self._pieces) - 1 and not self.disproves:
                is_end = len(text) - len(piece) >= at and text.rstrip().endswith(piece.rstrip())
                found = at if is_end else -1
            else:
                found = text.find(piece, at)
            if found < 0:
                return piece
            at = found + len(piece)
        return None

    def diff(self) -> str:
        """What was changed, as a unified diff."""
        lines = difflib.unified_diff(
            self.challenge.splitlines(),
            self.text.splitlines(),
            "challenge",
            "submission",
            lineterm="",
        )
        return "\n".join(lines)


def fill(text: str, gap: Gap, proof: str) -> str:
    """A text with a gap filled: by lines of tactics, or by a term in parentheses."""
    if not gap.is_tactic and proof.startswith("("):
        return text[: gap.start] + proof + text[gap.end :]
    indent = " " * _depth(text, gap)
    lines = [indent + one if one.strip() else "" for one in proof.strip("\n").split("\n")]
    return f"{text[: gap.start]}by\n" + "\n".join(lines) + text[gap.end :]


def _depth(text: str, gap: Gap) -> int:
    """How far the tactics of a gap stand from the left edge."""
    source = Source(text)
    declaration = source.declaration_at(gap.start)
    if declaration is not None:
        between = text[declaration.start : gap.start].rstrip()
        if between.endswith(":=") and between.count(":=") == 1:
            return 2  # the whole proof, wherever its statement ended
    line = text[text.rfind("\n", 0, gap.start) + 1 :]
    return len(line) - len(line.lstrip(" ")) + 2


def _fixed_pieces(source: Source) -> list[str]:
    """What must be found again in this order: cut at gaps, and where a gap's declaration begins.

    Blanks and line breaks around a gap are free: `:= sorry` may become `:=` and a new line.
    """
    cuts: list[tuple[int, int]] = []
    for gap in source.gaps:
        declaration = source.declaration_at(gap.start)
        if declaration is not None and (not cuts or cuts[-1][1] <= declaration.start):
            cuts.append((declaration.start, declaration.start))
        cuts.append((gap.start, gap.end))
    pieces, at, is_behind_gap = list[str](), 0, False
    for start, end in cuts:
        piece = source.text[at:start]
        piece = piece.lstrip() if is_behind_gap else piece
        pieces.append(piece.rstrip() if end > start else piece)
        at, is_behind_gap = end, end > start
    last = source.text[at:]
    return [*pieces, last.lstrip() if is_behind_gap else last]


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return f"`{line[:80]}{'…' if len(line) > 80 else ''}`"
