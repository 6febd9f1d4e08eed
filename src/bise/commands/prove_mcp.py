"""`bise prove mcp`: the tools and the judge for other agents, over MCP."""

from pathlib import Path

from bise.commands.show import err
from bise.errors import UserError
from bise.prove.guest_tools import Guests
from bise.prove.hand import Hand
from bise.prove.mcp_server import Notice, need_sdk, serve_stdio


def run_mcp(folder: Path) -> None:
    """Serve on standard input and output until the other side leaves."""
    need_sdk()
    if not folder.is_dir():
        raise UserError(f"`{folder}` is no folder", hint="name one with Lean files in it")
    notice = Notice()

    def told(line: str) -> None:
        notice.tell(line)
        err().print(line, style="dim", markup=False)

    with Hand(told) as hand:
        guests = Guests(folder, lambda: hand.pool, lambda: hand.premises, hand.judge)
        serve_stdio(guests, notice)
