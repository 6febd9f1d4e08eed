"""Conversations out of order: repaired and told, or refused by those who ask for that."""

import time

import pytest

from bise.errors import BadRequest
from bise.serve.repairs import repair
from bise.text import Message, TextPart, ToolCall

STRICT = {"x-strict": "true"}


def user(text="q"):
    return Message.of("user", text)


def system(text="s"):
    return Message.of("system", text)


def says(text="a", *ids, **fields):
    calls = tuple(ToolCall(one, "add", "{}") for one in ids)
    return Message.of("assistant", *([text] if text else []), tool_calls=calls, **fields)


def result(call_id, text="r"):
    return Message("tool", (TextPart(text),), tool_call_id=call_id)


def lost(call_id):
    return result(call_id, "[no result: cancelled]")


CASES = [
    ("legal", [user(), says("", "a"), result("a"), user()], None, []),
    ("users", [user(), user()], None, ["users-merged"]),
    ("assistants", [user(), says("x"), says("y"), user()],
     [user(), says("x\n\ny"), user()], ["assistants-merged"]),
    ("parallel calls in two messages",
     [user(), says("", "a"), says("", "b"), result("a"), result("b")],
     [user(), says("", "a", "b"), result("a"), result("b")], ["assistants-merged"]),
    ("words behind an open call", [user(), says("", "a"), says("y"), user()],
     [user(), says("", "a"), lost("a"), says("y"), user()], ["missing-result-added"]),
    ("a turn said twice", [user(), says("", "a"), says("", "a"), result("a")],
     [user(), says("", "a"), lost("a"), says("", "a"), result("a")], ["missing-result-added"]),
    ("words between a call and its result", [user(), says("", "a"), says("y"), result("a")],
     [user(), says("y", "a"), result("a")], ["assistants-merged"]),
    ("words between calls and a late result",
     [user(), says("", "a"), says("y"), says("", "b"), user("?"), result("a"), result("b")],
     [user(), says("y", "a", "b"), result("a"), result("b"), user("?")],
     ["assistants-merged", "results-sorted"]),
    ("a result behind the next turn",
     [user(), says("", "a"), says("y"), user("?"), says(), result("a"), user()],
     [user(), says("", "a"), lost("a"), says("y"), user("?"), says(), user()],
     ["missing-result-added", "unknown-result-dropped"]),
    ("a result that comes too late", [user(), says("", "a"), user(), says(), result("a"), user()],
     [user(), says("", "a"), lost("a"), user(), says(), user()],
     ["missing-result-added", "unknown-result-dropped"]),
    ("note after assistant", [user(), says(), system(), user()],
     [user(), says(), user("s"), user()], ["system-to-user", "users-merged"]),
    ("note between call and result", [user(), says("", "a"), system(), result("a")],
     [user(), says("", "a"), result("a"), user("s")], ["system-to-user", "results-sorted"]),
    ("system after user", [user(), system(), says(), user()], None, []),
    ("no result", [user(), says("", "a", "b"), result("b"), user()],
     [user(), says("", "a", "b"), result("b"), lost("a"), user()], ["missing-result-added"]),
    ("not yet a result", [user(), says("", "a", "b"), result("b")], None, []),
    ("unknown id", [user(), says(), result("z"), user()],
     [user(), says(), user()], ["unknown-result-dropped"]),
    ("unknown id for the only call", [user(), says("", "a"), result("z"), user()],
     [user(), says("", "a"), result("a"), user()], ["result-attached"]),
    ("unknown id beside two calls", [user(), says("", "a", "b"), result("z"), user()],
     [user(), says("", "a", "b"), lost("a"), lost("b"), user()],
     ["unknown-result-dropped", "missing-result-added"]),
    ("no id", [user(), says("", "a"), result(None), user()],
     [user(), says("", "a"), result("a"), user()], ["call-id-filled"]),
    ("out of order", [user(), says("", "a", "b"), result("b"), result("a")], None,
     ["results-sorted"]),
    ("result after a question", [user(), says("", "a"), user("?"), result("a")],
     [user(), says("", "a"), result("a"), user("?")], ["results-sorted"]),
    ("empty", [user(), says(""), user()], [user(), user()],
     ["empty-assistant-dropped", "users-merged"]),
    ("assistant first", [says(), user()], [Message("user"), says(), user()],
     ["user-before-assistant"]),
    ("system alone", [system(), system("t")], [system(), system("t"), Message("user")],
     ["user-added"]),
    ("system and a beginning", [system(), says("A", prefix=True)],
     [system(), Message("user"), says("A", prefix=True)], ["user-added"]),
    ("result first", [result("a"), user()], [user()], ["unknown-result-dropped"]),
    ("nothing", [], [], []),
]  # fmt: skip


