"""`POST /v1/conversations`, as far as it needs no memory."""

import json

import mistralai.client as mistral
import pytest

TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
ARGS = {"temperature": 0}


def send(server, inputs="hi", **fields):
    body = {"model": "tiny", "inputs": inputs, "stream": False, "store": False}
    return server.post("/v1/conversations", **{**body, "completion_args": ARGS, **fields})


def test_an_answer_is_entries(thinking_server, calling_server):
    body = send(thinking_server).json()
    assert body["object"] == "conversation.response"
    assert body["conversation_id"].startswith("conv_")
    (entry,) = body["outputs"]
    assert (entry["object"], entry["type"]) == ("entry", "message.output")
    thinking, text = entry["content"]
    assert thinking["thinking"][0]["text"] == "so 12" and thinking["closed"] is True
    assert text == {"type": "text", "text": "46, yes"}
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    message, call = send(calling_server, tools=[TOOL]).json()["outputs"]
    assert message["content"] == "ok" and call["type"] == "function.call"
    assert call["name"] == "add" and call["arguments"] == "{ }" and len(call["tool_call_id"]) == 9


def test_entries_can_be_sent_back(deliberate_server):
    outputs = send(deliberate_server, tools=[TOOL]).json()["outputs"]
    question = {"object": "entry", "type": "message.input", "role": "user", "prefix": False,
                "content": [{"type": "text", "text": "hi"}]}  # fmt: skip
    result = {"type": "function.result", "tool_call_id": outputs[-1]["tool_call_id"]}
    inputs = [question, *outputs, {**result, "result": "2"}]
    reply = send(deliberate_server, inputs, completion_args={"max_tokens": 1})
    assert reply.status_code == 200 and "x-request-repairs" not in reply.headers
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{ }"}}
    thinking = {"type": "thinking", "thinking": "12"}
    chat = deliberate_server.post(
        "/tokenize",
        messages=[
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [thinking], "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "2"},
        ],
    )
    assert reply.json()["usage"]["prompt_tokens"] == chat.json()["count"]


def test_instructions_arguments_and_prefixes(thinking_server):
    reply = send(
        thinking_server,
        instructions="Be brief.",
        completion_args={
            **ARGS, "stop": ", y", "reasoning_effort": "high", "foo": 1, "random_seed": 3,
            "prediction": {"type": "content", "content": "46"},
        },
        name="x",
    )  # fmt: skip
    assert reply.headers["x-reasoning-effort"] == "high"
    named = reply.headers["x-ignored-params"]
    assert named == "name,completion_args.foo"
    assert reply.json()["outputs"][0]["content"][1]["text"] == "46"
    begun = {"type": "message.input", "role": "assistant", "content": "46", "prefix": True}
    inputs = [{"type": "message.input", "role": "user", "content": "hi"}, begun]
    assert send(thinking_server, inputs).json()["outputs"][0]["content"] == ", yes"


def test_an_assistant_may_have_said_nothing(thinking_server):
    inputs = [{"role": "user", "content": "a"}, {"type": "message.output", "content": None},
              {"role": "user", "content": "b"}]  # fmt: skip
    reply = send(thinking_server, inputs, completion_args={"max_tokens": 1})
    assert reply.status_code == 200, reply.text
    wrong = [*inputs, {"type": "message.output", "content": {}}]
    refused = send(thinking_server, wrong)
    assert refused.status_code == 422 and "`inputs[3].content`" in refused.json()["message"]


def events_of(server, **fields):
    lines = send(server, stream=True, **fields).text.split("\n\n")
    pairs = [line.split("\n") for line in lines if line.startswith("event: ")]
    events = [json.loads(data.removeprefix("data: ")) for _, data in pairs]
    assert [name.removeprefix("event: ") for name, _ in pairs] == [one["type"] for one in events]
    return events


def test_a_stream_tells_the_same_piece_by_piece(thinking_server, calling_server, deliberate_server):
    servers = ((thinking_server, {}), (calling_server, {"tools": [TOOL]}),
               (deliberate_server, {"tools": [TOOL]}))  # fmt: skip
    for server, fields in servers:
        whole = send(server, **fields).json()
        first, *middle, last = events_of(server, **fields)
        assert first["type"] == "conversation.response.started"
        assert first["conversation_id"].startswith("conv_")
        assert last["type"] == "conversation.response.done" and last["usage"] == whole["usage"]
        assert gathered(middle) == shortened(whole["outputs"])


