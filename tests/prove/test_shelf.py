"""Searches survive their server: listed again, taken home, resumed where they were."""

import io
import json
import zipfile

import pytest
from hosting import FILE, TWO, hosted
from scripted_model import ScriptedModel, say
from tests.prove.test_prove_door import bearer, begin, ring_of, told, wait_for
from tests.serve.conftest import running

from bise.errors import UserError
from bise.prove.certificate import check_certificate
from bise.prove.endpoint import Endpoint
from bise.prove.run import verdict_of
from bise.prove.runs import KEPT
from bise.prove.shelf import Shelf


def is_second(source):
    """Whether a check is about the second theorem of `TWO`, the first being proved."""
    first, _, rest = source.partition("theorem other")
    return "omega" in first and bool(rest)


def stop_in_the_middle(server, made, source=TWO, **fields):
    """Begin a search and stop its server when the first theorem is proved: its path."""
    made.held = is_second
    made.gate.clear()
    path = begin(server, source, **fields)
    wait_for_event(server, path, "closed")
    made.proving.close(patience_s=0)
    made.gate.set()
    return path


def wait_for_event(server, path, kind):
    with server.client.stream("GET", f"{path}/events") as stream:
        lines = stream.iter_lines()
        assert any(line.startswith("data:") and f'"kind":"{kind}"' in line for line in lines)


def test_what_has_ended_is_there_again_with_its_certificate(thinker, tmp_path):
    searches = tmp_path / "searches"
    with hosted(running, thinker, searches=searches) as (server, _):
        path = begin(server, TWO, name="Two.lean")
        seen, events = wait_for(server, path), told(server, path)
    with hosted(running, thinker, searches=searches) as (server, _):
        (listed,) = server.client.get("/v1/prove").json()["data"]
        assert listed == {
            "id": seen["id"],
            "name": "Two.lean",
            "began": listed["began"],
            "state": "ended",
            "outcome": "proved",
        }
        assert server.client.get(path).json() == seen
        happened = [one for one in told(server, path) if one[0] == "happened"]
        assert happened == [one for one in events if one[0] == "happened"]
        reply = server.client.get(f"{path}/certificate")
        with zipfile.ZipFile(io.BytesIO(reply.content)) as packed:
            packed.extractall(tmp_path)
        asked = []

        def judge(request):
            asked.append(request)
            return verdict_of(seen["result"]["verdict"])

        assert check_certificate(tmp_path / "certificate", judge).is_accepted
        assert (asked[0].challenge, asked[0].submission) == (TWO, seen["result"]["text"])
        assert server.client.delete(path).status_code == 202
        assert server.client.get(path).status_code == 404
    assert not (searches / seen["id"]).exists()


def test_one_that_was_interrupted_goes_on_where_it_was(thinker, tmp_path):
    with hosted(running, thinker, searches=tmp_path) as (server, made):
        path = stop_in_the_middle(server, made, minutes=2)
    with hosted(running, thinker, searches=tmp_path) as (server, made):
        (listed,) = server.client.get("/v1/prove").json()["data"]
        assert (listed["state"], listed["outcome"]) == ("interrupted", None)
        seen = server.client.get(path).json()
        assert seen["state"] == "interrupted" and seen["result"] is None
        assert "+  omega" in seen["diff"] and seen["used"]["checks"] > 0
        assert told(server, path)[-1][0] == "end"
        resumed = server.client.post(f"{path}/resume")
        assert resumed.status_code == 202, resumed.text
        again = wait_for(server, path)
        assert again["result"]["outcome"] == "proved"
        assert again["used"]["checks"] > seen["used"]["checks"]
        kinds = [data["kind"] for kind, data, _ in told(server, path) if kind == "happened"]
        assert kinds.count("began") == 2 and kinds.count("closed") == 2
        refused = server.client.post(f"{path}/resume")
        assert refused.status_code == 409 and "ended" in refused.json()["message"]
        made.gate.set()


def test_those_that_waited_wait_to_be_resumed(thinker, tmp_path):
    with hosted(running, thinker, searches=tmp_path) as (server, made):
        first = stop_in_the_middle(server, made)
        waiting = begin(server, FILE)  # its turn does not come any more
    with hosted(running, thinker, searches=tmp_path) as (server, made):
        listed = server.client.get("/v1/prove").json()["data"]
        assert [one["state"] for one in listed] == ["interrupted"] * 2
        made.gate.clear()
        for path in (first, waiting):
            assert server.client.post(f"{path}/resume").status_code == 202
        assert server.client.delete(waiting).json()["result"]["ended_by"] == "stopped"
        made.gate.set()
        assert wait_for(server, first)["result"]["outcome"] == "proved"


