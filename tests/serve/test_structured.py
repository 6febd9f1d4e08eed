"""Answers and calls that have to be something: valid in every door, or refused in clear words."""

import json
import re
import threading
import time
from statistics import median

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

HELLO = [{"role": "user", "content": "hi"}]
POINT = {
    "type": "object",
    "properties": {
        "x": {"type": "integer", "minimum": -99, "maximum": 99},
        "name": {"type": "string", "maxLength": 8},
        "kind": {"enum": ["red", "blue"]},
    },
    "required": ["x", "kind"],
    "additionalProperties": False,
}
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 999}},
            "required": ["a"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
SUB = {"type": "function", "function": {"name": "sub", "parameters": {"type": "object"}}}
HOT = {"temperature": 2, "max_tokens": 300}


def format_of(schema, **more):
    return {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, **more}}


def choice_of(reply):
    assert reply.status_code == 200, reply.text
    return reply.json()["choices"][0]


def valid(text, schema=POINT):
    value = json.loads(text)
    jsonschema.validate(value, schema)
    return value


# Chat


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=some.integers(0, 2**30))
def test_an_answer_follows_its_schema_at_any_temperature(random_server, seed):
    choice = choice_of(random_server.chat(response_format=format_of(POINT), seed=seed, **HOT))
    assert choice["finish_reason"] == "stop"
    valid(choice["message"]["content"])


@pytest.mark.slow
def test_a_hundred_of_a_hundred_answers_are_valid(random_server):
    for seed in range(100):
        reply = random_server.chat(response_format=format_of(POINT), seed=seed, **HOT)
        valid(choice_of(reply)["message"]["content"])


@pytest.mark.parametrize(
    ("fields", "is_right"),
    [
        ({"response_format": format_of(POINT, strict=True)}, valid),
        ({"response_format": {"type": "json_object", "schema": POINT}}, valid),
        ({"structured_outputs": {"json": POINT}}, valid),
        ({"structured_outputs": {"json": json.dumps(POINT)}}, valid),
        ({"guided_json": POINT}, valid),
        ({"structured_outputs": {"choice": ["yes", "no/\"\n\\", "ünï"]}},
         lambda text: text in ("yes", "no/\"\n\\", "ünï")),
        ({"guided_choice": ["\x00\t\x7f\u2028"]}, lambda text: text == "\x00\t\x7f\u2028"),
        ({"guided_choice": ["yes", "no"]}, lambda text: text in ("yes", "no")),
        ({"structured_outputs": {"regex": r"[a-c/]{3}\d+\.\d{2}"}},
         re.compile(r"[a-c/]{3}\d+\.\d{2}").fullmatch),
        ({"guided_regex": "^(ab|cd){2}$"}, re.compile("(ab|cd){2}").fullmatch),
        ({"structured_outputs": {"grammar": 'start: "a" b+ \n b: /[xy]/ "."'}},
         re.compile(r"a([xy]\.)+").fullmatch),
        ({"guided_grammar": 'start: %json {"enum": [1, "<a>"]} // <b>'},
         lambda text: text in ("1", '"<a>"')),
    ],
    ids=range(12),
)  # fmt: skip
def test_every_way_to_ask_for_a_form_is_kept(random_server, fields, is_right):
    for seed in range(4):
        choice = choice_of(random_server.chat(seed=seed, **HOT, **fields))
        if choice["finish_reason"] == "stop":
            assert is_right(choice["message"]["content"]) is not False
            assert is_right(choice["message"]["content"]) is not None
        else:
            assert "regex" in str(fields) or "grammar" in str(fields), "the others have an end"


def test_any_json_is_an_object_or_a_list(random_server):
    texts = []
    for seed in range(12):
        reply = random_server.chat(response_format={"type": "json_object"}, seed=seed, **HOT)
        choice = choice_of(reply)
        texts.append(choice["message"]["content"])
        assert texts[-1][0] in "{["
        if choice["finish_reason"] == "stop":
            assert isinstance(json.loads(texts[-1]), dict | list)


