"""A place on disk for pages that memory has no room for: a cold beginning is read, not computed.

One sparse file of equal slots, gone when the engine is. It holds numbers made of people's texts:
only this user may read it, and it has no name.
"""

import tempfile
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from bise.errors import UserError


class Keeper(Protocol):
    """What the page pool needs of a shelf: it sees numbers of pages, never what is on them."""

    def put(self, page: int) -> int | None:
        """Copy a page to a free slot and name the slot; None when all are taken or the disk is."""
        ...

    def fetch(self, slot: int, page: int) -> None:
        """Copy a slot back to a page; the slot is free then."""
        ...

    def drop(self, slot: int) -> None:
        """Free a slot."""
        ...


class Pages(Protocol):
    """What a shelf needs of a cache."""

    def take_page(self, page: int) -> Tensor:
        """All layers of a page, [bytes] uint8."""
        ...

    def put_page(self, page: int, content: Tensor) -> None: ...


class BothCaches:
    """The cache of the network and that of its draft head, whose pages belong together."""

    def __init__(self, first: Pages, second: Pages):
        self.first, self.second = first, second
        self.first_bytes = len(first.take_page(0))

    def take_page(self, page: int) -> Tensor:
        return torch.cat((self.first.take_page(page), self.second.take_page(page)))

    def put_page(self, page: int, content: Tensor) -> None:
        self.first.put_page(page, content[: self.first_bytes])
        self.second.put_page(page, content[self.first_bytes :])


class Shelf:
    """Slots in a file."""

    def __init__(self, cache: Pages, size_bytes: int, folder: Path | None = None):
        """folder: where the file lies; None is the system's place for temporary files."""
        self.cache = cache
        self.slot_bytes = len(cache.take_page(0))
        num_slots = size_bytes // self.slot_bytes
        if num_slots == 0:
            raise UserError(
                f"a shelf of {size_bytes} bytes holds no page of {self.slot_bytes}",
                hint="give it more room, or none",
            )
        self.free = list(range(num_slots))[::-1]
        self.file = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115 - we close it
        self.num_put = self.num_fetched = 0

    def put(self, page: int) -> int | None:
        if not self.free:
            return None
        slot = self.free.pop()
        left = memoryview(self.cache.take_page(page).numpy().tobytes())
        try:
            self.file.seek(slot * self.slot_bytes)
            while left:
                left = left[self.file.write(left) :]
        except OSError:  # the disk is full: this slot is none, and the page is forgotten
            return None
        self.num_put += 1
        return slot

    def fetch(self, slot: int, page: int) -> None:
        self.file.seek(slot * self.slot_bytes)
        content = bytearray(self.slot_bytes)
        left = memoryview(content)
        while left:
            count = self.file.readinto(left)  # type: ignore[attr-defined]
            assert count, "a slot was written whole"
            left = left[count:]
        self.cache.put_page(page, torch.frombuffer(content, dtype=torch.uint8))
        self.num_fetched += 1
        self.drop(slot)

    def drop(self, slot: int) -> None:
        self.free.append(slot)

    def close(self) -> None:
        """The file is gone with its last handle."""
        self.file.close()
