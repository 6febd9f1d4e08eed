"""`POST /v1/chat/completions` over a real socket: what is asked, and what comes back."""

import base64
import json
import re

import pytest

from bise.serve import Limits

TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    },
}


def events_of(server, **fields):
    """The chunks of a stream; the last line must be the end."""
    lines = server.chat(stream=True, **fields).text.split("\n\n")
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert data[-1] == "[DONE]"
    return [json.loads(one) for one in data[:-1]]


def joined(chunks, name):
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    return "".join(delta.get(name) or "" for delta in deltas)


def test_a_whole_reply_has_text_thinking_and_usage(thinking_server):
    reply = thinking_server.chat(reasoning_effort="high")
    body = reply.json()
    assert reply.status_code == 200
    assert body["object"] == "chat.completion" and body["model"] == "tiny"
    assert re.fullmatch(r"chatcmpl-[0-9a-f]{32}", body["id"]) and isinstance(body["created"], int)
    (choice,) = body["choices"]
    assert choice["message"] == {
        "role": "assistant",
        "content": "46, yes",
        "reasoning_content": "so 12",
        "reasoning": "so 12",
    }
    assert choice["finish_reason"] == "stop" and choice["stop_reason"] is None
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    thought = usage["completion_tokens_details"]["reasoning_tokens"]
    assert 2 < thought < usage["completion_tokens"]
    assert reply.headers["x-reasoning-effort"] == "high" and reply.headers["x-model"] == "tiny"


def test_a_stream_is_the_whole_reply_in_pieces(thinking_server):
    chunks = events_of(
        thinking_server, reasoning_effort="high", stream_options={"include_usage": True}
    )
    whole = thinking_server.chat(reasoning_effort="high").json()
    assert joined(chunks, "content") == "46, yes"
    assert joined(chunks, "reasoning_content") == joined(chunks, "reasoning") == "so 12"
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-2]["choices"][0]["delta"] == {}
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"] == whole["usage"]
    for name in ("id", "created", "model", "object"):
        assert len({chunk[name] for chunk in chunks}) == 1
    assert len(chunks) > 6, "it should come in pieces"


def test_usage_is_streamed_only_when_asked_for(thinking_server):
    assert all("usage" not in chunk for chunk in events_of(thinking_server))
    assert all(chunk["choices"] for chunk in events_of(thinking_server))


def test_thinking_can_be_hidden_but_still_counts(thinking_server):
    for hide in ({"include_reasoning": False}, {"reasoning": {"exclude": True}}):
        body = thinking_server.chat(**hide).json()
        assert body["choices"][0]["message"] == {"role": "assistant", "content": "46, yes"}
        assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
        assert joined(events_of(thinking_server, **hide), "reasoning_content") == ""


def test_stop_strings_end_the_answer_and_not_the_thinking(thinking_server):
    body = thinking_server.chat(stop=["12", "6, y"]).json()
    (choice,) = body["choices"]
    assert choice["message"]["content"] == "4" and choice["message"]["reasoning"] == "so 12"
    assert choice["finish_reason"] == "stop" and choice["stop_reason"] == "6, y"
    chunks = events_of(thinking_server, stop=", yes!")
    assert joined(chunks, "content") == "46, yes", "held back, and given in the end"
    kept = thinking_server.chat(stop=", y", include_stop_str_in_output=True).json()
    assert kept["choices"][0]["message"]["content"] == "46, y"


def test_stop_ids_end_the_reply(thinking_server, tekken):
    comma = tekken.encode("46, yes")[2]
    (choice,) = thinking_server.chat(stop_token_ids=[comma]).json()["choices"]
    assert choice["message"]["content"] == "46" and choice["stop_reason"] == comma


def test_max_tokens_cut_and_count_thinking(thinking_server):
    (choice,) = thinking_server.chat(max_tokens=3).json()["choices"]
    assert choice["finish_reason"] == "length" and choice["message"]["content"] == ""
    both = thinking_server.chat(max_tokens=1, max_completion_tokens=4).json()
    assert both["usage"]["completion_tokens"] == 4
    nothing = thinking_server.chat(max_tokens=0).json()
    assert nothing["choices"][0]["finish_reason"] == "length"
    assert nothing["usage"]["completion_tokens"] == 0
    clamped = thinking_server.chat(max_tokens=250_118)
    assert clamped.json()["choices"][0]["finish_reason"] == "stop"


def test_a_thinking_budget_ends_the_thinking(thinking_server):
    for fields in (
        {"thinking_token_budget": 1},
        {"reasoning": {"max_tokens": 1}},
        {"thinking": {"type": "enabled", "budget_tokens": 1}},
    ):
        (choice,) = thinking_server.chat(max_tokens=8, **fields).json()["choices"]
        assert len(choice["message"]["reasoning"]) < len("so 12")


