"""However a reply comes about, it is the same reply: cached, guessed, preempted, in any company."""

import copy
import threading
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_requests import Cheap

from bise import load
from bise.engine import (
    Core,
    EngineConfig,
    ExactRunner,
    Request,
    Runner,
    Sampling,
    make_runner,
    run_all,
)
from bise.engine.guesses import Guesses
from bise.engine.runner import Work
from bise.engine.shelf import Shelf

COPIED = [1, 3, *([310, 311, 312, 313, 314, 315] * 4), 4]


def _ask(prompt: list[int], *, warm: bool = False, **fields) -> Request:
    few_words = dict.fromkeys(range(310, 315), 60.0)  # so that runs come up again, mostly wrongly
    sampling = Sampling(temperature=1.5 if warm else 0.0, seed=7, logit_bias=few_words)
    given_fields = {"prompt_ids": prompt, "sampling": sampling, "max_tokens": 24, **fields}
    return Request(**given_fields, stop_ids=frozenset())


def _core(network, num_tokens: int = 2048, max_running: int = 4, head=None, **options) -> Core:
    runner = Runner(network, num_tokens)
    guesses = Guesses(runner, head, Cheap())
    return Core(runner, max_running, seed=0, guesses=guesses, **options)


def _plain(network, requests: list[Request], kind: type[Runner] = Runner) -> list[list[int]]:
    """Each alone, with nothing clever."""
    return [
        run_all(Core(kind(network, 2048), 1, shares_prefixes=False, speculates=False), [one])[0]
        for one in requests
    ]


@pytest.mark.parametrize("warm", [False, True])
def test_guessing_ahead_changes_nothing_but_the_number_of_steps(network, warm):
    requests = [_ask(COPIED, warm=warm), _ask(COPIED[:9], warm=warm)]
    expected = _plain(network, requests)
    core = _core(network)
    assert run_all(core, requests) == expected
    stats = core.stats()
    assert stats.num_drafted_tokens > 0
    assert stats.num_accepted_tokens < stats.num_drafted_tokens  # wrong guesses are in the test


def test_a_model_that_repeats_itself_is_read_several_tokens_at_a_time(scripted):
    network = scripted({400 + i: 400 + (i + 1) % 5 for i in range(5)})
    core = _core(network)
    plain = Sampling(temperature=0.0)
    prompt = [1, *range(400, 405), *range(400, 403)]
    ids = run_all(core, [_ask(prompt, max_tokens=40, sampling=plain)])[0]
    assert ids == [400 + (3 + i) % 5 for i in range(40)]
    assert core.stats().num_steps <= 40 / 2.5


def test_a_known_beginning_is_not_computed_again_and_changes_nothing(network):
    beginning = [1, 3, *range(200, 250)]
    requests = [_ask([*beginning, 300 + n, 4], max_tokens=6) for n in range(3)]
    expected = _plain(network, requests)
    core = _core(network)
    assert [run_all(core, [one])[0] for one in requests] == expected
    assert core.stats().num_cached_tokens == 2 * 48  # three pages of sixteen, twice


@pytest.mark.parametrize("kind", ["plain", "int8"])
def test_pages_from_the_shelf_are_the_pages_that_went_there(network, kind):
    texts = [[1, 3, *range(200 + 100 * n, 290 + 100 * n)] for n in range(3)]
    requests = [_ask(texts[n], max_tokens=6) for n in (0, 1, 2, 0, 1, 2)]

    def replies(num_tokens: int, shelf_bytes: int) -> tuple[list[list[int]], Core]:
        runner = Runner(network, num_tokens, cache_kind=kind)
        shelf = Shelf(runner.cache, shelf_bytes) if shelf_bytes else None
        core = Core(runner, 2, shelf=shelf)
        said = [run_all(core, [one])[0] for one in requests]
        core.close()
        return said, core

    kept, _ = replies(4096, 0)
    spilled, core = replies(160, 2**20)
    assert spilled == kept
    assert core.scheduler.pool.shelf.num_fetched >= 10
    assert core.stats().num_cached_tokens == 3 * 80


