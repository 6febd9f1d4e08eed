"""Fetches pictures by their addresses, where the operator allows it, and only from the open net.

An address from a stranger may lead to this machine, its neighbours, or a cloud's keys. So a name is
looked up once, every address it has is judged, and the connection goes to the one that was judged.
"""

import http.client
import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import SplitResult, urljoin, urlsplit

from bise.errors import BadImage

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS = {"http": 80, "https": 443}
"""The schemes, and the only port of each."""

REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 3
CHUNK_BYTES = 64 * 1024
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses that stand for the IPv4 address in their last 32 bits."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Gets pictures. Slow; call it in a thread."""

    limit_bytes: int = 20 * 2**20
    limit_s: float = 5.0
    """For everything: looking up, redirects, and the last byte."""

    allows: Callable[[Address], bool] | None = None
    """Judges addresses instead of `is_public`; tests have nothing but their own machine."""

    ports: frozenset[int] = frozenset(PORTS.values())

    def fetch(self, url: str) -> bytes:
        """The bytes at an address, or a `BadImage` that says nothing of what is there."""
        ends_s = time.monotonic() + self.limit_s
        for _ in range(MAX_REDIRECTS + 1):
            place = self.judge(url)
            try:
                answer = self.ask(place, ends_s)
                if isinstance(answer, bytes):
                    return answer
                url = urljoin(url, answer)
            except BadImage:
                raise
            except (OSError, http.client.HTTPException, ValueError):
                raise BadImage(
                    "the image's address does not answer as it should",
                    hint="send the image itself, as `data:image/png;base64,...`",
                ) from None
        raise BadImage(f"the image's address leads on more than {MAX_REDIRECTS} times")

    def judge(self, url: str) -> SplitResult:
        """Refuse an address whose form alone is wrong."""
        try:
            place = urlsplit(url)
            port = place.port
        except ValueError:
            raise BadImage("the image's address cannot be read") from None
        if place.scheme not in PORTS or not place.hostname:
            raise BadImage("the image's address must begin with `https://` or `http://` and a host")
        if place.username is not None or place.password is not None:
            raise BadImage("the image's address has a name or password in it")
        if (port or PORTS[place.scheme]) not in self.ports:
            raise BadImage("the image's address has a port other than 80 or 443")
        return place

    def ask(self, place: SplitResult, ends_s: float) -> bytes | str:
        """The picture, or where it has gone."""
        assert place.hostname is not None, "judged before"
        port = place.port or PORTS[place.scheme]
        address = self.look_up(place.hostname, port)
        stream = socket.create_connection((address, port), timeout=left_s(ends_s))
        with cut_after(stream, left_s(ends_s)):
            try:
                if place.scheme == "https":
                    context = ssl.create_default_context()
                    stream = context.wrap_socket(stream, server_hostname=place.hostname)
                answer = self.talk(stream, place)
                left_s(ends_s)  # a connection that was cut looks like one that ended
                return answer
            finally:
                stream.close()

    def look_up(self, host: str, port: int) -> str:
        """The address to connect to; refused if any address of the name is not public."""
        judge = self.allows or is_public
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(one[4][0]) for one in found]
        if not addresses or not all(judge(ipaddress.ip_address(one)) for one in addresses):
            raise BadImage("the image's address does not lead to the open net")
        return addresses[0]

    def talk(self, stream: socket.socket, place: SplitResult) -> bytes | str:
        """One request over a connection that stands."""
        assert place.hostname is not None, "judged before"
        port = place.port or PORTS[place.scheme]  # without one, it would look for it in the name
        line = http.client.HTTPConnection(place.hostname, port)
        line.sock = stream
        path = (place.path or "/") + (f"?{place.query}" if place.query else "")
        headers = {"Host": place.netloc, "Accept": "image/*", "User-Agent": "bise"}
        line.request("GET", path, headers=headers)
        with line.getresponse() as answer:  # it holds the connection, however much was read
            if answer.status in REDIRECTS:
                return answer.getheader("Location") or ""
            if answer.status != 200:
                raise BadImage(f"the image's address answers with status {answer.status}")
            gathered = bytearray()
            while chunk := answer.read1(CHUNK_BYTES):
                gathered += chunk
                if len(gathered) > self.limit_bytes:
                    limit_mib = self.limit_bytes / 2**20
                    raise BadImage(f"the image file is larger than {limit_mib:g} MiB")
            return bytes(gathered)


@contextmanager
def cut_after(stream: socket.socket, limit_s: float) -> Iterator[None]:
    """Cut a connection when its time is over, however busy it keeps us byte by byte."""
    twin = socket.socket(fileno=os.dup(stream.fileno()))

    def cut() -> None:
        with suppress(OSError):  # the other side was quicker
            twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(limit_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        twin.close()


def left_s(ends_s: float) -> float:
    """Seconds that are left; there have to be some."""
    left = ends_s - time.monotonic()
    if left <= 0:
        raise TimeoutError("no time is left")
    return left


def is_public(address: Address) -> bool:
    """Whether an address is one of the open net, however it is written."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved
