"""Which tokens may look at which, and where the cache entries they look at lie.

The network computes one *entry* a token and layer (for Small 4: the kv latent and the rotated key,
320 numbers). A `Sight` stores it and says what may be seen: everything of one's own sample in a row
of training data, or everything earlier in one's own conversation in the engine (`paged.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor

Form = Literal["expanded", "absorbed"]


@dataclass(frozen=True, slots=True)
class Look:
    """Some tokens of a pass that look together."""

    tokens: slice
    """Which of the pass; `batch` times `queries` of them."""

    batch: int
    queries: int
    form: Form
    """Expand keys and values from the latent (many queries), or absorb the expansion (few)."""

    mask: Tensor | None
    """[batch, 1, queries, keys] bool, True where looking is allowed; None for plain causal."""


class Sight(Protocol):
    """What attention asks for."""

    @property
    def looks(self) -> Sequence[Look]: ...

    @property
    def num_padding(self) -> int:
        """Tokens at the end of the pass that look at nothing and that nobody looks at."""
        ...

    def extend(self, layer: int, entries: Tensor) -> Sequence[Tensor]:
        """Add the entries [tokens, width] of this pass; for each look all [batch, keys, width]."""
        ...


class PackedRows:
    """Rows of whole samples, each of which sees only itself: training, and one pass over a text."""

    def __init__(
        self, batch: int, queries: int, samples: Tensor | None = None, form: Form = "expanded"
    ):
        """samples [batch, queries] int: which sample a token belongs to; None: one a row."""
        self.num_padding = 0
        mask = None
        if samples is not None:
            same = samples[:, :, None] == samples[:, None, :]
            mask = same.tril()[:, None]  # [batch, 1, queries, queries]
        self.looks = [Look(slice(0, batch * queries), batch, queries, form, mask)]

    def extend(self, layer: int, entries: Tensor) -> list[Tensor]:  # noqa: ARG002 - rows keep none
        look = self.looks[0]
        return [entries.view(look.batch, look.queries, -1)]
