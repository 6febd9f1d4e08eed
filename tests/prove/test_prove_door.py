"""The prover over HTTP: begun, watched, stopped, kept apart; and its page's files."""

import io
import json
import re
import time
import zipfile

import httpx
import pytest
from hosting import FILE, TWO, hosted
from scripted_model import ScriptedModel, say
from small_library import SmallLean
from tests.serve.conftest import running

from bise.judge import Request
from bise.prove.budget import Budget, Spent
from bise.prove.certificate import check_certificate
from bise.prove.door import MAX_SOURCE_BYTES, PAGE
from bise.prove.endpoint import Endpoint
from bise.prove.hosted import Bench, HostedRoom, index_apart
from bise.prove.run import Run, Wanted, verdict_of
from bise.prove.runs import MAX_OF_ONE, MAX_WAITING
from bise.prove.workspace import Workspace
from bise.serve import Judging, Key, KeyRing, digest_of
from bise.serve.page import HEADERS


@pytest.fixture(scope="module")
def both(thinker):
    with hosted(running, thinker) as made:
        yield made


@pytest.fixture(scope="module")
def server(both):
    return both[0]


@pytest.fixture
def gate(both):
    """Closed, until the test opens it."""
    both[1].gate.clear()
    yield both[1].gate
    both[1].gate.set()


def begin(server, source=FILE, headers=None, **fields):
    reply = server.client.post("/v1/prove", json={"source": source, **fields}, headers=headers)
    assert reply.status_code == 201, reply.text
    return f"/v1/prove/{reply.json()['id']}"


def wait_for(server, path, state="ended"):
    ends = time.monotonic() + 20
    while (seen := server.client.get(path).json())["state"] != state:
        assert time.monotonic() < ends, seen
        time.sleep(0.02)
    return seen


def told(server, path, last=None):
    """All events of a run until its end: (kind, data, number)."""
    headers = {} if last is None else {"last-event-id": str(last)}
    found = []
    with server.client.stream("GET", f"{path}/events", headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for block in "".join(stream.iter_text()).split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "event" in fields:
                found.append((fields["event"], json.loads(fields["data"]), fields.get("id")))
    return found


def test_a_proof_is_found_and_can_be_taken_home(server, tmp_path):
    path = begin(server, name="Main.lean", minutes=1)
    seen = wait_for(server, path)
    result = seen["result"]
    assert (result["outcome"], result["ended_by"]) == ("proved", "accepted")
    assert result["verdict"]["verdict"] == "accepted" and result["certificate"]
    assert "sorry" not in result["text"] and "omega" in result["text"]
    assert seen["name"] == "Main.lean" and "+  omega" in seen["diff"]
    assert [one["open"] for one in seen["goals"]] == [False]
    reply = server.client.get(f"{path}/certificate")
    assert reply.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.content)) as packed:
        packed.extractall(tmp_path)
    judged = list[Request]()

    def judge(request):
        judged.append(request)
        return verdict_of(result["verdict"])

    assert check_certificate(tmp_path / "certificate", judge).is_accepted
    assert (judged[0].challenge, judged[0].submission) == (FILE, result["text"])


def test_what_happens_is_told_in_order_and_again_from_where_it_broke(server):
    path = begin(server, TWO)
    events = told(server, path)
    happened = [(number, data["kind"]) for kind, data, number in events if kind == "happened"]
    assert [int(number) for number, _ in happened] == list(range(1, len(happened) + 1))
    kinds = [kind for _, kind in happened]
    assert kinds[0] == "began" and kinds[-1] == "ended" and kinds.count("closed") == 2
    assert events[-1][0] == "end"
    state = {}
    for kind, data, _ in events:
        state.update(data if kind == "seen" else {})
    assert state == server.client.get(path).json()
    rest = told(server, path, last=2)
    assert next(number for kind, _, number in rest if kind == "happened") == "3"
    reply = server.client.get(f"{path}/events", headers={"last-event-id": "x"})
    assert reply.status_code == 400


def test_a_run_is_watched_while_it_runs(server, gate):
    path = begin(server)
    assert wait_for(server, path, "running")["result"] is None
    with server.client.stream("GET", f"{path}/events") as stream:
        lines = stream.iter_lines()
        assert next(line for line in lines if line.startswith("event")) == "event: seen"
        gate.set()
        assert any(line == "event: end" for line in lines)


def test_one_runs_after_the_other_and_a_waiting_one_is_stopped_at_once(server, gate):
    first, second, third = (begin(server) for _ in range(3))
    wait_for(server, first, "running")
    seen = server.client.get(third).json()
    assert (seen["state"], seen["place"]) == ("waiting", 2)
    stopped = server.client.delete(second)
    assert stopped.status_code == 202 and stopped.json()["state"] == "ended"
    assert stopped.json()["result"]["ended_by"] == "stopped"
    gate.set()
    assert wait_for(server, first)["result"]["outcome"] == "proved"
    assert wait_for(server, third)["result"]["outcome"] == "proved"


