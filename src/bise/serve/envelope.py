"""What every answer carries and every request must pass, whichever door it knocks at."""

import asyncio
import logging
import re
from collections.abc import Sequence
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bise.errors import UserError
from bise.serve.cross_site import CrossSite
from bise.serve.dialect import Dialect, dialect_of_call, split_path
from bise.serve.events import CLIENT_CLOSED
from bise.serve.faults import HttpFault, answer_to
from bise.serve.metrics import Metrics
from bise.serve.served import Served
from bise.serve.trace_context import read_context
from bise.serve.visit import Visit

log = logging.getLogger(__name__)

REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
"""Ids we echo; others get one of ours."""

KEYLESS = frozenset(("/health", "/v1/health/live", "/v1/health/ready"))
"""What asks nobody for a key,"""

PAGES = frozenset(("/", "/prove"))
PAGE_FILES = ("/assets/", "/favicon", "/prove/")
"""besides pages and what belongs to them: they have to be there to ask for one."""


class Envelope:
    """Numbers requests, hears their dialect, and turns away who may not enter."""

    def __init__(
        self,
        app: ASGIApp,
        served: Served,
        metrics: Metrics,
        *,
        allowed_origins: Sequence[str] = (),
    ):
        self.app = app
        self.served = served
        self.metrics = metrics
        self.sites = CrossSite(is_local=served.manners.is_local, allowed_origins=allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        prefix, path = split_path(scope["path"])
        visit = self.visit_of(scope, headers, path)
        dialect = dialect_of_call(path, prefix, headers)
        state = {
            "request_id": visit.request_id,
            "arrived_s": visit.arrived_s,
            "dialect": dialect,
            "visit": visit,
        }
        scope = {**scope, "path": path, "state": {**scope.get("state", {}), **state}}

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                visit.status = message["status"]
                MutableHeaders(scope=message).update(self.headers_of(visit, headers))
            await send(message)

        try:
            await self.enter(scope, receive, named, headers, visit)
        finally:
            await self.leave(visit, scope["state"]["dialect"])

    async def enter(
        self, scope: Scope, receive: Receive, send: Send, headers: Headers, visit: Visit
    ) -> None:
        """Let a request in, and answer for whatever nobody inside has an answer for."""
        try:
            allowed = self.sites.preflight(headers, visit.method)
            if allowed is not None:
                await Response(status_code=204, headers=allowed)(scope, receive, send)
                return
            self.check(headers, visit)
            await self.app(scope, receive, send)
        except Exception as error:
            if not isinstance(error, UserError):  # our bug; the server lives on
                log.exception("a request failed")
            if visit.status:
                raise
            answer = answer_to(error, scope["state"]["dialect"])
            response = self.metrics.refuse(answer, visit).response(visit.request_id)
            await response(scope, receive, send)

    def check(self, headers: Headers, visit: Visit) -> None:
        """Turn away who may not enter, before anything of the body is read."""
        limit = self.served.limits.headers_bytes
        size_bytes = sum(len(name) + len(value) + 4 for name, value in headers.raw)
        if size_bytes + len(visit.path) > limit:
            raise HttpFault(431, f"the headers are larger than {limit:,} bytes")
        is_page = is_open(visit.path) and visit.method in ("GET", "HEAD")
        if self.sites.is_foreign(headers, is_page=is_page):
            raise HttpFault(403, "a page of another site may not use this server")
        self.served.drain.refuse(visit.path)
        is_keyless = visit.path in KEYLESS or visit.method == "OPTIONS" or is_page
        if self.served.ring.is_open or is_keyless:
            return
        key = self.served.ring.find(headers)
        if key is None:
            raise no_key(headers)
        visit.account = self.served.ledger.account(key)
        if visit.method == "POST" and not visit.path.endswith("/stop_thinking"):
            visit.account.enter(visit.arrived_s)
            visit.has_entered = True

    def visit_of(self, scope: Scope, headers: Headers, path: str) -> Visit:
        """What there is to know of a request when it comes."""
        given = headers.get("x-request-id", "")
        client = scope.get("client")
        access_log = self.served.access_log
        return Visit(
            request_id=given if REQUEST_ID.fullmatch(given) else uuid4().hex,
            method=scope["method"],
            path=path,
            client=client[0] if client else "",
            trace=read_context(headers.get("traceparent", ""), headers.get("tracestate", "")),
            bodies=self.served.bodies,
            keeps_ids=access_log is not None and access_log.keeps_ids,
        )

    def headers_of(self, visit: Visit, headers: Headers) -> dict[str, str]:
        """What every answer carries."""
        found = {"X-Request-ID": visit.request_id, "X-Model": self.served.name}
        if visit.trace is not None:
            found["traceparent"] = visit.trace.traceparent
        if visit.account is not None:
            found |= visit.account.headers()
        return found | self.sites.permissions(headers)

    async def leave(self, visit: Visit, dialect: Dialect | None) -> None:
        """Count, log and trace a request that has ended."""
        served = self.served
        visit.status = visit.status or CLIENT_CLOSED
        visit.leave_backlog()
        visit.drop_body()
        if visit.account is not None:
            if visit.has_entered:
                visit.account.leave()
            served.ledger.note()
        if served.access_log is not None:
            tekken = served.talker.chat.tekken
            served.access_log.tell(visit, served.name, dialect or "openai", tekken)
        if served.tracer is not None:
            served.tracer.tell(visit, served.name)
        if served.ledger.is_due():
            await asyncio.to_thread(served.ledger.write, served.ledger.page())


def is_open(path: str) -> bool:
    """Whether a path is a page's, which everybody may load."""
    return path in PAGES or path.startswith(PAGE_FILES)


def no_key(headers: Headers) -> HttpFault:
    """What is said to who comes without a key, or with one that nobody knows."""
    has_one = any(name in headers for name in ("authorization", "x-api-key", "api-key"))
    words = "this key is not known here" if has_one else "this server wants a key"
    return HttpFault(
        401,
        words,
        hint="send it as `Authorization: Bearer KEY`, or as `x-api-key`",
        headers={"WWW-Authenticate": "Bearer"},
    )