@pytest.mark.parametrize("budget", [True, "9", 1.5, -1])
def test_a_thinking_budget_is_a_whole_number(thinking_server, budget):
    reply = thinking_server.chat(thinking={"type": "enabled", "budget_tokens": budget})
    assert reply.status_code == (400 if budget == -1 else 422)
    assert "`thinking.budget_tokens`" in reply.text


def test_ignore_eos_goes_on_to_the_limit(thinking_server):
    body = thinking_server.chat(ignore_eos=True, max_tokens=40).json()
    assert body["usage"]["completion_tokens"] == 40
    assert body["choices"][0]["finish_reason"] == "length"


def test_several_replies_to_one_question(random_server):
    fields = {"n": 3, "temperature": 1.5, "seed": 4, "max_tokens": 6}
    body = random_server.chat(**fields).json()
    texts = [choice["message"]["content"] for choice in body["choices"]]
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    assert len(set(texts)) > 1, "each has a seed of its own"
    assert body["usage"]["completion_tokens"] <= 18
    assert random_server.chat(**fields).json()["choices"] == body["choices"]
    chunks = events_of(random_server, **fields)
    for index, text in enumerate(texts):
        own = [c for c in chunks if c["choices"][0]["index"] == index]
        assert joined(own, "content") == text
        assert own[-1]["choices"][0]["finish_reason"] is not None


def test_both_names_of_a_seed_mean_the_same(random_server):
    said = [
        random_server.chat(temperature=1.0, max_tokens=8, **seed).json()["choices"][0]["message"]
        for seed in ({"seed": 3}, {"random_seed": 3})
    ]
    assert said[0]["content"] == said[1]["content"]


def test_calls_come_whole_by_default(calling_server):
    whole = calling_server.chat(tools=[TOOL]).json()["choices"][0]
    (call,) = whole["message"]["tool_calls"]
    assert whole["finish_reason"] == "tool_calls" and whole["message"]["content"] == "ok"
    assert re.fullmatch(r"[a-zA-Z0-9]{9}", call["id"]) and call["type"] == "function"
    assert call["function"] == {"name": "add", "arguments": "{ }"}
    chunks = events_of(calling_server, tools=[TOOL])
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    (piece,) = [piece for delta in deltas for piece in delta.get("tool_calls", [])]
    assert piece["function"] == call["function"] and len(piece["id"]) == 9
    assert piece["index"] == 0 and chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_calls_come_in_pieces_if_asked(calling_server):
    chunks = events_of(calling_server, tools=[TOOL], stream_options={"stream_tool_calls": True})
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    pieces = [piece for delta in deltas for piece in delta.get("tool_calls", [])]
    assert pieces[0]["function"]["name"] == "add" and len(pieces[0]["id"]) == 9
    assert all("id" not in piece and piece["function"]["name"] == "" for piece in pieces[1:])
    assert "".join(piece["function"]["arguments"] for piece in pieces) == "{ }"


@pytest.mark.parametrize("fields", [{}, {"tools": []}, {"tools": [TOOL], "tool_choice": "none"}])
def test_without_tools_nothing_is_called(calling_server, fields):
    (choice,) = calling_server.chat(max_tokens=6, **fields).json()["choices"]
    assert "tool_calls" not in choice["message"] and choice["finish_reason"] != "tool_calls"


def test_a_call_cut_short_is_not_sent(calling_server):
    (choice,) = calling_server.chat(tools=[TOOL], max_tokens=5).json()["choices"]
    assert choice["finish_reason"] == "length" and "tool_calls" not in choice["message"]


