"""The tools over MCP, on standard input and output, through the protocol's own SDK.

Calls run in threads, one after the other for each Lean there is; while one runs, whoever asked for
progress hears every few seconds what it is waiting for.
Ref: https://modelcontextprotocol.io
"""

import threading
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from bise.errors import UserError
from bise.prove.guest_tools import Guests

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

HEARD_EVERY_S = 2.0
INSTRUCTIONS = (
    "Tools for Lean 4 proofs, core library only. `check`, `goal`, `try_many` and `search` help to"
    " find a proof; their word is a hint. `verify` is a judge that trusts nobody: only what it"
    " calls `accepted` is proved. Keep the challenge in a file of its own, with `sorry`, and judge"
    " the finished file against it."
)


class Notice:
    """What is being waited for; Lean's processes write it, callers read it."""

    def __init__(self) -> None:
        self._line = "working"
        self._lock = threading.Lock()

    def tell(self, line: str) -> None:
        """Say what takes time now."""
        with self._lock:
            self._line = line

    @property
    def line(self) -> str:
        """What was said last."""
        with self._lock:
            return self._line


def need_sdk() -> None:
    """Raise a `UserError` if the SDK is not installed."""
    try:
        import mcp.server.lowlevel  # noqa: F401
    except ImportError:
        raise UserError(
            "the server for other agents needs the package `mcp`",
            hint="pip install 'bise[mcp]'",
        ) from None


def make_server(guests: Guests, notice: Notice) -> "Server[Any]":
    """A server around the tools; tests run it around a Lean that is none."""
    need_sdk()
    import anyio
    import mcp_types as types
    from mcp.server.lowlevel import Server

    async def list_tools(_ctx: Any, _params: Any) -> types.ListToolsResult:
        hints = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)
        return types.ListToolsResult(
            tools=[
                types.Tool(
                    name=one.name,
                    description=one.description,
                    input_schema=one.schema,
                    annotations=hints,
                )
                for one in guests.tools.values()
            ]
        )

    async def call_tool(ctx: Any, params: Any) -> types.CallToolResult:
        start = time.monotonic()
        notice.tell("working")

        async def keep_telling() -> None:
            while True:
                seconds = time.monotonic() - start
                await ctx.session.report_progress(round(seconds, 1), None, notice.line)
                await anyio.sleep(HEARD_EVERY_S)

        async with anyio.create_task_group() as group:
            group.start_soon(keep_telling)
            reply = await anyio.to_thread.run_sync(
                guests.call, params.name, params.arguments or {}, abandon_on_cancel=True
            )
            group.cancel_scope.cancel()
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=reply.text)],
            structured_content=reply.data,
            is_error=reply.is_error,
        )

    return Server(
        "bise",
        version=version("bise"),
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def serve_stdio(guests: Guests, notice: Notice) -> None:
    """Serve until standard input ends. Raises `UserError` if the SDK is not installed."""
    server = make_server(guests, notice)
    import anyio
    from mcp.server.stdio import stdio_server

    async def run() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    anyio.run(run)
