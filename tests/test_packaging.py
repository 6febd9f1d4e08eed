"""What is built and installed: with a compiler a core, without one all but the core."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

ROOT = Path(__file__).parents[1]
NATIVE = "src/bise/ops/cpu/native"


def run(*command: str | Path, stdin: str = "", cwd: Path | None = None, **variables: str) -> str:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "BISE_"))}
    made = subprocess.run(
        [str(one) for one in command],
        cwd=cwd,
        env=own | {"NO_COLOR": "1", "COLUMNS": "200"} | variables,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=900,
    )
    said = made.stdout + made.stderr
    assert made.returncode == 0, said[-4000:]
    return said


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with an sdist and the wheel made from it, by `python -m build` in a new venv."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(
        ROOT,
        folder / "tree",
        ignore=shutil.ignore_patterns(
            ".*", "*.so", "build", "dist", "out", "*.egg-info", "__pycache__", "node_modules"
        ),
    )
    python = new_venv(folder / "venv")
    run(python, "-m", "pip", "install", "-q", "build")
    run(
        python,
        "-m",
        "build",
        "--outdir",
        folder / "dist",
        cwd=folder / "tree",
        BISE_REQUIRE_CORE="1",
    )
    return folder / "dist"


def new_venv(folder: Path) -> Path:
    run(sys.executable, "-m", "venv", folder)
    return folder / "bin" / "python"


def lend_dependencies(python: Path) -> None:
    """Let a venv see what is installed here, behind what is installed there. Without the package:
    a line of a `.pth` adds a folder, but does not obey the `.pth` files in it."""
    (folder,) = (python.parents[1] / "lib").glob("python*/site-packages")
    (folder / "lent.pth").write_text(sysconfig.get_path("purelib"))


def names_in_wheel(dist: Path) -> set[str]:
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def test_the_wheel_holds_the_core_and_none_of_its_sources(built):
    names = names_in_wheel(built)
    assert any(name.startswith("bise/ops/cpu/_core") for name in names)
    assert "bise/assets/nano/tekken.json" in names
    assert "bise/serve/page/index.html" in names
    assert any(name.startswith("bise/serve/page/assets/") for name in names)
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"bise"}
    assert not any("native" in Path(name).parts for name in names)
    assert not {Path(name).suffix for name in names} & {".o", ".command"}


def test_the_wheel_names_the_system_it_is_for(built):
    (wheel,) = built.glob("*.whl")
    assert not wheel.name.endswith("-any.whl")


def test_the_sdist_holds_every_source_of_the_core(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    own = {str(one.relative_to(ROOT)) for one in (ROOT / NATIVE).iterdir()}
    assert own <= names and {"setup.py", "pyproject.toml", "LICENSE"} <= names


def test_the_wheel_computes_with_its_core(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    python = new_venv(tmp_path / "venv")
    run(python, "-m", "pip", "install", "-q", "--no-deps", wheel)
    lend_dependencies(python)
    told = run(python.with_name("bise"), "doctor", cwd=tmp_path)
    assert str(tmp_path) in told and "none" not in told
    assert "42" in run(python.with_name("bise"), "chat", "nano", stdin="What is 12 + 30?")


def test_without_any_compiler_torch_computes(built, tmp_path):
    (sdist,) = built.glob("*.tar.gz")
    python = new_venv(tmp_path / "venv")
    run(python, "-m", "pip", "install", "-q", "--no-deps", sdist, CXX="/bin/false")
    lend_dependencies(python)
    told = run(python.with_name("bise"), "doctor", cwd=tmp_path)
    assert "without a C++ compiler; torch computes instead" in told
    assert "42" in run(python.with_name("bise"), "chat", "nano", stdin="What is 12 + 30?")
