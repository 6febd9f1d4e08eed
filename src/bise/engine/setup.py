"""An engine's settings, and a core made from them: the same here, in a child, in a benchmark."""

from dataclasses import dataclass

import torch

from bise.engine.core import Core
from bise.engine.guesses import Guesses
from bise.engine.runner import ExactRunner, Runner, cache_room
from bise.engine.shelf import BothCaches, Shelf
from bise.errors import UserError, quoted
from bise.model.cache import CacheKind
from bise.model.config import ModelConfig
from bise.model.eagle import EagleHead
from bise.model.network import Network

CACHE_KINDS: tuple[CacheKind, ...] = ("plain", "fp8", "int8")


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineConfig:
    """How an engine works; what it says does not depend on it, but for the last bits."""

    max_running: int = 8
    """Replies computed at once; more wait."""

    is_exact: bool = False
    """The same text gives the same bits whatever shares a pass; several times slower."""

    cache_kind: CacheKind = "plain"
    spill_bytes: int = 0
    """Room on disk for pages memory has no room for."""

    shares_prefixes: bool = True
    speculates: bool = True

    def __post_init__(self) -> None:
        if self.max_running < 1:
            raise UserError(f"`max_running` is {self.max_running}, expected 1 or more")
        if self.cache_kind not in CACHE_KINDS:
            raise UserError(
                f"the cache kind is `{self.cache_kind}`, expected one of {quoted(CACHE_KINDS)}"
            )
        if self.spill_bytes < 0:
            raise UserError(f"`spill_bytes` is {self.spill_bytes}, expected 0 or more")


SMALL_DIM = 512
"""Networks no wider than this do so little in a product that a second thread is in the way."""


def is_small(config: ModelConfig) -> bool:
    return config.dim <= SMALL_DIM


def use_threads_for(config: ModelConfig) -> None:
    """Tell torch how many threads a product of this network deserves, for the whole process.

    For programs of our own only; whoever embeds a model decides this for themselves. Measured on
    nano beside a busy neighbour: one thread 100 tokens/s, two that wait for each other 6.
    """
    if is_small(config):
        torch.set_num_threads(1)


def make_core(
    network: Network,
    config: EngineConfig,
    *,
    head: EagleHead | None = None,
    seed: int | None = None,
) -> Core:
    """A core around a network in memory; close it when done. head: guesses ahead for the network"""
    room = cache_room(network.config, config.max_running, kind=config.cache_kind)
    kind = ExactRunner if config.is_exact else Runner
    runner = kind(network, room, cache_kind=config.cache_kind)
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
    )
