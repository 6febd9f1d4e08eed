"""Builds the C++ core beside the package: one library, its kernels in variants for processors.

All else about the package is in pyproject.toml. Without a C++ compiler, or for a processor the core
knows nothing about, the package installs all the same and computes with torch.
"""

import os
import shlex
import shutil
import subprocess
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

NATIVE = Path("src/bise/ops/cpu/native")

COMMON = ["-std=c++17", "-O3", "-fPIC", "-fvisibility=hidden", "-pthread", "-Wall", "-Wextra"]
FAST = ["-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]

AVX2 = ["-mavx2", "-mfma", "-mf16c"]
AVX512 = [*AVX2, *(f"-mavx512{part}" for part in ("f", "bw", "vl", "dq", "vnni", "bf16"))]
AMX = [*AVX512, "-mamx-tile", "-mamx-int8", "-mamx-bf16"]
VARIANTS = {"avx2": AVX2, "avx512": AVX512, "amx": AMX}
"""A source `*_avx512.cpp` is compiled for that; every other for any processor of its kind. Each
needs the one before it."""


def find_compiler() -> list[str]:
    """What CXX says; else Python's own C++ compiler, or the first there is."""
    if named := shlex.split(os.environ.get("CXX", "")):
        return named
    own = shlex.split(sysconfig.get_config_var("CXX") or "")
    command = list(takewhile(lambda word: not word.startswith("-"), own))
    for one in (command, ["c++"], ["g++"], ["clang++"]):
        if one and shutil.which(one[0]):
            return one
    raise FileNotFoundError("no C++ compiler was found")


def is_for_x86(compiler: list[str]) -> bool:
    """Asked of the compiler: it may make code for another machine than this one."""
    asked = [*compiler, "-dumpmachine"]
    said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    return said.partition("-")[0] in ("x86_64", "amd64")


def variants_of(compiler: list[str]) -> list[str]:
    """The variants that this compiler knows how to make: an old one leaves out the newest."""
    return list(takewhile(lambda name: takes(compiler, VARIANTS[name]), VARIANTS))


def takes(compiler: list[str], flags: list[str]) -> bool:
    """Whether a compiler knows these flags, and has the functions that go with them."""
    asked = [*compiler, *flags, "-x", "c++", "-fsyntax-only", "-"]
    said = subprocess.run(asked, input="#include <immintrin.h>", capture_output=True, text=True)
    return said.returncode == 0


def variant_of(source: Path) -> str | None:
    """Of the processor that a file is for; None for any."""
    name = source.stem.rpartition("_")[2]
    return name if name in VARIANTS else None


def flags_of(source: Path, variants: list[str]) -> list[str]:
    """What the compiler is told for one file, when it makes these variants."""
    extra = VARIANTS.get(variant_of(source) or "", [])
    known = f"-DBISE_VARIANTS={len(variants)}"
    return [*COMMON, *FAST, known, *extra, *shlex.split(os.environ.get("BISE_CXXFLAGS", ""))]


def run_if_stale(made: Path, sources: list[Path], command: list[str]) -> None:
    """Make a file anew where a source is newer, or it was made by another command."""
    note, said = made.with_name(f"{made.name}.command"), shlex.join(command)
    if made.exists() and note.exists() and note.read_text() == said:
        when = made.stat().st_mtime
        if all(one.stat().st_mtime <= when for one in sources):
            return
    note.unlink(missing_ok=True)  # an interrupted compiler may leave half a file
    subprocess.run(command, check=True)
    note.write_text(said)


class BuildCore(build_ext):
    """Compiles what changed, as many files at a time as there are processors, and links."""

    def build_extension(self, ext: Extension) -> None:
        target = Path(self.get_ext_fullpath(ext.name))
        try:
            self._build(target)
        except (OSError, subprocess.CalledProcessError) as error:
            if os.environ.get("BISE_REQUIRE_CORE"):
                raise
            target.unlink(missing_ok=True)  # one made from older sources would not fit
            self.warn(f"no C++ core ({error}); torch computes instead")

    def _build(self, target: Path) -> None:
        compiler = find_compiler()
        variants = self._variants(compiler)
        folder = Path(self.build_temp) / "core"
        folder.mkdir(parents=True, exist_ok=True)
        headers = [*NATIVE.glob("*.h"), Path(__file__)]
        every = sorted(NATIVE.glob("*.cpp"))
        sources = [one for one in every if variant_of(one) in (None, *variants)]

        def compiled(source: Path) -> Path:
            made = folder / f"{source.stem}.o"
            command = [*compiler, *flags_of(source, variants), "-c", str(source), "-o", str(made)]
            run_if_stale(made, [source, *headers], command)
            return made

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            made = list(pool.map(compiled, sources))
        target.parent.mkdir(parents=True, exist_ok=True)
        extra = shlex.split(os.environ.get("BISE_CXXFLAGS", ""))
        linked = folder / target.name
        objects = [str(one) for one in made]
        command = [*compiler, "-shared", "-pthread", *extra, *objects, "-o", str(linked)]
        run_if_stale(linked, made, command)
        shutil.copy2(linked, target)

    def _variants(self, compiler: list[str]) -> list[str]:
        """What can be made for x86; elsewhere the portable variant is all there is."""
        if not is_for_x86(compiler):
            return []
        variants = variants_of(compiler)
        if missing := [name for name in VARIANTS if name not in variants]:
            self.warn(f"`{shlex.join(compiler)}` is too old to make code for {', '.join(missing)}")
        return variants

    def get_outputs(self) -> list[str]:
        """Only what there is: a missing core must not stop a wheel."""
        return [one for one in super().get_outputs() if Path(one).exists()]

    def copy_extensions_to_source(self) -> None:
        """Beside the sources, for an editable installation; nothing if there is nothing."""
        names = [self.get_ext_filename(ext.name) for ext in self.extensions]
        if all((Path(self.build_lib) / name).exists() for name in names):
            super().copy_extensions_to_source()


core = Extension(
    "bise.ops.cpu._core",
    sources=[str(one) for one in sorted(NATIVE.glob("*.cpp"))],
    depends=[str(one) for one in sorted(NATIVE.glob("*.h"))],
)
setup(ext_modules=[core], cmdclass={"build_ext": BuildCore})
