"""Who may use a server: keys by their digests, in a file that is read again when it changes.

A key is 32 random bytes, so its SHA-256 is as good as a slow hash: nobody can try them all. The
file never holds a key, and neither does a log or an error.
"""

import fcntl
import hashlib
import hmac
import json
import logging
import os
import re
import secrets
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, cast

from bise.errors import NotFound, UserError

log = logging.getLogger(__name__)

PREFIX = "bise-"
NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
DIGEST = re.compile(r"[0-9a-f]{64}")
MAX_PRIORITY = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One key as the file tells of it, and what its owner may use. 0 is no limit."""

    name: str
    """Whose it is; shown in logs."""

    digest: str
    """SHA-256 of the key, 64 hex digits."""

    created: str = ""
    """Day it was made."""

    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    """Read and written together."""

    tokens_per_day: int = 0
    """Of a day in UTC."""

    concurrent: int = 0
    """Requests at once."""

    priority: int = 0
    """Of its requests, lower first; a request may ask for a higher number only."""

    may_verify: bool = False
    """Whether its owner may use the judge."""

    tenant: str = ""
    """Keys of one tenant share cached beginnings of prompts; without, a key has its own."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise UserError(
                f"`{self.name[:80]}` cannot be a key's name",
                hint="use 1 to 64 of letters, digits and `._@-`",
            )
        if not DIGEST.fullmatch(self.digest):
            raise UserError(f"the key `{self.name}` has no digest of 64 hex digits")
        for name in ("requests_per_minute", "tokens_per_minute", "tokens_per_day", "concurrent"):
            if getattr(self, name) < 0:
                raise UserError(f"`{name}` is {getattr(self, name)}, expected 0 or more")
        if abs(self.priority) > MAX_PRIORITY:
            raise UserError(
                f"`priority` is {self.priority}, expected {-MAX_PRIORITY} to {MAX_PRIORITY}"
            )

    @property
    def salt(self) -> str:
        """What keeps cached beginnings of tenants apart."""
        return f"tenant {self.tenant}" if self.tenant else f"key {self.digest}"


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def new_key() -> str:
    """A key nobody can guess."""
    return PREFIX + secrets.token_urlsafe(32)


def matching(presented: Iterable[str], keys: Sequence[Key]) -> Key | None:
    """The key that one of the presented words is. Takes as long whichever it is, and if none."""
    found: Key | None = None
    for word in presented:
        digest = digest_of(word)
        for key in keys:
            if hmac.compare_digest(digest, key.digest) and found is None:
                found = key
    return found


def presented_by(headers: Mapping[str, str]) -> list[str]:
    """The keys a request comes with: OpenAI's and Mistral's header, Anthropic's, and Azure's."""
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    found = [bearer.strip()] if kind.lower() == "bearer" else []
    found += [headers.get(name, "").strip() for name in ("x-api-key", "api-key")]
    return [word for word in found if word]


class KeyRing:
    """The keys of a server, as its file has them now."""

    def __init__(self, file: Path | None = None, fixed: Sequence[Key] = ()):
        """fixed: keys that are in no file, such as one from the environment"""
        self.file = file
        self.fixed = tuple(fixed)
        self.keys: tuple[Key, ...] = self.fixed
        self._seen: tuple[int, ...] = ()
        self._told = ""
        """Of a fault that lasts, so that it is told once and not with every request."""

        if file is not None:
            self._seen = mark_of(file)
            self.keys = (*self.fixed, *read_keys(file))

    @property
    def is_open(self) -> bool:
        """Whether nobody is asked for a key. An empty file still asks: all were revoked."""
        return self.file is None and not self.fixed

    def find(self, headers: Mapping[str, str]) -> Key | None:
        """Whose request it is."""
        self.refresh()
        return matching(presented_by(headers), self.keys)

    def refresh(self) -> None:
        """Read the file again if it has changed. One that cannot be read changes nothing."""
        if self.file is None:
            return
        try:
            mark = mark_of(self.file)
            if mark != self._seen:
                text = text_of(self.file)
                self._seen = mark  # what is wrong with its text will not mend by itself
                self.keys = (*self.fixed, *keys_in(text, self.file))
                log.info("read %d keys from %s", len(self.keys), self.file)
            self._told = ""
        except UserError as fault:
            if fault.message != self._told:
                log.error("the keys stay as they were: %s", fault.message)
            self._told = fault.message


def mark_of(file: Path) -> tuple[int, ...]:
    """What changes when a file does, or who may read it."""
    try:
        found = file.stat()
    except OSError as fault:
        raise unreadable(file, fault) from None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def read_keys(file: Path) -> list[Key]:
    """The keys of a file; whatever is wrong with it is refused."""
    return keys_in(text_of(file), file)