def test_the_result_of_a_call_can_be_sent_back(calling_server):
    message = calling_server.chat(tools=[TOOL]).json()["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "2"}
    messages = [{"role": "user", "content": "hi"}, message, result]
    reply = calling_server.client.post(
        "/v1/chat/completions", json={"messages": messages, "tools": [TOOL], "max_tokens": 4}
    )
    assert reply.status_code == 200


def test_logprobs_cover_every_token(thinking_server, tekken):
    body = thinking_server.chat(logprobs=True, top_logprobs=2).json()
    entries = body["choices"][0]["logprobs"]["content"]
    assert len(entries) == body["usage"]["completion_tokens"]
    assert entries[0]["token"] == "[THINK]" and entries[-1]["token"] == "</s>"
    text = b"".join(bytes(entry["bytes"]) for entry in entries)
    assert text.decode() == "so 1246, yes"
    for entry in entries:
        assert entry["logprob"] <= 0 and len(entry["top_logprobs"]) == 2
        assert tekken.token_text(entry["token_id"]) == entry["token"]
    chunks = events_of(thinking_server, logprobs=True, top_logprobs=2)
    streamed = [chunk["choices"][0]["logprobs"] for chunk in chunks]
    assert [e for one in streamed if one for e in one["content"]] == entries


def test_a_predicted_answer_is_the_same_and_counted(endless_server):
    asked = {"max_tokens": 40}
    plain = endless_server.chat(**asked).json()
    text = plain["choices"][0]["message"]["content"]
    for content in (text, [{"type": "text", "text": text[:9]}, {"type": "text", "text": text[9:]}]):
        prediction = {"type": "content", "content": content}
        reply = endless_server.chat(prediction=prediction, **asked)
        assert "x-ignored-params" not in reply.headers
        assert reply.json()["choices"][0]["message"] == plain["choices"][0]["message"]
        details = reply.json()["usage"]["completion_tokens_details"]
        assert details["accepted_prediction_tokens"] > 0
    for wrong in ({"type": "x", "content": "y"}, {"content": "y"}, {"type": "content"}):
        assert endless_server.chat(prediction=wrong).status_code == 422


def test_what_was_guessed_behind_a_stop_string_is_no_part_of_the_reply(endless_server):
    told = "12345" * 8
    prediction = {"type": "content", "content": told}
    asked = {"max_tokens": 60, "logprobs": True, "prediction": prediction}
    for length in range(12, 22):  # wherever in a step of several tokens it ends
        body = endless_server.chat(stop=told[:length], **asked).json()
        (choice,), usage = body["choices"], body["usage"]
        assert (choice["finish_reason"], choice["message"]["content"]) == ("stop", "")
        assert choice["stop_reason"] == told[:length]
        rated = "".join(one["token"] for one in choice["logprobs"]["content"])
        assert (usage["completion_tokens"], rated) == (length, told[:length])
        details = usage["completion_tokens_details"]
        assert 0 < details["accepted_prediction_tokens"] <= length


def test_a_prompts_likelihoods_come_in_either_dialect(random_server):
    asked = {"max_tokens": 1, "n": 2}
    openai_body = random_server.chat(prompt_logprobs=3, **asked).json()
    told = openai_body["prompt_logprobs"]
    assert told[0] is None and len(told) == openai_body["usage"]["prompt_tokens"]
    assert all("prompt_logprobs" not in choice for choice in openai_body["choices"])
    mistral = {"prompt_logprobs": True, "top_prompt_logprobs": 3, "random_seed": 1}
    body = random_server.chat(**mistral, **asked).json()
    assert "prompt_logprobs" not in body
    for choice in body["choices"]:
        content = choice["prompt_logprobs"]["content"]
        assert len(content) == len(told) - 1
        for one, entry in zip(content, told[1:], strict=True):
            assert one["logprob"] == pytest.approx(entry[str(one["token_id"])]["logprob"], abs=1e-4)
            assert len(one["top_logprobs"]) == 3
    for absent in (False, None):
        assert "prompt_logprobs" not in random_server.chat(prompt_logprobs=absent, **asked).json()


def test_likelihoods_that_would_fill_the_memory_are_refused(start, random_folder):
    with start(random_folder, Limits(rated=100)) as server:
        reply = server.chat("so " * 100, prompt_logprobs=0)
        assert reply.status_code == 400 and "more than 100" in reply.json()["message"]
        texts = {"prompt": ["so 12"] * 3, "echo": True, "max_tokens": 0}
        assert server.post("/v1/completions", **texts, logprobs=20).status_code == 400
        assert server.post("/v1/completions", **texts, logprobs=1).status_code == 200


def test_penalties_and_bias_reach_the_engine(thinking_server, tekken):
    four, dot = tekken.encode("4")[0], tekken.encode(".")[0]
    bias = {str(four): -100, str(dot): 100}
    (choice,) = thinking_server.chat(logit_bias=bias, max_tokens=12).json()["choices"]
    assert "4" not in choice["message"]["content"]


EFFORTS = [
    ({"reasoning_effort": word}, used)
    for word, used in {
        "none": "none", "minimal": "none", "low": "high", "medium": "high", "high": "high",
        "xhigh": "high", "max": "high", "ultra": "high",
    }.items()
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "used"),
    [
        *EFFORTS,
        ({}, "none"),
        ({"reasoning_effort": None}, "none"),
        ({"reasoning_effort": 0}, "none"),
        ({"reasoning": {"effort": "low"}}, "high"),
        ({"reasoning": {"enabled": True}}, "high"),
        ({"reasoning": {"max_tokens": 100}}, "high"),
        ({"reasoning": {"max_tokens": 0}}, "none"),
        ({"reasoning": {"max_tokens": 100, "enabled": False}}, "none"),
        ({"thinking": {"type": "enabled"}}, "high"),
        ({"thinking": {"type": "disabled"}}, "none"),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}}, "none"),
        ({"prompt_mode": "reasoning"}, "high"),
        ({"chat_template_kwargs": {"enable_thinking": True}}, "high"),
        ({"reasoning_effort": "none", "prompt_mode": "reasoning"}, "none"),
    ],
)
def test_every_way_to_say_an_effort(thinking_server, fields, used):
    reply = thinking_server.chat(max_tokens=0, **fields)
    assert reply.status_code == 200 and reply.headers["x-reasoning-effort"] == used


