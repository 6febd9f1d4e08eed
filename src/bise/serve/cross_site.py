"""Which requests come from pages of other sites, by what browsers say of themselves.

A page anywhere can make a browser post to a server on the same machine; it may not read the answer,
but the work would be done. Pages of origins the operator names may do both.
"""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers

LOCAL_HOST = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)
"""How a client on this machine calls it."""

PREFLIGHT_S = 600
"""How long a browser may remember what it was allowed."""


class CrossSite:
    """Judges where requests come from."""

    def __init__(self, *, is_local: bool, allowed_origins: Sequence[str] = ()):
        """is_local: only this machine reaches the server, and only under its own names."""
        self.is_local = is_local
        self.allowed_origins = frozenset(allowed_origins)

    def is_foreign(self, headers: Headers, *, is_page: bool) -> bool:
        """Whether a page of another site sent this. is_page: it asks for our own page"""
        host, origin = headers.get("host"), headers.get("origin")
        if self.is_local and host is not None and not LOCAL_HOST.fullmatch(host):
            return True  # a name of somebody else's that leads here: DNS rebinding
        if origin is not None and origin in self.allowed_origins:
            return False
        if is_page and headers.get("sec-fetch-mode") == "navigate":
            return False  # somebody followed a link to our page
        if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return True
        return origin is not None and place_of(origin) != host

    def permissions(self, headers: Headers) -> dict[str, str]:
        """What a browser has to read before it lets an allowed page see an answer."""
        origin = headers.get("origin")
        if origin is None or origin not in self.allowed_origins:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": "*",
            "Vary": "Origin",
        }

    def preflight(self, headers: Headers, method: str) -> dict[str, str] | None:
        """The answer to a browser that asks first; None if this is no such question."""
        allowed = self.permissions(headers)
        wanted = headers.get("access-control-request-method")
        if method != "OPTIONS" or wanted is None or not allowed:
            return None
        names = headers.get("access-control-request-headers", "")
        return allowed | {
            "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
            "Access-Control-Allow-Headers": names if names.isprintable() else "",
            "Access-Control-Max-Age": str(PREFLIGHT_S),
        }


def place_of(origin: str) -> str | None:
    """Host and port of an origin; None if it cannot be read."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None
