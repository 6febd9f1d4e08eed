"""Guessing ahead: what it costs, whom it trusts, and a draft head inside the engine."""

from dataclasses import replace
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_requests import Cheap, ask

from bise.engine import Core, ExactRunner, Request, Runner, Sampling, run_all
from bise.engine.draft import Lookup, Luck, gain
from bise.engine.foretold import Foretold
from bise.engine.guesses import Guesses
from bise.engine.pace import Pace
from bise.engine.shelf import BothCaches, Shelf
from bise.errors import BadRequest
from bise.model import EagleHead, eagle_config


@pytest.fixture(scope="module")
def wild_head(network):
    """Guesses that are nearly always wrong."""
    head = EagleHead(eagle_config(network.config, mlp_dim=64))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in head.parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(1.0 + 0.1 * noise if weight.ndim == 1 else 0.2 * noise)
    return head.eval()


def core_of(network, head=None, *, num_tokens=2048, max_running=4, kind=Runner, **options) -> Core:
    runner = kind(network, num_tokens)
    guesses = Guesses(runner, head, Cheap())
    return Core(runner, max_running, seed=0, guesses=guesses, **options)


def plain(network, requests, kind=Runner):
    """Each alone, with nothing clever."""
    cores = (
        Core(kind(network, 2048), 1, shares_prefixes=False, speculates=False) for _ in requests
    )
    return [run_all(core, [one])[0] for core, one in zip(cores, requests, strict=True)]


# What a guess costs


def timed(pace: Pace, sizes, base: float, each: float, noise: float = 0.1) -> Pace:
    rng = Random(0)
    for size in sizes:
        pace.learn(size, (base + each * size) * (1 + noise * (rng.random() - 0.5)))
    return pace


@pytest.mark.parametrize(("base", "each"), [(10e-3, 1e-3), (1e-3, 1e-3), (20e-3, 0.1e-3)])
def test_the_price_of_a_guess_is_the_share_of_a_step_that_a_token_takes(base, each):
    pace = timed(Pace(), [1 + n % 8 for n in range(200)], base, each)
    assert pace.price(1) == pytest.approx(each / (base + each), rel=0.25)
    assert pace.price(16) == pytest.approx(16 * each / (base + 16 * each), rel=0.25)
    assert pace.price(1, extra_s=each) == pytest.approx(2 * each / (base + each), rel=0.25)


def test_without_steps_of_different_sizes_no_slope_is_made_of_noise():
    pace = timed(Pace(), [1] * 200, 10e-3, 1e-3, noise=1.0)
    assert pace.price(1) == pytest.approx(0.25)


def test_steps_that_somebody_else_held_up_are_not_learned():
    pace = timed(Pace(), [1 + n % 4 for n in range(100)], 10e-3, 1e-3)
    before = pace.price(1)
    for _ in range(5):
        pace.learn(4, 3.0)
    assert pace.price(1) == before


@given(
    st.lists(st.tuples(st.integers(1, 500), st.floats(1e-7, 100.0)), max_size=60),
    st.integers(1, 500),
    st.floats(0, 1),
)
def test_a_price_is_a_chance_whatever_was_timed(steps, num_talking, extra_s):
    pace = Pace()
    for num_tokens, seconds in steps:
        pace.learn(num_tokens, seconds)
    assert 0.0 <= pace.price(num_talking, extra_s) <= 1.0


# Whom to trust


def test_luck_follows_what_comes_true():
    luck = Luck(0.5)
    for _ in range(60):
        luck.learn(4, 3)  # three of four
    assert 0.6 < luck.chance < 0.9
    assert luck.length(0.2) == 7 or luck.chance ** luck.length(0.2) >= 0.2
    for _ in range(20):
        luck.learn(4, 0)
    assert luck.length(0.2) == 0


