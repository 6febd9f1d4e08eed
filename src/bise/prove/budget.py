"""What a search may spend and what it has spent: dollars, tokens, minutes, checks.

Spending is reserved before a call and settled after it, so that no limit is ever exceeded: a call
whose most expensive answer does not fit is not made. Several threads may share one budget.
"""

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cache
from math import inf
from pathlib import Path
from typing import Any, Literal

from bise.errors import UserError

Limit = Literal["dollars", "tokens", "minutes", "checks"]
PRICES = Path(__file__).with_name("prices.json")
MILLION = 1_000_000


class Spent(Exception):
    """The next thing to do would exceed the budget."""

    def __init__(self, limit: Limit):
        self.limit: Limit = limit
        super().__init__(f"the budget of {limit} is spent")


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """US dollars for a million tokens, and for an hour of a machine of one's own."""

    prompt: float = 0.0
    cached: float = 0.0
    output: float = 0.0
    hour: float = 0.0

    def of(self, usage: "Usage") -> float:
        """What a call cost."""
        fresh = usage.prompt_tokens - usage.cached_tokens
        tokens = fresh * self.prompt + usage.cached_tokens * self.cached
        tokens += usage.output_tokens * self.output
        return tokens / MILLION + usage.seconds / 3600 * self.hour


