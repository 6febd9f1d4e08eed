"""OpenAI's own client library against our server, door by door."""

from typing import Literal

import openai
import pytest
from pydantic import BaseModel

HELLO = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}


def client_of(server):
    return openai.OpenAI(
        api_key="x", base_url=f"http://127.0.0.1:{server.port}/v1", max_retries=0, timeout=30
    )


def test_a_chat_whole_and_streamed(thinking_server):
    with client_of(thinking_server) as client:
        ask = {"model": "tiny", "messages": HELLO, "temperature": 0, "reasoning_effort": "high"}
        message = client.chat.completions.create(**ask).choices[0].message
        assert message.content == "46, yes" and message.reasoning_content == "so 12"
        with client.chat.completions.stream(**ask) as stream:
            kinds = {event.type for event in stream}
            final = stream.get_final_completion()
    assert "content.delta" in kinds and final.choices[0].message.content == "46, yes"


def test_a_turn_with_a_tool(calling_server):
    with client_of(calling_server) as client:
        ask = {"model": "tiny", "temperature": 0, "tools": [TOOL]}
        message = client.chat.completions.create(messages=HELLO, **ask).choices[0].message
        (call,) = message.tool_calls
        assert call.function.name == "add"
        result = {"role": "tool", "tool_call_id": call.id, "content": "2"}
        messages = [*HELLO, message, result]
        assert client.chat.completions.create(messages=messages, max_tokens=1, **ask).id
        with client.chat.completions.stream(messages=HELLO, **ask) as stream:
            final = stream.get_final_completion().choices[0]
    assert final.finish_reason == "tool_calls"
    assert final.message.tool_calls[0].function.arguments == "{ }"


def test_errors_are_the_librarys_own(thinking_server):
    with client_of(thinking_server) as client:
        with pytest.raises(openai.NotFoundError) as unknown:
            client.chat.completions.create(model="gpt-9", messages=HELLO)
        assert unknown.value.code == "model_not_found"
        with pytest.raises(openai.UnprocessableEntityError):
            client.chat.completions.create(model="tiny", messages=HELLO, reasoning_effort="x")
        with pytest.raises(openai.BadRequestError) as bad:
            client.chat.completions.create(model="tiny", messages=HELLO, temperature=9)
        assert bad.value.param == "temperature"


def test_a_response_whole_and_streamed(thinking_server):
    ask = {"model": "tiny", "input": "hi", "temperature": 0}
    with client_of(thinking_server) as client:
        response = client.responses.create(**ask)
        assert response.output_text == "46, yes" and response.usage.output_tokens > 5
        assert response.output[0].content[0].text == "so 12"
        with client.responses.stream(**ask) as stream:
            deltas = [one.delta for one in stream if one.type == "response.output_text.delta"]
            final = stream.get_final_response()
    assert "".join(deltas) == final.output_text == "46, yes"
    assert final.status == "completed"


def test_a_response_with_a_tool(deliberate_server):
    tool = {"type": "function", "name": "add", "parameters": {"type": "object"}, "strict": False}
    fields = {"model": "tiny", "temperature": 0, "tools": [tool], "store": False}
    fields["include"] = ["reasoning.encrypted_content"]
    with client_of(deliberate_server) as client:
        with client.responses.stream(input="hi", **fields) as stream:
            kinds = {event.type for event in stream}
            output = stream.get_final_response().output
        assert "response.function_call_arguments.done" in kinds
        result = {"type": "function_call_output", "call_id": output[1].call_id, "output": "2"}
        items = [{"role": "user", "content": "hi"}, *output, result]
        again = client.responses.create(input=items, **{**fields, "max_output_tokens": 1})
        assert again.usage.input_tokens > 0
        counted = client.responses.input_tokens.count(model="tiny", input=items, tools=[tool])
        assert counted.input_tokens == again.usage.input_tokens


class Point(BaseModel):
    x: Literal[1, 2, 3]
    kind: Literal["red", "blue"]


def test_answers_and_calls_are_parsed_into_types(random_server):
    with client_of(random_server) as client:
        ask = {"model": "tiny", "temperature": 2, "max_tokens": 200}
        parsed = client.chat.completions.parse(messages=HELLO, response_format=Point, **ask)
        assert isinstance(parsed.choices[0].message.parsed, Point)
        tool = openai.pydantic_function_tool(Point, name="point")
        parsed = client.chat.completions.parse(
            messages=HELLO, tools=[tool], tool_choice="required", parallel_tool_calls=False, **ask
        )
        (call,) = parsed.choices[0].message.tool_calls
        assert isinstance(call.function.parsed_arguments, Point)
        response = client.responses.parse(
            model="tiny", input="hi", text_format=Point, temperature=2, max_output_tokens=200
        )
        assert isinstance(response.output_parsed, Point)
