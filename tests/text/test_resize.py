"""Resampling against OpenCV and against the Hugging Face processor."""

import tracemalloc

import numpy as np
import pytest
from small_pictures import noise

from bise.text import ImagePart, ImageSettings, prepare_image
from bise.text.resize import resize_native

SIZES = [(4, 4), (28, 28), (27, 29), (64, 40), (100, 60), (333, 57), (640, 480)]


@pytest.mark.parity
@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("target", [(28, 56), (84, 28), (308, 280)])
def test_native_resize_equals_opencv(width: int, height: int, target: tuple[int, int]):
    cv2 = pytest.importorskip("cv2")
    pixels = np.asarray(noise(width, height), np.uint8)
    expected = cv2.resize(pixels.astype(np.float32), target[::-1], interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(resize_native(pixels, *target), expected, atol=1e-3)


@pytest.mark.parity
def test_a_side_under_four_pixels_is_close_to_opencv():
    cv2 = pytest.importorskip("cv2")  # which takes another road there, in float32
    pixels = np.asarray(noise(118, 2), np.uint8)
    expected = cv2.resize(pixels.astype(np.float32), (140, 28), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(resize_native(pixels, 28, 140), expected, atol=5e-3)


def test_a_very_long_picture_needs_little_memory():
    pixels = np.zeros((1, 10_000_000, 3), np.uint8)
    tracemalloc.start()
    for picture, target in ((pixels, (28, 1540)), (pixels.swapaxes(0, 1), (1540, 28))):
        assert resize_native(picture, *target).shape == (*target, 3)
    assert (
        tracemalloc.get_traced_memory()[1] < 10_000_000
    )  # bytes; the picture itself has 3 times that
    tracemalloc.stop()


def test_a_picture_of_the_right_size_is_left_alone():
    pixels = np.asarray(noise(28, 56), np.uint8)
    np.testing.assert_array_equal(resize_native(pixels, 56, 28), pixels)


@pytest.mark.parity
@pytest.mark.parametrize(("width", "height"), [(28, 28), (64, 40), (200, 333), (500, 90)])
def test_hf_resize_equals_the_hugging_face_processor(width: int, height: int):
    from transformers.models.pixtral.image_processing_pil_pixtral import PixtralImageProcessorPil

    settings = ImageSettings(max_size=140)
    processor = PixtralImageProcessorPil(
        size={"longest_edge": settings.max_size},
        patch_size={"height": settings.token_size, "width": settings.token_size},
    )
    image = noise(width, height)
    expected = processor(image, return_tensors="np")["pixel_values"][0]
    prepared = prepare_image(ImagePart(image), settings, resize="hf")
    np.testing.assert_allclose(prepared.pixels, expected, atol=1e-5)
