"""Pictures: from a file, bytes or a data URL to pixels and image tokens.

A picture comes from a stranger, so its header is read and judged before a single pixel is decoded.
It is turned as its EXIF header says, which the official tokenizer does not do: phones write all
pictures lying down.
"""

import base64
import binascii
import re
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from math import floor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from bise.errors import BadImage
from bise.text.messages import ImagePart, ImageSource
from bise.text.resize import Floats, Resize, resize_hf, resize_native
from bise.text.special import ControlIds
from bise.text.tekken_file import ImageSettings

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
LOW_DETAIL_SIZE = 512
# What Pillow's decoders raise for data that is cut short or makes no sense.
PILLOW_FAULTS = (
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError),
    *(ArithmeticError, RuntimeError, struct.error, zlib.error),
)
# Ref: EXIF 2.32 §4.6.4, tag 274: which turn brings a picture upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LYING = (5, 6, 7, 8)
"""Those that make width of height."""

HINT = "send a PNG, JPEG, WEBP or GIF file"
DATA_URL = re.compile(r"data:[^,]*;base64,", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageLimits:
    """What a picture may cost before it is turned away."""

    size_bytes: int = 20 * 2**20
    """Of the encoded file."""

    num_pixels: int = 64_000_000
    """Width times height, as the header states them."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedImage:
    """A picture as the vision encoder takes it."""

    pixels: Floats
    """[3, height, width], normalised; both sides are multiples of `ImageSettings.token_size`."""

    grid: tuple[int, int]
    """Rows and columns of image tokens."""

    @property
    def num_tokens(self) -> int:
        """Ids it takes in a prompt, row ends included."""
        return count_image_tokens(self.grid)


def prepare_image(
    part: ImagePart,
    settings: ImageSettings,
    *,
    resize: Resize = "native",
    limits: ImageLimits | None = None,
) -> PreparedImage:
    """Open, size and normalise a picture; one that cannot be used is a `BadImage`."""
    image = open_image(part.image, limits)
    rows, columns = grid_of(upright_size(image), part, settings, resize)
    height, width = rows * settings.token_size, columns * settings.token_size
    rgb = guarded(partial(upright, image))
    if resize == "hf":
        pixels = resize_hf(rgb, height, width)
    else:
        pixels = resize_native(np.asarray(rgb, dtype=np.uint8), height, width)
    return PreparedImage(normalise(pixels, settings), (rows, columns))


def image_grid(
    part: ImagePart,
    settings: ImageSettings,
    *,
    resize: Resize = "native",
    limits: ImageLimits | None = None,
) -> tuple[int, int]:
    """Rows and columns of image tokens, from the header alone."""
    return grid_of(upright_size(open_image(part.image, limits)), part, settings, resize)


def grid_of(
    size: tuple[int, int], part: ImagePart, settings: ImageSettings, resize: Resize
) -> tuple[int, int]:
    """Rows and columns for a picture of `size` (width, height) at the detail asked for."""
    longest = settings.max_size
    if part.detail == "low":
        longest = min(longest, LOW_DETAIL_SIZE)
    return size_to_grid(size, longest, settings.token_size, resize)


def size_to_grid(
    size: tuple[int, int], max_size: int, token_size: int, resize: Resize = "native"
) -> tuple[int, int]:
    """Rows and columns of a picture of `size` (width, height) whose sides may be `max_size`."""
    ratio = max(side / max_size for side in size)
    if ratio > 1:
        whole = floor if resize == "hf" else round
        size = (max(whole(size[0] / ratio), 1), max(whole(size[1] / ratio), 1))
    width, height = size
    return (height - 1) // token_size + 1, (width - 1) // token_size + 1


def count_image_tokens(grid: tuple[int, int]) -> int:
    """Ids a picture takes in a prompt: its tokens and one end for each row."""
    rows, columns = grid
    return rows * (columns + 1)


def image_token_ids(grid: tuple[int, int], special: ControlIds) -> list[int]:
    """The ids of a picture: row by row, each row ended by a break and the last by an end."""
    rows, columns = grid
    ids = ([special.image] * columns + [special.image_break]) * rows
    ids[-1] = special.image_end
    return ids


def open_image(source: ImageSource, limits: ImageLimits | None = None) -> Image.Image:
    """Open a picture without decoding it, after judging what its header promises."""
    limits = limits or ImageLimits()
    if isinstance(source, Image.Image):
        image = source
    else:
        data = read_source(source, limits.size_bytes)
        if len(data) > limits.size_bytes:
            raise too_heavy(limits.size_bytes)
        image = guarded(partial(read_header, data))
    width, height = image.size
    if width < 1 or height < 1:
        raise BadImage("the image has no pixels")
    if width * height > limits.num_pixels:
        raise BadImage(
            f"the image has {width}x{height} pixels, more than {limits.num_pixels:,} in all",
            hint="send a smaller one",
        )
    return image


def read_source(source: bytes | Path | str, size_bytes: int) -> bytes:
    """The bytes of a picture's file, at most a little more than `size_bytes` of them."""
    if isinstance(source, bytes):
        return source
    if isinstance(source, Path):
        try:
            with source.open("rb") as file:
                return file.read(size_bytes + 1)
        except (OSError, ValueError) as fault:  # a path cannot hold a zero byte
            reason = (getattr(fault, "strerror", None) or str(fault)).lower()
            raise BadImage(f"cannot read the image `{source}`: {reason}") from None
    return decode_url(source, size_bytes)


def decode_url(url: str, size_bytes: int) -> bytes:
    """The bytes in a data URL or in bare base64; nothing is ever fetched or read from disk."""
    scheme = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]{0,30}:", url)
    header = DATA_URL.match(url)
    if scheme and not header:
        raise BadImage(
            f"the image is a `{scheme[0]}` address without base64 data",
            hint="send it as `data:image/png;base64,...`",
        )
    payload = url[header.end() :] if header else url
    if len(payload) * 3 // 4 > size_bytes + 3:
        raise too_heavy(size_bytes)
    try:
        return base64.b64decode(payload)
    except (binascii.Error, ValueError):
        raise BadImage("the image is not valid base64", hint=HINT) from None


