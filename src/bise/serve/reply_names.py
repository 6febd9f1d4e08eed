"""Which replies of the engine belong to which answer, for those who name an answer later."""

from collections import OrderedDict
from collections.abc import Sequence

MAX_NAMES = 10_000
"""Ids of answers that are remembered; the oldest are forgotten, their replies long over."""


class ReplyNames:
    """Replies by the id of their answer, and by that of their request."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, list[str]] = OrderedDict()

    def add(self, names: Sequence[str], request_id: str, count: int) -> None:
        """Remember an answer that begins."""
        for name in names:
            self._known[name] = [f"{request_id}/{number}" for number in range(count)]
        while len(self._known) > MAX_NAMES:
            self._known.popitem(last=False)

    def of(self, name: str) -> list[str]:
        return self._known.get(name, [])
