"""`GET /metrics`: what a scrape finds after replies, refusals, hang-ups and deaths."""

import base64
import os
import signal
import socket
import threading
import time
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from test_child import command

from bise.cli import main
from bise.serve import pulse
from bise.serve.pulse import follow

VLLM = {
    "vllm:num_requests_running": "gauge",
    "vllm:num_requests_waiting": "gauge",
    "vllm:kv_cache_usage_perc": "gauge",
    "vllm:prefix_cache_queries": "counter",
    "vllm:prefix_cache_hits": "counter",
    "vllm:mm_cache_queries": "counter",
    "vllm:mm_cache_hits": "counter",
    "vllm:prompt_tokens": "counter",
    "vllm:generation_tokens": "counter",
    "vllm:request_success": "counter",
    "vllm:num_preemptions": "counter",
    "vllm:spec_decode_num_drafts": "counter",
    "vllm:spec_decode_num_draft_tokens": "counter",
    "vllm:spec_decode_num_accepted_tokens": "counter",
    "vllm:time_to_first_token_seconds": "histogram",
    "vllm:inter_token_latency_seconds": "histogram",
    "vllm:e2e_request_latency_seconds": "histogram",
    "vllm:request_queue_time_seconds": "histogram",
    "vllm:request_prefill_time_seconds": "histogram",
    "vllm:request_decode_time_seconds": "histogram",
    "vllm:request_time_per_output_token_seconds": "histogram",
}
OURS = {
    "bise:thinking_tokens", "bise:cancelled_requests", "bise:rejected_requests", "bise:steps",
    "bise:request_repairs", "bise:step_seconds", "bise:step_tokens", "bise:images",
    "bise:images_seen", "bise:cache_pages", "bise:cache_page_moves", "bise:cache_bytes",
    "bise:engine_restarts", "bise:expert_load_imbalance",
    "bise:engine_up", "bise:grammars", "bise:grammar_seconds",
}  # fmt: skip


def families(client, path="/metrics"):
    reply = client.get(path)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {family.name: family for family in text_string_to_metric_families(reply.text)}


def numbers(client):
    """Every number by its name; by name and label too, where there is one besides the model."""
    found = {}
    for family in families(client).values():
        for name, labels, value, *_ in family.samples:
            words = [v for key, v in labels.items() if key not in ("model_name", "le")]
            if "le" not in labels:
                found["/".join([name, *words])] = value
    return found


def grown(server, *, until, timeout_s=10.0):
    """How numbers change from now until a claim about the changes holds."""
    before = numbers(server.client)

    def wait():
        ends = time.monotonic() + timeout_s
        while True:
            now = numbers(server.client)
            change = {name: value - before.get(name, 0) for name, value in now.items()}
            if until(change):
                return change
            assert time.monotonic() < ends, change
            time.sleep(0.02)

    return wait


def test_names_are_those_of_vllm_and_ours_besides(thinking_server):
    found = families(thinking_server.client)
    assert set(found) == set(families(thinking_server.client, "/v1/metrics"))
    assert {name: found[name].type for name in VLLM} == VLLM
    assert set(found) == set(VLLM) | OURS
    for family in found.values():
        assert family.documentation.endswith(".")
        assert all(sample.labels["model_name"] == "tiny" for sample in family.samples)


def test_a_reply_is_counted_and_timed(thinking_server):
    wait = grown(thinking_server, until=lambda change: change["vllm:prompt_tokens_total"] > 0)
    usage = thinking_server.chat(reasoning_effort="high").json()["usage"]
    change = wait()
    assert change["vllm:prompt_tokens_total"] == usage["prompt_tokens"]
    assert change["vllm:generation_tokens_total"] == usage["completion_tokens"]
    assert 0 < change["bise:thinking_tokens_total"] < usage["completion_tokens"]
    assert change["vllm:time_to_first_token_seconds_count"] == 1
    assert change["vllm:e2e_request_latency_seconds_count"] == 1
    assert change["vllm:request_decode_time_seconds_count"] == 1
    assert 1 <= change["vllm:inter_token_latency_seconds_count"] < usage["completion_tokens"]
    first, whole = (
        change[f"vllm:{name}_seconds_sum"]
        for name in ("time_to_first_token", "e2e_request_latency")
    )
    assert 0 < first < whole < 10
    for name in ("queue", "prefill"):
        assert change[f"vllm:request_{name}_time_seconds_count"] == 1
        assert 0 < change[f"vllm:request_{name}_time_seconds_sum"] < first
    assert change["vllm:request_success_total/stop"] == 1
    assert change["bise:steps_total"] > 0
    assert change["bise:step_tokens_total"] >= change["bise:steps_total"]
    assert change["bise:step_seconds_total/compute"] > 0
    pages = [numbers(thinking_server.client)[f"bise:cache_pages/{s}"] for s in ("used", "free")]
    assert pages[0] == 0 and pages[1] > 0