def read_header(data: bytes) -> Image.Image:
    """Let Pillow read a header. Its warnings about size are silenced: our limits speak."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(BytesIO(data), formats=FORMATS)


def guarded(step: Callable[[], Image.Image]) -> Image.Image:
    """Do something with a stranger's picture; whatever Pillow makes of it is one plain error."""
    try:
        return step()
    except Image.DecompressionBombError:
        raise BadImage("the image has too many pixels", hint="send a smaller one") from None
    except PILLOW_FAULTS:
        raise BadImage("the image cannot be read", hint=HINT) from None


def orientation(image: Image.Image) -> int:
    """How the camera was held, 1 to 8; 1 if a header does not say, without decoding anything."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # asking would decode it, to look behind its pixels
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except PILLOW_FAULTS:  # a broken EXIF block spoils no picture
        return 1
    return found if found in TURNS else 1


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Width and height as it is to be looked at."""
    width, height = image.size
    return (height, width) if orientation(image) in LYING else (width, height)


def upright(image: Image.Image) -> Image.Image:
    """Decode to red, green and blue, and turn as it is to be looked at."""
    turn = TURNS.get(orientation(image))
    rgb = to_rgb(image)
    return rgb if turn is None else rgb.transpose(turn)


def to_rgb(image: Image.Image) -> Image.Image:
    """Decode to red, green and blue; what is transparent becomes white."""
    if image.mode == "RGB":
        image.load()
        return image
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "WHITE")
    white.paste(image, (0, 0), image)
    return white.convert("RGB")


def normalise(pixels: NDArray[np.float32], settings: ImageSettings) -> Floats:
    """From 0..255 to mean 0 and deviation 1; [height, width, 3] -> [3, height, width]."""
    mean, std = np.array([settings.mean, settings.std], np.float32)
    scaled = (pixels / np.float32(255) - mean) / std
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def too_heavy(size_bytes: int) -> BadImage:
    """The error for a file above the limit."""
    return BadImage(
        f"the image file is larger than {size_bytes / 2**20:g} MiB", hint="send a smaller one"
    )
