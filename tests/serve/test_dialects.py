"""Mistral's dialect of chat: who is answered in it, and how thinking, prefixes and ends look."""

import json

import pytest

MISTRAL = {"x-api-dialect": "mistral"}
HELLO = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
SO_12 = [{"type": "text", "text": "so 12"}]


def ask(server, path="/v1/chat/completions", headers=MISTRAL, **fields):
    body = {"messages": HELLO, "temperature": 0, **fields}
    return server.client.post(path, json=body, headers=headers)


def message_of(server, **fields):
    return ask(server, **fields).json()["choices"][0]["message"]


def chunks_of(server, **fields):
    lines = ask(server, stream=True, **fields).text.split("\n\n")
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert data[-1] == "[DONE]"
    return [json.loads(one) for one in data[:-1]]


def contents_of(chunks):
    return [
        chunk["choices"][0]["delta"]["content"]
        for chunk in chunks
        if chunk["choices"][0]["delta"].get("content")
    ]


WAYS = [
    ("/mistral/v1/chat/completions", {}, {}, True),
    ("/mistral/v1/chat/completions/", {}, {}, True),
    ("/openai/v1/chat/completions", {}, {}, False),
    ("/openai/v1/chat/completions", MISTRAL, {}, False),
    ("/v1/chat/completions", MISTRAL, {}, True),
    ("/v1/chat/completions", {"user-agent": "mistral-client-python/3.7.0"}, {}, True),
    ("/v1/chat/completions", {"user-agent": "mistral-client-python/3.7.0",
                              "x-api-dialect": "openai"}, {}, False),
    ("/v1/chat/completions", {}, {}, False),
    ("/v1/chat/completions", {}, {"random_seed": 1}, True),
    ("/v1/chat/completions", {}, {"safe_prompt": False}, True),
    ("/v1/chat/completions", {}, {"prompt_mode": "reasoning"}, True),
    ("/v1/chat/completions", {}, {"prompt_mode": None}, False),
    ("/v1/chat/completions", {"x-api-dialect": "openai"}, {"random_seed": 1}, False),
    ("/v1/chat/completions", {}, {"messages": [
        *HELLO,
        {"role": "assistant", "content": [{"type": "thinking", "thinking": SO_12}]},
        *HELLO,
    ]}, True),
]  # fmt: skip


@pytest.mark.parametrize(("path", "headers", "fields", "is_mistral"), WAYS, ids=range(len(WAYS)))
def test_the_dialect_is_recognised(thinking_server, path, headers, fields, is_mistral):
    message = message_of(thinking_server, path=path, headers=headers, **fields)
    assert isinstance(message["content"], list) == is_mistral
    assert ("reasoning_content" in message) != is_mistral


def test_the_server_has_a_default(start, thinker):
    with start(thinker, default_dialect="mistral") as server:
        assert isinstance(message_of(server, headers={})["content"], list)
        message = message_of(server, headers={"x-api-dialect": "openai"})
        assert message["content"] == "46, yes"


def test_other_paths_are_mounted_below_both_prefixes(thinking_server):
    for prefix in ("/mistral", "/openai"):
        assert thinking_server.client.get(f"{prefix}/v1/models").status_code == 200
    assert thinking_server.client.get("/mistral/v1/connectors/bootstrap").status_code == 404


def test_thinking_is_a_part_of_the_content(thinking_server):
    assert message_of(thinking_server, reasoning_effort="high") == {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": SO_12, "closed": True},
            {"type": "text", "text": "46, yes"},
        ],
        "tool_calls": None,
        "prefix": False,
    }
    assert message_of(thinking_server, include_reasoning=False)["content"] == "46, yes"


def test_thinking_that_was_cut_is_not_closed(thinking_server):
    reply = ask(thinking_server, max_tokens=3).json()["choices"][0]
    (part,) = reply["message"]["content"]
    assert part["closed"] is False and reply["finish_reason"] == "length"
    chunks = chunks_of(thinking_server, max_tokens=3)
    assert not any(part.get("closed") for one in contents_of(chunks) for part in one)


