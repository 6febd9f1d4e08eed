"""The picture that programs are given as a file; libraries make the same in their drivers."""

import io

from PIL import Image


def red_square(side: int = 56) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(made, "PNG")
    return made.getvalue()
