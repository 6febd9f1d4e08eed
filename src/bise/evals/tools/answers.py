"""How questions are made that words answer: from a result, an error, or for want of a tool."""

import json
from collections.abc import Mapping, Sequence
from random import Random

from bise.evals.tools.draft import Draft
from bise.evals.tools.jobs import JOBS, Job
from bise.evals.tools.kinds import NOT_BROAD
from bise.evals.tools.marks import numbers
from bise.evals.tools.offers import (
    SMALL_JOBS,
    Offer,
    Request,
    ask_for,
    content_of,
    draw_num,
    draw_others,
    draw_request,
    form_of,
    look_at,
    make_call,
    make_offer,
    mix_offers,
    think_call,
    wrap,
)
from bise.evals.tools.results import DOERS, ERRORS, FIELDS, FINDERS, Field
from bise.evals.tools.values import Value, draw_value
from bise.text.messages import Message, TextPart, ThinkPart

SIMILAR = tuple(
    frozenset(line.split())
    for line in """
add_event add_task add_reminder set_alarm set_timer start_countdown save_note
send_message send_mail add_reminder call_person
call_person find_contact add_contact
search_notes read_note
set_light set_brightness
find_flights find_trains find_route call_taxi
order_product order_pizza add_shopping_list get_price
get_weather get_sunrise
set_lock set_alarm_system
draw_random_number roll_dice
invite_guests add_event send_message
delete_file delete_event
""".strip().splitlines()
)
"""Jobs that may stand in for each other, so one is never refused while the other is offered."""

NONE_FITS = (
    "None of my tools can {goal}.",
    "I have no tool to {goal}.",
    "No tool I have can {goal}.",
    "Sorry, I have no tool that can {goal}.",
    "I cannot {goal} with the tools I have.",
    "I cannot do that: no tool can {goal}.",
)
DONE = ("Done.", "That is done.", "It is done.", "Done!", "It worked, that is done.")
DONE_ID = ("Done. The {key} is {x}.", "That is done, the {key} is {x}.", "It is done: {key} {x}.")
FAILED = (
    "That did not work: {error}.",
    "It did not work. The error is: {error}.",
    "Sorry, that failed: {error}.",
    "I could not do that: {error}.",
    "{name} failed: {error}.",
    "There was an error: {error}.",
)


def draw_none(rng: Random, reach: float) -> Draft:
    """No function does what is asked, and the reply says so."""
    job = rng.choice(NOT_BROAD)
    request = draw_request(rng, reach, job.needs)
    others = draw_others(rng, SMALL_JOBS, draw_num(rng, reach), similar(job))
    offers = mix_offers(rng, (), others, reach)
    lines = [look_at(offer.tool, fits=False) for offer in offers]
    return Draft(
        question=ask_for(rng, job, request),
        thinking="\n".join((f"I need to {job.goal}.", *lines, "No tool does that.")),
        form=f"{content_of(job, request)}, not {' '.join(sorted(o.key for o in others))}",
        tools=tuple(offer.tool for offer in offers),
        answer=rng.choice(NONE_FITS).format(goal=job.goal),
    )


def similar(job: Job) -> list[Job]:
    """A job and those a person might take for it."""
    groups = [group for group in SIMILAR if job.key in group]
    return [job, *(each for each in JOBS if any(each.key in group for group in groups))]


def draw_result(rng: Random, reach: float) -> Draft:
    """What the function gave back answers the question, or says that something is done."""
    if rng.random() < 0.25:
        return draw_done(rng, reach)
    job = rng.choice(FINDERS)
    fields = FIELDS[job.key]
    num = len(fields) if rng.random() < 0.3 + 0.7 * reach else 1
    shown = rng.sample(fields, num)
    offer, request = make_offer(rng, job, reach), draw_request(rng, reach, job.needs)
    values = draw_fields(rng, shown, reach, list(request.values.values()))
    names = [field.names[0] if rng.random() > reach else rng.choice(field.names) for field in shown]
    place = rng.randrange(num)
    field, name, value = shown[place], names[place], values[place]
    question = wrap(rng, rng.choice(field.asks), request.said, is_order=False)
    answer = rng.choice(field.answers).format(x=value, **request.said)
    result = dict(zip(names, values, strict=True))
    return Draft(
        question=question,
        thinking=f"{name}: {json.dumps(value)}",
        form=f"{form_of(offer, request)} {field.names[0]} {json.dumps(values)}",
        tools=(offer.tool,),
        answer=answer[0].upper() + answer[1:],
        given=give(rng, offer, request, result),
    )


def draw_fields(
    rng: Random, fields: Sequence[Field], reach: float, taken: list[Value]
) -> list[Value]:
    """Values of a result, none an argument or sharing a number with another."""
    values: list[Value] = []
    for field in fields:
        others = taken + values
        seen = numbers(" ".join(map(str, others)))
        value = draw_value(rng, field.slot, reach)
        while value in others or numbers(str(value)) & seen:
            value = draw_value(rng, field.slot, reach)
        values.append(value)
    return values


def draw_done(rng: Random, reach: float) -> Draft:
    job = rng.choice(DOERS)
    offer, request = make_offer(rng, job, reach), draw_request(rng, reach, job.needs)
    key, word = rng.choice((("status", "ok"), ("status", "done"), ("result", "ok"), ("ok", True)))
    result: dict[str, Value] = {key: word}
    answer, thinking = rng.choice(DONE), f"{key}: {json.dumps(word)}. It is done."
    if rng.random() < 0.4:
        label, number = rng.choice(("id", "number", "code")), rng.randint(100, 99999)
        result[label] = number
        answer = rng.choice(DONE_ID).format(key=label, x=number)
        thinking += f"\n{label}: {number}"
    return Draft(
        question=ask_for(rng, job, request),
        thinking=thinking,
        form=f"done {form_of(offer, request)}",
        tools=(offer.tool,),
        answer=answer,
        given=give(rng, offer, request, result),
    )


def draw_error(rng: Random, reach: float) -> Draft:
    """Something went wrong, and the user is told what."""
    job = rng.choice(NOT_BROAD)
    offer, request = make_offer(rng, job, reach), draw_request(rng, reach, job.needs)
    error = rng.choice(ERRORS)
    if error == "not found":
        error = f"{job.thing.replace('_', ' ')} {error}"
    if rng.random() < 0.3 * reach:
        error = f"code {rng.randint(100, 999)}, {error}"
    result: dict[str, Value] = {rng.choice(("error", "error", "message", "failed")): error}
    if "message" in result:
        result = {"status": "error", **result}
    answer = rng.choice(FAILED).format(name=offer.tool.name, error=error)
    return Draft(
        question=ask_for(rng, job, request),
        thinking=f"It is an error: {error}",
        form=f"{form_of(offer, request)} {error}",
        tools=(offer.tool,),
        answer=answer,
        given=give(rng, offer, request, result),
    )


def give(
    rng: Random, offer: Offer, request: Request, result: Mapping[str, Value]
) -> tuple[Message, ...]:
    """A call and its result."""
    call = make_call(rng, offer, request)
    return (
        Message("assistant", (ThinkPart(think_call(offer, request)),), tool_calls=(call,)),
        Message("tool", (TextPart(json.dumps(result)),), tool_call_id=call.id),
    )
