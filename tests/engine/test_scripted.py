"""The core that only says what it is told, behind the real engine."""

import asyncio
import threading
import time
from itertools import count, islice

import pytest

from bise.engine import Bounds, Engine, Request, Sampling, ScriptedCore
from bise.engine.requests import END_THINK, THINK, Step
from bise.engine.streams import MOST_UNREAD, Ticket
from bise.errors import BadRequest, PromptTooLong, WaitedTooLong

BOUNDS = Bounds(vocab_size=2048, max_positions=5000, image_token=10, token_side=None)


def echo(request):
    """Says the prompt again, and once more one higher."""
    yield from request.prompt_ids
    yield from (token + 1 for token in request.prompt_ids)


def numbers(_):
    return (200 + number % 1000 for number in count())


def said(engine, request):
    steps = list(engine.generate(request))
    return [token for step in steps for token in step.ids], steps[-1].finish_reason


def test_it_says_its_script_a_token_a_step_and_then_ends():
    with Engine(ScriptedCore(echo, BOUNDS)) as engine:
        assert said(engine, Request(prompt_ids=[300, 400])) == ([300, 400, 301, 401, 2], "stop")
        assert said(engine, Request(prompt_ids=[300], max_tokens=1)) == ([300], "length")
        assert said(engine, Request(prompt_ids=[300], max_tokens=0)) == ([], "length")
        assert said(engine, Request(prompt_ids=[300], stop_ids=frozenset({301})))[1] == "stop"
        steps = list(engine.generate(Request(prompt_ids=[300], want_logprobs=1)))
        assert steps[0].logprobs[0].top == ((300, 0.0),) and steps[0].queued_s is not None
        assert engine.stats().num_generated_tokens == 5 + 1 + 2 + 3


def test_what_it_cannot_take_is_refused_as_everywhere():
    with Engine(ScriptedCore(echo, BOUNDS)) as engine:
        with pytest.raises(PromptTooLong):
            engine.generate(Request(prompt_ids=[300] * 5000))
        with pytest.raises(BadRequest, match="logit_bias"):
            engine.generate(Request(prompt_ids=[1], sampling=Sampling(logit_bias={9999: 1.0})))


def test_thinking_ends_at_its_budget():
    def thoughtful(_):
        return iter([THINK, 300, 301, 302, 303, END_THINK, 400])

    with Engine(ScriptedCore(thoughtful, BOUNDS)) as engine:
        ids, reason = said(engine, Request(prompt_ids=[1], thinking_budget=2))
    assert ids == [THINK, 300, 301, END_THINK, 400, 2] and reason == "stop"


def test_a_script_that_fails_fails_its_own_request(caplog):
    def broken(request):
        if request.prompt_ids[0] == 666:
            raise RuntimeError("the script is broken")
        return echo(request)

    with Engine(ScriptedCore(broken, BOUNDS)) as engine:
        with pytest.raises(RuntimeError, match="the script is broken"):
            said(engine, Request(prompt_ids=[666]))
        assert said(engine, Request(prompt_ids=[300]))[1] == "stop"
    assert "the engine failed" in caplog.text


def test_a_request_whose_turn_does_not_come_is_turned_away():
    core = ScriptedCore(numbers, BOUNDS, max_running=1, step_s=0.001)
    with Engine(core) as engine:
        first = iter(engine.generate(Request(prompt_ids=[1])))
        next(first)
        began = time.monotonic()
        with pytest.raises(WaitedTooLong, match=r"waited 0\.2 s"):
            said(engine, Request(prompt_ids=[1], queue_s=0.2))
        assert 0.2 <= time.monotonic() - began < 2
        first.close()


def test_who_delivers_never_waits_for_a_reader_who_goes_on():
    """Both at once, each with the lock that the other wants, would wait for ever."""
    with Engine(ScriptedCore(numbers, BOUNDS)) as engine:
        stream = engine.generate(Request(prompt_ids=[1]))
        ticket = Ticket(stream.request, lambda _: None)
        arrived: asyncio.Queue[Step | BaseException] = asyncio.Queue()
        for _ in range(MOST_UNREAD + 1):
            arrived.put_nowait(Step((1,)))
        thread = threading.Thread(target=stream._hold, args=(ticket, arrived), daemon=True)
        with ticket.lock:  # as the reader has it while he goes on
            thread.start()
            thread.join(10)
            assert not thread.is_alive() and not ticket.is_held
        stream._hold(ticket, arrived)
        assert ticket.is_held


def test_a_reader_who_lags_is_waited_for_and_gets_everything():
    core = ScriptedCore(numbers, BOUNDS, step_s=0.0002)

    async def read() -> list[int]:
        ids: list[int] = []
        async for step in engine.generate(Request(prompt_ids=[1], max_tokens=4000)):
            ids += step.ids
            if len(ids) == 10:
                while core.stats().num_generated_tokens <= MOST_UNREAD:  # a busy machine is slow
                    await asyncio.sleep(0.02)
                await asyncio.sleep(0.3)
                told.append(core.stats().num_generated_tokens)
                await asyncio.sleep(0.3)
                told.append(core.stats().num_generated_tokens)
        return ids

    told: list[int] = []
    with Engine(core) as engine:
        ids = asyncio.run(read())
        assert engine.stats().num_running == 0
    assert ids == list(islice(numbers(None), 4000))
    assert told[0] == told[1] < MOST_UNREAD + 1500  # what came until it was told to wait
