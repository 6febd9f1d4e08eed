"""Which functions a Lean has compiled into itself, and by what names.

Its interpreter looks for those first: a definition named like one of Lean's own functions, which
the file need not import, runs as that function, whatever the file says it is.
Checked against: Lean 4 `Lean.Name.mangle` (src/Lean/Compiler/NameMangling.lean).
"""

import re
import struct

from bise.judge.terms import Name

ROOTS = ("Lean", "Std", "Lake")
"""The first words of nearly all that Lean has besides `Init`."""

LOOKS_ESCAPED = re.compile(r"[0-9]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}")


def mangled(name: Name) -> str:
    """The symbol of a name."""
    made, before = "l", "l"
    for word in name:
        if isinstance(word, int):
            made, before = f"{made}_{word}_", ""
            continue
        plain = "".join(map(_letter, word))
        is_odd = before.endswith("_") or LOOKS_ESCAPED.match(plain)
        made, before = f"{made}_{'00' if is_odd else ''}{plain}", word
    return made


def _letter(letter: str) -> str:
    if letter.isascii() and letter.isalnum():
        return letter
    code = ord(letter)
    if letter == "_":
        return "__"
    return (
        f"_x{code:02x}" if code < 1 << 8 else f"_u{code:04x}" if code < 1 << 16 else f"_U{code:08x}"
    )


class Symbols:
    """The sorted list that `exports.trim` makes."""

    def __init__(self, listed: bytes):
        self._listed = listed
        (self._count,) = struct.unpack_from("<I", listed)

    def __contains__(self, symbol: str) -> bool:
        wanted, low, high = symbol.encode(), 0, self._count
        while low < high:
            middle = (low + high) // 2
            found = self._name(middle)
            if found == wanted:
                return True
            low, high = (middle + 1, high) if found < wanted else (low, middle)
        return False

    def _name(self, at: int) -> bytes:
        names = 8 + 8 * self._count
        begin, end = struct.unpack_from("<II", self._listed, 4 + 4 * (self._count + at))
        return self._listed[names + begin : names + end]
