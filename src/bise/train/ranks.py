"""Several processes that train one network, each on its own part of every step.

Two processes of one thread beat one process of two threads by half on a CPU, and the same few
collectives carry over to many machines. With one process every call here is a no-op.
"""

import multiprocessing
import os
import socket
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.queues import SimpleQueue

import torch
import torch.distributed as dist
from torch import Tensor

from bise.errors import UserError

TIMEOUT_S = 600


class Ranks:
    """Which of how many processes this is, and what they say to each other."""

    def __init__(self, rank: int = 0, world: int = 1):
        self.rank = rank
        self.world = world

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def sum_(self, tensor: Tensor) -> Tensor:
        """Add up over all ranks, in place, for everybody."""
        if self.world > 1:
            dist.all_reduce(tensor)
        return tensor

    def sum_at_(self, tensor: Tensor, owner: int) -> Tensor:
        """Add up over all ranks, in place, for the owner alone; elsewhere it is spoilt."""
        if self.world > 1:
            dist.reduce(tensor, dst=owner)
        return tensor

    def spread_(self, tensor: Tensor, owner: int) -> Tensor:
        """Give everybody the owner's numbers."""
        if self.world > 1:
            dist.broadcast(tensor, src=owner)
        return tensor

    def agree(self, claim: bool) -> bool:
        """What the first rank says: clocks differ, and a decision must be one."""
        said = torch.tensor([int(claim)])
        return bool(self.spread_(said, 0).item())

    def meet(self) -> None:
        """Wait until everybody has come here."""
        if self.world > 1:
            dist.all_reduce(torch.zeros(1))

    def gather(self, own: dict[int, object]) -> dict[int, object]:
        """Everybody's entries in one dict: small, and only plain numbers and lists."""
        if self.world == 1:
            return own
        said: list[dict[int, object] | None] = [None] * self.world
        dist.all_gather_object(said, own)
        return {key: value for one in said if one is not None for key, value in one.items()}

    def number(self, value: float) -> float:
        """The first rank's number."""
        return self.spread_(torch.tensor([value], dtype=torch.float64), 0).item()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _join(rank: int, world: int, port: int) -> Ranks:
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // world))
    dist.init_process_group(
        "gloo",
        init_method=f"tcp://127.0.0.1:{port}",
        rank=rank,
        world_size=world,
        timeout=timedelta(seconds=TIMEOUT_S),
    )
    return Ranks(rank, world)


def _other(
    index: int,
    world: int,
    port: int,
    faults: SimpleQueue[UserError],
    work: Callable[..., object],
    args: tuple,
) -> None:
    """A process beside the first: a user's fault is for the first one to tell."""
    ranks = _join(index + 1, world, port)
    try:
        work(ranks, *args)
    except UserError as fault:
        faults.put(fault)
        return
    dist.destroy_process_group()


def launch(world: int, work: Callable[..., object], *args: object) -> None:
    """Run `work(ranks, *args)` in `world` processes; this one is the first."""
    if world == 1:
        work(Ranks(), *args)
        return
    port = _free_port()
    spawn = multiprocessing.get_context("spawn")
    faults: SimpleQueue[UserError] = spawn.SimpleQueue()
    others = [
        spawn.Process(target=_other, args=(index, world, port, faults, work, args), daemon=True)
        for index in range(world - 1)
    ]
    for process in others:
        process.start()
    try:
        work(_join(0, world, port), *args)
        dist.destroy_process_group()
        for process in others:
            process.join()
    except RuntimeError:  # what a collective says when another process is gone
        if faults.empty():
            raise
    finally:
        for process in others:
            process.kill()
        if dist.is_initialized():
            dist.destroy_process_group()
    if not faults.empty():
        raise faults.get()
