"""Whatever is posted, a door answers it or says what is wrong: it never fails itself."""

import random
from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
HELLO = [{"role": "user", "content": "hi"}]
CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": True}
TEXT = {"type": "text", "text": "x"}

CHAT = {
    "model": "tiny", "max_tokens": 1, "stream": False, "n": 1, "temperature": 0.5, "top_p": 0.9,
    "top_k": 3, "min_p": 0.1, "seed": 1, "stop": ["a"], "stop_token_ids": [5], "tools": [TOOL],
    "tool_choice": "auto", "logprobs": True, "top_logprobs": 1, "logit_bias": {"300": 1},
    "reasoning_effort": "high", "reasoning": {"effort": "low"}, "thinking": {"type": "enabled"},
    "stream_options": {"include_usage": True}, "timeout": 5.0, "safe_prompt": True,
    "chat_template_kwargs": {"thinking": True}, "response_format": {"type": "text"},
    "structured_outputs": {"regex": ".*"}, "parallel_tool_calls": True, "guided_json": None,
    "prediction": {"type": "content", "content": "x"}, "modalities": ["text"],
    "prompt_logprobs": True, "top_prompt_logprobs": 1,
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [TEXT, {"type": "image_url", "image_url": {"url": PICTURE}}]},
        {"role": "assistant", "content": [THINKING, TEXT], "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "2", "name": "add"},
        {"role": "assistant", "content": "y", "reasoning_content": "z", "prefix": True},
    ],
}  # fmt: skip
RESPONSES = {
    "model": "tiny", "max_output_tokens": 1, "instructions": "s", "stream": False,
    "tools": [{"type": "function", "name": "add", "parameters": {}},
              {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "b"}]}],
    "tool_choice": "auto", "reasoning": {"effort": "high", "summary": "auto"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {"enum": [1, 2]}}},
    "include": ["reasoning.encrypted_content", "message.output_text.logprobs"], "top_logprobs": 1,
    "truncation": "auto", "store": False, "background": False, "temperature": 0.5,
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "reasoning", "summary": [], "encrypted_content": "AAAA",
         "content": [{"type": "reasoning_text", "text": "x"}]},
        {"type": "message", "role": "assistant",
         "content": [{"type": "output_text", "text": "x"}]},
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "2"},
    ],
}  # fmt: skip
MESSAGES = {
    "model": "tiny", "max_tokens": 1, "system": [TEXT], "stream": False, "stop_sequences": ["a"],
    "tools": [{"name": "add", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "auto"}, "thinking": {"type": "enabled", "budget_tokens": 2000},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"enum": [1]}}},
    "temperature": 0.5, "top_k": 3, "top_p": 0.9,
    "messages": [
        *HELLO,
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "x", "signature": "y"}, TEXT,
            {"type": "tool_use", "id": "t1", "name": "add", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": [TEXT]},
            {"type": "image", "source": {"type": "base64", "media_type": "x", "data": PICTURE}}]},
    ],
}  # fmt: skip
COMPLETION = {
    "model": "tiny", "prompt": ["a", "b"], "max_tokens": 1, "stream": False, "echo": False,
    "best_of": 1, "n": 1, "logprobs": 1, "stop": "a", "add_special_tokens": True,
    "temperature": 0.5, "logit_bias": {"300": 1}, "guided_choice": ["a", "b"],
}  # fmt: skip
CONVERSATION = {
    "model": "tiny", "instructions": "s", "tools": [TOOL], "store": False, "stream": False,
    "completion_args": {"max_tokens": 1, "stop": "a", "tool_choice": "auto",
                        "response_format": {"type": "json_object"}},
    "inputs": [
        {"type": "message.input", "role": "user", "content": "hi", "prefix": False},
        {"type": "message.output", "role": "assistant", "content": [THINKING, TEXT]},
        {"type": "function.call", "tool_call_id": "c1", "name": "add", "arguments": {}},
        {"type": "function.result", "tool_call_id": "c1", "result": "2"},
    ],
}  # fmt: skip
DOORS = {
    "/v1/chat/completions": CHAT,
    "/mistral/v1/chat/completions": CHAT,
    "/render": CHAT,
    "/v1/responses": RESPONSES,
    "/v1/messages": MESSAGES,
    "/v1/messages/count_tokens": MESSAGES,
    "/v1/completions": COMPLETION,
    "/v1/conversations": CONVERSATION,
    "/tokenize": {"prompt": "x", "add_special_tokens": True, "return_token_strs": True},
    "/detokenize": {"tokens": [1, 300]},
}
WORDS = ("", "x", "none", "assistant", "tool", "system", "text", "image", "image_url", "c1", "t1",
         "thinking", "function_call", "tool_result", "json_schema", "data:;base64,AA==", "ü☃",
         "\x00", "-1", "5")  # fmt: skip
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from((10**9, 2**63, -(2**70), 1e308)),
    st.floats(-3, 3), st.sampled_from(WORDS), st.just([]), st.just({}),
    st.lists(st.sampled_from(WORDS), max_size=2),
    st.dictionaries(st.sampled_from(WORDS), st.sampled_from(WORDS), max_size=2),
)  # fmt: skip


def places_in(value, path=()):
    """Every place of a body, from the outside in."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in list(inner):
        yield (*path, key)
        if isinstance(one, dict | list):
            yield from places_in(one, (*path, key))


def changed(body, path, how, odd, rng):
    """A body with one place replaced, removed, doubled or swapped with its neighbour."""
    body = deepcopy(body)
    holder = body
    for key in path[:-1]:
        holder = holder[key]
    key = path[-1]
    if how == "replace" or not isinstance(holder, list):
        holder[key] = odd
        if how == "remove":
            del holder[key]
    elif how == "remove":
        del holder[key]
    elif how == "double":
        holder.insert(key, deepcopy(holder[key]))
    else:
        rng.shuffle(holder)
    return body


@pytest.mark.parametrize("path", DOORS)
def test_no_body_makes_a_door_fail(thinking_server, path):
    door = DOORS[path]
    places = st.sampled_from(list(places_in(door)))
    how = st.sampled_from(("replace", "replace", "remove", "double", "shuffle"))
    change = st.tuples(places, how, ODD)

    @settings(max_examples=40, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(changes=st.lists(change, min_size=1, max_size=2), seed=st.integers(0, 99))
    def check(changes, seed):
        body, rng = door, random.Random(seed)
        for place, kind, odd in changes:
            try:
                body = changed(body, place, kind, odd, rng)
            except (KeyError, IndexError, TypeError):  # an earlier change took the place away
                continue
        reply = thinking_server.client.post(path, json=body)
        assert reply.status_code < 500, (body, reply.text)
        if reply.status_code != 200:
            answer = reply.json()
            told = answer["error"]
            assert reply.status_code in (400, 404, 422) and told["message"] and told["type"]
            assert "messages" in path or answer["raw_status_code"] == reply.status_code

    check()
    assert thinking_server.client.post(path, json=door).status_code == 200
