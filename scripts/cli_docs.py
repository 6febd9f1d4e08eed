"""Writes the help of every command into `docs/cli.md`; `--check` only says whether it is stale."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from bise.cli import app

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
START, END = "<!-- commands:start -->", "<!-- commands:end -->"


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command that can be run, by its whole name."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, one in inner.items():
        yield from commands(one, name if word == "run" else f"{name} {word}")


def section(name: str, command: Any) -> str:
    """One command: its usage, what it does, and its options."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    words = [p.metavar or p.name.upper() for p in arguments]
    usage = [f"[{w}]" if not p.required else w for w, p in zip(words, arguments, strict=True)]
    lines = [f"## `{name}`", "", f"```sh\n{' '.join([name, *usage, '[options]'])}\n```", ""]
    lines += [command.help.strip(), ""]
    rows = [(word, p) for word, p in zip(words, arguments, strict=True)]
    rows += [(", ".join(p.opts), p) for p in options if p.name != "help"]
    lines += ["| | | default |", "|---|---|---|"]
    lines += [f"| `{word}` | {p.help or ''} | {default(p)} |" for word, p in rows]
    return "\n".join(lines)


def default(param: Any) -> str:
    """What is taken when nothing is given."""
    if param.required:
        return "required"
    value = param.default
    if value in (None, "", False) or value == [] or callable(value):
        return ""
    return f"`{value}`"


def updated(page: str) -> str:
    """The page with the help between its two markers."""
    before, rest = page.split(START)
    _, after = rest.split(END)
    root = typer.main.get_command(app)
    sections = "\n\n".join(section(name, one) for name, one in commands(root, "bise"))
    return f"{before}{START}\n\n{sections}\n\n{END}{after}"


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    new = updated(page)
    if "--check" in sys.argv[1:]:
        if new != page:
            sys.exit(f"{PAGE.name} is stale: run `python scripts/cli_docs.py`")
        return
    PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
