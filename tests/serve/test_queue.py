"""Who waits too long for a turn, and who reads more slowly than the model writes."""

import asyncio
import json
import socket
import time

import pytest

from bise.engine import EngineConfig, Plan, Request, SupervisedEngine
from bise.engine.streams import MOST_UNREAD

ENDLESS = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0, "stream": True}


def open_stream(server, rcvbuf=None, **fields):
    """An endless stream as a bare socket, which nobody reads yet."""
    body = json.dumps(ENDLESS | fields).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    client = socket.socket()
    if rcvbuf is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    client.connect(("127.0.0.1", server.port))
    client.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    return client


@pytest.mark.parametrize("streams", [False, True])
def test_a_request_whose_turn_does_not_come_gets_503(start, chatterbox, streams):
    with start(chatterbox, max_running=1, queue_s=0.3) as server:
        with open_stream(server):
            server.wait_until(lambda stats: stats.num_running == 1)
            began = time.monotonic()
            reply = server.chat(stream=streams)
            lasted_s = time.monotonic() - began
        assert reply.status_code == 503 and reply.headers["retry-after"]
        assert "waited 0.3 s for its turn" in reply.json()["message"]
        assert 0.3 <= lasted_s < 3
        server.wait_until(lambda stats: stats.num_running == stats.num_waiting == 0)
        assert server.chat(max_tokens=3).status_code == 200


@pytest.mark.slow
def test_the_engine_waits_for_a_reader_who_lags(start, chatterbox):
    with start(chatterbox) as server:
        told = server.served.talker.engine.stats
        with open_stream(server, rcvbuf=4096) as client:
            written = -1
            while written != (now := told().num_generated_tokens) or now < MOST_UNREAD:
                written = now
                time.sleep(0.5)
            assert told().num_running == 1
            assert server.chat(max_tokens=3).status_code == 200  # others go on
            before, read = told().num_generated_tokens, 0
            client.settimeout(10)
            while told().num_generated_tokens < before + MOST_UNREAD:
                read += len(client.recv(1 << 16))
            assert read > 100_000
        server.wait_until(lambda stats: stats.num_running == stats.pages_used == 0)


@pytest.mark.slow
def test_so_does_one_in_a_process_of_its_own(chatterbox):
    config = EngineConfig(max_running=2, backend="torch", speculates=False)
    plan = Plan(str(chatterbox), "native", "float32", config)
    num_tokens = 4 * MOST_UNREAD

    async def read(engine) -> list[int]:
        ids: list[int] = []
        async for step in engine.generate(Request(prompt_ids=[1, 4], max_tokens=num_tokens)):
            ids += step.ids
            if len(ids) == 10:  # dawdle until it writes no more
                while (before := engine.stats().num_generated_tokens) < MOST_UNREAD or (
                    await asyncio.sleep(0.3) or before != engine.stats().num_generated_tokens
                ):
                    await asyncio.sleep(0.05)
                told.append(before)
        return ids

    told: list[int] = []
    with SupervisedEngine(plan) as engine:
        ids = asyncio.run(read(engine))
    assert len(ids) == num_tokens and MOST_UNREAD <= told[0] < num_tokens
