"""What is written of requests, and what never is; traces in and out."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bise.errors import UserError
from bise.serve import AccessLog, Key, KeyRing, OtelTracer, digest_of
from bise.serve.trace_context import read_context
from bise.serve.visit import Visit

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def wait_for_a_line(path):
    """It is written once the answer has been sent."""
    ends_s = time.monotonic() + 5
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < ends_s
        time.sleep(0.01)


def test_a_line_says_what_a_request_cost_and_not_what_it_said(start, thinker, tmp_path):
    path = tmp_path / "access.log"
    with start(thinker, parts={"access_log": AccessLog(str(path))}) as server:
        usage = server.chat("something private", user="me").json()["usage"]
        server.chat("something private", temperature=9)
        server.client.get("/v1/models?secret=1", headers={"x-request-id": "mine"})
        stream = server.chat("something private", stream=True, n=2)
        assert stream.status_code == 200
        server.chat(timeout=1e-9)
    first, second, third, fourth, fifth = lines(path)
    assert first["path"] == "/v1/chat/completions" and first["method"] == "POST"
    assert (first["status"], first["model"], first["dialect"]) == (200, "tiny", "openai")
    assert first["prompt_tokens"] == usage["prompt_tokens"]
    assert first["completion_tokens"] == usage["completion_tokens"]
    assert first["finish_reasons"] == ["stop"] and first["client"] == "127.0.0.1"
    assert 0 < first["first_token_seconds"] <= first["seconds"] < 30
    assert first["time"].endswith("+00:00") and "key" not in first and "prompt" not in first
    assert (second["status"], second["error"]) == (400, "invalid_value")
    assert "prompt_tokens" not in second
    assert (third["request_id"], third["path"]) == ("mine", "/v1/models")
    assert fourth["replies"] == 2 and fourth["finish_reasons"] == ["stop", "stop"]
    assert (fifth["status"], fifth["error"], fifth["finish_reasons"]) == (504, "timeout", ["error"])
    text = path.read_text()
    assert "private" not in text and "46, yes" not in text and "secret" not in text


def test_a_client_that_left_is_written_down(start, chatterbox, tmp_path):
    from test_streams import LONG, raw_request

    path = tmp_path / "access.log"
    with start(chatterbox, parts={"access_log": AccessLog(str(path))}) as server:
        for stream in (True, False):
            connection = raw_request(server, LONG | {"stream": stream, "max_tokens": 100_000})
            server.wait_until(lambda stats: stats.num_generated_tokens > 0 or stats.num_running)
            connection.close()
            server.wait_until(lambda stats: stats.num_running == stats.num_waiting == 0)
    streamed, whole = lines(path)
    assert streamed["finish_reasons"] == whole["finish_reasons"] == ["abort"]
    assert whole["status"] == 499


def test_prompts_are_logged_if_the_operator_says_so(start, thinker, tmp_path):
    path = tmp_path / "access.log"
    ring = KeyRing(None, [Key(name="ops", digest=digest_of("k3y"))])
    log = AccessLog(str(path), keeps_ids=True)
    with start(thinker, parts={"access_log": log, "ring": ring}) as server:
        server.client.headers["api-key"] = "k3y"
        server.chat("something\nprivate")
    (line,) = lines(path)
    (prompt,), (reply,) = line["prompt"], line["reply"]
    assert "something\nprivate" in prompt and prompt.startswith("<s>")
    assert reply.endswith("46, yes</s>") and line["key"] == "ops"
    assert "k3y" not in path.read_text()


def test_every_prompt_and_every_reply_is_logged_for_itself(start, thinker, tmp_path):
    path = tmp_path / "access.log"
    log = AccessLog(str(path), keeps_ids=True)
    with start(thinker, parts={"access_log": log}) as server:
        server.chat(n=3)
        server.post("/v1/completions", prompt=["one", "two"], n=2, max_tokens=3)
        server.chat(temperature=9)
    chat, texts, refused = lines(path)
    assert len(chat["prompt"]) == 1 and len(chat["reply"]) == 3
    assert all(one.count("46, yes</s>") == 1 for one in chat["reply"])
    assert texts["prompt"] == ["<s>one", "<s>two"] and len(texts["reply"]) == 4
    assert "reply" not in refused


def test_a_refused_request_is_logged_with_its_key(start, thinker, tmp_path):
    path = tmp_path / "access.log"
    ring = KeyRing(None, [Key(name="ops", digest=digest_of("k3y"), requests_per_minute=1)])
    with start(thinker, parts={"access_log": AccessLog(str(path)), "ring": ring}) as server:
        server.client.headers["api-key"] = "k3y"
        assert [server.chat(max_tokens=1).status_code for _ in range(2)] == [200, 429]
    assert [(line["status"], line["key"]) for line in lines(path)] == [(200, "ops"), (429, "ops")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no disk that is always full")
def test_a_full_disk_costs_lines_only(tmp_path, tekken, caplog):
    path = tmp_path / "access.log"
    path.symlink_to("/dev/full")
    log, visit = AccessLog(str(path)), Visit(request_id="r", method="GET", path="/", status=200)
    log.tell(visit, "tiny", "openai", tekken)
    assert "a line of the access log is lost" in caplog.text
    path.unlink()
    log.tell(visit, "tiny", "openai", tekken)
    assert len(lines(path)) == 1
    path.unlink()
    path.symlink_to("/dev/full")
    log.tell(visit, "tiny", "openai", tekken)
    log.close()


def test_a_log_that_is_moved_away_is_made_again(start, thinker, tmp_path):
    path = tmp_path / "access.log"
    with start(thinker, parts={"access_log": AccessLog(str(path))}) as server:
        server.client.get("/health")
        wait_for_a_line(path)
        path.rename(tmp_path / "old.log")
        server.client.get("/health")
        wait_for_a_line(path)
        assert len(lines(path)) == len(lines(tmp_path / "old.log")) == 1
        path.unlink()
        path.mkdir()  # nothing can be written there now; requests go on
        assert server.client.get("/health").status_code == 200
    with pytest.raises(UserError, match="cannot write the log"):
        AccessLog(str(tmp_path))


def test_trace_contexts_are_read_as_the_standard_has_them():
    found = read_context(PARENT, "a=b")
    assert (found.trace_id, found.parent_id, found.flags, found.state) == (TRACE, SPAN, "01", "a=b")
    assert found.traceparent != PARENT and found.traceparent.startswith(f"00-{TRACE}-")
    assert read_context(f"cc-{TRACE}-{SPAN}-01-what-comes-later").trace_id == TRACE
    assert read_context(PARENT, "x" * 600).state == ""
    for wrong in (
        "",
        "x",
        PARENT.upper(),
        f"{PARENT}-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}",
    ):
        assert read_context(wrong) is None, wrong


def test_a_trace_goes_in_and_comes_out(start, thinker, tmp_path):
    path = tmp_path / "access.log"
    with start(thinker, parts={"access_log": AccessLog(str(path))}) as server:
        reply = server.client.get("/v1/models", headers={"traceparent": PARENT})
        assert reply.headers["traceparent"].split("-")[1] == TRACE
        reply = server.client.get("/v1/models", headers={"traceparent": "nonsense"})
        assert "traceparent" not in reply.headers
    first, second = lines(path)
    assert first["trace_id"] == TRACE and "trace_id" not in second


def test_spans_are_sent(start, thinker):
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    exporter = memory.InMemorySpanExporter()
    tracer = OtelTracer("mine", exporter)
    with start(thinker, parts={"tracer": tracer}) as server:
        headers = {"traceparent": PARENT, "tracestate": "a=b"}
        body = {"messages": [{"role": "user", "content": "something private"}]}
        reply = server.client.post("/v1/chat/completions", json=body, headers=headers)
        assert reply.status_code == 200
        server.chat(temperature=9)
        server.client.get("/health")
        told = reply.headers["traceparent"]
    tracer.provider.force_flush()
    chat, refused, health = exporter.get_finished_spans()
    assert chat.name == "chat tiny" and f"{chat.context.trace_id:032x}" == TRACE
    assert told == f"00-{TRACE}-{chat.context.span_id:016x}-01"
    assert f"{chat.parent.span_id:016x}" == SPAN and chat.context.trace_state.get("a") == "b"
    assert chat.resource.attributes["service.name"] == "mine"
    said = chat.attributes
    assert said["gen_ai.request.model"] == "tiny" and said["http.response.status_code"] == 200
    assert said["gen_ai.usage.output_tokens"] > 3 and said["gen_ai.usage.input_tokens"] > 3
    assert said["gen_ai.response.finish_reasons"] == ("stop",)
    assert 0 < said["gen_ai.latency.time_to_first_token"] < 30
    assert [event.name for event in chat.events] == ["first token"]
    assert chat.start_time < chat.end_time
    assert refused.attributes["error.type"] == "invalid_value" and refused.name == "chat tiny"
    assert health.name == "GET" and health.parent is None
    assert "private" not in str([span.to_json() for span in (chat, refused, health)])
    tracer.close()


def test_opentelemetry_costs_nothing_unless_it_is_asked_for():
    code = "import sys, bise.serve; print([n for n in sys.modules if 'opentelemetry.sdk' in n])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_without_its_packages_one_line_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(UserError, match="not installed"):
        OtelTracer("mine")