def text_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise unreadable(file, fault) from None


def keys_in(text: bytes, file: Path) -> list[Key]:
    """The keys in the text of a file."""
    try:
        content = json.loads(text.decode())
    except (ValueError, RecursionError):
        raise UserError(f"`{file}` is not JSON", hint="make keys with `bise keys add`") from None
    listed = cast(dict[str, Any], content).get("keys") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        raise UserError(f"`{file}` has no list `keys`", hint="make keys with `bise keys add`")
    keys = [key_of(entry, file) for entry in cast(list[Any], listed)]
    if len({key.name for key in keys}) < len(keys):
        raise UserError(f"`{file}` has two keys of one name")
    return keys


def key_of(entry: object, file: Path) -> Key:
    """One entry of the file."""
    kinds = {field.name: field.type for field in fields(Key)}
    given = cast(dict[str, Any], entry) if isinstance(entry, dict) else {}
    is_known = "name" in given and "digest" in given and given.keys() <= kinds.keys()
    if not is_known or any(type(value) is not kinds[name] for name, value in given.items()):
        raise UserError(f"`{file}` has an entry that is no key", hint="see docs/serve.md, Keys")
    return Key(**given)


def write_keys(file: Path, keys: Sequence[Key]) -> None:
    """Replace the file at once, so that a server never reads half of it; for its owner only.

    Whose it was it stays, whoever writes: a server has to be able to read what was revoked.
    """
    entries = [{k: v for k, v in asdict(key).items() if v not in (0, "")} for key in keys]
    replace_file(file, json.dumps({"keys": entries}, indent=1) + "\n", keeps_owner=True)


def replace_file(file: Path, text: str, *, keeps_owner: bool = False) -> None:
    """Write a file that only its owner reads, whole or not at all.

    keeps_owner: leave it to the owner and the group it had, who may read what they could
    """
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(opened, "w", encoding="utf-8") as out:  # noqa: PTH123 - a descriptor
            if keeps_owner and file.exists():
                make_alike(out.fileno(), file)
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    except OSError as fault:
        raise unreadable(file, fault, "write") from None
    finally:
        with suppress(OSError):  # it is gone already, if all went well
            beside.unlink()


def make_alike(opened: int, file: Path) -> None:
    """Give a new file the owner, the group and the mode of the one it will replace."""
    old, new = file.stat(), os.fstat(opened)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        try:
            os.fchown(opened, old.st_uid, old.st_gid)
        except PermissionError:
            raise UserError(
                f"`{file}` belongs to user {old.st_uid} and group {old.st_gid}, and user "
                f"{new.st_uid} cannot leave it to them; nothing was changed",
                hint=f"run this as user {old.st_uid}, or as root",
            ) from None
    os.fchmod(opened, stat.S_IMODE(old.st_mode) & 0o640)


@contextmanager
def alone_with(file: Path) -> Iterator[None]:
    """Keep others who change keys waiting. The folder is locked, for the file is replaced."""
    try:
        opened = os.open(file.parent, os.O_RDONLY)
    except OSError as fault:
        raise unreadable(file, fault) from None
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
        except OSError as fault:
            raise unreadable(file, fault, "lock the folder of") from None
        yield
    finally:
        os.close(opened)


def add_key(file: Path, name: str, **limits: Any) -> str:
    """Put a new key into a file, which may be new; the key itself is only ever given here."""
    made = new_key()
    today = time.strftime("%Y-%m-%d", time.gmtime())
    key = Key(name=name, digest=digest_of(made), created=today, **limits)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise unreadable(file, fault, "write") from None
    with alone_with(file):
        keys = read_keys(file) if file.exists() else []
        if any(one.name == name for one in keys):
            hint = f"revoke it first: `bise keys revoke {name}`"
            raise UserError(f"there is a key `{name}` already", hint=hint)
        write_keys(file, [*keys, key])
    return made


def revoke_key(file: Path, name: str) -> None:
    """Take a key out of a file; servers notice with their next request."""
    with alone_with(file):
        keys = read_keys(file)
        kept = [key for key in keys if key.name != name]
        if len(kept) == len(keys):
            words = f"there is no key `{name[:80]}` in `{file}`"
            raise NotFound(words, hint="see `bise keys list`")
        write_keys(file, kept)


def unreadable(file: Path, fault: OSError, verb: str = "read") -> UserError:
    reason = (fault.strerror or str(fault)).lower()
    return UserError(f"cannot {verb} `{file}`: {reason}", hint="name the key file with `--keys`")
