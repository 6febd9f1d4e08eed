"""`bise top`: numbers of servers, ours and vLLM's, and how they look at any width."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest
from rich.console import Console

from bise.cli import main
from bise.commands.draw import curve
from bise.commands.panel import Panel
from bise.commands.readings import History, level, mean, rate, ratio, read
from bise.commands.top import addresses
from bise.errors import UserError
from test_cli import Terminal

WRITTEN = "vllm:generation_tokens_total"


def vllm(tick: int) -> str:
    """What a server of vLLM with two engines tells after so many seconds."""
    lines = []
    for engine in (0, 1):
        labels = f'engine="{engine}",model_name="mistral-small"'
        lines += [
            f"vllm:num_requests_running{{{labels}}} {3 + engine}",
            f"vllm:num_requests_waiting{{{labels}}} 1",
            f"vllm:kv_cache_usage_perc{{{labels}}} {0.25 + 0.5 * engine}",
            f"{WRITTEN}{{{labels}}} {1000 + 50 * tick}",
            f"vllm:prompt_tokens_total{{{labels}}} {200 * tick}",
            f"vllm:prefix_cache_queries_total{{{labels}}} {200 * tick}",
            f"vllm:prefix_cache_hits_total{{{labels}}} {50 * tick}",
            f'vllm:time_to_first_token_seconds_bucket{{le="0.1",{labels}}} {tick}',
            f"vllm:time_to_first_token_seconds_count{{{labels}}} {2 * tick}",
            f"vllm:time_to_first_token_seconds_sum{{{labels}}} {0.5 * tick}",
            f"vllm:inter_token_latency_seconds_count{{{labels}}} {48 * tick}",
            f"vllm:inter_token_latency_seconds_sum{{{labels}}} {0.96 * tick}",
            f'vllm:request_success_total{{finished_reason="stop",{labels}}} {tick}',
            f'vllm:request_success_total{{finished_reason="abort",{labels}}} 4',
        ]
    return "\n".join([*lines, "process_open_fds 20.0", ""])


def ours(tick: int) -> str:
    """What a server of ours tells besides."""
    parts = {"plan": 0.01, "compute": 0.8, "choose": 0.15, "draft": 0.04}
    states = {"used": 512, "known": 1024, "free": 512}
    lines = [f'bise:step_seconds_total{{part="{p}"}} {s * tick}' for p, s in parts.items()]
    lines += [f'bise:cache_pages{{state="{state}"}} {num}' for state, num in states.items()]
    lines += [
        f"bise:steps_total {50 * tick}",
        f"bise:thinking_tokens_total {70 * tick}",
        f"vllm:spec_decode_num_draft_tokens_total {20 * tick}",
        f"vllm:spec_decode_num_accepted_tokens_total {15 * tick}",
        "bise:engine_up 1",
        "bise:cache_bytes 3145728",
    ]
    return "\n".join([*lines, ""])


def history(*texts: str) -> History:
    """Readings a second apart."""
    made = History()
    for at_s, text in enumerate(texts):
        made.add(read(text, float(at_s)))
    return made


def shown(panel: Panel, width: int, **options) -> list[str]:
    console = Console(width=width, height=60, color_system=None, **options)
    with console.capture() as capture:
        console.print(panel)
    return capture.get().splitlines()


def test_numbers_of_several_engines_add_up_and_shares_are_means():
    found = read(vllm(3), 0.0)
    assert found.model == "mistral-small"
    assert found.values["vllm:num_requests_running"] == 7
    assert found.values["vllm:kv_cache_usage_perc"] == 0.5
    assert found.values["vllm:request_success_total/stop"] == 6
    assert not any("bucket" in name or "process" in name for name in found.values)


def test_speeds_are_of_the_last_seconds_and_means_of_what_came_in():
    seen = history(*map(vllm, range(20)))
    assert seen.over(rate(WRITTEN)) == 100
    assert seen.over(mean("vllm:time_to_first_token_seconds")) == 0.25
    assert (
        seen.over(ratio("vllm:prefix_cache_hits_total", "vllm:prefix_cache_queries_total")) == 0.25
    )
    still = history(*[vllm(5)] * 3)
    assert still.over(rate(WRITTEN)) == 0
    assert still.over(mean("vllm:time_to_first_token_seconds")) is None


def test_a_trail_has_the_last_minute_and_gaps_where_nothing_is_known():
    seen = history(*map(vllm, range(4)))
    assert seen.trail(rate(WRITTEN), 60) == [None] * 57 + [100.0] * 3
    assert seen.trail(rate(WRITTEN), 20) == [None] * 18 + [100.0] * 2
    long = history(*map(vllm, range(100)))
    assert long.trail(level("vllm:num_requests_running"), 30) == [7.0] * 30
    assert len(long.readings) == 61


def test_a_server_that_began_anew_is_looked_at_anew():
    seen = history(vllm(8), vllm(9), vllm(2), vllm(3))
    assert seen.over(rate(WRITTEN)) == 100 and len(seen.readings) == 2


def test_a_curve_reaches_from_zero_to_its_highest():
    assert curve([0, 3, None, 6]) == "▁▄ ▇"
    assert curve([0, 0]) == "▁▁" and curve([None]) == " "


@pytest.mark.parametrize("width", [34, 44, 60, 80, 100, 140, 240])
def test_the_view_fits_any_width_and_loses_nothing_but_curves(width):
    seen = history(*(vllm(tick) + ours(tick) for tick in range(70)))
    lines = shown(Panel("http://x:1", seen, is_live=True), width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for words in (
        "mistral-small", "7 running", "2 waiting", "100 tokens/s", "70 % thinking",
        "400 tokens/s", "25 % known already", "250 ms", "20 ms", "75 % right", "of 20 a second",
        "2,048 pages, 3.0 MiB", "used 25 %", "known 50 %", "compute 80 %", "choose 15 %",
        "138 answered", "8 cancelled", "Ctrl-C leaves",
    ):  # fmt: skip
        assert words in text, words
    assert ("▇▇▇" in text) == (width >= 80)


def test_a_moment_has_no_curves_and_no_keys():
    text = "\n".join(shown(Panel("http://x:1", history(vllm(1), vllm(2))), 140))
    assert "▇" not in text and "Ctrl-C" not in text


def test_what_a_server_does_not_tell_is_not_shown():
    text = "\n".join(shown(Panel("http://x:1", history(vllm(1), vllm(2))), 100))
    for words in ("thinking", "step", "guesses", "pages", "refused"):
        assert words not in text
    assert "used 50 %" in text and "7 running" in text


def test_without_colour_and_without_letters_parts_still_differ():
    panel = Panel("http://x:1", history(*(vllm(tick) + ours(tick) for tick in range(3))))
    (bar,) = [line for line in shown(panel, 80) if line.startswith("step")]
    assert all(letter in bar for letter in "█▓▒░")
    console = Console(width=80, color_system=None)
    options = console.options.update()
    options.encoding = "ascii"
    lines = [segment.text for segment in console.render(panel, options)]
    assert "".join(lines).isascii() and any("####" in line for line in lines)


def test_a_model_named_to_steer_a_terminal_cannot():
    found = read(vllm(1).replace("mistral-small", "a\x1b[2Jb"), 0.0)
    assert found.model == "a [2Jb"


@pytest.mark.parametrize("text", ["<html>", "", "vllm:x{ 3", "process_open_fds 3\n"])
def test_other_texts_are_refused_in_a_line(text):
    with pytest.raises(UserError):
        read(text, 0.0)


@pytest.mark.parametrize(
    ("url", "base", "address"),
    [
        ("127.0.0.1:80", "http://127.0.0.1:80", "http://127.0.0.1:80/metrics"),
        ("http://x:1/", "http://x:1", "http://x:1/metrics"),
        ("http://x:1/v1", "http://x:1", "http://x:1/metrics"),
        ("https://x/a/v1/metrics", "https://x/a/v1", "https://x/a/v1/metrics"),
        ("http://[::1]:8000/v1/", "http://[::1]:8000", "http://[::1]:8000/metrics"),
    ],
)
def test_an_address_may_be_said_in_many_ways(url, base, address):
    assert addresses(url) == (base, address)


@contextmanager
def serving(answer) -> Iterator[str]:
    """A small HTTP server; `answer` gives status and text for a request's headers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, text = answer(self.headers) if self.path == "/metrics" else (404, "")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def top(capsys, monkeypatch):
    """Runs `bise top` in this process; gives its status, stdout and stderr."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # must not be used
    monkeypatch.setattr("bise.commands.top.POLL_S", 0.05)

    def call(*args: str):
        with pytest.raises(SystemExit) as left:
            main(["top", *args])
        return left.value.code or 0, *capsys.readouterr()

    return call


def test_without_a_terminal_one_view_is_printed(top):
    ticks = count()
    with serving(lambda _: (200, vllm(next(ticks)))) as url:
        status, out, err = top(url)
    assert (status, err) == (0, "") and "7 running" in out and "\x1b" not in out


def test_a_key_is_passed_and_its_lack_is_told(top):
    def answer(headers):
        return (200, vllm(1)) if headers["Authorization"] == "Bearer sesame" else (401, "")

    with serving(answer) as url:
        assert top(url, "--once", "--api-key", "sesame")[0] == 0
        status, out, err = top(url, "--once")
    assert (status, out) == (2, "") and "--api-key" in err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, ""), "status 404"),
        ((500, ""), "status 500"),
        ((200, "<html>"), "of no use"),
        ((200, "process_open_fds 3\n"), "none with vLLM's names"),
    ],
)
def test_what_is_no_server_of_models_is_a_line_and_exit_two(top, answer, words):
    with serving(lambda _: answer) as url:
        status, out, err = top(url, "--once")
    assert (status, out) == (2, "") and words in err and len(err.splitlines()) <= 2


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://", "http://x:port", "http://a b", "http://x\x1b"]
)
def test_what_is_no_address_is_a_line_and_exit_two(top, url):
    status, out, err = top(url, "--once")
    assert (status, out) == (2, "") and "is no address" in err


def test_nobody_there_is_a_line_and_exit_two(top):
    with serving(lambda _: (200, "")) as url:
        pass
    status, out, err = top(url, "--once")
    assert (status, out) == (2, "") and err.startswith(f"error: no server answers at {url}: conn")
    assert "bise serve" in err and len(err.splitlines()) == 2


@pytest.mark.slow
def test_in_a_terminal_it_waits_for_the_server_and_ctrl_c_leaves_with_zero():
    ticks, is_up = count(), threading.Event()
    answer = lambda _: (200, vllm(next(ticks))) if is_up.is_set() else (503, "")  # noqa: E731
    with serving(answer) as url, Terminal("top", url) as terminal:
        terminal.wait_for("trying again")
        is_up.set()
        terminal.wait_for("7 running")
        terminal.wait_for("100 tokens/s")
        os.kill(terminal.process.pid, signal.SIGINT)
        time.sleep(0.1)
        assert terminal.status() == 0
