"""Guessing from a text that the reply is expected to follow, such as a file with a few changes."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Foretold:
    """A text the reply may follow, and how far it has come in it."""

    ids: Sequence[int]
    num_heard: int
    """Tokens of prompt and reply that have been compared; at first all of the prompt."""

    place: int | None = 0
    """Of what comes next; None where the reply goes its own way."""

    places: dict[tuple[int, int], list[int]] = field(
        default_factory=dict[tuple[int, int], list[int]]
    )
    """Behind each pair of tokens, ascending."""

    def __post_init__(self) -> None:
        for end in range(2, len(self.ids)):
            self.places.setdefault((self.ids[end - 2], self.ids[end - 1]), []).append(end)

    def find(self, tokens: Sequence[int]) -> int | None:
        """The place of what comes next, if the reply follows the text, or does so again.

        tokens: prompt and reply so far
        """
        new = list(tokens[self.num_heard :])
        self.num_heard = len(tokens)
        at = self.place
        if at is not None and list(self.ids[at : at + len(new)]) == new:
            self.place = at + len(new)
        else:
            self.place = self._find_again(tokens, at or 0)
        return self.place if self.place is not None and self.place < len(self.ids) else None

    def _find_again(self, tokens: Sequence[int], at: int) -> int | None:
        """The next place that the reply's last two tokens lead to, or else the first one."""
        behind = self.places.get((tokens[-2], tokens[-1]), ()) if len(tokens) > 1 else ()
        return next((place for place in behind if place > at), behind[0] if behind else None)
