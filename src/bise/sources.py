"""Where settings are said, and which of the sources counts.

A flag wins over a variable `BISE_…`, that over NIM's variable of the same meaning, that over the
file named by `--config`, and that over the default.
"""

import os
import shlex
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import inf
from pathlib import Path
from typing import Any, cast

from bise.errors import UserError, quoted
from bise.settings import ServeSettings, about, by_name, flag_of, kinds, shown

PREFIX = "BISE_"
PASSTHROUGH = "NIM_PASSTHROUGH_ARGS"
CONFIG = "BISE_CONFIG"
TABLE = "serve"
"""The table of the file our settings stand in."""

BUILD = ("BISE_CORE", "BISE_CXXFLAGS", "BISE_ISA", "BISE_REQUIRE_CORE")
NOT_SETTINGS = frozenset((CONFIG, "BISE_LEAN_HOME", "BISE_PROVE_KEY", *BUILD))
"""Other variables of ours."""

UNUSED_NIM = {
    "NIM_MODEL_PROFILE": "there is one way to run a model here; see `BISE_WEIGHTS`",
    "NIM_CACHE_PATH": "downloads go where `HF_HOME` says",
    "NIM_SCHEDULER_POLICY": "there is one policy",
    "NIM_PEFT_SOURCE": "no adapters are served yet",
    "NIM_PEFT_REFRESH_INTERVAL": "no adapters are served yet",
    "NIM_MAX_GPU_LORAS": "no adapters are served yet",
    "NIM_MAX_CPU_LORAS": "no adapters are served yet",
}
"""Variables of NIM's containers that mean nothing here, and why."""

TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


@dataclass(frozen=True, slots=True)
class Effective:
    """The settings that hold, and where each was said."""

    settings: ServeSettings
    sources: Mapping[str, str]
    """By name: a flag, a variable, a file; `default` if nobody said anything."""

    warnings: Sequence[str]
    """Variables that look like settings and are none."""

    def shown(self, name: str) -> str:
        """A value as people read it; a secret is not shown."""
        value = getattr(self.settings, name)
        if about(name).is_secret and value:
            return "(set)"
        return ", ".join(value) if isinstance(value, tuple) else shown(value)