def test_a_running_one_ends_after_its_step_and_can_then_be_forgotten(server, gate):
    path = begin(server)
    wait_for(server, path, "running")
    assert server.client.delete(path).json()["state"] == "stopping"
    gate.set()
    result = wait_for(server, path)["result"]
    assert (result["outcome"], result["ended_by"]) == ("open", "stopped")
    assert not result["certificate"] and result["text"] == FILE
    assert server.client.get(f"{path}/certificate").status_code == 404
    server.client.delete(path)
    assert server.client.get(path).status_code == 404


def test_what_automation_cannot_prove_stays_open(thinker):
    with hosted(running, thinker, right="magic") as (server, _):
        result = wait_for(server, begin(server))["result"]
    assert (result["outcome"], result["ended_by"]) == ("open", "nothing more to try")


def test_a_file_lean_does_not_take_is_not_searched(server):
    broken = "theorem a : 1 = 2 := by wrong\n\n" + FILE
    seen = wait_for(server, begin(server, broken))
    assert "unsolved goals in a" in seen["result"]["fault"]
    (message,) = [one for one in seen["messages"] if one["severity"] == "error"]
    assert message["line"] == 1 and seen["used"]["checks"] == 1


def test_what_breaks_is_told_and_the_next_run_has_its_turn(server, both, monkeypatch, caplog):
    def broken(_):
        raise RuntimeError("secret")

    monkeypatch.setattr(both[1].proving.runs, "_opened", broken)
    seen = wait_for(server, begin(server))
    assert "log says why" in seen["result"]["fault"] and "secret" not in json.dumps(seen)
    assert "RuntimeError: secret" in caplog.text
    monkeypatch.undo()
    assert wait_for(server, begin(server))["result"]["outcome"] == "proved"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"source": None}, 422),
        ({"source": 1}, 422),
        ({"source": "theorem a : 1 = 1 := rfl"}, 400),
        ({"source": "-- sorry\n/- sorry -/"}, 400),
        ({"source": FILE + "-" * MAX_SOURCE_BYTES}, 413),
        ({"source": FILE + "theorem a : 1 = 1 := sorry\n" * 200}, 400),
        ({"minutes": 0}, 400),
        ({"minutes": 61}, 400),
        ({"tokens": 0}, 400),
        ({"attempts": 33}, 400),
        ({"attempts": "3"}, 422),
        ({"name": "../x/y"}, 400),
        ({"model": "another"}, 404),
    ],
)
def test_wrong_bodies_are_refused(server, fields, status):
    reply = server.client.post("/v1/prove", json={"source": FILE, **fields})
    assert reply.status_code == status and reply.json()["object"] == "error", reply.text


