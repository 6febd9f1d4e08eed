"""Where a step's batches come from: made here, or by processes that work ahead.

A part of a step is a stream of samples of its own (`Stream`), so it does not matter who makes it.
Makers are asked for a step some time before it is taken; a decay therefore begins at the first
step nobody was asked for, and the saved place in a stream is the one behind the last batch *taken*:
a run with makers is the run without them.
"""

import multiprocessing
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any, Protocol

import torch

from bise.errors import UserError
from bise.evals.task import Task
from bise.model.presets import preset
from bise.text import ChatFormat, Tekken
from bise.train.batches import Batch, Cursor, Packer, Sample, collate
from bise.train.config import TrainConfig
from bise.train.conversations import Conversations, stage_at
from bise.train.schedule import Schedule

Place = dict[str, Any]
"""A `Cursor` as plain numbers and lists."""

AHEAD = 3
"""Steps that makers are asked for before they are needed."""

WAIT_S = 120.0
"""A maker that is silent for so long has died."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the samples of a run are made from."""

    config: TrainConfig
    tokenizer: Path
    tasks: Mapping[str, Task]
    clean_tasks: Mapping[str, Task]
    """The same skills without slips, for the decay."""


class Stream:
    """One part of every step: its samples, packed."""

    def __init__(
        self,
        recipe: Recipe,
        chat: ChatFormat,
        part: int,
        schedule: Schedule,
        place: Place | None = None,
    ):
        self.config = recipe.config
        self.part = part
        self.schedule = schedule
        positions = preset(self.config.preset).max_positions
        self.talks = {
            is_clean: Conversations(skills, chat, self.config.mix, max_positions=positions)
            for is_clean, skills in ((False, recipe.tasks), (True, recipe.clean_tasks))
        }
        cursor = Cursor()
        if place is not None:
            waiting = [(index, step) for index, step in place["waiting"]]
            cursor = Cursor(place["next_index"], waiting)
        self.packer = Packer(self._draw, cursor)

    @property
    def place(self) -> Place:
        """Where it stands; a new stream goes on from there."""
        return asdict(self.packer.cursor)

    def batch(self, step: int, schedule: Schedule) -> Batch:
        """What this part of a step trains on. Steps are asked for in order."""
        self.schedule = schedule
        if schedule.is_decaying(step) and step % self.config.long_every == 0:
            return self._long_batch(step)
        return self.packer.batch(step, self.config.part_tokens, self.config.row_tokens)

    def _draw(self, index: int, step: int) -> Sample:
        rng = Random(f"{self.config.seed}/{self.part}/{index}")
        is_decaying = self.schedule.is_decaying(step)
        stage = stage_at(step, self.config.mix, is_decaying=is_decaying)
        return self.talks[is_decaying].draw(rng, stage, max_tokens=max(self.config.row_tokens))

    def _long_batch(self, step: int) -> Batch:
        """Rows of one long conversation each, from a stream of their own."""
        rng = Random(f"{self.config.seed}/{self.part}/long/{step}")
        width = rng.choice(self.config.long_row_tokens)
        stage = stage_at(step, self.config.mix, is_decaying=True)
        rows = [
            [self.talks[True].draw(rng, stage, max_tokens=width, min_tokens=width // 2)]
            for _ in range(self.config.part_tokens // width)
        ]
        return collate(rows, width)


class Feed(Protocol):
    """Gives the batches of one step after another."""

    def take(self, step: int, schedule: Schedule) -> list[Batch]:
        """The batches of this process's parts."""
        ...

    def free_step(self, step: int) -> int:
        """The first step from `step` on whose samples may still be decided."""
        ...

    def places(self) -> dict[int, Place]:
        """By part, where its stream stands behind the last batch taken."""
        ...

    def close(self) -> None: ...


class OwnFeed:
    """Makes batches when they are asked for."""

    def __init__(
        self,
        recipe: Recipe,
        parts: Sequence[int],
        schedule: Schedule,
        places: Mapping[int, Place],
    ):
        chat = ChatFormat(Tekken.from_file(recipe.tokenizer))
        self.streams = [Stream(recipe, chat, p, schedule, places.get(p)) for p in parts]

    def take(self, step: int, schedule: Schedule) -> list[Batch]:
        return [stream.batch(step, schedule) for stream in self.streams]

    def free_step(self, step: int) -> int:
        return step

    def places(self) -> dict[int, Place]:
        return {stream.part: stream.place for stream in self.streams}

    def close(self) -> None:
        pass


class MadeFeed:
    """Takes batches from processes that make them ahead of time."""

    def __init__(
        self,
        recipe: Recipe,
        parts: Sequence[int],
        schedule: Schedule,
        places: Mapping[int, Place],
        *,
        makers: int,
        dtype: torch.dtype,
    ):
        """dtype: what pictures are computed in, and sent in."""
        self.parts = parts
        self._places = {part: places.get(part, asdict(Cursor())) for part in parts}
        self._asked = -1
        """The last step that makers were asked for."""

        spawn = multiprocessing.get_context("spawn")
        self._ends: list[Connection] = []
        self._makers: list[BaseProcess] = []
        for number in range(min(makers, len(parts))):
            own = {part: places.get(part) for part in parts[number::makers]}
            here, there = spawn.Pipe()
            args = (there, recipe, own, schedule, dtype)
            self._makers.append(spawn.Process(target=_make, args=args, daemon=True))
            self._makers[-1].start()
            there.close()
            self._ends.append(here)

    def take(self, step: int, schedule: Schedule) -> list[Batch]:
        made: dict[int, Batch] = {}
        try:
            for ahead in range(max(step, self._asked + 1), step + AHEAD + 1):
                for end in self._ends:
                    end.send((ahead, schedule))
                self._asked = ahead
            for end in self._ends:
                for part, batch, place in _receive(end):
                    made[part] = batch
                    self._places[part] = place
        except (EOFError, ConnectionError):
            raise UserError(
                "a process that makes samples has died or is stuck",
                hint="its message stands above; start again and the run goes on where it was saved",
            ) from None
        return [made[part] for part in self.parts]

    def free_step(self, step: int) -> int:
        return max(step, self._asked + 1)

    def places(self) -> dict[int, Place]:
        return dict(self._places)

    def close(self) -> None:
        for process in self._makers:
            process.kill()
        for process, end in zip(self._makers, self._ends, strict=True):
            process.join()
            end.close()


def _receive(end: Connection) -> list[tuple[int, Batch, Place]]:
    """What a maker made for a step. Sent as plain arrays: tensors would each cost a file handle."""
    if not end.poll(WAIT_S):
        raise EOFError
    said = pickle.loads(end.recv_bytes())
    return [(part, _unpack(packed), place) for part, packed, place in said]


def _make(
    end: Connection,
    recipe: Recipe,
    places: Mapping[int, Place | None],
    schedule: Schedule,
    dtype: torch.dtype,
) -> None:
    """A maker's life: the parts of one step after another, until nobody listens."""
    torch.set_num_threads(1)
    chat = ChatFormat(Tekken.from_file(recipe.tokenizer))
    streams = [Stream(recipe, chat, p, schedule, place) for p, place in places.items()]
    try:
        while True:
            step, schedule = end.recv()
            made = []
            for stream in streams:
                batch = stream.batch(step, schedule)
                made.append((stream.part, _pack(batch, dtype), stream.place))
            end.send_bytes(pickle.dumps(made, protocol=5))
    except (EOFError, ConnectionError, KeyboardInterrupt):
        return


def _pack(batch: Batch, dtype: torch.dtype) -> dict[str, Any]:
    """A batch in arrays; the images' pixels, rounded, in one."""
    sizes = [tuple(image.shape) for image in batch.images]
    pixels = torch.cat([image.flatten() for image in batch.images] or [torch.zeros(0)]).to(dtype)
    return {
        "ids": batch.ids.numpy(),
        "positions": batch.positions.numpy(),
        "samples": batch.samples.numpy(),
        "picked": batch.picked.numpy(),
        "targets": batch.targets.numpy(),
        "num_far": batch.num_far,
        "num_owned": batch.num_owned,
        "sizes": sizes,
        "pixels": pixels.view(torch.uint8).numpy(),
        "dtype": dtype,
    }


def _unpack(packed: dict[str, Any]) -> Batch:
    sizes = packed["sizes"]
    pixels = torch.from_numpy(packed["pixels"]).view(packed["dtype"])
    parts = pixels.split([channels * height * width for channels, height, width in sizes])
    return Batch(
        ids=torch.from_numpy(packed["ids"]),
        positions=torch.from_numpy(packed["positions"]),
        samples=torch.from_numpy(packed["samples"]),
        images=[part.view(size) for part, size in zip(parts, sizes, strict=True)],
        picked=torch.from_numpy(packed["picked"]),
        targets=torch.from_numpy(packed["targets"]),
        num_far=packed["num_far"],
        num_owned=packed["num_owned"],
    )
