"""Sums too large to do without a calculator, when one is offered."""

import json
from collections.abc import Mapping
from fractions import Fraction
from random import Random

from bise.evals.phrasing import phrase
from bise.evals.tools.draft import Draft
from bise.evals.tools.offers import MADE_UP, SMALL_JOBS, draw_others, make_offer, make_up
from bise.text.decode import random_call_id
from bise.text.messages import Message, TextPart, ThinkPart, Tool, ToolCall

NAMES = ("calculator", "calculate", "calc", "compute", "evaluate", "do_math", "solve_sum", "math")
TEXTS = ("expression", "formula", "sum", "term", "input", "text")
PAIRS = (("a", "b"), ("x", "y"), ("first", "second"), ("left", "right"))
ABOUT = ("Calculate a sum", "Work out a sum", "Calculator", "Do arithmetic", "Evaluate a sum.")
OPERATIONS = {
    "+": ("add", "plus"),
    "-": ("subtract", "minus"),
    "*": ("multiply", "times"),
    "/": ("divide", "divided by"),
}
SUMS = (
    *("What is {sum}?", "What is {sum}?", "How much is {sum}?", "Calculate {sum}.", "{sum}?"),
    *(
        "Work out {sum}.",
        "Compute {sum}.",
        "Please calculate {sum}.",
        "{sum} = ?",
        "Tell me {sum}.",
    ),
    *("I need {sum}.", "What does {sum} make?", "Can you work out {sum}?", "Solve {sum}."),
    *("What do I get for {sum}?", "Give me the result of {sum}.", "Find {sum}.", "Do {sum}."),
)
ANSWERS = ("{sum} is {x}.", "It is {x}.", "The result is {x}.", "{x}")


def draw_sum(rng: Random, reach: float) -> Draft:
    """Hand a sum to the calculator, or say what it gave back."""
    sign = rng.choice(list(OPERATIONS))
    left, right = draw_number(rng, reach), draw_number(rng, reach)
    written = f"{left} {sign} {right}"
    spoken = f"{left} {OPERATIONS[sign][1]} {right}" if rng.random() < 0.4 else written
    if rng.random() < 0.2:
        spoken = spoken.replace(" ", "") if spoken == written else spoken
    kind = rng.choice(("text", "text", "text", "pair", "operation"))
    if kind == "text":
        tools, name, arguments = offer_text(rng, reach, written)
    elif kind == "pair":
        tools, name, arguments = offer_pair(rng, sign, left, right)
    else:
        tools, name, arguments = offer_operation(rng, reach, sign, left, right)
    lines = [f"{written} is a sum: {name} does that."]
    lines += [f"{key}: {json.dumps(value)}" for key, value in arguments.items()]
    thinking = "\n".join(lines)
    call = ToolCall(random_call_id(rng), name, json.dumps(arguments))
    question = phrase(rng, SUMS, sum=spoken)
    if rng.random() < 0.75:
        return Draft(question, thinking, written, tools, calls=(call,))
    value = result(sign, left, right)
    key = rng.choice(("result", "value", "answer"))
    given = (
        Message("assistant", (ThinkPart(thinking),), tool_calls=(call,)),
        Message("tool", (TextPart(json.dumps({key: value})),), tool_call_id=call.id),
    )
    answer = rng.choice(ANSWERS).format(sum=spoken, x=value)
    return Draft(question, f"{key}: {value}", written, tools, answer=answer, given=given)


def draw_number(rng: Random, reach: float) -> int | float:
    """Of four digits and more, or with a decimal: smaller ones are done without a calculator."""
    if rng.random() < 0.25 * reach:
        return float(f"{rng.randint(100, 9999)}.{rng.randint(1, 9)}")
    return rng.randint(1000, 10 ** (4 + round(2 * reach)) - 1)


def result(sign: str, left: float, right: float) -> int | float:
    """Exact, or rounded to four decimals."""
    one, two = Fraction(str(left)), Fraction(str(right))
    match sign:
        case "+":
            value = one + two
        case "-":
            value = one - two
        case "*":
            value = one * two
        case _:
            value = one / two
    return int(value) if value.denominator == 1 else round(float(value), 4)


def draw_name(rng: Random, reach: float) -> str:
    if rng.random() < MADE_UP * reach:
        return make_up(rng, is_held_out_word=False)
    return rng.choice(NAMES)


def others(rng: Random, reach: float) -> list[Tool]:
    num = rng.randint(0, round(reach))
    return [make_offer(rng, job, reach).tool for job in draw_others(rng, SMALL_JOBS, num, ())]


def offer_text(
    rng: Random, reach: float, written: str
) -> tuple[tuple[Tool, ...], str, dict[str, str]]:
    """A calculator that takes the sum as it is written."""
    name, key = draw_name(rng, reach), rng.choice(TEXTS)
    tool = make_tool(name, rng.choice(ABOUT), {key: {"type": "string"}})
    return mixed(rng, [tool, *others(rng, reach)]), name, {key: written}


def offer_pair(
    rng: Random, sign: str, left: float, right: float
) -> tuple[tuple[Tool, ...], str, dict[str, float]]:
    """A function for each operation."""
    signs = [sign, *rng.sample([each for each in OPERATIONS if each != sign], rng.randint(1, 2))]
    one, two = rng.choice(PAIRS)
    numbers = {one: {"type": "number"}, two: {"type": "number"}}
    ending = rng.choice(("", "", "_numbers", "_two"))
    name_of = {each: OPERATIONS[each][0] + ending for each in signs}
    tools = [
        make_tool(name_of[each], f"{OPERATIONS[each][0].capitalize()} two numbers", numbers)
        for each in signs
    ]
    return mixed(rng, tools), name_of[sign], {one: left, two: right}


def offer_operation(
    rng: Random, reach: float, sign: str, left: float, right: float
) -> tuple[tuple[Tool, ...], str, dict[str, str | float]]:
    """One function that is told the operation."""
    name, (one, two) = draw_name(rng, reach), rng.choice(PAIRS)
    key, is_word = rng.choice(("operation", "op", "operator")), rng.random() < 0.5
    words = [OPERATIONS[each][0] if is_word else each for each in OPERATIONS]
    number = {"type": "number"}
    properties = {one: number, key: {"type": "string", "enum": words}, two: number}
    tool = make_tool(name, rng.choice(ABOUT), properties)
    word = OPERATIONS[sign][0] if is_word else sign
    return mixed(rng, [tool, *others(rng, reach)]), name, {one: left, key: word, two: right}


def make_tool(name: str, about: str, properties: Mapping[str, object]) -> Tool:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return Tool(name, about, schema)


def mixed(rng: Random, tools: list[Tool]) -> tuple[Tool, ...]:
    rng.shuffle(tools)
    return tuple(tools)
