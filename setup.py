"""Builds the C++ core beside the package: one library, every kernel in a variant per instruction set.

All else about the package is in pyproject.toml. Without a C++ compiler, or for a processor the core
knows nothing about, the package installs all the same and computes with torch.
"""

import os
import platform
import shlex
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
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
"""A source `*_avx512.cpp` is compiled for that; every other for any processor of its kind."""


def flags_of(source: Path) -> list[str]:
    """What the compiler is told for one file."""
    variant = source.stem.rpartition("_")[2]
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    extra = VARIANTS.get(variant, []) if is_x86 else []
    return [*COMMON, *FAST, *extra, *shlex.split(os.environ.get("BISE_CXXFLAGS", ""))]


def is_stale(made: Path, sources: list[Path]) -> bool:
    return not made.exists() or any(one.stat().st_mtime > made.stat().st_mtime for one in sources)


class BuildCore(build_ext):
    """Compiles what changed, two files at a time, and links."""

    def build_extension(self, ext: Extension) -> None:
        target = Path(self.get_ext_fullpath(ext.name))
        try:
            self._build(target)
        except (OSError, subprocess.CalledProcessError) as error:
            if os.environ.get("BISE_REQUIRE_CORE"):
                raise
            print(f"warning: no C++ core ({error}); torch computes instead", file=sys.stderr)

    def _build(self, target: Path) -> None:
        compiler = shlex.split(os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "c++")
        folder = Path(self.build_temp) / "core"
        folder.mkdir(parents=True, exist_ok=True)
        headers = [*NATIVE.glob("*.h"), Path(__file__)]
        sources = sorted(NATIVE.glob("*.cpp"))

        def compiled(source: Path) -> Path:
            made = folder / f"{source.stem}.o"
            if is_stale(made, [source, *headers]):
                command = [*compiler[:1], *flags_of(source), "-c", str(source), "-o", str(made)]
                subprocess.run(command, check=True)
            return made

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            made = list(pool.map(compiled, sources))
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_stale(target, made):
            extra = shlex.split(os.environ.get("BISE_CXXFLAGS", ""))
            objects = [str(one) for one in made]
            command = [*compiler[:1], "-shared", "-pthread", *extra, *objects, "-o", str(target)]
            subprocess.run(command, check=True)

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
