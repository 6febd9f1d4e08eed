"""Small Python functions: write one, mend one, or say what one returns.

A reply's function is run on cases by a small interpreter of our own, never by Python.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from random import Random

from bise.evals.python.kinds import SINGLE, WRITTEN, Draft
from bise.evals.python.limits import NotAllowed
from bise.evals.python.parse import parse
from bise.evals.python.plans import read_plan
from bise.evals.python.reading import draw_fix, draw_trace, passes
from bise.evals.task import Example, HoldOut, Task
from bise.evals.words import WORDS

KINDS: dict[str, Callable[[Random, int], Draft]] = {**WRITTEN, "fix": draw_fix, "trace": draw_trace}
"""What draws each level, given the largest number in a function."""

MIN_NUMBER, MAX_NUMBER = 9, 99
"""The largest number in a function, at the easiest and at full reach."""

NUM_PARAMS = {"k": MAX_NUMBER - 1, "m": 9, "j": 3, "p": 7, "c": 26, "d": 25, "t": len(WORDS)}
"""How many values each kind of parameter has."""

FENCED = re.compile(r"```[a-zA-Z]*\n(.*?)(?:```|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Python(Task):
    """Do something small in Python."""

    name = "python"
    levels = (
        *("number", "string", "list", "map", "filter", "condition", "loop", "compose"),
        *("fix", "trace"),
    )
    shape_levels = ("new compositions", "three steps")

    def draw(self, rng: Random, level: str, reach: float) -> Example:
        high = MIN_NUMBER + round((MAX_NUMBER - MIN_NUMBER) * reach)
        draft = KINDS[level](rng, high)
        return Example(
            task=self.name,
            level=level,
            question=draft.question,
            answer=draft.answer,
            thinking=draft.thinking,
            form=draft.form,
        )

    def grade(self, example: Example, reply: str) -> float:
        """1.0 if the function returns what it should in every case, or the value is right."""
        if example.level == "trace":
            return float(says_value(reply, example.answer))
        code = code_of(reply)
        try:
            functions = parse(code)
        except NotAllowed:
            return 0.0
        name = example.answer.split("def ")[1].split("(")[0]
        if not re.search(rf"(?<![\w'\"]){name}(?![\w'\"])", example.question):
            name = list(functions)[-1] if functions else ""
        plan = read_plan(example.form.split(" | ")[0])
        return float(passes(plan, code, name))

    def hold_outs(self) -> dict[str, HoldOut]:
        """One idea with its parameters: names are held out. Where plans are past counting (a
        condition has two ends, a wrong line is one of several) it is the plan itself."""
        outs = dict[str, HoldOut]()
        for level in self.levels:
            if level in SINGLE:
                nums = (prod(NUM_PARAMS[one] for one in does.params) for does in SINGLE[level])
                outs[level] = HoldOut("rendering", sum(nums))
            else:
                outs[level] = HoldOut("content", 10**6)
        return outs | {level: HoldOut("shape", 10**6) for level in self.shape_levels}


def code_of(reply: str) -> str:
    """The code of a reply: what stands in its last block, or from its first function on."""
    blocks = FENCED.findall(reply)
    code = blocks[-1] if blocks else reply
    return code[max(0, code.find("def ")) :].strip()


def says_value(reply: str, answer: str) -> bool:
    """Whether a reply gives a value, alone or at the end of a sentence."""
    plain = bare(reply)
    after = re.split(r"\b(?:returns?|is|gives?|get)\b|[=:`]", plain)[-1]
    return bare(answer) in (plain, bare(after)) and len(reply) < 400


def bare(text: str) -> str:
    """A value without what people may leave out: quotes, marks and blanks after commas."""
    return re.sub(r"[`'\"*]|(?<=,) +", "", text).strip().removesuffix(".").strip()
