"""`POST /v1/completions`: bare texts and ids, and what the model goes on with."""

import json

import openai
import pytest


def complete(server, prompt="46", **fields):
    return server.post("/v1/completions", prompt=prompt, **{"temperature": 0, **fields})


def text_of(server, prompt="46", **fields):
    return complete(server, prompt, **fields).json()["choices"][0]["text"]


def chunks_of(server, prompt="46", **fields):
    lines = complete(server, prompt, stream=True, **fields).text.split("\n\n")
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert data[-1] == "[DONE]"
    return [json.loads(one) for one in data[:-1]]


def test_a_text_is_gone_on_with(thinking_server):
    body = complete(thinking_server).json()
    assert body["object"] == "text_completion" and body["id"].startswith("cmpl-")
    (choice,) = body["choices"]
    assert choice["text"] == ", yes" and choice["finish_reason"] == "stop"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_texts_begin_with_their_marker_unless_told(thinking_server, tekken):
    num_ids = len(tekken.encode("46"))
    for fields, expected in (({}, num_ids + 1), ({"add_special_tokens": False}, num_ids)):
        usage = complete(thinking_server, **fields).json()["usage"]
        assert usage["prompt_tokens"] == expected


def test_ids_are_taken_as_they_are(thinking_server, tekken):
    ids = tekken.encode("46")
    assert text_of(thinking_server, ids) == ", yes"
    assert complete(thinking_server, ids).json()["usage"]["prompt_tokens"] == len(ids)
    asked = [tekken.special.bos, tekken.special.inst, tekken.special.end_inst]
    assert text_of(thinking_server, asked) == "so 1246, yes", "nothing is told apart"
    assert text_of(thinking_server, "[INST]hi[/INST]", max_tokens=3) != "so 12"


def test_several_prompts_and_several_replies(thinking_server, tekken):
    body = complete(thinking_server, ["46", "so"], n=2).json()
    texts = [choice["text"] for choice in body["choices"]]
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2, 3]
    assert texts == [", yes", ", yes", " 1246, yes", " 1246, yes"]
    one = [complete(thinking_server, prompt).json()["usage"] for prompt in ("46", "so")]
    assert body["usage"]["prompt_tokens"] == sum(usage["prompt_tokens"] for usage in one)
    ids = [tekken.encode("46"), tekken.encode("so")]
    listed = complete(thinking_server, ids).json()["choices"]
    assert [choice["text"] for choice in listed] == texts[::2]


def test_a_stream_is_the_whole_in_pieces(thinking_server):
    for fields in ({}, {"echo": True}):
        chunks = chunks_of(thinking_server, stream_options={"include_usage": True}, **fields)
        text = "".join(choice["text"] for chunk in chunks for choice in chunk["choices"])
        whole = complete(thinking_server, **fields).json()
        assert text == whole["choices"][0]["text"] and chunks[-1]["usage"] == whole["usage"]
        assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert text == "46, yes"


def test_every_piece_of_a_stream_can_have_the_usage_so_far(thinking_server):
    asked = {"include_usage": True, "continuous_usage_stats": True}
    chunks = chunks_of(thinking_server, stream_options=asked, n=2)
    for index in (0, 1):
        own = [one for one in chunks if one["choices"] and one["choices"][0]["index"] == index]
        counts = [one["usage"]["completion_tokens"] for one in own]
        assert counts == sorted(counts) and len(own) > 1
        assert {one["usage"]["prompt_tokens"] for one in own} == {
            chunks[-1]["usage"]["prompt_tokens"]
        }
    ends = [
        one["usage"]["completion_tokens"]
        for one in chunks[:-1]
        if one["choices"][0]["finish_reason"]
    ]
    assert sum(ends) == chunks[-1]["usage"]["completion_tokens"]


def test_the_prompt_alone_can_be_echoed(thinking_server):
    (choice,) = complete(thinking_server, echo=True, max_tokens=0).json()["choices"]
    assert choice["text"] == "46" and choice["finish_reason"] == "length"


def test_logprobs_are_columns(thinking_server):
    (choice,) = complete(thinking_server, logprobs=2).json()["choices"]
    found = choice["logprobs"]
    assert "".join(found["tokens"]) == ", yes</s>" and found["text_offset"][0] == 0
    assert len({len(column) for column in found.values()}) == 1
    assert all(len(top) <= 2 for top in found["top_logprobs"])
    pieces = [chunk["choices"][0]["logprobs"] for chunk in chunks_of(thinking_server, logprobs=2)]
    for name, column in found.items():
        assert [one for piece in pieces for one in piece[name]] == column


