"""Archives arrive whole or not at all, and go on where they broke off."""

import hashlib
import os
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from bise.errors import NotFound, UserError
from bise.judge.archives import NPM, PYPI, Archive, fetch, npm_registry, pip_index

BODY = bytes(range(256)) * 4000


@pytest.fixture
def registry(monkeypatch):
    class Door(BaseHTTPRequestHandler):
        ranges: ClassVar[list[str | None]] = []
        logins: ClassVar[list[str | None]] = []
        root, body, knows_ranges, stop_after = "", BODY, True, None

        def do_GET(self):
            if self.path == "/simple/some/":
                page = b'<a href="../../files/some.whl#sha256=0">some.whl</a>'
                self.send_response(200)
                self.end_headers()
                self.wfile.write(page)
                return
            if not self.path.endswith(("some.whl", "some.tgz")):
                self.send_error(404)
                return
            asked = self.headers.get("Range")
            Door.ranges.append(asked)
            Door.logins.append(self.headers.get("Authorization"))
            start = int(asked[6:-1]) if asked and Door.knows_ranges else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(Door.body) - start))
            self.end_headers()
            self.wfile.write(Door.body[start : Door.stop_after])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setenv("npm_config_registry", root)
    monkeypatch.setenv("PIP_INDEX_URL", root + "simple/")
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", os.devnull)
    monkeypatch.setenv("no_proxy", "*")
    Door.root = root
    yield Door
    server.shutdown()
    server.server_close()


def archive(kind="npm", body=BODY):
    digest = hashlib.sha512 if kind == "npm" else hashlib.sha256
    return Archive(
        package="some",
        file="some.tgz" if kind == "npm" else "some.whl",
        registry=kind,
        digest=digest(body).hexdigest(),
        size_bytes=len(body),
    )


@pytest.mark.parametrize("kind", ["npm", "pypi"])
def test_an_archive_is_fetched_once(registry, tmp_path, kind):
    path = fetch(archive(kind), tmp_path)
    assert path.read_bytes() == BODY
    assert fetch(archive(kind), tmp_path) == path and len(registry.ranges) == 1


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_broken_download_goes_on(registry, tmp_path, knows_ranges):
    registry.stop_after, registry.knows_ranges = 5000, knows_ranges
    with pytest.raises(UserError, match="broke off"):
        fetch(archive(), tmp_path)
    registry.stop_after = None
    assert fetch(archive(), tmp_path).read_bytes() == BODY
    assert registry.ranges == [None, "bytes=5000-"]


def test_another_file_than_the_pinned_one_is_refused_and_not_kept(registry, tmp_path):
    registry.body = BODY[::-1]
    with pytest.raises(UserError, match="is not the file we pinned"):
        fetch(archive(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("registry")
def test_what_is_not_there_is_told(tmp_path):
    missing = Archive(package="x", file="x.tgz", registry="npm", digest="", size_bytes=9)
    with pytest.raises(NotFound, match="answers 404"):
        fetch(missing, tmp_path)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://127.0.0.1:9/", "cannot be reached"),
        ("nonsense", "is no address"),
        ("http://name:secret@127.0.0.1:9/", "`http://127.0.0.1:9/some/"),
    ],
)
def test_a_registry_that_is_none_is_told_without_its_password(monkeypatch, tmp_path, address, told):
    monkeypatch.setenv("npm_config_registry", address)
    with pytest.raises(UserError, match=told) as fault:
        fetch(archive(), tmp_path)
    assert "secret" not in str(fault.value)


@pytest.mark.usefixtures("registry")
def test_an_index_without_the_file_is_told(tmp_path):
    other = replace(archive("pypi"), file="other.whl")
    with pytest.raises(NotFound, match=r"has no `other\.whl`"):
        fetch(other, tmp_path)


def test_logins_of_addresses_and_files_are_sent(registry, monkeypatch, tmp_path):
    root = registry.root
    monkeypatch.setenv("npm_config_registry", root.replace("http://", "http://me:word@"))
    fetch(archive(), tmp_path / "one")
    file = tmp_path / "npmrc"
    file.write_text(f"registry={root}\n{root.removeprefix('http:')}:_authToken=${{TOKEN}}\n")
    monkeypatch.delenv("npm_config_registry")
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(file))
    monkeypatch.setenv("TOKEN", "abc")
    fetch(archive(), tmp_path / "two")
    assert registry.logins == ["Basic bWU6d29yZA==", "Bearer abc"]


def test_settings_of_npm_are_found(tmp_path):
    file = tmp_path / "npmrc"
    file.write_text("; registry=https://old.example\nfund=false\nregistry = https://npm.example/\n")
    assert npm_registry({"NPM_CONFIG_USERCONFIG": str(file)}) == "https://npm.example/"
    assert npm_registry({"NPM_CONFIG_REGISTRY": "https://a.example"}) == "https://a.example"
    assert npm_registry({"NPM_CONFIG_USERCONFIG": str(tmp_path)}) == NPM


def test_settings_of_pip_are_found(tmp_path):
    assert pip_index({"PIP_INDEX_URL": "https://pip.example/simple"}).endswith("example/simple")
    file = tmp_path / "pip.conf"
    file.write_text("[global]\ntimeout = 9\nindex-url = https://files.example/simple/\n")
    assert pip_index({"PIP_CONFIG_FILE": str(file)}) == "https://files.example/simple/"
    file.write_text("no configuration at all")
    assert pip_index({"PIP_CONFIG_FILE": str(file)}) == PYPI
