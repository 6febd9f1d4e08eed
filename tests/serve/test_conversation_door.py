"""`POST /v1/conversations`, as far as it needs no memory."""

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
            **ARGS, "stop": ", y", "reasoning_effort": "high", "prediction": {"type": "content"},
            "foo": 1, "random_seed": 3,
        },
        name="x",
    )  # fmt: skip
    assert reply.headers["x-reasoning-effort"] == "high"
    named = reply.headers["x-ignored-params"]
    assert named == "name,completion_args.foo,completion_args.prediction"
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


WRONG = [
    ({"store": True}, 400, "`store`"),
    ({"stream": True}, 400, "`stream`"),
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
    (entry,) = response.outputs
    assert entry.content[1].text == "46, yes" and response.usage.total_tokens > 0
