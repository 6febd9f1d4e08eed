"""Everything one process holds while it trains, and how it takes a step or saves its state."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import torch

from bise.errors import UserError
from bise.evals.task import Task
from bise.model.initial import initialise
from bise.model.network import Network
from bise.model.presets import preset
from bise.text import ChatFormat
from bise.train.batches import Batch, Cursor, Packer, Sample, collate
from bise.train.config import TrainConfig, from_dict, to_dict
from bise.train.conversations import Conversations, stage_at
from bise.train.optimiser import Optimiser
from bise.train.ranks import Ranks
from bise.train.schedule import Schedule
from bise.train.state import Progress, latest_state, load_tensors, read_run, save_state
from bise.train.step import StepReport, train_step


class Run:
    """A network in training: new, or picked up from the newest state in its folder."""

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        chat: ChatFormat,
        tasks: Mapping[str, Task],
        clean_tasks: Mapping[str, Task],
        ranks: Ranks,
    ):
        """clean_tasks: the same skills without slips, for the decay."""
        self.folder = folder
        self.ranks = ranks
        self.progress = Progress()
        saved = latest_state(folder)
        if saved is not None:
            self.progress, kept = read_run(saved)
            config = from_dict(kept)
        self.config = config
        if config.parts % ranks.world:
            raise UserError(
                f"{config.parts} parts a step cannot be shared by {ranks.world} processes",
                hint="make `parts` a multiple of the number of processes",
            )
        shape = preset(config.preset)
        self.dtype: torch.dtype = getattr(torch, config.dtype)
        self.network = initialise(Network(shape), config.seed)
        self.optimiser = Optimiser(self.network, config.optimiser, ranks, self.dtype)
        if saved is not None:
            self._restore(saved)
        self.streams = {
            is_clean: Conversations(skills, chat, config.mix, max_positions=shape.max_positions)
            for is_clean, skills in ((False, tasks), (True, clean_tasks))
        }
        self.packers = {part: self._packer(part) for part in self._own_parts()}

    @property
    def schedule(self) -> Schedule:
        return Schedule(
            warmup_steps=self.config.warmup_steps,
            decay_at=self.progress.decay_at,
            end=self.progress.end,
        )

    def step(self) -> StepReport:
        """One step, and the account of it."""
        step = self.progress.step
        report = train_step(
            self.network,
            [self.batch(part, step) for part in self._own_parts()],
            self.optimiser,
            config=self.config.loss,
            num_parts=self.config.parts,
            dtype=self.dtype,
            rate_factor=self.schedule.factor(step),
            step=step,
            ranks=self.ranks,
        )
        self.progress.step += 1
        self.progress.num_tokens += self.config.parts * self.config.part_tokens
        self.progress.num_trained += report.num_trained
        self.progress.num_far += report.num_far
        return report

    def batch(self, part: int, step: int) -> Batch:
        """What one part of a step trains on."""
        if self.schedule.is_decaying(step) and step % self.config.long_every == 0:
            return self._long_batch(part, step)
        return self.packers[part].batch(step, self.config.part_tokens, self.config.row_tokens)

    def save(self) -> None:
        """Write a state another process can go on from, bit for bit."""
        own: dict[int, object] = {p: asdict(packer.cursor) for p, packer in self.packers.items()}
        every = self.ranks.gather(own)
        self.progress.cursors = [every[part] for part in range(self.config.parts)]  # type: ignore[misc]
        save_state(
            self.folder,
            self.progress,
            self.network.state_dict(),
            self.optimiser.state,
            to_dict(self.config),
            self.ranks,
        )

    def _own_parts(self) -> range:
        return range(self.ranks.rank, self.config.parts, self.ranks.world)

    def _restore(self, saved: Path) -> None:
        weights, optimiser = load_tensors(saved)
        self.network.load_state_dict(weights)
        for name, tensor in self.optimiser.state.items():
            tensor.copy_(optimiser[name])

    def _packer(self, part: int) -> Packer:
        """The stream of samples of one part, from where it stood."""
        cursor = Cursor()
        if self.progress.cursors:
            kept: dict[str, Any] = self.progress.cursors[part]
            cursor = Cursor(kept["next_index"], [(key[0], key[1]) for key in kept["waiting"]])

        def draw(index: int, step: int) -> Sample:
            rng = Random(f"{self.config.seed}/{part}/{index}")
            is_decaying = self.schedule.is_decaying(step)
            stage = stage_at(step, self.config.mix, is_decaying=is_decaying)
            return self.streams[is_decaying].draw(
                rng, stage, max_tokens=max(self.config.row_tokens)
            )

        return Packer(draw, cursor)

    def _long_batch(self, part: int, step: int) -> Batch:
        """Rows of one long conversation each, from a stream of their own."""
        rng = Random(f"{self.config.seed}/{part}/long/{step}")
        width = rng.choice(self.config.long_row_tokens)
        stage = stage_at(step, self.config.mix, is_decaying=True)
        rows = [
            [self.streams[True].draw(rng, stage, max_tokens=width, min_tokens=width // 2)]
            for _ in range(self.config.part_tokens // width)
        ]
        return collate(rows, width)
