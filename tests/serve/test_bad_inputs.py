"""Every bad input of `bad_inputs/`: the right status, the right words, in time, at nobody's cost.

A case says what is sent (`json`, `text`, `latin1`, or `raw` pieces on a socket) and what has to
come back. In it `{"$repeat": "x", "times": 3}` stands for `"xxx"`; see `made`.
"""

import base64
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from test_child import command
from test_faults import huge_png

from bise.serve import Key, KeyRing, Limits, PictureFetching, digest_of

FILES = sorted((Path(__file__).parent / "bad_inputs").glob("*.json"))
CASES = [case for file in FILES for case in json.loads(file.read_text())["cases"]]
WITHIN_S = 3.0  # on two cores that other tests keep busy
PATH = "/v1/chat/completions"


def made(value: Any) -> Any:
    """A value of a case with everything in it that only has a description there."""
    if isinstance(value, list):
        return [made(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "$repeat" in value:
        return value["$repeat"] * value["times"]
    if "$list" in value:
        return [made(value["$list"])] * value["times"]
    if "$join" in value:
        return "".join(map(made, value["$join"]))
    if "$nest" in value:
        return nested(value["$nest"])
    if "$names" in value:
        return {f"name_{number}": {"type": "string"} for number in range(value["$names"])}
    if "$png_header" in value:
        return data_url(sized(*value["$png_header"]))
    if "$png" in value:
        out = io.BytesIO()
        Image.new("RGB", tuple(value["$png"]), "red").save(out, "PNG")
        return data_url(out.getvalue()[: value.get("keep_bytes")])
    return {name: made(one) for name, one in value.items()}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth // 2):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def sized(width: int, height: int) -> bytes:
    """A PNG that says it has this size, and has no pixels."""
    import struct
    import zlib

    data = huge_png(1)
    head = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]


def data_url(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


@pytest.fixture(scope="module")
def servers(start, thinker) -> Iterator[dict[str, Any]]:
    """One process, one server for each way of being strict."""
    keys = [
        Key(name="good", digest=digest_of("good")),
        Key(name="slow", digest=digest_of("slow"), requests_per_minute=1),
        Key(name="poor", digest=digest_of("poor"), tokens_per_day=1),
    ]
    ways = {
        "open": {},
        "keyed": {"parts": {"ring": KeyRing(None, keys)}},
        "fetching": {"parts": {"pictures": PictureFetching()}},
        "small": {"limits": Limits(body_bytes=10_000)},
        "hasty": {"limits": Limits(headers_s=0.4, body_pause_s=0.4)},
        "full": {},
    }
    with ExitStack() as stack:
        yield {name: stack.enter_context(start(thinker, **way)) for name, way in ways.items()}


def good(server: Any) -> dict[str, Any]:
    headers = {"authorization": "Bearer good"}
    body = {"messages": [{"role": "user", "content": "What is 40+6?"}], "temperature": 0}
    reply = server.client.post(PATH, json=body, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()["choices"]


def sent(server: Any, case: dict[str, Any]) -> tuple[int, bytes]:
    """What comes back: the status and the body."""
    if "raw" in case:
        return sent_raw(server, case["raw"])
    headers = {"content-type": "application/json"} | made(case.get("headers", {}))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    raw += [(n.encode(), v.encode("latin1")) for n, v in case.get("headers_latin1", {}).items()]
    url = httpx.URL(str(server.client.base_url), raw_path=case.get("path", PATH).encode())
    for _ in range(case.get("times", 1)):
        reply = server.client.request(
            case.get("method", "POST"), url, content=content_of(case), headers=raw
        )
    return reply.status_code, reply.content


def content_of(case: dict[str, Any]) -> bytes:
    """The body that is sent."""
    if "json" in case:
        return json.dumps(made(case["json"])).encode()
    text = made(case.get("text", case.get("latin1")))
    return text.encode("latin1" if "latin1" in case else "utf-8")


def sent_raw(server: Any, pieces: list[Any]) -> tuple[int, bytes]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(made(piece).encode("latin1"))
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
            head, _, body = received.partition(b"\r\n\r\n")
            if body.endswith(b"}"):
                break
    assert received, "it hung up without a word"
    return int(head.split()[1]), body


@pytest.fixture(scope="module")
def unharmed(servers) -> dict[str, Any]:
    return {name: good(server) for name, server in servers.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"].replace(" ", "-"))
def test_a_bad_input_is_refused_in_time_and_the_next_good_one_is_not(servers, unharmed, case):
    name = case.get("server", "open")
    server = servers[name]
    engine = server.served.talker.engine
    before = engine.stats()
    if name == "full":
        engine.max_waiting = 0
    began_s = time.monotonic()
    status, data = sent(server, case)
    took_s = time.monotonic() - began_s
    if name == "full":
        engine.max_waiting = 512
    body = json.loads(data)
    said = body["error"]["message"]
    assert status == case["status"], body
    assert case["words"] in said and "\n" not in said and len(said) <= 2100, body
    assert len(data) < 10_000 and "Traceback" not in said
    if "code" in case:
        assert body["error"]["code"] == case["code"], body
    assert took_s < case.get("within_s", WITHIN_S), f"{took_s:.2f} s"
    assert good(server) == unharmed[name]
    after = engine.stats()
    assert after.num_running == after.num_waiting == after.pages_used == 0
    if status not in (429, 504):
        spent = after.num_step_tokens - before.num_step_tokens
        assert spent < 100, "a refused request was computed"


def test_there_are_enough_and_each_is_told_apart():
    assert len(CASES) >= 60
    assert len({case["name"] for case in CASES}) == len(CASES)
    known = {"name", "server", "method", "path", "headers", "headers_latin1", "json", "text"}
    known |= {"latin1", "raw", "times", "status", "code", "words", "within_s"}
    for case in CASES:
        assert case.keys() <= known, case["name"]
        assert sum(way in case for way in ("json", "text", "latin1", "raw")) == 1, case["name"]


@pytest.mark.full
def test_others_hardly_notice_floods(chatterbox):
    """A stream's waits while large bad requests arrive, against its waits just before.

    A busy machine makes both longer: so nine of ten are compared, with 20 ms for what else runs.
    """
    floods = [content_of(case) for case in CASES if isinstance(case.get("text"), dict)] * 2
    body = {"messages": [{"role": "user", "content": "count"}], "max_tokens": 100_000}
    arrived: list[float] = []
    stop = threading.Event()
    with command(chatterbox, "--backend", "torch") as server:

        def read() -> None:
            url = f"{server.client.base_url}{PATH}"
            with httpx.stream("POST", url, json=body | {"stream": True}, timeout=60) as reply:
                for line in reply.iter_lines():
                    if line:
                        arrived.append(time.monotonic())
                    if stop.is_set():
                        return

        reader = threading.Thread(target=read)
        reader.start()
        time.sleep(2)
        num_quiet = len(arrived)
        statuses = [server.client.post(PATH, content=flood).status_code for flood in floods]
        stop.set()
        reader.join()
    assert set(statuses) <= {400, 422} and len(floods) > 8
    gaps = [later - earlier for earlier, later in pairwise(arrived)]
    quiet, flooded = sorted(gaps[:num_quiet]), sorted(gaps[num_quiet:])
    usual_s, longer_s = (few[int(0.9 * len(few))] for few in (quiet, flooded))
    assert longer_s < 2 * usual_s + 0.02, (usual_s, longer_s)
    assert flooded[-1] < 1, flooded[-10:]