def test_a_stream_of_thinking_hands_over_in_one_piece(thinking_server):
    chunks = chunks_of(thinking_server)
    contents = contents_of(chunks)
    place = next(at for at, one in enumerate(contents) if len(one) == 2 and isinstance(one, list))
    thinking = [part["thinking"][0]["text"] for one in contents[: place + 1] for part in one[:1]]
    assert all("closed" not in one[0] for one in contents[:place])
    assert contents[place][0]["closed"] is True and contents[place][1]["type"] == "text"
    assert all(isinstance(one, str) for one in contents[place + 1 :])
    assert "".join(thinking) == "so 12"
    assert contents[place][1]["text"] + "".join(contents[place + 1 :]) == "46, yes"


def test_usage_comes_with_the_end(thinking_server):
    whole = ask(thinking_server).json()["usage"]
    *others, last = chunks_of(thinking_server)
    assert all("usage" not in chunk for chunk in others) and last["usage"] == whole
    (choice,) = last["choices"]
    assert choice["delta"] == {"content": ""} and choice["finish_reason"] == "stop"
    *others, last = chunks_of(thinking_server, n=2)
    assert all("usage" not in chunk for chunk in others)
    assert last["usage"]["completion_tokens"] == 2 * whole["completion_tokens"]


def test_a_call_without_text_has_an_empty_string(calling_server, deliberate_server):
    message = message_of(calling_server, tools=[TOOL])
    assert message["content"] == "ok" and len(message["tool_calls"][0]["id"]) == 9
    message = message_of(deliberate_server, tools=[TOOL], include_reasoning=False)
    assert message["content"] == "" and message["tool_calls"][0]["function"]["name"] == "add"
    openai = message_of(deliberate_server, tools=[TOOL], headers={}, include_reasoning=False)
    assert openai["content"] is None


def test_the_end_of_thinking_stands_alone_before_a_call(deliberate_server):
    chunks = chunks_of(deliberate_server, tools=[TOOL])
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    place = next(at for at, delta in enumerate(deltas) if "tool_calls" in delta)
    assert deltas[place - 1]["content"][0]["closed"] is True
    assert len(deltas[place - 1]["content"]) == 1 and "content" not in deltas[place]
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_the_prefix_is_given_back(thinking_server):
    messages = [*HELLO, {"role": "assistant", "content": "46 ", "prefix": True}]
    assert message_of(thinking_server, messages=messages)["content"] == "46, yes"
    chunks = chunks_of(thinking_server, messages=messages)
    assert "".join(contents_of(chunks)) == "46, yes"
    openai = message_of(thinking_server, messages=messages, headers={})
    assert openai["content"] == ", yes"


def test_open_thinking_is_continued(thinking_server):
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "so 1"}], "closed": False}
    messages = [*HELLO, {"role": "assistant", "content": [thinking], "prefix": True}]
    content = message_of(thinking_server, messages=messages)["content"]
    assert content[0] == {"type": "thinking", "thinking": SO_12, "closed": True}
    assert content[1]["text"] == "46, yes"


def test_an_answer_can_be_sent_back_in_either_dialect(deliberate_server):
    for headers in ({}, MISTRAL):
        message = message_of(deliberate_server, tools=[TOOL], headers=headers)
        call_id = message["tool_calls"][0]["id"]
        result = {"role": "tool", "tool_call_id": call_id, "content": "2"}
        reply = ask(
            deliberate_server,
            messages=[*HELLO, message, result],
            tools=[TOOL],
            max_tokens=1,
            headers={**headers, "x-strict": "true"},
        )
        assert reply.status_code == 200, reply.text


def test_unknown_models_are_400_to_mistral(thinking_server):
    reply = ask(thinking_server, model="gpt-9")
    body = reply.json()
    assert reply.status_code == 400 == body["raw_status_code"]
    assert body["type"] == "invalid_model" and body["code"] == "1500"


def test_any_model_can_be_accepted(start, thinker):
    with start(thinker, accepts_any_model=True) as server:
        assert ask(server, model="gpt-9").json()["model"] == "tiny"


def test_a_safe_prompt_comes_before_the_system_prompt(thinking_server):
    lengths = [
        ask(thinking_server, safe_prompt=safe, messages=messages).json()["usage"]["prompt_tokens"]
        for messages in (HELLO, [{"role": "system", "content": "Be brief."}, *HELLO])
        for safe in (False, True)
    ]
    assert lengths[1] > lengths[0] + 20 and lengths[3] > lengths[2] + 20