def read_settings(
    flags: Mapping[str, Any],
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Effective:
    """Gather the settings. flags: by name; None and an empty list were not given"""
    found: dict[str, tuple[Any, str]] = {}
    known = os.environ if environ is None else environ
    if config is None and known.get(CONFIG):
        config = Path(known[CONFIG])
    layers = (
        {} if config is None else from_file(config),
        from_nim(known),
        from_variables(known),
        from_passthrough(known.get(PASSTHROUGH, "")),
        {
            name: (tuple(value) if isinstance(value, list) else value, flag_of(name))
            for name, value in flags.items()
            if value is not None and value != []
        },
    )
    for layer in layers:
        found |= layer
    for name, (value, source) in found.items():
        check(name, value, source)
    settings = ServeSettings(**{name: value for name, (value, _) in found.items()})
    sources = {name: found[name][1] if name in found else "default" for name in by_name()}
    return Effective(settings, sources, warnings_of(known))


def from_file(path: Path) -> dict[str, tuple[Any, str]]:
    """The table `[serve]` of a TOML file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        raise UserError(f"cannot read `{path}`: {reason}", hint="name it with `--config`") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise UserError(f"`{path}` is not TOML: {fault}") from None
    table = content.get(TABLE, {})
    if not isinstance(table, dict) or content.keys() - {TABLE}:
        raise UserError(f"`{path}` has more than a table `[{TABLE}]`", hint="put settings in there")
    found: dict[str, tuple[Any, str]] = {}
    for name, value in cast(dict[str, Any], table).items():
        if name not in by_name():
            raise UserError(f"`{name}` in `{path}` is no setting", hint=near(name, by_name()))
        found[name] = (typed(name, value, f"{name} in {path}"), str(path))
    return found


def typed(name: str, value: Any, where: str) -> Any:
    """A value of the file, if it has the setting's type."""
    kind = kinds()[name]
    if kind is float and type(value) is int:
        return float(value)
    if kind == tuple[str, ...]:
        listed = cast(list[Any], value) if isinstance(value, list) else [value]
        if all(isinstance(one, str) for one in listed):
            return tuple(listed)
    elif type(value) is kind:
        return value
    raise wrong(name, shown(value), where)


def from_variables(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    """Our own variables."""
    named = {name: PREFIX + name.upper() for name in by_name()}
    return {
        name: (parse(name, environ[variable], variable), variable)
        for name, variable in named.items()
        if variable in environ
    }


def from_nim(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    """NIM's variables; an empty one was not set."""
    found: dict[str, tuple[Any, str]] = {}
    for name in by_name():
        variable = about(name).nim
        if environ.get(variable):
            text = environ[variable]
            text = text.lower() if about(name).one_of else text
            found[name] = (parse(name, text, variable), variable)
    if environ.get("NIM_TENSOR_PARALLEL_SIZE", "1") != "1":
        raise UserError(
            f"`NIM_TENSOR_PARALLEL_SIZE` is `{environ['NIM_TENSOR_PARALLEL_SIZE']}`, but a model "
            "runs on one device here",
            hint="set it to 1, or leave it out",
        )
    mode = environ.get("NIM_SSL_MODE", "")
    if mode.lower() not in ("", "disabled", "tls", "mtls"):
        raise UserError(f"`NIM_SSL_MODE` is `{mode}`, expected `DISABLED`, `TLS` or `MTLS`")
    if mode.lower() in ("", "disabled"):
        found = {name: one for name, one in found.items() if not name.startswith("tls_")}
    return found


def from_passthrough(words: str) -> dict[str, tuple[Any, str]]:
    """Flags in a variable: `--port 8080 --strict --no-prefix-cache`."""
    found: dict[str, tuple[Any, str]] = {}
    try:
        left = shlex.split(words)
    except ValueError as fault:
        raise UserError(
            f"`{PASSTHROUGH}` cannot be cut into words: {str(fault).lower()}",
            hint="close its quotation marks",
        ) from None
    while left:
        word, _, value = left.pop(0).partition("=")
        given = word.removeprefix("--").replace("-", "_")
        name = given if given in by_name() else given.removeprefix("no_")
        is_flag = word.startswith("--") and name in by_name() and not about(name).is_secret
        is_off = name != given
        if not is_flag or (is_off and (value or kinds()[name] is not bool)):
            raise UserError(f"`{word}` in `{PASSTHROUGH}` is no flag", hint=near(given, by_name()))
        if kinds()[name] is bool and not value:
            value = "false" if is_off else "true"
        if not value and left:
            value = left.pop(0)
        read = parse(name, value, f"{word} in {PASSTHROUGH}")
        if isinstance(read, tuple) and name in found:  # each time one more, as on a command line
            read = (*found[name][0], *read)
        found[name] = (read, PASSTHROUGH)
    return found


def parse(name: str, text: str, where: str) -> Any:
    """A setting from text."""
    kind = kinds()[name]
    try:
        if kind is bool:
            word = text.strip().lower()
            if word not in (*TRUE, *FALSE):
                raise ValueError(word)
            return word in TRUE
        if kind == tuple[str, ...]:
            return tuple(one.strip() for one in text.split(",") if one.strip())
        return kind(text.strip()) if kind in (int, float) else text
    except ValueError:
        raise wrong(name, text, where) from None


def wrong(name: str, text: str, where: str) -> UserError:
    """What is said of a value of the wrong type."""
    said = "(a secret)" if about(name).is_secret else text[:60]
    return UserError(f"`{where}` is `{said}`, expected {words_for(kinds()[name])}")


def check(name: str, value: Any, where: str) -> None:
    """Refuse a value outside its range or list."""
    known = about(name)
    if known.one_of and value not in known.one_of:
        raise UserError(f"`{where}` is `{value}`, expected one of {quoted(known.one_of)}")
    low, high = known.at_least, known.at_most
    if low is not None and not value >= low:  # also refuses nan
        raise UserError(f"`{where}` is {value}, expected {low} or more")
    if high is not None and value > high:
        raise UserError(f"`{where}` is {value}, expected at most {high}")
    if value == inf:
        raise UserError(f"`{where}` is {value}, expected a finite number")


def words_for(kind: Any) -> str:
    """A type in words."""
    plain = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    return plain.get(kind, "texts, separated by commas")


def warnings_of(environ: Mapping[str, str]) -> list[str]:
    """Variables that somebody set for us and that do nothing."""
    ours = {PREFIX + name.upper() for name in by_name()} | NOT_SETTINGS
    found = [
        f"`{name}` is no setting: {near(name, ours)}"
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in ours
    ]
    return found + [
        f"`{name}` is not used: {why}" for name, why in UNUSED_NIM.items() if name in environ
    ]


def near(name: str, known: Iterable[str]) -> str:
    """A hint at the name that was probably meant."""
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean `{close[0]}`?" if close else "`bise config` lists them"
