"""The hashes that Lean caches in names, levels and expressions, computed anew.

The kernel believes these words: two expressions whose words differ are different to it, and flags
in them say whether a variable is loose. A forged file could lie in them, so they are never read;
what we hand to a kernel carries our own.

Ref: https://github.com/leanprover/lean4 (src/Lean/Expr.lean, src/Lean/Level.lean,
src/runtime/hash.h). Checked against: every cached word of files that Lean wrote.
"""

from typing import Any

from bise.judge.terms import (
    APPLY,
    BOUND,
    CONSTANT,
    FORALL,
    FREE,
    LAMBDA,
    LET,
    LEVEL_HOLE,
    LEVEL_PARAM,
    LITERAL,
    MAX,
    NOTE,
    PROJECT,
    SORT,
    SUCC,
    ZERO,
    Name,
    Terms,
)

WORD = (1 << 64) - 1
LOW = (1 << 32) - 1
MURMUR, SHIFT = 0xC6A4A7935BD1E995, 47
"""Of MurmurHash64A."""


def text_hash(text: str) -> int:
    """MurmurHash64A of the UTF-8 bytes, with seed 11."""
    raw = text.encode()
    found = 11 ^ len(raw) * MURMUR & WORD
    whole = len(raw) // 8 * 8
    for at in range(0, whole, 8):
        word = int.from_bytes(raw[at : at + 8], "little") * MURMUR & WORD
        word = (word ^ word >> SHIFT) * MURMUR & WORD
        found = (found ^ word) * MURMUR & WORD
    if len(raw) > whole:
        found = (found ^ int.from_bytes(raw[whole:], "little")) * MURMUR & WORD
    found = (found ^ found >> SHIFT) * MURMUR & WORD
    return found ^ found >> SHIFT


def mix(one: int, other: int) -> int:
    """One hash of two; like a step of the text's, but for the exclusive or."""
    word = other * MURMUR & WORD
    return (one ^ word ^ word >> SHIFT ^ MURMUR) * MURMUR & WORD


class Hashes:
    """The cached words of everything in a table, each computed once."""

    def __init__(self, terms: Terms):
        self.terms = terms
        self._names: dict[Name, int] = {(): 1723}
        self._levels: list[int] = []
        self._expressions: list[int] = []

    def name(self, name: Name) -> int:
        """The hash of a name."""
        found = self._names.get(name)
        if found is None:
            last = name[-1]
            own = text_hash(last) if isinstance(last, str) else last
            found = self._names[name] = mix(self.name(name[:-1]), own)
        return found

    def level(self, number: int) -> int:
        """Of a level: 32 bits of hash, has a hole, has a parameter, and from bit 40 its depth."""
        words, table = self._levels, self.terms.levels
        while len(words) <= number:  # parts have lower numbers
            words.append(self._level(table[len(words)]))
        return words[number]

    def expression(self, number: int) -> int:
        """Of an expression: 32 bits of hash, 8 of depth, four flags, how far bound variables reach.

        The flags say whether it has a free variable, a hole, a level with a hole or a parameter.
        """
        words, table = self._expressions, self.terms.expressions
        while len(words) <= number:
            words.append(self._expression(table[len(words)]))
        return words[number]

    def _level(self, node: tuple[Any, ...]) -> int:
        tag = node[0]
        if tag == ZERO:
            return 2221
        if tag in (LEVEL_PARAM, LEVEL_HOLE):
            seed, flag = (2239, 1 << 33) if tag == LEVEL_PARAM else (2237, 1 << 32)
            return mix(seed, self.name(node[1])) & LOW | flag
        words = [self._levels[part] for part in node[1:]]
        inner = [word & LOW for word in words]
        own = mix(2243, inner[0]) if tag == SUCC else mix(2251 if tag == MAX else 2267, mix(*inner))
        flags = (words[0] | words[-1]) & (3 << 32)
        return own & LOW | flags | max(word >> 40 for word in words) + 1 << 40

    def _expression(self, node: tuple[Any, ...]) -> int:
        tag = node[0]
        if tag == APPLY:
            words = [self._expressions[part] for part in node[1:]]
            return _compound(words, mix(*words), max(words[0] >> 44, words[1] >> 44))
        if tag == NOTE:
            word = self._expressions[node[1]]
            return _compound([word], mix(_depth(word), word & LOW), word >> 44)
        if tag == PROJECT:
            word = self._expressions[node[3]]
            own = mix(self.name(node[1]), mix(node[2] & WORD, word & LOW))
            return _compound([word], mix(_depth(word), own), word >> 44)
        if tag in (LAMBDA, FORALL, LET):
            return self._binder([self._expressions[part] for part in node[2:-1]])
        return self._leaf(tag, *node[1:])

    @staticmethod
    def _binder(words: list[int]) -> int:
        """words: of the type, the value if there is one, and the body."""
        own = words[-1] & LOW
        for word in reversed(words[:-1]):
            own = mix(word & LOW, own)
        loose = max(*(word >> 44 for word in words[:-1]), (words[-1] >> 44) - 1)
        return _compound(words, mix(_depth(*words), own), loose)

    def _leaf(self, tag: int, *values: Any) -> int:
        value = values[0]
        if tag == BOUND:
            return mix(7, value & WORD) & LOW | value + 1 << 44
        if tag == SORT:
            word = self.level(value)
            return mix(11, word & LOW) & LOW | (word >> 32 & 3) << 42
        if tag == LITERAL:
            return mix(3, text_hash(value) if isinstance(value, str) else value & WORD) & LOW
        if tag != CONSTANT:
            seed, flag = (13, 1 << 40) if tag == FREE else (17, 1 << 41)
            return mix(seed, self.name(value)) & LOW | flag
        listed, flags = 7, 0
        for word in map(self.level, values[1]):
            listed, flags = mix(listed, word & LOW), flags | word >> 32 & 3
        return mix(5, mix(self.name(value), listed)) & LOW | flags << 42


def _depth(*words: int) -> int:
    return max(word >> 32 & 255 for word in words) + 1


def _compound(words: list[int], own: int, loose: int) -> int:
    """The word of an expression with parts, from theirs."""
    flags = 0
    for word in words:
        flags |= word & 15 << 40
    return own & LOW | min(_depth(*words), 255) << 32 | flags | loose << 44
