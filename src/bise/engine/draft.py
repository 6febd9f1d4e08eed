"""Guessing what comes next from what was there before.

When the last few tokens have occurred already, what followed them then may follow again: copied
text, edited code, the next line of a problem. Guesses are checked by the network in one pass,
so they can only cost time. How many are made follows how many came true; when few do, it pauses.
Ref: prompt-lookup decoding, https://github.com/apoorvumang/prompt-lookup-decoding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

LONGEST, SHORTEST = 4, 2
"""Tokens at the end that must have occurred before."""

MOST_TOKENS = 6
"""Guesses a step."""

MEMORY = 0.8
"""Share of the old estimate that one more step leaves."""

WORTH = 0.35
"""Below this share of guesses that come true, a guess costs more than it saves."""

PAUSE_STEPS = 24
"""Steps without guesses after that."""


@dataclass(slots=True)
class Lookup:
    """The places of short runs of tokens in one request's text, and how well guessing goes."""

    places: dict[tuple[int, ...], int] = field(default_factory=dict[tuple[int, ...], int])
    num_indexed: int = 0
    hit_share: float = 0.7
    pause: int = 0

    def propose(self, tokens: Sequence[int], most: int = MOST_TOKENS) -> list[int]:
        """What followed the last occurrence of the current ending; may be empty."""
        self._index(tokens)
        if self.pause:
            self.pause -= 1
            if self.pause == 0:
                self.hit_share = 0.5
            return []
        for size in range(LONGEST, SHORTEST - 1, -1):
            place = self.places.get(tuple(tokens[-size:]))
            if place is not None:
                wanted = max(1, min(most, round(self.hit_share * most)))
                return list(tokens[place : place + wanted])
        return []

    def learn(self, num_proposed: int, num_accepted: int) -> None:
        """Remember how a guess went."""
        share = num_accepted / num_proposed
        self.hit_share = MEMORY * self.hit_share + (1.0 - MEMORY) * share
        if self.hit_share < WORTH:
            self.pause = PAUSE_STEPS

    def _index(self, tokens: Sequence[int]) -> None:
        """Note what follows every run, but for the ones at the very end, which nothing follows."""
        for end in range(max(1, self.num_indexed), len(tokens)):
            for size in range(SHORTEST, LONGEST + 1):
                if end >= size:
                    self.places[tuple(tokens[end - size : end])] = end
        self.num_indexed = len(tokens)