def test_blanks_between_the_marks_of_json_end(random_server, tekken):
    blanks = {str(tekken.encode(" ")[0]): 50, str(tekken.encode("\n")[0]): 100}
    schema = {"type": "object", "properties": {"x": {"enum": [1, 2]}}, "required": ["x"],
              "additionalProperties": False}  # fmt: skip
    reply = random_server.chat(response_format=format_of(schema), logit_bias=blanks, **HOT)
    choice = choice_of(reply)
    assert choice["finish_reason"] == "stop"
    text = choice["message"]["content"]
    assert valid(text, schema) and max(map(len, re.findall(r"\s+", text))) == 32


def test_thinking_comes_first_and_then_the_form_only(random_server):
    reply = random_server.chat(
        response_format=format_of(POINT), reasoning_effort="high", thinking_token_budget=20,
        temperature=1, max_tokens=300,
    )  # fmt: skip
    choice = choice_of(reply)
    valid(choice["message"]["content"])


def test_a_thinker_thinks_and_then_keeps_the_form(thinking_server):
    fields = {"guided_choice": ["yes", "no"], "reasoning_effort": "high"}
    message = choice_of(thinking_server.chat(**fields))["message"]
    assert message["reasoning_content"] == "so 12" and message["content"] in ("yes", "no")
    mistral = choice_of(thinking_server.chat(**fields, prompt_mode="reasoning"))["message"]
    thinking, text = mistral["content"]
    assert thinking["closed"] is True and text["text"] in ("yes", "no")
    message = choice_of(thinking_server.chat(guided_choice=["yes", "no"]))["message"]
    assert "reasoning_content" not in message and message["content"] in ("yes", "no")


def test_a_stream_says_the_same(random_server):
    fields = {"response_format": format_of(POINT), "seed": 3, **HOT}
    whole = choice_of(random_server.chat(**fields))["message"]["content"]
    body = {"messages": HELLO, "stream": True, **fields}
    with random_server.client.stream("POST", "/v1/chat/completions", json=body) as reply:
        lines = [line[6:] for line in reply.iter_lines() if line.startswith("data: {")]
    deltas = [json.loads(line)["choices"][0]["delta"] for line in lines]
    assert "".join(delta.get("content") or "" for delta in deltas) == whole


def test_a_cut_answer_says_so(random_server):
    choice = choice_of(random_server.chat(response_format=format_of(POINT), max_tokens=2))
    assert choice["finish_reason"] == "length"


def test_several_replies_each_keep_the_form(random_server):
    reply = random_server.chat(response_format=format_of(POINT), n=4, seed=1, **HOT)
    texts = [choice["message"]["content"] for choice in reply.json()["choices"]]
    assert len(texts) == 4 and all(map(valid, texts)) and len(set(texts)) > 1


def test_likelihoods_are_of_the_unchanged_distribution(random_server):
    reply = random_server.chat(
        guided_choice=["yes"], logprobs=True, top_logprobs=1, temperature=0
    )  # fmt: skip
    entries = choice_of(reply)["logprobs"]["content"]
    assert entries[0]["logprob"] < entries[0]["top_logprobs"][0]["logprob"]


@pytest.mark.parametrize("dialect", ["openai", "mistral"])
def test_a_prefix_is_the_beginning_of_the_form(random_server, dialect):
    messages = [*HELLO, {"role": "assistant", "content": '{"x": 1', "prefix": True}]
    body = {"messages": messages, "response_format": format_of(POINT), **HOT}
    reply = random_server.client.post(f"/{dialect}/v1/chat/completions", json=body)
    text = choice_of(reply)["message"]["content"]
    whole = text if dialect == "mistral" else '{"x": 1' + text
    assert whole.startswith('{"x": 1') and valid(whole)
    messages[-1]["content"] = "Sure: "
    reply = random_server.client.post(f"/{dialect}/v1/chat/completions", json=body)
    assert reply.status_code == 400 and "does not follow the rules" in reply.json()["message"]


# Calls


