"""Groups of commands."""

from typing import Any

from typer.core import TyperGroup


class RunByDefault(TyperGroup):
    """A group whose first word may be left out: `bise eval nano` is `bise eval run nano`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_command = bool(args) and (args[0] in self.commands or args[0] in ("--help", "-h"))
        return super().parse_args(ctx, args if is_command else ["run", *args])
