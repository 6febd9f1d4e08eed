"""From messages to an engine request, and from its steps back to pieces of a reply.

Every door (the Python face, the command line, each HTTP API) translates into one `Ask` and reads
one `Talk`. Nothing here knows JSON or a terminal.
"""

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, field, replace
from itertools import takewhile
from types import TracebackType
from typing import Literal, Self
from uuid import uuid4

import torch

from bise.engine import (
    Bounds,
    Engine,
    Grammar,
    Request,
    Sampling,
    Step,
    SupervisedEngine,
    TokenLogprobs,
)
from bise.errors import UserError
from bise.model import ModelConfig
from bise.serve.plain import PlainDecoder
from bise.serve.stops import StopFinder
from bise.text import (
    Calls,
    ChatFormat,
    Delta,
    Form,
    Message,
    Prompt,
    ReplyDecoder,
    Tool,
    reply_rules,
    resolve_effort,
)

FinishReason = Literal["stop", "length", "tool_calls"]


class DeadlinePassed(UserError):
    """The time a request was given ran out before its first token (504)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One question in our own words."""

    messages: Sequence[Message] = ()
    is_chat: bool = True
    """If not, ids go in and text comes out as they are: no format, no thinking told apart."""

    tools: Sequence[Tool] = ()
    calls: Calls = field(default_factory=Calls)
    """Which tools may be called; if none, they stay in the prompt and calls are barred."""

    form: Form | None = None
    """What the answer has to be."""

    effort: str = "none"
    """One of the model's own words."""

    sampling: Sampling = field(default_factory=Sampling)
    max_tokens: int | None = None
    """None, and anything above what there is room for: to the end of the context."""

    stop: tuple[str, ...] = ()
    """Strings that end the answer; they are not looked for in thinking or calls."""

    keeps_stop: bool = False
    """Leave the stop string at the end of the answer."""

    stop_ids: frozenset[int] = frozenset()
    """Ids that end the reply besides the model's own."""

    ignores_end: bool = False
    """Go on when the model would end its turn."""

    thinking_budget: int | None = None
    priority: int = 0
    cache_salt: str = ""
    deadline_s: float | None = None
    queue_s: float | None = None
    """Seconds it may wait for its turn."""

    prediction: tuple[int, ...] = ()
    """Ids of what the answer may turn out to be."""

    want_logprobs: int | None = None
    want_prompt_logprobs: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply."""

    prompt_tokens: int
    completion_tokens: int
    """Everything the model wrote, markers included."""

    reasoning_tokens: int
    """Those of them that were thinking, with the markers around it."""

    image_tokens: int
    """Tokens of the prompt that stand for pictures."""

    cached_tokens: int = 0
    """Tokens of the prompt that were computed for an earlier request."""

    foretold_tokens: tuple[int, int] = (0, 0)
    """Tokens of the prediction that were written, and that were tried in vain."""


@dataclass(frozen=True, slots=True)
class PreparedAsk:
    """A question encoded and checked, ready for the engine."""

    ask: Ask
    prompt: Prompt
    request: Request


class Watch:
    """Is told how a reply goes on. This one does not care; the server's takes times."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The reply has ended, or was left, or broke off with an error."""

    def saw(self, step: Step, finish_reason: FinishReason | None) -> None:
        """The engine has added something; with a reason, that was all."""


