"""`bise top`: a running server's numbers, looked at once a second, live in a terminal."""

import time
from contextlib import suppress
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from rich.console import Console
from rich.live import Live

from bise.commands.panel import Panel
from bise.commands.readings import Reading, read
from bise.errors import UserError

POLL_S = 1.0
TIMEOUT_S = 3.0
MAX_BYTES = 16 * 2**20


def run_top(url: str, *, api_key: str | None, is_once: bool) -> None:
    """Show a server's numbers until Ctrl-C; or once, where there is no terminal or if so asked."""
    source = Source(url, api_key)
    console = Console(highlight=False, emoji=False)
    if is_once or not console.is_terminal or console.is_dumb_terminal:
        panel = Panel(source.base)
        panel.history.add(source.read())
        time.sleep(POLL_S)  # speeds are differences
        panel.history.add(source.read())
        console.print(panel)
        return
    with suppress(KeyboardInterrupt):
        watch(source, console)


def watch(source: "Source", console: Console) -> None:
    """Look once a second, and keep trying while nobody answers."""
    panel = Panel(source.base, is_live=True)
    with Live(panel, console=console, screen=True, auto_refresh=False) as live:
        while True:
            began_s = time.monotonic()
            try:
                panel.history.add(source.read())
                panel.trouble = ""
            except UserError as fault:
                panel.trouble = f"{fault.message}; trying again"
            live.refresh()
            time.sleep(max(0.1, POLL_S - (time.monotonic() - began_s)))


class Source:
    """A server that is asked for its numbers."""

    def __init__(self, url: str, api_key: str | None):
        """url: with or without `http://`, `/v1` or `/metrics`."""
        self.base, self.address = addresses(url)
        self.headers = {"Accept": "text/plain"}
        if api_key is not None:
            if not (api_key.isascii() and api_key.isprintable()):
                raise UserError("`--api-key` has characters no header can carry")
            self.headers["Authorization"] = f"Bearer {api_key}"
        self.opener = build_opener(ProxyHandler({}))  # a proxy of the environment knows no servers
        """Asks without any detour: the server is mostly on this machine or beside it."""

    def read(self) -> Reading:
        """What the server says now; raises in one line why it says nothing."""
        try:
            with self.opener.open(
                Request(self.address, headers=self.headers), timeout=TIMEOUT_S
            ) as reply:
                text = reply.read(MAX_BYTES).decode(errors="replace")
        except HTTPError as fault:
            with fault:
                raise self.refused(fault.code) from None
        except (OSError, HTTPException) as fault:
            reason = fault.reason if isinstance(fault, URLError) else fault
            words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
            raise UserError(
                f"no server answers at {self.base}: {words.lower()}",
                hint="start one: `bise serve nano`",
            ) from None
        try:
            return read(text, time.monotonic())
        except UserError as fault:
            raise UserError(f"{self.address} is of no use here: {fault.message}") from None

    def refused(self, status: int) -> UserError:
        if status in (401, 403):
            return UserError(
                f"{self.base} does not tell everybody ({status})", hint="pass `--api-key`"
            )
        return UserError(
            f"{self.address} answers with status {status}",
            hint="expected the address of `bise serve`, or of a server with vLLM's metrics",
        )


def addresses(url: str) -> tuple[str, str]:
    """A server's address as it is shown, and where its numbers are."""
    whole = url.strip() if "://" in url else f"http://{url.strip()}"
    try:
        parts = urlsplit(whole)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        is_good = False
    if not is_good or not whole.isprintable() or " " in whole:
        raise UserError(f"`{url}` is no address", hint="pass one like http://127.0.0.1:8000")
    base = whole.partition("?")[0].rstrip("/")
    if base.endswith("/metrics"):
        return base.removesuffix("/metrics"), base
    base = base.removesuffix("/v1").rstrip("/")
    return base, f"{base}/metrics"
