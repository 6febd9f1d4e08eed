"""`bise serve` as its users start it: settings from a file, keys, HTTPS, and how it stops."""

import json
import logging
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from bise.cli import main
from bise.commands.logs import COUNTED, JsonLines, begin_logging
from bise.serve import add_key

HERE = Path(__file__).parent / "certificate"
BODY = {"messages": [{"role": "user", "content": "count"}], "temperature": 0}


@pytest.mark.slow
def test_a_server_of_many_settings_from_start_to_stop(chatterbox, tmp_path):
    keys, log, config = (tmp_path / name for name in ("keys.json", "access.log", "bise.toml"))
    key = add_key(keys, "alice", tokens_per_day=10**6)
    config.write_text(
        f'[serve]\nkeys = "{keys}"\naccess_log = "{log}"\nserved_model_name = ["mine"]\n'
        f'tls_cert = "{HERE}/chain.pem"\ntls_key = "{HERE}/key.pem"\nport = 1\n'
    )
    variables = {"BISE_CONFIG": str(config), "BISE_PORT": "0", "COLUMNS": "200", "BISE_PROT": "1"}
    words = [sys.executable, "-m", "bise.cli", "serve", str(chatterbox), "--max-running", "2"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=os.environ | variables)
    try:
        shown = ""
        while "Ctrl-C" not in shown:
            line = process.stderr.readline()
            assert line, shown
            shown += line
        assert "`BISE_PROT` is no setting" in shown and re.search(r"keys +1, in ", shown)
        assert "port 0 (BISE_PORT)" in shown and "max_running 2 (--max-running)" in shown
        base = re.search(r"base URL +(https://\S+)/v1", shown)[1]
        trust = ssl.create_default_context(cafile=str(HERE / "chain.pem"))
        with httpx.Client(base_url=base, verify=trust, timeout=30) as client:
            assert client.post("/v1/chat/completions", json=BODY).status_code == 401
            client.headers["authorization"] = f"Bearer {key}"
            reply = client.post("/v1/chat/completions", json=BODY | {"max_tokens": 3})
            assert reply.json()["model"] == "mine"
            body = BODY | {"max_tokens": 2000, "stream": True}
            seen = []

            def read():
                with client.stream("POST", "/v1/chat/completions", json=body) as stream:
                    seen.extend(stream.iter_lines())

            reader = threading.Thread(target=read)
            reader.start()
            while not re.search(r"requests_running{.*} 1", client.get("/metrics").text):
                assert reader.is_alive()
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            reader.join(30)
            assert seen[-2] == "data: [DONE]" and '"finish_reason":"length"' in "".join(seen)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    statuses = [json.loads(line)["status"] for line in log.read_text().splitlines()]
    assert statuses[:2] == [401, 200] and statuses[-1] == 200
    assert key not in log.read_text() + shown
    used = json.loads(keys.with_name("keys.json.used").read_text())
    assert sum(used["tokens"].values()) > 2000


def complaint(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main(["serve", *words])
    assert left.value.code == 2
    return capsys.readouterr().err


def test_what_cannot_be_started_is_told_in_two_lines(capsys, thinker, tmp_path):
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing")
    model = str(thinker)
    for words, said in (
        (("--host", "0.0.0.0"), "bise keys add"),
        (("--keys", str(tmp_path / "none.json")), "no such file"),
        (("--keys", str(bad)), "is not JSON"),
        (("--tls-cert", str(bad)), "belong together"),
        (("--tls-cert", str(bad), "--tls-key", str(bad)), "no certificate and key"),
        (("--access-log", str(tmp_path)), "cannot write the log"),
        (("--port", "0", "--in-process", "--max-model-len", "99999"), "the longest conversation"),
    ):
        told = complaint(capsys, model, *words)
        assert said in told and told.count("\n") <= 2, told


def test_the_log_is_lines_of_json_and_of_malformed_requests_none(capsys):
    loggers = [logging.getLogger(name) for name in ("bise", "uvicorn")]
    before = [(one.handlers, one.level, one.propagate) for one in loggers]
    try:
        begin_logging("warning", as_json=True)
        logging.getLogger("uvicorn.error").warning(COUNTED)
        logging.getLogger("bise.serve").info("not this loud")
        logging.getLogger("bise.serve").warning("a %s", "word")
        try:
            raise ValueError("x")
        except ValueError:
            logging.getLogger("bise.serve").exception("failed")
    finally:
        for one, (handlers, level, propagate) in zip(loggers, before, strict=True):
            one.handlers, one.propagate = handlers, propagate
            one.setLevel(level)
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["level"], first["from"], first["message"]) == ("warning", "bise.serve", "a word")
    assert "ValueError: x" in second["trace"]
    assert isinstance(JsonLines(), logging.Formatter)