@dataclass(kw_only=True, slots=True)
class Usage:
    """What was used, by one call or by many."""

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt's, those the server had computed before."""

    output_tokens: int = 0
    reasoning_tokens: int = 0
    """Of the output's, those spent on thinking."""

    seconds: float = 0.0
    dollars: float = 0.0
    checks: int = 0
    check_cpu_s: float = 0.0
    """CPU seconds of Lean."""

    @property
    def tokens(self) -> int:
        """Of prompts and answers together."""
        return self.prompt_tokens + self.output_tokens

    def add(self, other: "Usage") -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def as_json(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(kw_only=True)
class Budget:
    """Limits, and what has been used of them; None is no limit."""

    dollars: float | None = None
    tokens: int | None = None
    minutes: float | None = None
    checks: int | None = None
    price: Price = field(default_factory=Price)
    used: Usage = field(default_factory=Usage)
    is_interrupted: bool = False
    """Whether somebody asked to stop."""

    before_s: float = 0.0
    """Of the minutes, seconds that were used before this process took the search up."""

    _reserved: Usage = field(default_factory=Usage, init=False)
    _started: float = field(default_factory=time.monotonic, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("dollars", "tokens", "minutes", "checks"):
            limit = getattr(self, name)
            if limit is not None and not limit > 0:
                raise UserError(f"a budget of {limit} {name}, expected more than 0")

    @property
    def left_s(self) -> float:
        """Seconds until the clock ends the search; infinite without such a limit."""
        if self.minutes is None:
            return float("inf")
        return self.minutes * 60 - self.before_s - (time.monotonic() - self._started)

    def need_time(self) -> None:
        """Raises `Spent` when the time is up."""
        if self.is_interrupted or self.left_s <= 0:
            raise Spent("minutes")

    @contextmanager
    def call(
        self,
        prompt_tokens: int,
        most_output: int,
        price: Price | None = None,
        *,
        most_s: float = 0.0,
    ) -> Generator[Usage, None, None]:
        """Room for one call of a model; write what it used into what is given. Raises `Spent`.

        prompt_tokens: an upper bound; price: of another model than the budget's; most_s: how long
        its machine may be busy with it. Whoever leaves without having written anything pays
        nothing; after an exception the whole reservation counts, of the time what has passed,
        since the other side may have computed.
        """
        self.need_time()
        most = Usage(
            calls=1, prompt_tokens=prompt_tokens, output_tokens=most_output, seconds=most_s
        )
        price = price or self.price
        most.dollars = price.of(most)
        self._reserve(most)
        found, started = Usage(), time.monotonic()
        try:
            yield found
        except BaseException:
            found = replace(most, seconds=min(most_s, time.monotonic() - started))
            found.dollars = price.of(found)
            self._settle(most, found)
            raise
        found.dollars = price.of(found)
        self._settle(most, found)

    def fitting_output(self, prompt_tokens: int, wanted: int, price: Price | None = None) -> int:
        """Tokens of an answer that still fit, at most so many. Raises `Spent` if none does.

        Where time costs too, half of the dollars are left for it.
        """
        price = price or self.price
        with self._lock:
            most = wanted
            if self.tokens is not None:
                left = self.tokens - self.used.tokens - self._reserved.tokens - prompt_tokens
                most = min(most, left)
                if most < 1:
                    raise Spent("tokens")
            if self.dollars is not None and price.output > 0:
                left_usd = self._left_usd(prompt_tokens, price) / (2 if price.hour > 0 else 1)
                most = min(most, int(left_usd * MILLION / price.output))
                if most < 1:
                    raise Spent("dollars")
            return most

    def fitting_seconds(
        self, prompt_tokens: int, most_output: int, wanted: float, price: Price | None = None
    ) -> float:
        """How long a machine that is paid by the hour may still be busy with a call of so many
        tokens, at most so long. Raises `Spent` if not for a second."""
        price = price or self.price
        if self.dollars is None or price.hour <= 0:
            return wanted
        with self._lock:
            left_usd = self._left_usd(prompt_tokens, price) - most_output * price.output / MILLION
        most = min(wanted, left_usd / price.hour * 3600)
        if most < 1:
            raise Spent("dollars")
        return most

    def _left_usd(self, prompt_tokens: int, price: Price) -> float:
        """For the answer to a prompt. The lock is held."""
        assert self.dollars is not None
        left = self.dollars - self.used.dollars - self._reserved.dollars
        return left - prompt_tokens * price.prompt / MILLION

    def check(self) -> None:
        """One more run of Lean. Raises `Spent`."""
        self.need_time()
        self._reserve(Usage(checks=1))
        self._settle(Usage(checks=1), Usage(checks=1))

    def checked(self, cpu_s: float) -> None:
        """What it took."""
        with self._lock:
            self.used.check_cpu_s += cpu_s

    def _reserve(self, most: Usage) -> None:
        with self._lock:
            for name in ("dollars", "tokens", "checks"):
                limit = getattr(self, name)
                if limit is None:
                    continue
                taken = getattr(self.used, name) + getattr(self._reserved, name)
                if taken + getattr(most, name) > limit * (1 + 1e-12):
                    raise Spent(name)
            self._reserved.add(most)

    def _settle(self, most: Usage, found: Usage) -> None:
        with self._lock:
            for one in fields(most):
                left = getattr(self._reserved, one.name) - getattr(most, one.name)
                setattr(self._reserved, one.name, left)
            self.used.add(found)


@cache
def price_table() -> dict[str, Any]:
    """The table that comes with us: its version and each model's price."""
    return json.loads(PRICES.read_text())


def price_of(model: str, usd_per_hour: float | None = None) -> Price:
    """The price of a model by its name; one we do not know costs what its machine does."""
    known = price_table()["models"].get(model, {})
    made = {
        name: float(known[name]) for name in ("prompt", "cached", "output", "hour") if name in known
    }
    if usd_per_hour is not None:
        if not 0 <= usd_per_hour < inf:
            raise UserError(f"`--usd-per-hour` is {usd_per_hour:g}, expected 0 or more")
        made["hour"] = usd_per_hour
    return Price(**made)


def has_price(model: str) -> bool:
    """Whether the table names a model: without a price a budget in dollars means nothing."""
    return model in price_table()["models"]


def pass_at(num: int, num_right: int, k: int) -> float:
    """Chance that one of k attempts is right, judged from `num` of which `num_right` were.

    Unbiased: 1 - C(n-c, k) / C(n, k). Ref: Chen et al., "Evaluating Large Language Models Trained
    on Code" (2021).
    """
    if not 1 <= k <= num or not 0 <= num_right <= num:
        raise UserError(f"pass@{k} of {num_right} right in {num}, expected 1 ≤ k ≤ {num}")
    missed = 1.0
    for i in range(k):
        missed *= max(0, num - num_right - i) / (num - i)
    return 1.0 - missed
