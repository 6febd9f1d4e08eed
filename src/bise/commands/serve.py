"""`bise serve`: the HTTP server, with one screen that says all it will ever say."""

import ipaddress
import signal
import socket
from dataclasses import replace

import uvicorn
from rich.table import Table
from rich.text import Text

from bise.commands.show import err, waiting
from bise.engine import Engine, EngineConfig, SupervisedEngine
from bise.errors import UserError
from bise.serve import Manners, create_app, load_model, open_model, serve_model
from bise.serve.served import Served

HEADERS_BYTES = 64 * 1024


def run_server(
    name: str,
    *,
    host: str,
    port: int,
    names: list[str],
    dtype: str | None,
    eagle: str | None,
    engine: EngineConfig,
    manners: Manners,
    has_no_auth: bool,
    is_in_process: bool,
) -> None:
    """Open a model and serve it until somebody says stop.

    is_in_process: compute in this process, where a crash ends the server too.
    """
    if not is_loopback(host) and not has_no_auth:
        raise UserError(
            f"`{host}` can be reached from other machines, and this server asks nobody for a key",
            hint="bind to 127.0.0.1, or pass `--no-auth` if that is what you want",
        )
    listener = listen(host, port)
    with listener:
        with waiting(f"reading {name}"):
            if is_in_process:
                model = load_model(name, dtype, eagle, engine)
            else:
                model = open_model(name, dtype, eagle, engine)
            manners = replace(manners, is_local=is_loopback(host))
            served = serve_model(model, names=names, config=engine, manners=manners)
        try:
            address = (host, listener.getsockname()[1])
            show_start(served, model.folder.name, model.dtype, engine.max_running, address)
            config = uvicorn.Config(
                create_app(served),
                log_level="warning",
                access_log=False,
                http="h11",  # the limit of headers below is its
                h11_max_incomplete_event_size=HEADERS_BYTES,
                timeout_graceful_shutdown=30,
            )
            leave_quietly()
            run_until_lost(uvicorn.Server(config), served.talker.engine, listener)
        finally:
            served.talker.close()


def run_until_lost(
    server: uvicorn.Server, engine: Engine | SupervisedEngine, listener: socket.socket
) -> None:
    """Serve; an engine that is not coming back ends the server, and is what went wrong."""

    def leave() -> None:
        server.should_exit = True

    if isinstance(engine, SupervisedEngine):
        engine.call_when_lost(leave)
    server.run(sockets=[listener])
    if isinstance(engine, SupervisedEngine) and engine.lost is not None:
        raise UserError(engine.lost.message)


def leave_quietly() -> None:
    """Ctrl-C and a polite kill end the server with status 0, once running replies are done.

    uvicorn minds these signals while it runs, and raises them again after its shutdown.
    """

    def ignore(number: int, frame: object) -> None:
        pass

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ignore)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """Take the port before minutes are spent on weights."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        raise UserError(
            f"cannot listen on {host} port {port}: {reason}", hint="try another `--port`"
        ) from None


def show_start(
    served: Served, folder: str, dtype: str, max_running: int, address: tuple[str, int]
) -> None:
    """What is served, and how to reach it."""
    host, port = address
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    question = '{"messages": [{"role": "user", "content": "What is 17+25?"}]}'
    rows = {
        "model": ", ".join(served.names),
        "weights": f"{folder}, computed in {dtype}",
        "context": f"{served.max_positions:,} tokens",
        "at once": f"{max_running} replies, more wait",
        "base URL": f"{url}/v1",
        "try": f"curl {url}/v1/chat/completions -H 'Content-Type: application/json' "
        f"-d '{question}'",
        "stop": "Ctrl-C",
    }
    table = Table.grid(padding=(0, 2))
    for name, text in rows.items():
        table.add_row(Text(name, style="dim"), Text(text, overflow="fold"))
    console = err()
    console.print(Text.assemble(("bise", "bold"), " is serving"))
    console.print(table, soft_wrap=False)
