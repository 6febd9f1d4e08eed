"""A server of nano under mixed load for a long time: `make soak` (30 minutes).

Everything at once that clients do: answers whole and streamed at every door, thinking, pictures,
schemas, hang-ups and bad input. Afterwards memory must not have grown, no page be held, no stream
have hung, and health have answered at once all the while.
"""

import argparse
import base64
import http.client
import io
import json
import multiprocessing
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

NUM_CLIENTS = 12
SILENT_S = 60.0
"""A stream that gives nothing for so long hangs."""

LOOK_S = 0.2
WARM_UP = 0.25
"""Of the time: until then caches may fill."""

MAX_GROWTH = 0.02
MAX_HEALTH_S = 0.1
BAD = (
    b"{", b"[]", b"\xff\xfe", b'{"messages": []}', b'{"messages": [{"role": "robot"}]}',
    b'{"messages": [{"role": "user", "content": "hi"}], "temperature": 9}',
    b'{"messages": [{"role": "user", "content": "hi"}], "response_format": {"type": "xml"}}',
    b'{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "data:,x"}]}]}',
    b'{"messages": [{"role": "user", "content": "' + b"many words " * 9000 + b'"}]}',
    b"[" * 1000,
)  # fmt: skip


@dataclass
class Report:
    """What was seen."""

    minutes: float
    done: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """What should not have happened."""

    memory: list[tuple[float, int]] = field(default_factory=list)
    """Seconds from the start, and bytes of all processes of the server."""

    health_s: list[float] = field(default_factory=list)
    idle_s: list[float] = field(default_factory=list)
    """The same of a server that does nothing: how late this machine is by itself."""

    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def growth(self) -> float:
        """Of memory, from the end of the warm-up to the end."""
        lasted_s = self.memory[-1][0]
        warm = [size for at, size in self.memory if WARM_UP <= at / lasted_s < WARM_UP + 0.1]
        last = [size for at, size in self.memory if at / lasted_s >= 0.9]
        return statistics.median(last) / statistics.median(warm) - 1

    @property
    def held_pages(self) -> float:
        return self.metrics['bise:cache_pages{model_name="nano",state="used"}']

    def need(self) -> None:
        """Fail unless all was well."""
        assert not self.faults, self.faults[:10]
        for kind in (*KINDS, "hang-up", "bad"):
            assert self.done[kind] > 0, self.done
        assert self.growth < MAX_GROWTH, [(round(at), size >> 20) for at, size in self.memory[::50]]
        assert late(self.health_s) < MAX_HEALTH_S + late(self.idle_s), self
        assert self.held_pages == 0

    def __str__(self) -> str:
        sizes = [size / 2**20 for _, size in self.memory]
        times = (late(self.health_s), max(self.health_s), late(self.idle_s), max(self.idle_s))
        shown = [f"{1000 * one:.1f}" for one in times]
        return (
            f"{self.minutes:g} minutes: {dict(self.done)}\n"
            f"memory {sizes[0]:.0f} MiB at first, {max(sizes):.0f} at most, {sizes[-1]:.0f} at "
            f"last: {100 * self.growth:+.2f} % after the warm-up\n"
            f"health: {len(self.health_s)} checks, 99 of 100 within {shown[0]} ms, slowest "
            f"{shown[1]} ms; of a server that does nothing {shown[2]} and {shown[3]} ms\n"
            f"pages held afterwards: {self.held_pages:g}; faults: {self.faults[:5]}"
        )


@contextmanager
def nano(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`bise serve nano`; gives the process and its port."""
    words = [sys.executable, "-m", "bise.cli", "serve", "nano", "--port", "0", *options]
    log = folder / "serve.log"
    with log.open("wb") as told:
        process = subprocess.Popen(words, stderr=told, env=os.environ | {"COLUMNS": "200"})
    try:
        ends = time.monotonic() + 120
        while (
            found := re.search(r"base URL +http://127\.0\.0\.1:(\d+)/v1", log.read_text())
        ) is None:
            assert process.poll() is None and time.monotonic() < ends, log.read_text()
            time.sleep(0.1)
        yield process, int(found[1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def ask(port: int, path: str, body: bytes, *, keep: int | None = None) -> tuple[int, bytes]:
    """A POST; with `keep`, hang up after so many bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SILENT_S)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        return reply.status, reply.read(keep)
    finally:
        connection.close()


