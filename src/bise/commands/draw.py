"""What `bise top` draws with: bars, small curves, and numbers that fit their place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

LABEL, VALUE, UNIT, DETAIL = 13, 7, 10, 24
CURVE_AT = LABEL + VALUE + 1 + UNIT + DETAIL
CURVES = (60, 30, 20, 15)
"""Columns a curve may have: a minute is cut into so many equal parts."""

HEIGHTS = "▁▂▃▄▅▆▇"
"""Not the full block: rows of curves would grow together."""

SHADES, ASCII_SHADES = "█▓▒░", "#=+."
COLOURS = ("cyan", "blue", "magenta", "yellow")


@dataclass(frozen=True, slots=True)
class Look:
    """What the terminal can show."""

    width: int
    has_colour: bool
    is_ascii: bool
    has_past: bool
    """Whether there is more than a moment to show, so that curves mean something."""

    @property
    def is_narrow(self) -> bool:
        """Whether what explains a number stands in a line of its own."""
        return self.width < CURVE_AT

    @property
    def curve(self) -> int:
        """Columns of a curve; 0 where none fits."""
        room = self.width - CURVE_AT if self.has_past and not self.is_ascii else 0
        return next((columns for columns in CURVES if columns <= room), 0)

    @property
    def bar(self) -> int:
        """Columns of a bar: it ends where the curves do."""
        return max(8, min(self.width, CURVE_AT + self.curve) - LABEL)

    @property
    def dot(self) -> str:
        return " - " if self.is_ascii else " · "

    @property
    def rest(self) -> str:
        """What a bar has where nothing is."""
        if self.is_ascii:
            return "."
        return "━" if self.has_colour else "·"

    def shade(self, place: int) -> tuple[str, str]:
        """A character and a style for one part of a bar; without colour, characters differ."""
        if self.is_ascii:
            return ASCII_SHADES[place], ""
        return ("━", COLOURS[place]) if self.has_colour else (SHADES[place], "")


def bar(label: str, parts: Mapping[str, float], facts: str, look: Look) -> list[Text]:
    """Shares of one whole, side by side, and under them what is what."""
    columns = {name: max(int(part > 0), round(part * look.bar)) for name, part in parts.items()}
    excess = sum(columns.values()) - look.bar
    if excess > 0:
        columns[max(columns, key=columns.__getitem__)] -= excess
    line = Text.assemble((f"{label:<{LABEL}}", "dim"))
    words = [Text(facts, style="dim")] if facts else []
    for place, (name, part) in enumerate(parts.items()):
        letter, style = look.shade(place)
        line.append(letter * columns[name], style=style)
        words.append(Text.assemble((letter, style), f" {name} {100 * part:.0f} %"))
    line.append(look.rest * -min(0, excess), style="bright_black")
    return [line, *listed("", words, look)]


def listed(label: str, words: Sequence[Text], look: Look) -> list[Text]:
    """Facts one after the other, in as many lines as they need."""
    lines: list[Text] = []
    for fact in words:
        if lines and len(lines[-1]) + len(look.dot) + len(fact) <= look.width:
            lines[-1].append(look.dot, style="dim").append_text(fact)
        else:
            start = "" if lines else label
            lines.append(Text.assemble((f"{start:<{LABEL}}", "dim"), fact))
    return lines


def curve(values: Sequence[float | None]) -> str:
    """A small curve from zero to the highest value; a gap where there is none."""
    top = max((value for value in values if value is not None), default=0.0)
    highest = len(HEIGHTS) - 1
    return "".join(
        " " if value is None else HEIGHTS[round(highest * value / top) if top > 0 else 0]
        for value in values
    )


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if 0 < value < 9.95 else f"{value:,.0f}"


def seconds(value: float | None) -> tuple[str, str]:
    if value is None:
        return "-", ""
    return (number(1000 * value), "ms") if value < 1 else (f"{value:.1f}", "s")


def size(num_bytes: float) -> str:
    """Bytes in the largest unit they fill."""
    for unit in ("B", "KiB", "MiB"):
        if num_bytes < 1024:
            return f"{number(num_bytes)} {unit}"
        num_bytes /= 1024
    return f"{number(num_bytes)} GiB"
