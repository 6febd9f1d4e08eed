"""Mistral's own client library against our server: nothing is lost between the two."""

from typing import Literal

import mistralai.client as mistral
import pytest
from pydantic import BaseModel

HELLO = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}


def client_of(server, path=""):
    return mistral.Mistral(api_key="x", server_url=f"http://127.0.0.1:{server.port}{path}")


def parts_of(content):
    """Thinking and text of a content, whole or a piece of a stream."""
    if isinstance(content, str):
        return "", content
    thinking = [one for part in content if part.type == "thinking" for one in part.thinking]
    text = [part.text for part in content if part.type == "text"]
    return "".join(one.text for one in thinking), "".join(text)


@pytest.mark.parametrize("path", ["", "/mistral"])
def test_a_reply_has_its_thinking(thinking_server, path):
    with client_of(thinking_server, path) as client:
        reply = client.chat.complete(
            model="tiny", messages=HELLO, temperature=0, reasoning_effort="high"
        )
    (choice,) = reply.choices
    assert parts_of(choice.message.content) == ("so 12", "46, yes")
    assert choice.message.content[0].closed is True and choice.finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_a_stream_has_it_too(thinking_server):
    with client_of(thinking_server) as client:
        events = list(client.chat.stream(model="tiny", messages=HELLO, temperature=0))
    deltas = [event.data.choices[0].delta for event in events]
    pieces = [parts_of(delta.content) for delta in deltas]
    assert "".join(piece[0] for piece in pieces) == "so 12"
    assert "".join(piece[1] for piece in pieces) == "46, yes"
    assert events[-1].data.usage.completion_tokens > 0


def test_a_turn_with_a_tool(deliberate_server):
    with client_of(deliberate_server) as client:
        ask = {"model": "tiny", "temperature": 0, "tools": [TOOL]}
        message = client.chat.complete(messages=HELLO, **ask).choices[0].message
        (call,) = message.tool_calls
        assert call.function.name == "add" and len(call.id) == 9
        result = {"role": "tool", "tool_call_id": call.id, "name": "add", "content": "2"}
        after = client.chat.complete(messages=[*HELLO, message, result], max_tokens=1, **ask)
        assert after.usage.prompt_tokens > 0
        events = list(client.chat.stream(messages=HELLO, **ask))
    calls = [call for event in events for call in event.data.choices[0].delta.tool_calls or []]
    (call,) = calls
    assert call.function.name == "add" and call.function.arguments == "{ }"


def test_logprobs_and_models(thinking_server):
    with client_of(thinking_server) as client:
        reply = client.chat.complete(
            model="tiny", messages=HELLO, temperature=0, logprobs=True, top_logprobs=1
        )
        assert reply.choices[0].logprobs.content[0].token == "[THINK]"
        card = client.models.list().data[0]
    assert card.id == "tiny" and card.max_context_length == 512


def test_errors_are_the_librarys_own(thinking_server):
    from mistralai.client.errors import SDKError

    last_word = [*HELLO, {"role": "assistant", "content": "x"}]
    with client_of(thinking_server) as client:
        for fields, words in (
            ({"model": "gpt-9"}, "gpt-9"),
            ({"messages": last_word}, "last role"),
        ):
            with pytest.raises(SDKError, match=words) as caught:
                client.chat.complete(**{"model": "tiny", "messages": HELLO} | fields)
            assert caught.value.status_code == 400


def test_a_response_whole_and_streamed(thinking_server):
    with client_of(thinking_server) as client:
        ask = {"model": "tiny", "input": "hi", "temperature": 0}
        response = client.responses.create(**ask)
        assert response.output[1].content[0].text == "46, yes"
        events = list(client.responses.create(stream=True, **ask))
        counted = client.responses.count_input_tokens(model="tiny", input="hi")
    assert events[-1].data.type == "response.completed"
    assert counted.input_tokens == response.usage.input_tokens


class Point(BaseModel):
    x: Literal[1, 2, 3]
    kind: Literal["red", "blue"]


def test_an_answer_is_parsed_into_a_type(random_server):
    with client_of(random_server) as client:
        parsed = client.chat.parse(
            Point, model="tiny", messages=HELLO, temperature=1, max_tokens=200
        )
    assert isinstance(parsed.choices[0].message.parsed, Point)
