"""Opening strangers' pictures, and what they become."""

import base64
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mistral_oracle import Oracle
from PIL import Image, ImageOps
from small_pictures import data_url, encoded, noise

from bise.errors import BadRequest
from bise.text import (
    ImageLimits,
    ImagePart,
    ImageSettings,
    Tekken,
    count_image_tokens,
    image_grid,
    image_token_ids,
    open_image,
    prepare_image,
)
from bise.text.images import size_to_grid

SETTINGS = ImageSettings()


def huge_png(width: int, height: int) -> bytes:
    """A few bytes whose header promises very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = (
        chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + body


def test_recorded_grids_and_token_counts(goldens: dict[str, Any], official: Tekken):
    for golden in goldens["image_tokens"]:
        rows, columns = size_to_grid(tuple(golden["wh"]), SETTINGS.max_size, SETTINGS.token_size)
        assert [columns, rows] == golden["grid_tokens_wh"]
        assert [columns * 28, rows * 28] == golden["resized_wh"]
        ids = image_token_ids((rows, columns), official.special)
        assert ids.count(official.special.image) == golden["img_tokens"]
        assert len(ids) == golden["total_with_breaks"] == count_image_tokens((rows, columns))


def test_the_two_processors_round_differently():
    assert size_to_grid((1541, 1037), 1540, 28, "native") == (37, 55)
    assert size_to_grid((1000, 1), 28, 28, "hf") == (1, 1)
    sizes = [(width, 1200) for width in range(1541, 3000)]
    native, hf = ([size_to_grid(size, 1540, 28, way) for size in sizes] for way in ("native", "hf"))
    assert native != hf


@pytest.mark.parity
@pytest.mark.parametrize("size", [(2000, 1000), (4000, 100), (1541, 9), (700, 1600)])
def test_large_pictures_equal_mistral_common(oracle: Oracle, size: tuple[int, int]):
    url = data_url(*size)
    content = [{"type": "image_url", "image_url": url}]
    expected = oracle.encode({"messages": [{"role": "user", "content": content}]}).images[0]
    np.testing.assert_allclose(prepare_image(ImagePart(url), SETTINGS).pixels, expected, atol=1e-5)


@pytest.mark.parity
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_equals_mistral_common(oracle: Oracle, mode: str):
    if mode == "P":
        image = noise(30, 20).quantize(16)
        image.info["transparency"] = 3
    elif mode in ("1", "I;16"):
        image = noise(30, 20, mode="L").convert("I;16" if mode == "I;16" else mode)
    else:
        image = noise(30, 20, mode=mode)
    data = encoded(image, "JPEG" if mode == "CMYK" else "PNG")
    url = "data:;base64," + base64.b64encode(data).decode()
    content = [{"type": "image_url", "image_url": url}]
    expected = oracle.encode({"messages": [{"role": "user", "content": content}]}).images[0]
    np.testing.assert_allclose(prepare_image(ImagePart(data), SETTINGS).pixels, expected, atol=1e-5)


def test_bytes_paths_urls_and_pictures_give_the_same_pixels(tmp_path: Path):
    image = noise(40, 30)
    data = encoded(image)
    (path := tmp_path / "picture").write_bytes(data)
    text = base64.b64encode(data).decode()
    sources = [image, data, path, text, "data:image/png;base64," + text, "data:;base64," + text]
    pixels = [prepare_image(ImagePart(source), SETTINGS).pixels for source in sources]
    for other in pixels[1:]:
        np.testing.assert_array_equal(pixels[0], other)
    assert pixels[0].dtype == np.float32 and pixels[0].flags.c_contiguous


def test_what_is_transparent_becomes_white():
    image = Image.new("RGBA", (28, 28), (255, 0, 0, 0))
    white = Image.new("RGB", (28, 28), "white")
    pixels = [prepare_image(ImagePart(picture), SETTINGS).pixels for picture in (image, white)]
    np.testing.assert_array_equal(*pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_their_metadata_say(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(noise(84, 28), "PNG", exif=exif)
    turned = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    found = prepare_image(ImagePart(data), SETTINGS)
    np.testing.assert_array_equal(found.pixels, prepare_image(ImagePart(turned), SETTINGS).pixels)
    assert image_grid(ImagePart(data), SETTINGS) == found.grid
    assert found.grid == ((3, 1) if orientation > 4 else (1, 3))


def test_the_first_frame_of_an_animation_counts():
    frames = [Image.new("P", (28, 28), colour) for colour in (0, 1)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert prepare_image(ImagePart(data), SETTINGS).grid == (1, 1)


def test_low_detail_is_at_most_512_pixels():
    part = ImagePart(noise(1000, 500), "low")
    assert image_grid(part, SETTINGS) == prepare_image(part, SETTINGS).grid == (10, 19)


def test_the_grid_needs_no_pixels():
    assert image_grid(ImagePart(huge_png(2800, 1400)), SETTINGS) == (28, 55)
    with pytest.raises(BadRequest, match="cannot be read"):
        prepare_image(ImagePart(huge_png(2800, 1400)), SETTINGS)


@pytest.mark.parametrize("side", [8001, 12_000, 100_000, 2**31 - 1])
def test_a_picture_that_promises_too_much_is_refused_unread(side: int):
    with pytest.raises(BadRequest, match=r"pixels|cannot be read"):
        open_image(huge_png(side, side))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "cannot be read"),
        (b"no picture at all", "cannot be read"),
        (encoded(noise(30, 30))[:60], "cannot be read"),
        (encoded(noise(30, 30), "BMP"), "cannot be read"),
        (encoded(noise(30, 30), "TIFF"), "cannot be read"),
        (Path("no/such/file.png"), "no such file"),
        ("data:image/png;base64,%%%", "cannot be read|not valid base64"),
        ("data:image/png;base64,AAA", "not valid base64"),
        ("data:image/png,AAAA", "without base64 data"),
        ("https://example.com/a.png", "without base64 data"),
        ("file:///etc/passwd", "without base64 data"),
        ("/etc/passwd", "cannot be read|not valid base64"),
        ("é", "not valid base64"),
    ],
)
def test_what_is_no_picture_is_one_plain_line(source: Any, message: str):
    with pytest.raises(BadRequest, match=message) as caught:
        prepare_image(ImagePart(source), SETTINGS)
    assert "\n" not in caught.value.message


def test_a_picture_cut_short_is_refused():
    data = encoded(noise(60, 60), "JPEG")
    with pytest.raises(BadRequest, match="cannot be read"):
        prepare_image(ImagePart(data[: len(data) // 2]), SETTINGS)


def test_a_file_above_the_limit_is_refused(tmp_path: Path):
    data = encoded(noise(60, 60))
    limits = ImageLimits(size_bytes=len(data) - 1)
    (path := tmp_path / "picture").write_bytes(data)
    for source in (data, path, base64.b64encode(data).decode()):
        with pytest.raises(BadRequest, match="larger than"):
            open_image(source, limits)
        open_image(source, ImageLimits(size_bytes=len(data)))
