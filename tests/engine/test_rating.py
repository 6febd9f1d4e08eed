"""How likely a prompt's tokens are: as a plain pass of the network says, however it is cut."""

import pytest
import torch
from small_requests import ask

from bise.engine import Core, Engine, Runner, ScriptedCore, run_all
from bise.engine.scheduler import MOST_RATED
from bise.errors import BadRequest
from bise.model.sight import PackedRows

LONG = [1, 3, *range(100, 100 + 2 * MOST_RATED), 4]


def plain_logprobs(network, ids):
    """[tokens, vocab], from one pass without a cache."""
    with torch.inference_mode():
        tokens = torch.tensor(ids)
        hidden = network(tokens, torch.arange(len(ids)), PackedRows(1, len(ids)))
        return network.logits(hidden).float().log_softmax(-1)


def ratings_of(core, *requests):
    """By request: the ratings of its prompt, its ids, and how many steps brought ratings."""
    numbers = [core.add(request) for request in requests]
    told = {number: ([], [], []) for number in numbers}
    while not core.is_idle:
        for number, step in core.step().items():
            ratings, ids, pieces = told[number]
            ratings += step.prompt_logprobs
            ids += step.ids
            pieces += [len(step.prompt_logprobs)] if step.prompt_logprobs else []
    return [told[number] for number in numbers]


def check(network, ids, ratings, num_top):
    expected = plain_logprobs(network, ids)
    assert len(ratings) == len(ids) - 1
    for place, found in enumerate(ratings):
        row = expected[place]
        assert found.logprob == pytest.approx(row[ids[place + 1]].item(), abs=1e-3)
        assert [chance for _, chance in found.top] == pytest.approx(
            row.topk(num_top).values.tolist(), abs=1e-3
        )


@pytest.fixture
def core(network):
    return Core(Runner(network), 4, seed=0)


def test_ratings_are_those_of_a_plain_pass_piece_by_piece(network, core):
    ((ratings, ids, pieces),) = ratings_of(core, ask(prompt_ids=LONG, want_prompt_logprobs=2))
    check(network, LONG, ratings, 2)
    assert max(pieces) <= MOST_RATED and len(pieces) == 3
    assert ids == run_all(Core(Runner(network), 1), [ask(prompt_ids=LONG)])[0]


def test_a_known_beginning_is_computed_again_and_a_later_one_taken_over(network, core):
    run_all(core, [ask(prompt_ids=LONG)])
    ((ratings, _, _),) = ratings_of(core, ask(prompt_ids=LONG, want_prompt_logprobs=0))
    check(network, LONG, ratings, 0)
    assert core.stats().num_cached_tokens == 0
    run_all(core, [ask(prompt_ids=LONG)])
    assert core.stats().num_cached_tokens > MOST_RATED


def test_others_talk_and_read_meanwhile_as_if_alone(network, core):
    requests = [
        ask(0, max_tokens=40),
        ask(prompt_ids=LONG, want_prompt_logprobs=1, want_logprobs=1),
        ask(prompt_ids=LONG),
        ask(prompt_ids=[*LONG[:-1], 7, 4], want_prompt_logprobs=3),
    ]
    told = ratings_of(core, *requests)
    check(network, LONG, told[1][0], 1)
    check(network, [*LONG[:-1], 7, 4], told[3][0], 3)
    assert told[0][0] == told[2][0] == []
    alone = [run_all(Core(Runner(network), 1), [one])[0] for one in requests]
    assert [ids for _, ids, _ in told] == alone


def test_who_loses_its_pages_is_not_rated_twice(network):
    core = Core(Runner(network, num_tokens=320), 2, seed=0, max_step_tokens=64)
    late = core.add(ask(prompt_ids=LONG, want_prompt_logprobs=1, priority=1))
    ratings = []
    while len(ratings) < 100:
        ratings += core.step()[late].prompt_logprobs
    core.add(ask(prompt_ids=[1, 3, *range(900, 1100), 4], priority=0, max_tokens=2))
    while not core.is_idle:
        step = core.step().get(late)
        ratings += step.prompt_logprobs if step else ()
    assert core.stats().num_preemptions > 0
    check(network, LONG, ratings, 1)


def test_a_single_token_and_a_prompt_alone(network, core):
    (single, bare) = ratings_of(
        core,
        ask(prompt_ids=[300], want_prompt_logprobs=1),
        ask(prompt_ids=LONG, want_prompt_logprobs=1, max_tokens=0),
    )
    assert single[0] == [] and len(single[1]) == 4
    check(network, LONG, bare[0], 1)
    assert bare[1] == []


def test_more_alternatives_than_can_be_told_are_refused(core):
    with pytest.raises(BadRequest, match="want_prompt_logprobs"):
        core.check(ask(want_prompt_logprobs=129))


def test_a_script_is_certain_of_its_prompt(core):
    scripted = ScriptedCore(lambda _: iter([5]), core.bounds)
    with Engine(scripted) as engine:
        steps = list(engine.generate(ask(want_prompt_logprobs=1, max_tokens=1)))
    assert [found.top[0][0] for found in steps[0].prompt_logprobs] == ask().prompt_ids[1:]
