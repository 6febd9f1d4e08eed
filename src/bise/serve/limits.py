"""What a request may cost before it is turned away; all of it is judged before any arithmetic."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from math import inf
from typing import Any

from bise.errors import BadImage, BadRequest, PromptTooLong, UserError, quoted
from bise.serve.talk import Ask
from bise.text import (
    ImageLimits,
    ImagePart,
    Message,
    TextPart,
    ThinkPart,
    open_image,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The server's limits, with the defaults of the API's contract."""

    body_bytes: int = 64 * 2**20
    headers_bytes: int = 64 * 2**10
    headers_s: float = 10.0
    """From a connection's first moment, or a request's first byte, to the end of its headers."""

    body_pause_s: float = 10.0
    """Between two pieces of a body."""

    body_s: float = 120.0
    """For all of it."""

    unread_s: float = 60.0
    """How long a client may leave what was sent to it unread."""

    connections: int = 1024
    json_depth: int = 64
    json_values: int = 1_000_000
    """And commas in texts, which look the same at first sight."""

    messages: int = 4096
    parts: int = 256
    """Parts of one message."""

    prompts: int = 64
    """Prompts of one request for completions."""

    replies: int = 16
    """`n`: replies to one request."""

    stops: int = 16
    stop_chars: int = 256
    salt_chars: int = 256
    priority: int = 0
    """How far from 0 a client may put itself; at 0 its `priority` is not used, for with it a few
    clients can starve all others."""

    biases: int = 1024
    top_logprobs: int = 20
    rated: int = 262_144
    """Likelihoods of a prompt one request may ask for, alternatives and all its replies counted:
    each takes some 600 bytes while they are told."""

    tools: int = 128
    tools_bytes: int = 2**20
    """Of all schemas of tools together, and of the one an answer has to follow."""

    schema_depth: int = 32
    schema_nodes: int = 2000
    """Schemas and listed values inside one schema."""

    pattern_chars: int = 1024
    """Of a regular expression."""

    grammar_chars: int = 16_384
    images: int = 16
    image: ImageLimits = field(default_factory=ImageLimits)
    pixels: int = 256_000_000
    """Of all pictures of a request together."""

    heavy_pixels: int = 4_000_000
    """Requests with more than this are prepared one after the other: a pixel takes up to 22 bytes
    (WEBP) until the picture has been made small enough."""

    waiting_tokens: int = 4_000_000
    """Of all prompts that have been let in and are not answered yet."""

    bodies_bytes: int = 512 * 2**20
    """Of all requests under way; one alone may have more."""

    step_s: float = 120.0
    """Without a sign of life from an engine that has work: then it is started again."""

    chars_per_position: int = 8
    """A prompt with more characters than this times the context is not even tokenised."""


HAVE_SETTINGS = frozenset(("body_bytes", "connections", "priority"))
"""Limits that are settings of their own."""

OF_IMAGES = {"image_bytes": "size_bytes", "image_pixels": "num_pixels"}
"""Limits of each picture, by their names here."""


def names_of_limits() -> dict[str, type]:
    """What an operator may say of limits, and whether it is counted or measured."""
    plain = {one.name: type(one.default) for one in fields(Limits)}
    counted = {name: kind for name, kind in plain.items() if kind in (int, float)}
    named = counted | dict.fromkeys(OF_IMAGES, int)
    return {name: kind for name, kind in named.items() if name not in HAVE_SETTINGS}


def with_sizes(limits: Limits, said: Sequence[str]) -> Limits:
    """The limits, some of another size. said: each as `name=number`"""
    names, given = names_of_limits(), dict[str, Any]()
    for word in said:
        name, _, size = (part.strip() for part in word.partition("="))
        if name not in names:
            close = get_close_matches(name, names, n=1) or names
            raise UserError(
                f"`limit` names `{name}`, which is none", hint=f"there is {quoted(close)}"
            )
        given[name] = size_of(name, size, names[name])
    of_images = {OF_IMAGES[name]: given.pop(name) for name in OF_IMAGES if name in given}
    return replace(limits, **given, image=replace(limits.image, **of_images))


