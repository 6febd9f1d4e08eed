"""Guessing what comes next from what was there before, and how far to trust it.

When the last few tokens have occurred already, what followed them then may follow again: copied
text, edited code, the next line of a problem. Guesses are checked by the network in one pass,
so they can only cost time. How many are made depends on how many came true and on what one costs.
Ref: prompt-lookup decoding, https://github.com/apoorvumang/prompt-lookup-decoding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log

LONGEST, SHORTEST = 4, 2
"""Tokens at the end that must have occurred before."""

MOST_TOKENS = 7
"""Guesses a step: with the sure token before them, as many as attention takes together."""

WINDOW = 16_384
"""Of a longer prompt, only so many last tokens are searched."""

MEMORY = 0.85
"""Share of the old estimate that one more guess leaves."""

PAUSE_STEPS = 32
"""When guesses do not pay, a single one is tried after so many steps."""

FIRST_CHANCE = 0.6

MOST_PLACES = 16
"""Of a pair that has occurred often, only so many last places are compared."""


@dataclass(slots=True)
class Luck:
    """How often a guess comes true, if those before it did."""

    chance: float = FIRST_CHANCE
    pause: int = 0

    def length(self, price: float, most: int = MOST_TOKENS) -> int:
        """Guesses worth making: even the last is likely enough for its price."""
        if self.pause:
            self.pause -= 1
            return min(most, 1) if self.pause == 0 else 0
        if self.chance < price:
            self.pause = PAUSE_STEPS
            return 0
        if price <= 0.0 or self.chance >= 0.99:
            return most
        return min(most, int(log(price) / log(max(self.chance, 1e-6)) + 1e-9))

    def learn(self, num_guessed: int, num_true: int) -> None:
        """Remember how guesses went; those after the first wrong one say nothing."""
        for _ in range(num_true):
            self.chance += (1.0 - MEMORY) * (1.0 - self.chance)
        if num_true < num_guessed:
            self.chance *= MEMORY


def gain(chance: float, num_guesses: int) -> float:
    """Tokens that so many guesses bring on average."""
    return sum(chance**place for place in range(1, num_guesses + 1))


@dataclass(slots=True)
class Lookup:
    """Where each pair of tokens of one request's text has occurred."""

    latest: dict[int, int] = field(default_factory=dict[int, int])
    """The place after the last occurrence of a pair,"""

    earlier: list[int] = field(default_factory=list[int])
    """and by that place, counted from `first`, the place after the one before; 0 without one."""

    first: int = 0

    def find(self, tokens: Sequence[int]) -> tuple[int, int] | None:
        """Length of the longest ending that has occurred, and the place after it."""
        self._index(tokens)
        if len(tokens) < SHORTEST:
            return None
        place = self.latest.get(tokens[-2] << 32 | tokens[-1], 0)
        found = None
        for _ in range(MOST_PLACES):
            if not place:
                break
            size = SHORTEST
            while size < min(LONGEST, place) and tokens[place - size - 1] == tokens[-size - 1]:
                size += 1
            if found is None or size > found[0]:
                found = size, place
            if size == LONGEST:
                break
            place = self.earlier[place - self.first]
        return found

    def _index(self, tokens: Sequence[int]) -> None:
        """Note every pair, but for the one at the very end, which nothing follows."""
        if not self.earlier:
            self.first = max(SHORTEST, len(tokens) - WINDOW)
        for end in range(self.first + len(self.earlier), len(tokens)):
            pair = tokens[end - 2] << 32 | tokens[end - 1]
            self.earlier.append(self.latest.get(pair, 0))
            self.latest[pair] = end
