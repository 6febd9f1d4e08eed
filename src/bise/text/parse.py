"""Conversations and tools from the JSON of OpenAI and Mistral.

Only shapes and types are judged here; whether a conversation makes sense is judged when it is
encoded. A wrong type is a `WrongType`, a kind of content we cannot serve a `BadRequest`, and both
name the place.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard, TypeVar, cast

from bise.errors import BadRequest, WrongType, quoted
from bise.text.messages import (
    Detail,
    ImagePart,
    Message,
    Part,
    Role,
    TextPart,
    ThinkPart,
    Tool,
    ToolCall,
)

Json = Mapping[str, Any]
Kind = TypeVar("Kind")

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
DETAILS: tuple[Detail, ...] = ("low", "auto", "high", "original")
UNSERVED_PARTS = frozenset(
    ("document_url", "file", "input_file", "input_audio", "audio_url", "reference", "resource")
)
KIND_NAMES: dict[type, str] = {str: "a string", bool: "true or false", int: "a whole number"}


def parse_messages(messages: object) -> list[Message]:
    """Read the `messages` of a request."""
    return [
        parse_message(message, f"messages[{number}]")
        for number, message in enumerate(listed(messages, "messages"))
    ]


def parse_message(value: object, where: str) -> Message:
    """Read one message; fields that mean nothing to its role are ignored."""
    message = an_object(value, where)
    word = typed(message.get("role"), str, f"{where}.role")
    if word not in ROLES:
        raise WrongType(f"`{where}.role` is `{word}`, expected one of {quoted(ROLES)}")
    role = ROLES[word]
    parts = parse_content(message.get("content"), f"{where}.content")
    if role == "assistant":
        calls = message.get("tool_calls")
        return Message(
            role,
            with_reasoning(parts, message, where),
            tool_calls=parse_calls(calls, f"{where}.tool_calls") if calls is not None else (),
            prefix=optional(message, "prefix", bool, where) or False,
        )
    if role == "tool":
        return Message(
            role,
            parts,
            tool_call_id=optional(message, "tool_call_id", str, where),
            name=optional(message, "name", str, where),
        )
    return Message(role, parts)


def parse_content(content: object, where: str) -> tuple[Part, ...]:
    """Read a string, nothing, or a list of parts."""
    if content is None:
        return ()
    if isinstance(content, str):
        return (TextPart(content),)
    if not is_list(content):
        raise WrongType(f"`{where}` is {shown(content)}, expected a string or a list of parts")
    return tuple(parse_part(part, f"{where}[{number}]") for number, part in enumerate(content))


def parse_part(value: object, where: str) -> Part:
    """Read one part of a message."""
    part = an_object(value, where)
    kind = typed(part.get("type"), str, f"{where}.type")
    if kind in UNSERVED_PARTS:
        raise BadRequest(
            f"`{where}` is a part of type `{kind}`, which this model cannot read",
            hint="send text or images",
        )
    if kind not in PART_PARSERS:
        raise WrongType(f"`{where}.type` is `{kind}`, expected one of {quoted(PART_PARSERS)}")
    return PART_PARSERS[kind](part, where)


def parse_text(part: Json, where: str) -> TextPart:
    """Read `{"type": "text", "text": ...}`."""
    return TextPart(typed(part.get("text"), str, f"{where}.text"))


def parse_refusal(part: Json, where: str) -> TextPart:
    """Read a refusal, which is text to us."""
    return TextPart(typed(part.get("refusal"), str, f"{where}.refusal"))


def parse_image(part: Json, where: str) -> ImagePart:
    """Read an image whose URL is a string or an object with `url` and `detail`."""
    url, detail = part.get("image_url"), part.get("detail")
    if not isinstance(url, str):
        holder = an_object(url, f"{where}.image_url")
        url = typed(holder.get("url"), str, f"{where}.image_url.url")
        detail = holder.get("detail")
    if detail is None:
        return ImagePart(url)
    if detail not in DETAILS:
        raise WrongType(f"`{where}` has detail `{detail}`, expected one of {quoted(DETAILS)}")
    return ImagePart(url, detail)


def parse_thinking(part: Json, where: str) -> ThinkPart:
    """Read thinking: a string, or a list of parts of which only text is kept."""
    thinking = part.get("thinking")
    if not isinstance(thinking, str):
        pieces = [
            an_object(piece, f"{where}.thinking[{number}]").get("text") or ""
            for number, piece in enumerate(listed(thinking, f"{where}.thinking"))
        ]
        thinking = "".join(typed(piece, str, f"{where}.thinking") for piece in pieces)
    closed = optional(part, "closed", bool, where)
    return ThinkPart(thinking, closed is not False)


PART_PARSERS: dict[str, Callable[[Json, str], Part]] = {
    "text": parse_text,
    "input_text": parse_text,
    "output_text": parse_text,
    "refusal": parse_refusal,
    "image_url": parse_image,
    "input_image": parse_image,
    "thinking": parse_thinking,
}


def with_reasoning(parts: tuple[Part, ...], message: Json, where: str) -> tuple[Part, ...]:
    """Put `reasoning_content` (or `reasoning`) before the text; a thinking part wins over both."""
    fields = [optional(message, name, str, where) for name in ("reasoning_content", "reasoning")]
    texts = [text for text in fields if text]
    if not texts or any(isinstance(part, ThinkPart) for part in parts):
        return parts
    if texts[0] != texts[-1]:
        raise BadRequest(f"`reasoning_content` and `reasoning` of `{where}` should be equal")
    return (ThinkPart(texts[0]), *parts)


def parse_calls(calls: object, where: str) -> tuple[ToolCall, ...]:
    """Read the calls an assistant made."""
    return tuple(
        parse_call(call, f"{where}[{number}]") for number, call in enumerate(listed(calls, where))
    )


def parse_call(value: object, where: str) -> ToolCall:
    """Read one call; arguments may be a string of JSON, an object or nothing."""
    call = an_object(value, where)
    function = an_object(call.get("function"), f"{where}.function")
    arguments = function.get("arguments")
    if arguments is None:
        arguments = "{}"
    if not isinstance(arguments, str):
        given = an_object(arguments, f"{where}.function.arguments")
        arguments = json.dumps(given, ensure_ascii=False)
    return ToolCall(
        id=optional(call, "id", str, where) or "",
        name=typed(function.get("name"), str, f"{where}.function.name"),
        arguments=arguments,
    )


def parse_tools(tools: object) -> list[Tool]:
    """Read the `tools` of a request; nothing means none."""
    if tools is None:
        return []
    return [
        parse_tool(tool, f"tools[{number}]") for number, tool in enumerate(listed(tools, "tools"))
    ]


def parse_tool(value: object, where: str) -> Tool:
    """Read one tool, in the nested form of chat or the flat one of Responses."""
    tool = an_object(value, where)
    kind = optional(tool, "type", str, where) or "function"
    if kind != "function":
        raise BadRequest(f"`{where}` is a tool of type `{kind}`, expected `function`")
    if "function" in tool:
        where = f"{where}.function"
        tool = an_object(tool["function"], where)
    parameters = tool.get("parameters")
    return Tool(
        name=typed(tool.get("name"), str, f"{where}.name"),
        description=optional(tool, "description", str, where) or "",
        parameters={} if parameters is None else an_object(parameters, f"{where}.parameters"),
        strict=optional(tool, "strict", bool, where) or False,
    )


def typed(value: object, kind: type[Kind], where: str) -> Kind:
    """A value of the type its place asks for."""
    others: tuple[type, ...] = (bool,) if kind is int else ()  # to Python true is a number
    if isinstance(value, others) or not isinstance(value, kind):
        raise WrongType(f"`{where}` is {shown(value)}, expected {KIND_NAMES[kind]}")
    return value


def an_object(value: object, where: str) -> Json:
    """A value that must be an object."""
    if not isinstance(value, dict):
        raise WrongType(f"`{where}` is {shown(value)}, expected an object")
    return cast(Json, value)


def optional(holder: Json, name: str, kind: type[Kind], where: str) -> Kind | None:
    """A field that may be missing or null."""
    value = holder.get(name)
    return None if value is None else typed(value, kind, f"{where}.{name}")


def is_list(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    """Whether a value is a list as JSON has them."""
    return isinstance(value, list | tuple)


def listed(value: object, where: str) -> list[object] | tuple[object, ...]:
    """A value that must be a list."""
    if not is_list(value):
        raise WrongType(f"`{where}` is {shown(value)}, expected a list")
    return value


def shown(value: object) -> str:
    """A wrong value for an error message: the JSON type, never the content."""
    names: dict[type, str] = {
        type(None): "missing",
        bool: "true or false",
        str: "a string",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), f"of type `{type(value).__name__}`")
