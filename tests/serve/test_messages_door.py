"""`POST /v1/messages`: Anthropic's shapes in, its blocks and events out."""

import base64
import json

import pytest
from starlette.responses import JSONResponse

from bise.serve.blocks import Block
from bise.serve.messages_reply import input_json

HELLO = [{"role": "user", "content": "hi"}]
TOOL = {"name": "add", "input_schema": {"type": "object"}}


def send(server, path="/v1/messages", **fields):
    body = {"model": "tiny", "max_tokens": 100, "messages": HELLO, "temperature": 0, **fields}
    return server.client.post(path, json=body)


def events_of(server, **fields):
    """The events of a stream; each has its name twice."""
    reply = send(server, stream=True, **fields)
    assert reply.headers["content-type"].startswith("text/event-stream")
    found = []
    for lines in reply.text.strip().split("\n\n"):
        name, data = lines.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def put_together(events):
    """The message a client makes of a stream."""
    message = events[0]["message"]
    for event in events:
        if event["type"] == "content_block_start":
            assert event["index"] == len(message["content"])
            message["content"].append(dict(event["content_block"]))
            gathered = ""
        elif event["type"] == "content_block_delta":
            block, delta = message["content"][event["index"]], event["delta"]
            if delta["type"] == "input_json_delta":
                gathered += delta["partial_json"]
            else:
                name = delta["type"].removesuffix("_delta")
                block[name] += delta[name]
        elif event["type"] == "content_block_stop" and gathered:
            message["content"][event["index"]]["input"] = json.loads(gathered)
        elif event["type"] == "message_delta":
            message |= event["delta"]
            message["usage"] |= event["usage"]
    return message


def without_ids(message):
    blocks = [{**block, "id": None} for block in message["content"]]
    return {**message, "id": None, "content": blocks, "usage": None}


def test_a_whole_reply_has_blocks_and_usage(thinking_server):
    reply = send(thinking_server, thinking={"type": "enabled", "budget_tokens": 1024})
    body = reply.json()
    thinking, text = body["content"]
    assert body["type"] == "message" and body["role"] == "assistant" and body["model"] == "tiny"
    assert body["id"].startswith("msg_") and reply.headers["x-reasoning-effort"] == "high"
    assert thinking["type"] == "thinking" and thinking["thinking"] == "so 12"
    assert thinking["signature"] and text == {"type": "text", "text": "46, yes"}
    assert body["stop_reason"] == "end_turn" and body["stop_sequence"] is None
    usage = body["usage"]
    assert usage["input_tokens"] + usage["cache_read_input_tokens"] > 5
    assert usage["output_tokens"] > 5 and usage["cache_creation_input_tokens"] == 0


def test_a_stream_makes_the_same_message(thinking_server, calling_server, deliberate_server):
    for server, fields in (
        (thinking_server, {}),
        (calling_server, {"tools": [TOOL]}),
        (deliberate_server, {"tools": [TOOL]}),
    ):
        events = events_of(server, **fields)
        kinds = [event["type"] for event in events]
        assert kinds[:2] == ["message_start", "ping"] and kinds[-1] == "message_stop"
        assert events[0]["message"]["stop_reason"] is None
        assert kinds[-2] == "message_delta" and events[-2]["usage"]["output_tokens"] > 3
        whole = send(server, **fields).json()
        assert without_ids(put_together(events)) == without_ids(whole)


def test_calls_are_blocks_with_their_input(calling_server):
    body = send(calling_server, tools=[TOOL]).json()
    text, call = body["content"]
    assert text["text"] == "ok" and body["stop_reason"] == "tool_use"
    assert call["id"].startswith("toolu_") and len(call["id"]) == len("toolu_") + 9
    assert call["name"] == "add" and call["input"] == {}
    cut = send(calling_server, tools=[TOOL], max_tokens=5).json()
    assert cut["stop_reason"] == "max_tokens" and len(cut["content"]) == 1


@pytest.mark.parametrize(
    "arguments",
    ['{"x": 1e999}', '{"x": [-1e400]}', '{"x": NaN}', r'{"x": "\ud800"}', "[1]", '{"x":' * 3000],
    ids=range(6),
)
def test_arguments_that_no_answer_could_hold_stay_as_they_were_written(arguments):
    block = Block("call", 0, text=arguments)
    assert input_json(block) == {"input": {"_raw": arguments}}
    assert JSONResponse(input_json(block)).status_code == 200
    assert input_json(Block("call", 0, text='{"x": 1e99}')) == {"input": {"x": 1e99}}


