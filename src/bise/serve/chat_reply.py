"""Answers of `POST /v1/chat/completions` in OpenAI's dialect, whole or in chunks."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from bise.serve.events import compact
from bise.serve.likelihoods import logprobs_json, prompt_json
from bise.serve.talk import Talk, Usage
from bise.text import Delta, Tekken, ToolCall, ToolCallDelta

THINKING = ("reasoning_content", "reasoning")
"""What thinking is called: some clients read one name, some the other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatForm:
    """What all pieces of one answer share."""

    model: str
    fingerprint: str
    tekken: Tekken
    shows_reasoning: bool = True
    thinking_fields: Sequence[str] = THINKING
    has_logprobs: bool = False
    has_prompt_logprobs: bool = False
    streams_calls: bool = False
    """Send calls in pieces, as they are written."""

    has_usage: bool = False
    """End a stream with its usage,"""

    counts_on: bool = False
    """and send the usage so far with every piece."""

    id: str = field(default_factory=lambda: f"chatcmpl-{uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }

    def whole(self, talks: Sequence[Talk], gathered: Sequence[list[Delta]]) -> dict[str, Any]:
        """The whole answer: one choice for each reply."""
        pairs = enumerate(zip(talks, gathered, strict=True))
        return {
            **self.head("chat.completion"),
            "choices": [self.choice(index, talk, deltas) for index, (talk, deltas) in pairs],
            "usage": usage_json([talk.usage for talk in talks]),
            **(self.prompt_logprobs(talks[0]) if self.has_prompt_logprobs else {}),
        }

    def choice(self, index: int, talk: Talk, deltas: Sequence[Delta]) -> dict[str, Any]:
        """One whole reply."""
        return {
            "index": index,
            "message": self.message(talk, deltas),
            "finish_reason": talk.finish_reason,
            "stop_reason": talk.stop_reason,
            "logprobs": self.logprobs(talk),
        }

    def prompt_logprobs(self, talk: Talk) -> dict[str, Any]:
        """The likelihoods of the prompt, as a field of the whole answer."""
        return {"prompt_logprobs": prompt_json(self.tekken, talk.rated_prompt)}

    def message(self, talk: Talk, deltas: Sequence[Delta]) -> dict[str, Any]:  # noqa: ARG002
        """One reply as a message."""
        text, thinking = joined(deltas, "answer"), joined(deltas, "thinking")
        calls = [call_json(call) for call in whole_calls(deltas)]
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if calls:
            message |= {"content": text or None, "tool_calls": calls}
        if thinking and self.shows_reasoning:
            message |= dict.fromkeys(self.thinking_fields, thinking)
        return message

    def first_chunks(self, index: int, talk: Talk) -> list[dict[str, Any]]:
        """How a reply begins."""
        return [self.chunk(index, talk, {"role": "assistant", "content": ""})]

    def step_chunks(self, index: int, talk: Talk, deltas: Sequence[Delta]) -> list[dict[str, Any]]:
        """What one step of the engine added to one reply; nothing, if there is none to show."""
        return [
            self.chunk(index, talk, delta, logprobs=self.logprobs(talk))
            for delta in self.step_deltas(index, deltas)
        ]

    def step_deltas(self, index: int, deltas: Sequence[Delta]) -> list[dict[str, Any]]:  # noqa: ARG002
        """The same as it is to be merged into a message."""
        delta: dict[str, Any] = {}
        text, thinking = joined(deltas, "answer"), joined(deltas, "thinking")
        if thinking and self.shows_reasoning:
            delta |= dict.fromkeys(self.thinking_fields, thinking)
        if text:
            delta["content"] = text
        calls = self.call_pieces(deltas)
        if calls:
            delta["tool_calls"] = calls
        return [delta] if delta else []

    def call_pieces(self, deltas: Sequence[Delta]) -> list[dict[str, Any]]:
        """Calls, whole as they are completed, or in pieces as they are written."""
        if not self.streams_calls:
            return [
                {"index": delta.tool_call.index, **call_json(delta.tool_call.call)}
                for delta in deltas
                if delta.tool_call and delta.tool_call.call
            ]
        pieces = [delta.tool_call for delta in deltas if delta.tool_call]
        return [piece_json(piece) for piece in pieces if piece.name or piece.arguments]

    def last_chunks(self, index: int, talks: Sequence[Talk]) -> list[dict[str, Any]]:
        """How a reply ends."""
        return [self.last_chunk(index, talks[index], {})]

    def last_chunk(self, index: int, talk: Talk, delta: dict[str, Any]) -> dict[str, Any]:
        return self.chunk(
            index,
            talk,
            delta,
            logprobs=self.logprobs(talk),
            finish_reason=talk.finish_reason,
            stop_reason=talk.stop_reason,
        )

    def end_chunks(self, talks: Sequence[Talk]) -> list[dict[str, Any]]:
        """What follows when all replies have ended."""
        if not self.has_usage:
            return []
        usage = usage_json([talk.usage for talk in talks])
        return [{**self.head("chat.completion.chunk"), "choices": [], "usage": usage}]

    def chunk(self, index: int, talk: Talk, delta: dict[str, Any], **more: Any) -> dict[str, Any]:
        choice = {"index": index, "delta": delta, "finish_reason": None, "logprobs": None, **more}
        usage = {"usage": usage_json([talk.usage])} if self.counts_on else {}
        return {**self.head("chat.completion.chunk"), "choices": [choice], **usage}

    def logprobs(self, talk: Talk) -> dict[str, Any] | None:
        """The likelihoods gathered since this was last asked; None if nobody wanted any."""
        if not self.has_logprobs:
            return None
        rated, talk.logprobs = talk.logprobs, []
        return {"content": logprobs_json(self.tekken, rated)}


def joined(deltas: Sequence[Delta], kind: str) -> str:
    return "".join(delta.text for delta in deltas if delta.kind == kind)


def whole_calls(deltas: Sequence[Delta]) -> list[ToolCall]:
    """The calls that were completed."""
    return [delta.tool_call.call for delta in deltas if delta.tool_call and delta.tool_call.call]


def call_json(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def piece_json(piece: ToolCallDelta) -> dict[str, Any]:
    """A piece of a call: the first has id and name, later ones an empty name and no id."""
    function = {"name": piece.name, "arguments": piece.arguments}
    head = {"id": piece.id, "type": "function"} if piece.name else {}
    return {"index": piece.index, **head, "function": function}


def usage_json(usages: Sequence[Usage]) -> dict[str, Any]:
    """Tokens of an answer: its prompt counts once, its replies each."""
    first = usages[0]
    written = sum(usage.completion_tokens for usage in usages)
    return {
        "prompt_tokens": first.prompt_tokens,
        "completion_tokens": written,
        "total_tokens": first.prompt_tokens + written,
        "prompt_tokens_details": {
            "cached_tokens": first.cached_tokens,
            "image_tokens": first.image_tokens,
        },
        "num_cached_tokens": first.cached_tokens,
        "completion_tokens_details": {
            "reasoning_tokens": sum(usage.reasoning_tokens for usage in usages),
            "accepted_prediction_tokens": sum(usage.foretold_tokens[0] for usage in usages),
            "rejected_prediction_tokens": sum(usage.foretold_tokens[1] for usage in usages),
        },
    }


def event(value: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return f"data: {compact(value)}\n\n".encode()


DONE = b"data: [DONE]\n\n"
