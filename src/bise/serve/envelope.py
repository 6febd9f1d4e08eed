"""What every answer carries and every request must pass, whichever door it knocks at."""

import logging
import re
import time
from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bise.serve.dialect import dialect_of_call, split_path
from bise.serve.faults import HttpFault, answer_to
from bise.serve.metrics import Metrics

log = logging.getLogger(__name__)

REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
"""Ids we echo; others get one of ours."""

LOCAL_HOST = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)
"""How a client on this machine calls it."""


class Envelope:
    """Numbers requests, hears their dialect, and turns other sites' pages away."""

    def __init__(
        self,
        app: ASGIApp,
        model: str,
        metrics: Metrics,
        *,
        is_local: bool,
        allowed_origins: Sequence[str] = (),
    ):
        """is_local: only this machine reaches the server, and only under its own names."""
        self.app = app
        self.model = model
        self.metrics = metrics
        self.is_local = is_local
        self.allowed_origins = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        prefix, path = split_path(scope["path"])
        dialect = dialect_of_call(path, prefix, headers)
        state = {"request_id": request_id, "arrived_s": time.monotonic(), "dialect": dialect}
        scope = {**scope, "path": path, "state": {**scope.get("state", {}), **state}}

        has_begun = False

        async def named(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                out = MutableHeaders(scope=message)
                out["X-Request-ID"] = request_id
                out["X-Model"] = self.model
            await send(message)

        if self.is_foreign(headers):
            fault = HttpFault(403, "a page of another site may not use this server")
            answer = self.metrics.refuse(answer_to(fault, dialect))
            await answer.response(request_id)(scope, receive, named)
            return
        try:
            await self.app(scope, receive, named)
        except Exception as error:  # our bug; the server lives on
            log.exception("a request failed")
            if has_begun:
                raise
            answer = self.metrics.refuse(answer_to(error, dialect))
            await answer.response(request_id)(scope, receive, named)

    def is_foreign(self, headers: Headers) -> bool:
        """Whether a page of another site sent this, by what browsers say of themselves."""
        host, origin = headers.get("host"), headers.get("origin")
        if self.is_local and host is not None and not LOCAL_HOST.fullmatch(host):
            return True  # a name of somebody else's that leads here: DNS rebinding
        if origin is not None and origin in self.allowed_origins:
            return False
        if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return True
        return origin is not None and place_of(origin) != host


def place_of(origin: str) -> str | None:
    """Host and port of an origin; None if it cannot be read."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None
