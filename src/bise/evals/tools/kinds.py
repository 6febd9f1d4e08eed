"""How questions are made that a call answers: what is offered, what is asked, what is called."""

from collections.abc import Sequence
from random import Random

from bise.evals.tools.draft import Draft
from bise.evals.tools.jobs import BROAD, JOBS, UNSEEN_JOBS, Job
from bise.evals.tools.offers import (
    MAX_PARAMS,
    SMALL_JOBS,
    Offer,
    Request,
    ask_for,
    draw_num,
    draw_offers,
    draw_others,
    draw_request,
    form_of,
    make_call,
    make_offer,
    think_call,
    wrap,
)
from bise.evals.tools.slots import SLOTS

SINGLE = ("city", "name", "word", "food", "thing", "code", "file", "enum")
"""Kinds of values that are one word."""


def kinds_of(job: Job) -> list[str]:
    return [SLOTS[key].kind for key in job.needs]


ONE_STRING = tuple(j for j in JOBS if j.types == {"string"} and len(j.needs) == 1)
ONE_WORD = tuple(j for j in ONE_STRING if kinds_of(j)[0] in SINGLE)
TYPED = tuple(
    j
    for j in JOBS
    if len(j.needs) <= 2
    and (j.types & {"integer", "number", "boolean"} or "enum" in kinds_of(j))
    and "array" not in j.types
)
WITH_OPTIONS = tuple(j for j in JOBS if j.clauses and len(j.needs) < MAX_PARAMS)
WITH_LISTS = tuple(j for j in JOBS if "array" in j.types)
SHORT = tuple(j for j in JOBS if len(j.needs) <= 2 and "array" not in j.types)
NOT_BROAD = tuple(j for j in JOBS if j.thing not in BROAD)


def draw_single(rng: Random, job: Job, reach: float, num_others: int = 0) -> Draft:
    """One call with the required arguments, among some other functions."""
    request = draw_request(rng, reach, job.needs)
    offer = make_offer(rng, job, reach)
    return one_call(rng, offer, draw_offers(rng, [offer], reach, num_others), request)


def one_call(rng: Random, offer: Offer, offers: Sequence[Offer], request: Request) -> Draft:
    return Draft(
        question=ask_for(rng, offer.job, request),
        thinking=think_call(offer, request, offers),
        form=form_of(offer, request),
        tools=tuple(each.tool for each in offers),
        calls=(make_call(rng, offer, request),),
    )


def draw_one_string(rng: Random, reach: float) -> Draft:
    return draw_single(rng, rng.choice(ONE_STRING), reach)


def draw_typed(rng: Random, reach: float) -> Draft:
    return draw_single(rng, rng.choice(TYPED), reach)


def draw_choice(rng: Random, reach: float) -> Draft:
    """The right one of two to four functions."""
    job = rng.choice(NOT_BROAD)
    return draw_single(rng, job, reach, draw_num(rng, reach, most=4 - len(job.needs)))


def draw_options(rng: Random, reach: float) -> Draft:
    """Optional arguments, given only where the user says them."""
    job = rng.choice(WITH_OPTIONS)
    room = MAX_PARAMS - len(job.needs)
    options = rng.sample(list(job.clauses), min(room, len(job.clauses)))
    said = [key for key in options if rng.random() < 0.5]
    request = draw_request(rng, reach, (*job.needs, *said))
    offer = make_offer(rng, job, reach, options=options)
    num_others = int(rng.random() < 0.4 * reach and job.thing not in BROAD)
    return one_call(rng, offer, draw_offers(rng, [offer], reach, num_others), request)


def draw_lists(rng: Random, reach: float) -> Draft:
    return draw_single(rng, rng.choice(WITH_LISTS), reach, int(rng.random() < 0.4 * reach))


def draw_two(rng: Random, reach: float) -> Draft:
    """Two calls at once: of one function with two values, or of two functions."""
    if rng.random() < 0.5:
        job = rng.choice(ONE_WORD)
        offers = [make_offer(rng, job, reach)] * 2
        requests = [draw_request(rng, reach, job.needs) for _ in range(2)]
        while requests[0].values == requests[1].values:
            requests[1] = draw_request(rng, reach, job.needs)
        key = job.needs[0]
        said = {key: f"{requests[0].said[key]} and {requests[1].said[key]}"}
        body = rng.choice(job.orders + job.asks)
        question = wrap(rng, body, said, is_order=body in job.orders)
        among = draw_offers(rng, offers[:1], reach, int(rng.random() < 0.4 * reach))
    else:
        jobs = draw_others(rng, SHORT, 2, ())
        offers = [make_offer(rng, job, reach) for job in jobs]
        while offers[0].tool.name == offers[1].tool.name:
            offers[1] = make_offer(rng, jobs[1], reach)
        requests = [draw_request(rng, reach, job.needs, is_quoted=True) for job in jobs]
        bodies = [
            rng.choice(job.orders).format(**request.said)
            for job, request in zip(jobs, requests, strict=True)
        ]
        between = rng.choice((" and ", " and then ", ", then ", ", and "))
        question = wrap(rng, "{both}", {"both": between.join(bodies)}, is_order=True)
        question = question[0].upper() + question[1:] if rng.random() < 0.5 else question
        among = draw_offers(rng, offers, reach, 0)
    pairs = list(zip(offers, requests, strict=True))
    return Draft(
        question=question,
        thinking="\n".join(think_call(*pair, among) for pair in pairs),
        form=", ".join(form_of(offer, request) for offer, request in pairs),
        tools=tuple(offer.tool for offer in among),
        calls=tuple(make_call(rng, offer, request) for offer, request in pairs),
    )


def draw_unseen(rng: Random, reach: float) -> Draft:
    """Functions under names never trained, half of them doing what was never trained."""
    job = rng.choice(UNSEEN_JOBS if rng.random() < 0.5 else NOT_BROAD)
    room = MAX_PARAMS - len(job.needs)
    options = rng.sample(list(job.clauses), min(room, len(job.clauses)))
    said = [key for key in options if rng.random() < 0.5]
    request = draw_request(rng, reach, (*job.needs, *said))
    others = draw_others(rng, UNSEEN_JOBS + SMALL_JOBS, rng.randint(0, 2), [job])
    offer = make_offer(rng, job, reach, options=options, is_unseen=True)
    offers = [offer, *(make_offer(rng, other, reach, is_unseen=True) for other in others)]
    rng.shuffle(offers)
    return one_call(rng, offer, offers, request)
