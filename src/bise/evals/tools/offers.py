"""A function as one user offers it, and a request for it as one user types it.

Names of functions and parameters vary, and some are made up, so that they have to be copied from
what is offered and cannot be recalled.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from bise.evals.phrasing import loosen
from bise.evals.task import is_held_out
from bise.evals.tools.jobs import BROAD, JOBS, UNSEEN_JOBS, Job
from bise.evals.tools.slots import SLOTS
from bise.evals.tools.values import Value, draw_value, property_of, say
from bise.text.decode import random_call_id
from bise.text.messages import Tool, ToolCall

ORDERS = (
    *("{}.", "{}.", "{}.", "Please {}.", "Can you {}?", "Could you {}?", "{}, please."),
    *("I want you to {}.", "I need you to {}.", "Would you {}?", "Now {}.", "Can you please {}?"),
    *("Hey, {}.", "Next, {}.", "Be so kind and {}.", "Your job: {}.", "Go and {}.", "Hi! {}."),
)
"""Around a request that is an imperative."""

ASKS = (
    *("{}?", "{}?", "{}?", "Tell me: {}?", "One question: {}?", "Hi, {}?", "I ask myself: {}?"),
    *("Please tell me, {}?", "Hello! {}?", "Do you know: {}?", "So, {}?", "{}, please?"),
)
"""Around a question without its mark."""

DESCRIPTIONS = ("{}", "{}", "{}.", "Use this to {}.", "This can {}.")
ENDINGS = ("lookup", "call", "tool", "run", "do", "it", "now", "one")
PREFIXES = ("my", "api", "app", "user", "do", "home", "x", "v2")
STARTS = (*"bdfgjklmnprstvwz", "bl", "dr", "fl", "gr", "kr", "pl", "sn", "tr", "zw")
ENDS = (*"bfklmnprx", "", "sk", "rp")
FEW = ("enum", "boolean", "integer", "city", "name", "word", "time", "day", "food", "thing")
"""Kinds of values of which there are so few that all are trained."""

SMALL_JOBS = tuple(job for job in JOBS if len(job.needs) == 1 and "array" not in job.types)
"""Short to describe."""

MAX_PARAMS = 3
MADE_UP = 0.35
"""Names that are no words. They are copied letter by letter, which takes more practice."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A job as one user offers it."""

    job: Job
    tool: Tool
    params: Mapping[str, str]
    """Names of the parameters by their keys in `SLOTS`, in the order of the schema."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a job: values by their keys in `SLOTS`, and how the user says them."""

    values: Mapping[str, Value]
    said: Mapping[str, str]


def make_offer(
    rng: Random,
    job: Job,
    reach: float,
    *,
    options: Sequence[str] = (),
    is_unseen: bool = False,
) -> Offer:
    """Offer a job, with some of its optional parameters; `reach` makes names unusual."""
    is_plain = rng.random() >= 0.2 + 0.7 * reach
    style = "snake" if is_plain else rng.choice(("snake", "camel", "turned", "kebab", "prefixed"))
    verb = job.verbs[0] if is_plain else rng.choice(job.verbs)
    name = style_name(rng, verb, job.thing, style)
    is_made_up = is_unseen or rng.random() < MADE_UP * reach
    if is_made_up and not (job in UNSEEN_JOBS and rng.random() < 0.4):
        ending = rng.choice(("", f"_{rng.choice(ENDINGS)}"))
        name = f"{make_up(rng, is_held_out_word=is_unseen)}{ending}"
    params = name_params(rng, (*job.needs, *options), is_plain=is_plain, style=style)
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: property_of(SLOTS[key]) for key, name in params.items()},
    }
    if job.needs and (options or rng.random() < 0.9):
        schema["required"] = [name for key, name in params.items() if key in job.needs]
    description = "" if rng.random() < 0.12 * reach and not is_made_up else describe(rng, job)
    return Offer(job, Tool(name, description, schema), params)


def style_name(rng: Random, verb: str, thing: str, style: str) -> str:
    match style:
        case "camel":
            return camel(f"{verb}_{thing}")
        case "turned":
            return f"{thing}_{verb}"
        case "kebab":
            return f"{verb}_{thing}".replace("_", "-")
        case "prefixed":
            return f"{rng.choice(PREFIXES)}_{verb}_{thing}"
        case _:
            return f"{verb}_{thing}"


def camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(part.capitalize() for part in more)


def make_up(rng: Random, *, is_held_out_word: bool) -> str:
    """A word nobody has seen; one of sixteen is never trained."""
    while True:
        starts, vowels = rng.choices(STARTS, k=2), rng.choices("aeiou", k=2)
        word = "".join((starts[0], vowels[0], starts[1], vowels[1], rng.choice(ENDS)))
        if is_held_out("made up " + word) == is_held_out_word:
            return word


