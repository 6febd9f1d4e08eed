"""What the room may know of the world."""

import ast
import sys
from pathlib import Path

import pytest

import bise.text

ROOM = Path(bise.text.__file__).parent
DOCS = Path(__file__).parents[2] / "docs" / "text.md"
OTHERS = {"numpy", "PIL", "tiktoken", "regex", "llguidance"}


def imported_modules(path: Path) -> set[str]:
    """Every module a file names in an import."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path.name}"
            modules.add(node.module or "")
    return modules


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.name)
def test_a_file_imports_only_what_text_needs(path: Path):
    for module in imported_modules(path):
        root = module.partition(".")[0]
        is_ours = module == "bise.errors" or module.startswith("bise.text")
        assert is_ours or root in OTHERS or root in sys.stdlib_module_names, module


def test_public_names_are_all_there_and_in_the_docs():
    page = DOCS.read_text()
    for name in bise.text.__all__:
        assert hasattr(bise.text, name)
        assert f"`{name}" in page, name


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.name)
def test_no_file_grows_beyond_three_hundred_lines(path: Path):
    assert len(path.read_text().splitlines()) <= 300
