"""`bise doctor`: what this machine computes with, and why."""

import json
import os
import sys

import torch

from bise import __version__
from bise.commands.show import out
from bise.model.memory import available_memory_bytes
from bise.ops.cpu.library import ISAS, core, core_path, library
from bise.ops.cpu.pool import num_workers
from bise.train.start import processor

MEANS = {
    "portable": "plain C++ loops: slow, and right on every processor",
    "avx2": "256-bit products in fp32 and of bytes",
    "avx512": "512-bit products of bytes and bfloat16 (VNNI, BF16)",
    "amx": "matrix tiles for many tokens, 512-bit products for few",
}


def doctor(*, as_json: bool) -> None:
    """Print it, in words or as JSON."""
    found = diagnosis()
    if as_json:
        out().print(json.dumps(found, indent=1), markup=False)
        return
    width = max(map(len, found))
    for name, value in found.items():
        out().print(f"{name:<{width}}  {value}", markup=False, soft_wrap=True)


def diagnosis() -> dict[str, str]:
    """Name and finding, in the order of a report."""
    found = {
        "bise": __version__,
        "python": sys.version.split()[0],
        "torch": f"{torch.__version__}, {torch.get_num_threads()} threads",
        "processor": f"{processor()}, {os.cpu_count()} of it",
        "memory": f"{available_memory_bytes() / 2**30:.1f} GiB to be had",
    }
    return found | (core_findings() if library() is not None else without_core())


def core_findings() -> dict[str, str]:
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


def without_core() -> dict[str, str]:
    return {
        "core": "none: this installation was built without a C++ compiler; torch computes instead",
        "because": "install a C++17 compiler and the package again, to be several times faster",
    }
