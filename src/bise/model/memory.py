"""How much memory this machine still has for a model."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Groups:
    """Where control groups, new or old, tell the limit of a container and what it uses of it."""

    controller: str
    folder: str
    limit: str
    used: str
    caches: tuple[str, str]
    """Of what is used: files the system would forget again, as `MemAvailable` has it."""


NEW = Groups("", "sys/fs/cgroup", "memory.max", "memory.current", ("active_file", "inactive_file"))
OLD = Groups(
    "memory",
    "sys/fs/cgroup/memory",
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    ("total_active_file", "total_inactive_file"),
)


def available_memory_bytes(root: Path = Path("/")) -> int:
    """Bytes a process may still take: the machine's free memory, or less if a container says so."""
    free = [_free_on_linux(root)]
    for kind in (NEW, OLD):
        free += [_free_in_group(folder, kind) for folder in _groups(root, kind)]
    known = [count for count in free if count is not None]
    if known:
        return max(min(known), 0)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")  # macOS: all there is


def _free_on_linux(root: Path) -> int | None:
    return next((1024 * count for count in _numbers(root / "proc/meminfo", "MemAvailable:")), None)


def _groups(root: Path, kind: Groups) -> Iterator[Path]:
    """The group of this process and all above it; a container may see only part of that path."""
    top, own = root / kind.folder, root / "proc/self/cgroup"
    yield top
    for line in own.read_text().splitlines() if own.is_file() else ():
        _, controllers, path = line.split(":", 2)
        if kind.controller in controllers.split(","):
            for name in path.split("/"):
                if name not in ("", ".."):
                    top /= name
                    yield top


def _free_in_group(folder: Path, kind: Groups) -> int | None:
    limit, used = folder / kind.limit, folder / kind.used
    if not limit.is_file() or not used.is_file():
        return None
    text = limit.read_text().strip()
    if not text.isdigit():  # `max`: no limit
        return None
    return int(text) - int(used.read_text()) + sum(_numbers(folder / "memory.stat", *kind.caches))


def _numbers(path: Path, *names: str) -> list[int]:
    """Of those lines of a table that begin so."""
    lines = path.read_text().splitlines() if path.is_file() else []
    rows = [line.split() for line in lines]
    return [int(row[1]) for row in rows if row and row[0] in names]
