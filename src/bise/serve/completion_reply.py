"""Answers of `POST /v1/completions`, whole or in chunks."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from bise.serve.chat_reply import joined
from bise.serve.likelihoods import Places, columns_json, fewer, prompt_json
from bise.serve.talk import Talk
from bise.text import Delta, Tekken


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletionForm:
    """What all pieces of one answer share."""

    model: str
    fingerprint: str
    tekken: Tekken
    replies: int = 1
    """Of each prompt: choices come prompt by prompt."""

    has_echo: bool = False
    """Begin each text with its prompt."""

    num_top: int | None = None
    """Alternatives told with each token; None tells no likelihoods."""

    rates_prompt: bool = False
    """Tell the likelihoods of each prompt besides."""

    has_usage: bool = False
    """End a stream with its usage,"""

    counts_on: bool = False
    """and send that of its choice so far with every piece."""

    places: dict[int, Places] = field(default_factory=dict[int, Places])
    """Where the next token of each choice stands that has begun."""

    id: str = field(default_factory=lambda: f"cmpl-{uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def head(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }

    def whole(self, talks: Sequence[Talk], gathered: Sequence[list[Delta]]) -> dict[str, Any]:
        """The whole answer: one choice for each reply to each prompt."""
        pairs = enumerate(zip(talks, gathered, strict=True))
        choices = [self.choice(index, talk, deltas) for index, (talk, deltas) in pairs]
        return {**self.head(), "choices": choices, "usage": self.usage(talks)}

    def chunk(self, index: int, talk: Talk, deltas: Sequence[Delta]) -> dict[str, Any] | None:
        """What one step of the engine added to one choice; None if there is nothing to show."""
        is_first = index not in self.places and talk.usage.completion_tokens > 0
        if not (joined(deltas, "answer") or is_first or talk.finish_reason is not None):
            return None  # likelihoods stay with the talk, and come with the next text
        usage = {"usage": self.usage([talk])} if self.counts_on else {}
        return {**self.head(), "choices": [self.choice(index, talk, deltas)], **usage}

    def usage_chunk(self, talks: Sequence[Talk]) -> dict[str, Any]:
        return {**self.head(), "choices": [], "usage": self.usage(talks)}

    def choice(self, index: int, talk: Talk, deltas: Sequence[Delta]) -> dict[str, Any]:
        """The next piece of a choice, or all of it."""
        has_prompt = self.has_echo and index not in self.places
        places = self.places.setdefault(index, Places(self.tekken))
        echo = self.tekken.decode(talk.prepared.prompt.ids) if has_prompt else ""
        return {
            "index": index,
            "text": echo + joined(deltas, "answer"),
            "logprobs": self.logprobs(talk, places, has_prompt=has_prompt),
            "finish_reason": talk.finish_reason,
            "stop_reason": talk.stop_reason,
            **(self.prompt_logprobs(talk) if self.rates_prompt else {}),
        }

    def logprobs(self, talk: Talk, places: Places, *, has_prompt: bool) -> dict[str, Any] | None:
        """The likelihoods since this was last asked, behind those of the prompt if it is told too.

        places: where in the text tokens stand
        """
        if self.num_top is None:
            return None
        rated, talk.logprobs = talk.logprobs, []
        if not has_prompt:
            return columns_json(self.tekken, rated, places.take(token for token, _ in rated))
        first, num_top = talk.prepared.prompt.ids[0], self.num_top
        prompt = [(token, fewer(found, num_top)) for token, found in talk.rated_prompt]
        before = places.take([first, *(token for token, _ in prompt)], is_end=True)
        behind = places.take(token for token, _ in rated)
        return columns_json(self.tekken, [(first, None), *prompt, *rated], [*before, *behind])

    def prompt_logprobs(self, talk: Talk) -> dict[str, Any]:
        """The likelihoods of the prompt, as a field of a choice."""
        return {"prompt_logprobs": prompt_json(self.tekken, talk.rated_prompt)}

    def usage(self, talks: Sequence[Talk]) -> dict[str, Any]:
        """Tokens of the answer: each prompt counts once."""
        prompts = [talk.usage for talk in talks[:: self.replies]]
        num_prompt = sum(usage.prompt_tokens for usage in prompts)
        num_written = sum(talk.usage.completion_tokens for talk in talks)
        return {
            "prompt_tokens": num_prompt,
            "completion_tokens": num_written,
            "total_tokens": num_prompt + num_written,
            "prompt_tokens_details": {"cached_tokens": sum(one.cached_tokens for one in prompts)},
        }