def page_of(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SILENT_S)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def user(text: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def sum_of(rng: random.Random) -> str:
    return f"What is {rng.randint(1, 999)}+{rng.randint(1, 999)}?"


def picture(rng: random.Random) -> str:
    made = io.BytesIO()
    sides = rng.choice([(56, 28), (28, 28), (84, 56)])
    Image.new("RGB", sides, rng.choice(["red", "green", "blue"])).save(made, "PNG")
    return "data:image/png;base64," + base64.b64encode(made.getvalue()).decode()


def chat(rng: random.Random) -> tuple[str, dict[str, Any]]:
    effort = rng.choice(["none", "high"])
    fields = {"messages": user(sum_of(rng)), "reasoning_effort": effort, "n": rng.choice([1, 1, 3])}
    return "/v1/chat/completions", fields | {"max_tokens": 300, "stream": rng.random() < 0.7}


def mistral(rng: random.Random) -> tuple[str, dict[str, Any]]:
    path, fields = chat(rng)
    return f"/mistral{path}", fields


def messages(rng: random.Random) -> tuple[str, dict[str, Any]]:
    fields = {"messages": user(sum_of(rng)), "max_tokens": 200, "stream": rng.random() < 0.7}
    return "/v1/messages", fields | {"thinking": {"type": "adaptive"}}


def responses(rng: random.Random) -> tuple[str, dict[str, Any]]:
    return "/v1/responses", {"input": sum_of(rng), "max_output_tokens": 200, "stream": True}


def look(rng: random.Random) -> tuple[str, dict[str, Any]]:
    parts = [{"type": "text", "text": "Which digits?"},
             {"type": "image_url", "image_url": picture(rng)}]  # fmt: skip
    return "/v1/chat/completions", {"messages": user(parts), "max_tokens": 40, "stream": True}


def schema(rng: random.Random) -> tuple[str, dict[str, Any]]:
    names = [f"field_{number}" for number in range(rng.randint(1, 12))]
    properties = {name: {"type": "integer", "maximum": 99, "minimum": 0} for name in names}
    made = {"type": "object", "properties": properties, "required": names,
            "additionalProperties": False}  # fmt: skip
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": made}}
    return "/v1/chat/completions", {
        "messages": user(sum_of(rng)), "response_format": form, "max_tokens": 300,
    }  # fmt: skip


def text(rng: random.Random) -> tuple[str, dict[str, Any]]:
    long = " ".join(str(rng.randint(1, 9999)) for _ in range(rng.randint(5, 400)))
    return "/v1/completions", {"prompt": long, "max_tokens": 20}


KINDS = {"chat": chat, "mistral": mistral, "messages": messages, "responses": responses,
         "picture": look, "schema": schema, "text": text}  # fmt: skip


def be_a_client(port: int, seed: int, ends: float, report: Report, lock: threading.Lock) -> None:
    """Ask one thing after the other until the time is over."""
    rng = random.Random(seed)
    while time.monotonic() < ends:
        fault, kind = "", rng.choice([*KINDS, "hang-up", "bad"])
        try:
            if kind == "bad":
                status, body = ask(port, "/v1/chat/completions", rng.choice(BAD))
                fault = (
                    "" if 400 <= status < 500 and b'"error"' in body else f"{status} to bad input"
                )
            elif kind == "hang-up":
                fields = {"messages": user(sum_of(rng)), "ignore_eos": True, "max_tokens": 2000}
                fields |= {"stream": True, "n": rng.choice([1, 4])}
                ask(port, "/v1/chat/completions", json.dumps(fields).encode(), keep=2000)
            else:
                path, fields = KINDS[kind](rng)
                status, body = ask(port, path, json.dumps(fields).encode())
                is_cut = fields.get("stream") and not is_whole(body)
                fault = "" if status == 200 and not is_cut else f"{kind}: {status} {body[-300:]!r}"
        except (OSError, http.client.HTTPException) as error:
            fault = f"{kind}: {type(error).__name__} {error}"
        with lock:
            report.done[kind] += 1
            if fault:
                report.faults.append(fault)


def is_whole(body: bytes) -> bool:
    """Whether a stream came to its end."""
    ends = (b"data: [DONE]\n\n", b'"message_stop"}\n\n')
    return body.endswith(ends) or b"event: response.completed" in body or (
        b"event: response.incomplete" in body
    )  # fmt: skip


def late(times: list[float]) -> float:
    """The 99th of a hundred."""
    return sorted(times)[int(0.99 * len(times))]


def watch_health(port: int, seconds: float, told: Any) -> None:
    """In a process of its own, so that the load's threads do not slow the clock."""
    ports: Any = multiprocessing.Queue()
    idle = multiprocessing.Process(target=answer_nothing, args=(ports,), daemon=True)
    idle.start()
    seen: dict[int, list[float]] = {port: [], ports.get(): []}
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for one, times in seen.items():
            began = time.perf_counter()
            status, _ = page_of(one, "/health")
            times.append(time.perf_counter() - began if status == 200 else 999.0)
        time.sleep(LOOK_S)
    idle.terminate()
    told.send(list(seen.values()))


def answer_nothing(ports: Any) -> None:
    """A server that is always well, and has nothing else to do."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ports.put(server.getsockname()[1])
        while True:
            client, _ = server.accept()
            with client:
                client.recv(1 << 16)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def family(process: int) -> list[int]:
    """A process and its children, whichever of its threads began them."""
    threads = Path(f"/proc/{process}/task").iterdir()
    children = [one for thread in threads for one in (thread / "children").read_text().split()]
    return [process, *(one for child in children for one in family(int(child)))]


def memory_of(process: int) -> int:
    """Bytes of all processes of a server."""
    total = 0
    for one in family(process):
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{one}/status").read_text())
        total += int(found[1]) * 1024 if found else 0
    return total


def numbers(port: int) -> dict[str, float]:
    """What `/metrics` says."""
    lines = page_of(port, "/metrics")[1].decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def soak(minutes: float, folder: Path, num_clients: int = NUM_CLIENTS) -> Report:
    """Load a server for so long; afterwards `need` says whether all was well."""
    report, lock, seconds = Report(minutes), threading.Lock(), 60 * minutes
    with nano(folder) as (process, port):
        ours, theirs = multiprocessing.Pipe()
        watch = multiprocessing.get_context("spawn").Process(
            target=watch_health, args=(port, seconds, theirs)
        )
        watch.start()
        started = time.monotonic()
        clients = [
            threading.Thread(
                target=be_a_client, args=(port, seed, started + seconds, report, lock), daemon=True
            )
            for seed in range(num_clients)
        ]
        for client in clients:
            client.start()
        while time.monotonic() < started + seconds:
            report.memory.append((time.monotonic() - started, memory_of(process.pid)))
            time.sleep(1)
        for client in clients:
            client.join(2 * SILENT_S)
            if client.is_alive():
                report.faults.append("a client hangs")
        report.health_s, report.idle_s = ours.recv()
        watch.join()
        report.metrics = settled(port)
    return report


def settled(port: int) -> dict[str, float]:
    """The numbers once nothing runs any more, or after ten seconds as they are."""
    ends = time.monotonic() + 10
    while True:
        found = numbers(port)
        busy = sum(value for name, value in found.items() if name.startswith("vllm:num_requests"))
        if not busy or time.monotonic() > ends:
            return found
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = soak(asked.minutes, Path(folder))
    sys.stdout.write(f"{report}\n")
    report.need()


if __name__ == "__main__":
    main()
