"""The engine without a clock of its own: add requests, take steps, read what came of them.

The scheduler says which tokens are computed, the runner computes them, the sampler chooses what
follows. Nothing here knows of threads, and of text only two ids.
"""

import hashlib
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict
from functools import partial
from itertools import accumulate, count
from random import Random
from typing import Any

import torch
from torch import Tensor

from bise.engine.bounds import Bounds, waited_too_long
from bise.engine.grammars import Grammars, Vocabulary
from bise.engine.guesses import Guesses, Heard
from bise.engine.loads import Loads
from bise.engine.pace import Pace
from bise.engine.pages import PAGE_TOKENS, Holding, PagePool
from bise.engine.pictures import Pictures
from bise.engine.rating import add_ratings, num_wanted, rate
from bise.engine.requests import END_THINK, THINK, EngineStats, Request, Step
from bise.engine.runner import StepRunner, Work
from bise.engine.running import EngineCounts, Running, Saying
from bise.engine.sampling import Draws, logprobs_of, sample
from bise.engine.scheduler import FEW_TOKENS, Scheduler, Slice, Track
from bise.engine.shelf import Shelf
from bise.errors import BadRequest, NotFound, UserError

LONGEST_WAIT = 3.0
"""Beside those who talk, so much is read that a step takes this many times what theirs would."""

FEWEST_READ = 64
"""Tokens of prompts that are read beside them in any case."""

LOOK_S = 0.02
"""With nothing else to do, wait so long for a picture or rules before looking around again."""


