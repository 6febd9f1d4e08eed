"""Who guesses ahead for a request, how much, and what a draft head has to be told for it.

Three can guess: the text itself (`draft.Lookup`) and a text its client foretells (`foretold.py`),
which cost nothing, and a draft head, if there is one (`model/eagle.py`), which costs a small pass
for each guess. Each is trusted by how often it was right; what a guess must bring follows from what
steps cost (`pace.Pace`).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from bise.engine.draft import LONGEST, MOST_TOKENS, SHORTEST, Lookup, Luck, gain
from bise.engine.foretold import Foretold
from bise.engine.pace import Pace
from bise.engine.pages import PAGE_TOKENS
from bise.engine.requests import Request
from bise.engine.runner import TOKEN_MULTIPLE, StepRunner
from bise.model.cache import PagedCache, make_cache
from bise.model.eagle import EagleHead, News, draft

SLOW_MEMORY = 0.98
"""How new requests are trusted at first follows all earlier ones, slowly."""

MOST_UNTOLD = 32
"""A head that does not guess hears of the text in pieces of so many tokens."""

PASS_MEMORY = 0.9

HEAD, FORETOLD = 0, 1
"""Keys of `Ahead.lucks`; the others are sizes of endings, which begin with two."""


@dataclass(slots=True)
class Ahead:
    """What is known for guessing in one request."""

    lucks: dict[int, Luck]
    """By who guesses: the text, by the size of the ending that was found, `HEAD` or `FORETOLD`."""

    foretold: Foretold | None = None
    lookup: Lookup = field(default_factory=Lookup)
    used: int = 0
    """Whose guesses are being checked, as a key of `lucks`."""

    from_head: list[int] = field(default_factory=list[int])
    """What the head guesses to follow the last sure token."""

    untold: list[Tensor] = field(default_factory=list[Tensor])
    """[tokens, dim] each: what the target made of the tokens from `told` on."""

    told: int = 0
    """Tokens the head has heard of."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the target has just computed for one request, as the head is to hear it."""

    ahead: Ahead
    tokens: Sequence[int]
    """All sure tokens of the request, the one just chosen too."""

    start: int
    hidden: Tensor
    """[count, dim], the target's output at `start`, `start + 1`, …; all of them sure"""

    pages: Sequence[int]
    most: int
    """Guesses the request has use for; 0 if it goes on reading, or has ended."""

    vectors: Callable[[int, int], Tensor | None]
    """Pictures' vectors for the image tokens in a range of `tokens`."""


