"""Pictures of requests: told apart by content, turned into vectors once, beside the steps.

Looking at a large picture takes as long as many tokens. It happens in a thread of its own, and
whoever brought the picture waits for it alone; everybody else goes on talking.
"""

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

KEPT_BYTES = 256 * 2**20
"""Vectors of pictures nobody needs now are kept up to this size."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a request."""

    pixels: Tensor
    """[channels, height, width] fp32"""

    key: int
    """Made from its content; negative, so that it is never mistaken for a token."""

    num_tokens: int


class Pictures:
    """Vectors of pictures by content, least recently used ones forgotten first."""

    def __init__(
        self,
        see: Callable[[Tensor], Tensor],
        token_side: int,
        image_token: int,
        *,
        is_aside: bool = False,
    ):
        """see: [channels, height, width] -> [image tokens, dim]; token_side: pixels of a token;
        is_aside: look in a thread of its own instead of when asked."""
        self.see = see
        self.token_side = token_side
        self.image_token = image_token
        self.vectors: OrderedDict[int, Tensor] = OrderedDict()
        self.num_taken = self.num_seen = 0
        self.executor = ThreadPoolExecutor(1, "bise-eye") if is_aside else None
        self.coming: dict[int, Future[Tensor]] = {}
        self.users: Counter[int] = Counter()
        """How many requests under way brought a picture; theirs are never forgotten."""

    def take(self, images: Sequence[Tensor]) -> list[Picture]:
        """Name the pictures of a request by what is on them."""
        self.num_taken += len(images)
        taken = [Picture(image, _key(image), self.num_tokens(image)) for image in images]
        self.users.update(picture.key for picture in taken)
        return taken

    def release(self, pictures: Sequence[Picture]) -> None:
        """A request is gone: what only it wanted to see need not be looked at any more."""
        for picture in pictures:
            self.users[picture.key] -= 1
            if self.users[picture.key] <= 0:
                del self.users[picture.key]
                coming = self.coming.pop(picture.key, None)
                if coming is not None:
                    coming.cancel()

    def num_tokens(self, image: Tensor) -> int:
        height, width = image.shape[-2:]
        return (height // self.token_side) * (width // self.token_side)

    def keys(self, ids: Sequence[int], pictures: Sequence[Picture]) -> list[int]:
        """`ids`, with a picture's key in each of its places: equal only if the pictures are."""
        keys = list(ids)
        contents = (picture.key for picture in pictures for _ in range(picture.num_tokens))
        for place, token in enumerate(ids):
            if token == self.image_token:
                keys[place] = next(contents, token)
        return keys

    def are_ready(self, pictures: Sequence[Picture]) -> bool:
        """Whether all are turned into vectors; begins with those that are not. Raises the eye's
        own error if it could not look at one of them."""
        if self.executor is None:
            return True  # they are looked at when they are needed
        is_ready = True
        for picture in pictures:
            if picture.key in self.vectors:
                continue
            if picture.key not in self.coming:
                self.coming[picture.key] = self.executor.submit(self.see, picture.pixels)
            if self.coming[picture.key].done():
                self._keep(picture.key, self.coming.pop(picture.key).result())
                self.num_seen += 1
            else:
                is_ready = False
        return is_ready

    def close(self) -> None:
        """End the thread; pictures that wait for it are dropped."""
        if self.executor is not None:
            self.executor.shutdown(cancel_futures=True)

    def between(
        self, pictures: Sequence[Picture], ids: Sequence[int], start: int, end: int
    ) -> Tensor | None:
        """Vectors for the image tokens among `ids[start:end]`, or None if there are none."""
        if not pictures:
            return None
        first = sum(token == self.image_token for token in ids[:start])
        last = first + sum(token == self.image_token for token in ids[start:end])
        found, at = list[Tensor](), 0
        for picture in pictures:
            begin, stop = max(first - at, 0), min(last - at, picture.num_tokens)
            if begin < stop:
                found.append(self._vectors(picture)[begin:stop])
            at += picture.num_tokens
        return torch.cat(found) if found else None

    def _vectors(self, picture: Picture) -> Tensor:
        """From memory, or from the eye."""
        known = self.vectors.pop(picture.key, None)
        if known is None:
            known = self.see(picture.pixels)
            self.num_seen += 1
        self._keep(picture.key, known)
        return known

    def _keep(self, key: int, vectors: Tensor) -> None:
        """Remember, and forget what was used longest ago if it gets too much."""
        self.vectors[key] = vectors
        total = sum(one.nbytes for one in self.vectors.values())
        for old in [one for one in self.vectors if one not in self.users]:
            if total <= KEPT_BYTES:
                break
            total -= self.vectors.pop(old).nbytes


def _key(image: Tensor) -> int:
    digest = hashlib.sha256(f"{tuple(image.shape)}".encode())
    digest.update(image.contiguous().numpy().tobytes())
    return -1 - int.from_bytes(digest.digest()[:8], "big")