def test_unknown_fields_are_ignored_and_named(thinking_server):
    reply = thinking_server.chat(foo=1, store=True, metadata={}, user=None, max_tokens=0)
    assert reply.headers["x-ignored-params"] == "foo,metadata,store"
    odd = {"role": "user", "content": "hi", "mood": "good", "smell": None}
    body = {"messages": [odd, odd], "max_tokens": 0}
    reply = thinking_server.client.post("/v1/chat/completions", json=body)
    assert reply.headers["x-ignored-params"] == "messages.mood"
    for name, shown in ((" ", "?"), (" \ta b\n", "??a?b?"), ("é", "?")):
        reply = thinking_server.chat(max_tokens=0, **{name: 1})
        assert reply.status_code == 200 and reply.headers["x-ignored-params"] == shown
    assert "x-ignored-params" not in thinking_server.chat(max_tokens=0).headers


CHAT = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
TEXT = {"prompt": "hi", "max_tokens": 1}


@pytest.mark.parametrize(
    ("path", "asked", "field", "other"),
    [
        ("/v1/chat/completions", CHAT, {"top_logprobs": 2}, {"logprobs": True}),
        ("/v1/chat/completions", CHAT, {"stream_options": {}}, {"stream": True}),
        ("/v1/chat/completions", CHAT, {"top_prompt_logprobs": 2}, {"prompt_logprobs": True}),
        ("/v1/completions", TEXT, {"stream_options": {}}, {"stream": True}),
        ("/v1/completions", TEXT, {"top_prompt_logprobs": 2}, {"prompt_logprobs": True}),
    ],
)
def test_what_means_nothing_alone_is_named_then(thinking_server, path, asked, field, other):
    alone = thinking_server.post(path, **asked, **field)
    assert alone.status_code == 200 and alone.headers["x-ignored-params"] == next(iter(field))
    both = thinking_server.post(path, **asked, **field, **other)
    assert both.status_code == 200 and "x-ignored-params" not in both.headers


def test_usage_so_far_can_come_with_every_chunk(thinking_server):
    options = {"include_usage": True, "continuous_usage_stats": True}
    chunks = events_of(thinking_server, stream_options=options)
    counts = [chunk["usage"]["completion_tokens"] for chunk in chunks]
    assert counts == sorted(counts) and counts[-1] > counts[0]


def test_past_thinking_can_be_left_out_of_the_prompt(thinking_server):
    thought = {"role": "assistant", "content": "1", "reasoning_content": "much to think about"}
    messages = [{"role": "user", "content": "hi"}, thought, {"role": "user", "content": "and?"}]
    lengths = []
    for fields in ({}, {"strip_reasoning": True}):
        body = {"messages": messages, "max_tokens": 0, **fields}
        reply = thinking_server.client.post("/v1/chat/completions", json=body)
        lengths.append(reply.json()["usage"]["prompt_tokens"])
    assert lengths[1] < lengths[0]


def test_a_prefix_is_continued(thinking_server):
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "46"}]
    for fields in ({"continue_final_message": True}, {}):
        if not fields:
            messages[-1]["prefix"] = True
        body = {"messages": messages, "temperature": 0, **fields}
        reply = thinking_server.client.post("/v1/chat/completions", json=body).json()
        assert reply["choices"][0]["message"]["content"] == ", yes", "only what is new"


def test_a_picture_is_read(thinking_server, red_square):
    data = base64.b64encode(red_square.read_bytes()).decode()
    parts = [
        {"type": "text", "text": "what is this"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
    ]
    reply = thinking_server.chat(parts).json()
    assert reply["choices"][0]["message"]["content"] == "46, yes"
    assert reply["usage"]["prompt_tokens_details"]["image_tokens"] == 3