def calls_in(message):
    return [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message["tool_calls"]
    ]


@pytest.mark.parametrize("choice", ["any", "required"])
def test_a_call_that_is_required_comes(random_server, choice):
    for seed in range(6):
        reply = random_server.chat(
            tools=[ADD], tool_choice=choice, seed=seed, parallel_tool_calls=False, **HOT
        )
        found = choice_of(reply)
        assert found["finish_reason"] == "tool_calls" and not found["message"]["content"]
        ((name, arguments),) = calls_in(found["message"])
        assert name == "add" and valid(json.dumps(arguments), ADD["function"]["parameters"])
        assert re.fullmatch("[a-zA-Z0-9]{9}", found["message"]["tool_calls"][0]["id"])


def test_the_tool_that_is_named_is_called_once(random_server):
    for seed in range(4):
        named = {"type": "function", "function": {"name": "add"}}
        reply = random_server.chat(tools=[SUB, ADD], tool_choice=named, seed=seed, **HOT)
        ((name, _),) = calls_in(choice_of(reply)["message"])
        assert name == "add"


def test_only_allowed_tools_are_called(random_server):
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "add"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    for seed in range(4):
        reply = random_server.chat(tools=[SUB, ADD], tool_choice=choice, seed=seed, **HOT)
        found = choice_of(reply)
        names = [call["function"]["name"] for call in found["message"].get("tool_calls", [])]
        assert set(names) <= {"add"} and (names or found["finish_reason"] == "length")


def test_where_no_tool_is_allowed_none_is_called(calling_server):
    """It would say `ok` and call `add`."""
    for choice in (
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
        {"type": "allowed_tools", "allowed_tools": {"mode": "none", "tools": []}},
    ):
        found = choice_of(calling_server.chat(tools=[ADD], tool_choice=choice, max_tokens=20))
        assert not found["message"].get("tool_calls") and found["finish_reason"] != "tool_calls"
    flat = {"type": "allowed_tools", "mode": "auto", "tools": []}
    tool = {"type": "function", **ADD["function"]}
    body = {"input": "hi", "tools": [tool], "tool_choice": flat, "max_output_tokens": 20}
    output = calling_server.post("/v1/responses", **body).json()["output"]
    assert {item["type"] for item in output} == {"message"}


def test_several_calls_may_come_unless_that_is_forbidden(random_server):
    counts = {True: set(), False: set()}
    for is_parallel in counts:
        for seed in range(12):
            reply = random_server.chat(
                tools=[ADD], tool_choice="any", parallel_tool_calls=is_parallel, seed=seed, **HOT
            )
            found = choice_of(reply)
            if found["finish_reason"] == "tool_calls":
                counts[is_parallel].add(len(found["message"]["tool_calls"]))
    assert counts[False] == {1} and max(counts[True]) > 1


def test_by_themselves_calls_have_the_right_form(random_server):
    """A model that begins a call, whatever it likes to write, ends it properly."""
    said = set()
    for seed in range(20):
        reply = random_server.chat(tools=[ADD, SUB], seed=seed, **HOT)
        for name, arguments in calls_in({"tool_calls": [], **choice_of(reply)["message"]}):
            said.add(name)
            assert isinstance(arguments, dict)
    assert said <= {"add", "sub"}


def test_a_call_or_the_answer_may_come_beside_each_other(random_server):
    form = format_of(POINT)
    for seed in range(6):
        reply = random_server.chat(tools=[ADD], response_format=form, seed=seed, **HOT)
        message = choice_of(reply)["message"]
        if not message.get("tool_calls"):
            valid(message["content"])
    reply = random_server.chat(tools=[ADD], response_format=form, tool_choice="none", **HOT)
    valid(choice_of(reply)["message"]["content"])


def test_a_model_is_held_to_names_and_arguments(calling_server):
    """It would say `ok` and call `add` with `{ }`."""
    message = choice_of(calling_server.chat(tools=[SUB]))["message"]
    assert message["content"] == "ok" and calls_in(message)[0][0] == "sub"
    found = choice_of(calling_server.chat(tools=[ADD], max_tokens=200))
    ((name, arguments),) = calls_in(found["message"])
    assert name == "add" and valid(json.dumps(arguments), ADD["function"]["parameters"])


