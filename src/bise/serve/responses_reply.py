"""Answers of `POST /v1/responses`, whole or as events."""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from bise.serve.blocks import Block, Event, blocks_of
from bise.serve.likelihoods import logprobs_json
from bise.serve.responses_body import ResponsesBody
from bise.serve.seal import Seal
from bise.serve.talk import Talk
from bise.text import Delta

DELTAS = {
    "thinking": "response.reasoning_text",
    "answer": "response.output_text",
    "call": "response.function_call_arguments",
}
"""What the pieces of a block are called; their end has the same name."""

ID_MARKS = {"thinking": "rs", "answer": "msg", "call": "fc"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ResponsesForm:
    """What all pieces of one answer share."""

    body: ResponsesBody
    model: str
    seal: Seal
    namespaces: Mapping[str, tuple[str, str]]
    """Tools the model knows by a longer name, and what the client calls them."""

    id: str = field(default_factory=lambda: f"resp_{uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))
    numbers: Iterator[int] = field(default_factory=itertools.count)
    """Of the events."""

    talks: list[Talk] = field(default_factory=list[Talk])
    """The reply, once it has begun."""

    rated: dict[int, list[dict[str, Any]]] = field(default_factory=dict[int, list[dict[str, Any]]])
    """Likelihoods of the tokens of each block of text that were told."""

    def whole(self, talk: Talk, deltas: Sequence[Delta]) -> dict[str, Any]:
        """The whole answer."""
        self.talks.append(talk)
        blocks = blocks_of(talk, deltas)
        for block in blocks:
            self.rate(block)
        return self.response(talk, blocks)

    def begin(self, talk: Talk) -> list[dict[str, Any]]:
        """How a stream begins."""
        self.talks.append(talk)
        response = self.frame("in_progress")
        return [
            self.event("response.created", response=response),
            self.event("response.in_progress", response=response),
        ]

    def tell(self, event: Event) -> list[dict[str, Any]]:
        """What happened to a block."""
        block = event.block
        at = {"item_id": self.item_id(block), "output_index": block.index}
        place = at if block.kind == "call" else {**at, "content_index": 0}
        if event.kind == "begin":
            return self.tell_begin(block, place)
        rated = self.rate(block)
        if event.kind == "piece":
            kind = f"{DELTAS[block.kind]}.delta"
            logprobs = {"logprobs": rated} if block.kind == "answer" else {}
            return [self.event(kind, **place, delta=event.text, **logprobs)]
        if block.kind == "call" and block.call is None:
            return []  # it was cut off: whoever acts on ends must not act on this
        return self.tell_end(block, place)

    def rate(self, block: Block) -> list[dict[str, Any]]:
        """Likelihoods of its tokens that came since this was last asked, if they are wanted."""
        if block.kind != "answer" or not self.talks:
            return []
        kept = self.rated.setdefault(block.index, [])
        place = list(self.rated).index(block.index)
        talk = self.talks[0]
        if place >= len(talk.answer_logprobs):
            return []
        new, talk.answer_logprobs[place] = talk.answer_logprobs[place], []
        told = logprobs_json(talk.tekken, new)
        kept += told
        return told

    def tell_begin(self, block: Block, place: dict[str, Any]) -> list[dict[str, Any]]:
        """A new item, and the part of it that will be written."""
        item = self.item(block, is_begun=True)
        told = [self.event("response.output_item.added", output_index=block.index, item=item)]
        if block.kind != "call":
            part = self.part(block, "")
            told.append(self.event("response.content_part.added", **place, part=part))
        return told

    def tell_end(self, block: Block, place: dict[str, Any]) -> list[dict[str, Any]]:
        """An item to which nothing will be added."""
        kind = f"{DELTAS[block.kind]}.done"
        if block.kind == "call":
            names = self.names(block)
            told = [self.event(kind, **place, arguments=block.text, name=names["name"])]
        else:
            part = self.part(block, block.text)
            rated = {"logprobs": part["logprobs"]} if block.kind == "answer" else {}
            told = [self.event(kind, **place, text=block.text, **rated)]
            told.append(self.event("response.content_part.done", **place, part=part))
        item = self.item(block)
        done = self.event("response.output_item.done", output_index=block.index, item=item)
        return [*told, done]

    def end(self, talk: Talk, blocks: Sequence[Block]) -> list[dict[str, Any]]:
        """How it ends."""
        complete = [block for block in blocks if block.kind != "call" or block.call is not None]
        response = self.response(talk, complete)
        return [self.event(f"response.{response['status']}", response=response)]

    def failure(self, error: dict[str, Any]) -> list[dict[str, Any]]:
        """How a stream breaks off, from the body of an error."""
        told = {name: error["error"][name] for name in ("message", "code", "param")}
        response = self.frame("failed")
        response["error"] = {"code": "server_error", "message": told["message"]}
        return [self.event("error", **told), self.event("response.failed", response=response)]

    def response(self, talk: Talk, blocks: Sequence[Block]) -> dict[str, Any]:
        """The answer when all is written."""
        is_cut = talk.finish_reason == "length"
        response = self.frame("incomplete" if is_cut else "completed")
        response["output"] = [self.item(block) for block in blocks]
        response["usage"] = usage_json(talk)
        if is_cut:
            response["incomplete_details"] = {"reason": "max_output_tokens"}
        else:
            response["completed_at"] = int(time.time())
        return response

    def frame(self, status: str) -> dict[str, Any]:
        """An answer without its items; what was asked is told again."""
        body = self.body
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "completed_at": None,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": self.model,
            "output": [],
            "usage": None,
            "instructions": body.instructions,
            "max_output_tokens": body.max_output_tokens,
            "metadata": body.metadata or {},
            "parallel_tool_calls": body.parallel_tool_calls is not False,
            "previous_response_id": None,
            "reasoning": body.reasoning,
            "store": False,
            "temperature": body.temperature,
            "text": body.text or {"format": {"type": "text"}},
            "tool_choice": body.tool_choice or "auto",
            "tools": body.tools or [],
            "top_logprobs": body.top_logprobs or 0,
            "top_p": body.top_p,
            "truncation": body.truncation or "disabled",
            "user": body.user,
        }

    def item(self, block: Block, *, is_begun: bool = False) -> dict[str, Any]:
        """A block as an item of the output; if it has just begun, without its text."""
        text = "" if is_begun else block.text
        ended = "incomplete" if block.is_cut else "completed"
        head = {"id": self.item_id(block), "status": "in_progress" if is_begun else ended}
        if block.kind == "call":
            call = {"call_id": block.call_id, **self.names(block), "arguments": text}
            return {"type": "function_call", **head, **call}
        content = [] if is_begun else [self.part(block, text)]
        if block.kind == "answer":
            return {"type": "message", **head, "role": "assistant", "content": content}
        sealed = {}
        if self.body.wants_sealed:
            sealed = {"encrypted_content": None if is_begun else self.seal.close(text)}
        return {"type": "reasoning", **head, "summary": [], "content": content, **sealed}

    def part(self, block: Block, text: str) -> dict[str, Any]:
        """The only part of an item."""
        if block.kind == "thinking":
            return {"type": "reasoning_text", "text": text}
        rated = self.rated.get(block.index, []) if text else []
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": rated}

    def names(self, block: Block) -> dict[str, Any]:
        """The name of a call's tool, and its namespace if it has one."""
        if block.name not in self.namespaces:
            return {"name": block.name}
        namespace, name = self.namespaces[block.name]
        return {"name": name, "namespace": namespace}

    def item_id(self, block: Block) -> str:
        return f"{ID_MARKS[block.kind]}_{self.id.removeprefix('resp_')}{block.index:02}"

    def event(self, kind: str, **fields: Any) -> dict[str, Any]:
        return {"type": kind, "sequence_number": next(self.numbers), **fields}


def usage_json(talk: Talk) -> dict[str, Any]:
    """Tokens of an answer."""
    usage = talk.usage
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
