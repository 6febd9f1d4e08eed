"""Read a printed number in a small image."""

import re
from dataclasses import dataclass
from random import Random

from bise.evals.phrasing import phrase
from bise.evals.pictures import draw_look, draw_number
from bise.evals.task import MIN_FORMS, Example, HoldOut, Task

TEMPLATES = (
    "What number is this?",
    "What number do you see?",
    "Which number is in the image?",
    "Which number is shown?",
    "What does the picture say?",
    "What is written here?",
    "What is the number?",
    "What number is in this picture?",
    "Read the number.",
    "Read the digits.",
    "Read this.",
    "Please read this number.",
    "Read the number in the image.",
    "Write down the number.",
    "Write the digits you see.",
    "Tell me the number.",
    "Tell me what you see.",
    "Can you read this?",
    "Which digits are these?",
    "The number, please.",
    "Number?",
)

EASY_REACH = 0.1
"""Below it every picture is one plain digit in a fixed place: so that seeing begins early."""


@dataclass(frozen=True, slots=True)
class Read(Task):
    """Say which digits are in the image; leading zeros count."""

    name = "read"
    levels = ("1 digit", "2 digits", "3 digits", "4 digits", "5 digits")
    shape_levels = ("two lines",)

    def draw(self, rng: Random, level: str, reach: float) -> Example:
        if level == "two lines":
            num = rng.randint(2, 4)
            lines = (draw_digits(rng, num), draw_digits(rng, num))
        else:
            lines = (draw_digits(rng, int(level[0])),)
        look = draw_look(rng, freedom=min(1.0, max(0.0, (reach - EASY_REACH) / 0.4)))
        digits = " ".join(lines)
        form = digits if num_numbers(level) >= MIN_FORMS else f"{digits} {look}"
        return Example(
            task=self.name,
            level=level,
            question=phrase(rng, TEMPLATES),
            answer=digits,
            thinking=spell(lines),
            image=draw_number(lines, look),
            form=form,
        )

    def grade(self, example: Example, reply: str) -> float:
        """1.0 if the digits in the reply are those of the image."""
        return float(re.sub(r"\D", "", reply) == example.answer.replace(" ", ""))

    def hold_outs(self) -> dict[str, HoldOut]:
        outs: dict[str, HoldOut] = {}
        for level in self.levels:
            num = num_numbers(level)
            outs[level] = HoldOut("content" if num >= MIN_FORMS else "rendering", num)
        return outs | {"two lines": HoldOut("shape", num_numbers("two lines"))}

    def answer_class(self, example: Example) -> str:
        """The level and the last digit."""
        return f"{example.level}: {example.answer[-1]}"


def draw_digits(rng: Random, num: int) -> str:
    return "".join(rng.choices("0123456789", k=num))


def num_numbers(level: str) -> int:
    """How many different numbers a level has."""
    if level == "two lines":
        return sum(10 ** (2 * num) for num in (2, 3, 4))
    return 10 ** int(level[0])


def spell(lines: tuple[str, ...]) -> str:
    """Say how many digits there are, then name them one by one."""
    num = len("".join(lines))
    spelled = "; ".join(", ".join(line) for line in lines)
    return f"{num} digit{'s' if num > 1 else ''}: {spelled}"
