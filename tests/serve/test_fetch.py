"""Pictures fetched by their addresses: only where that is allowed, and only from the open net."""

import asyncio
import io
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from bise.errors import BadImage
from bise.serve import PictureFetching
from bise.serve.backlog import BodyRoom
from bise.serve.faults import HttpFault
from bise.serve.fetch import Fetcher, is_public
from bise.serve.picture_urls import urls_in
from bise.serve.visit import Visit


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (56, 28), "red").save(out, "PNG")
    return out.getvalue()


class Site(BaseHTTPRequestHandler):
    """A web server with good and bad manners."""

    seen: list[dict] = []  # noqa: RUF012 - one server, one test module

    def do_GET(self) -> None:
        self.seen.append(dict(self.headers))
        place, _, rest = self.path[1:].partition("/")
        if place == "to":
            self.send_response(302)
            self.send_header("Location", rest if "://" in rest else f"/{rest}")
            self.end_headers()
        elif place == "big":
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                for _ in range(4000):
                    self.wfile.write(b"x" * 1000)
        elif place == "slow":
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                for _ in range(100):
                    self.wfile.write(b"x")
                    time.sleep(0.05)
        elif place == "gone":
            self.send_error(404)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(picture())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def trusting(site) -> Fetcher:
    """Takes this machine for the open net, as nothing else can be reached in a test."""
    port = int(site.rpartition(":")[2])
    return Fetcher(100_000, 1.0, allows=lambda _: True, ports=frozenset((80, 443, port)))


def test_a_picture_comes_as_it_is(site, trusting):
    assert trusting.fetch(f"{site}/a.png?b=c") == picture()
    headers = Site.seen[-1]
    assert headers["Host"] == site.removeprefix("http://") and headers["User-Agent"] == "bise"
    assert "Cookie" not in headers and "Authorization" not in headers


def test_redirects_are_followed_three_times(site, trusting):
    assert trusting.fetch(f"{site}/to/to/to/a.png") == picture()
    with pytest.raises(BadImage, match="more than 3 times"):
        trusting.fetch(f"{site}/to/to/to/to/a.png")


@pytest.mark.parametrize("place", ["http://[x/", "http://[::1/", "http://a]b/"])
def test_a_redirect_to_what_is_no_address_is_a_bad_image(site, trusting, place):
    with pytest.raises(BadImage):
        trusting.fetch(f"{site}/to/{place}")


def test_an_address_of_version_6_is_no_name_with_a_port(site, trusting, monkeypatch):
    port = int(site.rpartition(":")[2])
    here = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: here)
    assert trusting.fetch(f"http://[2606:2800:220:1::abcd]:{port}/a.png") == picture()
    assert Site.seen[-1]["Host"] == f"[2606:2800:220:1::abcd]:{port}"


def test_every_hop_is_judged(site):
    port = int(site.rpartition(":")[2])
    here = ipaddress.ip_address("127.0.0.1")
    careful = Fetcher(allows=lambda one: one == here, ports=frozenset((80, port)))
    for place in ("http://127.0.0.2/", "http://169.254.169.254/latest", "http://10.0.0.1/"):
        with pytest.raises(BadImage, match="open net"):
            careful.fetch(f"{site}/to/{place}")
    with pytest.raises(BadImage, match="`https://` or `http://`"):
        careful.fetch(f"{site}/to/file:///etc/passwd")
    with pytest.raises(BadImage, match="port other than"):
        careful.fetch(f"{site}/to/http://127.0.0.1:22/")