@pytest.mark.parametrize("begun", ['r#"', "«", '"\\', "'\\", "/-", "@[", "sorry sorrx "])
def test_text_that_begins_and_never_ends_is_read_at_once(server, begun):
    hostile = begun * (MAX_SOURCE_BYTES // len(begun.encode()) - 40)
    started = time.monotonic()
    reply = server.client.post("/v1/prove", json={"source": FILE + "\n" + hostile})
    assert reply.status_code in (201, 400)
    if reply.status_code == 201:
        wait_for(server, f"/v1/prove/{reply.json()['id']}")
    assert time.monotonic() - started < 15


def test_too_many_are_refused(thinker):
    keys = ["key-of-a-tenant-0", "key-of-a-tenant-1", "key-of-a-tenant-2"]
    with hosted(running, thinker, parts={"ring": ring_of(keys)}) as (server, made):
        made.gate.clear()
        client = server.client
        codes = [
            client.post("/v1/prove", json={"source": FILE}, headers=bearer(key)).status_code
            for key in keys
            for _ in range(MAX_OF_ONE + 1)
        ]
        assert codes[: MAX_OF_ONE + 1] == [201] * MAX_OF_ONE + [429]
        assert codes.count(201) in (MAX_WAITING, MAX_WAITING + 1)
        reply = client.post("/v1/prove", json={"source": FILE}, headers=bearer(keys[2]))
        assert reply.status_code == 429 and reply.headers["retry-after"]


def bearer(key):
    return {"authorization": f"Bearer {key}"}


def ring_of(keys, **how):
    return KeyRing(
        None,
        [
            Key(name=f"key{at}", digest=digest_of(key), **{"may_verify": True, **how})
            for at, key in enumerate(keys)
        ],
    )


def test_a_run_is_there_for_its_tenant_only(thinker):
    mine, other, weak = "key-of-mine-00000000", "key-of-other-0000000", "key-of-weak-00000000"
    ring = ring_of([mine, other])
    ring.fixed += ring_of([weak], may_verify=False).fixed
    ring.keys = ring.fixed
    with hosted(running, thinker, parts={"ring": ring}) as (server, _):
        path = begin(server, headers=bearer(mine))
        for method, end in (
            ("GET", ""),
            ("GET", "/events"),
            ("GET", "/certificate"),
            ("DELETE", ""),
        ):
            for key, status in ((other, 404), (weak, 403), ("wrong", 401)):
                reply = server.client.request(method, path + end, headers=bearer(key))
                assert reply.status_code == status, (method, end, key)
        assert server.client.get(path, headers=bearer(mine)).status_code == 200
        assert server.client.post("/v1/prove", json={"source": FILE}).status_code == 401
        assert server.client.get("/prove").status_code == 200
        assert mine not in server.client.get(path, headers=bearer(mine)).text


def test_pages_of_other_sites_may_not_begin_a_search(server):
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        reply = server.client.post("/v1/prove", json={"source": FILE}, headers=headers)
        assert reply.status_code == 403
    plain = {"content-type": "text/plain"}
    body = json.dumps({"source": FILE})
    assert server.client.post("/v1/prove", content=body, headers=plain).status_code == 415


def test_a_model_is_asked_where_one_is_wanted(thinker, monkeypatch):
    proved = f"```lean\n{FILE.replace('sorry', 'by magic')}```"
    with ScriptedModel([say(proved)]) as model, hosted(running, thinker, right="magic") as made:
        server = made[0]
        asked = list[Endpoint]()

        def opened(**how):
            asked.append(Endpoint(**how))
            return Endpoint(url=model.url, model="scripted")

        monkeypatch.setattr("bise.prove.door.Endpoint", opened)
        headers = bearer("whatever-key")
        seen = wait_for(server, begin(server, headers=headers, model="tiny", attempts=2))
    assert seen["result"]["outcome"] == "proved" and seen["used"]["calls"] >= 1
    assert seen["attempts"] >= 1 and seen["model"]
    (endpoint,) = asked
    assert endpoint.url == f"http://127.0.0.1:{server.port}/v1"
    assert (endpoint.model, endpoint.key) == ("tiny", "whatever-key")
    endpoint.close()


def test_the_judge_works_in_a_process_apart_and_is_left_when_told(thinker, monkeypatch, tmp_path):
    monkeypatch.setenv("BISE_LEAN_HOME", str(tmp_path))
    with hosted(running, thinker) as (server, made):
        wait_for(server, begin(server))
        bench, request = made.proving.bench, Request(challenge=FILE, submission=FILE)
        verdict = bench.judge(request, Budget())
        assert (verdict.verdict, verdict.reason) == ("failed", "no_backend")
        with pytest.raises(Spent):
            bench.judge(request, Budget(is_interrupted=True))
        assert isinstance(bench, Bench)


def test_a_server_has_the_index_made_in_a_process_apart(tmp_path, monkeypatch):
    asked = []

    class Command:
        def __init__(self, words, **_):
            asked.append(words[-3:])
            self.num_looks = 0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def poll(self):
            self.num_looks += 1
            return 0 if self.num_looks > 1 else None

        def terminate(self):
            asked.append("terminated")

    monkeypatch.setattr("bise.prove.hosted.subprocess.Popen", Command)
    monkeypatch.setattr("bise.prove.hosted.LOOK_S", 0.0)
    monkeypatch.setenv("BISE_LEAN_HOME", str(tmp_path))
    run = Run(
        id="x",
        owner="",
        wanted=Wanted(work=Workspace(FILE), name="F.lean", minutes=1.0, tokens=1, attempts=1),
    )
    room = HostedRoom(run, Bench(judging=Judging(num_at_once=1)))
    room._hand.__dict__["lean"] = SmallLean()
    assert len(room.premises) > 0 and asked == [["prove", "setup", "--index"]]
    assert len(room.premises) > 0 and len(asked) == 1  # it is there now
    run.budget.is_interrupted = True
    with pytest.raises(Spent):
        index_apart(run.budget)
    assert asked[-1] == "terminated"


def test_the_page_and_its_files_come_with_the_policy(server):
    html = server.client.get("/prove").text
    named = re.findall(r'(?:src|href)="\./(prove/[^"]+)"', html)
    assert sorted(named) == sorted(
        f"prove/{one.name}" for one in PAGE.iterdir() if one.name != "index.html"
    )
    for path in ("/prove", *(f"/{name}" for name in named)):
        reply = server.client.get(path)
        assert reply.status_code == 200
        assert reply.headers.items() >= {k.lower(): v for k, v in HEADERS.items()}.items()
        assert not re.search(r"https?://|innerHTML|outerHTML|insertAdjacent|eval\(", reply.text)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html)
    assert server.client.get("/prove/index.html").status_code == 404


def test_a_server_without_a_judge_has_no_prover(thinker):
    with running(thinker) as server:
        assert server.client.get("/prove").status_code == 404
        assert server.client.post("/v1/prove", json={"source": FILE}).status_code == 404


def test_the_description_tells_of_the_doors(server):
    document = server.client.get("/openapi.json").json()
    assert document["paths"].keys() >= {"/v1/prove", "/v1/prove/{name}/events"}
    body = document["paths"]["/v1/prove"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["$ref"].endswith("/ProveBody")


def test_a_client_that_leaves_ends_only_its_stream(server, gate):
    path = begin(server)
    wait_for(server, path, "running")
    with (
        pytest.raises(httpx.ReadTimeout),
        server.client.stream("GET", f"{path}/events", timeout=0.5) as stream,
    ):
        for _ in stream.iter_lines():
            pass
    gate.set()
    assert wait_for(server, path)["result"]["outcome"] == "proved"