def test_what_does_not_pay_is_tried_again_now_and_then():
    luck = Luck(0.1)
    lengths = [luck.length(0.5) for _ in range(100)]
    assert lengths.count(1) == 3 and sum(lengths) == 3


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 9))
def test_every_guess_is_worth_its_price(chance, price, most):
    count = Luck(chance).length(price, most)
    assert 0 <= count <= most
    if count > 0 and chance < 0.99:
        assert chance**count >= price - 1e-6
    assert gain(chance, count) <= count


def test_the_longest_ending_wins():
    lookup = Lookup()
    text = [7, 1, 2, 3, 4, 50, 9, 3, 4, 60, 1, 2, 3, 4]
    assert lookup.find(text) == (4, 5)
    assert lookup.find([*text, 60, 8]) is None
    assert lookup.find([*text, 60, 8, 9, 3]) == (2, 8)


# A draft head in the engine


def count_up(number: int = 0, length: int = 40) -> Request:
    """A prompt whose scripted continuation goes up by one and never repeats."""
    return ask(prompt_ids=[1, 5, 6, *range(100, 100 + number), 200], max_tokens=length)


def test_a_head_that_knows_reads_several_tokens_at_a_time(scripted, knowing_head):
    network = scripted({200 + n: 201 + n for n in range(60)})
    expected = plain(network, [count_up(n) for n in range(3)])
    core = core_of(network, knowing_head(network))
    assert run_all(core, [count_up(n) for n in range(3)]) == expected == [list(range(201, 241))] * 3
    stats = core.stats()
    assert stats.num_accepted_tokens == stats.num_drafted_tokens > 0
    assert stats.num_steps < 40 / 2.5
    assert stats.draft_s > 0


@pytest.mark.parametrize("kind", [Runner, ExactRunner])
def test_a_head_that_is_always_wrong_changes_nothing(network, wild_head, kind):
    requests = [ask(n, max_tokens=20 + n) for n in range(5)]
    core = core_of(network, wild_head, kind=kind, max_running=3)
    assert run_all(core, requests) == plain(network, requests, kind)
    assert core.stats().num_drafted_tokens > 0


def test_chances_stay_what_they_were(network, wild_head):
    """Sampled replies of one seed are the same with guesses, so every distribution is too."""
    requests = [ask(n, sampling=Sampling(temperature=1.0, seed=n)) for n in range(40)]
    core = core_of(network, wild_head)
    assert run_all(core, requests) == plain(network, requests)


def test_lost_pages_and_known_beginnings_and_the_shelf(scripted, knowing_head):
    """The head is told anew what it lost, and finds what was shelved."""
    network = scripted({200 + n: 201 + n for n in range(60)})
    head = knowing_head(network)
    runner = Runner(network, 112)
    guesses = Guesses(runner, head, Cheap())
    pages = BothCaches(runner.cache, guesses.cache)
    core = Core(runner, 4, guesses=guesses, shelf=Shelf(pages, 2**20), seed=0)
    requests = [count_up(number, 30) for number in (20, 21, 22, 20, 21, 22)]
    assert run_all(core, requests) == [list(range(201, 231))] * 6
    again = [run_all(core, [one])[0] for one in requests]
    assert again == [list(range(201, 231))] * 6
    stats = core.stats()
    assert stats.num_preemptions > 0 and stats.num_cached_tokens > 0
    assert core.shelf.num_fetched > 0
    assert stats.num_accepted_tokens > 0.9 * stats.num_drafted_tokens
    core.close()


def test_a_page_comes_back_with_what_the_head_knew(network, wild_head):
    runner = Runner(network, 64)
    guesses = Guesses(runner, wild_head, Cheap())
    both = BothCaches(runner.cache, guesses.cache)
    for cache in (runner.cache, guesses.cache):
        cache.entries.normal_()
    before = [cache.entries[:, 1].clone() for cache in (runner.cache, guesses.cache)]
    content = both.take_page(1)
    for cache in (runner.cache, guesses.cache):
        cache.entries.zero_()
    both.put_page(1, content)
    for cache, kept in zip((runner.cache, guesses.cache), before, strict=True):
        assert torch.equal(cache.entries[:, 1], kept)
        assert not cache.entries[:, 0].any()


