"""Whole samples packed into rows, a step's worth at a time.

Sample number `i` is a function of the seed, the rank and `i` alone, so the place in an endless
stream is a handful of numbers, and a resumed run sees just what it would have seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from bise.errors import UserError

PAD = 11
"""Id of `<pad>`; never looked at by a sample, never trained on."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One conversation, encoded."""

    ids: list[int]
    written: list[bool]
    """Which ids the model itself writes; only those are trained."""

    images: tuple[Tensor, ...] = ()
    """Pixels, fp32 [channels, height, width], in the order of their tokens."""

    start: int = 0
    """Position of the first token."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of packed samples, flattened: `tokens` is rows times row length."""

    ids: Tensor
    """[tokens]"""

    positions: Tensor
    """[tokens]"""

    samples: Tensor
    """[rows, row length]: which sample a token belongs to, -1 for padding"""

    images: list[Tensor]
    picked: Tensor
    """[trained] the tokens whose next token is trained on"""

    targets: Tensor
    """[trained] the ids of those next tokens"""

    num_far: int
    """Trained tokens at position 512 or later."""

    num_owned: int
    """Tokens that belong to a sample; the rest is padding."""

    @property
    def num_trained(self) -> int:
        return len(self.targets)

    def to(self, device: torch.device) -> "Batch":
        """The same batch there, in few large copies."""
        if device.type == "cpu":
            return self
        numbers = (self.ids, self.positions, self.samples, self.picked, self.targets)
        ids, positions, samples, picked, targets = _copy(numbers, device)
        images = _copy(self.images, device)
        return replace(
            self,
            ids=ids,
            positions=positions,
            samples=samples,
            images=images,
            picked=picked,
            targets=targets,
        )


def _copy(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """All at once; a card reads pinned memory by itself while the next work is prepared."""
    if not tensors:
        return []
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    if device.type == "cuda":
        flat = flat.pin_memory()
    parts = flat.to(device, non_blocking=True).split([tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


def merge(batches: Sequence[Batch]) -> list[Batch]:
    """Batches of equally long rows become one: fewer, larger passes. Widest rows last."""
    merged: list[Batch] = []
    for width in sorted({batch.samples.shape[1] for batch in batches}):
        alike = [batch for batch in batches if batch.samples.shape[1] == width]
        starts = [0]
        for batch in alike:
            starts.append(starts[-1] + len(batch.ids))
        merged.append(
            Batch(
                torch.cat([batch.ids for batch in alike]),
                torch.cat([batch.positions for batch in alike]),
                torch.cat([batch.samples for batch in alike]),
                [image for batch in alike for image in batch.images],
                torch.cat([b.picked + at for b, at in zip(alike, starts[:-1], strict=True)]),
                torch.cat([batch.targets for batch in alike]),
                sum(batch.num_far for batch in alike),
                sum(batch.num_owned for batch in alike),
            )
        )
    return merged


def collate(rows: Sequence[Sequence[Sample]], row_tokens: int) -> Batch:
    """Lay samples one after another in their rows and fill up with padding."""
    shape = (len(rows), row_tokens)
    ids = np.full(shape, PAD, np.int64)
    positions = np.zeros(shape, np.int64)
    owners = np.full(shape, -1, np.int64)
    trained = np.zeros(shape, np.bool_)
    images: list[Tensor] = []
    for row, samples in enumerate(rows):
        at = 0
        for number, sample in enumerate(samples):
            end = at + len(sample.ids)
            ids[row, at:end] = sample.ids
            positions[row, at:end] = np.arange(sample.start, sample.start + len(sample.ids))
            owners[row, at:end] = number
            trained[row, at : end - 1] = sample.written[1:]
            images += sample.images
            at = end
    picked = torch.from_numpy(trained.ravel().nonzero()[0])
    flat, places = torch.from_numpy(ids).flatten(), torch.from_numpy(positions).flatten()
    num_far = int((places[picked] >= 511).sum())
    num_owned = int((owners >= 0).sum())
    samples, targets = torch.from_numpy(owners), flat[picked + 1]
    return Batch(flat, places, samples, images, picked, targets, num_far, num_owned)


@dataclass(slots=True)
class Cursor:
    """The place in the stream: what a checkpoint keeps of it."""

    next_index: int = 0
    waiting: list[tuple[int, int]] = field(default_factory=list)
    """(sample index, step it was drawn for) of samples drawn but not yet packed."""


MOST_WAITING = 8
"""When more than so many batches' worth of tokens wait, long rows take the turn of short ones."""

MOST_DRAWN = 200
"""Batches' worth of tokens drawn to fill one: then hardly anything fits these rows."""


class Packer:
    """Draws samples and fills rows with them, first fit, longest first."""

    def __init__(self, draw: Callable[[int, int], Sample], cursor: Cursor | None = None):
        """draw(index, step) -> sample; `step` says how far the curriculum has come."""
        self.draw = draw
        self.cursor = cursor or Cursor()
        self._drawn = {key: draw(*key) for key in self.cursor.waiting}

    def batch(self, step: int, num_tokens: int, row_tokens: Sequence[int]) -> Batch:
        """`num_tokens` in rows of one length: each length has its turn, the same for all parts.

        Short samples thereby share short rows, where attention costs half, and processes that work
        side by side are done at the same time.
        """
        width = sorted(row_tokens)[step % len(row_tokens)]
        if self._num_waiting() > MOST_WAITING * num_tokens:
            width = max(row_tokens)
        self._fill(step, 2 * num_tokens, width)
        queue = list(self.cursor.waiting)
        lengths = [len(self._drawn[key].ids) for key in queue]
        rows: list[list[Sample]] = [[] for _ in range(num_tokens // width)]
        room = [width] * len(rows)
        taken: set[tuple[int, int]] = set()
        fitting = [i for i, length in enumerate(lengths) if length <= width]
        oldest = fitting[: len(rows)]  # nobody waits for ever: the oldest go in first
        rest = sorted(fitting[len(rows) :], key=lambda i: (-lengths[i], i))
        for i in [*oldest, *rest]:
            row = next((r for r, free in enumerate(room) if free >= lengths[i]), None)
            if row is not None:
                rows[row].append(self._drawn[queue[i]])
                room[row] -= lengths[i]
                taken.add(queue[i])
        self.cursor.waiting = [key for key in queue if key not in taken]
        for key in taken:
            del self._drawn[key]
        return collate(rows, width)

    def _num_waiting(self, width: int | None = None) -> int:
        """Tokens of samples drawn but not packed; with a width, of those that fit."""
        lengths = (len(sample.ids) for sample in self._drawn.values())
        return sum(length for length in lengths if width is None or length <= width)

    def _fill(self, step: int, num_tokens: int, width: int) -> None:
        """Draw until that many tokens fit rows of this width."""
        waiting = self._num_waiting(width)
        drawn = 0
        while waiting < num_tokens:
            if drawn > MOST_DRAWN * num_tokens:
                raise UserError(
                    f"hardly any conversation fits into rows of {width} tokens",
                    hint="take longer ones: `--set row_tokens=256,512`",
                )
            key = (self.cursor.next_index, step)
            self.cursor.next_index += 1
            self.cursor.waiting.append(key)
            sample = self._drawn[key] = self.draw(*key)
            drawn += len(sample.ids)
            waiting += len(sample.ids) if len(sample.ids) <= width else 0
