"""Finds stop strings in an answer that comes in pieces."""

from collections.abc import Sequence


class StopFinder:
    """Passes text on, except what might yet turn out to begin a stop string."""

    def __init__(self, stops: Sequence[str], *, keeps_match: bool = False):
        """keeps_match: leave the stop string at the end of the text."""
        self.stops = stops
        self.keeps_match = keeps_match
        self.matched: str | None = None
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next piece; gives what can be shown, up to the first stop string."""
        if not self.stops:
            return text
        self._held += text
        found = [(self._held.find(stop), stop) for stop in self.stops if stop in self._held]
        if found:
            place, self.matched = min(found, key=lambda one: (one[0], -len(one[1])))
            return self._release(place + (len(self.matched) if self.keeps_match else 0))
        return self._release(len(self._held) - self._num_doubtful())

    def flush(self) -> str:
        """Give what was held back: no more text comes."""
        return self._release(len(self._held))

    def _release(self, count: int) -> str:
        shown, self._held = self._held[:count], self._held[count:]
        return shown

    def _num_doubtful(self) -> int:
        """Length of the longest end of the text that some stop string begins with."""
        longest = max(map(len, self.stops), default=1) - 1
        for count in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-count:]) for stop in self.stops):
                return count
        return 0
