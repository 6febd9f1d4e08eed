"""Everything one process holds while it trains, and how it takes a step or saves its state."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from bise.model.initial import initialise
from bise.model.network import Network
from bise.model.presets import preset
from bise.train.batches import Batch, merge
from bise.train.config import from_dict, to_dict
from bise.train.feed import Feed, MadeFeed, OwnFeed, Place, Recipe
from bise.train.optimiser import Optimiser
from bise.train.ranks import Ranks
from bise.train.schedule import Schedule
from bise.train.state import Progress, latest_state, load_tensors, read_run, save_state
from bise.train.step import StepReport, train_step


@dataclass(frozen=True, slots=True)
class Ready:
    """What a step trains on, lying where it is computed."""

    step: int
    batches: list[Batch]
    places: dict[int, Place]
    """By part, where its stream stands behind these batches."""


class Run:
    """A network in training: new, or picked up from the newest state in its folder."""

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        ranks: Ranks,
        *,
        device: torch.device | str = "cpu",
        makers: int = 0,
    ):
        """makers: processes that make samples ahead of time; 0 makes them here."""
        self.folder = folder
        self.ranks = ranks
        self.device = torch.device(device)
        self.progress = Progress()
        config = recipe.config
        saved = latest_state(folder)
        if saved is not None:
            self.progress, kept = read_run(saved)
            config = from_dict(kept)
        self.config = config
        self.recipe = replace(recipe, config=config)
        shape = preset(config.preset)
        self.dtype: torch.dtype = getattr(torch, config.dtype)
        self.network = initialise(Network(shape), config.seed).to(self.device)
        self.optimiser = Optimiser(self.network, config.optimiser, ranks, self.dtype)
        if saved is not None:
            self._restore(saved)
        self.feed = self._feed(makers)
        self.works_ahead = makers > 0
        self.ready: Ready | None = None
        self.places = self.feed.places()

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
        ready = self.ready if self.ready and self.ready.step == step else self._prepare(step)
        self.places = ready.places
        report = train_step(
            self.network,
            ready.batches,
            self.optimiser,
            config=self.config.loss,
            dtype=self.dtype,
            rate_factor=self.schedule.factor(step),
            step=step,
            ranks=self.ranks,
            meanwhile=self._prepare_next if self.works_ahead else None,
        )
        self.progress.step += 1
        self.progress.num_tokens += self.config.parts * self.config.part_tokens
        self.progress.num_trained += report.num_trained
        self.progress.num_far += report.num_far
        return report

    def _prepare(self, step: int) -> Ready:
        batches = self.feed.take(step, self.schedule)
        if self.device.type != "cpu":
            batches = [batch.to(self.device) for batch in merge(batches)]
        return Ready(step, batches, self.feed.places())

    def _prepare_next(self) -> None:
        """Have the next step's batches ready before this step has been computed."""
        following = self.progress.step + 1
        if not self.schedule.is_over(following):
            self.ready = self._prepare(following)

    def save(self) -> None:
        """Write a state another process can go on from, bit for bit."""
        own: dict[int, object] = dict(self.places)
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

    def _feed(self, makers: int) -> Feed:
        """The batches of this process's parts, from where they stood."""
        parts = self._own_parts()
        cursors = self.progress.cursors
        places = {part: cursors[part] for part in parts} if cursors else {}
        if makers == 0:
            return OwnFeed(self.recipe, parts, self.schedule, places)
        return MadeFeed(self.recipe, parts, self.schedule, places, makers=makers, dtype=self.dtype)
