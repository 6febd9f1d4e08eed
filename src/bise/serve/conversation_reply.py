"""Answers of `POST /v1/conversations`, whole or as events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from bise.serve.blocks import Block, Event
from bise.serve.chat_mistral import text_json, thinking_json
from bise.serve.chat_reply import joined, whole_calls
from bise.serve.talk import Talk
from bise.text import Delta


@dataclass(kw_only=True, slots=True)
class ConversationForm:
    """What all pieces of one answer share."""

    model: str
    id: str = field(default_factory=lambda: f"conv_{uuid4().hex}")
    message_id: str = field(default_factory=lambda: f"msg_{uuid4().hex}")
    entries: list[str] = field(default_factory=list[str])
    """Ids of what a stream has told of, in order: the message, and each call."""

    thinking: Block | None = None
    """What of it is not closed yet."""

    def whole(self, talk: Talk, deltas: Sequence[Delta]) -> dict[str, Any]:
        """The whole answer."""
        return {
            "object": "conversation.response",
            "conversation_id": self.id,
            "outputs": self.outputs(talk, deltas),
            "usage": usage_json(talk),
        }

    def outputs(self, talk: Talk, deltas: Sequence[Delta]) -> list[dict[str, Any]]:
        """What was said, and every call, as entries."""
        text, thinking = joined(deltas, "answer"), joined(deltas, "thinking")
        calls = whole_calls(deltas)
        content: str | list[dict[str, Any]] = text
        if thinking:
            content = [thinking_json(thinking, is_closed=not talk.is_thinking)]
            content += [text_json(text)] if text else []
        message = {**self.entry("message.output", self.message_id), "role": "assistant"}
        outputs = [{**message, "content": content}] if content or not calls else []
        for call in calls:
            called = {"tool_call_id": call.id, "name": call.name, "arguments": call.arguments}
            outputs.append({**self.entry("function.call", f"fc_{uuid4().hex}"), **called})
        return outputs

    def entry(self, kind: str, name: str) -> dict[str, Any]:
        """What every entry has."""
        time = now()
        times = {"created_at": time, "completed_at": time}
        return {"object": "entry", "type": kind, "id": name, **times, "model": self.model}

    def begin(self, talk: Talk) -> list[dict[str, Any]]:  # noqa: ARG002
        """How a stream begins."""
        return [event_json("conversation.response.started", conversation_id=self.id)]

    def tell(self, event: Event) -> list[dict[str, Any]]:
        """What happened to a block: pieces of the message as they come, calls when complete."""
        block = event.block
        if event.kind == "begin":
            closed = self.close_thinking()
            self.thinking = block if block.kind == "thinking" else None
            return closed
        if block.kind == "call":
            is_whole = event.kind == "end" and block.call is not None
            return [self.call(block)] if is_whole else []
        if event.kind == "piece":
            is_text = block.kind == "answer"
            return [self.piece(block, event.text if is_text else thinking_json(event.text))]
        return []

    def close_thinking(self) -> list[dict[str, Any]]:
        """The end of thinking, if any is open."""
        return (
            [self.piece(self.thinking, thinking_json("", is_closed=True))] if self.thinking else []
        )

    def end(self, talk: Talk, blocks: Sequence[Block]) -> list[dict[str, Any]]:  # noqa: ARG002
        """How it ends; a reply without a word has an empty message, as a whole one does."""
        told = [] if talk.is_thinking else self.close_thinking()
        if not self.entries:
            told.append(self.piece(Block("answer", 0), ""))
        return [*told, event_json("conversation.response.done", usage=usage_json(talk))]

    def failure(self, error: dict[str, Any]) -> dict[str, Any]:
        """How a stream breaks off, from the body of an error."""
        code = error["raw_status_code"]
        return event_json("conversation.response.error", message=error["message"], code=code)

    def piece(self, block: Block, content: str | dict[str, Any]) -> dict[str, Any]:
        """The next piece of the message."""
        return event_json(
            "message.output.delta",
            id=self.message_id,
            output_index=self.place(self.message_id),
            content_index=block.index,
            model=self.model,
            role="assistant",
            content=content,
        )

    def call(self, block: Block) -> dict[str, Any]:
        """A whole call: clients take each piece of one for a call of its own."""
        name = f"fc_{uuid4().hex}"
        return event_json(
            "function.call.delta",
            id=name,
            output_index=self.place(name),
            model=self.model,
            tool_call_id=block.call_id,
            name=block.name,
            arguments=block.text,
        )

    def place(self, name: str) -> int:
        """Where an entry stands among all of them."""
        if name not in self.entries:
            self.entries.append(name)
        return self.entries.index(name)


def event_json(kind: str, **fields: Any) -> dict[str, Any]:
    """Something told in a stream."""
    return {"type": kind, "created_at": now(), **fields}


def now() -> str:
    return datetime.now(UTC).isoformat()


def usage_json(talk: Talk) -> dict[str, Any]:
    """Tokens of an answer."""
    usage = talk.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
