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


class Envelope:
    """Numbers requests, hears their dialect, and turns other sites' pages away."""

    def __init__(
        self, app: ASGIApp, model: str, metrics: Metrics, allowed_origins: Sequence[str] = ()
    ):
        self.app = app
        self.model = model
        self.metrics = metrics
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
        origin = headers.get("origin")
        if origin is not None and origin in self.allowed_origins:
            return False
        if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return True
        return origin is not None and urlsplit(origin).netloc != headers.get("host")
