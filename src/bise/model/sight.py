"""Which tokens may look at which, and where the cache entries they look at lie.

The network computes one *entry* a token and layer (for Small 4: the kv latent and the rotated key,
320 numbers). A `Sight` stores it and says what may be seen: everything of one's own sample in a row
of training data, or everything earlier in one's own conversation in the engine.
"""

from typing import Literal, Protocol

import torch
from torch import Tensor

Form = Literal["expanded", "absorbed"]


class Sight(Protocol):
    """What attention asks for. `batch` x `queries` are the tokens of this pass, in order."""

    batch: int
    queries: int
    form: Form
    """Expand keys and values from the latent (long queries), or absorb the expansion (decode)."""

    mask: Tensor | None
    """[batch, 1, queries, keys] bool, True where looking is allowed; None for plain causal."""

    def extend(self, layer: int, entries: Tensor) -> Tensor:
        """Add the entries [tokens, width] of this pass; return all [batch, keys, width] to see."""
        ...


class PackedRows:
    """Rows of whole samples, each of which sees only itself: training, and one pass over a text."""

    def __init__(
        self, batch: int, queries: int, samples: Tensor | None = None, form: Form = "expanded"
    ):
        """samples [batch, queries] int: which sample a token belongs to; None: one a row."""
        self.batch = batch
        self.queries = queries
        self.form: Form = form
        self.mask = None
        if samples is not None:
            same = samples[:, :, None] == samples[:, None, :]
            self.mask = same.tril()[:, None]  # [batch, 1, queries, queries]

    def extend(self, layer: int, entries: Tensor) -> Tensor:  # noqa: ARG002 - rows keep no layers
        return entries.view(self.batch, self.queries, -1)


class Slots:
    """The cache: one row of entries a conversation and layer, grown as conversations get longer."""

    def __init__(
        self,
        num_layers: int,
        num_slots: int,
        width: int,
        *,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
        capacity: int = 256,
    ):
        shape = (num_layers, num_slots, capacity, width)
        self.entries = torch.zeros(shape, dtype=dtype, device=device)
        self.lengths = [0] * num_slots

    @property
    def capacity(self) -> int:
        return self.entries.shape[2]

    def reserve(self, num_tokens: int) -> None:
        """Make room for conversations of that many tokens; doubles, so growth costs little."""
        if num_tokens <= self.capacity:
            return
        grown = max(num_tokens, 2 * self.capacity)
        shape = (*self.entries.shape[:2], grown, self.entries.shape[3])
        entries = self.entries.new_zeros(shape)
        entries[:, :, : self.capacity] = self.entries
        self.entries = entries

    def clear(self, slot: int) -> None:
        self.lengths[slot] = 0


class PrefillSight:
    """One conversation catches up by `queries` tokens."""

    def __init__(self, slots: Slots, slot: int, queries: int, form: Form = "expanded"):
        self.slots = slots
        self.slot = slot
        self.batch = 1
        self.queries = queries
        self.form: Form = form
        self.start = slots.lengths[slot]
        slots.reserve(self.start + queries)
        self.mask = None
        if self.start:
            keys = torch.arange(self.start + queries, device=slots.entries.device)
            last = torch.arange(queries, device=keys.device) + self.start
            self.mask = (keys <= last[:, None])[None, None]

    def extend(self, layer: int, entries: Tensor) -> Tensor:
        row = self.slots.entries[layer, self.slot]
        row[self.start : self.start + self.queries] = entries
        return row[None, : self.start + self.queries]

    def commit(self) -> None:
        """The pass went through all layers: the conversation is longer now."""
        self.slots.lengths[self.slot] += self.queries


class DecodeSight:
    """Many conversations, one new token each."""

    def __init__(self, slots: Slots, chosen: list[int], form: Form = "absorbed"):
        self.slots = slots
        self.chosen = chosen
        self.batch = len(chosen)
        self.queries = 1
        self.form: Form = form
        lengths = [slots.lengths[slot] for slot in chosen]
        self.num_keys = max(lengths) + 1
        slots.reserve(self.num_keys)
        device = slots.entries.device
        self.rows = torch.tensor(chosen, device=device)
        self.ends = torch.tensor(lengths, device=device)
        keys = torch.arange(self.num_keys, device=device)
        self.mask = (keys <= self.ends[:, None])[:, None, None, :]

    def extend(self, layer: int, entries: Tensor) -> Tensor:
        table = self.slots.entries[layer]
        table[self.rows, self.ends] = entries
        return table[self.rows, : self.num_keys]

    def commit(self) -> None:
        for slot in self.chosen:
            self.slots.lengths[slot] += 1