def size_of(name: str, text: str, kind: type) -> int | float:
    """A size an operator gave."""
    try:
        size = kind(text.replace("_", ""))
    except ValueError:
        size = -1
    if not 0 <= size < inf:
        words = "a whole number" if kind is int else "seconds"
        raise UserError(f"`limit` says `{name}={text}`, expected {words} from 0 on")
    return size


def need_at_most(name: str, count: int, limit: int) -> None:
    """Refuse too many of something."""
    if count > limit:
        raise BadRequest(f"`{name}` has {count:,} entries, expected at most {limit:,}")


def check_limits(ask: Ask, limits: Limits) -> int:
    """Refuse a question that has too much of anything, but for its length.

    Returns the pixels of its pictures.
    """
    need_at_most("messages", len(ask.messages), limits.messages)
    for number, message in enumerate(ask.messages):
        need_at_most(f"messages[{number}].content", len(message.parts), limits.parts)
    need_at_most("tools", len(ask.tools), limits.tools)
    size_bytes = sum(len(schema.encode()) for schema in schemas_of(ask))
    if size_bytes > limits.tools_bytes:
        raise BadRequest(
            f"`tools` have schemas of {size_bytes:,} bytes, expected at most {limits.tools_bytes:,}"
        )
    return check_images(ask, limits)


def need_room(ask: Ask, limits: Limits, max_positions: int) -> None:
    """Refuse a question that cannot fit, without tokenising it."""
    need_chars(count_chars(ask), limits, max_positions)


def count_chars(ask: Ask) -> int:
    """Characters of everything the model would read."""
    tools = (len(tool.name) + len(tool.description) for tool in ask.tools)
    return sum(map(len, schemas_of(ask))) + sum(tools) + sum(map(chars_of, ask.messages))


def chars_of(message: Message) -> int:
    """Characters of a message: its texts, its thinking, and its calls."""
    texts = (part.text for part in message.parts if isinstance(part, TextPart | ThinkPart))
    calls = (len(call.name) + len(call.arguments) for call in message.tool_calls)
    return sum(map(len, texts)) + sum(calls) + len(message.name or "")


def schemas_of(ask: Ask) -> list[str]:
    """The schemas of the tools, as JSON."""
    return [json.dumps(dict(tool.parameters), ensure_ascii=False) for tool in ask.tools]


def need_chars(num_chars: int, limits: Limits, max_positions: int) -> None:
    """Refuse a text that cannot fit, whatever its tokens."""
    if num_chars > limits.chars_per_position * max_positions:
        raise PromptTooLong(
            f"the prompt has {num_chars:,} characters, but this model's maximum context length is "
            f"{max_positions} tokens",
            hint="shorten the conversation or start a new one",
        )


def need_ratings(num_tokens: int, num_top: int | None, limits: Limits) -> None:
    """Refuse more likelihoods of prompts than can be told. num_top: None if nobody wants any"""
    if num_top is not None and num_tokens * (1 + num_top) > limits.rated:
        raise BadRequest(
            f"the likelihoods of {num_tokens:,} tokens of prompts, with {num_top} alternatives "
            f"each, are more than {limits.rated:,}",
            hint="ask for fewer alternatives, or send less at once",
        )


def check_images(ask: Ask, limits: Limits) -> int:
    """Refuse too many pictures, or too many pixels in all, from their headers alone."""
    parts = [part for one in ask.messages for part in one.parts if isinstance(part, ImagePart)]
    need_at_most("images", len(parts), limits.images)
    sizes = [open_image(part.image, limits.image).size for part in parts]
    num_pixels = sum(width * height for width, height in sizes)
    if num_pixels > limits.pixels:
        raise BadImage(
            f"the images have {num_pixels:,} pixels together, expected at most {limits.pixels:,}",
            hint="send smaller ones",
        )
    return num_pixels
