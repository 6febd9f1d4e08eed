"""The body of `POST /v1/responses`, and the chat it means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bise.errors import BadRequest, WrongType
from bise.serve.chat_body import ChatBody
from bise.serve.chat_parts import ChatParts
from bise.serve.seal import Seal
from bise.serve.shapes import STATELESS, Shape, refuse, shaped
from bise.text.parse import an_object, listed, optional, typed

REFUSED = {
    "previous_response_id": STATELESS,
    "conversation": STATELESS,
    "prompt": "there are no stored prompts here; send the text in `input`",
    "background": "wait for the answer, or stream it",
}

SEALED = "reasoning.encrypted_content"
"""What `include` asks for so that thinking comes back with the next request."""

RATED = "message.output_text.logprobs"
"""What it asks for so that each token of an answer comes with its likelihood."""

APART = "__"
"""Between the name of a namespace and that of a tool in it."""


class ResponsesBody(Shape):
    """What OpenAI's newer clients send."""

    UNUSED: ClassVar[frozenset[str]] = frozenset(
        (
            "metadata", "prompt_cache_key", "user", "client_metadata", "safety_identifier",
            "service_tier", "prompt_cache_retention", "stream_options", "max_tool_calls",
        )
    )  # fmt: skip

    COUNTED: ClassVar[frozenset[str]] = frozenset(("include",))

    model: str | None = None
    input: str | list[Any]
    instructions: str | None = None
    tools: list[Any] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: dict[str, Any] | None = None
    text: dict[str, Any] | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stream: bool | None = None
    include: list[str] | None = None
    truncation: str | None = None
    store: bool | None = None
    background: bool | None = None
    metadata: Any = None
    prompt_cache_key: Any = None
    user: Any = None
    client_metadata: Any = None
    safety_identifier: Any = None
    service_tier: Any = None
    prompt_cache_retention: Any = None
    stream_options: Any = None
    top_logprobs: int | None = None
    max_tool_calls: Any = None

    @property
    def wants_sealed(self) -> bool:
        """Whether thinking is to be sent sealed, too."""
        return SEALED in (self.include or ())

    @property
    def wants_logprobs(self) -> bool:
        """Whether the likelihoods of an answer's tokens are wanted."""
        return RATED in (self.include or ()) or bool(self.top_logprobs)


def read_responses(fields: Mapping[str, Any]) -> ResponsesBody:
    """Check the shape of a body, and refuse what needs a memory."""
    refuse(fields, REFUSED)
    body = shaped(ResponsesBody, fields)
    if body.truncation not in (None, "auto", "disabled"):
        raise WrongType(f"`truncation` is `{body.truncation}`, expected `auto` or `disabled`")
    return body


