"""Which tokens to compute next.

A pure planner: it looks at requests and free pages, and returns slices. It never touches a tensor,
so every policy can be tested with integers.

There is no prefill and no decode. A request knows some tokens and has computed some of them; every
step it catches up, until the step's token budget is spent. Those who lack only a token or two go
first, so that no stream stalls while somebody else's long prompt is read in chunks.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bise.engine.pages import PAGE_TOKENS, Holding, PagePool

FEW_TOKENS = 16
"""Who lacks no more than this is talking; who lacks more is reading."""

MOST_RATED = 128
"""Of a prompt that is rated, so much goes into one pass: each token leaves a row of logits."""


@dataclass(slots=True, eq=False)
class Track:
    """What the planner knows of one request."""

    number: int
    priority: int
    tokens: list[int]
    """Everything known: prompt, reply so far, and a draft of what may follow."""

    keys: list[int]
    """As `tokens`, with an image's content for its placeholder: what pages are known by."""

    holding: Holding
    num_computed: int = 0
    num_draft: int = 0
    """Tokens at the end that are only guessed."""

    num_cached: int = 0
    """Tokens taken over from pages others had computed, over the whole life of the request."""

    num_preempted: int = 0
    is_held_back: bool = False
    """Whether its next token could not be chosen yet."""

    is_rated: bool = False
    """Whether each token is computed for the logits it leaves: what others computed is no help."""

    @property
    def num_missing(self) -> int:
        return len(self.tokens) - self.num_computed

    @property
    def rank(self) -> tuple[int, int]:
        """Lower goes first: priority, then arrival."""
        return self.priority, self.number


@dataclass(slots=True)  # not frozen: many are made in every step
class Slice:
    """Tokens of one request to compute in the next pass."""

    track: Track
    start: int
    count: int

    @property
    def is_last(self) -> bool:
        """Whether the request has caught up with this, so that its next token can be chosen."""
        return self.start + self.count == len(self.track.tokens)


