"""The judge over HTTP: who may ask, what it costs, and that leaving ends the work."""

import time
from pathlib import Path

import httpx
import pytest

from bise.serve import Judging, Key, KeyRing, digest_of
from bise.serve.judging import MAX_WAITING

SOURCES = {"challenge": "theorem t : 1 = 1 := sorry\n", "submission": "theorem t : 1 = 1 := rfl\n"}


@pytest.fixture(autouse=True)
def _no_lean(monkeypatch, tmp_path):
    """None is installed here, so jobs end early and alike everywhere."""
    monkeypatch.setenv("BISE_LEAN_HOME", str(tmp_path / "lean"))


@pytest.fixture(scope="module")
def server(start, thinker):
    with start(thinker, parts={"judging": Judging(num_at_once=2)}) as running:
        yield running


def test_the_door_is_closed_unless_asked_for(thinking_server):
    assert thinking_server.post("/v1/verify", **SOURCES).status_code == 404


def test_a_judge_without_lean_has_failed(server):
    reply = server.post("/v1/verify", **SOURCES)
    told = reply.json()
    assert reply.status_code == 503 and told["object"] == "error"
    assert (told["verdict"], told["reason"]) == ("failed", "no_backend")


def test_what_cannot_be_judged_by_is_unusable(server):
    reply = server.post("/v1/verify", **SOURCES, examples="no example in it\n")
    told = reply.json()
    assert reply.status_code == 400 and told["object"] == "error"
    assert (told["verdict"], told["reason"]) == ("unusable", "no_examples")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"challenge": "x"}, 422),
        ({"challenge": 1, "submission": "x"}, 422),
        ({**SOURCES, "timeout_s": 0}, 400),
        ({**SOURCES, "timeout_s": 10_000}, 400),
        ({**SOURCES, "submission": "x" * (1 << 20) + "x"}, 413),
    ],
)
def test_wrong_bodies_are_refused(server, body, status):
    assert server.post("/v1/verify", **body).status_code == status


def test_a_key_needs_the_right(start, thinker):
    keys = {"may-not-00000000000": False, "may-0000000000000000": True}
    ring = KeyRing(
        None,
        [
            Key(name=f"key{number}", digest=digest_of(key), may_verify=may)
            for number, (key, may) in enumerate(keys.items())
        ],
    )
    with start(thinker, parts={"judging": Judging(num_at_once=1), "ring": ring}) as running:
        for key, may in keys.items():
            headers = {"authorization": f"Bearer {key}"}
            reply = running.client.post("/v1/verify", json=SOURCES, headers=headers)
            assert reply.status_code == (503 if may else 403)


def test_too_many_are_refused(start, thinker):
    full = Judging(num_at_once=0, num_waiting=MAX_WAITING)
    with start(thinker, parts={"judging": full}) as running:
        reply = running.post("/v1/verify", **SOURCES)
        assert reply.status_code == 429 and "wait for the judge" in reply.json()["message"]


def jobs() -> list[str]:
    """Folders of jobs that processes still hold."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = one.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"verify" in words and any(b"bise-verify-" in word for word in words):
            found.append(one.parent.name)
    return found


def test_leaving_ends_the_job(server):
    with pytest.raises(httpx.ReadTimeout):
        server.client.post("/v1/verify", json=SOURCES, timeout=0.05)
    ends = time.monotonic() + 10
    while jobs() and time.monotonic() < ends:
        time.sleep(0.05)
    assert not jobs()
    assert server.post("/v1/verify", **SOURCES).status_code == 503
