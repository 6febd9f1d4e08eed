"""A native Lean is found, asked who it is, and run in the sandbox; a stand-in plays its part."""

import os
from pathlib import Path

import pytest

from bise.judge.backend import NeedsNative, NoLean
from bise.judge.extensions import Position
from bise.judge.native import VERSION, NativeLean, find_lean
from bise.judge.sandbox import NoWall, run
from bise.judge.sandboxed import SYSTEM as ALL_SYSTEMS

SCRIPT = """#!/bin/sh
case "$1" in
  --version) echo "Lean (version 4.28.0, x86_64-unknown-linux-gnu, commit 0123abcd, Release)" ;;
  --print-prefix) echo "{prefix}" ;;
  env) echo "{project}/.lake/build/lib/lean" ;;
  --json)
    printf '{{"severity":"warning","pos":{{"line":1,"column":2}},"data":"%s"}}\\n' "$LEAN_PATH"
    [ -e /etc/passwd ] && exit 7
    while read -r line; do case "$line" in *fails*) exit 1 ;; esac; done < "$4"
    printf compiled > "$3" ;;
  *) exit 9 ;;
esac
"""
SYSTEM = [one for one in ALL_SYSTEMS if one.exists()]
SHELL = [Path(one) for one in ("/bin", "/usr/bin") if Path(one).exists()]


class StandIn(NativeLean):
    """It is a script: its sandbox needs a shell as well."""

    def sight(self, work, beside):
        read_only, environment = super().sight(work, beside)
        return [*read_only, *SHELL], environment


@pytest.fixture
def folder(tmp_path) -> Path:
    """A toolchain with one module, and a project with another."""
    prefix, project = tmp_path / "toolchain", tmp_path / "project"
    for path in (prefix / "bin", prefix / "lib/lean/Init", project / ".lake/build/lib/lean"):
        path.mkdir(parents=True)
    for name in ("lean", "lake"):
        (prefix / "bin" / name).write_text(SCRIPT.format(prefix=prefix, project=project))
        (prefix / "bin" / name).chmod(0o755)
    (prefix / "lib/lean/Init/Core.olean").write_bytes(b"core")
    (prefix / "lib/lean/Init.olean").write_bytes(b"init")
    (prefix / "lib/lean/Init.olean.private").write_bytes(b"more")
    (project / ".lake/build/lib/lean/Mine.olean").write_bytes(b"mine")
    return tmp_path


def lean_in(folder: Path, **more) -> StandIn:
    return StandIn(folder / "toolchain/bin/lean", **more)


@pytest.fixture
def _walls(tmp_path):
    try:
        (tmp_path / "walls").mkdir()
        run(["/bin/sh", "-c", "true"], tmp_path / "walls", read_only=[*SHELL, *SYSTEM])
    except NoWall as missing:
        pytest.skip(missing.message)


def test_it_says_who_it_is(folder):
    identity = lean_in(folder).identity
    assert (identity.backend, identity.version) == (
        "native",
        "Lean 4.28.0, commit 0123abcd, 64 bits",
    )
    (folder / "toolchain/lib/lean/Init/Core.olean").write_bytes(b"other")
    assert lean_in(folder).identity.library != identity.library


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("Lean (version 4.9.0, commit 8f9843a4, Release)", ("4.9.0", "8f9843a4")),
        (
            "Lean (version 4.30.0-rc1, arm64-apple-darwin24, commit ab12, Release)",
            ("4.30.0-rc1", "ab12"),
        ),
        ("Lean (version 4.28.0-pre, Release)", ("4.28.0-pre", None)),
    ],
)
def test_versions_are_read(told, found):
    match = VERSION.search(told)
    assert match is not None and match.groups() == found


def test_modules_come_from_the_toolchain_and_the_project(folder):
    alone = lean_in(folder)
    assert alone.has_module(("Init", "Core")) and not alone.has_module(("Mine",))
    assert alone.library_parts(("Init",)) == (b"init", b"more")
    with pytest.raises(NeedsNative, match="`Mine`"):
        alone.library_parts(("Mine",))
    within = lean_in(folder, project=folder / "project")
    assert within.library_parts(("Mine",)) == (b"mine",)


@pytest.mark.usefixtures("_walls")
def test_it_compiles_in_the_sandbox_and_sees_its_project_only(folder):
    made = lean_in(folder, project=folder / "project").compile("import Mine\ndef x := 1\n")
    assert made.is_done, made
    assert made.parts == (b"compiled",)
    (message,) = made.messages
    places = message.text.split(os.pathsep)
    assert places[1:] == [
        str(folder / "project/.lake/build/lib/lean"),
        str(folder / "toolchain/lib/lean"),
    ]
    assert message.start == Position(1, 2), "no line of ours is put into the source"


@pytest.mark.usefixtures("_walls")
def test_a_file_that_fails_leaves_nothing(folder):
    made = lean_in(folder).compile("this fails\n")
    assert made.parts == () and made.status == 1


def test_it_is_found_on_the_path_or_through_elan(folder):
    bin_ = folder / "toolchain/bin"
    assert find_lean({"PATH": str(bin_)}) == bin_ / "lean"
    assert find_lean({"PATH": "", "ELAN_HOME": str(folder / "toolchain")}) == bin_ / "lean"
    with pytest.raises(NoLean, match="no `lean` on the path"):
        find_lean({"PATH": "", "HOME": str(folder)})


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("#!/bin/sh\nexit 3\n", "ends with 3"),
        ("#!/bin/sh\necho /nowhere\n", r"which has no `bin/lean`"),
        ("not a program", "does not run"),
    ],
)
def test_a_toolchain_that_does_not_work_is_told(folder, script, told):
    (folder / "toolchain/bin/lean").write_text(script)
    with pytest.raises(NoLean, match=told):
        lean_in(folder)
    with pytest.raises(NoLean, match="is no folder"):
        lean_in(folder, project=folder / "missing")
