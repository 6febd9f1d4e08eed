"""vLLM: a Python that has it, and its twin of the weights.

The twin is Mistral's own layout, which vLLM reads for Mistral Large 3 and Small 4: its network for
DeepSeek V3, with softmax routing, growing queries and no YaRN factor in the softmax. No module here
is called `vllm`: children have this folder on their path.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

from bise.errors import NotFound, UserError
from bise.model.config import LatentAttentionConfig, ModelConfig

CHILD = Path(__file__).with_name("vllm_child.py")

CACHE_BYTES = 2**31
"""Of its cache: 26,000 tokens of `small4-mini`, with whole keys and values."""

HEAD_SIZES = (32, 64, 80, 96, 112, 128, 160, 192, 224, 256, 512)
"""Checked against: vLLM 0.32's `CPUAttentionBackend`."""

INSTALL = "give it an environment of its own, see docs/performance.md"

PROBE = """
import importlib.util, json, sys
found = importlib.util.find_spec("vllm")
folders = list(found.submodule_search_locations or []) if found else []
print(json.dumps({"prefix": sys.prefix, "folders": folders}))
"""

SETTINGS = {
    "VLLM_MLA_DISABLE": "1",  # its latent attention for CPUs takes DeepSeek's widths only
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # one process, which we stop and count the time of
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",  # so that its last line is the reason when it ends
    "HF_HUB_OFFLINE": "1",
    "KMP_BLOCKTIME": "5",  # this and the next as vLLM sets them for its workers
    "KMP_TPAUSE": "0",
}


@dataclass(frozen=True, slots=True)
class VllmPython:
    """An interpreter that can import vLLM."""

    path: Path
    preload: tuple[str, ...]
    """Libraries that vLLM wants before anything else: an allocator, and Intel's OpenMP."""

    def command(self, twin: Path, threads: int) -> list[str]:
        """What it compiles is kept beside the twin, for its next start."""
        kept = {"VLLM_CACHE_ROOT": str(twin.with_name("vllm-compiled"))}
        settings = {**SETTINGS, **kept, "OMP_NUM_THREADS": str(threads)}
        if self.preload:
            settings["LD_PRELOAD"] = ":".join(self.preload)
        words = (f"{name}={value}" for name, value in settings.items())
        return ["env", *words, str(self.path), str(CHILD), str(twin), str(CACHE_BYTES)]


def find_vllm(text: str) -> VllmPython:
    """Look at what a user pointed at: an interpreter, or its name."""
    if not text:
        raise UserError("where is vllm?", hint="pass `--against vllm=PYTHON`")
    found = shutil.which(text)
    if found is None:
        raise NotFound(f"`{text}` is no program", hint="pass the Python that vLLM is installed for")
    try:
        done = subprocess.run(
            [found, "-c", PROBE], capture_output=True, text=True, check=False, timeout=60.0
        )
        said = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        said = None
    if not isinstance(said, dict):
        raise UserError(f"`{text}` is no Python", hint=INSTALL)
    if not said["folders"]:
        raise NotFound(f"`{text}` has no vLLM", hint=INSTALL)
    prefix, package = Path(said["prefix"]), Path(said["folders"][0])
    return VllmPython(Path(found).absolute(), tuple(_preload(prefix, package)))


def _preload(prefix: Path, package: Path) -> Iterator[str]:
    """The allocator from vLLM or the system. Checked against: vLLM's `platforms/cpu.py`."""
    packed = sorted((package / "libs").glob("libtcmalloc_minimal*.so*"))
    allocator = str(packed[0]) if packed else find_library("tcmalloc_minimal")
    if allocator:
        yield allocator
    threads = prefix / "lib" / "libiomp5.so"
    if threads.exists():
        yield str(threads)


def need_readable(config: ModelConfig) -> None:
    """Refuse networks that it would read as another one, or not at all."""
    shape, experts = config.attention, config.experts
    is_whole = experts and experts.num_shared and config.query_scale and config.rope.yarn
    if not isinstance(shape, LatentAttentionConfig) or not is_whole:
        raise UserError("vLLM is compared on networks like Small 4's only")
    if shape.head_dim not in HEAD_SIZES or shape.value > shape.head_dim:
        raise UserError(
            f"vLLM on a CPU has no attention for keys of {shape.head_dim} and values of"
            f" {shape.value}",
            hint=f"keys of {', '.join(map(str, HEAD_SIZES))}, values no wider",
        )