def test_a_whole_turn_with_a_tool_can_be_sent_back(deliberate_server):
    content = send(deliberate_server, tools=[TOOL]).json()["content"]
    result = {"type": "tool_result", "tool_use_id": content[1]["id"], "content": "2"}
    messages = [
        *HELLO,
        {"role": "assistant", "content": content},
        {"role": "user", "content": [{"type": "text", "text": "so?"}, result]},
    ]
    reply = send(deliberate_server, messages=messages, tools=[TOOL], max_tokens=1)
    assert reply.status_code == 200 and "x-request-repairs" not in reply.headers
    for inner in ([{"type": "text", "text": "2"}], None):
        result["content"] = inner
        assert send(deliberate_server, messages=messages, max_tokens=1).status_code == 200


def rendered(server, **fields):
    """What the model reads of a body."""
    return send(server, "/v1/messages/count_tokens", **fields).json()["input_tokens"]


def test_input_is_what_the_same_chat_would_be(thinking_server, red_square):
    data = base64.b64encode(red_square.read_bytes()).decode()
    source = {"type": "base64", "media_type": "image/png", "data": data}
    ours = rendered(
        thinking_server,
        system=[{"type": "text", "text": "Be", "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "brief"}],
        messages=[
            {"role": "user", "content": [{"type": "image", "source": source},
                                         {"type": "text", "text": "what"}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "x"},
                {"type": "redacted_thinking", "data": "y"},
                {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "2"}]},
        ],
        tools=[TOOL, {"type": "web_search_20250305", "name": "web_search"}],
    )  # fmt: skip
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    chat = thinking_server.post(
        "/tokenize",
        messages=[
            {"role": "system", "content": "Be\n\nbrief"},
            {"role": "user", "content": [
                {"type": "image_url", "image_url": f"data:image/png;base64,{data}"},
                {"type": "text", "text": "what"}]},
            {"role": "assistant", "reasoning_content": "hm", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "2"},
        ],
        tools=[{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}],
    )  # fmt: skip
    assert ours == chat.json()["count"]


def test_what_is_left_out_is_named(thinking_server):
    reply = send(
        thinking_server,
        max_tokens=1,
        tools=[TOOL, {"type": "bash_20250124", "name": "bash"}],
        metadata={"user_id": "x"},
        foo=1,
    )
    assert reply.headers["x-ignored-params"] == "foo,metadata,tools[1]"


def test_stop_sequences_limits_and_prefills(thinking_server):
    body = send(thinking_server, stop_sequences=[", y"]).json()
    assert body["content"][1]["text"] == "46"
    assert (body["stop_reason"], body["stop_sequence"]) == ("stop_sequence", ", y")
    assert send(thinking_server, max_tokens=3).json()["stop_reason"] == "max_tokens"
    prefill = [*HELLO, {"role": "assistant", "content": "46"}]
    (block,) = send(thinking_server, messages=prefill).json()["content"]
    assert block == {"type": "text", "text": ", yes"}


def test_a_note_in_the_middle_is_kept(thinking_server):
    note = [
        *HELLO,
        {"role": "assistant", "content": "x"},
        {"role": "system", "content": "note"},
    ]
    reply = send(thinking_server, messages=note, max_tokens=1)
    assert reply.headers["x-request-repairs"] == "system-to-user"


EFFORTS = [
    ({}, "none"),
    ({"thinking": {"type": "adaptive"}}, "high"),
    ({"thinking": {"type": "disabled"}}, "none"),
    ({"output_config": {"effort": "low"}}, "high"),
    ({"output_config": {"effort": "none"}, "thinking": {"type": "adaptive"}}, "none"),
    ({"output_config": {"effort": "high"}, "thinking": {"type": "disabled"}}, "none"),
]


@pytest.mark.parametrize(("fields", "used"), EFFORTS, ids=range(len(EFFORTS)))
def test_efforts(thinking_server, fields, used):
    reply = send(thinking_server, max_tokens=1, **fields)
    assert reply.headers["x-reasoning-effort"] == used


def test_text_is_a_form_and_failed_tools_are_named(thinking_server):
    reply = send(thinking_server, output_config={"format": {"type": "text"}})
    assert reply.status_code == 200, reply.text
    use = {"type": "tool_use", "id": "t1", "name": "add", "input": {}}
    said = [*HELLO, {"role": "assistant", "content": [use]}]
    for is_error in (True, False):
        result = {"type": "tool_result", "tool_use_id": "t1", "content": "x", "is_error": is_error}
        messages = [*said, {"role": "user", "content": [result]}]
        named = send(thinking_server, messages=messages).headers.get("x-ignored-params")
        assert named == ("messages[2].content[0].is_error" if is_error else None)


WRONG = [
    ({"thinking": {"type": 3}}, 400, "invalid_request_error", "`thinking.type`"),
    ({"output_config": {"format": {"type": "poem"}}}, 400, "invalid_request_error", "`poem`"),
    ({"output_config": {"format": {"schema": {"type": "x"}}}}, 400, "invalid_request_error",
     "schema.type"),
    ({"stop_sequences": [3] * 5000}, 400, "invalid_request_error", "5,000 entries"),
    ({"max_tokens": None}, 400, "invalid_request_error", "`max_tokens` is missing"),
    ({"messages": []}, 400, "invalid_request_error", "at least one message"),
    ({"messages": [{"role": "robot", "content": "x"}]}, 400, "invalid_request_error", "`user`"),
    ({"messages": [{"role": "user"}]}, 400, "invalid_request_error", "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"type": "document"}]}]}, 400,
     "invalid_request_error", "`document`"),
    ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, 400,
     "invalid_request_error", "messages[0].content[0].source"),
    ({"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "1"}]}]}, 400,
     "invalid_request_error", "messages[0].content[0].input"),
    ({"thinking": {"type": "enabled", "budget_tokens": 3}}, 400, "invalid_request_error", "1024"),
    ({"output_config": {"effort": "extreme"}}, 400, "invalid_request_error", "`extreme`"),
    ({"output_config": {"format": {"type": "json_schema", "schema": {"not": {}}}}}, 400,
     "invalid_request_error", "json_schema.schema.not"),
    ({"output_config": {"format": {"type": "json_schema"}}}, 400,
     "invalid_request_error", "has no `schema`"),
    ({"tool_choice": {"type": "any"}}, 400, "invalid_request_error", "no `tools`"),
    ({"tool_choice": {"type": "tool", "name": "sub"}, "tools": [TOOL]}, 400,
     "invalid_request_error", "`sub`"),
    ({"temperature": 7}, 400, "invalid_request_error", "`temperature`"),
    ({"model": "gpt-9"}, 404, "not_found_error", "`gpt-9`"),
    ({"messages": [{"role": "user", "content": "many words " * 300}]}, 400,
     "invalid_request_error", "maximum context length is 512 tokens"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status", "kind", "words"), WRONG, ids=range(len(WRONG)))
def test_errors_have_anthropics_shape(thinking_server, fields, status, kind, words):
    for stream in (False, True):
        reply = send(thinking_server, stream=stream, **fields)
        body = reply.json()
        assert reply.status_code == status, body
        assert body["type"] == "error" and body["error"]["type"] == kind
        assert words in body["error"]["message"], body
        assert body["request_id"] == reply.headers["x-request-id"]


def test_errors_before_the_door_have_it_too(thinking_server):
    reply = thinking_server.client.post("/v1/messages?beta=true", content=b"{")
    assert reply.status_code == 400 and reply.json()["type"] == "error"
    reply = thinking_server.client.get("/v1/messages", headers={"origin": "https://evil.example"})
    assert reply.json()["error"]["type"] == "permission_error"


def test_a_stream_that_breaks_off_says_so(start, chatterbox):
    with start(chatterbox) as server:
        body = {"max_tokens": 100_000, "messages": HELLO, "stream": True}
        with server.client.stream("POST", "/v1/messages", json=body) as reply:
            lines = reply.iter_lines()
            while "content_block_delta" not in next(lines):
                pass
            server.served.talker.engine.close()
            *_, last = [line for line in lines if line.startswith("data: ")]
    error = json.loads(last.removeprefix("data: "))
    assert error["type"] == "error" and error["error"]["type"] == "overloaded_error"
