"""The process that listens: uvicorn with our connections, and a polite way to stop.

The first signal lets running requests end and refuses new ones; the second ends everything.
"""

import asyncio
import socket
from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn

from bise.serve.app import Guest, create_app
from bise.serve.connection import Connection
from bise.serve.served import Served

LAST_WORDS_S = 5.0
"""For broken off requests to be told so, and for connections to close."""


class HttpServer(uvicorn.Server):
    """Serves until it is told to stop."""

    def __init__(
        self,
        served: Served,
        *,
        allowed_origins: Sequence[str] = (),
        guests: Sequence[Guest] = (),
        **options: Any,
    ):
        """options: of `uvicorn.Config`, such as `port` or a certificate."""
        app = create_app(served, allowed_origins=allowed_origins, guests=guests)
        protocol: Any = partial(Connection, served.limits, app.state.metrics)
        config = uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            h11_max_incomplete_event_size=served.limits.headers_bytes,
            timeout_graceful_shutdown=int(LAST_WORDS_S),
            **options,
        )
        super().__init__(config)
        self.served = served
        self._cut: asyncio.Future[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. A TLS handshake gets as long as headers do: nothing else watches it."""
        config = self.config
        if config.ssl is None:
            await super().startup(sockets)
            return
        make = partial(
            config.http_protocol_class,
            config=config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        places = [{"sock": one} for one in sockets or ()]
        self.servers = [
            await asyncio.get_running_loop().create_server(
                cast(Any, make),
                **cast(dict[str, Any], place),
                ssl=config.ssl,
                backlog=config.backlog,
                ssl_handshake_timeout=self.served.limits.headers_s,
            )
            for place in places or [{"host": config.host, "port": config.port}]
        ]
        self.started = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """A signal: begin to stop; if that has begun, end at once."""
        if self.served.drain.has_begun:
            self.should_exit = self.force_exit = True
        self.served.drain.begin()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to leave."""
        is_over = await super().on_tick(counter)
        drain = self.served.drain
        if is_over or not drain.has_begun:
            return is_over
        if not self.server_state.tasks:
            return True
        if drain.left_s > 0:
            return False
        if self._cut is None:  # streams are told by the engine, and tell their clients
            close = self.served.talker.close
            self._cut = asyncio.get_running_loop().run_in_executor(None, close)
        return drain.overdue_s > LAST_WORDS_S
