"""Small pictures for tests."""

import base64
from io import BytesIO
from random import Random

import numpy as np
from PIL import Image


def noise(width: int, height: int, *, seed: int = 0, mode: str = "RGB") -> Image.Image:
    """A picture on which every resampling error shows."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    if channels == 1:
        pixels = pixels[:, :, 0]
    return Image.frombytes(mode, (width, height), pixels.tobytes())


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of a picture's file."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def data_url(
    width: int, height: int, *, colour: str | None = None, seed: int = 0, mode: str = "RGB"
) -> str:
    """A PNG of one colour, or of noise, as a data URL."""
    image = (
        Image.new("RGB", (width, height), colour)
        if colour
        else noise(width, height, seed=seed, mode=mode)
    )
    return "data:image/png;base64," + base64.b64encode(encoded(image)).decode()


def random_url(rng: Random) -> str:
    """A small picture, sometimes with transparency or in grey."""
    mode = rng.choice(["RGB", "RGB", "RGBA", "L", "LA"])
    return data_url(rng.randint(1, 90), rng.randint(1, 90), seed=rng.randrange(2**32), mode=mode)