def test_a_prompts_likelihoods_can_be_told_too(random_server):
    """As benchmarks ask for them: the prompt echoed, one token more, one alternative."""
    for fields in ({"max_tokens": 0}, {"max_tokens": 3}, {"max_tokens": 3, "n": 2}):
        asked = {"echo": True, "logprobs": 1, **fields}
        choices = complete(random_server, ["so 12", "46"], **asked).json()["choices"]
        alone = [complete(random_server, one, logprobs=1, **fields) for one in ("so 12", "46")]
        for choice, one in zip(choices[:: len(choices) // 2], alone, strict=True):
            reply, found = one.json()["choices"][0], choice["logprobs"]
            num_prompt = one.json()["usage"]["prompt_tokens"]
            assert len({len(column) for column in found.values()}) == 1
            assert found["token_logprobs"][0] is found["top_logprobs"][0] is None
            assert found["token_logprobs"][num_prompt:] == pytest.approx(
                reply["logprobs"]["token_logprobs"], abs=1e-4
            )
            assert found["text_offset"] == sorted(found["text_offset"])
            assert all(chance <= 0 for chance in found["token_logprobs"][1:])
            assert all(len(top) == 1 for top in found["top_logprobs"][1:])


def test_a_streams_first_piece_has_them_all(random_server):
    fields = {"echo": True, "logprobs": 2, "max_tokens": 4, "n": 2, "temperature": 1, "seed": 3}
    prompt = "so " * 150  # read in two passes
    whole = complete(random_server, prompt, **fields).json()["choices"]
    chunks = [chunk["choices"][0] for chunk in chunks_of(random_server, prompt, **fields)]
    for index in (0, 1):
        pieces = [chunk["logprobs"] for chunk in chunks if chunk["index"] == index]
        for name, column in whole[index]["logprobs"].items():
            told = [one for piece in pieces for one in piece[name]]
            if name == "top_logprobs":
                assert [top and list(top) for top in told] == [top and list(top) for top in column]
            elif name == "token_logprobs":
                assert told[0] is column[0] is None
                assert told[1:] == pytest.approx(column[1:], abs=1e-4)
            else:
                assert told == column


def test_a_token_stands_where_the_text_before_it_ends(random_server):
    prompt = "é🙂 abc"  # of 2, 4, 1 and 1 tokens
    fields = {"echo": True, "logprobs": 0, "temperature": 1.5, "seed": 3, "max_tokens": 60}
    (whole,) = complete(random_server, prompt, ignore_eos=True, **fields).json()["choices"]
    places = whole["logprobs"]["text_offset"]
    assert places[:10] == [0, 0, 0, 1, 1, 1, 1, 2, 5, 6]
    assert places == sorted(places) and places[-1] <= len(whole["text"])
    chunks = chunks_of(random_server, prompt, ignore_eos=True, **fields)
    pieces = [chunk["choices"][0]["logprobs"]["text_offset"] for chunk in chunks]
    assert [place for piece in pieces for place in piece] == places


def test_a_stream_that_holds_text_back_has_the_same_places(thinking_server):
    fields = {"logprobs": 0, "stop": ", yes, no"}
    (whole,) = complete(thinking_server, **fields).json()["choices"]
    chunks = chunks_of(thinking_server, **fields)
    pieces = [chunk["choices"][0]["logprobs"]["text_offset"] for chunk in chunks]
    assert [place for piece in pieces for place in piece] == whole["logprobs"]["text_offset"]


def test_a_prompts_likelihoods_can_come_by_id(random_server, tekken):
    body = complete(random_server, "so 12", prompt_logprobs=2, max_tokens=1).json()
    echoed = complete(random_server, "so 12", echo=True, logprobs=2, max_tokens=1).json()
    told = body["choices"][0]["prompt_logprobs"]
    chances = echoed["choices"][0]["logprobs"]["token_logprobs"]
    ids = [tekken.special.bos, *tekken.encode("so 12")]
    assert told[0] is None and len(told) == len(ids)
    for token, entry, chance in zip(ids[1:], told[1:], chances[1:], strict=False):
        own = entry[str(token)]
        assert own["logprob"] == pytest.approx(chance, abs=1e-4)
        assert own["decoded_token"] == tekken.token_text(token)
        assert sorted(one["rank"] for one in entry.values() if one["rank"]) == [1, 2]


def test_a_stream_keeps_likelihoods_of_tokens_that_end_no_character(random_server):
    fields = {"logprobs": 1, "temperature": 1.5, "seed": 3, "max_tokens": 60, "ignore_eos": True}
    (choice,) = complete(random_server, "hi", **fields).json()["choices"]
    chunks = [chunk["choices"][0] for chunk in chunks_of(random_server, "hi", **fields)]
    assert len(chunks) < 60, "some steps had nothing to show"
    streamed = [token for chunk in chunks for token in chunk["logprobs"]["tokens"]]
    assert streamed == choice["logprobs"]["tokens"] and len(streamed) == 60


def test_sampling_fields_are_those_of_a_chat(thinking_server, random_server):
    assert text_of(thinking_server, stop=" y") == ","
    assert text_of(thinking_server, ignore_eos=True, max_tokens=30).startswith(", yes")
    other = {"ignore_eos": True, "stop_token_ids": [300], "logit_bias": {"300": 100}}
    (stopped,) = complete(random_server, "hello", **other).json()["choices"]
    assert stopped["finish_reason"] == "stop", "an end of the client's own is none to be ignored"
    fields = {"temperature": 1.5, "max_tokens": 8}
    assert text_of(random_server, seed=1, **fields) == text_of(random_server, seed=1, **fields)
    assert complete(random_server, "hello", ignore_eos=True).json()["usage"][
        "completion_tokens"
    ] == 16  # fmt: skip


WRONG = [
    ({"prompt": None}, 422, "`prompt` is missing"),
    ({"prompt": 3}, 422, "`prompt`"),
    ({"prompt": ["a", 3]}, 422, "mixed"),
    ({"prompt": [True]}, 422, "mixed"),
    ({"prompt": []}, 400, "empty list"),
    ({"prompt": [[]]}, 400, "empty"),
    ({"prompt": [99999]}, 400, "no token 99999"),
    ({"prompt": [-1]}, 400, "no token -1"),
    ({"prompt": ["x"] * 65}, 400, "at most 64"),
    ({"prompt": "x" * 5000}, 400, "maximum context length is 512 tokens"),
    ({"prompt": ["x" * 5000, *"abc"]}, 400, "has 5,000 characters"),
    ({"cache_salt": "x" * 257}, 400, "`cache_salt` has 257 characters"),
    ({"prompt": [300] * 513}, 400, "maximum context length is 512 tokens"),
    ({"suffix": "x"}, 400, "`suffix`"),
    ({"best_of": 2}, 400, "`best_of`"),
    ({"logprobs": 21}, 400, "`logprobs`"),
    ({"logprobs": True}, 422, "`logprobs`"),
    ({"prompt_logprobs": 1, "stream": True}, 400, "`prompt_logprobs` does not go"),
    ({"prompt_logprobs": -1}, 400, "`prompt_logprobs` is -1"),
    ({"prompt_logprobs": "1"}, 422, "`prompt_logprobs"),
    ({"guided_json": {"not": {}}}, 400, "`guided_json.not`"),
    ({"guided_choice": []}, 400, "`guided_choice` is empty"),
    ({"guided_choice": "a"}, 422, "`guided_choice`"),
    ({"temperature": 3}, 400, "`temperature`"),
]


@pytest.mark.parametrize(("fields", "status", "words"), WRONG, ids=range(len(WRONG)))
def test_what_is_refused(thinking_server, fields, status, words):
    body = {"prompt": "46"} | fields
    reply = thinking_server.post("/v1/completions", **body)
    assert reply.status_code == status and words in reply.json()["message"], reply.text
    assert thinking_server.served.talker.engine.stats().num_running == 0


def test_other_fields_are_named(thinking_server):
    headers = complete(thinking_server, foo=1, user="me").headers
    assert headers["x-ignored-params"] == "foo,user"


def test_with_openais_client(thinking_server):
    url = f"http://127.0.0.1:{thinking_server.port}/v1"
    with openai.OpenAI(api_key="x", base_url=url, max_retries=0) as client:
        ask = {"model": "tiny", "prompt": "46", "temperature": 0}
        assert client.completions.create(**ask, logprobs=1).choices[0].text == ", yes"
        pieces = [one.choices[0].text for one in client.completions.create(**ask, stream=True)]
    assert "".join(pieces) == ", yes"
