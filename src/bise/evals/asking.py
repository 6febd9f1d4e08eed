"""Puts the questions of an evaluation to a network, many at once.

Without thinking the likeliest token is taken; with thinking, tokens are drawn at the temperature
people use, from a seed of the question's own, so a reply does not depend on what shares a batch.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from bise.engine import Core, EngineConfig, Request, Sampling, make_runner
from bise.engine.requests import FinishReason
from bise.evals.runner import Replied
from bise.evals.task import Example, asked, calls_text
from bise.model.network import Network
from bise.model.packed import PackedNetwork
from bise.text import ChatFormat, Message, ToolCall, decode_reply

THINKING_TEMPERATURE = 0.7
MAX_TOKENS = 1024
"""Of one reply; far more than any task's worked solution."""


class Asker:
    """Call it with examples and efforts: an `Ask` for `evaluate`."""

    def __init__(
        self,
        network: Network | PackedNetwork,
        chat: ChatFormat,
        *,
        seed: int = 0,
        max_tokens: int = MAX_TOKENS,
        max_running: int = 64,
        thinking_temperature: float = THINKING_TEMPERATURE,
        dtype: torch.dtype | None = None,
        config: EngineConfig | None = None,
        progress: Callable[[], None] | None = None,
    ):
        """progress: called once for every reply that is complete; dtype: what to compute in, None
        is what suits the network; config: of the engine, whose `max_running` gives way to ours."""
        self.chat = chat
        self.seed = seed
        self.max_tokens = max_tokens
        self.max_running = max_running
        self.thinking_temperature = thinking_temperature
        self.progress = progress
        config = replace(config or EngineConfig(), max_running=max_running)
        self.core = Core(make_runner(network, config, dtype=dtype), max_running)

    def __call__(self, asked: Sequence[tuple[Example, str]]) -> list[Replied]:
        """The replies, in the order of the questions."""
        left = deque(enumerate(asked))
        places: dict[int, int] = {}
        ids: list[list[int]] = [[] for _ in asked]
        reasons: list[FinishReason | None] = [None for _ in asked]
        while left or not self.core.is_idle:
            while left and self.core.num_waiting < self.max_running:  # pictures take memory
                place, (example, effort) = left.popleft()
                places[self.core.add(self.request(example, effort))] = place
            for number, step in self.core.step().items():
                place = places[number]
                ids[place] += step.ids
                if step.finish_reason is not None:
                    reasons[place] = step.finish_reason
                    if self.progress is not None:
                        self.progress()
        return [
            self.replied(effort, written, reason or "length")
            for (_, effort), written, reason in zip(asked, ids, reasons, strict=True)
        ]

    def request(self, example: Example, effort: str) -> Request:
        """One question for the engine."""
        messages = conversation(example, effort)
        prompt = self.chat.encode(messages, tools=example.tools, effort=effort)
        temperature = 0.0 if effort == "none" else self.thinking_temperature
        return Request(
            prompt_ids=prompt.ids,
            images=[torch.as_tensor(image.pixels) for image in prompt.images],
            sampling=Sampling(temperature=temperature, seed=seed_of(example, self.seed)),
            max_tokens=self.max_tokens,
            stop_ids=frozenset({self.chat.special.eos}),
        )

    def replied(self, effort: str, ids: Sequence[int], reason: FinishReason) -> Replied:
        """What the ids say, and whether they were in order."""
        reply = decode_reply(self.chat.tekken, ids)
        has_thought = bool(reply.thinking)
        return Replied(
            answer=said(reply.text, reply.tool_calls),
            thinking=reply.thinking,
            is_well_formed=reply.is_well_formed
            and reply.is_ended
            and has_thought == (effort != "none"),
            num_tokens=len(ids),
            finish_reason=reason,
        )


def conversation(example: Example, effort: str) -> list[Message]:
    """What the model is shown of an example, up to its reply."""
    system = [Message.of("system", example.system)] if example.system else []
    return [*system, *asked(example, effort)]


def said(text: str, calls: Sequence[ToolCall]) -> str:
    """A reply as marking sees it: its text, then its calls."""
    return "\n".join(filter(None, (text, calls_text(calls))))


def seed_of(example: Example, seed: int) -> int:
    """A seed for one question, whatever stands beside it."""
    about = f"{seed}\n{example.task}\n{example.level}\n{example.question}\n{example.answer}"
    return int.from_bytes(hashlib.sha256(about.encode()).digest()[:6], "big")
