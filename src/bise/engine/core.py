"""The engine without a clock of its own: add requests, take steps, read what came of them.

Waiting requests are read in, one a step and by priority, as slots come free; all that run get one
token a step together. Nothing here knows of threads, and of text only three ids.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from random import Random

import torch
from torch import Tensor

from bise.engine.requests import EngineStats, FinishReason, Request, Step
from bise.engine.runner import Runner
from bise.engine.sampling import Draws, logprobs_of, sample
from bise.errors import BadRequest, NotFound

THINK, END_THINK = 34, 35
"""Ids of the markers around thinking, the same in every Tekken v15 file."""


@dataclass(slots=True)
class Running:
    """A request and how far it has come."""

    number: int
    request: Request
    draws: Draws
    max_tokens: int
    deadline: float | None
    slot: int | None = None
    is_thinking: bool = False
    num_thought: int = 0
    must_stop_thinking: bool = False
    routing: list[Tensor] = field(default_factory=list[Tensor])


class Core:
    """Decides what is computed next, and for whom."""

    def __init__(self, runner: Runner, max_running: int, seed: int | None = None):
        self.runner = runner
        self.max_positions = runner.network.config.max_positions
        self.vocab_size = runner.network.config.vocab_size
        self.free_slots = list(range(max_running))[::-1]
        self.waiting: list[Running] = []
        self.running: list[Running] = []
        self.numbers = count()
        self.seeds = Random(seed)
        self.num_finished = self.num_cancelled = 0
        self.num_prompt_tokens = self.num_generated = 0

    def add(self, request: Request) -> int:
        """Check a request and let it wait; returns the number it is known by."""
        room = self.check(request)
        wanted = room if request.max_tokens is None else min(request.max_tokens, room)
        deadline = None if request.deadline_s is None else time.monotonic() + request.deadline_s
        draws = Draws.of(request)
        if request.sampling.seed is None:
            draws.rng = Random(self.seeds.random())
        number = next(self.numbers)
        self.waiting.append(
            Running(number, request, draws, wanted, deadline, is_thinking=request.in_thinking)
        )
        self.waiting.sort(key=lambda one: (one.request.priority, one.number))
        return number

    def check(self, request: Request) -> int:
        """Refuse what cannot be computed; says how many tokens there is room for."""
        if not request.prompt_ids:
            raise BadRequest("the prompt is empty, expected at least one token")
        worst = max(request.prompt_ids)
        if worst >= self.vocab_size or min(request.prompt_ids) < 0:
            raise BadRequest(f"token id {worst} lies outside the vocabulary of {self.vocab_size}")
        if request.adapter is not None:
            raise BadRequest(
                f"adapter `{request.adapter}` is asked for, but this engine serves none yet",
                hint="leave `adapter` out",
            )
        for token in request.sampling.logit_bias:
            if not 0 <= token < self.vocab_size:
                raise BadRequest(
                    f"`logit_bias` names id {token}, outside the vocabulary of {self.vocab_size}"
                )
        self._check_images(request)
        room = self.max_positions - len(request.prompt_ids)
        if room <= 0:
            raise BadRequest(
                f"the prompt has {len(request.prompt_ids)} tokens, but this model's maximum "
                f"context length is {self.max_positions} tokens",
                hint="shorten the conversation or start a new one",
            )
        return room

    def _check_images(self, request: Request) -> None:
        """Refuse pictures that do not fit their tokens: in a step they would fail everybody."""
        config = self.runner.network.config
        eye = config.vision
        if request.images and eye is None:
            raise BadRequest("this model has no vision tower, but the prompt brings a picture")
        num_places = sum(token == config.image_token for token in request.prompt_ids)
        side = 1 if eye is None else eye.patch * eye.merge
        sizes = [image.shape[-2:] for image in request.images]
        num_vectors = sum((height // side) * (width // side) for height, width in sizes)
        if request.images and num_places != num_vectors:
            raise BadRequest(
                f"the prompt has {num_places} image tokens, its pictures {num_vectors}",
                hint="encode prompt and pictures with the same image settings",
            )

    def cancel(self, number: int) -> None:
        """Forget a request and free its slot; one that is gone already is no error."""
        for one in (*self.waiting, *self.running):
            if one.number == number:
                self._leave(one)
                self.num_cancelled += 1

    def stop_thinking(self, number: int) -> None:
        """Let a request close its thinking with its next token."""
        for one in (*self.waiting, *self.running):
            if one.number == number:
                if not one.is_thinking:
                    raise BadRequest(f"request {number} is not thinking")
                one.must_stop_thinking = True
                return
        raise NotFound(f"request {number} is not running")

    @property
    def is_idle(self) -> bool:
        return not self.waiting and not self.running

    def step(self) -> dict[int, Step]:
        """Compute once for everybody; what came of it, by request number."""
        steps = self._expire()
        if self.waiting and self.free_slots:
            one = self.waiting.pop(0)
            one.slot = self.free_slots.pop()
            self.running.append(one)
            steps |= self._read(one)
            return steps
        if self.running:
            steps |= self._advance()
        return steps

    def stats(self) -> EngineStats:
        slots = self.runner.slots
        used = [one.slot for one in self.running if one.slot is not None]
        return EngineStats(
            num_running=len(self.running),
            num_waiting=len(self.waiting),
            num_finished=self.num_finished,
            num_cancelled=self.num_cancelled,
            num_prompt_tokens=self.num_prompt_tokens,
            num_generated_tokens=self.num_generated,
            cache_tokens=sum(slots.lengths[slot] for slot in used),
            cache_bytes=slots.entries.nbytes,
        )

    def _read(self, one: Running) -> dict[int, Step]:
        """The prompt, and the first token after it."""
        assert one.slot is not None
        asked = one.routing if one.request.want_routing else None
        logits = self.runner.prefill(one.slot, one.request.prompt_ids, one.request.images, asked)
        num_prompt = len(one.request.prompt_ids)
        self.num_prompt_tokens += num_prompt
        if one.max_tokens == 0:
            self._leave(one)
            return {one.number: Step((), finish_reason="length", num_computed=num_prompt)}
        return self._choose([one], logits[None], num_prompt)

    def _advance(self) -> dict[int, Step]:
        """One more token for all that run."""
        slots = [one.slot for one in self.running if one.slot is not None]
        last = [one.draws.generated[-1] for one in self.running]
        wants_routing = any(one.request.want_routing for one in self.running)
        chosen: list[Tensor] | None = [] if wants_routing else None
        logits = self.runner.decode(slots, last, chosen)
        if chosen:
            for one, row in zip(self.running, chosen[0], strict=True):
                one.routing = [row[None]] if one.request.want_routing else []
        return self._choose(list(self.running), logits, 1)

    def _choose(self, members: list[Running], logits: Tensor, num_computed: int) -> dict[int, Step]:
        """Sample, count, and let those leave who are done."""
        wants = [one.request.want_logprobs for one in members]
        kept = logits.clone() if any(want is not None for want in wants) else logits
        tokens = sample(logits, [one.draws for one in members])
        steps: dict[int, Step] = {}
        for row, (one, token) in enumerate(zip(members, tokens, strict=True)):
            token = self._mind_thinking(one, token)
            one.draws.add(token)
            self.num_generated += 1
            want = wants[row]
            said = () if want is None else (logprobs_of(kept[row], token, want),)
            reason = self._reason(one, token)
            routing = torch.cat(one.routing) if one.routing else None  # a chunk each
            one.routing = []
            if reason is not None:
                self.num_finished += 1
                self._leave(one)
            steps[one.number] = Step(
                (token,), said, reason, num_computed=num_computed, routing=routing
            )
        return steps

    def _mind_thinking(self, one: Running, token: int) -> int:
        """Force the closing marker when the budget is spent or somebody said stop."""
        budget = one.request.thinking_budget
        if one.is_thinking:
            spent = budget is not None and one.num_thought >= budget
            if spent or one.must_stop_thinking:
                token = END_THINK
            one.num_thought += 1
        if token == THINK:
            one.is_thinking = True
        elif token == END_THINK:
            one.is_thinking = one.must_stop_thinking = False
        return token

    def _reason(self, one: Running, token: int) -> FinishReason | None:
        if token in one.request.stop_ids:
            return "stop"
        return "length" if len(one.draws.generated) >= one.max_tokens else None

    def _expire(self) -> dict[int, Step]:
        """End those whose time is up."""
        now = time.monotonic()
        late = [o for o in self._everybody() if o.deadline is not None and now > o.deadline]
        for one in late:
            self.num_finished += 1
            self._leave(one)
        return {one.number: Step((), finish_reason="deadline") for one in late}

    def _everybody(self) -> Iterable[Running]:
        return (*self.waiting, *self.running)

    def _leave(self, one: Running) -> None:
        if one in self.waiting:
            self.waiting.remove(one)
        else:
            self.running.remove(one)
        if one.slot is not None:
            self.runner.slots.clear(one.slot)
            self.free_slots.append(one.slot)
            one.slot = None


def run_all(core: Core, requests: Iterable[Request]) -> list[list[int]]:
    """Generate for many requests and wait for all: evaluation, and a look during training."""
    numbers = [core.add(request) for request in requests]
    ids: dict[int, list[int]] = {number: [] for number in numbers}
    while not core.is_idle:
        for number, step in core.step().items():
            ids[number] += step.ids
    return [ids[number] for number in numbers]
