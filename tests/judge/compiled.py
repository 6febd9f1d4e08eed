"""Files in `data/` that Lean wrote: see `data/README.md`."""

from pathlib import Path

DATA = Path(__file__).parent / "data"
PATHS = sorted(DATA.glob("*.olean"))


def parts_of(path: Path) -> list[bytes]:
    """All files of a module."""
    beside = [path.with_name(path.name + suffix) for suffix in ("", ".server", ".private")]
    return [one.read_bytes() for one in beside if one.is_file()]
