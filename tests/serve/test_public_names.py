"""What rooms offer is what their pages say."""

from pathlib import Path

import pytest

import bise
import bise.engine
import bise.serve

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("room", "page"), [(bise.serve, "serve.md"), (bise.engine, "engine.md"), (bise, "python.md")]
)
def test_every_public_name_is_on_the_page(room, page):
    said = (DOCS / page).read_text().split("## Public names")[1].split("\n## ")[0]
    missing = [name for name in room.__all__ if f"`{name}`" not in said]
    assert not missing
    assert all(hasattr(room, name) for name in room.__all__)
