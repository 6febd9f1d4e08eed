"""What a reply has to be, as rules the engine can hold it to.

Rules are written in llguidance's dialect of Lark: over text and, as in `<[9]>`, over the ids of
control tokens, which no text can become. A user's own rules are a grammar of their own beside ours,
so that names never meet.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from llguidance import regex_to_lark

from bise.errors import BadRequest, quoted
from bise.text.enforce import enforced
from bise.text.messages import Tool
from bise.text.special import ControlIds

BLANK = r"\x20|\x0A[\x20\x09]{0,31}"
"""Between the marks of JSON: one space, or a new line with up to 31 to indent it. A model that is
not sure how to go on would fill its answer with blanks if it could."""

TEXT = r"TEXT: /(?s:.)+/"

ANY_JSON = {"anyOf": [{"type": "object"}, {"type": "array"}]}
ANY_OBJECT = {"type": "object"}

CallMode = Literal["auto", "none", "required"]


@dataclass(frozen=True, slots=True)
class Form:
    """What an answer has to be: a grammar whose first rule is `start`."""

    grammar: str
    dropped: tuple[str, ...] = ()
    """Places of what was asked for and is not enforced."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Calls:
    """Whether, which and how many tools may be called."""

    mode: CallMode = "auto"
    schemas: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """By the names of tools that may be called, what their arguments have to be. With `auto` and
    none of them nothing is enforced."""

    is_parallel: bool = True
    """Whether there may be more than one call."""


def json_form(schema: object = None, where: str = "schema", **limits: int) -> Form:
    """JSON that follows a schema; without one any object or array.

    where: what to call the schema in errors; limits: as of `enforced`
    """
    if schema is None:
        return Form(f"start: {json_rule(ANY_JSON)}")
    made, dropped = enforced(schema, where, **limits)
    return Form(f"start: {json_rule(made)}", tuple(dropped))


def pattern_form(pattern: str) -> Form:
    """Text that matches a regular expression as a whole; `\\d` is 0 to 9."""
    return Form(f"start: /{regex_to_lark(pattern, 'd')}/")


def choice_form(choices: Sequence[str]) -> Form:
    """One of some texts."""
    if not choices or not all(isinstance(one, str) for one in choices):
        raise BadRequest("`choices` must be a list of texts, and not empty")
    quotes = (json.dumps(one, ensure_ascii=False) for one in choices)  # Lark takes no bare DEL
    return Form("start: " + " | ".join(one.replace("\x7f", "\\u007f") for one in quotes))


QUOTED = re.compile(r'"(?:\\.|[^"\\\n])*"|/(?:\\.|[^/\\])+/|(?://|#)[^\n]*|(<|%json)')
"""What may hold a `<` that is no token, or one that is, or a schema. Patterns may go over several
lines."""


def grammar_form(grammar: str, **limits: int) -> Form:
    """A grammar in llguidance's Lark, over text only: markers are for the reply's own format.

    limits: of schemas in it, as of `enforced`
    """
    if grammar.lstrip().startswith("{"):  # the library's JSON, in which tokens stand in strings
        raise BadRequest("`grammar` is JSON, expected Lark", hint="begin it with `start: …`")
    for found in QUOTED.finditer(grammar):
        if found[1] == "<":
            raise BadRequest(
                "`grammar` names a token in `<…>`, but only text can be asked for",
                hint="write text in quotes",
            )
        if found[1] is not None:
            check_inner(grammar[found.end() :].lstrip(), limits)
    return Form(grammar)


def check_inner(text: str, limits: Mapping[str, int]) -> None:
    """Refuse the schema a text begins with if it would take too long to compile."""
    try:
        schema, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        raise BadRequest("`grammar` has a `%json` without a schema behind it") from None
    _, dropped = enforced(schema, "grammar", **limits)
    steps = [place for place in dropped if place.endswith(".multipleOf")]
    if steps:
        raise BadRequest(
            f"{quoted(steps[:5])} cannot be enforced",
            hint="ask for a multiple of something smaller",
        )


