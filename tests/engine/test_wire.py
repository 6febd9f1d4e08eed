"""The messages between two processes: whole ones survive, others are refused in words."""

import json
import math
from contextlib import suppress
from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from torch import Tensor

from bise.engine import (
    Bounds,
    EngineConfig,
    EngineStats,
    Grammar,
    Plan,
    Request,
    Sampling,
    Step,
    TokenLogprobs,
    Vocabulary,
)
from bise.engine.wire import (
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
    PREFIX,
    AskStats,
    Beat,
    Begin,
    Bye,
    Done,
    Failed,
    Hello,
    Inbox,
    Leave,
    Loading,
    Stats,
    StopThinking,
    Told,
    TooLarge,
    WireFault,
    encode,
)

VOCABULARY = Vocabulary.of([b"a", b"bc"], num_control=3, end_id=2, pattern=".")
STATS = EngineStats(*range(len(fields(EngineStats))))
BOUNDS = Bounds(vocab_size=2048, max_positions=512, image_token=10, token_side=28)


def bytes_of(message) -> bytes:
    return b"".join(encode(message))


def read(data: bytes):
    inbox = Inbox()
    messages = list(inbox.feed(data))
    inbox.end()
    return messages


def plain(value):
    """A value that `==` understands: tensors as their type, shape and numbers."""
    if isinstance(value, Tensor):
        return (value.dtype, value.shape, value.tolist())
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    return value


numbers = some.floats(allow_nan=False, width=32)
ids = some.integers(0, 131071)
counts = some.integers(0, 2**40)
sizes = some.integers(0, 4)
samplings = some.builds(
    Sampling,
    temperature=some.floats(0, 2),
    top_p=some.floats(0, 1),
    top_k=counts,
    logit_bias=some.dictionaries(ids, some.sampled_from([-math.inf, -1.5, 100.0])),
    seed=some.none() | some.integers(-(2**80), 2**80),
    min_tokens=counts,
)
pictures = some.tuples(sizes, sizes).map(lambda size: torch.rand(3, *size))
routings = some.tuples(sizes, sizes, sizes).map(lambda size: torch.randint(0, 128, size))
requests = some.builds(
    Request,
    prompt_ids=some.lists(ids),
    images=some.lists(pictures, max_size=3),
    sampling=samplings,
    max_tokens=some.none() | counts,
    stop_ids=some.frozensets(ids),
    priority=some.integers(-9, 9),
    cache_salt=some.text(),
    deadline_s=some.none() | some.floats(0, 100),
    grammar=some.none()
    | some.builds(
        Grammar, rules=some.text(), may_think=some.booleans(), begun=some.lists(ids).map(tuple)
    ),
    thinking_budget=some.none() | counts,
    in_thinking=some.booleans(),
    adapter=some.none() | some.text(),
    prediction_ids=some.lists(ids).map(tuple),
    want_logprobs=some.none() | counts,
    want_prompt_logprobs=some.none() | counts,
    want_routing=some.booleans(),
)
logprobs = some.builds(
    TokenLogprobs, logprob=numbers, top=some.lists(some.tuples(ids, numbers)).map(tuple)
)
steps = some.builds(
    Step,
    ids=some.lists(ids).map(tuple),
    logprobs=some.lists(logprobs, max_size=3).map(tuple),
    prompt_logprobs=some.lists(logprobs, max_size=3).map(tuple),
    foretold=some.tuples(counts, counts),
    finish_reason=some.sampled_from([None, "stop", "length", "deadline", "cancelled"]),
    num_cached=counts,
    num_computed=counts,
    queued_s=some.none() | some.floats(0, 100),
    read_s=some.none() | some.floats(0, 100),
    routing=some.none() | routings,
)
messages = some.one_of(
    some.builds(Begin, number=counts, request_id=some.none() | some.text(), request=requests),
    some.builds(Told, steps=some.lists(some.tuples(counts, steps), max_size=3).map(tuple)),
    some.builds(Failed, number=some.none() | counts, message=some.text(), hint=some.text()),
    some.builds(StopThinking, number=counts, request_id=some.text()),
    some.sampled_from(
        [
            Plan(
                "/a/b c",
                "native",
                "bfloat16",
                EngineConfig(is_exact=True, cache_kind="fp8", spill_bytes=2**40),
            ),
            Plan("/a", "hf", "float32", EngineConfig(), vocabulary=VOCABULARY),
            Hello(BOUNDS, STATS),
            Hello(replace(BOUNDS, token_side=None), STATS),
            Loading(2**40, 2**41),
            Leave(3),
            AskStats(4),
            Stats(4, STATS),
            Done(5),
            Beat(),
            Bye(),
        ]
    ),
)


