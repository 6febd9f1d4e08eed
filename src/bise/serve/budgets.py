"""What each key has used, and when it may use more: requests, tokens, and tokens of a day.

A bucket fills steadily up to a minute's worth. What a reply will cost is not known when it begins,
so a bucket may go below zero, and whoever emptied it waits until it is above again.
"""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any, cast

from bise.errors import UserError
from bise.serve.faults import HttpFault
from bise.serve.keys import Key, replace_file

log = logging.getLogger(__name__)

MINUTE_S = 60.0
DAY_S = 86_400
SAVE_S = 2.0
"""So much of the counting may be lost when a server is killed."""


def today() -> int:
    """Days since 1970, in UTC."""
    return int(time.time() // DAY_S)


@dataclass(slots=True)
class Bucket:
    """So many a minute. `level` is what may be taken now."""

    limit: int
    level: float
    at_s: float

    @classmethod
    def full(cls, limit: int, now_s: float) -> "Bucket":
        return cls(limit, float(limit), now_s)

    def fill(self, now_s: float) -> None:
        """Add what the time since the last look has brought."""
        gained = (now_s - self.at_s) * self.limit / MINUTE_S
        self.level = min(float(self.limit), self.level + max(gained, 0.0))
        self.at_s = now_s

    def wait_s(self, count: float) -> float:
        """Seconds until so many are there; more than ever fit are there when it is full."""
        missing = min(count, self.limit) - self.level
        return max(0.0, missing * MINUTE_S / self.limit)


@dataclass(slots=True)
class Account:
    """One key's use."""

    key: Key
    requests: Bucket
    tokens: Bucket
    num_running: int = 0
    day: int = 0
    """Days since 1970, in UTC."""

    tokens_today: int = 0

    def follow(self, key: Key, now_s: float) -> None:
        """Take over new limits of a key."""
        if key == self.key:
            return
        self.key = key
        if key.requests_per_minute != self.requests.limit:
            self.requests = Bucket.full(key.requests_per_minute, now_s)
        if key.tokens_per_minute != self.tokens.limit:
            self.tokens = Bucket.full(key.tokens_per_minute, now_s)

    def enter(self, now_s: float) -> None:
        """Let a request in, or say when to come again."""
        key = self.key
        if key.concurrent and self.num_running >= key.concurrent:
            words = f"this key has {self.num_running} requests running, which is all it may have"
            raise self.refusal(words, 1.0)
        if key.requests_per_minute:
            self.requests.fill(now_s)
            if self.requests.level < 1:
                words = f"this key may send {key.requests_per_minute} requests a minute"
                raise self.refusal(words, self.requests.wait_s(1))
            self.requests.level -= 1
        self.num_running += 1

    def leave(self) -> None:
        self.num_running -= 1

    def need(self, num_tokens: int, now_s: float, wall_s: float) -> None:
        """Refuse a prompt the key has no tokens for; otherwise they are spent."""
        key = self.key
        if key.tokens_per_day:
            self.turn_day(wall_s)
            if self.tokens_today + num_tokens > key.tokens_per_day:
                words = (
                    f"this key has used {self.tokens_today:,} of its {key.tokens_per_day:,} tokens "
                    f"of today, and the prompt has {num_tokens:,}"
                )
                raise self.refusal(words, DAY_S - wall_s % DAY_S)
        if key.tokens_per_minute:
            self.tokens.fill(now_s)
            wait_s = self.tokens.wait_s(num_tokens)
            if wait_s > 0:
                words = f"this key may use {key.tokens_per_minute:,} tokens a minute"
                raise self.refusal(words, wait_s)
        self.spend(num_tokens, wall_s)

    def spend(self, num_tokens: int, wall_s: float) -> None:
        """Count tokens that were read or written."""
        self.turn_day(wall_s)
        self.tokens.level -= num_tokens
        self.tokens_today += num_tokens

    def turn_day(self, wall_s: float) -> None:
        day = int(wall_s // DAY_S)
        if day != self.day:
            self.day, self.tokens_today = day, 0

    def refusal(self, words: str, wait_s: float) -> HttpFault:
        seconds = max(1, ceil(wait_s))
        return HttpFault(
            429,
            words,
            hint=f"try again in {seconds} s",
            headers={"Retry-After": str(seconds)} | self.headers(),
        )

    def headers(self) -> dict[str, str]:
        """What clients are told of their limits, under Mistral's names and under OpenAI's."""
        found: dict[str, str] = {}
        for word, bucket in (("Tokens", self.tokens), ("Requests", self.requests)):
            if not bucket.limit:
                continue
            left, reset_s = max(0, int(bucket.level)), ceil(bucket.wait_s(bucket.limit))
            numbers = {"Limit": bucket.limit, "Remaining": left, "Reset": reset_s}
            for name, number in numbers.items():
                found[f"X-RateLimit-{name}"] = str(number)  # of requests, if they are limited
                unit = "s" if name == "Reset" else ""
                found[f"X-RateLimit-{name}-{word}"] = f"{number}{unit}"
        return found


@dataclass(slots=True)
class Ledger:
    """The accounts of all keys; those with a quota of a day are written down beside the keys."""

    file: Path | None = None
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    """By the key's digest: a new key of an old name begins anew."""

    _saved_s: float = 0.0
    _is_changed: bool = False
    _kept: dict[str, int] = field(default_factory=dict[str, int])
    _kept_day: int = field(default_factory=today)

    def __post_init__(self) -> None:
        if self.file is not None:
            self._kept = read_usage(self.file, self._kept_day)

    def kept(self) -> dict[str, int]:
        """What was used today before the server began, of keys it has not seen since."""
        if today() != self._kept_day:
            self._kept.clear()
        return self._kept

    def account(self, key: Key) -> Account:
        now_s = time.monotonic()
        found = self.accounts.get(key.digest)
        if found is None:
            found = Account(
                key,
                Bucket.full(key.requests_per_minute, now_s),
                Bucket.full(key.tokens_per_minute, now_s),
                day=today(),
                tokens_today=self.kept().pop(key.digest, 0),
            )
            self.accounts[key.digest] = found
        found.follow(key, now_s)
        return found

    def note(self) -> None:
        """Something was spent: it has to be written down before long."""
        self._is_changed = self.file is not None

    def is_due(self) -> bool:
        return self._is_changed and time.monotonic() - self._saved_s >= SAVE_S

    def page(self) -> str:
        """What is to be written down now."""
        self._is_changed, self._saved_s = False, time.monotonic()
        day = today()
        used = {digest: one.tokens_today for digest, one in self.accounts.items() if one.day == day}
        return json.dumps({"day": day, "tokens": {**self.kept(), **used}})

    def write(self, page: str) -> None:
        """Write it down. A disk that refuses is logged, and stops nobody."""
        assert self.file is not None, "only ledgers with a file are written down"
        try:
            replace_file(self.file, page)
        except UserError as fault:
            log.warning("what keys have used today is not kept: %s", fault.message)

    def close(self) -> None:
        """Write down what is left to write."""
        if self._is_changed:
            self.write(self.page())


def usage_file(keys: Path) -> Path:
    """Where what was used of a key file's quotas is kept."""
    return keys.with_name(f"{keys.name}.used")


def read_usage(file: Path, day: int) -> dict[str, int]:
    """Tokens by digest that were used on a day; none if the file says nothing of it."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found = cast(Mapping[str, Any], content) if isinstance(content, dict) else {}
    tokens = found.get("tokens")
    if found.get("day") != day or not isinstance(tokens, dict):
        return {}
    counts = cast(dict[str, Any], tokens)
    return {digest: count for digest, count in counts.items() if isinstance(count, int)}
