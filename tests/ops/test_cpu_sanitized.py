"""The core under the sanitizers, by other compilers, and for another processor. Minutes each."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bise.ops.cpu.library import ISAS, core

ROOT = Path(__file__).parents[2]
DRIVER = ROOT / "tests" / "ops" / "native" / "driver.cpp"
NATIVE = ROOT / "src" / "bise" / "ops" / "cpu" / "native"
ADDRESS = "-fsanitize=address,undefined -fno-sanitize-recover=all -g -O1"
THREAD = "-fsanitize=thread -g -O1"

TESTED = [
    "tests/ops/test_cpu_pool.py",
    "tests/ops/test_cpu_rows.py",
    "tests/ops/test_cpu_matrix.py",
    "tests/ops/test_cpu_pack_files.py",
    "tests/ops/test_cpu_attention.py",
    "tests/ops/test_cpu_choose.py",
    "tests/ops/test_cpu_refusals.py",
    "tests/model/test_packed.py",
    "tests/model/test_packed_eye.py",
    "tests/model/test_packed_fuzz.py",
    "tests/model/test_packed_threads.py",
]

pytestmark = [pytest.mark.full, pytest.mark.skipif(os.name != "posix", reason="needs a shell")]


def run(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """In a child that knows nothing of this test run."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "BISE_"))}
    return subprocess.run(
        command, cwd=ROOT, env=own | variables, capture_output=True, text=True, timeout=3000
    )


def done(made: subprocess.CompletedProcess[str]) -> str:
    said = made.stdout + made.stderr
    assert made.returncode == 0, said[-8000:]
    return said


def found(*names: str, hint: str) -> list[str]:
    """What is needed besides a compiler for this processor; without it a test says so."""
    for name in names:
        if shutil.which(name) is None:
            pytest.xfail(f"`{name}` is not installed: {hint}")
    return list(names)


def compiler() -> str:
    name = os.environ.get("CXX", "g++")
    if shutil.which(name) is None:
        pytest.fail(
            f"`{name}` is not there, so nothing of the core was checked: install a compiler"
        )
    return name


def runtime(name: str) -> str:
    """A library of the compiler, to be loaded before all others."""
    path = done(run([compiler(), f"-print-file-name={name}"])).strip()
    if not Path(path).is_absolute():
        pytest.fail(f"`{name}` is not there, so nothing was checked: install the compiler's own")
    return path


def build(folder: Path, cxx: str, flags: str = "") -> Path:
    """The core by this compiler, in this folder; as setup.py would have it but for the flags."""
    temp = ["--build-temp", str(folder / "temp"), "--build-lib", str(folder / "lib")]
    command = [sys.executable, "setup.py", "-q", "build_ext", *temp]
    said = done(run(command, CXX=cxx, BISE_CXXFLAGS=flags, BISE_REQUIRE_CORE="1"))
    assert all("too old" in line for line in said.splitlines() if "warning" in line), said
    (made,) = (folder / "lib" / "bise" / "ops" / "cpu").glob("_core*")
    return made


def build_driver(folder: Path, cxx: str, flags: str = "") -> str:
    """The C++ tests, linked with the objects of a core that was built there."""
    build(folder, cxx, flags)
    objects = [str(one) for one in sorted((folder / "temp" / "core").glob("*.o"))]
    command = [cxx, "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", *flags.split()]
    made = folder / "driver"
    done(run([*command, f"-I{NATIVE}", str(DRIVER), *objects, "-o", str(made)]))
    return str(made)


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> dict[str, str]:
    """Variables with which Python uses a core that watches its memory and its arithmetic."""
    made = build(tmp_path_factory.mktemp("address"), compiler(), ADDRESS)
    return {
        "BISE_CORE": str(made),
        "LD_PRELOAD": f"{runtime('libasan.so')} {runtime('libstdc++.so')}",
        "ASAN_OPTIONS": "detect_leaks=0",  # Python keeps what it has until the end
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="preloading is Linux's")
def test_a_read_beyond_the_end_would_be_found(watched):
    """That the next test can fail: past the checks of the wrappers, one row behind the table."""
    script = (
        "import torch, ctypes\nfrom bise.ops.cpu.library import address, core\n"
        "table, ids, out = torch.ones(3, 64), torch.tensor([3]), torch.ones(64)\n"
        "one = ctypes.c_int64(1)\n"
        "core().bise_embed(address(table), ctypes.c_int64(0), ctypes.c_int64(64),"
        " address(ids), one, address(out))\n"
    )
    made = run([sys.executable, "-c", script], **watched)
    assert made.returncode != 0 and "heap-buffer-overflow" in made.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="preloading is Linux's")
def test_nothing_is_read_or_written_out_of_place(watched):
    quick = ["-x", "-m", "not slow and not full", "-p", "no:xdist", "--capture=sys"]
    said = done(run([sys.executable, "-m", "pytest", *quick, *TESTED], **watched))
    assert " passed" in said and "skipped" not in said, said[-2000:]


def test_threads_do_not_race(tmp_path):
    runtime("libtsan.so")
    said = done(run([build_driver(tmp_path, compiler(), THREAD), "5"]))
    assert "portable is right" in said and "WARNING" not in said


def test_the_driver_finds_all_right_by_clang(tmp_path):
    (clang,) = found("clang++", hint="apt install clang")
    assert "portable is right" in done(run([build_driver(tmp_path, clang)]))


def test_the_portable_variant_is_right_on_aarch64(tmp_path):
    hint = "apt install g++-aarch64-linux-gnu qemu-user"
    cxx, qemu = found("aarch64-linux-gnu-g++", "qemu-aarch64", hint=hint)
    driver = build_driver(tmp_path, cxx)
    assert done(run([qemu, "-L", "/usr/aarch64-linux-gnu", driver, "2"])) == "portable is right\n"


@pytest.mark.parametrize(
    ("unknown", "best"), [("-mamx", "avx512"), ("-mavx512", "avx2"), ("-mavx2", "portable")]
)
def test_a_compiler_too_old_for_a_variant_makes_the_others(tmp_path, unknown, best):
    old = tmp_path / "old"
    old.write_text(
        f'#!/bin/sh\ncase "$*" in *{unknown}*) echo "unknown option {unknown}" >&2; exit 1;; esac\n'
        f'exec {compiler()} "$@"\n'
    )
    old.chmod(0o755)
    driver = build_driver(tmp_path, str(old))
    said = done(run([driver, "1"]))
    here = core().bise_best_isa()
    assert f"{ISAS[min(here, ISAS.index(best))]} is right" in said
    assert not any(f"{name} is right" in said for name in ISAS[ISAS.index(best) + 1 :])


def test_code_is_made_for_no_machine_but_those_with_a_variant():
    """`-march=native` would make wheels that die elsewhere."""
    assert "march" not in (ROOT / "setup.py").read_text()
