"""`bise keys`: the keys of a server, in a file that holds their digests only."""

from pathlib import Path

from bise.commands.show import err, out
from bise.errors import UserError
from bise.serve import Key, add_key, read_keys, revoke_key, usage_file
from bise.serve.budgets import read_usage, today

HEADS = (
    *("name", "made", "requests/min", "tokens/min", "tokens/day", "at once"),
    *("used today", "priority", "tenant"),
)


def need_file(named: Path | None, setting: str) -> Path:
    """The key file, from the flag or the settings."""
    if named is None and not setting:
        raise UserError("no key file is named", hint="pass `--keys FILE`, or set `BISE_KEYS` to it")
    return named or Path(setting)


def add(file: Path, name: str, **limits: int | str) -> None:
    """Make a key and show it, this once."""
    made = add_key(file, name, **limits)
    out().print(made, markup=False)
    err().print(
        f"this is the only time it is shown; {file} keeps its digest\n"
        f"serve with: bise serve --keys {file}",
        style="dim",
        markup=False,
    )


def list_keys(file: Path) -> None:
    """Show names, limits and what was used today."""
    used = read_usage(usage_file(file), today())
    rows = [row_of(key, used.get(key.digest, 0)) for key in read_keys(file)]
    widths = [max(map(len, column)) for column in zip(HEADS, *rows, strict=True)]
    for row in (HEADS, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        out().print("  ".join(cells).rstrip(), markup=False)


def row_of(key: Key, used: int) -> tuple[str, ...]:
    """One line of the list; `-` is no limit."""
    limits = (key.requests_per_minute, key.tokens_per_minute, key.tokens_per_day, key.concurrent)
    shown = [f"{limit:,}" if limit else "-" for limit in limits]
    return (key.name, key.created, *shown, f"{used:,}", str(key.priority), key.tenant or "-")


def revoke(file: Path, name: str) -> None:
    """Take a key out; running servers notice by themselves."""
    revoke_key(file, name)
    err().print(f"`{name}` is revoked", markup=False)
