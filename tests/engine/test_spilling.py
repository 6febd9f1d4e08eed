"""A shelf of pages on a disk that has less room than was promised."""

import sys

import pytest
import torch

from bise.engine.shelf import Shelf

if sys.platform != "linux":
    pytest.skip("the limit that stands for a full disk is Linux's", allow_module_level=True)


class Cache:
    """Pages of 10,000 bytes."""

    def __init__(self, num_pages: int):
        generator = torch.Generator().manual_seed(0)
        shape = (num_pages, 10_000)
        self.pages = torch.randint(256, shape, generator=generator).to(torch.uint8)

    def take_page(self, page: int) -> torch.Tensor:
        return self.pages[page].clone()

    def put_page(self, page: int, content: torch.Tensor) -> None:
        self.pages[page] = content


def test_a_disk_that_is_full_keeps_what_it_has_and_stops_nobody(tmp_path):
    import resource

    cache = Cache(5)
    before = cache.pages.clone()
    shelf = Shelf(cache, 50_000, tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (25_000, limits[1]))
    try:
        slots = [shelf.put(page) for page in range(5)]
        assert [slot is not None for slot in slots] == [True, True, False, False, False]
        shelf.fetch(slots[0], 4)
        again = shelf.put(2)
        assert again == slots[0], "room that there was is used again"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    shelf.fetch(slots[1], 3)
    shelf.fetch(again, 0)
    assert torch.equal(cache.pages[[4, 3, 0]], before[[0, 1, 2]])
    shelf.close()
