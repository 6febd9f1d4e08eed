"""Pictures of requests: told apart by content, turned into vectors once."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
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

    def __init__(self, see: Callable[[Tensor], Tensor], token_side: int, image_token: int):
        """see: [channels, height, width] -> [image tokens, dim]; token_side: pixels of a token."""
        self.see = see
        self.token_side = token_side
        self.image_token = image_token
        self.vectors: OrderedDict[int, Tensor] = OrderedDict()
        self.num_seen = self.num_found = 0

    def take(self, images: Sequence[Tensor]) -> list[Picture]:
        """Name the pictures of a request by what is on them."""
        return [Picture(image, _key(image), self.num_tokens(image)) for image in images]

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
        else:
            self.num_found += 1
        self.vectors[picture.key] = known
        while len(self.vectors) > 1 and sum(v.nbytes for v in self.vectors.values()) > KEPT_BYTES:
            self.vectors.popitem(last=False)
        return known


def _key(image: Tensor) -> int:
    digest = hashlib.sha256(f"{tuple(image.shape)}".encode())
    digest.update(image.contiguous().numpy().tobytes())
    return -1 - int.from_bytes(digest.digest()[:8], "big")
