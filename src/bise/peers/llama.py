"""llama.cpp and ik_llama.cpp: a build of theirs, our driver compiled against it, a GGUF twin.

A build is a folder cmake made, with shared libraries. The driver is one small program in
`llama_driver.cpp`; a path to a program that talks the same way (`talk.py`) is taken as it is.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

from bise.errors import NotFound, UserError
from bise.model.gguf import network_bytes, write_network
from bise.model.packed_source import Source

LlamaFormat = Literal["bf16", "f16", "q8_0", "q4_0", "q4_k_m"]
FORMATS: tuple[LlamaFormat, ...] = get_args(LlamaFormat)

DRIVER = Path(__file__).with_name("llama_driver.cpp")

SETTINGS = {"llamacpp": ("2048", "1"), "ik": ("2048", "1")}
"""Micro batch and flash attention; the fastest of those tried."""


@dataclass(frozen=True, slots=True)
class LlamaBuild:
    """What somebody built."""

    name: str
    path: Path
    """A build folder, or a driver that is ready."""

    source: Path | None
    """The source tree a build folder was made from."""

    @property
    def settings(self) -> tuple[str, str]:
        return SETTINGS[self.name]

    def driver(self, folder: Path) -> Path:
        """A program around this build's library, compiled into a folder if it is not there."""
        if self.source is None:
            return self.path
        made = folder / f"{self.name}-driver-{sha256(str(self.path).encode()).hexdigest()[:12]}"
        if not made.exists():
            self._compile(made)
        return made

    def _compile(self, made: Path) -> None:
        assert self.source is not None
        library = self.library()
        folders = {path.parent for path in self.path.rglob("*.so")}
        command = [
            os.environ.get("CXX", "c++"),
            "-O2",
            "-std=c++17",
            str(DRIVER),
            f"-I{self.source / 'include'}",
            f"-I{self.source / 'ggml' / 'include'}",
            *(["-DIK"] if self._is_ik() else []),
            "-o",
            str(made),
            str(library),
            *(f"-Wl,-rpath,{one}" for one in sorted(folders)),
            *(f"-Wl,-rpath-link,{one}" for one in sorted(folders)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            first = next((line for line in done.stderr.splitlines() if "error" in line), "")
            raise UserError(f"the driver of {self.name} does not compile: {first}")

    def library(self) -> Path:
        found = next(iter(sorted(self.path.rglob("libllama.so"))), None)
        if found is None:
            raise NotFound(
                f"`{self.path}` has no `libllama.so`",
                hint="build it there with `cmake -DBUILD_SHARED_LIBS=ON`",
            )
        return found

    def _is_ik(self) -> bool:
        assert self.source is not None
        return "mla_attn" in (self.source / "include" / "llama.h").read_text()

    def tool(self, name: str) -> Path | None:
        """A program of theirs, if it was built."""
        return next((path for path in self.path.rglob(name) if os.access(path, os.X_OK)), None)


def find_build(name: str, path: Path) -> LlamaBuild:
    """Look at what a user pointed at."""
    if not path.exists():
        raise NotFound(f"`{path}` is not there", hint=f"build {name} and pass its build folder")
    path = path.resolve()
    if path.is_file():
        return LlamaBuild(name, path, None)
    cache = path / "CMakeCache.txt"
    if not cache.exists():
        raise NotFound(f"`{path}` is no build folder of cmake", hint="it has a `CMakeCache.txt`")
    home = re.search(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", cache.read_text(), re.MULTILINE)
    assert home is not None, "cmake writes its home"
    build = LlamaBuild(name, path, Path(home[1]))
    build.library()
    return build


def twin_name(format: LlamaFormat) -> str:
    return f"{format}.gguf"


def twin_bytes(source: Source, format: LlamaFormat) -> int:
    if format != "q4_k_m":
        return network_bytes(source, format)
    return network_bytes(source, "bf16") + network_bytes(source, "q8_0")


def make_twin(source: Source, folder: Path, format: LlamaFormat, build: LlamaBuild) -> Path:
    """Write the weights as GGUF, unless it is there from another peer with the same format."""
    made = folder / twin_name(format)
    if made.exists():
        return made
    if format != "q4_k_m":
        write_network(source, made, format)
        return made
    quantize = build.tool("llama-quantize")
    if quantize is None:
        raise NotFound(f"`{build.path}` has no `llama-quantize`, which makes Q4_K_M")
    plain = folder / "for-quantize.gguf"
    write_network(source, plain, "bf16")
    try:
        command = [str(quantize), str(plain), str(made), "Q4_K_M"]
        subprocess.run(command, check=True, capture_output=True)
    except subprocess.CalledProcessError as fault:
        raise UserError(f"`llama-quantize` ended with status {fault.returncode}") from fault
    finally:
        plain.unlink()
    return made


def free_bytes(folder: Path) -> int:
    """Room on the disk a folder is on."""
    return shutil.disk_usage(folder).free
