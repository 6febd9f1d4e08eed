"""`bise serve`: the HTTP server, with one screen that says all it will ever say."""

import ipaddress
import logging
import signal
import socket
import ssl
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.table import Table
from rich.text import Text

from bise.commands.logs import begin_logging
from bise.commands.show import err, loading_bar
from bise.engine import EngineConfig, SupervisedEngine, freeze_heap
from bise.errors import UserError
from bise.model.memory import available_memory_bytes
from bise.serve import (
    AccessLog,
    Drain,
    HttpServer,
    Judging,
    Key,
    KeyRing,
    Ledger,
    Limits,
    Manners,
    OtelTracer,
    PictureFetching,
    Served,
    Talker,
    digest_of,
    load_model,
    open_model,
    serve_model,
    usage_file,
    with_sizes,
    within,
)
from bise.settings import ServeSettings
from bise.sources import Effective

if TYPE_CHECKING:
    from bise.prove.door import Proving

log = logging.getLogger(__name__)

MIB, GIB = 2**20, 2**30


def run_server(effective: Effective) -> None:
    """Open a model and serve it until somebody says stop."""
    settings = effective.settings
    ring = ring_of(settings)
    if not is_loopback(settings.host) and ring.is_open and not settings.no_auth:
        raise UserError(
            f"`{settings.host}` can be reached from other machines, and this server asks nobody "
            "for a key",
            hint="make keys with `bise keys add`, or pass `--no-auth` if that is what you want",
        )
    begin_logging(settings.log_level, as_json=settings.json_logs)
    tls = tls_of(settings)
    with listen(settings.host, settings.port) as listener:
        served = make_served(settings, ring)
        proving = proving_of(served, settings.searches)
        guests = [] if proving is None else [proving.add_to]
        server = HttpServer(served, allowed_origins=settings.allow_origin, guests=guests, **tls)
        try:
            show_start(served, effective, listener.getsockname()[1])
            leave_quietly()
            run_until_lost(server, listener)
        finally:
            if proving is not None:
                proving.close()
            close(served)


def proving_of(served: Served, searches: str) -> "Proving | None":
    """The prover, where there is a judge: nobody is told that something is proved without one.

    searches: the folder that keeps them. Raises `UserError` if it cannot; beside the installed
    Lean another server may have been first, and then they are kept in memory.
    """
    if served.judging is None:
        return None
    from bise.judge import lean_home
    from bise.prove.door import Proving
    from bise.prove.hosted import Bench
    from bise.prove.shelf import Shelf

    shelf = None
    try:
        shelf = Shelf(Path(searches) if searches else lean_home() / "searches")
    except UserError as fault:
        if searches:
            raise
        log.warning("searches end with this server: %s", fault.message)
    return Proving(Bench(judging=served.judging), shelf=shelf)


def make_served(settings: ServeSettings, ring: KeyRing) -> Served:
    """The model, and everything its server needs to know."""
    access_log = None
    if settings.access_log:
        access_log = AccessLog(settings.access_log, keeps_ids=settings.log_prompts)
    tracer = OtelTracer(settings.otel_service_name) if settings.otel else None
    engine, eagle, dtype = engine_of(settings), settings.eagle or None, settings.dtype or None
    with loading_bar(f"reading {settings.model}") as progress:
        if settings.in_process:
            model = load_model(settings.model, dtype, eagle, engine, progress)
        else:
            model = open_model(settings.model, dtype, eagle, engine)
        served = serve_model(
            model,
            names=settings.served_model_name,
            config=engine,
            manners=manners_of(settings),
            progress=progress,
        )
    limits = limits_of(settings)
    adjust(served.talker, settings, limits)
    return replace(
        within(served, limits),
        ring=ring,
        ledger=Ledger(usage_file(ring.file) if ring.file is not None else None),
        pictures=PictureFetching(max_images=limits.images) if settings.allow_image_urls else None,
        judging=Judging() if settings.judge else None,
        drain=Drain(settings.drain_timeout),
        access_log=access_log,
        tracer=tracer,
    )


def adjust(talker: Talker, settings: ServeSettings, limits: Limits) -> None:
    """The settings that are a talker's, and its engine's."""
    engine = talker.engine
    engine.max_waiting = settings.max_waiting
    if isinstance(engine, SupervisedEngine):
        engine.patience = replace(engine.patience, hang_s=limits.step_s)
    if settings.max_model_len:
        talker.limit(settings.max_model_len)
    if settings.default_effort:
        talker.think_by_default(settings.default_effort)


def engine_of(settings: ServeSettings) -> EngineConfig:
    """The settings that are the engine's."""
    return EngineConfig(
        max_running=settings.max_running,
        is_exact=settings.deterministic,
        cache_kind=cast(Any, settings.cache),
        spill_bytes=int(settings.spill_gib * GIB),
        backend=cast(Any, settings.backend),
        weights=cast(Any, settings.weights),
        memory_bytes=int(settings.memory_gib * GIB),
        shares_prefixes=settings.prefix_cache,
    )


