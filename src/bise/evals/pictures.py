"""Draws numbers into small images, in many fonts, sizes, places and shades.

One image token covers 28 x 28 pixels, so sides are multiples of 28 and digits about that tall.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

CELL = 28
MIN_SIDE, MAX_SIDE = 56, 168
MIN_HEIGHT, MAX_HEIGHT = 20, 30
"""Pixels; the heights are those of a digit."""

MARGIN = 3
"""Pixels kept free around the digits."""

LEADING = 8
"""Pixels between two lines."""

EASY_FONTS = ("default", "DejaVuSans", "DejaVuSansMono")
FONTS = (
    *EASY_FONTS,
    *("DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSansMono-Bold", "DejaVuSansMono-Oblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
)
"""`default` comes with Pillow, the others with matplotlib."""

Shade = int | tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Face:
    """A font at one size, and where its digits begin and end below the drawing point."""

    font: ImageFont.FreeTypeFont
    top: int
    height: int
    advances: tuple[float, ...]
    """Pixels from each digit to the next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """Everything about a picture but its digits."""

    face: str
    height: int
    gap: int
    """Pixels between digits besides what the font leaves."""

    extra: tuple[int, int]
    """Cells the image is wider and taller than it must be."""

    place: tuple[float, float]
    """Where in the free room the digits are: 0 left or top, 1 right or bottom."""

    seed: int
    """Decides shades and noise."""

    is_coloured: bool = False
    is_dark: bool = False
    """Light digits on dark paper."""

    noise: int = 0
    """Grey levels between the lightest and the darkest noise."""


def draw_look(rng: Random, freedom: float) -> Look:
    """Choose a look; `freedom` 0 is dark, centred and tight, 1 the whole range."""
    is_free = rng.random() < freedom
    cells = (0, 0, 0, 1, 1, 2) if is_free else (0,)
    return Look(
        face=rng.choice(FONTS if freedom else EASY_FONTS),
        height=rng.randint(MIN_HEIGHT, MAX_HEIGHT) if freedom else 28,
        gap=rng.choice((0, 0, 1, 2)) if is_free else 0,
        extra=(rng.choice(cells), rng.choice(cells)),
        place=(place_within(rng, freedom), place_within(rng, freedom)),
        seed=rng.getrandbits(24),
        is_coloured=is_free and rng.random() < 0.5,
        is_dark=is_free and rng.random() < 0.4,
        noise=rng.randint(8, 48) if is_free and rng.random() < 0.55 else 0,
    )


def place_within(rng: Random, freedom: float) -> float:
    return 0.5 + (rng.random() - 0.5) * freedom


def draw_number(lines: tuple[str, ...], look: Look) -> Image.Image:
    """Draw one line of digits, or several below each other."""
    face = load_face(look.face, look.height)
    rows = [line_offsets(line, face, look.gap) for line in lines]
    line_height = face.height + LEADING
    width = side(max(offsets[-1] for offsets in rows), look.extra[0])
    height = side(line_height * len(lines) - LEADING, look.extra[1])
    rng = Random(look.seed)
    paper, pen = draw_shades(rng, look)
    image = Image.new("RGB" if look.is_coloured else "L", (width, height), paper)
    draw = ImageDraw.Draw(image)
    room = height - 2 * MARGIN - line_height * len(lines) + LEADING
    top = MARGIN + round(room * look.place[1]) - face.top
    for line, offsets in zip(lines, rows, strict=True):
        left = MARGIN + round((width - 2 * MARGIN - offsets[-1]) * look.place[0])
        for digit, offset in zip(line, offsets[:-1], strict=True):
            draw.text((left + offset, top), digit, fill=pen, font=face.font)
        top += line_height
    return add_noise(rng, image, look.noise) if look.noise else image


def line_offsets(line: str, face: Face, gap: int) -> list[int]:
    """Where each digit begins, and where the last one ends."""
    offsets, x = list[int](), 0.0
    for digit in line:
        offsets.append(round(x))
        x += face.advances[int(digit)] + gap
    return [*offsets, round(x) - gap]


def side(size: int, extra_cells: int) -> int:
    """The smallest side that holds so many pixels, and some cells more where there is room."""
    cells = -(-(size + 2 * MARGIN) // CELL) + extra_cells
    return min(max(cells * CELL, MIN_SIDE), MAX_SIDE)


def draw_shades(rng: Random, look: Look) -> tuple[Shade, Shade]:
    """Paper and pen, far enough apart to be read."""
    light = (rng.randint(175, 255), rng.randint(175, 255), rng.randint(175, 255))
    dark = (rng.randint(0, 95), rng.randint(0, 95), rng.randint(0, 95))
    paper, pen = (dark, light) if look.is_dark else (light, dark)
    return (paper, pen) if look.is_coloured else (paper[0], pen[0])


def add_noise(rng: Random, image: Image.Image, noise: int) -> Image.Image:
    """Make every pixel a little lighter or darker."""
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    grain = np.frombuffer(rng.randbytes(height * width), np.uint8).reshape(height, width)
    shift = (np.arange(256) * noise // 256 - noise // 2).astype(np.int16)[grain]
    shifted = pixels + (shift if pixels.ndim == 2 else shift[:, :, None])
    return Image.fromarray(shifted.clip(0, 255).astype(np.uint8))


@cache
def load_face(name: str, height: int) -> Face:
    """Load a font at the size at which its digits are so many pixels tall."""
    _, top, _, bottom = load_font(name, 100).getbbox("0123456789")
    font = load_font(name, round(100 * height / (bottom - top)))
    _, top, _, bottom = font.getbbox("0123456789")
    advances = tuple(font.getlength(digit) for digit in "0123456789")
    return Face(font, round(top), round(bottom - top), advances)


def load_font(name: str, size: int) -> ImageFont.FreeTypeFont:
    if name != "default":
        path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
        return ImageFont.truetype(str(path), size)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font
