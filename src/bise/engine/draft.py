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
    """The places of short runs of tokens in one request's text."""

    places: dict[tuple[int, ...], int] = field(default_factory=dict[tuple[int, ...], int])
    num_indexed: int = 0

    def find(self, tokens: Sequence[int]) -> tuple[int, int] | None:
        """Length of the longest ending that has occurred, and the place after it."""
        self._index(tokens)
        for size in range(LONGEST, SHORTEST - 1, -1):
            place = self.places.get(tuple(tokens[-size:]))
            if place is not None:
                return size, place
        return None

    def _index(self, tokens: Sequence[int]) -> None:
        """Note what follows every run, but for the ones at the very end, which nothing follows."""
        for end in range(max(1, self.num_indexed, len(tokens) - WINDOW), len(tokens)):
            for size in range(SHORTEST, LONGEST + 1):
                if end >= size:
                    self.places[tuple(tokens[end - size : end])] = end
        self.num_indexed = len(tokens)
