"""`bise serve` computes in a process of its own: what clients see when that one dies."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest


class Command:
    """`bise serve` in a process, and a client of it."""

    def __init__(self, process: subprocess.Popen, client: httpx.Client):
        self.process = process
        self.client = client

    def children(self) -> list[int]:
        command = ["pgrep", "-P", str(self.process.pid), "-f", "bise.engine.child"]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
        return [int(one) for one in found]

    def child(self) -> int:
        """The process that computes."""
        found = self.children()
        assert len(found) == 1, found
        return found[0]

    def wait_until_well(self, killed: int, timeout_s: float = 60.0) -> None:
        """Until another child, there once the death has been noticed, is well."""
        ends = time.monotonic() + timeout_s
        while self.children() in ([], [killed]) or self.client.get("/health").status_code != 200:
            assert time.monotonic() < ends, "the engine did not come back"
            time.sleep(0.05)

    def chat(self, **fields) -> httpx.Response:
        body = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0, **fields}
        return self.client.post("/v1/chat/completions", json=body)


@contextmanager
def command(folder, *options: str) -> Iterator[Command]:
    words = ["-m", "bise.cli", "serve", str(folder), "--port", "0", *options]
    process = subprocess.Popen(
        [sys.executable, *words],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
    )
    try:
        shown = ""
        while "Ctrl-C" not in shown:
            line = process.stderr.readline()
            assert line, shown
            shown += line
        base = re.search(r"base URL +(\S+)/v1", shown)[1]
        with httpx.Client(base_url=base, timeout=60) as client:
            yield Command(process, client)
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()
            process.stderr.close()


@pytest.mark.slow
def test_a_death_is_told_in_the_stream_then_503_then_all_is_well(chatterbox):
    with command(chatterbox) as server:
        child = server.child()
        body = {"messages": [{"role": "user", "content": "hi"}], "stream": True, "temperature": 0}
        with server.client.stream("POST", "/v1/chat/completions", json=body) as reply:
            lines = reply.iter_lines()
            assert reply.status_code == 200 and "chat.completion.chunk" in next(lines)
            os.kill(child, signal.SIGKILL)
            rest = [line for line in lines if line]
        assert rest[-1] == "data: [DONE]"
        assert "killed by SIGKILL" in rest[-2] and '"raw_status_code":503' in rest[-2]
        refused = server.chat(max_tokens=4)
        assert refused.status_code == 503 and refused.headers["Retry-After"] == "1"
        assert "started again" in refused.json()["message"]
        server.wait_until_well(child)
        assert server.chat(max_tokens=4).status_code == 200
        assert server.child() != child
        server.process.terminate()
        assert server.process.wait(30) == 0


@pytest.mark.slow
def test_five_deaths_end_the_server_with_one_line(chatterbox):
    with command(chatterbox) as server:
        for death in range(5):
            killed = server.child()
            os.kill(killed, signal.SIGKILL)
            if death < 4:
                server.wait_until_well(killed)
        assert server.process.wait(60) == 2
        said = [line for line in server.process.stderr if line.startswith(("error", "Traceback"))]
    assert said == ["error: the engine died 5 times in 10 minutes, at last so: killed by SIGKILL\n"]


@pytest.mark.slow
def test_in_process_there_is_no_child_and_headers_have_an_end(chatterbox):
    with command(chatterbox, "--in-process") as server:
        long = {"x-long": "x" * 600_000}
        with suppress(httpx.TransportError):  # it may hang up before all is sent
            assert server.client.get("/health", headers=long).status_code == 431
        assert server.chat(max_tokens=4).status_code == 200
        with pytest.raises(AssertionError, match=r"\[\]"):
            server.child()
