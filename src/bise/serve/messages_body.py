"""The body of `POST /v1/messages`, and the chat it means."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from bise.errors import BadRequest, WrongType
from bise.serve.chat_body import ChatBody
from bise.serve.shapes import Shape, shaped
from bise.text.parse import an_object, is_list, listed, optional, typed

MIN_BUDGET = 1024
"""The least `budget_tokens` Anthropic's API takes."""


class CountBody(Shape):
    """What counts as input. Blocks are read by hand, so that errors name their place."""

    UNUSED: ClassVar[frozenset[str]] = frozenset(
        ("metadata", "context_management", "service_tier", "cache_control", "container")
    )

    model: str | None = None
    messages: list[Any]
    system: str | list[Any] | None = None
    tools: list[Any] | None = None
    tool_choice: str | dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None
    output_config: dict[str, Any] | None = None
    metadata: Any = None
    context_management: Any = None
    service_tier: Any = None
    cache_control: Any = None
    container: Any = None


class MessagesBody(CountBody):
    """What Anthropic's clients send."""

    COUNTED: ClassVar[frozenset[str]] = frozenset(("stop_sequences",))

    max_tokens: int
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stream: bool | None = None


def to_chat(body: CountBody) -> tuple[ChatBody, list[str]]:
    """The chat a body means, and the names of what is left out of it."""
    ignored = body.ignored
    messages = list(system_of(body.system))
    for number, message in enumerate(body.messages):
        messages += messages_from(message, f"messages[{number}]", ignored)
    if messages and messages[-1]["role"] == "assistant" and not messages[-1]["tool_calls"]:
        messages[-1]["prefix"] = True  # this API goes on with a last word
    fields = {
        "model": body.model,
        "messages": messages,
        "tools": tools_from(body.tools or (), ignored) or None,
        **choice_from(body.tool_choice),
        **effort_from(body),
    }
    if isinstance(body, MessagesBody):
        fields |= {
            "max_tokens": body.max_tokens,
            "stop": body.stop_sequences,
            "temperature": body.temperature,
            "top_p": body.top_p,
            "top_k": body.top_k,
            "stream": body.stream,
        }
    return shaped(ChatBody, fields), ignored


def system_of(system: object) -> Iterator[dict[str, Any]]:
    """The system prompt as a message; its blocks are paragraphs."""
    if isinstance(system, str):
        yield {"role": "system", "content": system}
    elif system:
        blocks = enumerate(listed(system, "system"))
        texts = [text_of(block, f"system[{number}]") for number, block in blocks]
        yield {"role": "system", "content": "\n\n".join(texts)}


def text_of(block: object, where: str) -> str:
    return typed(an_object(block, where).get("text"), str, f"{where}.text")


def messages_from(value: object, where: str, ignored: list[str]) -> list[dict[str, Any]]:
    """One message as a chat has it; the results of tools are messages of their own, and first."""
    message = an_object(value, where)
    role, content = message.get("role"), message.get("content")
    if role not in ("user", "assistant", "system"):
        raise WrongType(f"`{where}.role` is no role, expected `user`, `assistant` or `system`")
    results: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for number, one in enumerate(listed(blocks, f"{where}.content")):
        place = f"{where}.content[{number}]"
        block = an_object(one, place)
        kind = typed(block.get("type"), str, f"{place}.type")
        if kind == "tool_result" and role == "user":
            results.append(result_from(block, place))
            if block.get("is_error"):
                ignored.append(f"{place}.is_error")  # the model knows of no such mark
        elif kind == "tool_use" and role == "assistant":
            calls.append(call_from(block, place))
        elif kind == "thinking" and role == "assistant":
            thinking = typed(block.get("thinking"), str, f"{place}.thinking")
            parts += [{"type": "thinking", "thinking": thinking}] if thinking else []
        elif kind == "redacted_thinking":
            ignored.append(place)
        else:
            parts.append(part_from(block, kind, place))
    if role == "assistant":
        return [{"role": role, "content": parts, "tool_calls": calls}]
    return [*results, *([{"role": role, "content": parts}] if parts or not results else [])]


