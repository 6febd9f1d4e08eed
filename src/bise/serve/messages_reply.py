"""Answers of `POST /v1/messages`, whole or as events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from bise.errors import BadRequest
from bise.serve.blocks import Block, Event, blocks_of
from bise.serve.json_body import parse
from bise.serve.limits import Limits
from bise.serve.seal import Seal
from bise.serve.talk import FinishReason, Talk
from bise.text import Delta

PING = {"type": "ping"}

STOP_REASONS: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class MessagesForm:
    """What all pieces of one answer share."""

    model: str
    seal: Seal
    id: str = field(default_factory=lambda: f"msg_{uuid4().hex}")

    def whole(self, talk: Talk, deltas: Sequence[Delta]) -> dict[str, Any]:
        """The whole answer."""
        content = [self.block_json(block) for block in blocks_of(talk, deltas)]
        return {**self.message(talk, content), **stop_json(talk)}

    def begin(self, talk: Talk) -> list[dict[str, Any]]:
        """How a stream begins."""
        message = self.message(talk, [])
        message["usage"]["output_tokens"] = 0
        return [{"type": "message_start", "message": message}, PING]

    def tell(self, event: Event) -> list[dict[str, Any]]:
        """What happened to a block."""
        block = event.block
        if event.kind == "begin":
            start = {"type": "content_block_start", "index": block.index}
            return [{**start, "content_block": empty_json(block)}]
        if event.kind == "piece":
            return [delta_json(block, event.text)]
        stop = {"type": "content_block_stop", "index": block.index}
        if block.kind != "thinking":
            return [stop]
        delta = {"type": "signature_delta", "signature": self.seal.sign(block.text)}
        return [{"type": "content_block_delta", "index": block.index, "delta": delta}, stop]

    def end(self, talk: Talk, blocks: Sequence[Block]) -> list[dict[str, Any]]:  # noqa: ARG002
        """How it ends."""
        delta = {"type": "message_delta", "delta": stop_json(talk), "usage": usage_json(talk)}
        return [delta, {"type": "message_stop"}]

    def message(self, talk: Talk, content: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_json(talk),
        }

    def block_json(self, block: Block) -> dict[str, Any]:
        """A block that is complete."""
        empty = empty_json(block)
        if block.kind == "thinking":
            return {**empty, "thinking": block.text, "signature": self.seal.sign(block.text)}
        return {**empty, **({"text": block.text} if block.kind == "answer" else input_json(block))}


def empty_json(block: Block) -> dict[str, Any]:
    """A block of which nothing is written yet."""
    if block.kind == "thinking":
        return {"type": "thinking", "thinking": "", "signature": ""}
    if block.kind == "answer":
        return {"type": "text", "text": ""}
    return {"type": "tool_use", "id": f"toolu_{block.call_id}", "name": block.name, "input": {}}


def input_json(block: Block) -> dict[str, Any]:
    """What a tool is called with; what is no object, or could not be sent, is put into one."""
    try:
        value = parse(block.text.encode(), Limits())
    except BadRequest:
        value = None
    return {"input": value if isinstance(value, dict) else {"_raw": block.text}}


def delta_json(block: Block, text: str) -> dict[str, Any]:
    """The next piece of a block."""
    kind, name = {
        "thinking": ("thinking_delta", "thinking"),
        "answer": ("text_delta", "text"),
        "call": ("input_json_delta", "partial_json"),
    }[block.kind]
    delta = {"type": kind, name: text}
    return {"type": "content_block_delta", "index": block.index, "delta": delta}


def stop_json(talk: Talk) -> dict[str, Any]:
    """Why the reply has ended."""
    assert talk.finish_reason is not None, "it has ended"
    if isinstance(talk.stop_reason, str):
        return {"stop_reason": "stop_sequence", "stop_sequence": talk.stop_reason}
    return {"stop_reason": STOP_REASONS[talk.finish_reason], "stop_sequence": None}


def usage_json(talk: Talk) -> dict[str, Any]:
    """Tokens; what the cache had is not counted as input here."""
    usage = talk.usage
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation_input_tokens": 0,
    }