# The other doors


def test_messages_take_a_form_and_a_forced_tool(random_server):
    body = {"messages": HELLO, "max_tokens": 300, "temperature": 1}
    form = {"format": {"type": "json_schema", "schema": POINT}}
    (block,) = random_server.post("/v1/messages", **body, output_config=form).json()["content"]
    valid(block["text"])
    tool = {"name": "add", "input_schema": ADD["function"]["parameters"], "strict": True}
    for choice in ({"type": "any", "disable_parallel_tool_use": True},
                   {"type": "tool", "name": "add"}):  # fmt: skip
        reply = random_server.post("/v1/messages", **body, tools=[tool], tool_choice=choice)
        (block,) = reply.json()["content"]
        assert block["type"] == "tool_use" and valid(
            json.dumps(block["input"]), tool["input_schema"]
        )


def test_responses_take_a_form_and_a_forced_tool(random_server):
    body = {"input": "hi", "max_output_tokens": 300, "temperature": 1}
    form = {"format": {"type": "json_schema", "name": "n", "schema": POINT, "strict": True}}
    (item,) = random_server.post("/v1/responses", **body, text=form).json()["output"]
    valid(item["content"][0]["text"])
    tool = {"type": "function", **ADD["function"]}
    for choice in (
        {"type": "function", "name": "add"},
        {"type": "allowed_tools", "mode": "required", "tools": [{"name": "add"}]},
    ):
        reply = random_server.post(
            "/v1/responses", **body, tools=[tool], tool_choice=choice, parallel_tool_calls=False
        )
        (item,) = reply.json()["output"]
        assert item["type"] == "function_call"
        valid(item["arguments"], ADD["function"]["parameters"])


def test_conversations_take_a_form_and_a_forced_tool(random_server):
    arguments = {"max_tokens": 300, "temperature": 1, "response_format": format_of(POINT)}
    reply = random_server.post(
        "/v1/conversations", inputs="hi", store=False, completion_args=arguments
    )
    valid(reply.json()["outputs"][0]["content"])
    arguments = {"max_tokens": 300, "tool_choice": "any"}
    reply = random_server.post(
        "/v1/conversations", inputs="hi", store=False, tools=[ADD], completion_args=arguments
    )
    assert {one["type"] for one in reply.json()["outputs"]} <= {"function.call", "message.output"}


def test_completions_take_a_form(random_server):
    body = {"prompt": ["a", "b"], "max_tokens": 300, "temperature": 2}
    reply = random_server.post("/v1/completions", **body, response_format=format_of(POINT))
    assert all(valid(choice["text"]) for choice in reply.json()["choices"])
    reply = random_server.post("/v1/completions", **body, guided_choice=["yes", "no"])
    assert all(choice["text"] in ("yes", "no") for choice in reply.json()["choices"])


# What is refused, and what is told


def with_schema(**schema):
    return {"response_format": format_of(schema)}


def nested(levels):
    schema = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


