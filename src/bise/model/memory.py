"""How much memory this machine still has for a model."""

import os
from pathlib import Path

CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
"""Where a container's limit and use are told, new and old."""


def available_memory_bytes(root: Path = Path("/")) -> int:
    """Bytes a process may still take: the machine's free memory, or less if a container says so."""
    free = [_free_on_linux(root)]
    free += [_free_in_cgroup(root / limit[1:], root / used[1:]) for limit, used in CGROUPS]
    known = [count for count in free if count is not None]
    if known:
        return max(min(known), 0)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")  # macOS: all there is


def _free_on_linux(root: Path) -> int | None:
    path = root / "proc/meminfo"
    if not path.is_file():
        return None
    for line in path.read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def _free_in_cgroup(limit: Path, used: Path) -> int | None:
    if not limit.is_file() or not used.is_file():
        return None
    text = limit.read_text().strip()
    if not text.isdigit():  # `max`: no limit
        return None
    return int(text) - int(used.read_text())
