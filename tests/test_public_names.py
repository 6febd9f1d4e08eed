"""A room's public names are those in its `__all__`, and its page in `docs/` tells of each."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = sorted(
    path.parent.name
    for path in (ROOT / "src" / "bise").glob("*/__init__.py")
    if "__all__" in path.read_text()
)


@pytest.mark.parametrize("room", [*ROOMS, ""])
def test_every_public_name_exists_and_is_in_the_docs(room: str):
    module = importlib.import_module(f"bise.{room}" if room else "bise")
    page = (ROOT / "docs" / f"{room or 'python'}.md").read_text()
    told = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", page))
    for name in module.__all__:
        assert hasattr(module, name), f"`bise.{room}` promises `{name}` and has it not"
        assert name in told, f"docs/{room}.md says nothing of `{name}`"


def test_every_room_with_public_names_was_found():
    assert {"engine", "evals", "model", "ops", "text", "train"} <= set(ROOMS)
