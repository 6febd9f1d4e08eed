"""`bise doctor`: what this machine computes with and why, what it can run, and what is wrong."""

import json
import os
import resource
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from bise import __version__
from bise.commands.show import out
from bise.errors import UserError
from bise.model import inspect
from bise.model.inspect import BYTES_A_WEIGHT
from bise.model.memory import available_memory_bytes
from bise.ops.cpu.library import ISAS, core, core_path, library
from bise.ops.cpu.pool import num_workers
from bise.settings import ServeSettings
from bise.sources import read_settings
from bise.train.start import processor

MEANS = {
    "portable": "plain C++ loops: slow, and right on every processor",
    "avx2": "256-bit products in fp32 and of bytes",
    "avx512": "512-bit products of bytes and bfloat16 (VNNI, BF16)",
    "amx": "matrix tiles for many tokens, 512-bit products for few",
}


KINDS = ("bf16", "int8", "int4")
GIB = 2**30
FEW_FILES = 2048
"""Each client takes one, and the default limit of connections is 1024."""


def doctor(*, as_json: bool) -> None:
    """Print it, in words or as JSON."""
    found = diagnosis()
    if as_json:
        out().print(json.dumps(found, indent=1), markup=False)
        return
    width = max(map(len, found))
    for name, value in found.items():
        for number, line in enumerate([value] if isinstance(value, str) else value):
            shown = name if number == 0 else ""
            out().print(f"{shown:<{width}}  {line}", markup=False, soft_wrap=True)


def diagnosis() -> dict[str, str | list[str]]:
    """Name and findings, in the order of a report."""
    found: dict[str, str | list[str]] = {
        "bise": __version__,
        "python": sys.version.split()[0],
        "torch": f"{torch.__version__}, {torch.get_num_threads()} threads",
        "processor": f"{processor()}, {os.cpu_count()} of it",
        "memory": f"{available_memory_bytes() / GIB:.1f} GiB to be had",
    }
    found |= core_findings() if library() is not None else without_core()
    found["can run"] = [can_run("nano"), can_run("small4")]
    found["wrong"] = list(troubles()) or ["nothing was found"]
    return found


def can_run(preset: str) -> str:
    """In which forms a model's weights fit into memory, beside a conversation."""
    report = inspect(preset)
    needs = {kind: report.num_parameters * BYTES_A_WEIGHT[kind] for kind in KINDS}
    fitting = [kind for kind in KINDS if needs[kind] < report.memory_bytes]
    if fitting:
        return f"{preset}: in {', '.join(fitting)}"
    need = f"{needs['int4'] / GIB:,.0f} GiB even in int4"
    return f"{preset}: needs {need}; packed (`bise pack`), experts are read from disk, slowly"


def troubles() -> Iterator[str]:
    """What is wrong here, and what to do about it."""
    if library() is None:
        yield "there is no C++ core: install a C++17 compiler and the package again"
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < FEW_FILES:
        yield f"only {soft} files may be open: `ulimit -n 65536` before `bise serve`"
    try:
        effective = read_settings({})
    except UserError as fault:
        yield f"the settings are not valid: {fault.message}"
        return
    yield from effective.warnings
    yield from troubles_of(effective.settings)


def troubles_of(settings: ServeSettings) -> Iterator[str]:
    """What `bise serve` would meet with its settings as they are."""
    keys = Path(settings.keys)
    if settings.keys and not keys.is_file():
        yield f"the key file `{keys}` is not there: make keys with `bise keys add`"
    elif settings.keys and keys.stat().st_mode & 0o077:
        yield f"others can read the key file `{keys}`: `chmod 600 {keys}`"
    if settings.port and not is_free(settings.host, settings.port):
        yield f"port {settings.port} of {settings.host} is taken: pass another `--port`"


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError:
        return False
    return True


def core_findings() -> dict[str, str | list[str]]:
    best, used = ISAS[core().bise_best_isa()], ISAS[core().bise_isa()]
    why = "the best this processor and system allow"
    if used != best:
        why = f"asked for by BISE_ISA={os.environ.get('BISE_ISA')}; {best} would be faster"
    named = ", named by BISE_CORE" if os.environ.get("BISE_CORE") else ""
    return {
        "core": f"{used}: {MEANS[used]}",
        "because": why,
        "core file": f"{core_path()}{named}",
        "workers": f"{num_workers()}, as affinity and quotas of this process allow",
    }


def without_core() -> dict[str, str | list[str]]:
    return {
        "core": "none: this installation was built without a C++ compiler; torch computes instead",
        "because": "install a C++17 compiler and the package again, to be several times faster",
    }
