"""The page at `/`: its files, what they are sent with, and that nobody needs a key for them."""

import re
from pathlib import Path

import pytest

from bise.serve import KeyRing, add_key
from bise.serve.page import FOR_EVER, HEADERS, PAGE, read_page

PATHS = [path for path in sorted(read_page()) if path != "/"]


def test_the_page_is_there_with_all_it_names(thinking_server):
    reply = thinking_server.client.get("/")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "no-cache"
    named = re.findall(r'(?:src|href)="\./([^"]+)"', reply.text)
    assert sorted(f"/{name}" for name in named) == PATHS, "files nobody asks for, or missing ones"
    for name in named:
        assert thinking_server.client.get(f"/{name}").status_code == 200


def test_the_page_names_no_other_place_and_has_nothing_inline():
    html = (PAGE / "index.html").read_text()
    assert not re.search(r"https?://", html)
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)


@pytest.mark.parametrize("path", ["/", *PATHS])
def test_every_file_comes_with_the_policy_and_is_known_again(thinking_server, path):
    client = thinking_server.client
    reply = client.get(path)
    assert reply.headers.items() >= {k.lower(): v for k, v in HEADERS.items()}.items()
    etag = reply.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get(path, headers={"if-none-match": known})
        assert again.status_code == 304 and not again.content
        assert again.headers["etag"] == etag
    changed = client.get(path, headers={"if-none-match": '"other"'})
    assert changed.status_code == 200 and changed.content == reply.content
    head = client.head(path)
    assert head.status_code == 200 and not head.content
    plain = client.head(path, headers={"accept-encoding": "identity"})
    assert int(plain.headers["content-length"]) == len(reply.content)


def test_large_files_come_packed_to_who_can_unpack_them(thinking_server):
    client = thinking_server.client
    (path,) = [one for one in PATHS if one.endswith(".js")]
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for accepted in ("gzip", "br, gzip;q=0.5", "GZIP"):
        reply = client.get(path, headers={"accept-encoding": accepted})
        assert reply.headers["content-encoding"] == "gzip" and reply.content == plain.content
        assert reply.headers["vary"] == "Accept-Encoding"
        assert int(reply.headers["content-length"]) < len(plain.content) / 2
        assert reply.headers["etag"] != plain.headers["etag"]
    for refused in ("gzip;q=0", "gzip; q=0.0", "br", ""):
        reply = client.get(path, headers={"accept-encoding": refused})
        assert "content-encoding" not in reply.headers, refused


def test_files_with_a_digest_in_their_name_are_kept_for_ever(thinking_server):
    for path in PATHS:
        caching = thinking_server.client.get(path).headers["cache-control"]
        assert (caching == FOR_EVER) == path.startswith("/assets/")
        if path.startswith("/assets/"):
            assert re.search(r"-[\w-]{8}\.(js|css)$", path)


def test_the_policy_allows_no_inline_code_and_no_other_host():
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy


def test_what_the_page_does_not_have_is_not_found(thinking_server):
    client = thinking_server.client
    for path in ("/assets/", "/assets/no.js", "/assets/%2e%2e/index.html", "/index.html", "/page"):
        reply = client.get(path)
        assert reply.status_code == 404, path
        assert reply.json()["object"] == "error"
    assert client.post("/", json={}).status_code == 405


def test_nobody_needs_a_key_for_the_page_but_for_all_it_asks(start, thinker, tmp_path):
    add_key(tmp_path / "keys.json", "alice")
    with start(thinker, parts={"ring": KeyRing(tmp_path / "keys.json")}) as server:
        for path in ("/", *PATHS):
            assert server.client.get(path).status_code == 200
        assert server.client.get("/v1/models").status_code == 401
        assert server.client.post("/render", json={"messages": []}).status_code == 401


def test_without_a_built_page_there_is_nothing(tmp_path: Path):
    assert read_page(tmp_path) == {}