def test_what_is_too_large_too_slow_or_not_there(site, trusting):
    with pytest.raises(BadImage, match="larger than"):
        trusting.fetch(f"{site}/big")
    began_s = time.monotonic()
    with pytest.raises(BadImage, match="does not answer as it should") as told:
        trusting.fetch(f"{site}/slow")
    assert time.monotonic() - began_s < 2, told
    with pytest.raises(BadImage, match="status 404"):
        trusting.fetch(f"{site}/gone")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        patient = Fetcher(limit_s=0.3, allows=lambda _: True, ports=frozenset((port,)))
        began_s = time.monotonic()
        with pytest.raises(BadImage, match="does not answer"):
            patient.fetch(f"http://127.0.0.1:{port}/")
        assert time.monotonic() - began_s < 1
    with pytest.raises(BadImage, match="does not answer"):
        patient.fetch(f"http://127.0.0.1:{port}/")


INSIDE = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://127.0.0.1./",
]


@pytest.mark.parametrize("url", INSIDE)
def test_no_address_inside_is_ever_connected_to(url, monkeypatch):
    def no_connection(*_: object, **__: object) -> None:
        raise AssertionError("it connected")

    monkeypatch.setattr(socket, "create_connection", no_connection)
    with pytest.raises(BadImage, match=r"open net|does not answer"):
        Fetcher().fetch(url)


def test_a_name_with_one_bad_address_is_refused_and_looked_up_once(monkeypatch):
    asked = []

    def look_up(host, port, **_: object):
        asked.append(host)
        return [(2, 1, 6, "", ("93.184.216.34", port)), (2, 1, 6, "", ("10.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(BadImage, match="open net"):
        Fetcher().fetch("https://rebind.example/a.png")
    assert asked == ["rebind.example"]


def test_the_connection_goes_to_the_address_that_was_judged(monkeypatch):
    went = []

    def connect(place, timeout):
        went.append((place, timeout <= 5))
        raise OSError("no net here")

    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("93.184.216.34", 443))]
    )
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(BadImage, match="does not answer"):
        Fetcher().fetch("https://good.example/a.png")
    assert went == [(("93.184.216.34", 443), True)]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.org/a.png", "must begin with"),
        ("http:///a.png", "must begin with"),
        ("http://user:pass@example.org/", "name or password"),
        ("http://user@example.org/", "name or password"),
        ("http://example.org:22/", "port other than"),
        ("http://example.org:99999/", "cannot be read"),
        ("http://[::1/", "cannot be read"),
        ("http://exa mple.org/", "does not answer"),
    ],
)
def test_addresses_of_a_wrong_form(url, words, monkeypatch):
    def nowhere(*_: object, **__: object) -> None:
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(BadImage, match=words):
        Fetcher().fetch(url)


def test_what_is_public():
    for address in ("93.184.216.34", "2606:2800:220:1::", "64:ff9b::5db8:d822", "8.8.8.8"):
        assert is_public(ipaddress.ip_address(address)), address
    for address in ("240.0.0.1", "192.0.2.1", "2001:db8::1", "2001:0:53aa:64c::1", "::"):
        assert not is_public(ipaddress.ip_address(address)), address


def test_addresses_are_found_where_pictures_stand():
    part = {"type": "image_url", "image_url": {"url": "HTTPS://a/b"}}
    bare = {"type": "input_image", "image_url": "http://c"}
    others = [
        "x",
        {"type": "text", "text": "http://d"},
        {"type": "image_url", "image_url": "data:,"},
    ]
    assert urls_in({"content": [part, bare, *others]}) == ["HTTPS://a/b", "http://c"]
    assert urls_in({"content": "http://a"}) == urls_in("http://a") == urls_in({}) == []


def asking(*urls: str) -> list[dict]:
    return [{"content": [{"type": "image_url", "image_url": url} for url in urls]}]


def test_what_is_fetched_counts_as_a_body(site, trusting):
    room = BodyRoom(10_000)
    visit = Visit(request_id="r", method="POST", path="/", bodies=room)
    fetching = PictureFetching(trusting)
    (message,) = asyncio.run(fetching.put_in(asking(f"{site}/a.png"), visit.take_body))
    assert room.num_bytes == len(message["content"][0]["image_url"]) > len(picture())
    visit.drop_body()
    room.take(9_990, 0)
    with pytest.raises(HttpFault, match="9,990 bytes are under way"):
        asyncio.run(PictureFetching(trusting).put_in(asking(f"{site}/a.png"), visit.take_body))
    assert room.num_bytes == 9_990


