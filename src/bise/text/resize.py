"""Making a picture the size the vision encoder wants.

Two ways, as there are two official ones. The native checkpoints were trained on what OpenCV's
cubic gives without smoothing; the Hugging Face processor uses Pillow's, which smooths when it
shrinks. The difference is small, and neither may stand in for the other when results are compared.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Resize = Literal["native", "hf"]
Floats = NDArray[np.float32]

CUBIC = -0.75  # the sharpness OpenCV chose; Pillow's is -0.5


def resize_native(pixels: NDArray[np.uint8], height: int, width: int) -> Floats:
    """Cubic interpolation without smoothing. Overshoots 0..255, as the original does.

    pixels [height, width, channels] -> [new height, new width, channels]

    Checked against: OpenCV `resize` with `INTER_CUBIC` on float32.
    """
    old_height, old_width = pixels.shape[:2]
    if (height, width) == (old_height, old_width):
        return pixels.astype(np.float32)  # what the weights 0, 1, 0, 0 would come to
    if height * old_width > old_height * width:  # the way with less in between, for memory
        return resize_native(pixels.swapaxes(0, 1), width, height).swapaxes(0, 1)
    return weigh_rows(weigh_rows(pixels, height).swapaxes(0, 1), width).swapaxes(0, 1)


def weigh_rows(pixels: NDArray[np.uint8] | Floats, count: int) -> Floats:
    """Resample the first axis to `count` rows, each a weighted sum of four old ones."""
    places, weights = cubic_taps(pixels.shape[0], count)
    rows = np.zeros((count, *pixels.shape[1:]), np.float32)
    for place, weight in zip(places, weights, strict=True):
        tap = pixels[place].astype(np.float32)  # converted after the gather, which is smaller
        tap *= weight[:, None, None]
        rows += tap
    return rows


def cubic_taps(old: int, new: int) -> tuple[NDArray[np.intp], Floats]:
    """Which four old rows make each new one, and how much each counts; both [4, new].

    Beyond the border the last row is repeated.
    """
    centre = (np.arange(new) + 0.5) * (old / new) - 0.5  # float64: in float32, 0.005 is lost
    first = np.floor(centre)
    x = centre - first  # how far past the second of the four, 0..1
    outer = ((CUBIC * (x + 1) - 5 * CUBIC) * (x + 1) + 8 * CUBIC) * (x + 1) - 4 * CUBIC
    left = ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1
    right = ((CUBIC + 2) * (1 - x) - (CUBIC + 3)) * (1 - x) * (1 - x) + 1
    weights = np.stack([outer, left, right, 1 - outer - left - right]).astype(np.float32)
    places = first.astype(np.intp) + np.arange(-1, 3)[:, None]
    return places.clip(0, old - 1), weights


def resize_hf(image: Image.Image, height: int, width: int) -> Floats:
    """Pillow's bicubic, in whole numbers 0..255 as the Hugging Face processor has them."""
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized, dtype=np.float32)
