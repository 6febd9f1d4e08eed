"""Pictures of numbers: whole, legible, of the right size, plain at first."""

from random import Random

import numpy as np
import pytest

from bise.evals import Example, Read
from bise.evals.pictures import FONTS, MAX_HEIGHT, MIN_HEIGHT, Look, draw_number, load_face

TASK = Read()


def test_sides_are_multiples_of_28_and_modes_grey_or_colour():
    rng = Random(1)
    images = [TASK.sample(rng).image for _ in range(400)]
    assert {side for image in images for side in image.size} == {56, 84, 112, 140, 168}
    assert {image.mode for image in images} == {"L", "RGB"}


@pytest.mark.parametrize("face", FONTS)
@pytest.mark.parametrize("height", [MIN_HEIGHT, MAX_HEIGHT])
def test_the_widest_number_fits_in_every_font_with_paper_around_it(face, height):
    assert abs(load_face(face, height).height - height) <= 1
    for place in (0.0, 1.0):
        look = Look(face=face, height=height, gap=2, extra=(0, 0), place=(place, place), seed=1)
        for lines in (("00000",), ("8888", "4444")):
            pixels = np.asarray(draw_number(lines, look)).astype(int)
            edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
            assert np.ptp(edge) == 0
            assert np.ptp(pixels) > 75


def test_the_easiest_pictures_are_one_plain_digit_in_the_middle():
    rng = Random(2)
    for _ in range(100):
        example = TASK.sample(rng, reach=0.05)
        assert example.level == "1 digit"
        assert (example.image.size, example.image.mode) == ((56, 56), "L")
        pixels = np.asarray(example.image).astype(int)
        ink = np.argwhere(pixels < pixels[0, 0] - 40)
        assert np.abs((ink.min(0) + ink.max(0)) / 2 - 27.5).max() < 6


def test_pictures_come_light_dark_noisy_and_clean():
    rng = Random(3)
    corners = [np.asarray(TASK.sample(rng).image.convert("L"))[:3, :3] for _ in range(400)]
    dark = sum(corner.mean() < 128 for corner in corners)
    noisy = sum(np.ptp(corner) > 0 for corner in corners)
    assert 80 < dark < 240
    assert 120 < noisy < 280


def test_thinking_spells_the_digits():
    rng = Random(4)
    example = TASK.sample(rng, "5 digits")
    assert example.thinking == f"5 digits: {', '.join(example.answer)}"
    assert TASK.sample(rng, "1 digit").thinking.startswith("1 digit: ")


@pytest.mark.parametrize(
    "answer, reply, score",
    [
        ("40718", "40718", 1.0),
        ("40718", "The number is 40718.", 1.0),
        ("40718", "4 0 7 1 8", 1.0),
        ("07", "7", 0.0),
        ("12 34", "12\n34", 1.0),
        ("12", "12 12", 0.0),
    ],
)
def test_all_digits_must_be_right(answer, reply, score):
    assert TASK.grade(Example("read", "5 digits", "?", answer, "…"), reply) == score
