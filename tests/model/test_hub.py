"""Fetching from a stand-in hub on this machine's loopback."""

import hashlib
import json
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bise.errors import NotFound, UserError
from bise.model import hub
from bise.model.checkpoint import load_network, open_checkpoint
from bise.model.hub import fetch, locate
from bise.model.random_weights import write_random

COMMIT = "c0ffee" + "0" * 34


class StandIn(ThreadingHTTPServer):
    """Serves the folders under `root` as repositories, and remembers what was asked of it."""

    daemon_threads = True

    def __init__(self, root: Path):
        super().__init__(("127.0.0.1", 0), Door)
        self.root = root
        self.gated = False
        self.break_after = 0
        """Hang up after so many bytes of a weight file ..."""
        self.num_breaks = 0
        """... so many times."""
        self.sent: list[tuple[str, int]] = []
        """(file, first byte) of every download"""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def files(self) -> list[str]:
        return sorted({file for file, _ in self.sent})


class Door(BaseHTTPRequestHandler):
    server: StandIn

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, *, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        if self.server.gated:
            return self.refuse(403, "GatedRepo")
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/(revision|tree)/([^/]+)", path):
            repo, kind, revision = found.groups()
            return self.about(repo, kind, revision)
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self.file(self.server.root / found[1] / found[3], with_body)
        return self.refuse(404, "EntryNotFound")

    def about(self, repo: str, kind: str, revision: str) -> None:
        folder = self.server.root / repo
        if not folder.is_dir():
            return self.refuse(404, "RepoNotFound")
        if revision not in ("main", COMMIT):
            return self.refuse(404, "RevisionNotFound")
        paths = sorted(folder.iterdir())
        if kind == "tree":
            rows = [
                {"type": "file", "path": p.name, "size": p.stat().st_size, "oid": etag(p)}
                for p in paths
            ]
            return self.send_json(rows)
        siblings = [
            {"rfilename": p.name, "size": p.stat().st_size, "blobId": etag(p)} for p in paths
        ]
        return self.send_json({"id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings})

    def file(self, path: Path, with_body: bool) -> None:
        if not path.is_file():
            return self.refuse(404, "EntryNotFound")
        content = path.read_bytes()
        start = 0
        if wanted := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start = int(wanted[1])
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{etag(path)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if not with_body:
            return None
        self.server.sent.append((path.name, start))
        stop = self.server.break_after
        if self.server.num_breaks and path.suffix == ".safetensors":
            self.server.num_breaks -= 1
            self.wfile.write(content[start : start + stop])
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True
            return None
        self.wfile.write(content[start:])
        return None

    def refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_json(self, value: object) -> None:
        raw = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def etag(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


@pytest.fixture
def stand_in(small4, tmp_path) -> Iterator[StandIn]:
    """A hub with a model in both layouts, and one in the second only."""
    both, second = tmp_path / "hub/org/both", tmp_path / "hub/org/second"
    write_random(small4, both, layout="native", max_shard_bytes=100_000)
    write_random(small4, both, layout="hf", seed=1)
    write_random(small4, second, layout="hf")
    for name in ("tekken.json", "SYSTEM_PROMPT.txt", "README.md", "pytorch_model.bin"):
        (both / name).write_text(name)
    server = StandIn(tmp_path / "hub")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


def test_one_layout_is_fetched_and_it_is_the_native_one(stand_in, cache, small4):
    folder = fetch("org/both", endpoint=stand_in.endpoint, cache=cache)
    names = {path.name for path in folder.iterdir()}
    assert names >= {"params.json", "tekken.json", "SYSTEM_PROMPT.txt"}
    assert not names & {"config.json", "model.safetensors", "pytorch_model.bin", "README.md"}
    assert stand_in.files() == sorted(names)
    assert load_network(folder).config == small4


def test_the_other_layout_is_fetched_when_asked_for_or_alone(stand_in, cache):
    folder = fetch("org/both", layout="hf", endpoint=stand_in.endpoint, cache=cache)
    assert open_checkpoint(folder).layouts == ("hf",)
    folder = fetch("org/second", endpoint=stand_in.endpoint, cache=cache)
    assert open_checkpoint(folder).layouts == ("hf",)
    with pytest.raises(NotFound, match="no weights in the `native` layout"):
        fetch("org/second", layout="native", endpoint=stand_in.endpoint, cache=cache)


def test_nothing_is_fetched_twice(stand_in, cache):
    first = fetch("org/both", endpoint=stand_in.endpoint, cache=cache)
    stand_in.sent.clear()
    assert fetch("org/both", endpoint=stand_in.endpoint, cache=cache) == first
    assert stand_in.sent == []


@pytest.fixture
def impatient(monkeypatch) -> None:
    """No waiting between tries, and small pieces, so that half a small file is a beginning."""
    from huggingface_hub import constants, file_download

    monkeypatch.setattr(file_download.time, "sleep", lambda _: None)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 4096)


@pytest.mark.usefixtures("impatient")
def test_a_connection_that_breaks_is_picked_up_where_it_stopped(stand_in, cache):
    stand_in.break_after, stand_in.num_breaks = 20_000, 3
    folder = fetch("org/second", endpoint=stand_in.endpoint, cache=cache)
    starts = [start for file, start in stand_in.sent if file == "model.safetensors"]
    assert len(starts) == 4 and starts == sorted(set(starts))
    load_network(folder)


@pytest.mark.usefixtures("impatient")
def test_a_download_that_fails_says_so_and_keeps_the_finished_files(stand_in, cache):
    stand_in.break_after, stand_in.num_breaks = 0, 1000
    with pytest.raises(UserError, match="broke off") as caught:
        fetch("org/second", endpoint=stand_in.endpoint, cache=cache)
    assert "\n" not in caught.value.message and "again" in caught.value.hint
    stand_in.num_breaks = 0
    stand_in.sent.clear()
    load_network(fetch("org/second", endpoint=stand_in.endpoint, cache=cache))
    assert stand_in.files() == ["model.safetensors"]


def test_without_a_network_the_cached_copy_serves(stand_in, cache):
    folder = fetch("org/both", endpoint=stand_in.endpoint, cache=cache)
    stand_in.shutdown()
    stand_in.server_close()
    assert fetch("org/both", endpoint=stand_in.endpoint, cache=cache) == folder
    for name in ("org/second", "org/nobody"):
        with pytest.raises(NotFound, match="cannot be reached"):
            fetch(name, endpoint=stand_in.endpoint, cache=cache)


def test_offline_mode_uses_the_cached_copy_only(stand_in, cache, monkeypatch):
    from huggingface_hub import constants

    folder = fetch("org/both", endpoint=stand_in.endpoint, cache=cache)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    stand_in.sent.clear()
    assert fetch("org/both", endpoint=stand_in.endpoint, cache=cache) == folder
    with pytest.raises(NotFound, match="cannot be reached"):
        fetch("org/second", endpoint=stand_in.endpoint, cache=cache)
    assert stand_in.sent == []


@pytest.mark.parametrize(("name", "revision"), [("org/nobody", "main"), ("org/both", "v9")])
def test_what_the_hub_does_not_have_is_not_found(name, revision, stand_in, cache):
    with pytest.raises(NotFound, match=f"the hub has no `{name}` at `{revision}`"):
        fetch(name, revision=revision, endpoint=stand_in.endpoint, cache=cache)


def test_gated_models_say_so(stand_in, cache):
    stand_in.gated = True
    with pytest.raises(UserError, match="asks you to accept its terms"):
        fetch("org/both", endpoint=stand_in.endpoint, cache=cache)


def test_space_is_checked_before_anything_is_fetched(stand_in, cache, monkeypatch, tmp_path):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(hub.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match="has 1,000 left"):
        fetch("org/both", endpoint=stand_in.endpoint, cache=cache)
    assert stand_in.sent == []


@pytest.mark.parametrize("name", ["org", "a/b/c", "../x/y", "org/", "-x/y", "a..b/c"])
def test_names_of_another_form_are_no_hub_ids(name):
    with pytest.raises(UserError, match="is no hub id"):
        fetch(name)


def test_a_name_is_a_shipped_model_a_folder_or_a_hub_id(
    stand_in, cache, small4, tmp_path, monkeypatch
):
    monkeypatch.setattr(hub, "ASSETS", tmp_path / "assets")
    shipped = write_random(small4, tmp_path / "assets" / "tiny-one")
    assert locate("tiny-one") == shipped
    assert locate(str(tmp_path)) == tmp_path
    found = locate("org/second", endpoint=stand_in.endpoint, cache=cache)
    assert open_checkpoint(found).config == small4
    for name in ("nothing", "../assets/tiny-one/..x", "", "a b"):
        with pytest.raises(NotFound, match="there is no model"):
            locate(name)
