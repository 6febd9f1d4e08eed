"""`POST /v1/responses`: items in, items and events out, and nothing kept."""

import json
from itertools import count

import pytest

from bise.serve.blocks import Block
from bise.serve.responses_body import read_responses, translate
from bise.serve.responses_reply import ResponsesForm
from bise.serve.seal import Seal

TOOL = {"type": "function", "name": "add", "parameters": {"type": "object"}}
SEALED = ["reasoning.encrypted_content"]


def send(server, input="hi", path="/v1/responses", **fields):
    return server.post(path, **{"model": "tiny", "input": input, "temperature": 0, **fields})


def events_of(server, input="hi", **fields):
    reply = send(server, input, stream=True, **fields)
    found = []
    for lines in reply.text.strip().split("\n\n"):
        name, data = lines.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    return found


def bare(value):
    """A value without what differs from answer to answer."""
    changing = {"id", "call_id", "created_at", "completed_at", "encrypted_content", "item_id",
                "cached_tokens"}  # fmt: skip
    if isinstance(value, dict):
        return {name: bare(one) for name, one in value.items() if name not in changing}
    return [bare(one) for one in value] if isinstance(value, list) else value


def test_a_whole_response(thinking_server):
    reply = send(thinking_server, reasoning={"effort": "high"}, instructions="Be brief.")
    body = reply.json()
    assert body["object"] == "response" and body["id"].startswith("resp_")
    assert body["status"] == "completed" and body["store"] is False and body["error"] is None
    reasoning, message = body["output"]
    assert reasoning["content"] == [{"type": "reasoning_text", "text": "so 12"}]
    assert reasoning["summary"] == [] and "encrypted_content" not in reasoning
    assert message["role"] == "assistant" and message["content"][0]["text"] == "46, yes"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert 0 < usage["output_tokens_details"]["reasoning_tokens"] < usage["output_tokens"]
    assert body["instructions"] == "Be brief." and body["tools"] == []
    assert body["tool_choice"] == "auto" and body["parallel_tool_calls"] is True
    assert reply.headers["x-reasoning-effort"] == "high"


ITEMS = {
    "reasoning": "response.reasoning_text",
    "message": "response.output_text",
    "function_call": "response.function_call_arguments",
}


def check_item(events, place, item):
    """The events of one item, from its beginning to its end; says where the next begins."""
    kind, index = ITEMS[item["type"]], item_index(events[place])
    has_parts = item["type"] != "function_call"
    expected = ["response.output_item.added", *["response.content_part.added"] * has_parts]
    assert [one["type"] for one in events[place : place + len(expected)]] == expected
    assert events[place]["item"]["status"] == "in_progress"
    place += len(expected)
    gathered = ""
    while events[place]["type"] == f"{kind}.delta":
        assert item_index(events[place]) == index
        gathered += events[place]["delta"]
        place += 1
    done = events[place]
    assert done["type"] == f"{kind}.done" and done["item_id"] == item["id"]
    assert done["text" if has_parts else "arguments"] == gathered
    if has_parts:
        place += 1
        assert events[place]["type"] == "response.content_part.done"
        assert events[place]["part"]["text"] == gathered == item["content"][0]["text"]
    assert events[place + 1]["type"] == "response.output_item.done"
    assert events[place + 1]["item"] == item
    return place + 2


def item_index(event):
    return event["output_index"]


def test_a_stream_tells_the_same_item_by_item(thinking_server, calling_server, deliberate_server):
    for server, fields in (
        (thinking_server, {}),
        (calling_server, {"tools": [TOOL]}),
        (deliberate_server, {"tools": [TOOL]}),
    ):
        events = events_of(server, **fields)
        begun = ["response.created", "response.in_progress"]
        assert [event["type"] for event in events[:2]] == begun
        assert events[0]["response"]["status"] == "in_progress"
        final = events[-1]["response"]
        place = 2
        for index, item in zip(count(), final["output"], strict=False):
            assert events[place]["output_index"] == index
            place = check_item(events, place, item)
        assert place == len(events) - 1 and events[-1]["type"] == "response.completed"
        assert bare(final) == bare(send(server, **fields).json())


def test_a_reply_that_is_cut_is_incomplete(thinking_server, calling_server):
    body = send(thinking_server, max_output_tokens=3).json()
    assert body["status"] == "incomplete" and body["output"][-1]["status"] == "incomplete"
    assert body["incomplete_details"] == {"reason": "max_output_tokens"}
    events = events_of(thinking_server, max_output_tokens=3)
    assert events[-1]["type"] == "response.incomplete"
    assert events[-2]["item"] == events[-1]["response"]["output"][-1]
    assert events[-2]["item"]["status"] == "incomplete"
    events = events_of(calling_server, tools=[TOOL], max_output_tokens=5)
    done = [one["item"] for one in events if one["type"] == "response.output_item.done"]
    assert [item["type"] for item in done] == ["message"], "nobody acts on half a call"
    (message,) = events[-1]["response"]["output"]
    assert message["status"] == "completed", "it was whole; what came after was cut"


