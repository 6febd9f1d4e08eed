"""One client's connection: uvicorn's protocol, with a clock on everything a client can be slow at.

Answers from here are for requests that never became one; what they say is said as the doors say it.
"""

import asyncio
import socket
import sys
from typing import Any, cast
from uuid import uuid4

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from bise.serve.corked import Corked
from bise.serve.faults import HttpFault, answer_to
from bise.serve.limits import Limits
from bise.serve.metrics import Metrics

LINGER_S = 2.0
"""How long a refused body may go on coming, so that its sender gets to read why."""

SEND_BUFFER_BYTES = 256 * 1024
"""Of the system, for each connection: without a bound it holds megabytes nobody reads."""


class Connection(H11Protocol):
    """Cuts off who sends headers slowly, does not read, or sends on what was refused."""

    def __init__(self, limits: Limits, metrics: Metrics, **given: Any):
        super().__init__(**given)
        self.limits = limits
        self.metrics = metrics
        self._head_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(Corked(cast(asyncio.Transport, transport), self.loop))
        opened = transport.get_extra_info("socket")
        if opened is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if len(self.connections) > self.limits.connections:
            self.refuse(HttpFault(503, f"{self.limits.connections} clients are connected already"))
            return
        self._mind_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_timer = stopped(self._head_timer)
        self._unread_timer = stopped(self._unread_timer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._mind_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self.limits.unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        self._unread_timer = stopped(self._unread_timer)
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._bound_closing()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._bound_closing()
        elif self.conn.their_state is h11.SEND_BODY:
            self.loop.call_later(LINGER_S, self._end_lingering, self.cycle)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """What uvicorn calls for requests that are none."""
        error = sys.exc_info()[1]
        if getattr(error, "error_status_hint", 400) == 431:
            words = f"the headers are larger than {self.limits.headers_bytes:,} bytes"
            self.refuse(HttpFault(431, words))
        else:
            self.refuse(HttpFault(400, "this is no HTTP/1.1 request"))

    def refuse(self, fault: HttpFault) -> None:
        """Answer and close. If an answer was begun already, only close."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # whoever serves it notices, and cleans up
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.abort()
                return
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # all is said
            self._close()
            return
        answer = answer_to(fault)
        self.metrics.count_refusal(answer)
        request_id = uuid4().hex
        response = answer.response(request_id)
        response.headers.update(
            {"X-Request-ID": request_id, "X-Model": self.metrics.model_name, "Connection": "close"}
        )
        head = h11.Response(status_code=fault.status, headers=response.raw_headers)
        is_head = self.conn.our_state is h11.SEND_RESPONSE and self.scope["method"] == "HEAD"
        body = b"" if is_head else bytes(response.body)
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self._close()

    def _close(self) -> None:
        self.transport.close()
        self._bound_closing()

    def _bound_closing(self) -> None:
        """A connection closes once all is read: not for ever, if nobody reads."""
        if self.transport.get_write_buffer_size():
            self.loop.call_later(self.limits.unread_s, self.transport.abort)

    def _mind_head(self) -> None:
        """Watch the time while the headers of a request are not there yet."""
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._head_timer = stopped(self._head_timer)
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.limits.headers_s, self._end_slow_head)

    def _end_slow_head(self) -> None:
        self._head_timer = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            words = f"the headers were not there after {self.limits.headers_s:g} s"
            self.refuse(HttpFault(408, words))

    def _end_lingering(self, cycle: object) -> None:
        if self.cycle is cycle and self.conn.their_state is h11.SEND_BODY:
            self._close()


def stopped(timer: asyncio.TimerHandle | None) -> None:
    """Stop a timer, if there is one."""
    if timer is not None:
        timer.cancel()