def test_the_end_of_a_reply_has_vllms_word(calling_server):
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
    before = numbers(calling_server.client)
    assert calling_server.chat(max_tokens=1).status_code == 200
    assert calling_server.chat(tools=[tool]).json()["choices"][0]["finish_reason"] == "tool_calls"
    assert calling_server.chat(n=2, stop="o").status_code == 200, "a stop string is no cancelling"
    now = numbers(calling_server.client)
    ends = {end: f"vllm:request_success_total/{end}" for end in ("length", "stop", "abort")}
    change = {end: now[name] - before[name] for end, name in ends.items()}
    assert change == {"length": 1, "stop": 3, "abort": 0}


def test_a_picture_is_brought_and_looked_at_once(thinking_server, red_square):
    data = base64.b64encode(red_square.read_bytes()).decode()
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    before = numbers(thinking_server.client)
    for _ in range(3):
        assert thinking_server.chat([part]).status_code == 200
    now = numbers(thinking_server.client)
    assert now["bise:images_total"] - before["bise:images_total"] == 3
    seen = now["bise:images_seen_total"] - before["bise:images_seen_total"]
    asked = now["vllm:mm_cache_queries_total"] - before["vllm:mm_cache_queries_total"]
    found = now["vllm:mm_cache_hits_total"] - before["vllm:mm_cache_hits_total"]
    assert seen == asked - found <= 1, "another test may have brought it before"


def test_a_client_that_hangs_up_is_cancelled_and_no_error(endless_server):
    wait = grown(endless_server, until=lambda change: change["bise:cancelled_requests_total"] == 3)
    body = {"messages": [{"role": "user", "content": "count"}], "stream": True, "n": 3}
    with endless_server.client.stream("POST", "/v1/chat/completions", json=body) as reply:
        lines = reply.iter_lines()  # kept: dropping it would hang up
        next(lines)
        running = numbers(endless_server.client)
        assert running["vllm:num_requests_running"] + running["vllm:num_requests_waiting"] == 3
        assert running["vllm:kv_cache_usage_perc"] > 0
    change = wait()
    assert change["vllm:request_success_total/abort"] == 3
    assert change["vllm:request_success_total/error"] == 0
    assert change["vllm:e2e_request_latency_seconds_count"] == 0


SECRET = "xyzzy"
REFUSED = [
    ({"messages": [SECRET]}, {}, "invalid_type"),
    ({"messages": [], "model": SECRET}, {}, "model_not_found"),
    ({"messages": [{"role": SECRET, "content": ""}]}, {}, "invalid_type"),
    ({"messages": [{"role": "user", "content": SECRET * 1000}]}, {}, "context_length_exceeded"),
    ({"messages": []}, {"Origin": f"http://{SECRET}.net"}, "permission_denied"),
]


@pytest.mark.parametrize(("body", "headers", "reason"), REFUSED, ids=lambda one: str(one)[:30])
def test_refusals_are_counted_by_reason_and_tell_nothing(thinking_server, body, headers, reason):
    name = f"bise:rejected_requests_total/{reason}"
    before = numbers(thinking_server.client).get(name, 0)
    reply = thinking_server.client.post("/v1/chat/completions", json=body, headers=headers)
    assert reply.status_code >= 400
    assert numbers(thinking_server.client)[name] == before + 1
    assert SECRET not in thinking_server.client.get("/metrics").text


def test_an_unknown_path_is_counted_without_its_name(thinking_server):
    assert thinking_server.client.get(f"/{SECRET}").status_code == 404
    text = thinking_server.client.get("/metrics").text
    assert 'reason="not_found"' in text and SECRET not in text