class Talker:
    """An engine that understands messages."""

    def __init__(
        self,
        engine: Engine | SupervisedEngine,
        chat: ChatFormat,
        *,
        config: ModelConfig,
        bounds: Bounds,
    ):
        """config: the shape of the network behind the engine; bounds: what that takes."""
        self.engine = engine
        self.chat = chat
        self.config = config
        self.bounds = bounds

    def encode(self, ask: Ask) -> Prompt:
        """A conversation as the model reads it. Slow for large pictures."""
        return self.chat.encode(ask.messages, tools=ask.tools, effort=ask.effort)

    def prepare(self, ask: Ask, prompt: Prompt | None = None) -> PreparedAsk:
        """Refuse what cannot be served; without a prompt, encode the question's messages."""
        prompt = self.encode(ask) if prompt is None else prompt
        sampling, special = ask.sampling, self.chat.special
        if ask.is_chat and not (ask.tools and ask.calls.mode != "none"):
            bias = {**sampling.logit_bias, special.calls: float("-inf")}
            sampling = replace(sampling, logit_bias=bias)
        request = Request(
            prompt_ids=prompt.ids,
            images=[torch.as_tensor(image.pixels) for image in prompt.images],
            sampling=sampling,
            max_tokens=ask.max_tokens,
            stop_ids=ask.stop_ids | {special.eos},
            barred_ids=frozenset({special.eos} if ask.ignores_end else ()),
            priority=ask.priority,
            cache_salt=ask.cache_salt,
            deadline_s=ask.deadline_s,
            queue_s=ask.queue_s,
            thinking_budget=ask.thinking_budget,
            in_thinking=prompt.in_thinking,
            grammar=self.grammar(ask, prompt),
            prediction_ids=ask.prediction,
            want_logprobs=ask.want_logprobs,
            want_prompt_logprobs=ask.want_prompt_logprobs,
        )
        room = self.bounds.check(request)
        limit = room if request.max_tokens is None else min(room, request.max_tokens)
        return PreparedAsk(ask, prompt, replace(request, max_tokens=limit))

    def limit(self, max_positions: int) -> None:
        """Take no longer conversations than this, whatever the engine could."""
        if max_positions > self.bounds.max_positions:
            raise UserError(
                f"`max_model_len` is {max_positions:,}, but the longest conversation this model "
                f"has room for is {self.bounds.max_positions:,} tokens",
            )
        self.bounds = replace(self.bounds, max_positions=max_positions)

    def think_by_default(self, effort: str) -> None:
        """How much to think where nobody says, whatever the tokenizer's file has."""
        tekken = self.chat.tekken
        tekken.default_effort = resolve_effort(effort, tekken.efforts)

    def grammar(self, ask: Ask, prompt: Prompt) -> Grammar | None:
        """What the reply is held to, if to anything; an answer begun in the prompt goes on."""
        if not ask.is_chat:
            return None if ask.form is None else Grammar(rules=ask.form.grammar)
        rules = reply_rules(self.chat.special, ask.form, ask.calls)
        if rules is None:
            return None
        is_text = (not self.chat.tekken.is_control(token) for token in reversed(prompt.ids))
        begun = prompt.ids[len(prompt.ids) - sum(takewhile(bool, is_text)) :]
        is_forced = ask.form is not None or ask.calls.mode == "required"
        has_thought = bool(begun) or prompt.ids[-1] == self.chat.special.end_think
        may_think = not has_thought and (ask.effort != "none" or not is_forced)
        if prompt.in_thinking or ask.calls.mode == "required":
            begun = []
        return Grammar(rules=rules, may_think=may_think, begun=tuple(begun))

    def begin(
        self,
        prepared: PreparedAsk,
        *,
        number: int = 0,
        watch: Watch | None = None,
    ) -> "Talk":
        """One reply; `number` counts several to the same question, each with its own seed."""
        request = prepared.request
        seed = request.sampling.seed
        if number and seed is not None:
            request = replace(request, sampling=replace(request.sampling, seed=seed + number))
        return Talk(self, prepared, request, watch or Watch())

    def close(self) -> None:
        self.engine.close()