@dataclass(slots=True)
class Translation:
    """A body as a chat, and what has to be known to answer it."""

    seal: Seal
    ignored: list[str]
    namespaces: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Tools of a namespace: by the name the model is told, the namespace and the tool's own."""

    parts: ChatParts = field(default_factory=ChatParts)

    def chat(self, body: ResponsesBody) -> ChatBody:
        """The chat a body means."""
        if body.instructions:
            self.parts.say("system", body.instructions, "instructions")
        items = [{"role": "user", "content": body.input}] if isinstance(body.input, str) else None
        for number, item in enumerate(listed(items or body.input, "input")):
            self.add_item(an_object(item, f"input[{number}]"), f"input[{number}]")
        if set(body.include or ()) - {SEALED, RATED}:
            self.ignored.append("include")
        self.ignored += beside("reasoning", body.reasoning, "effort")
        self.ignored += beside("text", body.text, "format")
        tools = self.tools_from(body.tools or ())
        fields: dict[str, Any] = {
            "model": body.model,
            "messages": self.parts.messages,
            "tools": tools or None,
            "tool_choice": self.choice_from(body.tool_choice, tools),
            "parallel_tool_calls": body.parallel_tool_calls,
            "reasoning_effort": (body.reasoning or {}).get("effort"),
            "response_format": format_from(body.text or {}),
            "max_tokens": body.max_output_tokens,
            "temperature": body.temperature,
            "top_p": body.top_p,
            "logprobs": body.wants_logprobs,
            "top_logprobs": body.top_logprobs,
            "stream": body.stream,
        }
        return shaped(ChatBody, fields)

    def add_item(self, item: Mapping[str, Any], where: str) -> None:
        """One item of the input; a kind nobody has heard of is left out."""
        kind = optional(item, "type", str, where) or "message"
        if kind == "message":
            role = typed(item.get("role"), str, f"{where}.role")
            self.parts.say(role, item.get("content"), where)
        elif kind == "function_call":
            self.add_call(item, where)
        elif kind == "function_call_output":
            call_id = typed(item.get("call_id"), str, f"{where}.call_id")
            self.parts.result(call_id, item.get("output"), f"{where}.output")
        elif kind == "reasoning":
            self.add_thinking(item, where)
        elif kind == "item_reference":
            raise BadRequest(f"`{where}` refers to an item that was not kept", hint=STATELESS)
        else:
            self.ignored.append(where)

    def add_thinking(self, item: Mapping[str, Any], where: str) -> None:
        """Thinking of an earlier turn, plain or as we sealed it."""
        places = enumerate(listed(item.get("content") or (), f"{where}.content"))
        objects = [an_object(part, f"{where}.content[{number}]") for number, part in places]
        text = "".join(typed(part.get("text"), str, f"{where}.content") for part in objects)
        sealed = optional(item, "encrypted_content", str, where)
        if not text and sealed:
            text = self.seal.open(sealed) or ""
        if text:
            self.parts.think(text)
        else:
            self.ignored.append(where)

    def add_call(self, item: Mapping[str, Any], where: str) -> None:
        """A call the assistant made."""
        name = typed(item.get("name"), str, f"{where}.name")
        namespace = optional(item, "namespace", str, where)
        self.parts.call(
            typed(item.get("call_id"), str, f"{where}.call_id"),
            f"{namespace}{APART}{name}" if namespace else name,
            item.get("arguments"),
            where,
        )

    def tools_from(self, tools: object) -> list[dict[str, Any]]:
        """Functions, also those of namespaces. Tools others would run are left out."""
        kept: list[dict[str, Any]] = []
        for number, value in enumerate(listed(tools, "tools")):
            where = f"tools[{number}]"
            tool = an_object(value, where)
            kind = optional(tool, "type", str, where) or "function"
            if kind == "function":
                kept.append(dict(tool))
            elif kind == "namespace":
                namespace = typed(tool.get("name"), str, f"{where}.name")
                inner = listed(tool.get("tools"), f"{where}.tools")
                kept += [self.named(namespace, one, f"{where}.tools") for one in inner]
            else:
                self.ignored.append(where)
        return kept

    def named(self, namespace: str, value: object, where: str) -> dict[str, Any]:
        """A tool of a namespace, under a name of both."""
        tool = an_object(value, where)
        name = typed(tool.get("name"), str, f"{where}.name")
        joined = f"{namespace}{APART}{name}"
        self.namespaces[joined] = (namespace, name)
        return {**tool, "name": joined}

    def choice_from(self, choice: object, tools: Sequence[Mapping[str, Any]]) -> object:
        """Whether and which tool to call, as a chat says it."""
        if not isinstance(choice, dict):
            return choice
        if choice.get("type") == "function" and "function" not in choice:
            name = self.known_as(choice, tools, "tool_choice")
            return {"type": "function", "function": {"name": name}}
        if choice.get("type") != "allowed_tools" or "tools" not in choice:
            return choice
        renamed: list[dict[str, Any]] = []
        for number, value in enumerate(listed(choice["tools"], "tool_choice.tools")):
            where = f"tool_choice.tools[{number}]"
            tool = an_object(value, where)
            renamed.append({**tool, "name": self.known_as(tool, tools, where)})
        return {**choice, "tools": renamed}

    def known_as(
        self, given: Mapping[str, Any], tools: Sequence[Mapping[str, Any]], where: str
    ) -> object:
        """The name the model is told of a tool that is referred to.

        Its namespace may be left out where no other tool is called so.
        """
        name, namespace = given.get("name"), optional(given, "namespace", str, where)
        if namespace:
            return f"{namespace}{APART}{name}"
        alike = [told for told, (_, own) in self.namespaces.items() if own == name]
        is_plain = any(tool.get("name") == name for tool in tools)
        return alike[0] if len(alike) == 1 and not is_plain else name


def translate(body: ResponsesBody, seal: Seal) -> tuple[ChatBody, Translation]:
    """The chat a body means, and what to remember of the translation."""
    translation = Translation(seal, list(body.ignored))
    return translation.chat(body), translation


def beside(where: str, given: Mapping[str, Any] | None, used: str) -> list[str]:
    """What an object says besides the one thing that is used of it."""
    others = (name for name, value in (given or {}).items() if value is not None and name != used)
    return [f"{where}.{name}" for name in others]


def format_from(text: Mapping[str, Any]) -> dict[str, Any] | None:
    """The form of the answer, as a chat says it."""
    form = text.get("format")
    if form is None:
        return None
    given = an_object(form, "text.format")
    if given.get("type") != "json_schema":
        return dict(given)
    schema = {name: value for name, value in given.items() if name != "type"}
    return {"type": "json_schema", "json_schema": schema}