@dataclass(slots=True)
class Scheduler:
    """Waiting and running requests, and the pages they share."""

    pool: PagePool
    max_running: int
    max_step_tokens: int = 1024
    waiting: list[Track] = field(default_factory=list[Track])
    running: list[Track] = field(default_factory=list[Track])
    """By rank."""

    num_preemptions: int = 0

    def __post_init__(self) -> None:
        assert self.max_step_tokens >= 2 * self.max_running, "readers would starve behind talkers"

    def add(self, track: Track) -> None:
        self.waiting.append(track)
        self.waiting.sort(key=lambda one: one.rank)

    def remove(self, track: Track) -> None:
        """Forget a request, wherever it is; its pages are free at once."""
        (self.running if track in self.running else self.waiting).remove(track)
        self.pool.release(track.holding)

    def plan(self, max_tokens: int | None = None) -> list[Slice]:
        """Say what the next pass computes, and reserve its pages. max_tokens: for this pass only"""
        self._admit()
        talking, reading = list[Track](), list[Track]()
        for one in self.running:
            (talking if one.num_missing <= FEW_TOKENS else reading).append(one)
        budget, step = max_tokens or self.max_step_tokens, list[Slice]()
        busy: set[tuple[int, tuple[int, ...]]] = set()
        before = self.num_preemptions
        for track in (*talking, *reading):
            if track.is_held_back:
                continue  # slow to say what may follow
            if self.num_preemptions != before and track not in self.running:
                continue  # preempted for somebody before it
            if not track.holding.own:  # others may have computed what comes next
                self._take_over(track)
                if self._is_being_computed(track, busy):
                    continue  # somebody does in this pass; take it over in the next
            if track.num_draft and not self._draft_fits(track, budget):
                self.settle(track, 0, ())
            count = min(track.num_missing, budget, MOST_RATED if track.is_rated else budget)
            if count == 0 or not self._reserve(track, track.num_computed + count, step):
                continue
            step.append(Slice(track, track.num_computed, count))
            budget -= count
        return step

    def done(self, step: Iterable[Slice]) -> None:
        """The pass went through: count it, and let others use the pages it filled.

        Drafts are not shared before they are accepted: `settle` says how many were.
        """
        for one in step:
            track = one.track
            track.num_computed = one.start + one.count
            sure = len(track.tokens) - track.num_draft
            self.pool.share(track.holding, track.keys, min(track.num_computed, sure))

    def settle(self, track: Track, num_accepted: int, tokens: Sequence[int]) -> None:
        """Drop the draft but for its accepted beginning, then add what was chosen after it."""
        if track.num_draft:
            keep = len(track.tokens) - track.num_draft + num_accepted
            del track.tokens[keep:]
            del track.keys[keep:]
            track.num_draft = 0
            track.num_computed = min(track.num_computed, keep)
        track.tokens += tokens
        track.keys += tokens

    def propose(self, track: Track, draft: Sequence[int]) -> None:
        """Add guessed tokens, to be checked in the next pass."""
        assert track.num_draft == 0, "the last draft is not settled"
        track.tokens += draft
        track.keys += draft
        track.num_draft = len(draft)

    def _admit(self) -> None:
        """Let in who waits, by rank, while there is room for all that is known of it.

        Room that was promised to those let in before, and not taken yet, is not given twice.
        """
        while self.waiting:
            track = self.waiting[0]
            num_cached = track.num_cached
            self._take_over(track)
            if not self._has_room(track) and not self._make_way(track):
                self.pool.release(track.holding)  # holding what it cannot use would block others
                track.num_computed, track.num_cached = 0, num_cached
                return
            self.waiting.remove(track)
            insort(self.running, track, key=lambda one: one.rank)

    def _has_room(self, track: Track) -> bool:
        if len(self.running) >= self.max_running:
            return False
        promised = sum(self._num_pages_missing(one) for one in self.running)
        room = self.pool.num_available - promised
        return not self.running or self._num_pages_missing(track) <= room

    def _make_way(self, track: Track) -> bool:
        """Preempt less important requests, if that makes enough room."""
        less = [one for one in self.running if one.priority > track.priority]
        while less and not self._has_room(track):
            last = max(less, key=lambda one: one.rank)
            less.remove(last)
            self._preempt(last)
        return self._has_room(track)

    @staticmethod
    def _num_pages_missing(track: Track) -> int:
        """Pages to be had before the request can say its next token."""
        return max(0, -(-(len(track.tokens) + 1) // PAGE_TOKENS) - len(track.holding.pages))

    def _take_over(self, track: Track) -> None:
        """Skip what others have computed; the last known token is always computed anew."""
        if track.num_computed == track.holding.num_known and not track.is_rated:
            limit = len(track.tokens) - track.num_draft - 1
            found = self.pool.find(track.holding, track.keys, limit)
            track.num_computed += found
            if not track.num_preempted:  # later it finds what it had computed itself
                track.num_cached += found

    def _is_being_computed(self, track: Track, busy: set[tuple[int, tuple[int, ...]]]) -> bool:
        """Whether this pass already computes the page this request would begin with."""
        at = track.holding.num_known
        is_at_page = self.pool.shares and track.num_computed == at and not track.is_rated
        if not is_at_page or track.num_missing <= PAGE_TOKENS:
            return False
        key = self.pool.next_key(track.holding, track.keys)
        if key in busy:
            return True
        busy.add(key)
        return False

    def _draft_fits(self, track: Track, budget: int) -> bool:
        """Whether the last sure token and all guesses go through in this pass, at nobody's cost.

        A guess is checked by what follows the token before it: cut apart, they say nothing.
        """
        num_pages = -(-len(track.tokens) // PAGE_TOKENS) - len(track.holding.pages)
        is_whole = track.num_missing == 1 + track.num_draft
        return is_whole and track.num_missing <= budget and num_pages <= self.pool.num_available

    def _reserve(self, track: Track, num_tokens: int, step: list[Slice]) -> bool:
        """Own pages for so many tokens, taken from younger requests if need be."""
        while not self.pool.reserve(track.holding, num_tokens):
            planned = {one.track.number for one in step}
            younger = [
                one
                for one in self.running
                if one.rank > track.rank and one.number not in planned and one.holding.pages
            ]
            if not younger:
                if track.holding.pages and len(self.running) > 1:
                    self._preempt(track)  # it would keep others from finishing
                return False
            self._preempt(max(younger, key=lambda one: one.rank))
        return True

    def _preempt(self, track: Track) -> None:
        """Take a request's pages; it computes again what is not still known when its turn comes."""
        self.pool.release(track.holding)
        track.num_computed = 0
        track.num_preempted += 1
        self.num_preemptions += 1
        self.running.remove(track)
        self.add(track)