def count_of(server, input, **fields):
    return send(server, input, "/v1/responses/input_tokens", **fields).json()["input_tokens"]


def test_what_came_out_can_go_in_again(deliberate_server):
    output = send(deliberate_server, tools=[TOOL], include=SEALED).json()["output"]
    reasoning, call = output
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "2"}
    question = {"role": "user", "content": "hi"}
    reply = send(deliberate_server, [question, *output, result], tools=[TOOL], max_output_tokens=1)
    assert reply.status_code == 200 and "x-request-repairs" not in reply.headers
    assert "x-ignored-params" not in reply.headers
    plain = count_of(deliberate_server, [question, *output, result])
    sealed = {"type": "reasoning", "summary": [],
              "encrypted_content": reasoning["encrypted_content"]}  # fmt: skip
    assert count_of(deliberate_server, [question, sealed, call, result]) == plain
    forged = {**sealed, "encrypted_content": "A" + sealed["encrypted_content"][1:-4] + "AAAA"}
    reply = send(deliberate_server, [question, forged, call, result], max_output_tokens=1)
    assert reply.headers["x-ignored-params"] == "input[1]"


def test_words_between_a_call_and_its_result_lose_neither(thinking_server):
    question = {"role": "user", "content": "hi"}
    call = {"type": "function_call", "call_id": "1", "name": "add", "arguments": "{}"}
    words = {"role": "assistant", "content": [{"type": "output_text", "text": "well"}]}
    result = {"type": "function_call_output", "call_id": "1", "output": "one"}
    reply = send(thinking_server, [question, call, words, result], max_output_tokens=1)
    assert reply.headers["x-request-repairs"] == "assistants-merged"
    first = count_of(thinking_server, [question, words, call, result])
    assert count_of(thinking_server, [question, call, words, result]) == first


def test_input_is_what_the_same_chat_would_be(thinking_server):
    ours = count_of(
        thinking_server,
        [
            {"type": "message", "role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "hm"}]},
            {"type": "message", "role": "assistant",
             "content": [{"type": "output_text", "text": "well", "annotations": []}]},
            {"type": "function_call", "call_id": "1", "name": "add", "arguments": "{}"},
            {"type": "function_call", "call_id": "2", "name": "add", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": "one"},
            {"type": "function_call_output", "call_id": "2",
             "output": [{"type": "input_text", "text": "two"}]},
            {"type": "local_shell_call", "id": "x"},
        ],
        tools=[TOOL, {"type": "web_search"}],
    )  # fmt: skip
    calls = [{"id": one, "type": "function", "function": {"name": "add", "arguments": "{}"}}
             for one in "12"]  # fmt: skip
    chat = thinking_server.post(
        "/tokenize",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "reasoning": "hm", "content": "well", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "1", "content": "one"},
            {"role": "tool", "tool_call_id": "2", "content": "two"},
        ],
        tools=[TOOL],
    )
    assert ours == chat.json()["count"]


def test_tools_of_a_namespace_keep_their_names(thinking_server):
    inner = {"type": "function", "name": "cd", "parameters": {}}
    tools = [{"type": "namespace", "name": "ab", "tools": [inner]}]
    body = read_responses({"input": "hi", "tools": tools})
    chat, told = translate(body, Seal())
    assert [tool["name"] for tool in chat.tools or ()] == ["ab__cd"]
    form = ResponsesForm(body=body, model="tiny", seal=Seal(), namespaces=told.namespaces)
    item = form.item(Block("call", 0, "{}", call_id="aB3xK9mP2", name="ab__cd"))
    assert (item["namespace"], item["name"]) == ("ab", "cd")
    question, result = {"role": "user", "content": "hi"}, {"call_id": "aB3xK9mP2", "output": "2"}
    again = [question, item, {"type": "function_call_output", **result}]
    flat = {**item, "name": "ab__cd", "namespace": None}
    assert count_of(thinking_server, again, tools=tools) == count_of(
        thinking_server, [question, flat, again[2]], tools=[{**inner, "name": "ab__cd"}]
    )
    assert send(thinking_server, tools=tools).json()["tools"] == tools


FUNCTION = {"type": "function"}


