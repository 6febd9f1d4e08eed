"""One thing that a small function does: in words, in Python, and for real.

Every step has exactly one way of being written, so that a small model sees one answer to learn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

IRREGULAR = {"are": "is", "have": "has"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do with a value."""

    name: str
    takes: str
    """A letter an argument: `n` a number, `u` a small one from zero on, `s` a text, `l` a list of
    numbers, `w` a list of words."""

    gives: str
    """The same letters; `b` for true or false, `o` for anything else."""

    params: str
    """What is drawn: `k` a number, `m` one larger by up to 9, `j` a small one, `p` a length, `c`
    and `d` different letters, `t` a word."""

    code: str
    """An expression with the value `{x}` and the parameters `{k}` and `{m}`; or whole lines."""

    says: tuple[str, ...]
    """Ways of asking for it, each beginning with a verb."""

    run: Callable[..., Any]
    """What it means; the marks of all replies come from here."""

    def source(self, x: str, params: tuple[int | str, ...], y: str = "") -> str:
        return self.code.format(x=x, y=y, **named(params, '"'))

    def source_template(self, x: str) -> str:
        """The code about one named value, its parameters still open."""
        return self.code.replace("{x}", x)

    def clause(self, way: str, x: str, params: tuple[int | str, ...], quote: str, y: str) -> str:
        return way.format(x=x, y=y, **named(params, quote))


def named(params: tuple[int | str, ...], quote: str) -> dict[str, str]:
    shown = [str(each) if isinstance(each, int) else quote + each + quote for each in params]
    return dict(zip("km", shown, strict=False))


def third(clause: str) -> str:
    """`double n` as what a function does: `doubles n`."""
    verb, _, rest = clause.partition(" ")
    if verb in IRREGULAR:
        verb = IRREGULAR[verb]
    elif verb.endswith("y"):
        verb = f"{verb[:-1]}ies"
    else:
        verb += "es" if verb.endswith(("s", "x", "ch", "sh")) else "s"
    return f"{verb} {rest}".rstrip().replace("is multiples of", "is a multiple of")


def step(name: str, kinds: str, params: str, code: str, says: str, run: Callable[..., Any]) -> Step:
    """A step from `takes>gives`, and its ways of asking split by `|`."""
    takes, gives = kinds.split(">")
    return Step(name, takes, gives, params, code, tuple(s.strip() for s in says.split("|")), run)
