"""Writes the help of every command into `docs/cli.md`, and the table of settings into
`docs/settings.md`; `--check` only says whether they are stale."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from bise.cli import app
from bise.settings import about, by_name, shown

DOCS = Path(__file__).parents[1] / "docs"
START, END = "<!-- {}:start -->", "<!-- {}:end -->"


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
    if isinstance(param.show_default, str):  # the settings have it
        return f"`{param.show_default}`"
    value = param.default
    if value in (None, "", False) or value == [] or callable(value):
        return ""
    return f"`{value}`"


def between(page: str, name: str, text: str) -> str:
    """The page with a text between two of its markers."""
    start, end = START.format(name), END.format(name)
    before, rest = page.split(start)
    _, after = rest.split(end)
    return f"{before}{start}\n\n{text}\n\n{end}{after}"


def updated(page: str) -> str:
    """The page of commands, current."""
    root = typer.main.get_command(app)
    sections = "\n\n".join(section(name, one) for name, one in commands(root, "bise"))
    return between(page, "commands", sections)


def with_settings(page: str) -> str:
    """The page of settings, current."""
    lines = ["| setting | | default | NIM |", "|---|---|---|---|"]
    for name, one in by_name().items():
        value = "" if one.default in ((), "") else f"`{shown(one.default)}`"
        nim = f"`{about(name).nim}`" if about(name).nim else ""
        lines.append(f"| `{name}` | {about(name).help} | {value} | {nim} |")
    return between(page, "settings", "\n".join(lines))


def main() -> None:
    for name, current in (("cli.md", updated), ("settings.md", with_settings)):
        path = DOCS / name
        page = path.read_text(encoding="utf-8")
        new = current(page)
        if "--check" not in sys.argv[1:]:
            path.write_text(new, encoding="utf-8")
        elif new != page:
            sys.exit(f"{name} is stale: run `python scripts/cli_docs.py`")


if __name__ == "__main__":
    main()