def test_other_pictures_are_other_beginnings(network):
    prompt = [1, 3, *[10] * 20, 13, *range(200, 230), 4]
    noise = torch.Generator().manual_seed(1)
    pictures = [torch.randn(3, 28, 560, generator=noise) * 2 for _ in range(2)]
    requests = [_ask(prompt, images=[pictures[n]], max_tokens=8) for n in (0, 1, 0)]
    expected = _plain(network, requests)
    core = _core(network)
    assert [run_all(core, [one])[0] for one in requests] == expected
    assert expected[0] != expected[1]
    assert core.stats().num_cached_tokens == 48  # the third knows the first
    assert core.pictures.num_seen == 2


def test_losing_the_pages_changes_nothing(network):
    requests = [_ask([1, 3, *range(200 + n, 240 + n), 4], max_tokens=50) for n in range(4)]
    expected = _plain(network, requests)
    core = _core(network, num_tokens=224)
    assert run_all(core, requests) == expected
    stats = core.stats()
    assert stats.num_preemptions > 0
    assert stats.pages_used == 0


@settings(max_examples=12, deadline=None)
@given(st.data())
@pytest.mark.slow
def test_any_schedule_gives_the_same_replies(network, data):
    """Of the exact runner: the fast one rounds by company, and a close choice may turn."""
    lengths = data.draw(st.lists(st.integers(2, 60), min_size=1, max_size=6))
    requests = [
        _ask([1, *[200 + (n % 2)] * (length - 1)], warm=bool(n % 3), max_tokens=8 + 5 * n)
        for n, length in enumerate(lengths)
    ]
    core = Core(
        ExactRunner(network, data.draw(st.sampled_from([160, 400, 2048]))),
        data.draw(st.integers(1, 4)),
        max_step_tokens=data.draw(st.sampled_from([8, 24, 500])),
    )
    said: dict[int, list[int]] = {}
    for one in requests:
        said[core.add(one)] = []
        for _ in range(data.draw(st.integers(0, 5))):
            for number, step in core.step().items():
                said[number] += step.ids
    while not core.is_idle:
        for number, step in core.step().items():
            said[number] += step.ids
    assert list(said.values()) == _plain(network, requests, ExactRunner)


BOUNDS = {torch.float32: 2e-6, torch.bfloat16: 2e-2}
"""Of logits, relative to the largest: what rounding in another order may change."""


def _company(network, requests: list[Request], data) -> list[list[int]]:
    """The fast runner, with everything clever, in a company that hypothesis arranges."""
    runner = Runner(network, data.draw(st.sampled_from([160, 2048])))
    core = Core(
        runner,
        data.draw(st.integers(1, 5)),
        guesses=Guesses(runner, pace=Cheap()),
        max_step_tokens=data.draw(st.sampled_from([16, 500])),
    )
    said: dict[int, list[int]] = {}
    for one in requests:
        said[core.add(one)] = []
        for _ in range(data.draw(st.integers(0, 4))):
            for number, step in core.step().items():
                said[number] += step.ids
    while not core.is_idle:
        for number, step in core.step().items():
            said[number] += step.ids
    return list(said.values())


@pytest.mark.slow
@pytest.mark.parametrize("dtype", BOUNDS)
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_where_the_fast_runner_differs_the_choice_was_close(network, dtype, data):
    plain = Sampling(temperature=0.0)
    texts = [[1, *[200 + 7 * n] * (3 + 5 * n), 300 + n, 4] for n in range(6)]
    requests = [_ask(text, sampling=plain, max_tokens=30) for text in texts]
    narrow = copy.deepcopy(network).to(dtype)
    alone, together = _plain(narrow, requests), _company(narrow, requests, data)
    for text, first, second in zip(texts, alone, together, strict=True):
        assert len(first) == len(second)
        differing = [place for place in range(len(first)) if first[place] != second[place]]
        if differing:
            place = differing[0]
            logits = network.read(torch.tensor([*text, *first[:place]]))[-1]
            margin = logits[first[place]] - logits[second[place]]
            assert abs(margin) <= 2 * BOUNDS[dtype] * logits.abs().max()


