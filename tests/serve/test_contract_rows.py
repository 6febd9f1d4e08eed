"""Rows of the API's contract that no other test is about: what is taken, named, and not there."""

import json

import pytest

from bise.serve.chat_body import ChatBody
from bise.serve.completion_body import CompletionBody

HELLO = [{"role": "user", "content": "hi"}]

IGNORED = ["service_tier", "metadata", "store", "verbosity", "prompt_cache_retention",
           "web_search_options", "prompt_cache_key", "user", "safety_identifier"]  # fmt: skip


def test_what_only_a_cloud_could_do_is_named(thinking_server):
    values = dict.fromkeys(IGNORED, "x") | {"metadata": {"a": "b"}, "store": True}
    reply = thinking_server.chat(max_tokens=0, **values)
    assert reply.status_code == 200
    assert reply.headers["x-ignored-params"] == ",".join(sorted(IGNORED))


def test_null_means_absent_everywhere(thinking_server):
    plain = thinking_server.chat().json()["choices"]
    nulls = dict.fromkeys(ChatBody.model_fields.keys() - {"messages"})
    body = {"messages": HELLO, **nulls, "temperature": 0}
    reply = thinking_server.post("/v1/chat/completions", **body)
    assert reply.json()["choices"] == plain and "x-ignored-params" not in reply.headers
    nulls = dict.fromkeys(CompletionBody.model_fields.keys() - {"prompt"})
    reply = thinking_server.post("/v1/completions", prompt="46", **{**nulls, "temperature": 0})
    assert reply.json()["choices"][0]["text"] == ", yes"


@pytest.mark.parametrize(
    "fields",
    [{"lora": "x"}, {"adapter": "x"}, {"guardrails": [{}]}, {"functions": [{}]}, {"audio": {}},
     {"function_call": "auto"}, {"chat_template": "x"}, {"modalities": ["text", "audio"]}],
    ids=lambda fields: next(iter(fields)),
)  # fmt: skip
def test_what_would_be_wrong_to_ignore_is_refused_with_a_hint(thinking_server, fields):
    reply = thinking_server.chat(**fields)
    (name,) = fields
    assert reply.status_code == 400 and f"`{name}`" in reply.json()["message"]


def test_of_two_fields_of_one_name_the_last_counts(thinking_server):
    data = (
        json.dumps({"messages": HELLO, "temperature": 0})[:-1]
        + ', "max_tokens": 9, "max_tokens": 1}'
    )
    reply = thinking_server.client.post("/v1/chat/completions", content=data)
    assert reply.json()["usage"]["completion_tokens"] == 1


def test_headers_of_other_servers_are_no_error(thinking_server):
    headers = {"Idempotency-Key": "x", "anthropic-version": "1999-01-01",
               "OpenAI-Beta": "assistants=v9", "anthropic-beta": "made-up,b"}  # fmt: skip
    body = {"messages": HELLO, "max_tokens": 2}
    for path in ("/v1/chat/completions", "/v1/messages?beta=true"):
        assert thinking_server.client.post(path, json=body, headers=headers).status_code == 200


def test_both_limits_of_tokens_given_the_newer_wins_and_too_much_is_clamped(thinking_server):
    usage = thinking_server.chat(max_tokens=9, max_completion_tokens=2).json()["usage"]
    assert usage["completion_tokens"] == 2
    reply = thinking_server.chat(max_tokens=250_118)
    assert reply.status_code == 200 and reply.json()["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("path", ["/v1/agents/completions", "/v1/files", "/v1/ocr",
                                  "/v1/batch/jobs", "/v1/connectors/bootstrap"])  # fmt: skip
def test_what_a_cloud_has_besides_is_not_there_in_so_many_words(thinking_server, path):
    for prefix in ("", "/mistral", "/openai"):
        reply = thinking_server.client.get(prefix + path)
        body = reply.json()
        assert reply.status_code == body["raw_status_code"] == 404 and body["object"] == "error"
        assert body["error"]["code"] == "not_found"


def test_a_long_text_without_a_blank_keeps_nobody_waiting(endless_server):
    """Its pieces are cut beside the loop: others are answered, and it becomes text again."""
    text = "x" * 300_000
    found = endless_server.post("/tokenize", prompt=text, add_special_tokens=False).json()["tokens"]
    halves = [found[: len(found) // 2], found[len(found) // 2 :]]
    back = [endless_server.post("/detokenize", tokens=one).json()["prompt"] for one in halves]
    assert "".join(back) == text


def test_a_deadline_in_the_body_is_no_longer_than_the_servers(start, chatterbox):
    with start(chatterbox, request_s=0.5) as server:
        reply = server.chat(timeout=60, max_tokens=100_000)
        assert reply.json()["choices"][0]["finish_reason"] == "length"
        assert reply.elapsed.total_seconds() < 20