@pytest.mark.parametrize(
    ("choice", "meant"),
    [
        ({**FUNCTION, "name": "cd", "namespace": "ab"}, "ab__cd"),
        ({**FUNCTION, "name": "ef"}, "ab__ef"),  # there is but one
        ({**FUNCTION, "name": "ab__ef"}, "ab__ef"),
        ({**FUNCTION, "name": "cd"}, "cd"),  # the one without a namespace
        ({**FUNCTION, "name": "gh"}, "gh"),  # two are called so: it will be refused
    ],
)
def test_a_tool_of_a_namespace_may_be_chosen(choice, meant):
    def space(name, *inner):
        return {"type": "namespace", "name": name,
                "tools": [{**FUNCTION, "name": one} for one in inner]}  # fmt: skip

    tools = [space("ab", "cd", "ef", "gh"), space("xy", "gh"), {**FUNCTION, "name": "cd"}]

    def chosen(choice):
        body = read_responses({"input": "hi", "tools": tools, "tool_choice": choice})
        return translate(body, Seal())[0].tool_choice

    assert chosen(choice) == {"type": "function", "function": {"name": meant}}
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [choice]}
    assert chosen(allowed) == {**allowed, "tools": [{**choice, "name": meant}]}


def test_what_is_left_out_is_named(thinking_server):
    reply = send(
        thinking_server,
        [{"role": "user", "content": "hi"}, {"type": "mystery"}],
        tools=[TOOL, {"type": "web_search"}, {"type": "custom", "name": "x"}],
        include=[*SEALED, "message.input_image.image_url"],
        metadata={"a": "b"},
        store=True,
        foo=1,
        reasoning={"effort": "none", "summary": "auto"},
        text={"format": {"type": "text"}, "verbosity": "low"},
        max_output_tokens=1,
    )
    named = reply.headers["x-ignored-params"]
    assert named == (
        "foo,metadata,input[1],include,reasoning.summary,text.verbosity,tools[1],tools[2]"
    )
    assert reply.json()["store"] is False and reply.json()["metadata"] == {"a": "b"}


def test_an_answers_likelihoods_are_told_if_asked_for(thinking_server, calling_server, tekken):
    for fields, num_top in (
        ({"include": ["message.output_text.logprobs"]}, 0),
        ({"top_logprobs": 2}, 2),
    ):
        whole = send(thinking_server, **fields).json()
        rated = whole["output"][1]["content"][0]["logprobs"]
        assert [one["token_id"] for one in rated] == tekken.encode("46, yes")
        assert all(len(one["top_logprobs"]) == num_top for one in rated)
        assert whole["top_logprobs"] == num_top
        events = events_of(thinking_server, **fields)
        pieces = [one["logprobs"] for one in events if one["type"] == "response.output_text.delta"]
        assert [one for piece in pieces for one in piece] == rated
        (done,) = (one for one in events if one["type"] == "response.output_text.done")
        assert done["logprobs"] == rated
        assert bare(events[-1]["response"]["output"]) == bare(whole["output"])
    (message, _) = send(calling_server, tools=[TOOL], top_logprobs=1).json()["output"]
    assert "".join(one["token"] for one in message["content"][0]["logprobs"]) == "ok"
    assert send(thinking_server, top_logprobs=21).status_code == 400
    assert send(thinking_server).json()["output"][1]["content"][0]["logprobs"] == []


def test_likelihoods_stay_with_their_own_text(start, say, scripted, folder_of, tekken):
    special = tekken.special
    script = say("ok", special.think, "12", special.end_think, "46")
    with start(folder_of(scripted(script), "second thought")) as server:
        whole = send(server, top_logprobs=1).json()["output"]
        ended = events_of(server, top_logprobs=1)[-1]["response"]["output"]
    assert [item["type"] for item in whole] == ["message", "reasoning", "message"]
    for items in (whole, ended):
        for item in (items[0], items[2]):
            (part,) = item["content"]
            assert "".join(one["token"] for one in part["logprobs"]) == part["text"]


def test_the_oldest_turns_are_dropped_if_wanted(thinking_server):
    question = {"role": "user", "content": "many words " * 40}
    answer = {"role": "assistant", "content": "x"}
    long = [question, answer] * 8
    items = [*long, {"role": "user", "content": "hi"}]
    assert send(thinking_server, items).status_code == 400
    fields = {"truncation": "auto", "instructions": "Be brief.", "max_output_tokens": 20}
    reply = send(thinking_server, items, **fields)
    assert reply.headers["x-request-repairs"] == "oldest-turns-dropped"
    kept = reply.json()["usage"]["input_tokens"]
    assert 512 - 20 - 100 < kept <= 512 - 20
    short = send(thinking_server, "hi", truncation="auto", max_output_tokens=1)
    assert "x-request-repairs" not in short.headers
    huge = send(thinking_server, "many words " * 300, truncation="auto")
    assert huge.status_code == 400, "the last question is never left out"


