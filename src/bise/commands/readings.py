"""What the numbers of a server say of the last seconds: readings, and their differences."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from bise.errors import UserError, one_line

MINUTE = 60
"""Readings that are kept; there is one a second."""

RECENT_S = 5.0
"""Speeds and times are of so many seconds, shares of the whole minute."""

PREFIXES = ("vllm:", "bise:")
PARTS = ("part", "state", "finished_reason", "reason")
"""Labels that tell numbers of one name apart, and that are worth telling apart."""

GROWS = "vllm:generation_tokens_total"


@dataclass(frozen=True, slots=True)
class Reading:
    """All numbers of a server at one moment."""

    at_s: float
    model: str
    values: Mapping[str, float]
    """By name, added up over several engines; and by `name/part`."""


def read(text: str, at_s: float) -> Reading:
    """Make sense of what `/metrics` says."""
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    models: list[str] = []
    try:
        for family in text_string_to_metric_families(text):
            if not family.name.startswith(PREFIXES):
                continue
            for name, labels, value, *_ in family.samples:
                if "le" in labels:
                    continue
                for key in (name, *(f"{name}/{labels[part]}" for part in PARTS if part in labels)):
                    sums[key] = sums.get(key, 0.0) + value
                    counts[key] = counts.get(key, 0) + 1
                if labels.get("model_name") not in (None, *models):
                    models.append(labels["model_name"])
    except (ValueError, KeyError, IndexError):  # what the parser raises for other texts
        raise UserError("what it says is not in Prometheus' format") from None
    if not sums:
        raise UserError("it has numbers, but none with vLLM's names")
    for name in [name for name in sums if name.endswith("_perc")]:
        sums[name] /= counts[name]
    return Reading(at_s, one_line(", ".join(models)), sums)


Measure = Callable[[Reading, Reading], float | None]
"""A number of the time between two readings; None if there is nothing to say."""


class History:
    """The readings of the last minute."""

    def __init__(self) -> None:
        self.readings: deque[Reading] = deque(maxlen=MINUTE + 1)
        self.num_read = 0

    def add(self, reading: Reading) -> None:
        """The next one; what came before a restart of the server says nothing any more."""
        if self.readings and reading.values.get(GROWS, 0) < self.readings[-1].values.get(GROWS, 0):
            self.readings.clear()
        self.readings.append(reading)
        self.num_read += 1

    @property
    def model(self) -> str:
        return self.readings[-1].model if self.readings else ""

    def has(self, *names: str) -> bool:
        return bool(self.readings) and all(name in self.readings[-1].values for name in names)

    def now(self, name: str) -> float:
        return self.readings[-1].values.get(name, 0.0)

    def past(self, over_s: float) -> Reading:
        """The newest reading that is at least so old, or else the oldest."""
        last = self.readings[-1]
        older = [one for one in self.readings if last.at_s - one.at_s >= over_s]
        return older[-1] if older else self.readings[0]

    def over(self, measure: Measure, over_s: float = RECENT_S) -> float | None:
        """A measure of the last seconds."""
        return measure(self.past(over_s), self.readings[-1])

    def trail(self, measure: Measure, columns: int) -> list[float | None]:
        """A measure second by second, or the mean of a few where there are fewer columns."""
        each = -(-MINUTE // columns)
        first = self.num_read - len(self.readings) + 1
        cells: dict[int, list[float]] = {}
        pairs = zip(list(self.readings), list(self.readings)[1:], strict=False)
        for number, (before, after) in enumerate(pairs, first):
            found = measure(before, after)
            if found is not None:
                cells.setdefault(number // each, []).append(found)
        last = (self.num_read - 1) // each
        rows = [cells.get(place) for place in range(last - columns + 1, last + 1)]
        return [sum(row) / len(row) if row else None for row in rows]


def level(name: str) -> Measure:
    """A number as it stands."""
    return lambda _, after: after.values.get(name)


def growth(name: str) -> Measure:
    return lambda before, after: after.values.get(name, 0.0) - before.values.get(name, 0.0)


def rate(name: str) -> Measure:
    """How much a count grows in a second."""

    def measure(before: Reading, after: Reading) -> float | None:
        seconds = after.at_s - before.at_s
        return (growth(name)(before, after) or 0.0) / seconds if seconds > 0 else None

    return measure


def ratio(above: str, below: str) -> Measure:
    """How much one count grows for each one of another; None where that stands still."""

    def measure(before: Reading, after: Reading) -> float | None:
        whole = growth(below)(before, after)
        return (growth(above)(before, after) or 0.0) / whole if whole else None

    return measure


def mean(name: str) -> Measure:
    """The mean of what a histogram took in."""
    return ratio(f"{name}_sum", f"{name}_count")
