"""Flags of a command from a table of settings, so that neither has to repeat the other."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from typer import Argument, Option

from bise.settings import about, by_name, flag_of, kinds, shown

Command = TypeVar("Command", bound=Callable[..., None])


def takes_settings(command: Command) -> Command:
    """Give a command `**flags` a flag for every setting, and `--config` for the file.

    Typer reads flags from a function's signature: here it is made from the table. A flag nobody
    passes is None, so that the other sources can speak.
    """
    parameters = [parameter(name) for name in by_name() if not about(name).is_secret]
    config = Annotated[Path | None, Option(help="A TOML file with settings, under `[serve]`.")]
    parameters.append(keyword("config", config))
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


def parameter(name: str) -> inspect.Parameter:
    """One setting as a parameter of a function."""
    known, kind, default = about(name), kinds()[name], by_name()[name].default
    told = shown(default) if default not in ("", (), False, 0, True) else False
    if name == "model":
        return keyword(name, Annotated[str | None, Argument(help=known.help, show_default=told)])
    if kind is bool:
        word = name.removeprefix("no_")
        both = (f"--{word}", f"--no-{word}")
        both = both if word == name else both[::-1]
        decl = "/".join(both).replace("_", "-")
        return keyword(name, Annotated[bool | None, Option(decl, help=known.help)])
    limits: dict[str, Any] = {"min": known.at_least, "max": known.at_most}
    if kind == tuple[str, ...]:
        kind, limits = list[str], {}
    if kind is str:
        limits = {}
    option = Option(flag_of(name), help=known.help, show_default=told, **limits)
    return keyword(name, Annotated[kind | None, option])


def keyword(name: str, annotation: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=None, annotation=annotation)