def test_time_that_was_used_counts(thinker, tmp_path):
    with hosted(running, thinker, searches=tmp_path) as (server, made):
        path = stop_in_the_middle(server, made, minutes=0.1)
    events = tmp_path / path.rpartition("/")[2] / "events.jsonl"
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    lines[-1]["at_s"] = 7.0  # more than a tenth of a minute
    events.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"half')
    with hosted(running, thinker, searches=tmp_path) as (server, _):
        assert server.client.get(path).json()["elapsed_s"] == 7
        server.client.post(f"{path}/resume")
        seen = wait_for(server, path)
        assert seen["result"]["outcome"] == "open"
        assert "budget: minutes" in (seen["result"]["ended_by"], seen["result"]["fault"])


def test_the_model_is_asked_with_the_key_of_whoever_resumes(thinker, tmp_path, monkeypatch):
    proved = f"```lean\n{FILE.replace('sorry', 'by magic')}```"
    asked = []
    with ScriptedModel([say(proved)]) as model:

        def opened(**how):
            asked.append(how["key"])
            return Endpoint(url=model.url, model="scripted")

        monkeypatch.setattr("bise.prove.door.Endpoint", opened)
        how = {"searches": tmp_path, "right": "magic"}
        with hosted(running, thinker, **how) as (server, made):
            made.gate.clear()
            path = begin(server, headers=bearer("the-first-key"), model="tiny")
            wait_for(server, path, "running")
            made.proving.close(patience_s=0)
            made.gate.set()
        with hosted(running, thinker, **how) as (server, _):
            assert server.client.get(path).json()["model"]
            server.client.post(f"{path}/resume", headers=bearer("the-second-key"))
            assert wait_for(server, path)["result"]["outcome"] == "proved"
        assert asked[-1] == "the-second-key"
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or "-key" not in file.read_text()


def test_each_tenant_sees_its_own_and_strangers_none(thinker, tmp_path):
    mine, other = "key-of-mine-00000000", "key-of-other-0000000"
    how = {"searches": tmp_path, "parts": {"ring": ring_of([mine, other])}}
    with hosted(running, thinker, **how) as (server, _):
        path = begin(server, headers=bearer(mine))
        for key, count in ((mine, 1), (other, 0)):
            assert len(server.client.get("/v1/prove", headers=bearer(key)).json()["data"]) == count
    with hosted(running, thinker, **how) as (server, _):
        assert server.client.get(path, headers=bearer(mine)).status_code == 200
        for method, end in (("GET", ""), ("POST", "/resume")):
            reply = server.client.request(method, path + end, headers=bearer(other))
            assert reply.status_code == 404
    with hosted(running, thinker, is_local=False) as (server, _):
        reply = server.client.get("/v1/prove")
        assert reply.status_code == 403 and "strangers" in reply.json()["message"]


def test_what_cannot_be_read_is_told_and_left(thinker, tmp_path, caplog):
    name = "x" * 22
    (tmp_path / name).mkdir()
    (tmp_path / name / "wanted.json").write_text('{"format": 9}')
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "wanted.json").write_text("{")
    with hosted(running, thinker, searches=tmp_path) as (server, _):
        assert server.client.get("/v1/prove").json()["data"] == []
        assert wait_for(server, begin(server))["result"]["outcome"] == "proved"
    assert f"{name}` cannot be read: it has format 9" in caplog.text
    assert (tmp_path / name).exists() and "other" not in caplog.text


def test_a_folder_belongs_to_one_server(tmp_path):
    shelf = Shelf(tmp_path / "s")
    with pytest.raises(UserError, match="another server"):
        Shelf(tmp_path / "s")
    shelf.close()
    Shelf(tmp_path / "s").close()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot keep searches"):
        Shelf(tmp_path / "file")


def test_where_nothing_can_be_written_no_search_begins(thinker, tmp_path, caplog):
    with hosted(running, thinker, searches=tmp_path / "s") as (server, made):
        made.proving.runs._shelf._folder = tmp_path / "s" / "lock"
        reply = server.client.post("/v1/prove", json={"source": FILE})
        assert reply.status_code == 503 and "log says why" in reply.json()["message"]
    assert "cannot hold the run" in caplog.text


def test_only_so_many_are_kept(thinker, tmp_path, monkeypatch):
    monkeypatch.setattr("bise.prove.runs.KEPT", 2)
    assert KEPT > 2
    with hosted(running, thinker, searches=tmp_path) as (server, _):
        paths = [begin(server) for _ in range(4) if wait_all(server)]
        wait_all(server)
    kept = {one.name for one in tmp_path.iterdir() if one.is_dir()}
    assert kept == {path.rpartition("/")[2] for path in paths[1:]}


def wait_all(server) -> bool:
    for one in server.client.get("/v1/prove").json()["data"]:
        wait_for(server, f"/v1/prove/{one['id']}")
    return True