@given(some.lists(messages, max_size=3), some.integers(1, 5000))
def test_messages_survive_in_pieces_of_any_size(sent, piece):
    data = b"".join(map(bytes_of, sent))
    inbox, found = Inbox(), []
    for start in range(0, len(data), piece):
        found += inbox.feed(data[start : start + piece])
    inbox.end()
    assert plain(found) == plain(sent)
    assert [type(one) for one in found] == [type(one) for one in sent]


@given(messages, some.data())
def test_what_breaks_off_is_refused(message, data):
    whole = bytes_of(message)
    end = data.draw(some.integers(1, len(whole) - 1))
    with pytest.raises(WireFault, match="ended after"):
        read(whole[:end])


@given(some.binary(min_size=PREFIX.size))
def test_garbage_is_refused(garbage):
    with pytest.raises(WireFault):
        read(garbage)


@given(messages, some.data())
def test_a_flipped_byte_is_refused_or_read_as_some_message(message, data):
    whole = bytearray(bytes_of(message))
    whole[data.draw(some.integers(0, len(whole) - 1))] ^= data.draw(some.integers(1, 255))
    with suppress(WireFault):
        read(bytes(whole))


@pytest.mark.parametrize("sizes", [(MAX_HEADER_BYTES + 1, 0), (10, MAX_BODY_BYTES + 1)])
def test_a_size_beyond_the_limit_is_refused_before_it_is_read(sizes):
    with pytest.raises(TooLarge, match="let through"):
        read(PREFIX.pack(b"bise", *sizes))


def test_what_is_too_large_is_not_sent():
    with pytest.raises(TooLarge, match="let through"):
        encode(Failed(1, "user", "a" * (MAX_HEADER_BYTES + 1)))


def forged(header, body=b"") -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return PREFIX.pack(b"bise", len(head), len(body)) + head + body


@pytest.mark.parametrize(
    "header",
    [
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        [],
        {"kind": "leave"},
        {"kind": "eval", "fields": {}, "tensors": []},
        {"kind": "leave", "fields": {"number": "1"}, "tensors": []},
        {"kind": "leave", "fields": {"number": True}, "tensors": []},
        {"kind": "leave", "fields": {"number": 1, "more": 1}, "tensors": []},
        {"kind": "leave", "fields": {"number": 1}, "tensors": [["float32", [1]]]},
        {"kind": "leave", "fields": {"number": 1}, "tensors": [["float32", [-1, 0]]]},
        {"kind": "leave", "fields": {"number": 1}, "tensors": [["object", [0]]]},
        {"kind": "leave", "fields": [], "tensors": []},
        {"kind": "failed", "fields": {"number": 1, "kind": "x", "message": "", "hint": ""}}
        | {"tensors": []},
    ],
)
def test_forged_headers_are_refused(header):
    with pytest.raises(WireFault):
        read(forged(header))


def test_bytes_that_no_tensor_claims_are_refused():
    with pytest.raises(WireFault, match="4 bytes more"):
        read(forged({"kind": "bye", "fields": {}, "tensors": []}, b"1234"))


def test_a_request_with_values_out_of_range_is_refused():
    whole = bytes_of(Begin(1, None, Request(prompt_ids=[1], sampling=Sampling(temperature=1.0))))
    with pytest.raises(WireFault, match="temperature"):
        read(whole.replace(b'"temperature":1.0', b'"temperature":9.0'))


def test_a_prompt_that_is_missing_or_no_row_is_refused():
    begin = Begin(1, None, Request(prompt_ids=[1, 2]))
    whole = bytes_of(begin)
    for found, put in ((b"[2]]]", b"[1,2]]"), (b"int64", b"int16")):
        with pytest.raises(WireFault):
            read(whole.replace(found, put))
