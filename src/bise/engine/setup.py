"""An engine's settings, and a core made from them: the same here, in a child, in a benchmark."""

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch

from bise.engine.core import Core
from bise.engine.core_runner import CoreRunner
from bise.engine.grammars import Vocabulary
from bise.engine.guesses import Guesses
from bise.engine.runner import ExactRunner, Runner, StepRunner, cache_room
from bise.engine.shelf import BothCaches, Shelf
from bise.errors import UserError, quoted
from bise.model.cache import CacheKind
from bise.model.checkpoint import load_network, open_checkpoint
from bise.model.config import ModelConfig
from bise.model.convert import Progress
from bise.model.eagle import EagleHead
from bise.model.network import Network
from bise.model.packed import PackedNetwork, WeightKind
from bise.model.packed_file import PackedFolder, is_packed
from bise.model.packed_source import FromCheckpoint, FromNetwork
from bise.model.stored import Layout
from bise.ops.cpu.library import core as native_core
from bise.ops.cpu.library import describe, library

Backend = Literal["auto", "core", "torch"]
"""What executes a step: the C++ core, plain torch, or the core where there is one."""


CHOICES: dict[str, tuple[str, ...]] = {
    "cache_kind": get_args(CacheKind),
    "backend": get_args(Backend),
    "weights": get_args(WeightKind),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineConfig:
    """How an engine works."""

    max_running: int = 8
    """Replies computed at once; more wait."""

    is_exact: bool = False
    """The same text gives the same bits whatever shares a pass; slower, in torch several times."""

    cache_kind: CacheKind = "plain"
    """How entries are kept: as computed, or in 8 bits."""

    spill_bytes: int = 0
    """Room on disk for pages memory has no room for."""

    backend: Backend = "auto"
    """What executes steps."""

    weights: WeightKind = "stored"
    """How the core keeps matrices; torch has them as computed in."""

    memory_bytes: int = 0
    """For packed weights, whose experts are read from disk beyond it; 0 is what can be spared."""

    shares_prefixes: bool = True
    speculates: bool = True
    """These two are off only to measure what they bring."""

    def __post_init__(self) -> None:
        if self.max_running < 1:
            raise UserError(f"`max_running` is {self.max_running}, expected 1 or more")
        for name, kinds in CHOICES.items():
            if getattr(self, name) not in kinds:
                raise UserError(
                    f"`{name}` is `{getattr(self, name)}`, expected one of {quoted(kinds)}"
                )
        if self.weights != "stored" and self.backend == "torch":
            raise UserError(f"torch does not compute with `{self.weights}` weights")
        for name in ("spill_bytes", "memory_bytes"):
            if getattr(self, name) < 0:
                raise UserError(f"`{name}` is {getattr(self, name)}, expected 0 or more")


SMALL_DIM = 512
"""Networks no wider than this do so little in a product that a second thread is in the way."""


def is_small(config: ModelConfig) -> bool:
    return config.dim <= SMALL_DIM


def use_threads_for(config: ModelConfig) -> None:
    """Tell torch how many threads a product of this network deserves; the core knows by itself.

    For the whole process, and so for programs of our own only; whoever embeds a model decides this
    for themselves. Measured on nano beside a busy neighbour: one thread 100 tokens/s, two that wait
    for each other 6.
    """
    if is_small(config):
        torch.set_num_threads(1)


def freeze_heap() -> None:
    """Let the garbage collector pass over everything there is now, which stays for good.

    A full collection looks at all that torch and we have made since the start: 85 ms in which no
    stream moves. For programs of our own, as `use_threads_for` is; call it when all is loaded.
    """
    gc.collect()
    gc.freeze()


def uses_core(config: EngineConfig) -> bool:
    """Whether steps go through the C++ core; refuses what only the core could do without it."""
    if config.backend == "core" or config.weights != "stored":
        native_core()
    return config.backend != "torch" and library() is not None


def open_network(
    folder: Path | str,
    layout: Layout,
    dtype: torch.dtype,
    config: EngineConfig,
    progress: Progress | None = None,
) -> Network | PackedNetwork:
    """Read a folder's weights in the form this engine computes with.

    progress: called with the bytes read so far and in all, where there is something to pack
    """
    if is_packed(folder):
        return PackedFolder(folder).network(config.memory_bytes or None)
    if config.memory_bytes:
        raise UserError(
            "a budget of memory is for packed weights",
            hint=f"pack them first: `bise pack {folder} FOLDER`",
        )
    if not uses_core(config):
        return load_network(folder, dtype, layout)
    source = FromCheckpoint(open_checkpoint(folder, layout))
    return PackedNetwork(source, config.weights, progress)


def make_runner(
    network: Network | PackedNetwork,
    config: EngineConfig,
    num_tokens: int | None = None,
    dtype: torch.dtype | None = None,
) -> StepRunner:
    """What executes steps. A network in memory is packed for the core if that is to be used.

    num_tokens: room in the cache; None is what `cache_room` says
    dtype: of entries, and what torch computes in; None is what suits the network
    """
    if num_tokens is None:
        num_tokens = cache_room(network.config, config.max_running, kind=config.cache_kind)
    if isinstance(network, Network) and not uses_core(config):
        kind = ExactRunner if config.is_exact else Runner
        return kind(network, num_tokens, dtype, cache_kind=config.cache_kind)
    if isinstance(network, Network):
        dtype = dtype or network.embed.weight.dtype
        network = PackedNetwork(FromNetwork(network), config.weights)
    if dtype is None:
        dtype = entries_dtype(network.config)
    return CoreRunner(network, num_tokens, dtype, config.cache_kind, is_exact=config.is_exact)


def entries_dtype(config: ModelConfig) -> torch.dtype:
    """What the core keeps of a token: bf16, unless the network is so small that fp32 costs nothing.

    Where vectors multiply bf16 it costs a third of nano's speed; with tiles nobody has measured it.
    """
    is_cheap = is_small(config) and describe() != "avx512"
    return torch.float32 if is_cheap else torch.bfloat16


def make_core(
    network: Network | PackedNetwork,
    config: EngineConfig,
    *,
    head: EagleHead | None = None,
    seed: int | None = None,
    vocabulary: Vocabulary | None = None,
) -> Core:
    """A core around a network in memory; close it when done.

    head: guesses ahead for the network; vocabulary: what its ids stand for, None refuses grammars
    """
    runner = make_runner(network, config)
    guesses = Guesses(runner, head)
    pages = runner.cache if guesses.cache is None else BothCaches(runner.cache, guesses.cache)
    return Core(
        runner,
        config.max_running,
        seed=seed,
        shares_prefixes=config.shares_prefixes,
        speculates=config.speculates,
        guesses=guesses,
        sees_aside=True,
        shelf=Shelf(pages, config.spill_bytes) if config.spill_bytes else None,
        vocabulary=vocabulary,
    )
