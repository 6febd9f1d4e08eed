"""What memory is to be had, as machines and containers tell it."""

from pathlib import Path

import pytest

from bise.model.memory import available_memory_bytes


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 1000 kB\nMemAvailable:   500 kB\n")
    return tmp_path


def limit(folder: Path, most: str, used: int, caches: str = "", *, is_old: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = ("limit_in_bytes", "usage_in_bytes") if is_old else ("max", "current")
    for name, text in zip((*names, "stat"), (most, str(used), caches), strict=True):
        (folder / f"memory.{name}").write_text(f"{text}\n")


@pytest.mark.parametrize(
    ("place", "prefix"), [("sys/fs/cgroup", ""), ("sys/fs/cgroup/memory", "total_")]
)
def test_files_that_the_system_only_remembers_take_no_memory(machine, place, prefix):
    """Weights that were just fetched or packed lie in the container's cache of files."""
    stat = f"anon 7\n{prefix}inactive_file 40000\n{prefix}active_file 20000\nshmem 5"
    limit(machine / place, "100000", 90_000, stat, is_old=bool(prefix))
    assert available_memory_bytes(machine) == 70_000


@pytest.mark.parametrize(
    ("line", "place", "is_old"),
    [
        ("0::/jobs/mine", "sys/fs/cgroup/jobs", False),
        ("0::/../jobs/mine", "sys/fs/cgroup/jobs/mine", False),
        ("4:memory:/jobs/mine", "sys/fs/cgroup/memory/jobs/mine", True),
        ("4:cpu,memory:/jobs/mine", "sys/fs/cgroup/memory/jobs", True),
    ],
)
def test_the_limit_of_any_group_above_counts(machine, line, place, is_old):
    (machine / "proc/self/cgroup").write_text(f"9:name=systemd:/other\n{line}\n")
    limit(machine / place, "30000", 10_000, is_old=is_old)
    limit(machine / place / "another", "30", 10, is_old=is_old)
    limit(machine / "sys/fs/cgroup/other", "30", 10)
    assert available_memory_bytes(machine) == 20_000
