"""Clients that are slow, large, many or not allowed; and a server that is told to stop."""

import base64
import io
import json
import re
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from PIL import Image
from test_streams import LONG, raw_request

from bise.serve import Drain, Limits
from bise.serve.backlog import Backlog, BodyRoom
from bise.serve.faults import HttpFault

GOOD = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0}


def connect(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def heard(connection: socket.socket) -> tuple[int, dict, bytes]:
    """Status, body and head of an answer after which the server closes."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body), head


def need(answer, status, code, words):
    found, body, head = answer
    assert found == status == body["raw_status_code"], body
    assert body["error"]["code"] == code and words in body["message"]
    lines = head.decode().lower().split("\r\n")
    assert f"x-request-id: {body['request_id']}" in lines and "x-model: tiny" in lines


@pytest.fixture(scope="module")
def hasty(start, thinker):
    """A server that waits for nobody."""
    limits = Limits(headers_s=0.3, body_pause_s=0.3, body_s=0.8, connections=30)
    with start(thinker, limits) as server:
        yield server


def head_of(server, length: int) -> bytes:
    return head_of_port(server.port, length)


def head_of_port(port: int, length: int) -> bytes:
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize(
    "beginning", [b"", b"POST /v1/chat", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"]
)
def test_slow_headers_are_408(hasty, beginning):
    with connect(hasty) as connection:
        connection.sendall(beginning)
        began_s = time.monotonic()
        need(heard(connection), 408, "request_timeout", "headers were not there after 0.3 s")
        assert time.monotonic() - began_s < 1.3


def test_headers_byte_by_byte_are_408_too(hasty):
    with connect(hasty) as connection:
        began_s = time.monotonic()
        with pytest.raises(OSError):
            for letter in b"GET /health HTTP/1.1\r\nX-Long: " + b"x" * 1000:
                connection.sendall(bytes([letter]))
                time.sleep(0.02)
        assert time.monotonic() - began_s < 2


def test_a_second_request_of_a_connection_has_its_own_time(hasty):
    with connect(hasty) as connection:
        for _ in range(2):
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            time.sleep(0.5)  # idle is not slow
        connection.sendall(b"GET /hea")
        need(heard(connection), 408, "request_timeout", "headers")


@pytest.mark.parametrize("pieces", [[], [b'{"mess'], [b" "] * 20])
def test_a_slow_body_is_408(hasty, pieces):
    with connect(hasty) as connection:
        connection.sendall(head_of(hasty, 1000))
        began_s = time.monotonic()
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.1 if len(pieces) > 1 else 0)
            if time.monotonic() - began_s > 0.7:
                break
        need(heard(connection), 408, "request_timeout", "the body was not sent within")
        assert time.monotonic() - began_s < 1.8


def test_large_headers_are_431_however_they_come(thinking_server):
    line = b"X-Long: " + b"x" * 70_000 + b"\r\n"
    for pieces in ([line, b"\r\n"], [line[:1000], line[1000:40_000], line[40_000:]]):
        with connect(thinking_server) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n")
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.02)
            need(heard(connection), 431, "headers_too_large", "larger than 65,536 bytes")
    with connect(thinking_server) as connection:  # in one packet, which the parser takes whole
        lines = b"".join(b"X-%d: %s\r\n" % (n, b"x" * 700) for n in range(98))
        connection.sendall(
            b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + lines + b"\r\n"
        )
        need(heard(connection), 431, "headers_too_large", "larger than 65,536 bytes")


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
    ],
    ids=["words", "version", "tls", "zero"],
)
def test_what_is_no_http_is_400(thinking_server, data):
    with connect(thinking_server) as connection:
        connection.sendall(data + b"\r\n\r\n")
        need(heard(connection), 400, "invalid_value", "no HTTP/1.1 request")


def test_what_never_became_a_request_is_counted(hasty):
    def refused():
        text = hasty.client.get("/metrics").text
        found = re.search(r'rejected_requests_total.*"request_timeout".* (\d+)', text)
        return int(found[1]) if found else 0

    before = refused()
    with connect(hasty) as connection:
        heard(connection)
    assert refused() == before + 1


def test_a_broken_body_frees_what_waited_for_it(thinking_server):
    with connect(thinking_server) as connection:
        head = head_of(thinking_server, 0).replace(
            b"Content-Length: 0", b"Transfer-Encoding: chunked"
        )
        connection.sendall(head + b"zz\r\n\r\n")
        need(heard(connection), 400, "invalid_value", "no HTTP/1.1 request")
    assert thinking_server.chat().status_code == 200


CHUNKED = b"POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("is_head", [False, True], ids=["answered before", "HEAD"])
def test_a_broken_chunk_is_nobodys_bug(thinking_server, caplog, is_head):
    """Either the answer is complete already, or it must not have a body."""
    with connect(thinking_server) as connection:
        connection.sendall(CHUNKED.replace(b"POST", b"HEAD") + b"zz\r\n" if is_head else CHUNKED)
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 400" if is_head else b"HTTP/1.1 404"), answer
        if not is_head:
            connection.sendall(b"zz\r\n\r\n")
        with suppress(ConnectionResetError):
            while more := connection.recv(65536):
                answer += more
    assert answer.endswith(b"\r\n\r\n") == is_head, answer
    assert thinking_server.chat(max_tokens=1).status_code == 200
    assert not [one for one in caplog.records if one.name == "asyncio"], caplog.text


def test_a_refused_body_that_goes_on_is_cut_off(start, thinker):
    with start(thinker, Limits(body_bytes=1000)) as server, connect(server) as connection:
        connection.sendall(head_of(server, 10**9))
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 413")
        began_s = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began_s < 10:
                connection.sendall(b" " * 1000)
                time.sleep(0.01)
        assert 1 < time.monotonic() - began_s < 5


def test_too_many_connections_are_refused_and_others_served_again(hasty):
    held = [connect(hasty) for _ in range(30)]
    time.sleep(0.1)
    with connect(hasty) as connection:
        answer = heard(connection)
        need(answer, 503, "service_unavailable", "30 clients are connected")
        assert b"retry-after" in answer[2].lower()
    for connection in held:
        connection.close()
    time.sleep(0.1)
    assert hasty.chat().status_code == 200


def test_a_client_that_does_not_read_is_ended_and_its_pages_are_free(start, chatterbox):
    with start(chatterbox, Limits(unread_s=0.4)) as server:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            data = json.dumps(LONG | {"stream": True, "n": 4, "max_tokens": 200_000}).encode()
            connection.sendall(head_of(server, len(data)) + data)
            server.wait_until(lambda stats: stats.num_running == 4)
            server.wait_until(lambda stats: stats.num_running == 0, timeout_s=60)
        assert server.served.talker.engine.stats().pages_used == 0
        assert server.chat(max_tokens=2).status_code == 200


@pytest.mark.parametrize("last", [b"", head_of_port(80, 10**9)], ids=["idle", "sends"])
def test_a_client_that_leaves_a_little_unread_is_ended_too(start, thinker, last):
    """Too little for the transport to ask for a pause, which would set a clock."""
    page = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with start(thinker, Limits(unread_s=0.3, body_bytes=1000)) as server, socket.socket() as client:
        server.http.config.timeout_keep_alive = 1
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        state, unread = server.http.server_state, 0
        while not unread:
            before = state.total_requests
            client.sendall(page)
            while state.total_requests == before:
                time.sleep(0.002)
            (connection,) = state.connections
            unread = connection.transport.get_write_buffer_size()
        assert 0 < unread < 65536 and not connection.transport.is_closing()
        client.sendall(last)
        ends_s = time.monotonic() + 6
        while state.connections:
            assert time.monotonic() < ends_s, connection.transport
            with suppress(OSError):
                client.send(b" " if last else b"")
            time.sleep(0.05)


def test_a_handshake_that_does_not_come_is_ended(start, thinker):
    here = Path(__file__).parent / "certificate"
    tls = {"ssl_certfile": here / "chain.pem", "ssl_keyfile": here / "key.pem"}
    with start(thinker, Limits(headers_s=0.4), tls=tls) as server:
        with connect(server) as connection:
            began_s = time.monotonic()
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
            assert 0.3 < time.monotonic() - began_s < 3
        trusting = httpx.Client(base_url=f"https://127.0.0.1:{server.port}", verify=False)
        with trusting as client:
            assert client.get("/health").status_code == 200


def test_a_slow_reader_that_reads_is_kept(start, chatterbox):
    with start(chatterbox, Limits(unread_s=0.4)) as server:
        with raw_request(server, LONG | {"stream": True, "max_tokens": 2000}) as connection:
            received = b""
            while b"[DONE]" not in received:
                time.sleep(0.01)
                received += connection.recv(4096)
        assert b'"finish_reason":"length"' in received and b'"error"' not in received


def test_a_server_wide_deadline_cuts_what_would_go_on(start, chatterbox):
    with start(chatterbox, request_s=0.4) as server:
        for fields in ({}, {"timeout": 60}):
            began_s = time.monotonic()
            reply = server.chat(max_tokens=200_000, **fields)
            assert reply.json()["choices"][0]["finish_reason"] == "length"
            assert time.monotonic() - began_s < 2
        assert server.post("/v1/completions", prompt="12", max_tokens=200_000).status_code == 200


def test_prompts_that_wait_are_bounded_in_tokens(start, chatterbox):
    parts = {"backlog": Backlog(limit=300)}
    with start(chatterbox, max_running=1, parts=parts) as server:
        long = LONG | {"stream": True, "max_tokens": 100_000}
        first = raw_request(server, long)
        server.wait_until(lambda stats: stats.num_running == 1)
        waiting = [raw_request(server, long) for _ in range(24)]
        ends_s = time.monotonic() + 20
        while server.served.backlog.num_tokens <= 300 - 18:  # each has a few tokens more than 18
            assert time.monotonic() < ends_s, server.served.backlog
            time.sleep(0.02)
        refused = server.chat(max_tokens=1)
        assert refused.status_code == 429 and "are waiting already" in refused.json()["message"]
        assert refused.headers["retry-after"] == "5"
        for connection in (first, *waiting):
            connection.close()
        server.wait_until(lambda stats: stats.num_waiting == stats.num_running == 0)
        ends_s = time.monotonic() + 5
        while server.served.backlog.num_tokens:
            assert time.monotonic() < ends_s, server.served.backlog
            time.sleep(0.02)
        assert server.chat(max_tokens=1).status_code == 200


def test_bodies_that_are_being_read_are_bounded_together(start, thinker):
    with start(thinker, parts={"bodies": BodyRoom(5000)}) as server:
        with connect(server) as first, connect(server) as second:
            first.sendall(head_of(server, 4000) + b" " * 3000)
            while server.served.bodies.num_bytes < 3000:
                time.sleep(0.01)
            second.sendall(head_of(server, 4000) + b" " * 3000)
            assert second.recv(4096).startswith(b"HTTP/1.1 429")
        while server.served.bodies.num_bytes:
            time.sleep(0.01)
        assert server.chat().status_code == 200
        alone = server.chat("x" * 300_000)
        assert alone.status_code == 400 and "context length" in alone.json()["message"]
        while server.served.bodies.num_bytes:  # an answer is read before its request has ended
            time.sleep(0.01)


def test_a_body_counts_until_its_request_has_ended(start, chatterbox):
    """Its messages and pictures are kept as long."""
    room = BodyRoom(5000)
    with start(chatterbox, parts={"bodies": room}) as server:
        body = LONG | {"stream": True, "max_tokens": 100_000, "user": "x" * 3000}
        with raw_request(server, body) as running:
            running.recv(1000)
            assert 3000 < room.num_bytes < 5000
            refused = server.chat(max_tokens=1, user="x" * 3000)
            assert refused.status_code == 429 and "under way" in refused.json()["message"]
            assert refused.headers["retry-after"] == "5"
            assert server.chat(max_tokens=1).status_code == 200
        ends_s = time.monotonic() + 10
        while room.num_bytes:
            assert time.monotonic() < ends_s, room
            time.sleep(0.01)
        assert server.chat(max_tokens=1, user="x" * 3000).status_code == 200


def test_a_large_prompt_may_wait_alone():
    backlog = Backlog(limit=10)
    backlog.enter(50)
    with pytest.raises(HttpFault, match="50 tokens are waiting"):
        backlog.enter(1)
    backlog.leave(50)
    backlog.enter(1)


def test_a_server_that_is_told_to_stop_ends_what_runs_and_refuses_the_rest(start, chatterbox):
    with start(chatterbox, parts={"drain": Drain(20.0)}) as server:
        body = LONG | {"stream": True, "max_tokens": 3000}
        with raw_request(server, body) as connection:
            received = connection.recv(4096)
            server.http.handle_exit(15, None)
            refused = server.chat()
            assert refused.status_code == 503 and int(refused.headers["retry-after"]) >= 1
            assert "about to stop" in refused.json()["message"]
            for path, status in (
                ("/health", 503),
                ("/v1/health/ready", 503),
                ("/v1/health/live", 200),
                ("/metrics", 200),
            ):
                assert server.client.get(path).status_code == status, path
            while b"[DONE]" not in received:
                received += connection.recv(65536)
            assert b'"finish_reason":"length"' in received and b'"error"' not in received
        server.thread.join(10)
        assert not server.thread.is_alive()


def test_what_takes_too_long_to_end_is_told_so(start, chatterbox):
    with start(chatterbox, parts={"drain": Drain(0.3)}) as server:
        whole = []
        ask = threading.Thread(target=lambda: whole.append(server.chat(max_tokens=200_000)))
        ask.start()
        with raw_request(server, LONG | {"stream": True, "max_tokens": 200_000}) as connection:
            received = connection.recv(4096)
            server.http.handle_exit(15, None)
            while b"[DONE]" not in received:
                chunk = connection.recv(65536)
                assert chunk, received[-300:]
                received += chunk
            assert b'"code":"service_unavailable"' in received
        ask.join(10)
        assert whole[0].status_code == 503
        server.thread.join(10)
        assert not server.thread.is_alive()


def test_a_second_signal_ends_at_once(start, chatterbox):
    body = LONG | {"stream": True, "max_tokens": 200_000}
    with start(chatterbox) as server, raw_request(server, body) as connection:
        connection.recv(4096)
        server.http.handle_exit(15, None)
        server.http.handle_exit(15, None)
        server.thread.join(10)
        assert not server.thread.is_alive()


def test_allowed_origins_may_read_answers(start, thinker):
    with start(thinker, allowed_origins=("https://chat.example",)) as server:
        origin = {"origin": "https://chat.example", "sec-fetch-site": "cross-site"}
        asks = {**origin, "access-control-request-method": "POST",
                "access-control-request-headers": "authorization,content-type"}  # fmt: skip
        reply = server.client.request("OPTIONS", "/v1/chat/completions", headers=asks)
        assert reply.status_code == 204
        assert reply.headers["access-control-allow-origin"] == "https://chat.example"
        assert reply.headers["access-control-allow-headers"] == "authorization,content-type"
        reply = server.client.post("/v1/chat/completions", json=GOOD, headers=origin)
        assert reply.status_code == 200
        assert reply.headers["access-control-allow-origin"] == "https://chat.example"
        other = {**asks, "origin": "https://evil.example"}
        reply = server.client.request("OPTIONS", "/v1/chat/completions", headers=other)
        assert reply.status_code == 403 and "access-control-allow-origin" not in reply.headers


def test_only_a_link_to_the_page_may_come_from_elsewhere(thinking_server):
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    get = thinking_server.client.get
    assert get("/", headers=link).status_code != 403
    assert get("/v1/models", headers=link).status_code == 403
    assert get("/", headers={**link, "sec-fetch-mode": "no-cors"}).status_code == 403


def photo(orientation: int | None, kind: str = "JPEG") -> bytes:
    """A picture, wider than high, red on its left."""
    image = Image.new("RGB", (112, 28), "blue")
    image.paste("red", (0, 0, 28, 28))
    exif = Image.Exif()
    if orientation is not None:
        exif[274] = orientation
    out = io.BytesIO()
    image.save(out, kind, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_are_turned_as_the_camera_was_held(thinking_server, kind):
    def tokens(orientation):
        data = base64.b64encode(photo(orientation, kind)).decode()
        part = {"type": "image_url", "image_url": f"data:;base64,{data}"}
        reply = thinking_server.post("/render", messages=[{"role": "user", "content": [part]}])
        return reply.json()["text"]

    lying, upright = tokens(None), tokens(6)
    assert lying.count("[IMG_BREAK]") == 0 and lying.count("[IMG]") == 4
    assert upright.count("[IMG_BREAK]") == 3 and upright.count("[IMG]") == 4
    assert tokens(9) == lying


def test_large_pictures_are_prepared_one_after_the_other(start, thinker, monkeypatch):
    with start(thinker, Limits(heavy_pixels=1000)) as server:
        talker, running, most = server.served.talker, [], []
        encode = talker.encode

        def slow(ask):
            running.append(threading.current_thread().name)
            most.append(len(running))
            time.sleep(0.05)
            running.pop()
            return encode(ask)

        monkeypatch.setattr(talker, "encode", slow)
        data = base64.b64encode(photo(None)).decode()
        part = {"type": "image_url", "image_url": f"data:;base64,{data}"}
        asks = [threading.Thread(target=server.chat, args=([part],)) for _ in range(4)]
        for one in asks:
            one.start()
        for one in asks:
            one.join()
        assert max(most) == 1 and len(most) == 4


def test_a_picture_that_would_take_gigabytes_takes_none(thinking_server):
    """What is refused by its header is never decoded."""
    from test_faults import huge_png, image

    began_s = time.monotonic()
    reply = thinking_server.chat(image(huge_png(60_000)))
    assert reply.status_code == 400 and time.monotonic() - began_s < 1
    assert reply.json()["error"]["code"] == "invalid_image"


def test_who_helps_a_running_reply_is_heard_to_the_end():
    drain = Drain(0.0)
    assert not drain.has_begun and drain.overdue_s == 0
    drain.refuse("/v1/chat/completions")
    drain.begin()
    assert drain.left_s == 0
    with pytest.raises(HttpFault):
        drain.refuse("/v1/chat/completions")
    drain.refuse("/v1/chat/completions/x/stop_thinking")