def manners_of(settings: ServeSettings) -> Manners:
    return Manners(
        default_dialect=cast(Any, settings.default_dialect),
        thinking_field=settings.thinking_field,
        has_effort_budgets=settings.effort_budgets,
        is_strict=settings.strict,
        accepts_any_model=settings.accept_any_model,
        is_local=is_loopback(settings.host),
        request_s=settings.request_timeout,
        queue_s=settings.queue_timeout,
    )


def limits_of(settings: ServeSettings) -> Limits:
    limits = Limits(
        body_bytes=settings.max_body_mib * MIB,
        connections=settings.max_connections,
        priority=settings.client_priority,
    )
    return with_sizes(limits, settings.limit)


def ring_of(settings: ServeSettings) -> KeyRing:
    """Who may ask. A key that is in no file has no limits."""
    fixed: list[Key] = []
    if settings.api_key:
        fixed.append(Key(name="api-key", digest=digest_of(settings.api_key), may_verify=True))
    return KeyRing(Path(settings.keys) if settings.keys else None, fixed)


def tls_of(settings: ServeSettings) -> dict[str, Any]:
    """The certificate, as uvicorn wants it; read here once, so that a wrong one is one line."""
    if not settings.tls_cert:
        return {}
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            settings.tls_cert, settings.tls_key
        )
    except (OSError, ssl.SSLError) as fault:
        raise UserError(
            f"`{settings.tls_cert}` and `{settings.tls_key}` are no certificate and key: "
            f"{(fault.strerror or str(fault)).lower()}",
            hint="name PEM files with `tls_cert` and `tls_key`",
        ) from None
    files = {"ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key}
    if not settings.tls_client_ca:
        return files
    asked = {"ssl_ca_certs": settings.tls_client_ca, "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return {**files, **asked}


def run_until_lost(server: HttpServer, listener: socket.socket) -> None:
    """Serve; an engine that is not coming back ends the server, and is what went wrong."""
    engine = server.served.talker.engine

    def leave() -> None:
        server.should_exit = True

    if isinstance(engine, SupervisedEngine):
        engine.call_when_lost(leave)
    freeze_heap()
    server.run(sockets=[listener])
    if isinstance(engine, SupervisedEngine) and engine.lost is not None:
        raise UserError(engine.lost.message)


def close(served: Served) -> None:
    """Give everything back, and write down what is to be kept."""
    served.talker.close()
    served.ledger.close()
    if served.tracer is not None:
        served.tracer.close()
    if served.access_log is not None:
        served.access_log.close()


def leave_quietly() -> None:
    """Ctrl-C and a polite kill end the server with status 0, once running replies are done.

    The server minds these signals while it runs. After that they are ignored, so that what is left
    to write down is written.
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


def show_start(served: Served, effective: Effective, port: int) -> None:
    """What is served, and how to reach it."""
    settings = effective.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"{'https' if settings.tls_cert else 'http'}://{host}:{port}"
    cache_bytes = served.talker.engine.stats().cache_bytes
    rows = {
        "model": ", ".join(served.names),
        "weights": f"{Path(settings.model).name}, computed in {served.dtype}",
        "context": f"{served.max_positions:,} tokens",
        "memory": f"{cache_bytes / MIB:,.0f} MiB for conversations, "
        f"{available_memory_bytes() / GIB:,.1f} GiB of the machine left",
        "at once": f"{settings.max_running} replies, {settings.max_waiting} more wait",
        "keys": keys_line(served.ring),
        "base URL": f"{url}/v1",
        "settings": ", ".join(
            f"{name} {effective.shown(name)} ({source})"
            for name, source in effective.sources.items()
            if source != "default"
        ),
        "try": try_line(url, served.ring),
        "stop": "Ctrl-C",
    }
    table = Table.grid(padding=(0, 2))
    for name, text in rows.items():
        if text:
            table.add_row(Text(name, style="dim"), Text(text, overflow="fold"))
    console = err()
    for warning in effective.warnings:
        console.print(Text.assemble(("warning:", "bold yellow"), f" {warning}"))
    console.print(Text.assemble(("bise", "bold"), " is serving"))
    console.print(table, soft_wrap=False)


def keys_line(ring: KeyRing) -> str:
    """Who may ask."""
    if ring.is_open:
        return "none asked for: whoever reaches this address may ask"
    where = f", in {ring.file}" if ring.file is not None else ""
    return f"{len(ring.keys)}{where}"


def try_line(url: str, ring: KeyRing) -> str:
    """A command that shows it works."""
    question = '{"messages": [{"role": "user", "content": "What is 17+25?"}]}'
    key = "" if ring.is_open else ' -H "Authorization: Bearer $KEY"'
    kind = "-H 'Content-Type: application/json'"
    return f"curl {url}/v1/chat/completions{key} {kind} -d '{question}'"
