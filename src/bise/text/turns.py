"""Bringing a conversation into the one form that is encoded.

Several ways of saying the same thing become one: neighbours of the same role merge, text parts
join, results follow the order of their calls, arguments are written as Python writes JSON.
Checked against: mistral-common `InstructRequestNormalizerV15`.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from bise.errors import BadRequest
from bise.text.messages import ImagePart, Message, Part, TextPart, ToolCall

BETWEEN_MESSAGES = "\n\n"


def merge_turns(messages: Sequence[Message]) -> list[Message]:
    """The conversation with one message for each turn of user and assistant.

    System messages stay apart, and so do the results of tools.
    """
    turns: list[Message] = []
    call_order: dict[str | None, int] = {}
    for role, group in groupby(messages, key=lambda message: message.role):
        run = list(group)
        if role == "user":
            turns.append(Message(role, image_first(merge_parts(run))))
        elif role == "assistant":
            turn = merge_assistant(run)
            call_order = {call.id: place for place, call in enumerate(turn.tool_calls)}
            turns.append(turn)
        else:
            if role == "tool":
                run.sort(key=lambda message: call_order[message.tool_call_id])
            turns += [replace(message, parts=merge_parts([message])) for message in run]
    return turns


def merge_assistant(run: Sequence[Message]) -> Message:
    """One message of the assistant: what was said, then every call."""
    parts = merge_parts(run)
    calls = tuple(tidy_call(call) for message in run for call in message.tool_calls)
    if not parts and not calls:
        raise BadRequest("Assistant message must have either content or tool_calls")
    match parts:
        case (TextPart(text),):  # beside thinking, spaces stay
            parts = (TextPart(text.rstrip(" ")),)
        case _:
            pass
    return Message(
        "assistant", parts, tool_calls=calls, prefix=any(message.prefix for message in run)
    )


def merge_parts(messages: Iterable[Message]) -> tuple[Part, ...]:
    """Join neighbouring texts: with a blank line across messages, with nothing inside one."""
    merged: list[Part] = []
    for message in messages:
        is_across = bool(merged)
        for part in message.parts:
            last = merged[-1] if merged else None
            if not isinstance(part, TextPart):
                merged.append(part)
            elif not part.text:
                continue
            elif isinstance(last, TextPart):
                between = BETWEEN_MESSAGES if is_across else ""
                merged[-1] = TextPart(last.text + between + part.text)
            else:
                merged.append(part)
            is_across = False
    return tuple(merged)


def image_first(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """A question about one picture has the picture first, as in training."""
    match parts:
        case (TextPart() as text, ImagePart() as image):
            return (image, text)
        case _:
            return parts


def tidy_call(call: ToolCall) -> ToolCall:
    """Arguments as `json.dumps` writes them; no arguments are `{}`, what is no JSON a string."""
    try:
        return replace(call, arguments=rewrite_json(call.arguments))
    except (ValueError, RecursionError):  # numbers of thousands of digits, nesting without end
        raise BadRequest(f"the arguments of the call `{call.name}` are too large") from None


def rewrite_json(text: str) -> str:
    """JSON with the spacing of `json.dumps`."""
    try:
        value: object = json.loads(text) if text else {}
    except json.JSONDecodeError:
        value = text
    return json.dumps(value, ensure_ascii=False)