def test_a_head_sees_the_pictures(network, wild_head):
    prompt = [1, 3, *[10] * 20, 13, *range(200, 230), 4]
    picture = torch.randn(3, 28, 560, generator=torch.Generator().manual_seed(1)) * 2
    requests = [ask(prompt_ids=prompt, images=[picture], max_tokens=12) for _ in range(2)]
    core = core_of(network, wild_head, max_step_tokens=24)
    assert run_all(core, requests) == plain(network, requests)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_schedule_with_a_head_gives_the_same_replies(network, wild_head, data):
    lengths = data.draw(st.lists(st.integers(2, 50), min_size=1, max_size=5))
    requests = [
        ask(prompt_ids=[1, *[200 + (n % 2)] * (length - 1)], max_tokens=6 + 5 * n)
        for n, length in enumerate(lengths)
    ]
    core = core_of(
        network,
        wild_head,
        kind=ExactRunner,
        num_tokens=data.draw(st.sampled_from([160, 400, 2048])),
        max_running=data.draw(st.integers(1, 4)),
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
    assert list(said.values()) == plain(network, requests, ExactRunner)


# What a client foretells


def test_the_place_in_a_foretold_text_is_kept_lost_and_found_again():
    told = Foretold([5, 6, 7, 8, 9, 6, 7, 1], num_heard=3)
    tokens = [1, 3, 4]
    assert told.find(tokens) == 0, "nothing has been said yet"
    assert told.find([*tokens, 5]) == 1
    assert told.find([*tokens, 5, 6, 7]) == 3
    assert told.find([*tokens, 5, 6, 7, 20]) is None, "it goes its own way"
    assert told.find([*tokens, 5, 6, 7, 20, 6]) is None
    assert told.find([*tokens, 5, 6, 7, 20, 6, 7]) == 3, "the first place, as it had left at none"
    again = Foretold([5, 6, 7, 8, 9, 6, 7, 1], num_heard=0)
    assert again.find([5, 6, 7, 8, 30]) is None
    late = Foretold([5, 6, 7, 8, 9, 6, 7, 1], num_heard=0, place=4)
    assert late.find([6, 7]) == 7, "the next place first"
    assert late.find([6, 7, 1]) is None, "the text is over"


@settings(max_examples=200)
@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)), st.integers(1, 3))
def test_a_place_follows_what_was_said_last(ids, said, step):
    told = Foretold(ids, num_heard=0)
    for end in range(0, len(said) + 1, step):
        place = told.find(said[:end])
        if place is not None:
            assert 0 <= place < len(ids)
            last = said[max(0, end - 2) : end]
            assert place == end or ids[place - len(last) : place] == last


@pytest.mark.parametrize("warm", [False, True])
def test_what_is_foretold_makes_it_quicker_and_nothing_else(network, warm):
    sampling = Sampling(temperature=1.0 if warm else 0.0, seed=5)
    plainly = ask(max_tokens=40, sampling=sampling)
    (said,) = plain(network, [plainly])
    changed = [*said[:10], 700, 701, *said[12:]]
    for prediction, most in ((said, 14), (changed, 24), ([900, 901] * 20, 41)):
        core = core_of(network)
        request = replace(plainly, prediction_ids=tuple(prediction))
        number, ids, told = core.add(request), [], [0, 0]
        while not core.is_idle:
            for step in core.step().values():
                ids += step.ids
                told = [one + more for one, more in zip(told, step.foretold, strict=True)]
        stats = core.stats()
        assert ids == said and number == 0 and stats.num_steps <= most
        assert told[0] <= stats.num_accepted_tokens
        assert told[0] + told[1] <= stats.num_drafted_tokens
        assert (told[0] > 15) == (prediction[0] == said[0])


def test_a_prediction_outside_the_vocabulary_is_refused(network):
    core = core_of(network)
    for prediction in ([-1], [2048], [5] * 513):
        with pytest.raises(BadRequest, match="prediction"):
            core.check(ask(prediction_ids=tuple(prediction)))