def gathered(events):
    """Entries from the pieces of a stream, by their places."""
    entries = {}
    for event in events:
        entry = entries.setdefault(event["output_index"], [])
        if event["type"] == "function.call.delta":
            entry.append(("call", event["name"], event["arguments"]))
            continue
        is_text = isinstance(event["content"], str)
        text = event["content"] if is_text else event["content"]["thinking"][0]["text"]
        kind = ("text" if is_text else "thinking", event["content_index"])
        entry.append((kind, text))
    assert list(entries) == list(range(len(entries)))
    return [joined(entry) for entry in entries.values()]


def joined(entry):
    if entry[0][0] == "call":
        return entry
    kinds = dict.fromkeys(kind for kind, _ in entry)
    assert [place for _, place in kinds] == list(range(len(kinds)))
    return [(kind[0], "".join(text for one, text in entry if one == kind)) for kind in kinds]


def shortened(outputs):
    """The same of whole entries."""
    entries = []
    for entry in outputs:
        if entry["type"] == "function.call":
            entries.append([("call", entry["name"], entry["arguments"])])
            continue
        content = entry["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        entries.append([
            ("text", part["text"]) if part["type"] == "text"
            else ("thinking", part["thinking"][0]["text"])
            for part in parts
        ])  # fmt: skip
    return entries


def test_thinking_is_closed_in_a_stream_unless_it_was_cut(thinking_server):
    for num_tokens, is_closed in ((3, False), (16, True)):
        args = {**ARGS, "max_tokens": num_tokens}
        events = events_of(thinking_server, completion_args=args)
        closings = [one for one in events if "closed" in str(one.get("content"))]
        assert bool(closings) is is_closed


def test_a_stream_that_breaks_off_says_so(start, chatterbox):
    with start(chatterbox) as server:
        body = {"inputs": "hi", "stream": True}
        with server.client.stream("POST", "/v1/conversations", json=body) as reply:
            lines = reply.iter_lines()
            assert next(lines) == "event: conversation.response.started"
            server.served.talker.close()
            rest = "\n".join(lines)
    last = json.loads(rest.rsplit("data: ", 1)[1])
    assert last["type"] == "conversation.response.error" and last["code"] == 503
    assert "closed" in last["message"]


WRONG = [
    ({"store": True}, 400, "`store`"),
    ({"stream": 1}, 422, "`stream`"),
    ({"agent_id": "a"}, 400, "`agent_id`"),
    ({"inputs": None}, 422, "`inputs` is missing"),
    ({"inputs": [{"type": "agent.handoff"}]}, 400, "`agent.handoff`"),
    ({"inputs": [{"type": "function.call", "name": "x"}]}, 422, "`inputs[0].tool_call_id`"),
    ({"tools": [{"type": "web_search"}]}, 400, "`function`"),
    ({"completion_args": {"temperature": 9}}, 400, "`temperature`"),
    ({"completion_args": {"reasoning_effort": "extreme"}}, 422, "`extreme`"),
]


@pytest.mark.parametrize(("fields", "status", "words"), WRONG, ids=range(len(WRONG)))
def test_what_is_refused(thinking_server, fields, status, words):
    reply = send(thinking_server, **fields)
    assert reply.status_code == status and words in reply.json()["message"], reply.text


def test_with_mistrals_client(thinking_server):
    url = f"http://127.0.0.1:{thinking_server.port}"
    with mistral.Mistral(api_key="x", server_url=url) as client:
        response = client.beta.conversations.start(
            model="tiny", inputs="hi", store=False, completion_args=ARGS
        )
        stream = client.beta.conversations.start_stream(
            model="tiny", inputs="hi", store=False, completion_args=ARGS
        )
        with stream as events:
            told = [one.data for one in events]
    (entry,) = response.outputs
    assert entry.content[1].text == "46, yes" and response.usage.total_tokens > 0
    pieces = [one.content for one in told if one.type == "message.output.delta"]
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == "46, yes"
    assert pieces[0].thinking[0].text and told[-1].usage == response.usage
