"""Chat answers in Mistral's dialect: thinking is a part of the content."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bise.serve.chat_reply import ChatForm, call_json, joined, usage_json, whole_calls
from bise.serve.likelihoods import logprobs_json
from bise.serve.talk import Talk
from bise.text import Delta, TextPart, ThinkPart


@dataclass(frozen=True, kw_only=True, slots=True)
class MistralForm(ChatForm):
    """As OpenAI's, but for thinking, a prefix, where likelihoods of the prompt and the usage of a
    stream stand, and a few empty fields."""

    thinking: set[int] = field(default_factory=set[int])
    """Replies whose thinking has been shown and not been closed,"""

    ended: set[int] = field(default_factory=set[int])
    """and replies whose end has been told."""

    def choice(self, index: int, talk: Talk, deltas: Sequence[Delta]) -> dict[str, Any]:
        """One whole reply, with the prompt's likelihoods, which begin with its second token."""
        told = super(MistralForm, self).choice(index, talk, deltas)
        if self.has_prompt_logprobs:
            told["prompt_logprobs"] = {"content": logprobs_json(self.tekken, talk.rated_prompt)}
        return told

    def prompt_logprobs(self, talk: Talk) -> dict[str, Any]:  # noqa: ARG002
        """Nothing: they stand with each reply."""
        return {}

    def message(self, talk: Talk, deltas: Sequence[Delta]) -> dict[str, Any]:
        said = [*prefix_of(talk), *deltas]
        text, thinking = joined(said, "answer"), joined(said, "thinking")
        calls = [call_json(call) for call in whole_calls(said)]
        content: str | list[dict[str, Any]] = text
        if thinking and self.shows_reasoning:
            content = [thinking_json(thinking, is_closed=not talk.is_thinking)]
            content += [text_json(text)] if text else []
        return {
            "role": "assistant",
            "content": content,
            "tool_calls": calls or None,
            "prefix": False,
        }

    def first_chunks(self, index: int, talk: Talk) -> list[dict[str, Any]]:
        first = self.chunk(index, talk, {"role": "assistant", "content": ""})
        prefix = self.step_deltas(index, prefix_of(talk))
        return [first, *(self.chunk(index, talk, delta) for delta in prefix)]

    def step_deltas(self, index: int, deltas: Sequence[Delta]) -> list[dict[str, Any]]:
        """Thinking in parts; its end comes with the first text, or alone before a call."""
        thinking = joined(deltas, "thinking") if self.shows_reasoning else ""
        text, calls = joined(deltas, "answer"), self.call_pieces(deltas)
        if thinking:
            self.thinking.add(index)
        shown: list[dict[str, Any]] = []
        if index in self.thinking and (text or calls):
            self.thinking.remove(index)
            parts = [thinking_json(thinking, is_closed=True)]
            shown.append({"content": [*parts, text_json(text)] if text else parts})
        elif thinking:
            shown.append({"content": [thinking_json(thinking)]})
        elif text:
            shown.append({"content": text})
        return [*shown, {"tool_calls": calls}] if calls else shown

    def last_chunks(self, index: int, talks: Sequence[Talk]) -> list[dict[str, Any]]:
        talk = talks[index]
        last = self.last_chunk(index, talk, {"content": ""})
        self.ended.add(index)
        if len(self.ended) == len(talks):
            last["usage"] = usage_json([one.usage for one in talks])
        if index in self.thinking and not talk.is_thinking:  # nothing came behind it
            closing = {"content": [thinking_json("", is_closed=True)]}
            return [self.chunk(index, talk, closing), last]
        return [last]

    def end_chunks(self, talks: Sequence[Talk]) -> list[dict[str, Any]]:  # noqa: ARG002
        """Nothing: the usage came with the last end."""
        return []


def prefix_of(talk: Talk) -> list[Delta]:
    """What the client began for the assistant, which Mistral's API gives back in front."""
    last = talk.prepared.ask.messages[-1]
    if not last.prefix:
        return []
    said: list[Delta] = []
    for part in last.parts:
        if isinstance(part, ThinkPart):
            said.append(Delta("thinking", part.text))
        elif isinstance(part, TextPart):
            said.append(Delta("answer", part.text))
    if len(said) == 1 and said[0].kind == "answer":  # the model was not shown its last blanks
        return [Delta("answer", said[0].text.rstrip(" "))]
    return said


def thinking_json(text: str, *, is_closed: bool | None = None) -> dict[str, Any]:
    """A part of thinking; a piece in the middle says nothing of its end."""
    part: dict[str, Any] = {"type": "thinking", "thinking": [text_json(text)]}
    return part if is_closed is None else {**part, "closed": is_closed}


def text_json(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}