@pytest.mark.parametrize("dtype", BOUNDS)
def test_the_logits_of_a_pass_are_the_networks_within_its_types_rounding(network, dtype):
    narrow = copy.deepcopy(network).to(dtype)
    runner = Runner(narrow, 2048)
    texts = [[1, *range(200, 203 + 9 * n), 4] for n in range(5)]
    works = [
        Work(ids=text, start=0, pages=range(8 * n, 8 * n + 8), num_wanted=len(text))
        for n, text in enumerate(texts)
    ]
    first = [Work(ids=w.ids[:2], start=0, pages=w.pages, num_wanted=0) for w in works]
    rest = [Work(ids=w.ids[2:], start=2, pages=w.pages, num_wanted=len(w.ids) - 2) for w in works]
    runner.compute(first)
    counts = [work.num_wanted for work in rest]
    for text, found in zip(texts, runner.compute(rest).split(counts), strict=True):
        expected = network.read(torch.tensor(text))[2:]
        assert (found - expected).abs().max() <= BOUNDS[dtype] * expected.abs().max()


@pytest.mark.slow
def test_ten_thousand_arrivals_and_departures_leave_nothing_behind(scripted):
    network = scripted({n: n + 1 for n in range(200, 260)})
    core = _core(network, num_tokens=512, max_running=6)
    rng = torch.Generator().manual_seed(0)
    numbers: list[int] = []
    for draw in torch.randint(0, 1000, (10_000,), generator=rng).tolist():
        if draw < 700 or not numbers:
            numbers.append(core.add(_ask([1, *[200 + draw % 40] * (draw % 30)], max_tokens=3)))
        else:
            core.cancel(numbers.pop(draw % len(numbers)))
        if draw % 7 == 0:
            core.step()
        if len(numbers) > 60:
            for number in numbers[:50]:
                core.cancel(number)
            del numbers[:50]
    while not core.is_idle:
        core.step()
    stats = core.stats()
    assert stats.pages_used == 0
    assert stats.num_finished + stats.num_cancelled == next(core.numbers)


@pytest.mark.slow
def test_ten_thousand_requests_of_nano_come_and_go():
    """Where there is a core, on it; alike and different beginnings, in too little room for all."""
    network = load("nano").loaded.network
    core = Core(make_runner(network, EngineConfig(), num_tokens=512), 16, seed=0)
    rng, numbers = Random(0), list[int]()
    for arrived in range(10_000):
        words = range(200, 260) if rng.random() < 0.5 else [230]
        prompt = [1, *rng.choices(words, k=rng.randrange(1, 40))]
        asked = Request(
            prompt_ids=prompt, max_tokens=rng.randrange(1, 5), priority=rng.randrange(2)
        )
        numbers.append(core.add(asked))
        if arrived % 6 == 0:
            while len(numbers) > 24:
                core.cancel(numbers.pop(rng.randrange(len(numbers))))
            core.step()
            numbers = [one for one in numbers if one in core.members]
    while not core.is_idle:
        core.step()
    stats = core.stats()
    assert stats.pages_used == 0 and stats.num_finished + stats.num_cancelled == 10_000
    assert min(stats.num_finished, stats.num_cancelled, stats.num_preemptions) > 50


def test_others_go_on_while_a_picture_is_looked_at(network, monkeypatch):
    """The eye is held until the other request has said something."""
    prompt = [1, 3, 10, 10, 13, 300, 4]
    picture = torch.randn(3, 28, 56, generator=torch.Generator().manual_seed(1))
    requests = [_ask(prompt, images=[picture], max_tokens=6), _ask([1, 5, 6], max_tokens=6)]
    expected = _plain(network, requests)
    go_on, runner = threading.Event(), Runner(network, 2048)
    see = runner.see

    def slow(image: torch.Tensor) -> torch.Tensor:
        assert go_on.wait(30)
        return see(image)

    monkeypatch.setattr(runner, "see", slow)
    core = Core(runner, 4, sees_aside=True)
    first, second = [core.add(one) for one in requests]
    said: dict[int, list[int]] = {first: [], second: []}
    while not core.is_idle:
        for number, step in core.step().items():
            said[number] += step.ids
        if said[second]:
            assert said[first] == [] or go_on.is_set()
            go_on.set()
    core.close()
    assert [said[first], said[second]] == expected


def test_a_request_may_leave_before_its_picture_was_looked_at(network):
    picture = torch.zeros(3, 28, 56)
    core = Core(Runner(network, 2048), 4, sees_aside=True)
    number = core.add(_ask([1, 10, 10, 13, 4], images=[picture]))
    core.cancel(number)
    assert core.is_idle
    assert run_all(core, [_ask([1, 10, 10, 13, 4], images=[picture], max_tokens=3)])[0]
    core.close()
