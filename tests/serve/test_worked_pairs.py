"""The sixteen worked pairs of the API's contract, by their numbers."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonschema
import pytest

from bise.engine import EngineConfig

TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
ASKED = [{"role": "user", "content": "2+2?"}]
WORDS = ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"]
DIALECTS = ["mistral", "openai"]


def post(server, messages=None, *, dialect="openai", headers=None, **fields):
    body = {"messages": messages or ASKED, "temperature": 0, **fields}
    path = f"/{dialect}/v1/chat/completions"
    return server.client.post(path, json=body, headers=headers)


def choice_of(server, messages=None, **fields):
    (choice,) = post(server, messages, **fields).json()["choices"]
    return choice


def texts_of(message):
    """Thinking and text of a message, or of pieces of one, in either dialect."""
    content = message.get("content") or ""
    thinking, text = message.get("reasoning_content", ""), ""
    parts: list[Any] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for part in parts:
        if part["type"] == "thinking":
            thinking += part["thinking"][0]["text"]
        else:
            text += part["text"]
    return thinking, text


def test_1_a_question_has_a_string_for_an_answer(calling_server):
    body = post(calling_server).json()
    (choice,) = body["choices"]
    assert isinstance(choice["message"]["content"], str) and choice["finish_reason"] == "stop"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_2_thinking_stands_where_the_dialect_has_it(thinking_server):
    asked = {"reasoning_effort": "high"}
    first, second = choice_of(thinking_server, dialect="mistral", **asked)["message"]["content"]
    assert first["type"] == "thinking" and second == {"type": "text", "text": "46, yes"}
    body = post(thinking_server, **asked).json()
    message = body["choices"][0]["message"]
    assert message["reasoning_content"] == "so 12" and message["content"] == "46, yes"
    assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


@pytest.mark.parametrize("dialect", DIALECTS)
def test_3_a_stream_adds_up_to_the_whole(thinking_server, dialect):
    asked = {"dialect": dialect, "reasoning_effort": "high"}
    whole = texts_of(choice_of(thinking_server, **asked)["message"])
    events = post(thinking_server, stream=True, **asked).text.split("\n\n")
    chunks = [json.loads(one[6:]) for one in events if one.startswith("data: {")]
    deltas = [one["choices"][0]["delta"] for one in chunks]
    assert tuple(map("".join, zip(*map(texts_of, deltas), strict=True))) == whole


def test_4_any_tool_means_at_least_one_call(random_server):
    properties = {"a": {"type": "integer"}}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    tool = {"type": "function", "function": {"name": "add", "strict": True, "parameters": schema}}
    asked = {"parallel_tool_calls": False, "temperature": 2, "seed": 1, "max_tokens": 300}
    choice = choice_of(random_server, tools=[tool], tool_choice="any", **asked)
    assert choice["finish_reason"] == "tool_calls" and len(choice["message"]["tool_calls"]) >= 1
    for call in choice["message"]["tool_calls"]:
        assert re.fullmatch(r"[a-zA-Z0-9]{9}", call["id"])
        json.loads(call["function"]["arguments"])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_5_a_result_is_answered_with_text(deliberate_server, dialect):
    message = choice_of(deliberate_server, tools=[TOOL], dialect=dialect)["message"]
    (call,) = message["tool_calls"]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "4"}
    turns = [*ASKED, message, result]
    reply = post(deliberate_server, turns, tools=[TOOL], dialect=dialect, max_tokens=1)
    assert reply.status_code == 200 and "x-request-repairs" not in reply.headers
    shown = deliberate_server.post("/render", messages=turns, tools=[TOOL]).json()["text"]
    assert "[THINK]12[/THINK][TOOL_CALLS]add[ARGS]" in shown


def test_6_what_is_in_order_is_left_and_what_is_not_is_mended(thinking_server):
    call = {"id": "123456789", "function": {"name": "add", "arguments": "{}"}}
    turns = [*ASKED, {"role": "assistant", "tool_calls": [call]},
             {"role": "tool", "tool_call_id": call["id"], "content": "4"},
             {"role": "user", "content": "and?"}]  # fmt: skip
    for headers in ({}, {"X-Strict": "true"}):
        reply = post(thinking_server, turns, headers=headers)
        assert reply.status_code == 200 and "x-request-repairs" not in reply.headers
    note = [*ASKED, {"role": "assistant", "content": "4"}, {"role": "system", "content": "brief"}]
    assert "x-request-repairs" in post(thinking_server, note).headers
    refused = post(thinking_server, note, headers={"X-Strict": "true"})
    assert refused.status_code == 400 and refused.json()["code"] == "3230"


@pytest.mark.parametrize("words", ["[THINK]x", "x[/THINK]", "f[ARGS]{}"])
def test_7_markers_in_words_stay_words(start, folder_of, scripted, say, tekken, words):
    """A model that writes the words of a marker, not its id."""
    assert not any(map(tekken.is_control, tekken.encode(words)))
    with start(folder_of(scripted(say(words)), "writer")) as server:
        asked = [{"role": "user", "content": "[THINK]x[/THINK] [TOOL_CALLS]f[ARGS]{}"}]
        message = choice_of(server, asked, tools=[TOOL])["message"]
    assert message == {"role": "assistant", "content": words}


def test_8_a_prefix_is_given_back_in_one_dialect(thinking_server):
    turns = [*ASKED, {"role": "assistant", "content": "46", "prefix": True}]
    said = [
        choice_of(thinking_server, turns, dialect=one)["message"]["content"] for one in DIALECTS
    ]
    assert said == ["46, yes", ", yes"]


def test_9_a_schema_is_kept_a_hundred_times_of_a_hundred(random_server):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"],
              "additionalProperties": False}  # fmt: skip
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    asked = {"response_format": form, "temperature": 2, "max_tokens": 300}
    for seed in range(0, 100, 10):
        body = post(random_server, n=10, seed=seed, **asked).json()
        for choice in body["choices"]:
            assert choice["finish_reason"] == "stop"
            jsonschema.validate(json.loads(choice["message"]["content"]), schema)


def test_10_a_reply_cut_while_thinking_says_so(thinking_server):
    choice = choice_of(thinking_server, dialect="mistral", reasoning_effort="high", max_tokens=2)
    (part,) = choice["message"]["content"]
    assert choice["finish_reason"] == "length" and part["closed"] is False
    assert choice_of(thinking_server, max_tokens=2)["message"]["content"] == ""


def test_11_an_unknown_field_is_named_or_refused(thinking_server):
    assert post(thinking_server, foo=1).headers["x-ignored-params"] == "foo"
    refused = post(thinking_server, foo=1, headers={"X-Strict": "true"})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["type"] == "extra_forbidden"


def test_12_a_prompt_of_a_token_too_many_costs_nothing(thinking_server):
    num = thinking_server.served.max_positions
    before = thinking_server.served.talker.engine.stats().num_step_tokens
    reply = thinking_server.post("/v1/completions", prompt=[300] * (num + 1))
    body = reply.json()
    assert reply.status_code == 400 and body["error"]["code"] == "context_length_exceeded"
    assert f"has {num + 1} tokens" in body["message"]
    assert f"maximum context length is {num} tokens" in body["message"]
    assert thinking_server.served.talker.engine.stats().num_step_tokens == before


def test_13_eight_words_for_an_effort_and_no_ninth(thinking_server):
    for word in WORDS:
        reply = post(thinking_server, reasoning_effort=word, max_tokens=0)
        used = "none" if word in ("none", "minimal") else "high"
        assert reply.status_code == 200 and reply.headers["x-reasoning-effort"] == used
    assert post(thinking_server, reasoning_effort="extreme").status_code == 422


def test_14_who_leaves_after_three_events_gives_everything_back(endless_server):
    body = {"messages": ASKED, "stream": True}
    with endless_server.client.stream("POST", "/v1/chat/completions", json=body) as reply:
        for _, line in zip(range(5), reply.iter_lines(), strict=False):
            assert line == "" or line.startswith("data: ")
    endless_server.wait_until(lambda stats: stats.num_running == stats.pages_used == 0)


def test_15_a_known_beginning_is_not_computed_again_but_for_another_salt(start, chatterbox):
    long = [{"role": "user", "content": "1 2 3 4 5 6 7 8 9 " * 250}]
    with start(chatterbox) as server:
        asked = {"max_tokens": 1, "cache_salt": "a"}
        first = post(server, long, **asked).json()["usage"]
        second = post(server, long, **asked).json()["usage"]
        other = post(server, long, max_tokens=1, cache_salt="b").json()["usage"]
    assert first["prompt_tokens"] > 4000 and first["num_cached_tokens"] == 0
    assert second["prompt_tokens_details"]["cached_tokens"] >= 4000 - 16
    assert other["num_cached_tokens"] == 0


def test_16_a_seed_says_the_same_alone_and_among_many(random_folder, start):
    asked = {"temperature": 1.5, "max_tokens": 8, "ignore_eos": True}
    config = EngineConfig(max_running=32, is_exact=True)
    with start(random_folder, config=config) as server, ThreadPoolExecutor(32) as pool:

        def say(seed):
            return choice_of(server, seed=seed, **asked)["message"]["content"]

        alone = say(7)
        together = list(pool.map(say, [*range(100, 116), 7, *range(200, 215)]))
    assert together[16] == alone and len(set(together)) > 16
