"""The real server over a scripted engine, with Small 4's shape, words and length of context."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.clients.script import Obedient

from bise.engine import Bounds, Engine, ScriptedCore
from bise.model import preset
from bise.serve import HttpServer, Manners, Served, Talker
from bise.serve.loading import vocabulary_of
from bise.text import ChatFormat, Tekken

MODEL = "mistral-small-2603"
CONTEXT = 262_144


def served_script(**manners: bool) -> Served:
    """Everything but weights."""
    tekken = Tekken.official()
    config = replace(preset("small4"), max_positions=CONTEXT)
    bounds = Bounds.of(config, CONTEXT, takes_grammars=True)
    engine = Engine(ScriptedCore(Obedient(tekken), bounds))
    talker = Talker(engine, ChatFormat(tekken), config=config, bounds=bounds)
    assert vocabulary_of(tekken).size == config.vocab_size, "the words of another model"
    return Served(
        talker=talker,
        names=(MODEL, "mistral-small-latest"),
        fingerprint="bise-scripted",
        dtype="bfloat16",
        manners=Manners(**manners),
    )


@dataclass
class Scripted:
    """A server that runs, and what it was seen to send."""

    url: str = ""
    media_types: list[str] = field(default_factory=list[str])
    """Of all answers so far."""

    def watch(self, app: Any) -> Any:
        """The application, with an eye on its answers."""

        async def watched(scope: Any, receive: Any, send: Any) -> None:
            async def seen(message: Any) -> None:
                headers = dict(message.get("headers", ()))
                if b"content-type" in headers:
                    self.media_types.append(headers[b"content-type"].decode())
                await send(message)

            await app(scope, receive, seen)

        return watched


@contextmanager
def scripted_server(port: int = 0, **manners: bool) -> Iterator[Scripted]:
    """Serve on this machine while it is needed."""
    served, scripted = served_script(**manners), Scripted()
    server = HttpServer(served, port=port)
    server.config.app = scripted.watch(server.config.app)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        scripted.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield scripted
    finally:
        server.should_exit = True
        thread.join(20)
        served.talker.close()
