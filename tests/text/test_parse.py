"""Conversations and tools from JSON."""

from typing import Any

import pytest

from bise.errors import BadRequest, UserError, WrongType
from bise.text import (
    ImagePart,
    Message,
    TextPart,
    ThinkPart,
    Tool,
    ToolCall,
    parse_messages,
    parse_tools,
)


def parse_one(**message: Any) -> Message:
    return parse_messages([message])[0]


@pytest.mark.parametrize(
    ("word", "role"),
    [("system", "system"), ("developer", "system"), ("user", "user"), ("function", "tool")],
)
def test_every_role_is_read(word: str, role: str):
    assert parse_one(role=word, content="Hi") == Message(role, (TextPart("Hi"),))  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [None, []])
def test_no_content_is_no_parts(content: Any):
    assert parse_one(role="user", content=content).parts == ()
    assert parse_one(role="user").parts == ()


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "text", "text": "a"}, TextPart("a")),
        ({"type": "input_text", "text": "a"}, TextPart("a")),
        ({"type": "output_text", "text": "a", "annotations": []}, TextPart("a")),
        ({"type": "refusal", "refusal": "no"}, TextPart("no")),
        ({"type": "image_url", "image_url": "data:x"}, ImagePart("data:x")),
        ({"type": "image_url", "image_url": {"url": "data:x"}}, ImagePart("data:x")),
        (
            {"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}},
            ImagePart("data:x", "low"),
        ),
        (
            {"type": "input_image", "image_url": "data:x", "detail": "high"},
            ImagePart("data:x", "high"),
        ),
        ({"type": "thinking", "thinking": "a"}, ThinkPart("a")),
        ({"type": "thinking", "thinking": "a", "closed": False}, ThinkPart("a", closed=False)),
        (
            {
                "type": "thinking",
                "thinking": [
                    {"type": "text", "text": "a"},
                    {"type": "reference", "reference_ids": [1]},
                    {"type": "text", "text": "b"},
                ],
                "closed": True,
                "signature": "s",
            },
            ThinkPart("ab"),
        ),
    ],
)
def test_every_kind_of_part_is_read(part: dict[str, Any], expected: object):
    assert parse_one(role="assistant", content=[part]).parts == (expected,)


def test_reasoning_fields_become_thinking():
    think, text = ThinkPart("Hm."), TextPart("Yes.")
    for fields in (
        {"reasoning_content": "Hm."},
        {"reasoning": "Hm."},
        {"reasoning_content": "Hm.", "reasoning": "Hm."},
    ):
        assert parse_one(role="assistant", content="Yes.", **fields).parts == (think, text)
    assert parse_one(role="assistant", reasoning="Hm.").parts == (think,)
    assert parse_one(role="assistant", content="Yes.", reasoning="").parts == (text,)


def test_a_thinking_part_wins_over_reasoning_fields():
    content = [{"type": "thinking", "thinking": "a"}]
    parts = parse_one(role="assistant", content=content, reasoning="b").parts
    assert parts == (ThinkPart("a"),)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [('{"a":1}', '{"a":1}'), ({"a": "é"}, '{"a": "é"}'), (None, "{}"), ("", ""), ("{bad", "{bad")],
)
def test_calls_are_read(arguments: Any, expected: str):
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    message = parse_one(role="assistant", content=None, tool_calls=[call], prefix=True)
    assert message == Message("assistant", (), (ToolCall("c", "f", expected),), prefix=True)


def test_results_are_read():
    message = parse_one(role="tool", content="ok", tool_call_id="c", name="f")
    assert message == Message("tool", (TextPart("ok"),), tool_call_id="c", name="f")


def test_tools_are_read_in_both_forms():
    schema = {"type": "object"}
    function = {"name": "f", "description": "d", "parameters": schema, "strict": True}
    expected = [Tool("f", "d", schema, strict=True)]
    assert parse_tools([{"type": "function", "function": function}]) == expected
    assert parse_tools([{"type": "function", **function}]) == expected
    bare = {"name": "f", "description": None, "parameters": None, "strict": None}
    assert parse_tools([{"type": "function", "function": bare}]) == [Tool("f")]
    assert parse_tools(None) == parse_tools([]) == []


CALL = {"id": "c", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("messages", "kind", "message"),
    [
        (None, WrongType, "`messages` is missing, expected a list"),
        ("Hi", WrongType, "`messages` is a string, expected a list"),
        (["Hi"], WrongType, r"`messages\[0\]` is a string, expected an object"),
        ([{"content": "Hi"}], WrongType, r"`messages\[0\].role` is missing"),
        ([{"role": "robot"}], WrongType, r"`messages\[0\].role` is `robot`, expected one of"),
        ([{"role": "user", "content": 3}], WrongType, "is a number, expected a string or a list"),
        ([{"role": "user", "content": [3]}], WrongType, r"content\[0\]` is a number"),
        ([{"role": "user", "content": [{}]}], WrongType, r"content\[0\].type` is missing"),
        ([{"role": "user", "content": [{"type": "smell"}]}], WrongType, "is `smell`, expected"),
        ([{"role": "user", "content": [{"type": "file"}]}], BadRequest, "type `file`"),
        ([{"role": "user", "content": [{"type": "text"}]}], WrongType, "text` is missing"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], WrongType, "image_url` is miss"),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}],
            WrongType,
            "image_url.url` is missing",
        ),
        (
            [{"role": "user", "content": [{"type": "input_image", "image_url": "", "detail": 1}]}],
            WrongType,
            "has detail `1`",
        ),
        ([{"role": "assistant", "prefix": "yes"}], WrongType, "prefix` is a string"),
        ([{"role": "assistant", "tool_calls": {}}], WrongType, "tool_calls` is an object"),
        ([{"role": "assistant", "tool_calls": [{}]}], WrongType, "function` is missing"),
        (
            [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": 1}}]}],
            WrongType,
            "arguments` is a number",
        ),
        ([{"role": "assistant", "tool_calls": [{**CALL, "id": 1}]}], WrongType, "id` is a number"),
        (
            [{"role": "assistant", "reasoning": "a", "reasoning_content": "b"}],
            BadRequest,
            "should be equal",
        ),
        ([{"role": "tool", "tool_call_id": 3}], WrongType, "tool_call_id` is a number"),
    ],
)
def test_what_cannot_be_read_names_its_place(messages: Any, kind: type[UserError], message: str):
    with pytest.raises(kind, match=message):
        parse_messages(messages)


@pytest.mark.parametrize(
    ("tools", "kind", "message"),
    [
        ({}, WrongType, "`tools` is an object"),
        ([{"type": "web_search"}], BadRequest, "of type `web_search`"),
        ([{"type": "function"}], WrongType, r"`tools\[0\].name` is missing"),
        ([{"function": {}}], WrongType, r"`tools\[0\].function.name` is missing"),
        ([{"function": {"name": "f", "parameters": []}}], WrongType, "parameters` is a list"),
    ],
)
def test_tools_that_cannot_be_read_name_their_place(
    tools: Any, kind: type[UserError], message: str
):
    with pytest.raises(kind, match=message):
        parse_tools(tools)