def test_an_assistant_may_have_said_nothing(thinking_server):
    items = [{"role": "user", "content": "a"}, {"role": "assistant", "content": None},
             {"role": "user", "content": "b"}]  # fmt: skip
    reply = send(thinking_server, items, max_output_tokens=1)
    assert reply.status_code == 200, reply.text
    assert "empty-assistant-dropped" in reply.headers["x-request-repairs"]


WRONG = [
    ({"input": None}, 422, "invalid_type", "`input` is missing"),
    ({"input": 3}, 422, "invalid_type", "input"),
    ({"input": []}, 400, "invalid_value", "at least one message"),
    ({"input": [{"role": "robot", "content": "x"}]}, 422, "invalid_type",
     "`input[0].role` is `robot`"),
    ({"input": [{"role": "assistant", "content": {}}]}, 422, "invalid_type",
     "`input[0].content` is an object"),
    ({"input": [{"role": "user", "content": [{"type": "smell"}]}]}, 422, "invalid_type",
     "`input[0].content[0].type`"),
    ({"input": [{"type": "function_call", "call_id": "1", "name": "f", "arguments": 3}]}, 422,
     "invalid_type", "`input[0].arguments`"),
    ({"input": [{"type": "function_call_output", "call_id": "1", "output": 3}]}, 422,
     "invalid_type", "`input[0].output`"),
    ({"truncation": "auto", "tools": [{"name": "no name"}] * 129}, 400, "invalid_value",
     "`tools` has 129 entries"),
    ({"include": [3] * 5000}, 400, "invalid_value", "`include` has 5,000 entries"),
    ({"input": [{"type": "function_call", "name": "x"}]}, 422, "invalid_type",
     "`input[0].call_id`"),
    ({"input": [{"type": "item_reference", "id": "x"}]}, 400, "invalid_value", "input[0]"),
    ({"previous_response_id": "resp_1"}, 400, "invalid_value", "`previous_response_id`"),
    ({"conversation": "x"}, 400, "invalid_value", "`conversation`"),
    ({"prompt": {}}, 400, "invalid_value", "`prompt`"),
    ({"background": True}, 400, "invalid_value", "`background`"),
    ({"truncation": "some"}, 422, "invalid_type", "`truncation`"),
    ({"reasoning": {"effort": "extreme"}}, 422, "invalid_type", "`extreme`"),
    ({"text": {"format": {"type": "json_schema"}}}, 400, "invalid_value", "has no `schema`"),
    ({"text": {"format": {"type": "json_schema", "schema": {"enum": [1] * 2001}}}}, 400,
     "schema_too_complex", "more than 2,000"),
    ({"tool_choice": "required"}, 400, "invalid_value", "no `tools`"),
    ({"tool_choice": {"type": "function", "name": "sub"}, "tools": [TOOL]}, 400,
     "invalid_value", "`sub`"),
    ({"temperature": 3}, 400, "invalid_value", "`temperature`"),
    ({"model": "gpt-9"}, 404, "model_not_found", "`gpt-9`"),
    ({"input": "many words " * 300}, 400, "context_length_exceeded", "512 tokens"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status", "code", "words"), WRONG, ids=range(len(WRONG)))
def test_what_is_refused(thinking_server, fields, status, code, words):
    for stream in (False, True):
        reply = thinking_server.post("/v1/responses", **{"input": "hi", "stream": stream} | fields)
        body = reply.json()
        assert reply.status_code == status and body["error"]["code"] == code, body
        assert words in body["message"], body


def test_false_asks_for_nothing(thinking_server):
    assert send(thinking_server, background=False, max_output_tokens=1).status_code == 200


def test_a_stream_that_breaks_off_fails(start, chatterbox):
    with start(chatterbox) as server:
        body = {"input": "hi", "stream": True}
        with server.client.stream("POST", "/v1/responses", json=body) as reply:
            lines = reply.iter_lines()
            while "output_text.delta" not in next(lines):
                pass
            server.served.talker.engine.close()
            data = [line for line in lines if line.startswith("data: ")]
    error, failed = (json.loads(line.removeprefix("data: ")) for line in data[-2:])
    assert error["type"] == "error" and error["code"] == "service_unavailable"
    assert failed["type"] == "response.failed" and failed["response"]["status"] == "failed"
    assert failed["sequence_number"] == error["sequence_number"] + 1
