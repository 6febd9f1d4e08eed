"""Streams that are left, that are slow, that break off; and the small endpoints."""

import asyncio
import json
import socket
import threading
import time

import pytest

from bise.serve.app import DOORS
from bise.serve.events import EventStream
from bise.serve.replies import together

LONG = {"messages": [{"role": "user", "content": "count"}], "max_tokens": 400}


def raw_request(server, body: dict, path: str = "/v1/chat/completions") -> socket.socket:
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sendall(head.encode() + data)
    return connection


@pytest.mark.parametrize("fields", [{"stream": True}, {"stream": True, "n": 3}])
def test_a_client_that_hangs_up_frees_its_slots(endless_server, fields):
    before = endless_server.served.talker.engine.stats().num_cancelled
    connection = raw_request(endless_server, {**LONG, **fields, "ignore_eos": True})
    received = b""
    while received.count(b"data: ") < 3:
        received += connection.recv(4096)
    assert endless_server.served.talker.engine.stats().num_running >= 1
    connection.close()
    endless_server.wait_until(lambda stats: stats.num_cancelled > before)
    endless_server.wait_until(lambda stats: stats.num_running == stats.num_waiting == 0)
    assert endless_server.served.talker.engine.stats().pages_used == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages", {"messages": LONG["messages"], "max_tokens": 9999}),
        ("/v1/responses", {"input": "count"}),
        ("/v1/completions", {"prompt": ["12", "34"], "max_tokens": 9999}),
        ("/v1/conversations", {"inputs": "count"}),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_hanging_up_at_other_doors_frees_slots_too(endless_server, path, body):
    engine = endless_server.served.talker.engine
    for stream in (True, False):
        if stream and path == "/v1/conversations":
            continue
        before = engine.stats().num_cancelled
        connection = raw_request(endless_server, {**body, "stream": stream}, path)
        received = b""
        while stream and received.count(b"data: ") < 6:
            received += connection.recv(4096)
        endless_server.wait_until(lambda stats: stats.num_running >= 1)
        connection.close()
        endless_server.wait_until(lambda stats, before=before: stats.num_cancelled > before)
        endless_server.wait_until(lambda stats: stats.num_running == stats.num_waiting == 0)
        assert engine.stats().pages_used == 0


def test_hanging_up_on_a_whole_reply_frees_its_slot(endless_server):
    before = endless_server.served.talker.engine.stats().num_cancelled
    connection = raw_request(endless_server, LONG)
    endless_server.wait_until(lambda stats: stats.num_running == 1)
    connection.close()
    endless_server.wait_until(lambda stats: stats.num_cancelled > before)
    endless_server.wait_until(lambda stats: stats.num_running == 0)


def test_hanging_up_while_waiting_leaves_the_queue(start, chatterbox):
    with start(chatterbox, max_running=1) as server:
        connections = [raw_request(server, {**LONG, "stream": True}) for _ in range(12)]
        server.wait_until(lambda stats: stats.num_waiting > 1)
        for connection in connections:
            connection.close()
        server.wait_until(lambda stats: stats.num_waiting == stats.num_running == 0)


def test_sixteen_clients_at_once_get_their_own_replies(thinking_server):
    found = []
    work = lambda: found.append(thinking_server.chat().json()["choices"][0]["message"])  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16 and all(message["content"] == "46, yes" for message in found)


def test_the_headers_of_a_stream(thinking_server):
    reply = thinking_server.chat(stream=True)
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["cache-control"] == "no-cache"
    assert reply.headers["x-accel-buffering"] == "no"
    assert reply.headers["x-reasoning-effort"] == "none"


def sent_by(stream: EventStream, messages: list[dict] | None = None) -> list[dict]:
    """What a stream sends to a client that stays. messages: a list for it, to be read meanwhile"""
    messages = [] if messages is None else messages

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        messages.append(message)

    asyncio.run(stream({}, receive, send))
    return messages


