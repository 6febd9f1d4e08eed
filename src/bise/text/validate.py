"""Which conversations the model can be asked to continue.

The rules of version 15, with the words of mistral-common where it has some, so that a message
found on the web leads to the same cause. One rule is ours: the first message is never the
assistant's or a tool's.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import get_args

from bise.errors import BadCall, BadOrder, BadRequest, WrongType
from bise.text.messages import (
    ImagePart,
    Message,
    Part,
    Role,
    TextPart,
    ThinkPart,
    Tool,
)
from bise.text.schema import schema_fault

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

FOLLOWERS: dict[Role, tuple[Role, ...]] = {
    "system": ("user", "assistant", "system"),
    "user": ("assistant", "system", "user"),
    "assistant": ("assistant", "user", "tool"),
    "tool": ("assistant", "tool", "user"),
}
CONTENTS: dict[Role, tuple[type[Part], ...]] = {
    "system": (TextPart,),
    "user": (TextPart, ImagePart),
    "assistant": (TextPart, ThinkPart),
    "tool": (TextPart, ImagePart),
}


def check_conversation(messages: Sequence[Message], *, finished: bool) -> None:
    """Refuse a conversation the model was not trained to read.

    With `finished` the assistant has the last word (training); otherwise the model has it next.
    """
    if not messages:
        raise BadRequest("Conversation must have at least one message")
    for message in messages:
        check_content(message)
    if messages[0].role not in ("user", "system"):
        raise BadOrder("Conversation must start with a user message or system message")
    for before, message in pairwise(messages):
        if message.role not in FOLLOWERS[before.role]:
            raise BadOrder(f"Unexpected role '{message.role}' after role '{before.role}'")
    if any(message.prefix for message in messages[:-1]):
        raise BadRequest("Assistant message with prefix True must be last message")
    check_last(messages[-1], finished=finished)
    check_results(messages)


def check_content(message: Message) -> None:
    """Refuse parts, names and ids that a role cannot carry."""
    if message.role not in get_args(Role):
        raise WrongType(f"`{message.role}` is no role")
    wrong = [part for part in message.parts if not isinstance(part, CONTENTS[message.role])]
    if wrong:
        kind = type(wrong[0]).__name__.removesuffix("Part").lower()
        raise BadRequest(f"Unexpected content in {message.role} message: {kind}")
    for call in message.tool_calls:
        check_call_id(call.id)
        check_name(call.name)
    if message.role == "tool":
        check_call_id(message.tool_call_id)
        if message.name is not None:
            check_name(message.name)


def check_last(message: Message, *, finished: bool) -> None:
    """Refuse a conversation that ends with the wrong speaker."""
    if finished:
        if message.role != "assistant" or message.prefix:
            raise BadOrder(f"Expected last role Assistant for training but got {message.role}")
    elif message.role == "assistant" and not message.prefix:
        raise BadOrder(
            "Expected last role User or Tool (or Assistant with prefix True) for serving "
            "but got assistant",
            hint="set `prefix` to let the model continue that message",
        )


def check_results(messages: Sequence[Message]) -> None:
    """Pair results with calls. Results may still be missing when the conversation ends."""
    called: set[str] = set()
    answered: set[str | None] = set()
    for message in messages:
        if message.role == "tool":
            if message.tool_call_id in answered:
                raise BadCall(f"Duplicate tool call id {message.tool_call_id} in tool results")
            if message.tool_call_id not in called:
                raise BadCall(f"Unexpected tool call id {message.tool_call_id} in tool results")
            answered.add(message.tool_call_id)
        elif message.role == "assistant":
            if len(called) != len(answered):
                raise BadOrder("Not the same number of function calls and responses")
            counts = Counter(call.id for call in message.tool_calls)
            called, answered = set(counts), set()
            repeated = {call_id for call_id, count in counts.items() if count > 1}
            if repeated:
                raise BadCall(f"Duplicate tool call id {min(repeated)} in assistant message")


def check_call_id(call_id: str | None) -> None:
    """Refuse a call nobody can answer."""
    if not call_id:
        raise BadCall("Tool call id has to be defined.")
    if call_id == "null":
        raise BadCall("Tool call id must be a non-empty string other than 'null'")


def check_name(name: str) -> None:
    """Refuse a function name the model was never shown."""
    if not NAME.fullmatch(name):
        raise BadCall(
            f"Function name was {name} but must be a-z, A-Z, 0-9, or contain underscores and "
            "dashes, with a maximum length of 64."
        )


def check_tools(tools: Sequence[Tool]) -> None:
    """Refuse tools with an impossible name or a broken schema."""
    for tool in tools:
        check_name(tool.name)
        fault = schema_fault(tool.parameters)
        if fault:
            raise BadRequest(f"Invalid tool schema of `{tool.name}`: {fault}")
