"""The body of `POST /v1/conversations`, as far as it needs no memory, and the chat it means."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bise.errors import BadRequest
from bise.serve.chat_body import ChatBody
from bise.serve.chat_parts import ChatParts
from bise.serve.shapes import STATELESS, Shape, refuse, shaped
from bise.text.parse import an_object, optional, typed

REFUSED = {
    "store": f"{STATELESS}, with `store` false",
    "agent_id": "there are no agents here; name a `model`",
    "handoff_execution": "there are no agents here",
    "guardrails": "leave it out",
}

ARGUMENTS = frozenset(
    (
        "stop", "presence_penalty", "frequency_penalty", "temperature", "top_p", "max_tokens",
        "random_seed", "prediction", "response_format", "tool_choice", "reasoning_effort",
    )
)  # fmt: skip
"""What `completion_args` may say, in the words of a chat."""


class ConversationBody(Shape):
    """What Mistral's clients send to begin a conversation."""

    UNUSED: ClassVar[frozenset[str]] = frozenset(("name", "description", "metadata"))

    model: str | None = None
    inputs: str | list[Any]
    instructions: str | None = None
    tools: list[Any] | None = None
    completion_args: dict[str, Any] | None = None
    store: bool | None = None
    stream: bool | None = None
    name: Any = None
    description: Any = None
    metadata: Any = None


def read_conversation(fields: Mapping[str, Any]) -> ConversationBody:
    """Check the shape of a body, and refuse what needs a memory."""
    refuse({name: value for name, value in fields.items() if value}, REFUSED)
    return shaped(ConversationBody, fields)


def to_chat(body: ConversationBody) -> tuple[ChatBody, list[str]]:
    """The chat a body means, and the names of what is left out of it."""
    parts = ChatParts()
    if body.instructions:
        parts.say("system", body.instructions, "instructions")
    if isinstance(body.inputs, str):
        parts.say("user", body.inputs, "inputs")
    else:
        for number, entry in enumerate(body.inputs):
            add_entry(parts, an_object(entry, f"inputs[{number}]"), f"inputs[{number}]")
    given = body.completion_args or {}
    known = {name: value for name, value in given.items() if name in ARGUMENTS}
    fields = {**known, "model": body.model, "messages": parts.messages, "tools": body.tools or None}
    chat = shaped(ChatBody, fields)
    others = [name for name, value in given.items() if name not in known and value is not None]
    unused = [name for name in chat.ignored if name in given]
    return chat, [*body.ignored, *(f"completion_args.{name}" for name in sorted(others + unused))]


def add_entry(parts: ChatParts, entry: Mapping[str, Any], where: str) -> None:
    """One entry of the conversation."""
    kind = optional(entry, "type", str, where) or "message.input"
    if kind in ("message.input", "message.output"):
        spoken = "assistant" if kind == "message.output" else "user"
        role = optional(entry, "role", str, where) or spoken
        parts.say(role, entry.get("content"), where)
        if role == "assistant" and entry.get("prefix") is True:
            parts.messages[-1]["prefix"] = True
    elif kind == "function.call":
        call_id = typed(entry.get("tool_call_id"), str, f"{where}.tool_call_id")
        name = typed(entry.get("name"), str, f"{where}.name")
        parts.call(call_id, name, entry.get("arguments"), where)
    elif kind == "function.result":
        call_id = typed(entry.get("tool_call_id"), str, f"{where}.tool_call_id")
        parts.result(call_id, entry.get("result"), f"{where}.result")
    else:
        raise BadRequest(
            f"`{where}` is an entry of type `{kind}`, which cannot be read here",
            hint="send messages, and calls of functions with their results",
        )