@pytest.mark.parametrize(("messages", "mended", "kinds"), [one[1:] for one in CASES],
                         ids=[one[0] for one in CASES])  # fmt: skip
def test_a_conversation_is_put_in_order(messages, mended, kinds):
    found, told = repair(messages)
    assert found == (messages if mended is None else mended)
    assert told == kinds
    assert repair(found)[0] == found, "twice is once"


@pytest.mark.parametrize("messages", [
    [user(), says("", "a"), result("a"), result("a")],
    [user(), says("", "a"), result("a"), user(), says(), result("a")],
    [user(), says("", "a", "b"), result(None)],
], ids=["twice", "again later", "no id and two calls"])  # fmt: skip
def test_what_cannot_be_guessed_is_refused(messages):
    with pytest.raises(BadRequest, match="ool call id"):
        repair(messages)


def test_a_long_mess_is_mended_at_once():
    many = [says(f"a{number}") for number in range(4000)]
    calls = says("", *map(str, range(4000)))
    results = [result(str(number)) for number in reversed(range(4000))]
    begun = time.process_time()
    found, told = repair([user(), *many, calls, *results, *[user()] * 4000])
    assert time.process_time() - begun < 3 and len(found) == 8002
    assert told == ["assistants-merged", "results-sorted", "users-merged"]
    apart = [one for number in range(4000) for one in (user(), result(str(number)))]
    begun = time.process_time()
    repair([user(), calls, *many, *apart])
    assert time.process_time() - begun < 3


def test_arguments_that_are_no_json_are_wrapped_unless_they_are_ours():
    call = ToolCall("call_1", "add", "1+1")
    found, told = repair([user(), Message("assistant", tool_calls=(call,))])
    assert found[1].tool_calls[0].arguments == '{"_raw": "1+1"}' and told == ["arguments-wrapped"]
    ours = Message("assistant", tool_calls=(ToolCall("aB3xK9mP2", "add", "1+1"),))
    assert repair([user(), ours])[0] == [user(), ours]


def chat(server, messages, **headers):
    body = {"messages": messages, "max_tokens": 1, "temperature": 0}
    return server.client.post("/v1/chat/completions", json=body, headers=headers)


def as_json(role, content="x", **fields):
    return {"role": role, "content": content, **fields}


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}

RAW = {**CALL, "function": {"name": "f", "arguments": "1+1"}}

