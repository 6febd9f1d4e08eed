"""What an answer has to be, from the fields clients say it in, and which tools may be called.

OpenAI and Mistral say `response_format`; vLLM `structured_outputs`, and `guided_…` before that.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bise.errors import BadRequest, TooComplex, WrongType, quoted
from bise.serve.json_body import parse
from bise.serve.limits import Limits, need_at_most
from bise.serve.shapes import SamplingBody
from bise.text import (
    CallMode,
    Calls,
    Form,
    Tool,
    calls_of,
    choice_form,
    grammar_form,
    json_form,
    pattern_form,
)
from bise.text.parse import an_object, listed, optional, typed

KINDS = ("json", "regex", "choice", "grammar", "json_object")
"""What `structured_outputs` may hold one of."""

MODES: dict[str, CallMode] = {
    "auto": "auto",
    "none": "none",
    "any": "required",
    "required": "required",
}


def form_of(body: SamplingBody, limits: Limits) -> Form | None:
    """What the answer has to be; None if nothing is asked. Raises `BadRequest`, `WrongType`."""
    wanted = dict(wishes(body))
    if len(wanted) > 1:
        raise BadRequest(
            f"{quoted(wanted)} each ask for a form of the answer", hint="leave one of them"
        )
    given = body.structured_outputs or {}
    unused = [f"structured_outputs.{name}" for name in sorted(given) if name not in KINDS]
    for where, (kind, value) in wanted.items():
        form = made(kind, value, where, limits)
        return replace(form, dropped=(*form.dropped, *unused))
    return None


def wishes(body: SamplingBody) -> list[tuple[str, tuple[str, Any]]]:
    """Every field that asks for something: its name, the kind of form, and what it says."""
    found: list[tuple[str, tuple[str, Any]]] = []
    if body.response_format is not None:
        found += format_wish(body.response_format)
    given = body.structured_outputs or {}
    if given.get("structural_tag") is not None:
        raise BadRequest(
            "`structured_outputs.structural_tag` is not supported here", hint="describe `tools`"
        )
    for kind in KINDS:
        if given.get(kind) is not None and given[kind] is not False:
            found.append((f"structured_outputs.{kind}", (kind, given[kind])))
    if body.structured_outputs is not None and not found and False not in given.values():
        raise BadRequest(f"`structured_outputs` asks for nothing, expected one of {quoted(KINDS)}")
    for kind in ("json", "regex", "choice", "grammar"):
        value = getattr(body, f"guided_{kind}")
        if value is not None:
            found.append((f"guided_{kind}", (kind, value)))
    return found


def format_wish(form: Mapping[str, Any]) -> list[tuple[str, tuple[str, Any]]]:
    """What `response_format` asks for."""
    kind = typed(form.get("type", "text"), str, "response_format.type")
    if kind == "text":
        return []
    if kind == "json_object" and form.get("schema") is None:
        return [("response_format", ("json_object", True))]
    if kind == "json_object":  # llama.cpp's way to give a schema
        return [("response_format.schema", ("json", form["schema"]))]
    if kind != "json_schema":
        raise WrongType(
            f"`response_format.type` is `{kind}`, expected `text`, `json_object` or `json_schema`"
        )
    where = "response_format.json_schema"
    given = an_object(form.get("json_schema"), where)
    schema = given.get("schema", given.get("schema_definition"))  # as Mistral's SDK calls it inside
    if schema is None:
        raise BadRequest(f"`{where}` has no `schema`", hint="send one, or ask for `json_object`")
    is_strict = optional(given, "strict", bool, where) or False
    return [(f"{where}.schema", ("strict_json" if is_strict else "json", schema))]


def made(kind: str, value: Any, where: str, limits: Limits) -> Form:
    """One kind of form."""
    if kind == "json_object":
        return json_form()
    if kind == "regex":
        pattern = typed(value, str, where)
        need_chars_at_most(where, pattern, limits.pattern_chars)
        return pattern_form(pattern)
    if kind == "choice":
        return choice_form(choices_in(value, where, limits))
    if kind == "grammar":
        grammar = typed(value, str, where)
        need_chars_at_most(where, grammar, limits.grammar_chars)
        return grammar_form(grammar, **schema_limits(limits))
    form = json_form(schema_in(value, where, limits), where, **schema_limits(limits))
    if kind == "strict_json" and form.dropped:
        raise BadRequest(
            f"{quoted(form.dropped[:5])} cannot be enforced, but `strict` asks for all of it",
            hint="leave them out, or `strict`",
        )
    return form


def choices_in(value: object, where: str, limits: Limits) -> list[str]:
    """The texts of a choice."""
    choices = [typed(one, str, where) for one in listed(value, where)]
    need_at_most(where, len(choices), limits.schema_nodes)
    if not choices:
        raise BadRequest(f"`{where}` is empty, expected at least one text")
    size_bytes = sum(len(one.encode()) for one in choices)
    if size_bytes > limits.tools_bytes:
        raise TooComplex(
            f"`{where}` has texts of {size_bytes:,} bytes, expected at most {limits.tools_bytes:,}"
        )
    return choices


def schema_in(value: Any, where: str, limits: Limits) -> Any:
    """A schema, or its JSON as a string."""
    if isinstance(value, str):
        need_bytes_at_most(where, len(value.encode()), limits)  # before time is spent on it
        try:
            value = parse(value.encode(), limits)
        except BadRequest:
            raise BadRequest(f"`{where}` is a string, but not the JSON of a schema") from None
    if not isinstance(value, dict | bool):
        raise WrongType(f"`{where}` is no schema, expected an object")
    need_bytes_at_most(where, len(json.dumps(value)), limits)
    return value


def need_bytes_at_most(where: str, size_bytes: int, limits: Limits) -> None:
    """Refuse a schema that is too large."""
    if size_bytes > limits.tools_bytes:
        raise TooComplex(
            f"`{where}` has {size_bytes:,} bytes, expected at most {limits.tools_bytes:,}"
        )


def need_chars_at_most(where: str, text: str, limit: int) -> None:
    """Refuse a pattern or a grammar that is too long."""
    if len(text) > limit:
        raise TooComplex(f"`{where}` has {len(text):,} characters, expected at most {limit:,}")


def schema_limits(limits: Limits) -> dict[str, int]:
    """What a schema may be, as `bise.text` wants to be told."""
    return {
        "max_depth": limits.schema_depth,
        "max_nodes": limits.schema_nodes,
        "max_pattern": limits.pattern_chars,
    }


def calls_in(
    choice: str | Mapping[str, Any] | None,
    tools: Sequence[Tool],
    limits: Limits,
    *,
    is_parallel: bool,
) -> Calls:
    """Whether, which and how many tools may be called."""
    mode, names = choice_in(choice)
    if isinstance(choice, dict) and choice.get("type") == "function":
        is_parallel = False  # who names one tool wants one call of it
    return calls_of(tools, mode, names, is_parallel=is_parallel, **schema_limits(limits))


def choice_in(choice: str | Mapping[str, Any] | None) -> tuple[CallMode, list[str] | None]:
    """Whether to call, and which tools; None is all of them."""
    if choice is None:
        return "auto", None
    if isinstance(choice, str):
        return mode_in(choice, "tool_choice"), None
    kind = typed(choice.get("type"), str, "tool_choice.type")
    if kind == "function":
        function = an_object(choice.get("function"), "tool_choice.function")
        return "required", [typed(function.get("name"), str, "tool_choice.function.name")]
    if kind != "allowed_tools":
        raise WrongType(f"`tool_choice.type` is `{kind}`, expected `function` or `allowed_tools`")
    inner = choice.get("allowed_tools", choice)  # the flat form is that of Responses
    given = an_object(inner, "tool_choice.allowed_tools")
    mode = optional(given, "mode", str, "tool_choice.allowed_tools") or "auto"
    allowed = given.get("tools")
    where = "tool_choice.allowed_tools.tools"
    names = [name_of(one, f"{where}[{at}]") for at, one in enumerate(listed(allowed, where))]
    return mode_in(mode, "tool_choice.allowed_tools.mode"), names


def mode_in(word: str, where: str) -> CallMode:
    if word not in MODES:
        raise WrongType(f"`{where}` is `{word}`, expected {quoted(MODES)}")
    return MODES[word]


def name_of(tool: object, where: str) -> str:
    """The name of a tool that is referred to, in the nested form or the flat one."""
    given = an_object(tool, where)
    function = given.get("function")
    if function is not None:
        given = an_object(function, f"{where}.function")
    return typed(given.get("name"), str, f"{where}.name")