def test_a_silent_stream_is_kept_alive():
    messages: list[dict] = []

    def bodies():
        return [message["body"] for message in messages if "body" in message]

    async def slow():
        while bodies().count(b": keep-alive\n\n") < 2:
            await asyncio.sleep(0.01)
        yield b"data: 1\n\n"

    started = time.monotonic()
    sent_by(EventStream(slow(), lambda _: b"", {}, silence_s=0.05), messages)
    assert 0.1 <= time.monotonic() - started < 5 and messages[0]["status"] == 200
    assert bodies()[-2:] == [b"data: 1\n\n", b""]


def test_an_error_before_the_first_event_keeps_its_status():
    async def broken():
        raise ValueError("early")
        yield b""

    with pytest.raises(ValueError, match="early"):
        sent_by(EventStream(broken(), lambda _: b"", {}))


def test_an_error_after_it_is_told_in_the_stream():
    async def broken():
        yield b"data: 1\n\n"
        raise ValueError("late")

    messages = sent_by(EventStream(broken(), lambda error: f"data: {error}\n\n".encode(), {}))
    assert messages[-1] == {
        "type": "http.response.body",
        "body": b"data: late\n\n",
        "more_body": False,
    }


def test_a_stream_that_breaks_off_says_so_and_ends(start, chatterbox):
    with start(chatterbox) as server:
        with raw_request(server, {**LONG, "stream": True}) as connection:
            received = connection.recv(4096)
            server.served.talker.engine.close()
            while b"[DONE]" not in received:
                received += connection.recv(4096)
        assert b'"object":"error"' in received and b"service_unavailable" in received
        unwell = server.client.get("/health")
        assert (unwell.status_code, unwell.headers["retry-after"]) == (503, "1")
        assert server.chat().status_code == 503


def test_the_models_are_listed(thinking_server):
    listed = thinking_server.client.get("/v1/models").json()
    (card,) = listed["data"]
    assert listed["object"] == "list" and card["id"] == "tiny"
    assert card["max_context_length"] == card["max_model_len"] == 512
    assert card["aliases"] == ["tiny-latest"] and card["capabilities"]["vision"] is True
    for name in ("tiny", "tiny-latest"):
        assert thinking_server.client.get(f"/v1/models/{name}").json() == card


def test_health_and_the_description(thinking_server):
    health = thinking_server.client.get("/health")
    assert health.status_code == 200 and health.content == b""
    described = thinking_server.client.get("/openapi.json").json()
    for path in DOORS:
        post = described["paths"][path]["post"]
        assert post["summary"] and post["requestBody"]["content"]["application/json"]["schema"]


def test_a_stream_with_much_to_send_lets_others_have_their_turn():
    """Neither its events nor its socket wait here, as when a slow machine has fallen behind."""
    told: list[int] = []

    async def events():
        for number in range(10_000):
            yield b"%d" % number

    async def send(message):
        told.append(len(message))

    async def receive():
        await asyncio.Event().wait()

    async def run() -> int:
        stream = EventStream(events(), lambda _: b"", {})
        task = asyncio.ensure_future(stream({"type": "http"}, receive, send))
        for _ in range(10):
            await asyncio.sleep(0)
        sent = len(told)
        await task
        return sent

    assert asyncio.run(run()) < 1000 < len(told)


def test_replies_that_wait_cost_a_piece_of_another_nothing():
    """A thousand may wait for their turn in one request, and others are served by the same loop."""

    class Talking:
        async def __aiter__(self):
            for _ in range(300):
                await asyncio.sleep(0)
                yield []

    class Waiting:
        async def __aiter__(self):
            await asyncio.Event().wait()
            yield []

    async def read(num_waiting: int) -> float:
        rounds = together([Talking(), *[Waiting() for _ in range(num_waiting)]])
        assert (await anext(rounds)) == (0, [])
        began_s = time.thread_time()
        for _ in range(299):
            assert (await anext(rounds)) == (0, [])
        lasted_s = time.thread_time() - began_s
        await rounds.aclose()
        return lasted_s

    few, many = (min(asyncio.run(read(count)) for _ in range(3)) for count in (1, 1000))
    assert many < 5 * few
