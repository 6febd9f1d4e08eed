"""The page in the package is what its sources make. Not run where Node is missing."""

import shutil
import subprocess
from pathlib import Path

import pytest

from bise.serve.page import PAGE

pytestmark = pytest.mark.full

WEB = Path(__file__).parents[2] / "web"
NODE = shutil.which("node")
NPM = shutil.which("npm")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory) -> Path:
    """A copy of the sources with exactly the packages of the lock file."""
    if NODE is None or NPM is None:
        pytest.skip("no `node` and `npm` on the path")
    folder = tmp_path_factory.mktemp("page") / "web"
    shutil.copytree(WEB, folder, ignore=shutil.ignore_patterns("node_modules"))
    run(folder, NPM, "ci")
    return folder


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    return said


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_fresh_build_equals_the_page_in_the_package(workshop):
    made = workshop.parent / "made"
    run(workshop, str(NPM), "run", "build", "--", "--outDir", str(made))
    fresh, kept = files_of(made), files_of(PAGE)
    assert sorted(fresh) == sorted(kept), "run `make web`"
    assert fresh == kept, "run `make web`"


def test_the_sources_have_no_type_errors(workshop):
    run(workshop, str(NPM), "run", "check")
