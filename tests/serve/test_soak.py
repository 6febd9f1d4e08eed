"""A server that is loaded for minutes, and one whose engine is killed under load."""

import json
import os
import random
import signal
import threading
import time

import pytest
from tests.serve.soak import ask, family, nano, page_of, soak, sum_of, user


@pytest.mark.full
def test_five_minutes_of_everything_leave_nothing_behind(tmp_path):
    report = soak(5, tmp_path)
    report.need()


@pytest.mark.slow
def test_an_engine_killed_under_load_comes_back_by_itself(tmp_path):
    rng, ended, going = random.Random(0), [], threading.Event()

    def stream() -> None:
        fields = {"messages": user(sum_of(rng)), "ignore_eos": True, "stream": True}
        going.set()
        ended.append(ask(port, "/v1/chat/completions", json.dumps(fields).encode()))

    with nano(tmp_path) as (process, port):
        assert page_of(port, "/v1/health/ready")[0] == 200
        clients = [threading.Thread(target=stream) for _ in range(16)]
        for client in clients:
            client.start()
        assert going.wait(10)
        wait_until(lambda: number(page_of(port, "/metrics")[1], "vllm:num_requests_running") >= 8)
        _, child = family(process.pid)
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: page_of(port, "/v1/health/ready")[0] == 503, 5)
        status, body = ask(
            port, "/v1/chat/completions", json.dumps({"messages": user("hi")}).encode()
        )
        assert status == 503 or status == 200, body  # it may be back already
        for client in clients:
            client.join(30)
        assert len(ended) == 16
        for status, body in ended:  # those that had begun are told in their streams
            assert status == 503 or (
                b'"raw_status_code":503' in body and body.endswith(b"[DONE]\n\n")
            )
        assert sum(status == 200 for status, _ in ended) >= 8
        wait_until(lambda: page_of(port, "/v1/health/ready")[0] == 200, 60)
        status, body = ask(
            port, "/v1/chat/completions", json.dumps({"messages": user("hi")}).encode()
        )
        assert status == 200 and json.loads(body)["choices"]
        assert number(page_of(port, "/metrics")[1], "vllm:num_requests_running") == 0


def say_hi(port: int) -> tuple[int, bytes]:
    body = {"messages": user("hi"), "max_tokens": 5}
    return ask(port, "/v1/chat/completions", json.dumps(body).encode())


def number(body: bytes, name: str) -> float:
    (line,) = [one for one in body.decode().splitlines() if one.startswith(f"{name}{{")]
    return float(line.rsplit(" ", 1)[1])


def wait_until(claim, timeout_s: float = 30.0) -> None:
    ends = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)
