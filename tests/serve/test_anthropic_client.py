"""Anthropic's own client library against our server."""

import anthropic
import pytest

HELLO = [{"role": "user", "content": "hi"}]
TOOL = {"name": "add", "input_schema": {"type": "object"}}


def client_of(server):
    return anthropic.Anthropic(
        api_key="x", base_url=f"http://127.0.0.1:{server.port}", max_retries=0, timeout=30
    )


def asked(**fields):
    return {"model": "tiny", "max_tokens": 100, "messages": HELLO, **fields}


def test_a_message_whole_and_streamed(thinking_server):
    with client_of(thinking_server) as client:
        body = {"temperature": 0}
        message = client.messages.create(**asked(extra_body=body))
        with client.messages.stream(**asked(extra_body=body)) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
    for found in (message, final):
        thinking, answer = found.content
        assert thinking.thinking == "so 12" and thinking.signature and answer.text == "46, yes"
        assert found.stop_reason == "end_turn" and found.usage.output_tokens > 5
    assert text == "46, yes"


def test_a_turn_with_a_tool(deliberate_server):
    with client_of(deliberate_server) as client:
        with client.messages.stream(**asked(tools=[TOOL])) as stream:
            message = stream.get_final_message()
        call = message.content[-1]
        assert message.stop_reason == "tool_use" and call.name == "add" and call.input == {}
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "2"}
        messages = [
            *HELLO,
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": [result]},
        ]
        fields = asked(messages=messages, tools=[TOOL])
        assert client.messages.create(**fields).usage.input_tokens > 0
        del fields["max_tokens"]
        assert client.messages.count_tokens(**fields).input_tokens > 20


def test_errors_are_the_librarys_own(thinking_server):
    with client_of(thinking_server) as client:
        with pytest.raises(anthropic.NotFoundError, match="gpt-9"):
            client.messages.create(**asked(model="gpt-9"))
        with pytest.raises(anthropic.BadRequestError, match="maximum context length"):
            client.messages.create(**asked(messages=[{"role": "user", "content": "words " * 999}]))