def test_slow_addresses_keep_only_their_own_request_waiting(site, trusting):
    fetching = PictureFetching(trusting)

    async def both() -> float:
        urls = [f"{site}/slow/{number}" for number in range(9)]
        slow = asyncio.ensure_future(fetching.put_in(asking(*urls), lambda _: None))
        await asyncio.sleep(0.2)
        began_s = time.monotonic()
        await fetching.put_in(asking(f"{site}/a.png"), lambda _: None)
        took_s = time.monotonic() - began_s
        with pytest.raises(BadImage):
            await slow
        return took_s

    num_seen = len(Site.seen)
    assert asyncio.run(both()) < 0.6
    assert len(Site.seen) - num_seen <= 5, "the others are not looked at once one has failed"
    fetching.pool.shutdown()
    assert len(Site.seen) - num_seen <= 5


def test_once_a_picture_has_failed_no_others_are_fetched(site, trusting):
    async def fail() -> None:
        urls = [f"{site}/gone", *(f"{site}/slow/{number}" for number in range(9))]
        with pytest.raises(BadImage, match="status 404"):
            await PictureFetching(trusting).put_in(asking(*urls), lambda _: None)
        await asyncio.sleep(1.3)  # those that run end after a second

    num_seen = len(Site.seen)
    asyncio.run(fail())
    assert len(Site.seen) - num_seen <= 3


def test_the_pictures_of_a_request_have_a_time_together(site, trusting):
    urls = [f"{site}/slow/{number}" for number in range(9)]
    fetching = PictureFetching(trusting, limit_s=0.2)
    with pytest.raises(BadImage, match=r"did not come within 0\.2 s"):
        asyncio.run(fetching.put_in(asking(*urls), lambda _: None))


def see(server, url, door="chat"):
    if door == "messages":
        part = {"type": "image", "source": {"type": "url", "url": url}}
        body = {"max_tokens": 4, "messages": [{"role": "user", "content": [part]}]}
        return server.post("/v1/messages", **body)
    if door == "responses":
        part = {"type": "input_image", "image_url": url}
        return server.post("/v1/responses", input=[{"role": "user", "content": [part]}])
    return server.chat([{"type": "image_url", "image_url": {"url": url}}], max_tokens=4)


def test_a_server_fetches_only_if_it_is_told_to(start, thinker, thinking_server, site, trusting):
    num_seen = len(Site.seen)
    refused = see(thinking_server, f"{site}/a.png")
    assert refused.status_code == 400 and refused.json()["error"]["code"] == "invalid_image"
    assert len(Site.seen) == num_seen
    with start(thinker, parts={"pictures": PictureFetching(trusting)}) as server:
        for door in ("chat", "messages", "responses"):
            assert see(server, f"{site}/a.png", door).status_code == 200, door
        assert len(Site.seen) == num_seen + 3
        for url, words in ((f"{site}/gone", "status 404"), (f"{site}/big", "larger than")):
            refused = see(server, url)
            assert refused.status_code == 400 and words in refused.json()["message"]
            assert refused.json()["error"]["code"] == "invalid_image"
    with start(thinker, parts={"pictures": PictureFetching()}) as server:
        refused = see(server, f"{site.replace('127.0.0.1', 'localhost')}/a.png")
        assert refused.status_code == 400
        refused = see(server, "http://localhost/a.png")
        assert refused.status_code == 400 and "open net" in refused.json()["message"]
        many = [
            {"type": "image_url", "image_url": f"http://localhost/{number}"} for number in range(17)
        ]
        assert "at most 16" in server.chat(many).json()["message"]