def part_from(block: Mapping[str, Any], kind: str, where: str) -> dict[str, Any]:
    """A text or a picture."""
    if kind == "text":
        return {"type": "text", "text": text_of(block, where)}
    if kind != "image":
        raise BadRequest(
            f"`{where}` is a block of type `{kind}`, which cannot be read there",
            hint="send text, images, calls and their results",
        )
    source = an_object(block.get("source"), f"{where}.source")
    if source.get("type") == "url":
        return {"type": "image_url", "image_url": typed(source.get("url"), str, f"{where}.source")}
    data = typed(source.get("data"), str, f"{where}.source.data")
    media = optional(source, "media_type", str, f"{where}.source") or ""
    return {"type": "image_url", "image_url": f"data:{media};base64,{data}"}


def result_from(block: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What a tool said."""
    content = block.get("content")
    if is_list(content):
        parts: list[dict[str, Any]] = []
        for number, one in enumerate(content):
            place = f"{where}.content[{number}]"
            inner = an_object(one, place)
            parts.append(part_from(inner, typed(inner.get("type"), str, f"{place}.type"), place))
        content = parts
    elif content is not None:
        content = typed(content, str, f"{where}.content")
    call_id = typed(block.get("tool_use_id"), str, f"{where}.tool_use_id")
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def call_from(block: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A call the assistant made."""
    arguments = an_object(block.get("input"), f"{where}.input")
    return {
        "id": typed(block.get("id"), str, f"{where}.id"),
        "type": "function",
        "function": {
            "name": typed(block.get("name"), str, f"{where}.name"),
            "arguments": json.dumps(arguments, ensure_ascii=False),
        },
    }


def tools_from(tools: object, ignored: list[str]) -> list[dict[str, Any]]:
    """Tools as a chat has them. Those Anthropic's servers run themselves are left out."""
    kept: list[dict[str, Any]] = []
    for number, value in enumerate(listed(tools, "tools")):
        where = f"tools[{number}]"
        tool = an_object(value, where)
        if tool.get("type") not in (None, "custom"):
            ignored.append(where)
            continue
        function = {
            "name": typed(tool.get("name"), str, f"{where}.name"),
            "description": tool.get("description"),
            "parameters": tool.get("input_schema"),
            "strict": tool.get("strict"),
        }
        kept.append({"type": "function", "function": function})
    return kept


def choice_from(choice: object) -> dict[str, Any]:
    """Whether and which tool to call."""
    if choice is None:
        return {}
    if isinstance(choice, str):
        choice = {"type": choice}
    chosen = an_object(choice, "tool_choice")
    kind = typed(chosen.get("type"), str, "tool_choice.type")
    fields: dict[str, Any] = {"tool_choice": kind}
    if kind == "tool":
        name = typed(chosen.get("name"), str, "tool_choice.name")
        fields["tool_choice"] = {"type": "function", "function": {"name": name}}
    if chosen.get("disable_parallel_tool_use"):
        fields["parallel_tool_calls"] = False
    return fields


def effort_from(body: CountBody) -> dict[str, Any]:
    """How much to think, with which budget; and a form for the answer, if one is asked for."""
    thinking, config = body.thinking or {}, body.output_config or {}
    fields: dict[str, Any] = {"thinking": body.thinking, "output_config": body.output_config}
    if thinking.get("type") == "enabled" and thinking.get("budget_tokens") is not None:
        budget = thinking["budget_tokens"]
        if not isinstance(budget, int) or budget < MIN_BUDGET:
            raise BadRequest(f"`thinking.budget_tokens` must be a number from {MIN_BUDGET}")
        fields["thinking_token_budget"] = budget
    form = config.get("format")
    if form is not None:
        given = an_object(form, "output_config.format")
        kind = optional(given, "type", str, "output_config.format") or "json_schema"
        fields["response_format"] = {"type": kind, "json_schema": {"schema": given.get("schema")}}
    return fields
