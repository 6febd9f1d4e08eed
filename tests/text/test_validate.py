"""Conversations nobody was trained to continue; mistral-common refuses the same ones."""

from typing import Any

import pytest
from mistral_oracle import Oracle, encode_request

from bise.errors import BadRequest
from bise.text import ChatFormat

USER = {"role": "user", "content": "Hi"}
SYSTEM = {"role": "system", "content": "Be brief."}
YES = {"role": "assistant", "content": "Yes."}


def call(*names: str, name: str = "f", **fields: Any) -> dict[str, Any]:
    """A turn of the assistant that only calls."""
    calls = [{"id": each, "function": {"name": name, "arguments": "{}"}} for each in names]
    return {"role": "assistant", "tool_calls": calls, **fields}


def result(call_id: str | None, **fields: Any) -> dict[str, Any]:
    return {"role": "tool", "content": "ok", "tool_call_id": call_id, **fields}


THINKING = {"type": "thinking", "thinking": "Hm."}
IMAGE = {"type": "image_url", "image_url": "data:image/png;base64,AAAA"}

REFUSED = [
    ([], "at least one message"),
    ([YES], "must start with a user message"),
    ([USER, YES], "Expected last role User or Tool"),
    ([USER, call("a")], "Expected last role User or Tool"),
    ([USER, YES, SYSTEM, USER], "Unexpected role 'system' after role 'assistant'"),
    ([USER, call("a"), result("a"), SYSTEM, USER], "Unexpected role 'system' after role 'tool'"),
    ([USER, result("a")], "Unexpected role 'tool' after role 'user'"),
    ([SYSTEM, result("a")], "Unexpected role 'tool' after role 'system'"),
    ([USER, {**YES, "prefix": True}, USER], "prefix True must be last"),
    ([USER, call("a"), USER, YES, USER], "Not the same number"),
    ([USER, call("a", "b"), result("a"), YES, USER], "Not the same number"),
    ([USER, call("a"), call("b"), result("b")], "Not the same number"),
    ([USER, call("a"), result("b")], "Unexpected tool call id b"),
    ([USER, YES, result("a")], "Unexpected tool call id a"),
    ([USER, call("a"), result("a"), result("a")], "Duplicate tool call id a in tool results"),
    ([USER, call("a", "a"), result("a")], "Duplicate tool call id a in assistant"),
    ([USER, call("a"), result(None)], "Tool call id"),
    ([USER, call("a"), result("")], "Tool call id"),
    ([USER, call("null"), result("null")], "other than 'null'"),
    ([USER, call("a", name="f g"), result("a")], "Function name was f g"),
    ([USER, call("a", name=""), result("a")], "Function name was"),
    ([USER, call("a", name="f" * 65), result("a")], "Function name was"),
    ([USER, call("a"), result("a", name="é")], "Function name was é"),
    ([USER, {"role": "assistant", "content": ""}, USER], "either content or tool_calls"),
    ([USER, {"role": "assistant", "content": None}, USER], "either content or tool_calls"),
    ([{"role": "system", "content": [THINKING]}, USER], "Unexpected content in system message"),
    ([{"role": "user", "content": [THINKING]}], "Unexpected content in user message"),
    ([{"role": "system", "content": [IMAGE]}, USER], "Unexpected content in system message"),
    ([USER, {"role": "assistant", "content": [IMAGE]}, USER], "Unexpected content in assistant"),
    ([USER, call("a"), result("a", content=[THINKING])], "Unexpected content in tool message"),
]


@pytest.mark.parametrize(("messages", "message"), REFUSED)
def test_impossible_conversations_are_refused(
    chat: ChatFormat, messages: list[dict[str, Any]], message: str
):
    with pytest.raises(BadRequest, match=message):
        encode_request(chat, {"messages": messages})


@pytest.mark.parity
@pytest.mark.parametrize(("messages", "_"), REFUSED)
def test_mistral_common_refuses_them_too(oracle: Oracle, messages: list[Any], _: str):
    from mistral_common.exceptions import MistralCommonException

    with pytest.raises((MistralCommonException, ValueError)):
        oracle.encode({"messages": messages})


def test_the_first_word_is_never_the_assistants(chat: ChatFormat):
    with pytest.raises(BadRequest, match="must start with"):
        encode_request(chat, {"messages": [YES, USER]})


@pytest.mark.parametrize("messages", [[USER], [USER, {**YES, "prefix": True}], [USER, YES, USER]])
def test_training_wants_the_assistants_last_word(chat: ChatFormat, messages: list[Any]):
    with pytest.raises(BadRequest, match="for training"):
        encode_request(chat, {"messages": messages}, finished=True)


@pytest.mark.parity
@pytest.mark.parametrize(
    "messages",
    [
        [SYSTEM],
        [SYSTEM, SYSTEM],
        [USER, SYSTEM],
        [SYSTEM, YES, USER],
        [USER, call("a"), USER],
        [USER, call("a", "b"), result("b")],
        [USER, call("a", "b"), result("b"), USER],
        [USER, call("a"), result("a"), USER, USER],
        [USER, YES, call("a"), result("a")],
        [USER, call("a", prefix=True)],
        [USER, YES, {**YES, "prefix": True}],
        [USER, {"role": "assistant", "content": [{**THINKING, "closed": False}]}, YES, USER],
        [USER, call("a"), result("a"), call("a"), result("a")],
    ],
)
def test_unusual_conversations_equal_mistral_common(
    chat: ChatFormat, oracle: Oracle, messages: list[Any]
):
    request = {"messages": messages}
    assert encode_request(chat, request).ids == oracle.encode(request).tokens


@pytest.mark.parametrize("name", ["", "a b", "é", "x" * 65, "f\n"])
def test_tools_have_plain_names(chat: ChatFormat, name: str):
    tools = [{"function": {"name": name}}]
    with pytest.raises(BadRequest, match="Function name was"):
        encode_request(chat, {"messages": [USER], "tools": tools})


def test_tools_have_a_proper_schema(chat: ChatFormat):
    tools = [{"function": {"name": "f", "parameters": {"type": "text"}}}]
    with pytest.raises(BadRequest, match=r"Invalid tool schema of `f`: `parameters.type`"):
        encode_request(chat, {"messages": [USER], "tools": tools})
