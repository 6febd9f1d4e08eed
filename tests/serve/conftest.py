"""A real server on a real socket, around models that say what we like."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bise.engine import EngineConfig
from bise.serve import HttpServer, Limits, Manners, Served, load_model, serve_model
from bise.text import Tekken


@dataclass(frozen=True)
class Running:
    """A server that runs, and a client that talks to it."""

    served: Served
    client: httpx.Client
    port: int
    http: HttpServer
    thread: threading.Thread

    def chat(self, content: Any = "hi", **fields: Any) -> httpx.Response:
        body = {"messages": [{"role": "user", "content": content}], "temperature": 0, **fields}
        return self.client.post("/v1/chat/completions", json=body)

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.client.post(path, json=body)

    def wait_until(self, claim: Callable[[Any], bool], timeout_s: float = 10.0) -> None:
        ends = time.monotonic() + timeout_s
        while not claim(self.served.talker.engine.stats()):
            assert time.monotonic() < ends, self.served.talker.engine.stats()
            time.sleep(0.01)


@contextmanager
def running(
    folder: Path,
    limits: Limits | None = None,
    max_running: int = 4,
    config: EngineConfig | None = None,
    parts: Mapping[str, Any] | None = None,
    allowed_origins: Sequence[str] = (),
    tls: Mapping[str, Any] | None = None,
    guests: Sequence[Any] = (),
    **manners: Any,
) -> Iterator[Running]:
    """A server while it is needed.

    config: of the engine, instead of `max_running`; parts: other fields of `Served`; tls: options
    of uvicorn's
    """
    model = load_model(folder, "float32")
    served = serve_model(
        model,
        names=["tiny", "tiny-latest"],
        config=config or EngineConfig(max_running=max_running),
    )
    served = replace(
        served, limits=limits or served.limits, manners=Manners(**manners), **(parts or {})
    )
    server = HttpServer(
        served, allowed_origins=allowed_origins, guests=guests, port=0, **(tls or {})
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        fresh = httpx.Limits(keepalive_expiry=2)  # the server closes idle ones after 5 s
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=30, limits=fresh) as client:
            yield Running(served, client, port, server, thread)
    finally:
        server.should_exit = True
        thread.join(20)
        served.talker.close()


@pytest.fixture(scope="session")
def start() -> Callable[..., Any]:
    return running


@pytest.fixture(scope="session")
def thinking_server(thinker: Path) -> Iterator[Running]:
    with running(thinker) as server:
        yield server


@pytest.fixture(scope="session")
def calling_server(caller: Path) -> Iterator[Running]:
    with running(caller) as server:
        yield server


@pytest.fixture(scope="session")
def deliberate_server(
    say: Callable[..., Any],
    scripted: Callable[..., Any],
    folder_of: Callable[..., Path],
    tekken: Tekken,
) -> Iterator[Running]:
    """Thinks `12` and then calls `add` with `{ }`, without a word."""
    special = tekken.special
    thought = (special.think, "12", special.end_think)
    script = say(*thought, special.calls, "add", special.args, "{ }")
    with running(folder_of(scripted(script), "deliberate")) as server:
        yield server


@pytest.fixture(scope="session")
def endless_server(chatterbox: Path) -> Iterator[Running]:
    with running(chatterbox) as server:
        yield server


@pytest.fixture(scope="session")
def random_server(random_folder: Path) -> Iterator[Running]:
    with running(random_folder) as server:
        yield server