class Core:
    """Decides what is computed next, and for whom."""

    def __init__(
        self,
        runner: StepRunner,
        max_running: int,
        *,
        seed: int | None = None,
        shares_prefixes: bool = True,
        speculates: bool = True,
        guesses: Guesses | None = None,
        sees_aside: bool = False,
        shelf: Shelf | None = None,
        max_step_tokens: int = 2048,
        vocabulary: Vocabulary | None = None,
    ):
        """shares_prefixes, speculates: off only to measure what they bring; guesses: who guesses
        ahead, None is the text itself; sees_aside: look at pictures and compile rules in threads,
        so that others go on meanwhile; shelf: a place on disk for pages; vocabulary: what rules
        are about, None refuses them."""
        self.runner = runner
        config = runner.network.config
        self.vocab_size = config.vocab_size
        self.bounds = Bounds.of(
            config, runner.num_pages * PAGE_TOKENS, takes_grammars=vocabulary is not None
        )
        self.scheduler = Scheduler(
            PagePool(runner.num_pages, shares=shares_prefixes, shelf=shelf),
            max_running,
            max(max_step_tokens, 2 * max_running),
        )
        token_side = self.bounds.token_side or 1
        self.pictures = Pictures(runner.see, token_side, config.image_token, is_aside=sees_aside)
        self.grammars = Grammars(vocabulary, is_aside=sees_aside)
        self.preparing: list[Running] = []
        """Whose pictures have not been looked at, or whose rules are not compiled yet."""

        self.failed: dict[int, Exception] = {}
        """Requests the eye or the rules failed on, until somebody takes note."""

        self.guesses = (guesses or Guesses(runner)) if speculates else None
        self.talking = self.guesses.pace if self.guesses else Pace()
        self.reading = Pace()
        self.shelf = shelf
        self.members: dict[int, Running] = {}
        self.never = config.image_token if self.bounds.token_side else None
        """A picture's token stands for what nobody can say."""

        self.numbers = count()
        self.seeds = Random(seed)
        self.counts = EngineCounts()
        self.loads = Loads(config.experts)

    def add(self, request: Request) -> int:
        """Check a request and let it wait; returns the number it is known by."""
        room = self.check(request)
        wanted = room if request.max_tokens is None else min(request.max_tokens, room)
        deadline = None if request.deadline_s is None else time.monotonic() + request.deadline_s
        draws = Draws.of(request)
        if request.sampling.seed is None:
            draws.rng = Random(self.seeds.random())
        ids = list(request.prompt_ids)
        pictures = self.pictures.take(request.images)
        self.grammars.take(request.grammar)
        keys = self.pictures.keys(ids, pictures)
        salt = (
            hashlib.blake2b(request.cache_salt.encode()).hexdigest() if request.cache_salt else ""
        )
        track = Track(next(self.numbers), request.priority, ids, keys, Holding(salt))
        track.is_rated = request.want_prompt_logprobs is not None and len(ids) > 1
        ahead = self.guesses.begin(request) if self.guesses else None
        one = Running(
            request,
            track,
            draws,
            wanted,
            deadline,
            pictures,
            ahead,
            is_thinking=request.in_thinking,
        )
        self.members[track.number] = one
        self.preparing.append(one)
        self._see()
        return track.number

    def check(self, request: Request) -> int:
        """Refuse what cannot be computed; says how many tokens there is room for."""
        return self.bounds.check(request)

    def cancel(self, number: int) -> None:
        """Forget a request and free its pages; one that is gone already is no error."""
        one = self.members.get(number)
        if one is not None:
            self._leave(one)
            self.counts.num_cancelled += 1

    def hold(self, number: int, *, is_on: bool) -> None:
        """Leave a request out of steps, with all it holds, until its reader has caught up."""
        one = self.members.get(number)
        if one is not None:
            one.is_held = is_on

    def stop_thinking(self, number: int) -> None:
        """Let a request close its thinking with its next token."""
        one = self.members.get(number)
        if one is None:
            raise NotFound(f"request {number} is not running")
        if not one.is_thinking:
            raise BadRequest(f"request {number} is not thinking")
        one.must_stop_thinking = True

    @property
    def is_idle(self) -> bool:
        return not self.members

    @property
    def num_waiting(self) -> int:
        return len(self.scheduler.waiting) + len(self.preparing)

    def close(self) -> None:
        """End the threads beside the steps and clear the shelf, if there are any."""
        self.pictures.close()
        self.grammars.close()
        if self.shelf is not None:
            self.shelf.close()

    def step(self) -> dict[int, Step]:
        """Compute once for everybody; what came of it, by request number."""
        started = time.perf_counter()
        steps = self._expire()
        self._see()
        slow = self._hold_back()
        if self.guesses is not None:
            self._propose(self.guesses)
        planned = self.scheduler.plan(self._budget())
        if not planned:
            self._wait(slow)
            return steps
        members = [self.members[one.track.number] for one in planned]
        works = [self._work(one, part) for one, part in zip(members, planned, strict=True)]
        is_talk = all(work.num_wanted == len(work.ids) for work in works)
        looks = is_talk and self.loads.is_due()
        wants_routing = looks or any(one.request.want_routing for one in members)
        routing: list[Tensor] | None = [] if wants_routing else None
        wants_hidden = self.guesses is not None and self.guesses.head is not None
        hidden: list[Tensor] | None = [] if wants_hidden else None
        ready = time.perf_counter()
        for one in members:
            one.begun_s = one.begun_s or ready
        logits = self.runner.compute(works, routing, hidden)
        computed = time.perf_counter()
        self.scheduler.done(planned)
        ratings, logits = rate(members, planned, logits)
        if looks and routing:
            self.loads.learn(routing)
        for place, (one, part) in enumerate(zip(members, planned, strict=True)):
            one.num_computed += part.count
            if routing and one.request.want_routing:
                one.routing.append(routing[place])
        steps |= self._choose(members, planned, logits)
        chosen = time.perf_counter()
        pace = self.talking if is_talk and not ratings else self.reading
        pace.learn(sum(len(work.ids) for work in works), chosen - started)
        if self.guesses is not None and hidden is not None:
            self._tell_head(self.guesses, members, planned, works, hidden)
        add_ratings(steps, ratings)
        self._count(planned, started, ready, computed, chosen)
        return steps

    def stats(self) -> EngineStats:
        pool, counts = self.scheduler.pool, self.counts
        return EngineStats(
            **asdict(counts),
            num_running=len(self.scheduler.running),
            num_waiting=self.num_waiting,
            num_preemptions=self.scheduler.num_preemptions,
            num_images=self.pictures.num_taken,
            num_images_seen=self.pictures.num_seen,
            num_grammars=self.grammars.num_compiled,
            grammar_s=self.grammars.compile_s,
            pages_total=pool.num_pages,
            pages_used=pool.num_used,
            pages_known=pool.num_idle,
            num_evicted=pool.num_evicted,
            num_shelved=self.shelf.num_put if self.shelf else 0,
            num_fetched=self.shelf.num_fetched if self.shelf else 0,
            cache_bytes=self.runner.cache.size_bytes,
            expert_imbalance=self.loads.imbalance,
        )

    def _see(self) -> None:
        """Let those wait for their turn whose pictures and rules are ready."""
        self.grammars.drop_unused()
        for one in list(self.preparing):
            grammar = one.request.grammar
            try:
                has_seen = self.pictures.are_ready(one.pictures)
                if not self.grammars.is_ready(grammar) or not has_seen:
                    continue
                one.held = self.grammars.hold(grammar, in_thinking=one.is_thinking)
            except Exception as error:  # its picture's or its rules' fault, and its alone
                self._fail(one, error)
                continue
            self.preparing.remove(one)
            self.scheduler.add(one.track)

    def _hold_back(self) -> list[Future[bytes]]:
        """Leave those out of the step whose rules have not said yet what may follow."""
        slow: list[Future[bytes]] = []
        for track in self.scheduler.running:
            one = self.members[track.number]
            held = one.held
            track.is_held_back = one.is_held or (held is not None and not held.is_ready)
            if held is not None and held.coming is not None:
                slow.append(held.coming)
        return slow

    def _wait(self, slow: Sequence[Future[bytes]]) -> None:
        """With nothing to compute, wait a little for what is prepared beside."""
        coming: list[Future[Any]] = [*self.pictures.coming.values(), *slow]
        coming += self.grammars.coming.values()
        if coming:
            wait(coming, LOOK_S, return_when=FIRST_COMPLETED)
        elif self.members:  # all wait for their readers
            time.sleep(LOOK_S)

    def _budget(self) -> int:
        """Tokens of the next step: what it may take, and less when somebody would wait for it."""
        most = self.scheduler.max_step_tokens
        talking = [one for one in self.scheduler.running if one.num_missing <= FEW_TOKENS]
        num_talking = sum(one.num_missing for one in talking)
        if not talking:
            return most
        room = self.reading.fitting(LONGEST_WAIT * self.talking.expected(num_talking))
        return min(most, num_talking + max(room, FEWEST_READ))

    def _propose(self, guesses: Guesses) -> None:
        """Guess ahead for everybody who says one token at a time."""
        num_talking = len(self.scheduler.running)
        for track in self.scheduler.running:
            one = self.members[track.number]
            most = self._most_guesses(one)
            if one.ahead is None or track.num_missing != 1 or track.num_draft or most < 1:
                continue
            draft = guesses.propose(one.ahead, track.tokens, most, num_talking)
            if one.held is not None:
                draft = draft[: one.held.fitting(draft)]
            if draft and self.bounds.image_token not in draft:
                self.scheduler.propose(track, draft)

    def _most_guesses(self, one: Running) -> int:
        """Guesses there is room for: the token after them is chosen in any case."""
        return one.max_tokens - one.draws.num_generated - 1

    def _tell_head(
        self,
        guesses: Guesses,
        members: list[Running],
        planned: list[Slice],
        works: list[Work],
        hidden: list[Tensor],
    ) -> None:
        """Let the draft head hear what was computed, of which wrong guesses are no part."""
        news = list[Heard]()
        for one, part, work, states in zip(members, planned, works, hidden, strict=True):
            track = one.track
            num_sure = track.num_computed - part.start if one.number in self.members else 0
            if one.ahead is None or num_sure <= 0:
                continue
            goes_on = track.num_missing == 1
            news.append(
                Heard(
                    ahead=one.ahead,
                    tokens=track.tokens,
                    start=part.start,
                    hidden=states[:num_sure],
                    pages=work.pages,
                    most=self._most_guesses(one) if goes_on else 0,
                    vectors=partial(self.pictures.between, one.pictures, track.tokens),
                )
            )
        guesses.hear(news, len(self.scheduler.running))

    def _count(
        self, planned: list[Slice], started: float, ready: float, computed: float, chosen: float
    ) -> None:
        """Where the time of a step went."""
        counts = self.counts
        counts.num_steps += 1
        counts.num_step_tokens += sum(part.count for part in planned)
        counts.plan_s += ready - started
        counts.compute_s += computed - ready
        counts.choose_s += chosen - computed
        counts.draft_s += time.perf_counter() - chosen

    def _work(self, one: Running, part: Slice) -> Work:
        """What the runner needs to know of a slice."""
        track, end = one.track, part.start + part.count
        return Work(
            ids=track.tokens[part.start : end],
            start=part.start,
            pages=track.holding.pages,
            num_wanted=num_wanted(part),
            image_vectors=self.pictures.between(one.pictures, track.tokens, part.start, end),
        )

    def _choose(
        self, members: list[Running], planned: list[Slice], logits: Tensor
    ) -> dict[int, Step]:
        """Say the next token of everybody who has caught up, and go on where a draft was right.

        logits [wanted, vocab], of all who have caught up
        """
        caught_up = [one for one, part in zip(members, planned, strict=True) if part.is_last]
        ends = accumulate((1 + one.track.num_draft for one in caught_up), initial=0)
        going = saying = [Saying(one, row) for one, row in zip(caught_up, ends)]  # noqa: B905
        while going := [one for one in going if self._mind_rules(one)]:
            rows = [one.row + len(one.ids) for one in going]
            table = logits if rows == list(range(logits.shape[0])) else logits[rows]
            kept = table.clone() if any(one.wants_logprobs for one in going) else table
            draws = [one.member.draws for one in going]
            for row, token in enumerate(sample(table, draws, self.never, self.runner.pick)):
                self._say(going[row], token, kept, row)
            going = [one for one in going if one.goes_on]
        for one in saying:
            if one.fault is not None:
                self._fail(one.member, one.fault)
        return {one.member.number: self._settle(one) for one in saying if one.fault is None}

    @staticmethod
    def _mind_rules(saying: Saying) -> bool:
        """Say which ids the next token may not be; whether the request can go on at all."""
        one = saying.member
        if one.held is None:
            return True
        try:
            one.draws.barred = one.held.barred()
        except UserError as fault:
            saying.fault = fault
        return saying.fault is None

    def _say(self, saying: Saying, token: int, table: Tensor, row: int) -> None:
        """One token of one request, whose logits are a row of the table."""
        one = saying.member
        if one.max_tokens == 0:
            saying.reason = "length"
            return
        token = self._mind_thinking(one, token)
        if one.held is not None:
            try:
                one.held.hear(token)
            except UserError as fault:
                saying.fault = fault
                return
        one.draws.add(token)
        saying.ids.append(token)
        if one.request.want_logprobs is not None:
            saying.logprobs.append(logprobs_of(table[row], token, one.request.want_logprobs))
        if token in one.request.stop_ids or (one.held is not None and one.held.has_ended):
            saying.reason = "stop"
        elif one.draws.num_generated >= one.max_tokens:
            saying.reason = "length"

    def _settle(self, saying: Saying) -> Step:
        """Write down what a request said, and let it leave if that was all."""
        one, track = saying.member, saying.member.track
        num_accepted = max(0, len(saying.ids) - 1)
        foretold = (0, 0)
        if track.num_draft and self.guesses is not None and one.ahead is not None:
            foretold = self.guesses.learn(one.ahead, track.num_draft, num_accepted)
            self.counts.add_draft(track.num_draft, num_accepted)
        self.scheduler.settle(track, num_accepted, saying.ids[-1:])
        self.counts.num_generated_tokens += len(saying.ids)
        is_first = one.draws.num_generated == len(saying.ids)
        begun_s = one.begun_s if is_first else None
        step = Step(
            tuple(saying.ids),
            tuple(saying.logprobs),
            finish_reason=saying.reason,
            foretold=foretold,
            num_cached=track.num_cached,
            num_computed=one.num_computed,
            routing=torch.cat(one.routing) if one.routing else None,
            queued_s=None if begun_s is None else begun_s - one.added_s,
            read_s=None if begun_s is None else time.perf_counter() - begun_s,
        )
        one.routing, one.num_computed = [], 0
        if saying.reason is not None:
            self.counts.num_finished += 1
            self._leave(one)
        return step

    def _mind_thinking(self, one: Running, token: int) -> int:
        """Force the closing marker when the budget is spent or somebody said stop."""
        budget = one.request.thinking_budget
        if one.is_thinking:
            spent = budget is not None and one.num_thought >= budget
            if spent or one.must_stop_thinking:
                token = END_THINK
            one.num_thought += 1
            self.counts.num_thinking_tokens += 1
        if token == THINK:
            one.is_thinking = True
        elif token == END_THINK:
            one.is_thinking = one.must_stop_thinking = False
        return token

    def _expire(self) -> dict[int, Step]:
        """End those whose time is up."""
        now = time.monotonic()
        late = [o for o in self.members.values() if o.deadline is not None and now > o.deadline]
        for one in late:
            self.counts.num_finished += 1
            self._leave(one)
        self._turn_away()
        return {one.number: Step((), finish_reason="deadline") for one in late}

    def _turn_away(self) -> None:
        """End those whose turn has not come in the time they were given for that."""
        now = time.perf_counter()
        queue = (self.members[track.number] for track in self.scheduler.waiting)
        for one in [*self.preparing, *queue]:
            limit_s = one.request.queue_s
            if limit_s is not None and one.begun_s is None and now - one.added_s > limit_s:
                self._fail(one, waited_too_long(limit_s))

    def _fail(self, one: Running, error: Exception) -> None:
        """End a request that cannot go on."""
        self._leave(one)
        self.failed[one.number] = error

    def _leave(self, one: Running) -> None:
        self.counts.num_prompt_tokens += len(one.request.prompt_ids)
        self.counts.num_cached_tokens += one.track.num_cached
        if one in self.preparing:
            self.preparing.remove(one)
        else:
            self.scheduler.remove(one.track)
        self.pictures.release(one.pictures)
        self.grammars.release(one.request.grammar)
        del self.members[one.number]


def run_all(core: Core, requests: Iterable[Request]) -> list[list[int]]:
    """Generate for many requests and wait for all: evaluation, and a look during training."""
    numbers = [core.add(request) for request in requests]
    ids: dict[int, list[int]] = {number: [] for number in numbers}
    while not (core.is_idle or core.failed):
        for number, step in core.step().items():
            ids[number] += step.ids
    for error in core.failed.values():
        raise error
    return [ids[number] for number in numbers]