class Guesses:
    """The guessing of one engine."""

    def __init__(self, runner: StepRunner, head: EagleHead | None = None, pace: Pace | None = None):
        """pace: of steps in which everybody talks; None begins a new one"""
        self.pace = pace or Pace()
        keys = (HEAD, FORETOLD, *range(SHORTEST, LONGEST + 1))
        self.first_chance = {key: Luck().chance for key in keys}
        self.network = runner.network
        self.head = head
        self.pass_s = 0.0
        self.cache: PagedCache | None = None
        if head is not None:
            self.cache = make_cache(
                head.config, runner.num_pages, PAGE_TOKENS, dtype=runner.dtype, device=runner.device
            )

    def begin(self, request: Request) -> Ahead:
        """For a request that arrives."""
        foretold = None
        if request.prediction_ids:
            foretold = Foretold(request.prediction_ids, len(request.prompt_ids))
        return Ahead({key: Luck(chance) for key, chance in self.first_chance.items()}, foretold)

    def propose(
        self, ahead: Ahead, tokens: Sequence[int], most: int, num_talking: int
    ) -> list[int]:
        """What may follow these sure tokens; empty where nothing is worth its price."""
        best, best_gain = list[int](), 0.0
        if ahead.from_head:
            best = ahead.from_head[:most]
            ahead.used, best_gain = HEAD, gain(ahead.lucks[HEAD].chance, len(best))
        for source, place, key in self._copies(ahead, tokens):
            luck = ahead.lucks[key]
            count = luck.length(self.pace.price(num_talking), min(most, MOST_TOKENS))
            copied = list(source[place : place + count])
            brings = gain(luck.chance, len(copied))
            if brings > best_gain:
                best, ahead.used, best_gain = copied, key, brings
        ahead.from_head = []
        return best

    @staticmethod
    def _copies(ahead: Ahead, tokens: Sequence[int]) -> Iterator[tuple[Sequence[int], int, int]]:
        """What can be copied: from which text, from which place on, and whose guess it is."""
        place = ahead.foretold.find(tokens) if ahead.foretold is not None else None
        if ahead.foretold is not None and place is not None:
            yield ahead.foretold.ids, place, FORETOLD
        found = ahead.lookup.find(tokens)
        if found is not None:
            size, place = found
            yield tokens, place, size

    def learn(self, ahead: Ahead, num_guessed: int, num_true: int) -> tuple[int, int]:
        """How the last guesses went. Returns how many of what was foretold were right and wrong."""
        ahead.lucks[ahead.used].learn(num_guessed, num_true)
        chance = self.first_chance[ahead.used]
        for is_true in [True] * num_true + [False] * (num_true < num_guessed):
            chance += (1.0 - SLOW_MEMORY) * (is_true - chance)
        self.first_chance[ahead.used] = chance
        return (num_true, num_guessed - num_true) if ahead.used == FORETOLD else (0, 0)

    def hear(self, news: Sequence[Heard], num_talking: int) -> None:
        """Tell the head what has been computed, and keep what it guesses."""
        if self.head is None or self.cache is None:
            return
        price = self.pace.price(num_talking, self.pass_s / max(1, num_talking))
        telling = list[tuple[Heard, News]]()
        for one in news:
            made = self._news(one, price)
            if made is not None:
                telling.append((one, made))
        if not telling:
            return
        started = time.perf_counter()
        told = [made for _, made in telling]
        guessed = draft(self.head, self.network, self.cache, told, multiple=TOKEN_MULTIPLE)
        for (one, _), ids in zip(telling, guessed, strict=True):
            one.ahead.from_head = ids
        num_passes = max(1, *(made.num_tokens for made in told))
        self._time(sum(len(made.ids) for made in told), num_passes, time.perf_counter() - started)

    def _news(self, one: Heard, price: float) -> News | None:
        """What to tell the head of one request now, or None while it can wait."""
        ahead = one.ahead
        if one.start != ahead.told + sum(len(part) for part in ahead.untold):
            ahead.untold, ahead.told = [], one.start  # it lost its pages, or took over somebody's
        count = min(len(one.hidden), len(one.tokens) - 1 - one.start)
        if count > 0:
            ahead.untold.append(one.hidden[:count])
        num_untold = sum(len(part) for part in ahead.untold)
        start, end = ahead.told, ahead.told + num_untold
        room = len(one.pages) * PAGE_TOKENS - end + 1
        wanted = (
            ahead.lucks[HEAD].length(price, min(one.most, room, MOST_TOKENS)) if one.most else 0
        )
        if num_untold == 0 or (wanted <= 0 and num_untold < MOST_UNTOLD):
            return None
        made = News(
            hidden=torch.cat(ahead.untold),
            ids=one.tokens[start + 1 : end + 1],
            start=start,
            pages=one.pages,
            num_tokens=max(0, wanted),
            image_vectors=one.vectors(start + 1, end + 1),
        )
        ahead.untold, ahead.told = [], end
        return made

    def _time(self, num_tokens: int, num_passes: int, seconds: float) -> None:
        """Learn what a pass of the head takes, from those that only went on guessing."""
        if num_tokens <= TOKEN_MULTIPLE:
            each = seconds / num_passes
            self.pass_s = (
                PASS_MEMORY * self.pass_s + (1 - PASS_MEMORY) * each if self.pass_s else each
            )
