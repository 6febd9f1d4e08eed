"""The door `POST /v1/completions`: bare texts or ids in, what the model goes on with out."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response

from bise.serve.chat_reply import DONE, event
from bise.serve.completion_body import (
    CompletionBody,
    completion_ask,
    encode_prompt,
    prompts_of,
    read_completion,
)
from bise.serve.completion_reply import CompletionForm
from bise.serve.events import CLIENT_CLOSED, EventStream
from bise.serve.json_body import read_object
from bise.serve.limits import need_chars, need_ratings
from bise.serve.metrics import Metrics
from bise.serve.replies import answer, last_words, together, whole
from bise.serve.sampling_ask import replies_of, unused_in
from bise.serve.served import Served
from bise.serve.shapes import StreamOptions
from bise.serve.talk import PreparedAsk, Talk
from bise.serve.turn import ignored_header, settled
from bise.serve.visit import Visit
from bise.text import Prompt


async def completions(request: Request, served: Served, metrics: Metrics) -> Response:
    """Go on with some texts."""
    body = read_completion(await read_object(request, served.limits))
    served.need(body.model)
    visit = request.state.visit
    prepared = await asyncio.to_thread(prepare, body, visit, served)
    count = replies_of(body, served.limits)
    talks = [
        served.talker.begin(
            one,
            number=number % count,
            watch=metrics.watch(visit),
        )
        for number, one in enumerate(one for one in prepared for _ in range(count))
    ]
    visit.admit([one.prompt for one in prepared], len(talks), served.backlog)
    form = form_of(body, served, count)
    form_asked = prepared[0].ask.form
    dropped = form_asked.dropped if form_asked else ()
    headers = ignored_header([*unused_in(body, served.limits), *dropped])
    if body.has_stream:
        return EventStream(stream_events(form, talks), last_words(request, event, DONE), headers)
    gathered = await whole(request, talks)
    if gathered is None:
        return Response(status_code=CLIENT_CLOSED)
    rates_prompt = prepared[0].ask.want_prompt_logprobs is not None
    return await answer(lambda: form.whole(talks, gathered), headers, is_long=rates_prompt)


def prepare(body: CompletionBody, visit: Visit, served: Served) -> list[PreparedAsk]:
    """All prompts, encoded and found good."""
    tekken, prompts = served.talker.chat.tekken, prompts_of(body, served.limits)
    for prompt in prompts:
        if isinstance(prompt, str):
            need_chars(len(prompt), served.limits, served.max_positions)
    ask = settled(completion_ask(body, tekken, served.limits), body, visit, served)
    has_bos = body.add_special_tokens is not False
    encoded = [encode_prompt(prompt, tekken, has_bos=has_bos) for prompt in prompts]
    num_tokens = sum(map(len, encoded)) * replies_of(body, served.limits)
    need_ratings(num_tokens, ask.want_prompt_logprobs, served.limits)
    return [served.talker.prepare(ask, Prompt(ids)) for ids in encoded]


def form_of(body: CompletionBody, served: Served, count: int) -> CompletionForm:
    """How the answer is written."""
    options = body.stream_options or StreamOptions()
    return CompletionForm(
        model=served.name,
        fingerprint=served.fingerprint,
        tekken=served.talker.chat.tekken,
        replies=count,
        has_echo=bool(body.echo),
        num_top=body.logprobs,
        rates_prompt=body.rates_prompt,
        has_usage=bool(options.include_usage),
        counts_on=bool(options.continuous_usage_stats),
    )


async def stream_events(form: CompletionForm, talks: Sequence[Talk]) -> AsyncGenerator[bytes, None]:
    """The events of a stream: what each text goes on with; then usage, then the end."""
    async with aclosing(together(talks)) as rounds:
        async for index, deltas in rounds:
            chunk = form.chunk(index, talks[index], deltas)
            if chunk is not None:
                yield event(chunk)
    if form.has_usage:
        yield event(form.usage_chunk(talks))
    yield DONE