def test_servers_of_one_process_count_apart(thinking_server, start, random_folder):
    thinking_server.chat()
    with start(random_folder) as other:
        found = numbers(other.client)
    assert found["vllm:generation_tokens_total"] == found["vllm:request_success_total/stop"] == 0


def test_an_engine_that_says_nothing_keeps_nobody_waiting(start, thinker, monkeypatch):
    with start(thinker) as server:
        server.chat()
        before = numbers(server.client)
        engine, may_go_on = server.served.talker.engine, threading.Event()
        stats = engine.stats
        monkeypatch.setattr(pulse, "LIMIT_S", 0.1)
        monkeypatch.setattr(engine, "stats", lambda: may_go_on.wait(20) and stats())
        began_s = time.monotonic()
        late = numbers(server.client)
        assert server.client.get("/health").status_code == 200, "others are served meanwhile"
        assert time.monotonic() - began_s < 5
        assert late["bise:engine_up"] == 0 and before["bise:engine_up"] == 1
        assert late["vllm:generation_tokens_total"] == before["vllm:generation_tokens_total"] > 0
        may_go_on.set()
        monkeypatch.setattr(pulse, "LIMIT_S", 5)
        assert numbers(server.client)["bise:engine_up"] == 1


def test_a_closed_engine_leaves_its_last_numbers(start, thinker):
    with start(thinker) as server:
        server.chat()
        server.served.talker.engine.close()
        found = numbers(server.client)
    assert found["bise:engine_up"] == 0 and found["vllm:generation_tokens_total"] > 0


def test_counts_go_on_where_an_earlier_life_ended(thinking_server):
    stats = thinking_server.served.talker.engine.stats()
    first, second, third = "first", "second", "third"

    def look(old, life, tokens, images=0, seen=0, running=0):
        new = replace(
            stats,
            num_generated_tokens=tokens,
            num_images=images,
            num_images_seen=seen,
            num_running=running,
        )
        return follow(old, new, life, is_up=True)

    def total(now, name="vllm:generation_tokens"):
        return now.totals[name, ""]

    one = look(None, first, 5, images=2, seen=0)
    two = look(one, first, 9, images=2, seen=2)
    assert (total(one), total(two), two.num_restarts) == (5, 9, 0)
    assert total(two, "vllm:mm_cache_hits") == 2, "what was told is not taken back"
    again = look(two, second, 3, running=4)
    assert total(again) == 12 and again.num_restarts == 1 and again.stats.num_running == 4
    more = look(look(again, second, 8), third, 8)
    assert total(more) == 9 + 8 + 8 and more.num_restarts == 2


@pytest.mark.slow
def test_a_death_of_the_engine_is_seen_and_nothing_is_forgotten(chatterbox):
    with command(chatterbox) as server:
        assert server.chat(max_tokens=8).status_code == 200
        before = numbers(server.client)
        assert before["vllm:generation_tokens_total"] == 8 and before["bise:engine_up"] == 1
        killed = server.child()
        os.kill(killed, signal.SIGKILL)
        ends = time.monotonic() + 10
        while (down := numbers(server.client))["bise:engine_up"]:
            assert time.monotonic() < ends
        assert down["vllm:generation_tokens_total"] == 8
        server.wait_until_well(killed)
        assert server.chat(max_tokens=3).status_code == 200
        after = numbers(server.client)
        assert after["vllm:generation_tokens_total"] == 11
        assert after["bise:engine_restarts_total"] == after["bise:engine_up"] == 1


def test_top_reads_our_own_numbers(thinking_server, capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    thinking_server.chat(reasoning_effort="high")
    with pytest.raises(SystemExit) as left:
        main(["top", f"127.0.0.1:{thinking_server.port}", "--once"])
    out, _ = capsys.readouterr()
    assert not left.value.code
    for words in ("tiny", "running", "tokens/s", "pages", "step", "answered"):
        assert words in out


def test_a_scrape_that_hangs_up_breaks_nothing(thinking_server):
    with socket.create_connection(("127.0.0.1", thinking_server.port), timeout=20) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert numbers(thinking_server.client)["bise:engine_up"] == 1