def calls_of(
    tools: Iterable[Tool],
    mode: CallMode = "auto",
    names: Collection[str] | None = None,
    *,
    is_parallel: bool = True,
    **limits: int,
) -> Calls:
    """What may be called of some tools: only the named ones, and nothing if no name is given.

    limits: as of `enforced`. Raises `BadRequest` for a call that is wanted and cannot be made.
    """
    offered = {tool.name: tool for tool in tools}
    unknown = [name for name in names or () if name not in offered]
    if unknown:
        raise BadRequest(
            f"`tool_choice` names `{unknown[0][:64]}`, which is none of the `tools`",
            hint="name one of those the request describes",
        )
    chosen = [tool for name, tool in offered.items() if names is None or name in names]
    if names is not None and not names:
        if mode == "required":
            raise BadRequest(
                "`tool_choice` wants a call, but allows none of the `tools`", hint="allow one"
            )
        mode = "none"
    if mode == "required" and not chosen:
        raise BadRequest(
            "`tool_choice` wants a call, but there are no `tools`", hint="describe some"
        )
    schemas = {
        tool.name: strict_arguments(tool, **limits) if tool.strict else ANY_OBJECT
        for tool in chosen
    }
    return Calls(mode=mode, schemas=schemas, is_parallel=is_parallel)


def reply_rules(special: ControlIds, form: Form | None, calls: Calls) -> str | None:
    """Rules for a whole reply behind its thinking: an answer, calls, or both; None asks nothing."""
    if calls.mode == "none" or not calls.schemas:
        return None if form is None else form.grammar
    lines = call_lines(special, calls.schemas)
    repeat = "+" if calls.is_parallel else ""
    if calls.mode == "required":
        if form is not None:
            raise BadRequest(
                "`response_format` asks for an answer and `tool_choice` for a call instead of it",
                hint="leave one of them out",
            )
        return "\n".join([f"start: call{repeat}", *lines])
    if form is None:
        several = "*" if calls.is_parallel else "?"
        return "\n".join([f"start: TEXT? call{several}", TEXT, *lines])
    main = "\n".join([f"start: @answer | call{repeat}", *lines])
    parts = [{"lark_grammar": main}, {"name": "answer", "lark_grammar": form.grammar}]
    return json.dumps({"grammars": parts})


def call_lines(special: ControlIds, schemas: Mapping[str, Any]) -> list[str]:
    """A call: marker, name, marker, arguments. Tools with the same schema share a rule."""
    names: dict[str, list[str]] = {}
    for name, schema in schemas.items():
        names.setdefault(json_rule(schema), []).append(json.dumps(name))
    kinds = [
        f"<[{special.calls}]> name_{number} <[{special.args}]> arguments_{number}"
        for number in range(len(names))
    ]
    lines = [f"call: {' | '.join(kinds)}"]
    for number, (rule, same) in enumerate(names.items()):
        lines += [f"name_{number}: {' | '.join(same)}", f"arguments_{number}: {rule}"]
    return lines


def strict_arguments(tool: Tool, **limits: int) -> dict[str, Any]:
    """The schema of a strict tool's arguments, which are an object whatever it says.

    Raises `BadRequest` for what cannot be enforced: who says strict wants all of it.
    """
    where = f"parameters of {tool.name}"
    made, dropped = enforced(dict(tool.parameters), where, **limits)
    if dropped:
        places = (place.removeprefix(f"{where}.") for place in dropped[:5])
        raise BadRequest(
            f"the strict tool `{tool.name}` has parameters that cannot be enforced: "
            f"{quoted(places)}",
            hint="leave them out, or `strict`",
        )
    if "type" in made or "$ref" not in made:
        return {**made, "type": "object"}
    return {"allOf": [made, ANY_OBJECT]}


def json_rule(schema: Any) -> str:
    """JSON by a schema, with blanks that end."""
    options = {"whitespace_pattern": BLANK, "coerce_one_of": True}
    given = {} if schema is True else schema
    rule = given if given is False else {"x-guidance": options, **given}
    return f"%json {json.dumps(rule)}"
