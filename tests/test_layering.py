"""A room imports from rooms below it, never above or sideways up."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "bise"

BELOW = {
    "judge": set(),
    "ops": set(),
    "model": {"ops"},
    "text": {"ops", "model"},
    "engine": {"ops", "model", "text"},
    "peers": {"ops", "model", "engine"},
    "evals": {"ops", "model", "text", "engine", "judge"},
    "train": {"ops", "model", "text", "engine", "evals", "judge"},
    "serve": {"ops", "model", "text", "engine", "evals", "train", "judge"},
    "prove": {"ops", "model", "text", "engine", "evals", "train", "serve", "judge"},
}
"""What each room may import, besides itself and `errors`."""


def _imported_rooms(file: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import; write the whole name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        rooms |= {name.split(".")[1] for name in names if name.startswith("bise.")}
    return rooms


ROOM_FILES = sorted(p for p in SOURCE.rglob("*.py") if p.relative_to(SOURCE).parts[0] in BELOW)


@pytest.mark.parametrize("file", ROOM_FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_rooms_import_only_from_below(file: Path):
    room = file.relative_to(SOURCE).parts[0]
    allowed = BELOW[room] | {room, "errors"}
    assert _imported_rooms(file) <= allowed


def test_every_folder_with_code_is_a_known_room():
    folders = {p.parent.relative_to(SOURCE).parts[0] for p in SOURCE.rglob("*/*.py")}
    assert folders <= set(BELOW) | {"commands"}


def test_the_engine_and_the_text_room_stay_strangers():
    """The engine sees numbers only, and text no weights: neither may know the other."""
    for file in ROOM_FILES:
        room = file.relative_to(SOURCE).parts[0]
        if room == "engine":
            assert "text" not in _imported_rooms(file), file
        if room == "text":
            assert not {"model", "engine"} & _imported_rooms(file), file
