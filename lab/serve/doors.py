"""How many tokens a second the front end streams: everything of a server but the network.

`python lab/serve/doors.py` serves, on one core, an engine whose steps take no time and which says
ids of real text in Small 4's vocabulary; on another core 64 clients read a chat each, in OpenAI's
dialect, one event for each token. `--profile` says where the time goes. With `--url` it reads from
a server that runs already, ours or another's, and with `--pid` says what its threads took; with
`--whole` answers come in one piece each, and what streaming costs is the difference. What came of
it is in lab/2026-11-26-doors.md.
"""

import argparse
import cProfile
import json
import multiprocessing
import os
import pstats
import resource
import selectors
import signal
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from bise.engine import Bounds, Engine, Request, ScriptedCore
from bise.model import preset
from bise.serve import HttpServer, Served, Talker
from bise.text import ChatFormat, Tekken

TEXT = Path(__file__).parents[2] / "docs" / "life-of-a-request.md"
QUESTION = [{"role": "user", "content": "Tell me how a request travels."}]


def plain_ids(tekken: Tekken) -> list[int]:
    """Ids of real text, each of whole characters, so that each is an event."""
    ids = tekken.encode(TEXT.read_text())
    return [token for token in ids if tekken.token_bytes(token).isascii()]


def serve(told: Connection, core: int, profile: str) -> None:
    """Serve on one core until told to stop; says the port, then the seconds of CPU it took."""
    os.sched_setaffinity(0, {core})
    tekken = Tekken.official()
    ids = plain_ids(tekken)

    def script(request: Request) -> Iterator[int]:
        start = hash(tuple(request.prompt_ids[-4:])) % len(ids)
        return islice(ids * (2 + (request.max_tokens or 0) // len(ids)), start, None)

    config = replace(preset("small4"), max_positions=262_144)
    bounds = Bounds.of(config, config.max_positions)
    talker = Talker(
        Engine(ScriptedCore(script, bounds)), ChatFormat(tekken), config=config, bounds=bounds
    )
    server = HttpServer(Served(talker=talker, names=("scripted",), fingerprint="none"), port=0)
    profiler = cProfile.Profile() if profile else None

    def listen() -> None:
        while not server.started:
            time.sleep(0.01)
        told.send(server.servers[0].sockets[0].getsockname()[1])
        while told.recv() != "stop":
            used = resource.getrusage(resource.RUSAGE_SELF)
            told.send(used.ru_utime + used.ru_stime)
        server.should_exit = True

    threading.Thread(target=listen, daemon=True).start()
    if profiler is not None:
        profiler.enable()
    server.run()
    if profiler is not None:
        profiler.disable()
        pstats.Stats(profiler).sort_stats(profile).print_stats(45)
    talker.close()


def read_streams(address: str, path: str, body: bytes, num: int) -> tuple[float, list[bytes]]:
    """So many clients at once; seconds from the first question to the last word, and what came."""
    host, _, port = address.partition(":")
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    watch = selectors.DefaultSelector()
    came: dict[socket.socket, list[bytes]] = {}
    clients = [socket.create_connection((host, int(port))) for _ in range(num)]
    started = time.perf_counter()
    for client in clients:
        client.sendall(head.encode() + body)
        client.setblocking(False)
        came[client] = []
        watch.register(client, selectors.EVENT_READ)
    while watch.get_map():
        for key, _ in watch.select():
            client = key.fileobj
            piece = client.recv(1 << 18)
            came[client].append(piece)
            if not piece:
                watch.unregister(client)
                client.close()
    return time.perf_counter() - started, [b"".join(pieces) for pieces in came.values()]


def counts_of(reply: bytes, *, is_whole: bool) -> tuple[int, int]:
    """Tokens of a reply as its usage says, and events with a piece of text in them."""
    assert reply.startswith(b"HTTP/1.1 200"), reply[:500]
    if is_whole:
        return json.loads(reply.partition(b"\r\n\r\n")[2])["usage"]["completion_tokens"], 0
    assert b"data: [DONE]" in reply, reply[-500:]
    num_tokens = num_events = 0
    for line in reply.split(b"\n"):
        if line.startswith(b"data: {"):
            told = json.loads(line[6:])
            num_tokens = (told.get("usage") or {}).get("completion_tokens", num_tokens)
            delta = told["choices"][0]["delta"] if told["choices"] else {}
            num_events += bool(delta.get("content") or delta.get("reasoning_content"))
    return num_tokens, num_events


def threads_of(pid: int) -> dict[str, float]:
    """Seconds of CPU of a process and of those it began: of the first thread, and of the others."""
    found: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        head, _, rest = (task / "stat").read_text().rpartition(")")
        fields = rest.split()
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        name = f"process {pid}, {head.partition('(')[2] if task.name == str(pid) else 'others'}"
        found[name] = found.get(name, 0.0) + seconds
        for child in (task / "children").read_text().split():
            found |= threads_of(int(child))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=1500, help="of each stream")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cores", default="0,1", help="of the server and of its clients")
    parser.add_argument("--profile", default="", help="such as tottime or cumtime")
    parser.add_argument("--url", default="", help="of a server that runs already")
    parser.add_argument("--whole", action="store_true", help="answers in one piece")
    parser.add_argument("--pid", type=int, default=0, help="of that server's process")
    asked = parser.parse_args()
    server_core, client_core = map(int, asked.cores.split(","))
    fields = {"messages": QUESTION, "max_tokens": asked.tokens, "stream": not asked.whole,
              "ignore_eos": True, "temperature": 0,
              "stream_options": {"include_usage": True}}  # fmt: skip
    body = json.dumps(fields).encode()
    ours, theirs = multiprocessing.Pipe()
    process = None
    if not asked.url:
        process = multiprocessing.get_context("spawn").Process(
            target=serve, args=(theirs, server_core, asked.profile)
        )
        process.start()
        asked.url = f"http://127.0.0.1:{ours.recv()}"
    address = urlsplit(asked.url).netloc
    os.sched_setaffinity(0, {client_core})
    speeds, costs = [], []
    threads: dict[str, float] = {}
    num_tokens = 0
    for number in range(asked.repeats + 1):
        if asked.pid and number == 1:
            threads = threads_of(asked.pid)
        before = cpu_s(ours) if process else 0.0
        lasted_s, replies = read_streams(address, "/v1/chat/completions", body, asked.streams)
        used_s = (cpu_s(ours) if process else 0.0) - before
        counts = [counts_of(reply, is_whole=asked.whole) for reply in replies]
        if process:
            one = (asked.tokens, 0 if asked.whole else asked.tokens)
            assert counts == [one] * asked.streams, "every token has an event of its own"
        total, num_events = map(sum, zip(*counts, strict=True))
        num_tokens += total if number else 0
        speeds.append(total / lasted_s)
        costs.append(used_s / total * 1e6)
    if process:
        ours.send("stop")
        process.join()
    speeds, costs = speeds[1:], costs[1:]  # the first warms up
    if asked.pid:
        for name, seconds in sorted(threads_of(asked.pid).items(), key=lambda one: -one[1])[:12]:
            spent = seconds - threads.get(name, 0.0)
            print(f"{spent / num_tokens * 1e6:8.1f} us of CPU a token: {name}")
    shown = ", ".join(f"{speed:,.0f}" for speed in speeds)
    cost = f"; {statistics.median(costs):.1f} us of CPU for each" if process else ""
    print(f"{asked.streams} streams of {asked.tokens} tokens: {statistics.median(speeds):,.0f} "
          f"tokens/s ({shown}), {num_events / total:.2f} events each{cost}")  # fmt: skip


def cpu_s(ours: Connection) -> float:
    """Seconds of CPU the server has taken so far."""
    ours.send("used")
    return ours.recv()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