def name_params(
    rng: Random, keys: Sequence[str], *, is_plain: bool, style: str
) -> Mapping[str, str]:
    """Names for some parameters, all different, in an order of their own."""
    order = list(keys)
    if not is_plain:
        rng.shuffle(order)
    names: dict[str, str] = {}
    for key in order:
        free = [name for name in SLOTS[key].names if name not in names.values()]
        names[key] = free[0] if is_plain else rng.choice(free)
    if style == "camel":
        return {key: camel(name) for key, name in names.items()}
    return names


def describe(rng: Random, job: Job) -> str:
    text = rng.choice(DESCRIPTIONS).format(job.goal)
    return text[0].upper() + text[1:] if rng.random() < 0.8 else text


def draw_request(
    rng: Random, reach: float, keys: Sequence[str], *, is_quoted: bool = False
) -> Request:
    """Values for these parameters; from and to are never the same."""
    values = {key: draw_value(rng, SLOTS[key], reach) for key in keys}
    while "end" in values and values["end"] == values["start"]:
        values["end"] = draw_value(rng, SLOTS["end"], reach)
    while "new" in values and values["new"] == values["old"]:
        values["new"] = draw_value(rng, SLOTS["new"], reach)
    said = {
        key: say(rng, SLOTS[key], value, reach, is_quoted=is_quoted)
        for key, value in values.items()
    }
    return Request(values, said)


def ask_for(rng: Random, job: Job, request: Request) -> str:
    """A request as a user types it, with the words of optional values behind."""
    body = rng.choice(job.orders + job.asks)
    clauses = "".join(words for key, words in job.clauses.items() if key in request.values)
    return wrap(rng, body + clauses, request.said, is_order=body in job.orders)


def wrap(rng: Random, body: str, said: Mapping[str, str], *, is_order: bool) -> str:
    """A request with the words people put around it."""
    text = rng.choice(ORDERS if is_order else ASKS).replace("{}", body)
    return loosen(rng, text[0].upper() + text[1:]).format(**said)


def make_call(rng: Random, offer: Offer, request: Request) -> ToolCall:
    """The call that does what is asked, its arguments in the order of the schema."""
    arguments = {
        name: request.values[key] for key, name in offer.params.items() if key in request.values
    }
    return ToolCall(random_call_id(rng), offer.tool.name, json.dumps(arguments))


def think_call(offer: Offer, request: Request, offers: Sequence[Offer] = ()) -> str:
    """Which function of those offered, then each of its parameters with its value."""
    lines = [f"I need to {offer.job.goal}: {offer.tool.name} does that."]
    if len(offers) > 1:
        looks = [look_at(each.tool, fits=each == offer) for each in offers]
        lines = [f"I need to {offer.job.goal}.", *looks, f"{offer.tool.name} does that."]
    for key, name in offer.params.items():
        said = json.dumps(request.values[key]) if key in request.values else "not said, left out"
        lines.append(f"{name}: {said}")
    return "\n".join(lines)


def look_at(tool: Tool, *, fits: bool) -> str:
    """A function's name and what it is for, copied, so that it can be judged where it stands."""
    about = f" {tool.description.rstrip('.')}" if tool.description else ""
    return f"{tool.name}:{about} -- {'yes' if fits else 'no'}"


def content_of(job: Job, request: Request) -> str:
    return f"{job.key} {json.dumps(dict(sorted(request.values.items())))}"


def form_of(offer: Offer, request: Request) -> str:
    """What is asked, whatever things are called; where that is little, also what they are called.

    There are only two ways to switch something: one of them held out would never be learned.
    """
    asked = content_of(offer.job, request)
    is_small = all(SLOTS[key].kind in FEW for key in request.values)
    return f"{offer.tool.name} {asked}" if is_small else asked


def draw_others(rng: Random, jobs: Sequence[Job], num: int, not_these: Sequence[Job]) -> list[Job]:
    """Jobs that cannot do what one of these does."""
    others: list[Job] = []
    while len(others) < num:
        job = rng.choice(jobs)
        if job not in others and job not in not_these and job.thing not in BROAD:
            others.append(job)
    return others


def draw_num(rng: Random, reach: float, most: int = 3) -> int:
    """How many other functions to offer; many are rare, as each is long."""
    return min(most, rng.choices((1, 2, 3), (1.0, 0.6 * reach, 0.3 * reach))[0])


def draw_offers(rng: Random, offers: Sequence[Offer], reach: float, num: int) -> tuple[Offer, ...]:
    """These offers among `num` others, in any order, their names all different."""
    others = draw_others(rng, SMALL_JOBS, num, [offer.job for offer in offers])
    return mix_offers(rng, offers, others, reach)


def mix_offers(
    rng: Random, offers: Sequence[Offer], others: Sequence[Job], reach: float
) -> tuple[Offer, ...]:
    """These offers and others, in any order, their names all different."""
    while True:
        mixed = [*offers, *(make_offer(rng, job, reach) for job in others)]
        if len({offer.tool.name for offer in mixed}) == len(mixed):
            rng.shuffle(mixed)
            return tuple(mixed)