class Talk:
    """One reply under way: iterate, plainly or with `async for`, to get its pieces.

    Each round gives what one step of the engine added. Leaving early cancels the request.
    """

    def __init__(
        self,
        talker: Talker,
        prepared: PreparedAsk,
        request: Request,
        watch: Watch,
    ):
        self.talker = talker
        """Held for as long as the reply: an engine ends when nobody holds its talker."""

        self.tekken = talker.chat.tekken
        self.prepared = prepared
        self.name = uuid4().hex
        """What the engine knows it by: never a client's word, for two clients may choose one."""

        self.stream = talker.engine.generate(request, self.name)
        self.watch = watch
        self.decoder: ReplyDecoder | PlainDecoder = PlainDecoder(self.tekken)
        if prepared.ask.is_chat:
            self.decoder = ReplyDecoder(self.tekken, in_thinking=prepared.prompt.in_thinking)
        self.stops = StopFinder(prepared.ask.stop, keeps_match=prepared.ask.keeps_stop)
        self.finish_reason: FinishReason | None = None
        self.stop_reason: str | int | None = None
        """The stop string or extra id that ended the reply."""

        self.logprobs: list[tuple[int, TokenLogprobs]] = []
        """Ids and how likely they were, if asked for; whoever reads them may empty the list."""

        self.answer_logprobs: list[list[tuple[int, TokenLogprobs]]] = []
        """Those of them that are of the answer's text; a new list after thinking or a call."""

        self._prompt_logprobs: list[TokenLogprobs] = []
        self._foretold = (0, 0)
        self._is_apart = True
        self._num_written = self._num_thought = self._num_cached = self._num_calls = 0

    def __iter__(self) -> Generator[list[Delta], None, None]:
        with self.watch, closing(self.stream.__iter__()) as steps:
            for step in steps:
                yield self._read(step)
                if self.finish_reason is not None:
                    return

    async def __aiter__(self) -> AsyncGenerator[list[Delta], None]:
        with self.watch:
            async with aclosing(self.stream.__aiter__()) as steps:
                async for step in steps:
                    yield self._read(step)
                    if self.finish_reason is not None:
                        return

    @property
    def rated_prompt(self) -> list[tuple[int, TokenLogprobs]]:
        """The prompt's ids from the second on, and how likely they are, if that was asked for."""
        ids = self.prepared.prompt.ids[1:]
        return list(zip(ids, self._prompt_logprobs, strict=False))  # as far as it has been read

    @property
    def usage(self) -> Usage:
        prompt = self.prepared.prompt
        return Usage(
            prompt_tokens=len(prompt.ids),
            completion_tokens=self._num_written,
            reasoning_tokens=self._num_thought,
            image_tokens=sum(image.num_tokens for image in prompt.images),
            cached_tokens=self._num_cached,
            foretold_tokens=self._foretold,
        )

    @property
    def is_thinking(self) -> bool:
        """Whether thinking is open; of a reply that has ended, whether it was cut inside it."""
        return self.decoder.state == "thinking" or self.decoder.is_cut_in_thinking

    def _read(self, step: Step) -> list[Delta]:
        """What one step of the engine adds to the reply."""
        if step.finish_reason == "deadline" and self._num_written == 0:
            raise DeadlinePassed("the time given to this request passed before its first token")
        ids, shown = list(step.ids), list[Delta]()
        if step.finish_reason == "stop" and ids[-1] in self.prepared.ask.stop_ids:
            self.stop_reason = ids.pop()
        for place, token in enumerate(ids):
            shown += self._until_stop(self._decode(token, step.logprobs[place : place + 1]))
            if self.stops.matched is not None:  # guesses that came true may have gone on behind it
                step = beginning(step, place + 1)
                break
        if step.finish_reason is not None:
            shown += self._until_stop(self.decoder.finish(), is_last=True)
            ended = "tool_calls" if self._num_calls else "stop"
            self.finish_reason = self.finish_reason or (
                ended if step.finish_reason == "stop" else "length"
            )
        self._count(step)
        self.watch.saw(step, self.finish_reason)
        return shown

    def _count(self, step: Step) -> None:
        """What a step brings besides text."""
        self._num_written += len(step.ids)
        self._num_cached = max(self._num_cached, step.num_cached)
        if step.foretold != (0, 0):
            (num_true, num_false), (more, less) = self._foretold, step.foretold
            self._foretold = num_true + more, num_false + less
        self._prompt_logprobs += step.prompt_logprobs
        self.logprobs += zip(step.ids, step.logprobs, strict=False)  # empty unless asked for

    def _decode(self, token: int, logprobs: Sequence[TokenLogprobs]) -> list[Delta]:
        """The pieces an id makes. logprobs: its own, if asked for"""
        before = self.decoder.state
        deltas = self.decoder.feed([token])
        self._is_apart |= any(delta.kind != "answer" for delta in deltas)
        after = self.decoder.state
        self._num_thought += before == "thinking" or after == "thinking"
        if logprobs and before == after == "answer" and not self.tekken.is_control(token):
            if self._is_apart:
                self.answer_logprobs.append([])
                self._is_apart = False
            self.answer_logprobs[-1].append((token, logprobs[0]))
        return deltas

    def _until_stop(self, deltas: Sequence[Delta], *, is_last: bool = False) -> list[Delta]:
        """Cut the answer at a stop string, and hold back what may begin one."""
        shown: list[Delta] = []

        def show(text: str) -> None:
            if text:
                shown.append(Delta("answer", text))

        for delta in deltas:
            if delta.kind != "answer":
                show(self.stops.flush())
                shown.append(delta)
                self._num_calls += delta.tool_call is not None and delta.tool_call.call is not None
                continue
            show(self.stops.feed(delta.text))
            if self.stops.matched is not None:
                self.finish_reason, self.stop_reason = "stop", self.stops.matched
                return shown
        if is_last:
            show(self.stops.flush())
        return shown


def beginning(step: Step, num_ids: int) -> Step:
    """The same step as if it had ended with its first ids: the others are no part of the reply."""
    num_true, num_false = step.foretold
    return replace(
        step,
        ids=step.ids[:num_ids],
        logprobs=step.logprobs[:num_ids],
        finish_reason=None,
        foretold=(min(num_true, num_ids), num_false),
    )