STRICT_WORDS = [
    ([as_json("user"), as_json("assistant", None, tool_calls=[RAW]),
      as_json("tool", tool_call_id="call_1")],
     "arguments-wrapped", "3051", "the arguments of the call `f` are no JSON"),
    ([as_json("user"), as_json("assistant"), as_json("system"), as_json("user")],
     "system-to-user,users-merged", "3230", "Unexpected role 'system' after role 'assistant'"),
    ([as_json("user"), as_json("assistant", None, tool_calls=[CALL]), as_json("user"),
      as_json("assistant"), as_json("user")],
     "missing-result-added", "3230", "Not the same number of function calls and responses"),
    ([as_json("user"), as_json("assistant", None, tool_calls=[CALL]),
      as_json("tool", tool_call_id="call_2")],
     "result-attached", "3280", "Unexpected tool call id call_2"),
    ([as_json("user"), as_json("assistant", ""), as_json("user")],
     "empty-assistant-dropped,users-merged", "3051", "must have either content or tool_calls"),
    ([as_json("assistant"), as_json("user")],
     "user-before-assistant", "3230", "Conversation must start with a user message"),
    ([as_json("system")], "user-added", "3230", "the conversation has no message of the user"),
    ([as_json("system"), as_json("assistant", prefix=True)],
     "user-added", "3230", "the conversation has no message of the user"),
    ([as_json("user"), as_json("assistant", None, tool_calls=[CALL]), as_json("tool")],
     "call-id-filled", "3280", "Tool call id has to be defined."),
]  # fmt: skip


@pytest.mark.parametrize(("messages", "kinds", "code", "words"), STRICT_WORDS,
                         ids=[one[1] for one in STRICT_WORDS])  # fmt: skip
def test_repairs_are_told_and_strict_requests_refused(
    thinking_server, messages, kinds, code, words
):
    reply = chat(thinking_server, messages)
    assert reply.status_code == 200 and reply.headers["x-request-repairs"] == kinds
    reply = chat(thinking_server, messages, **STRICT)
    assert reply.status_code == 400 and reply.json()["code"] == code
    assert words in reply.json()["message"]


def test_without_a_message_of_the_user_tools_and_effort_are_still_told(thinking_server):
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
    for messages in ([as_json("system")], [as_json("system"), as_json("assistant", prefix=True)]):
        ask = {"messages": messages, "tools": [tool], "reasoning_effort": "high"}
        text = thinking_server.post("/render", **ask).json()["text"]
        assert "[AVAILABLE_TOOLS]" in text and '{"reasoning_effort": "high"}' in text


def test_a_question_after_a_result_needs_no_repair(thinking_server):
    messages = [
        as_json("user"),
        as_json("assistant", None, tool_calls=[CALL]),
        as_json("tool", tool_call_id="call_1"),
        as_json("user"),
    ]
    for headers in ({}, STRICT):
        reply = chat(thinking_server, messages, **headers)
        assert reply.status_code == 200 and "x-request-repairs" not in reply.headers


def test_a_last_word_of_the_assistant_is_refused_in_both_modes(thinking_server):
    for headers in ({}, STRICT):
        reply = chat(thinking_server, [as_json("user"), as_json("assistant")], **headers)
        assert reply.status_code == 400
        assert "Expected last role User or Tool" in reply.json()["message"]


def test_strict_requests_have_no_unknown_fields(thinking_server):
    post = thinking_server.client.post
    body = {"messages": [as_json("user", foo=1)], "max_tokens": 0, "store": True, "bar": 2}
    reply = post("/v1/chat/completions", json=body, headers=STRICT)
    places = [(one["type"], one["loc"]) for one in reply.json()["detail"]]
    assert reply.status_code == 422 and places == [
        ("extra_forbidden", ["body", "bar"]),
        ("extra_forbidden", ["body", "messages", 0, "user", "foo"]),
    ]
    assert post("/v1/chat/completions", json=body).status_code == 200


def test_a_server_can_be_strict(start, thinker):
    with start(thinker, is_strict=True) as server:
        assert server.chat(foo=1).status_code == 422
        assert server.chat(max_tokens=0).status_code == 200


def test_repairs_are_counted(thinking_server):
    def count():
        lines = thinking_server.client.get("/metrics").text.splitlines()
        found = [one for one in lines if "request_repairs_total" in one and "users-merged" in one]
        return sum(float(line.split()[-1]) for line in found)

    before = count()
    chat(thinking_server, [as_json("user"), as_json("user")])
    assert count() == before + 1
