"""`bise prove setup --index`: the first search finds the library's index made."""

from pathlib import Path

import pytest
from small_library import SmallLean

from bise.commands import prove_setup as room
from bise.judge.install import HOME
from bise.prove import premises


class Found:
    folder = Path("lean")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME, str(tmp_path))
    monkeypatch.setattr(room, "installed", lambda _home: Found)
    monkeypatch.setattr(room, "WasmLean", lambda _found: SmallLean())
    return tmp_path


def test_it_offers_the_index_and_makes_it_when_told(home, capsys, monkeypatch):
    room.run_setup(archives=None, is_removal=False)
    said = capsys.readouterr()
    assert "--index" in said.err.replace("\n", " ") and not list(home.glob("premises-*.npz"))
    room.run_setup(archives=None, is_removal=False, is_indexed=True)
    assert "declarations of the library are indexed" in capsys.readouterr().out
    assert len(list(home.glob("premises-*.npz"))) == 1

    def built_again(*_):
        raise AssertionError("the index is there already")

    monkeypatch.setattr(premises, "build", built_again)
    room.run_setup(archives=None, is_removal=False, is_indexed=True)
    room.run_setup(archives=None, is_removal=False)
    assert "--index" not in capsys.readouterr().err