WRONG = [
    ({"response_format": {"type": "yaml"}}, 422, "`yaml`"),
    ({"response_format": {"type": 3}}, 422, "`response_format.type`"),
    ({"response_format": "json"}, 422, "response_format"),
    ({"response_format": {"type": "json_schema"}}, 422, "`response_format.json_schema`"),
    ({"response_format": {"type": "json_schema", "json_schema": {}}}, 400, "has no `schema`"),
    ({"response_format": format_of(3)}, 422, "is no schema"),
    (with_schema(type="strin"), 400, "schema.type` must be a JSON type"),
    (with_schema(properties=[]), 400, "schema.properties` must be an object of schemas"),
    (with_schema(anyOf=[]), 400, "schema.anyOf` must be a list"),
    (with_schema(properties={"a": 3}), 400, "schema.properties.a` is no schema"),
    (with_schema(**{"not": {}}), 400, "`not` out"),
    (with_schema(**{"if": {}, "then": {}}), 400, "`if` out"),
    (with_schema(**{"$ref": "https://example.org/a"}), 400, "leads out of the schema"),
    (with_schema(**{"$ref": "#/$defs/no"}), 400, "does not exist"),
    (with_schema(**{"$ref": "#"}), 400, "lead back to themselves"),
    (with_schema(**{"anyOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"$ref": "#"}}}), 400,
     "lead back to themselves"),
    (with_schema(allOf=[{"type": "string"}, {"type": "integer"}]), 400, "incompatible types"),
    (with_schema(type="string", pattern="("), 400, "a regular expression"),
    (with_schema(type="string", pattern="a" * 1025), 400, "1,025 characters"),
    (with_schema(**nested(33)), 400, "deeper than 32 levels"),
    (with_schema(enum=list(range(2001))), 400, "more than 2,000"),
    (with_schema(description="x" * 2**20), 400, "bytes"),
    ({"response_format": format_of({"uniqueItems": True}, strict=True)}, 400, "`strict`"),
    ({"structured_outputs": {}}, 400, "asks for nothing"),
    ({"structured_outputs": {"structural_tag": "x"}}, 400, "structural_tag"),
    ({"structured_outputs": {"regex": "a", "choice": ["b"]}}, 400, "each ask for a form"),
    ({"guided_regex": "a", "response_format": {"type": "json_object"}}, 400, "each ask for a form"),
    ({"structured_outputs": {"json": "{"}}, 400, "not the JSON of a schema"),
    ({"structured_outputs": {"json": '{"const": NaN}'}}, 400, "not the JSON of a schema"),
    ({"structured_outputs": {"json": '{"const": "\\ud800"}'}}, 400, "not the JSON of a schema"),
    ({"structured_outputs": {"json": " " * 2**20 + "{}"}}, 400, "1,048,578 bytes"),
    ({"structured_outputs": {"regex": 3}}, 422, "`structured_outputs.regex`"),
    ({"structured_outputs": {"regex": "a" * 1025}}, 400, "1,025 characters"),
    ({"structured_outputs": {"regex": "a(?=b)"}}, 400, "look-around"),
    ({"structured_outputs": {"regex": "("}}, 400, "cannot be followed"),
    ({"structured_outputs": {"choice": []}}, 400, "is empty"),
    ({"structured_outputs": {"choice": [3]}}, 422, "`structured_outputs.choice`"),
    ({"structured_outputs": {"choice": ["x"] * 2001}}, 400, "2,001 entries"),
    ({"structured_outputs": {"grammar": "start: b"}}, 400, "unknown name"),
    ({"structured_outputs": {"grammar": "start: <[9]>"}}, 400, "names a token"),
    ({"structured_outputs": {"grammar": "start: \"a\" <think>"}}, 400, "names a token"),
    ({"structured_outputs": {"grammar": "x" * 20_000}}, 400, "20,000 characters"),
    ({"tool_choice": "any"}, 400, "no `tools`"),
    ({"tool_choice": {"type": "function"}, "tools": [ADD]}, 422, "`tool_choice.function`"),
    ({"tool_choice": {"type": "robot"}, "tools": [ADD]}, 422, "`robot`"),
    ({"tool_choice": {"type": "function", "function": {"name": "x"}}, "tools": [ADD]}, 400, "`x`"),
    ({"tool_choice": {"type": "allowed_tools"}, "tools": [ADD]}, 422, "tools"),
    ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": []}},
      "tools": [ADD]}, 400, "allows none of the `tools`"),
    ({"tool_choice": "any", "tools": [ADD], "response_format": {"type": "json_object"}}, 400,
     "leave one"),
    ({"tools": [{"type": "function", "function": {"name": "f", "strict": True, "parameters": {
        "type": "object", "properties": {"a": {"uniqueItems": True}}}}}]}, 400, "strict tool `f`"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status", "words"), WRONG, ids=range(len(WRONG)))
def test_what_is_refused(random_server, fields, status, words):
    for stream in (False, True):
        started = time.monotonic()
        body = {"messages": HELLO, "max_tokens": 4, "stream": stream, **fields}
        reply = random_server.client.post("/v1/chat/completions", json=body)
        assert time.monotonic() - started < 1
        assert reply.status_code == status, reply.text
        assert words in reply.json()["message"] and len(reply.text) < 3000
    assert random_server.served.talker.engine.stats().num_running == 0


def test_words_that_are_not_enforced_are_named(random_server):
    schema = {"type": "array", "uniqueItems": True, "maxItems": 2, "title": "t",
              "items": {"type": "integer", "format": "int32", "x-mine": 1}}  # fmt: skip
    reply = random_server.chat(response_format=format_of(schema), **HOT)
    valid(choice_of(reply)["message"]["content"], {"type": "array", "maxItems": 2})
    where = "response_format.json_schema.schema"
    assert reply.headers["x-ignored-params"].split(",") == [
        f"{where}.uniqueItems", f"{where}.items.format", f"{where}.items.x-mine"
    ]  # fmt: skip
    body = {"prompt": "a", "structured_outputs": {"json": {"uniqueItems": True}, "backend": "x"}}
    reply = random_server.post("/v1/completions", **body, max_tokens=2)
    names = reply.headers["x-ignored-params"].split(",")
    assert names == ["structured_outputs.json.uniqueItems", "structured_outputs.backend"]


HOSTILE = [
    {"structured_outputs": {"regex": "(?s:.*)a(?s:.){500}"}},
    {"structured_outputs": {"regex": "((a{1000}){1000}){1000}"}},
    with_schema(type="string", pattern="^(a|b|c|d)*a(a|b|c|d){15}$", minLength=50),
    {"structured_outputs": {"grammar": "start: a\na: a a | \"x\" |"}},
    with_schema(type="array", minItems=100_000, items={"type": "integer"}),
    with_schema(type="string", minLength=100_000),
    with_schema(allOf=[{"type": "string", "pattern": f".*{c}.{{12}}{c}"} for c in "abcdefgh"]),
    with_schema(allOf=[{"type": "integer", "multipleOf": m} for m in (97, 89, 83, 79, 73)]),
    with_schema(anyOf=[{"type": "object", "properties": {f"k{i}": {"const": i}}}
                       for i in range(600)]),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("fields", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_form_hurts_nobody_else(endless_server, fields):
    """It is refused, or kept, in time; a stream beside it goes on, and so does the next request."""
    gaps, has_begun, is_over = [], threading.Event(), threading.Event()
    body = {"messages": HELLO, "temperature": 0, "max_tokens": 100_000, "stream": True}

    def read():
        with endless_server.client.stream("POST", "/v1/chat/completions", json=body) as reply:
            last = time.monotonic()
            for line in reply.iter_lines():
                if line.startswith("data: "):
                    now = time.monotonic()
                    gaps.append(now - last)
                    last = now
                if len(gaps) == 50:
                    has_begun.set()
                if is_over.is_set():
                    return

    reader = threading.Thread(target=read)
    reader.start()
    assert has_begun.wait(30)
    alone = sorted(gaps[10:])
    seen = len(gaps)
    started = time.monotonic()
    reply = endless_server.chat(max_tokens=20, **fields)
    took_s = time.monotonic() - started
    beside = sorted(gaps[seen:])
    is_over.set()
    reader.join(30)
    assert reply.status_code in (200, 400), reply.text
    assert took_s < 6
    if reply.status_code == 400:
        assert reply.json()["error"]["code"] in ("schema_too_complex", "invalid_value")
    if len(beside) > 20:  # the machine may be busy with other things: a blocked step is longer
        assert median(beside) < max(2 * median(alone), 0.02)
        assert beside[-1] < 0.15 + took_s / 2
    after = endless_server.chat(max_tokens=5)
    assert choice_of(after)["message"]["content"]
