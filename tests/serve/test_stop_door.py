"""Letting a running reply stop thinking, by whoever knows its id."""

import asyncio
import json
from dataclasses import replace

import pytest

from bise.serve import Key, KeyRing, digest_of
from bise.serve.reply_names import ReplyNames, owner_of


@pytest.fixture(scope="module")
def brooding(say, scripted, folder_of, tekken, network):
    """Thinks for ever, unless it is told to stop; then it says `6`."""
    special, (one, six) = tekken.special, tekken.encode("16")
    script = say(special.think, "12345", then=one) | {special.end_think: six, six: special.eos}
    config = replace(network.config, max_positions=1 << 18)
    return folder_of(scripted(script, config), "brooder")


@pytest.fixture(scope="module")
def brooder(start, brooding):
    with start(brooding) as server:
        yield server


def stop(server, name):
    return server.client.post(f"/v1/chat/completions/{name}/stop_thinking")


@pytest.mark.parametrize("by", ["answer", "request"])
def test_a_stream_stops_thinking_and_answers(brooder, by):
    body = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0, "stream": True}
    headers = {"x-request-id": f"mine-{by}"}
    deltas = []
    with brooder.client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as reply:
        for line in reply.iter_lines():
            if not line.startswith("data: {"):
                continue
            chunk = json.loads(line.removeprefix("data: "))
            deltas.append(chunk["choices"][0])
            if len(deltas) == 4:
                name = chunk["id"] if by == "answer" else headers["x-request-id"]
                assert stop(brooder, name).status_code == 202
    assert deltas[-1]["finish_reason"] == "stop"
    assert "".join(one["delta"].get("content") or "" for one in deltas) == "6"
    assert stop(brooder, chunk["id"]).status_code == 404, "it is over"


def test_a_key_with_one_request_at_once_can_stop_it(start, brooding):
    key = Key(name="a", digest=digest_of("k"), concurrent=1, requests_per_minute=1)
    body = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0, "stream": True}
    headers = {"authorization": "Bearer k"}
    with start(brooding, parts={"ring": KeyRing(fixed=[key])}) as server:
        with server.client.stream(
            "POST", "/v1/chat/completions", json=body, headers=headers
        ) as reply:
            lines = reply.iter_lines()
            name = json.loads(next(lines).removeprefix("data: "))["id"]
            path = f"/v1/chat/completions/{name}/stop_thinking"
            assert stop(server, name).status_code == 401, "it is asked for its key"
            assert server.client.post(path, headers=headers).status_code == 202
            assert '"finish_reason":"stop"' in "".join(lines)
        refused = server.client.post("/v1/chat/completions", json=body, headers=headers)
        assert refused.status_code == 429


def test_who_is_not_thinking_cannot_stop(endless_server):
    body = {"messages": [{"role": "user", "content": "hi"}], "stream": True, "max_tokens": 10_000}
    with endless_server.client.stream("POST", "/v1/chat/completions", json=body) as reply:
        lines = reply.iter_lines()
        name = json.loads(next(lines).removeprefix("data: "))["id"]
        refused = stop(endless_server, name)
    assert refused.status_code == 409 and refused.json()["error"]["code"] == "conflict"
    assert stop(endless_server, "chatcmpl-nobody").status_code == 404


def test_two_requests_of_one_name_are_told_apart(brooder):
    body = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0, "stream": True}
    headers = {"x-request-id": "same"}

    def begin(client_key):
        return brooder.client.stream(
            "POST",
            "/v1/chat/completions",
            json=body,
            headers=headers | {"authorization": f"Bearer {client_key}"},
        )

    with begin("a") as first:
        first_lines = first.iter_lines()
        assert next(first_lines)
        with begin("a") as second, begin("b") as other:
            lines, other_lines = second.iter_lines(), other.iter_lines()
            assert next(lines) and next(other_lines)
            first.close()
            brooder.wait_until(lambda stats: stats.num_running == 2)
            assert stop(brooder, "same").status_code == 404, "a name is looked up by its key"
            path = "/v1/chat/completions/same/stop_thinking"
            key = {"authorization": "Bearer a"}
            assert brooder.client.post(path, headers=key).status_code == 202
            assert '"finish_reason":"stop"' in "".join(lines)
            assert brooder.client.post(path, headers=key).status_code == 404, "it is over"
            assert brooder.served.talker.engine.stats().num_running == 1, "the other goes on"
    brooder.wait_until(lambda stats: stats.num_running == 0)
    assert not brooder.served.reply_names.of(owner_of({"authorization": "Bearer b"}), "same")


def test_names_are_kept_for_the_newest():
    names = ReplyNames()

    async def overlap():
        async with names.known("key", ["same"], ["1"]):
            second = names.known("key", ["same"], ["2"])
            await second.__aenter__()
        assert names.of("key", "same") == ["2"]
        await second.__aexit__(None, None, None)
        assert not names.of("key", "same")

    asyncio.run(overlap())
