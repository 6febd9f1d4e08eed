"""The folders a Lean works in: fresh, and read with care when it is done.

One is its own to write, beside it lies one with the compiled modules it may import. Whatever is in
the first afterwards was put there by a stranger's process.
"""

import os
import stat
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bise.judge.backend import Parts
from bise.judge.olean import SUFFIXES
from bise.judge.region import MAX_BYTES
from bise.judge.terms import Name


@contextmanager
def rooms(dependencies: Mapping[Name, Parts]) -> Generator[tuple[Path, Path], None, None]:
    """A fresh folder to work in, and one with other compiled modules."""
    with tempfile.TemporaryDirectory(prefix="bise-lean-", ignore_cleanup_errors=True) as folder:
        work, beside = Path(folder).resolve() / "work", Path(folder).resolve() / "beside"
        work.mkdir()
        beside.mkdir()
        for module, parts in dependencies.items():
            path = path_of(module)
            assert path is not None, f"a module named {module}"
            target = beside / path.with_suffix(".olean")
            target.parent.mkdir(parents=True, exist_ok=True)
            for suffix, part in zip(SUFFIXES, parts, strict=False):
                target.with_name(target.name + suffix).write_bytes(part)
        yield work, beside


def path_of(module: Name) -> Path | None:
    """The file of a module, below a folder; nothing for a name that is no file's."""
    words = [word for word in module if isinstance(word, str)]
    is_plain = all(word and not set(word) & set("/\\\0") and word[0] != "." for word in words)
    if not module or len(words) != len(module) or not is_plain:
        return None
    return Path(*words[:-1], words[-1] + ".lean")


def read_parts(path: Path) -> Parts:
    """Compiled files that a stranger's process left: regular ones, no links, not too large."""
    parts = []
    for suffix in SUFFIXES:
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            descriptor = os.open(path.with_name(path.name + suffix), flags)
        except OSError:
            break
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                break
            parts.append(file.read(MAX_BYTES + 1))
    return tuple(parts)
