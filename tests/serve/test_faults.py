"""What the server refuses, with which status and in which words."""

import base64
import json
import struct
import zlib

import pytest

from bise.engine import EngineFailed
from bise.serve import Limits
from bise.serve.faults import answer_to

HELLO = [{"role": "user", "content": "hi"}]


def huge_png(side: int) -> bytes:
    """The header of a picture that would take gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def user(content):
    return {"messages": [{"role": "user", "content": content}]}


def image(data: bytes | str):
    encoded = base64.b64encode(data).decode() if isinstance(data, bytes) else ""
    url = data if isinstance(data, str) else f"data:image/png;base64,{encoded}"
    return [{"type": "image_url", "image_url": url}]


ANSWERED = [*HELLO, {"role": "assistant", "content": "x"}]


def check(reply, status, code, *, param=None, words=""):
    body = reply.json()
    assert reply.status_code == status == body["raw_status_code"], body
    assert body["object"] == "error" and body["error"]["code"] == code
    assert body["message"] == body["error"]["message"] and words in body["message"]
    assert body["request_id"] == reply.headers["x-request-id"]
    assert "x-model" in reply.headers
    if param is not None:
        assert body["param"] == body["error"]["param"] == param
    assert ("detail" in body) == (status == 422)
    return body


SHAPES = [
    ({"messages": None}, "messages"),
    ({"messages": "hi"}, "messages"),
    ({"temperature": "0.5"}, "temperature"),
    ({"temperature": True}, "temperature"),
    ({"max_tokens": 1.5}, "max_tokens"),
    ({"stream": "yes"}, "stream"),
    ({"stop": [1]}, None),
    ({"messages": [{"role": "robot", "content": "hi"}]}, "messages[0].role"),
    ({"messages": [{"content": "hi"}]}, "messages[0].role"),
    (user(5), "messages[0].content"),
    (user([{"type": "smell"}]), "messages[0].content[0].type"),
    ({"reasoning_effort": "extreme"}, "reasoning_effort"),
    ({"prompt_mode": "poetic"}, "prompt_mode"),
    ({"reasoning_effort": 3}, "reasoning_effort"),
    ({"thinking": {"type": True}}, "thinking.type"),
    ({"thinking": {"type": {"enabled": 1}}}, "thinking.type"),
    ({"tool_choice": "maybe"}, "tool_choice"),
    ({"tools": [{"type": "function", "function": {"name": 3}}]}, "tools[0].function.name"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "param"), SHAPES, ids=lambda one: str(one)[:40])
def test_wrong_types_and_words_are_422(thinking_server, fields, param):
    reply = thinking_server.client.post("/v1/chat/completions", json={"messages": HELLO} | fields)
    body = check(reply, 422, "invalid_type", param=param)
    assert body["detail"][0]["loc"][0] == "body"


VALUES = [
    ({"messages": []}, "invalid_value", "at least one message"),
    ({"temperature": 2.5}, "invalid_value", "`temperature` is 2.5"),
    ({"top_p": -1}, "invalid_value", "`top_p`"),
    ({"n": 0}, "invalid_value", "`n` is 0"),
    ({"n": 17}, "invalid_value", "1 to 16"),
    ({"min_tokens": -1}, "invalid_value", "`min_tokens` is -1"),
    ({"max_tokens": -1}, "invalid_value", "`max_tokens` is -1"),
    ({"thinking_token_budget": -1}, "invalid_value", "`thinking_token_budget`"),
    ({"stop": [""]}, "invalid_value", "empty or longer"),
    ({"stop": ["x"] * 17}, "invalid_value", "at most 16"),
    ({"logit_bias": {"x": 1}}, "invalid_value", "expected a token id"),
    ({"logit_bias": {"9" * 5000: 1}}, "invalid_value", "expected a token id"),
    ({"logit_bias": {"300": 101}}, "invalid_value", "-100 to 100"),
    ({"logit_bias": {"2": 1}}, "invalid_value", "control token"),
    ({"logit_bias": {"99999": 1}}, "invalid_value", "no token 99999"),
    ({"top_logprobs": 21}, "invalid_value", "0 to 20"),
    ({"timeout": 0}, "invalid_value", "`timeout`"),
    ({"cache_salt": "x" * 257}, "invalid_value", "`cache_salt` has 257 characters"),
    ({"tools": [{"function": {"name": "f", "description": "x" * 5000}}]},
     "context_length_exceeded", "has 5,005 characters"),
    ({"tools": [{"function": {"name": "x" * 5000}}]}, "context_length_exceeded", "characters"),
    ({"messages": [*HELLO, {"role": "assistant", "tool_calls": [
        {"id": "1", "function": {"name": "f", "arguments": {"a": "x" * 5000}}}]}]},
     "context_length_exceeded", "has 5,0"),
    ({"tools": [{"type": "web_search"}]}, "invalid_value", "expected `function`"),
    ({"tools": [{"function": {"name": "a b"}}]}, "invalid_function_call", "Function name"),
    ({"functions": []}, "invalid_value", "`tools`"),
    ({"chat_template": "x"}, "invalid_value", "`chat_template`"),
    ({"prompt_logprobs": 1, "stream": True}, "invalid_value", "`prompt_logprobs` does not go"),
    ({"prompt_logprobs": 21}, "invalid_value", "`prompt_logprobs` is 21, expected 0 to 20"),
    ({"prompt_logprobs": True, "top_prompt_logprobs": -1}, "invalid_value",
     "`top_prompt_logprobs` is -1"),
    ({"prediction": {"type": "content", "content": "x"}, "n": 2}, "invalid_value", "`prediction`"),
    ({"prediction": {"type": "content", "content": "x" * 5000}}, "context_length_exceeded",
     "has 5,000 characters"),
    ({"modalities": ["audio"]}, "invalid_value", "`modalities`"),
    ({"messages": ANSWERED}, "invalid_message_order", "last role"),
    (user("many words " * 300), "context_length_exceeded",
     "maximum context length is 512 tokens"),
    (user("x" * 5000), "context_length_exceeded",
     "maximum context length is 512 tokens"),
    (user([{"type": "file"}]), "invalid_value", "`file`"),
    (user(image(b"no picture")), "invalid_image", "cannot be read"),
    (user(image(huge_png(100_000))), "invalid_image", "pixels"),
    (user(image("https://example.org/a.png")), "invalid_image",
     "`https:` address"),
    (user(image("file:///etc/passwd")), "invalid_image", "`file:`"),
    (user(image(huge_png(8)) * 17), "invalid_value", "at most 16"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "code", "words"), VALUES, ids=lambda one: str(one)[:40])
def test_wrong_values_are_400(thinking_server, fields, code, words):
    for stream in (False, True):
        body = {"messages": HELLO, "stream": stream} | fields
        reply = thinking_server.client.post("/v1/chat/completions", json=body)
        check(reply, 400, code, words=words)
    assert thinking_server.served.talker.engine.stats().num_running == 0


def test_the_length_of_a_prompt_is_told(thinking_server):
    words = "many words " * 300
    message = thinking_server.chat(words).json()["message"]
    assert "maximum context length is 512 tokens" in message and "the prompt has 6" in message


BODIES = [
    (b"", "not JSON"),
    (b"{", "not JSON"),
    (b'{"messages": NaN}', "`NaN`"),
    (b'{"temperature": 1, "messages": [-Infinity]}', "`-Infinity`"),
    (b'{"messages": [{"role": "user", "content": "x"}], "metadata": {"a": [1e400]}}', "`1e400`"),
    (b'{"a": -1' + b"0" * 400 + b".0}", "too large"),
    (b'{"a": "\xff"}', "not UTF-8"),
    (b'{"a": "\\ud800"}', "surrogate"),
    (b'{"a": ' + b"[" * 65 + b"]" * 65 + b"}", "nested"),
    (b"[" * 100_000, "nested"),
    (b'{"a": ' + b"1" * 5000 + b"}", "too long"),
]


@pytest.mark.parametrize(("data", "words"), BODIES, ids=range(len(BODIES)))
def test_what_is_no_json_is_400(thinking_server, data, words):
    reply = thinking_server.client.post("/v1/chat/completions", content=data)
    check(reply, 400, "invalid_value", words=words)


def test_a_body_that_is_no_object_is_422(thinking_server):
    reply = thinking_server.client.post("/v1/chat/completions", content=b"[]")
    check(reply, 422, "invalid_type")


def test_infinity_by_overflow_is_refused(thinking_server):
    data = json.dumps({"messages": HELLO}).replace("}]}", '}],"temperature":1e999}')
    reply = thinking_server.client.post("/v1/chat/completions", content=data)
    check(reply, 400, "invalid_value", words="`1e999`")


def test_only_json_may_be_posted(thinking_server):
    data = json.dumps({"messages": HELLO, "max_tokens": 0})
    for kind, status in (
        ("text/plain", 415),
        ("application/json; charset=utf-8", 200),
        (None, 200),
    ):
        headers = {} if kind is None else {"content-type": kind}
        reply = thinking_server.client.post("/v1/chat/completions", content=data, headers=headers)
        assert reply.status_code == status
    check(
        thinking_server.client.post("/v1/chat/completions", data={"a": "b"}),
        415,
        "unsupported_media_type",
    )


def test_a_large_body_is_413(start, thinker):
    with start(thinker, Limits(body_bytes=1000)) as server:
        check(server.chat("x" * 2000), 413, "request_too_large")

        def pieces():
            yield b'{"messages": "'
            for _ in range(50):
                yield b"x" * 100
            yield b'"}'

        reply = server.client.post("/v1/chat/completions", content=pieces())
        check(reply, 413, "request_too_large")
        assert server.chat(max_tokens=0).status_code == 200


def test_unknown_models_paths_and_methods(thinking_server):
    check(thinking_server.chat(model="gpt-9"), 404, "model_not_found", words="`gpt-9`")
    for name in ("tiny", "tiny-latest", "default", None):
        reply = thinking_server.chat(model=name, max_tokens=0)
        assert reply.status_code == 200 and reply.json()["model"] == "tiny"
    check(thinking_server.client.get("/v1/nowhere"), 404, "not_found")
    check(thinking_server.client.get("/v1/models/gpt-9"), 404, "model_not_found")
    check(thinking_server.client.delete("/v1/chat/completions"), 405, "method_not_allowed")


def test_pages_of_other_sites_are_turned_away(thinking_server):
    own = f"http://127.0.0.1:{thinking_server.port}"
    for headers, status in (
        ({"origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": ""}, 403),
        ({"origin": own, "sec-fetch-site": "same-origin"}, 200),
    ):
        reply = thinking_server.client.get("/v1/models", headers=headers)
        assert reply.status_code == status, headers
        if status == 403:
            check(reply, 403, "permission_denied")


def test_names_that_were_made_to_lead_here_are_turned_away(thinking_server):
    for host, status in (
        ("evil.example:8000", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("[::1", 403),
        ("", 403),
        ("localhost", 200),
        ("LocalHost:1234", 200),
        ("127.0.0.1:80", 200),
        ("[::1]:8000", 200),
    ):
        headers = {"host": host, "sec-fetch-site": "same-origin"}
        headers |= {"origin": f"http://{host}"} if status == 200 else {}
        reply = thinking_server.client.get("/v1/models", headers=headers)
        assert reply.status_code == status, host


def test_a_server_for_others_may_have_any_name_and_hear_priorities(start, thinker):
    with start(thinker, Limits(priority=5), is_local=False) as server:
        headers = {"host": "models.example", "origin": "http://models.example"}
        assert server.client.get("/v1/models", headers=headers).status_code == 200
        heard = server.chat(priority=-5, max_tokens=1)
        assert heard.status_code == 200 and "x-ignored-params" not in heard.headers
        check(server.chat(priority=-6), 400, "invalid_value", words="`priority` is -6")


def test_priority_is_not_used_unless_the_server_says_so(thinking_server):
    reply = thinking_server.chat(priority=-(10**9), foo=1, max_tokens=1)
    assert reply.status_code == 200 and reply.headers["x-ignored-params"] == "foo,priority"
    reply = thinking_server.post("/v1/completions", prompt="x", priority=-1, max_tokens=1)
    assert reply.status_code == 200 and reply.headers["x-ignored-params"] == "priority"


@pytest.mark.parametrize("name", ["stop", "stop_token_ids", "logit_bias", "modalities"])
def test_long_lists_of_wrong_things_are_counted_first(thinking_server, name):
    wrong = {str(number): [] for number in range(3000)} if name == "logit_bias" else [[]] * 3000
    body = check(thinking_server.chat(**{name: wrong}), 422, "invalid_type")
    assert len(body["detail"]) == 20
    longer = {str(number): [] for number in range(5000)} if name == "logit_bias" else [[]] * 5000
    check(thinking_server.chat(**{name: longer}), 400, "invalid_value", words="5,000 entries")


def test_strict_refusals_are_short_too(thinking_server):
    names = {f"{number}{'x' * 1000}": 1 for number in range(100)}
    body = {"messages": HELLO, **names}
    headers = {"x-strict": "true"}
    reply = thinking_server.client.post("/v1/chat/completions", json=body, headers=headers)
    assert len(check(reply, 422, "invalid_type")["detail"]) == 20 and len(reply.text) < 10_000


@pytest.mark.parametrize(
    "fields",
    [
        {"tool_choice": "x" * 10_000},
        {"messages": [{"role": "x" * 10_000, "content": "hi"}]},
        {"response_format": {"type": ["x"] * 10_000}},
        {"temperature": "x" * 10_000},
        {"logit_bias": {"x" * 10_000: "x"}},
        {"tool_choice": "x`" * 10_000},
    ],
    ids=range(6),
)
def test_errors_quote_the_beginning_only(thinking_server, fields):
    reply = thinking_server.client.post("/v1/chat/completions", json={"messages": HELLO} | fields)
    assert reply.status_code in (400, 422) and len(reply.json()["message"]) <= 2000
    assert len(reply.text) < 7000 and "x" * 300 not in reply.text


def test_pictures_are_not_shown_in_errors(thinking_server):
    picture = image(huge_png(8))[0]["image_url"]
    for wrong in (picture, [picture], {"url": picture}):
        reply = thinking_server.chat(temperature=wrong)
        assert reply.status_code == 422 and picture[-20:] not in reply.text
        assert "input" not in reply.json()["detail"][0]


def test_many_ignored_fields_are_counted(thinking_server):
    names = [f"a{number:04}" for number in range(3000)]
    reply = thinking_server.chat(max_tokens=1, **dict.fromkeys(names, 1))
    *shown, rest = reply.headers["x-ignored-params"].split(",")
    assert shown == names[: len(shown)] and rest == f"and {3000 - len(shown)} more"
    assert 1900 < len(reply.headers["x-ignored-params"]) < 2100
    long = thinking_server.chat(max_tokens=1, **{"x" * 10_000: 1})
    assert long.headers["x-ignored-params"] == "x" * 200


def test_more_candidates_than_there_are_tokens_means_all(thinking_server):
    for top_k in (2**31, 10**400):
        assert thinking_server.chat(top_k=top_k, temperature=1, max_tokens=2).status_code == 200


def test_request_ids_are_echoed_if_they_can_be(thinking_server):
    get = thinking_server.client.get
    assert get("/health", headers={"x-request-id": "mine-1"}).headers["x-request-id"] == "mine-1"
    for bad in ("x" * 129, "a b", ""):
        given = get("/health", headers={"x-request-id": bad}).headers["x-request-id"]
        assert given != bad and len(given) == 32


def test_a_full_queue_is_429(start, chatterbox):
    with start(chatterbox) as server:
        server.served.talker.engine.max_waiting = 0
        reply = server.chat()
        check(reply, 429, "rate_limit_exceeded")
        assert reply.headers["retry-after"] == "1"


def test_a_deadline_before_the_first_token_is_504(endless_server):
    for stream in (False, True):
        check(endless_server.chat(timeout=1e-9, stream=stream), 504, "timeout")


def test_a_deadline_after_it_cuts_the_reply(endless_server):
    reply = endless_server.chat(timeout=0.5, max_tokens=100_000).json()
    assert reply["choices"][0]["finish_reason"] == "length"


def test_of_our_bugs_nothing_is_told():
    for error in (RuntimeError("/secret/path"), EngineFailed("the engine failed: /secret/path")):
        answer = answer_to(error)
        assert answer.status == 500 and "secret" not in str(answer.body("1"))
