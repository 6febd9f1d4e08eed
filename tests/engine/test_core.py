"""The engine without threads: what one request gets, whatever else is running."""

import pytest
import torch

from bise.engine import Core, Request, Runner, Sampling, run_all
from bise.errors import BadRequest, NotFound

GREEDY = Sampling(temperature=0.0)
PROMPTS = [[1, 3, 400 + 7 * n, 500 + n, *range(200, 200 + 3 * n), 4] for n in range(1, 7)]
THINK, END_THINK, EOS = 34, 35, 2


def core_of(network, max_running=4, seed=0, **options):
    return Core(Runner(network), max_running, seed=seed, **options)


def ask(prompt=(1, 3, 300, 4), **fields):
    return Request(**{"prompt_ids": list(prompt), "sampling": GREEDY, "max_tokens": 8, **fields})


def steps_of(core, request):
    number = core.add(request)
    steps = []
    while not core.is_idle:
        steps += [step for key, step in core.step().items() if key == number]
    return steps


@pytest.fixture
def core(network):
    return core_of(network)


def test_a_batch_gets_what_each_gets_alone(network):
    requests = [ask(prompt, max_tokens=12) for prompt in PROMPTS]
    alone = [run_all(core_of(network, 1), [request])[0] for request in requests]
    together = run_all(core_of(network, 4), requests)
    assert together == alone
    assert len({tuple(ids) for ids in alone}) > 1, "a test that cannot fail: all say the same"


def test_generating_is_reading_the_whole_text_again(network):
    ids = run_all(core_of(network), [ask(PROMPTS[2], max_tokens=10)])[0]
    logits = network.read(torch.tensor(PROMPTS[2] + ids))
    assert logits[len(PROMPTS[2]) - 1 : -1].argmax(-1).tolist() == ids


def test_a_seed_gives_the_same_tokens_whatever_shares_the_batch(network):
    warm = Sampling(temperature=1.0, seed=11)
    one = ask(PROMPTS[0], sampling=warm, max_tokens=10)
    others = [ask(prompt, sampling=Sampling(temperature=1.0)) for prompt in PROMPTS[1:]]
    alone = run_all(core_of(network), [one])[0]
    assert run_all(core_of(network, seed=1), [*others, one])[-1] == alone
    assert run_all(core_of(network, seed=2), [one, *others])[0] == alone


def test_without_a_seed_two_replies_differ(network):
    one = ask(sampling=Sampling(temperature=1.5), max_tokens=10)
    first, second = run_all(core_of(network), [one, one])
    assert first != second


def test_cancelling_frees_the_slot(core):
    numbers = [core.add(ask(prompt, max_tokens=100)) for prompt in PROMPTS]
    for _ in range(5):
        core.step()
    assert core.stats().num_running == 4 and core.stats().num_waiting == 2
    assert core.stats().pages_used > 0
    for number in numbers:
        core.cancel(number)
    core.cancel(numbers[0])  # gone already: no error
    stats = core.stats()
    assert (stats.num_running, stats.num_waiting, stats.num_cancelled) == (0, 0, 6)
    assert stats.pages_used == 0
    assert run_all(core, [ask(PROMPTS[1])]) == run_all(
        core_of(core.runner.network), [ask(PROMPTS[1])]
    )


def test_stop_ids_end_a_reply_and_are_its_last_id(core):
    free = run_all(core, [ask(max_tokens=6)])[0]
    steps = steps_of(core, ask(max_tokens=6, stop_ids=frozenset({free[2], 9})))
    assert [step.ids[0] for step in steps] == free[:3]
    assert steps[-1].finish_reason == "stop"


def test_max_tokens_cut_a_reply(core):
    steps = steps_of(core, ask(max_tokens=3, stop_ids=frozenset()))
    assert len(steps) == 3 and steps[-1].finish_reason == "length"
    (nothing,) = steps_of(core, ask(max_tokens=0))
    assert nothing.ids == () and nothing.finish_reason == "length"


def test_a_reply_ends_with_the_context(core):
    prompt = [1, *[300] * 505, 4]
    steps = steps_of(core, ask(prompt, max_tokens=None, stop_ids=frozenset()))
    assert len(steps) == 512 - len(prompt) and steps[-1].finish_reason == "length"


def test_a_prompt_as_long_as_the_context_is_refused(core):
    with pytest.raises(BadRequest, match=r"512 tokens, but .*maximum context length is 512 tokens"):
        core.add(ask([1] * 512))
    with pytest.raises(BadRequest, match="empty"):
        core.add(ask([]))
    assert core.is_idle


def test_a_deadline_cuts_and_frees(core):
    number = core.add(ask(max_tokens=400, stop_ids=frozenset(), deadline_s=0.0))
    steps = core.step()
    assert steps[number].finish_reason == "deadline" and steps[number].ids == ()
    assert core.is_idle and core.stats().pages_used == 0


def test_the_thinking_budget_forces_the_closing_marker(core):
    request = ask(max_tokens=8, in_thinking=True, thinking_budget=3, stop_ids=frozenset())
    ids = run_all(core, [request])[0]
    assert ids[3] == END_THINK and END_THINK not in ids[:3]


def test_a_budget_does_not_touch_an_answer(core):
    free = ask(max_tokens=8, stop_ids=frozenset())
    budgeted = ask(max_tokens=8, stop_ids=frozenset(), thinking_budget=1)
    assert run_all(core, [budgeted]) == run_all(core, [free])


def test_thinking_can_be_stopped(core):
    number = core.add(ask(max_tokens=8, in_thinking=True, stop_ids=frozenset()))
    first = core.step()[number].ids
    core.stop_thinking(number)
    assert core.step()[number].ids == (END_THINK,) != first
    with pytest.raises(BadRequest, match="not thinking"):
        core.stop_thinking(number)
    with pytest.raises(NotFound):
        core.stop_thinking(99)


def test_bias_and_penalties_work_inside_the_engine(scripted):
    core = core_of(scripted({}))  # all logits are zero
    biased = Sampling(temperature=0.0, logit_bias={700: 1})
    assert run_all(core, [ask(max_tokens=3, sampling=biased)])[0] == [700] * 3
    moved = Sampling(temperature=0.0, logit_bias={700: 10, 701: 9}, frequency_penalty=2.0)
    assert run_all(core, [ask(max_tokens=3, sampling=moved)])[0] == [700, 701, 700]


def test_logprobs_are_those_of_the_network(core):
    shaped = Sampling(temperature=0.0, repetition_penalty=1.5, logit_bias={700: -5.0})
    steps = steps_of(core, ask(PROMPTS[1], max_tokens=4, sampling=shaped, want_logprobs=3))
    ids = [step.ids[0] for step in steps]
    expected = core.runner.network.read(torch.tensor(PROMPTS[1] + ids)).log_softmax(-1)
    for place, step in enumerate(steps):
        (said,) = step.logprobs
        row = expected[len(PROMPTS[1]) - 1 + place]
        assert said.logprob == pytest.approx(row[ids[place]].item(), abs=1e-4)
        assert [token for token, _ in said.top] == row.topk(3).indices.tolist()


def test_routing_is_told_for_every_token_and_to_nobody_else(core):
    plain = core.add(ask(PROMPTS[0], max_tokens=3))
    asked = core.add(ask(PROMPTS[3], max_tokens=3, want_routing=True))
    shapes, others = [], []
    while not core.is_idle:
        steps = core.step()
        if asked in steps:
            routing = steps[asked].routing
            assert routing is not None
            shapes.append(tuple(routing.shape))
        if plain in steps:
            others.append(steps[plain].routing)
    assert shapes == [(len(PROMPTS[3]), 2, 2), (1, 2, 2), (1, 2, 2)]
    assert others == [None] * 3


def test_routing_covers_a_prompt_read_in_chunks(network):
    core = core_of(network, max_step_tokens=8)
    (first, *_) = steps_of(core, ask(PROMPTS[5], max_tokens=2, want_routing=True))
    assert first.routing is not None
    assert first.routing.shape[0] == first.num_computed == len(PROMPTS[5])


def test_a_prompt_read_in_chunks_gives_the_same(network):
    whole = run_all(core_of(network), [ask(PROMPTS[5])])
    assert run_all(core_of(network, max_step_tokens=8), [ask(PROMPTS[5])]) == whole


def test_lower_priority_goes_first(network):
    core = core_of(network, max_running=1)
    running = core.add(ask(max_tokens=2, stop_ids=frozenset()))
    core.step()
    later, sooner = core.add(ask(priority=5, max_tokens=1)), core.add(ask(priority=1, max_tokens=1))
    order = []
    while not core.is_idle:
        order += [key for key, step in core.step().items() if step.finish_reason]
    assert order == [running, sooner, later]


def test_numbers_beyond_all_bounds_harm_nobody(core):
    """What a client may write must not fail the step of everybody."""
    wild = Sampling(temperature=1.0, top_k=10**400, seed=1, min_tokens=2)
    (said,) = run_all(core, [ask([1, 3, 4], sampling=wild, max_tokens=3, stop_ids={10**9})])
    assert len(said) == 3
    for fields in ({"max_tokens": -1}, {"want_logprobs": 10**6}, {"want_logprobs": -1}):
        with pytest.raises(BadRequest):
            core.add(ask([1, 3, 4], **fields))


def test_what_cannot_be_computed_is_refused_before_it_waits(core):
    for request, words in [
        (ask(adapter="poet"), "adapter `poet`"),
        (ask([1, 4000]), "token id 4000"),
        (ask(sampling=Sampling(logit_bias={5000: 1.0})), "`logit_bias` names id 5000"),
        (ask(images=[torch.zeros(3, 28, 28)]), "0 image tokens, its pictures 1"),
    ]:
        with pytest.raises(BadRequest, match=words):
            core.add(request)
    assert core.is_idle


def test_a_picture_changes_what_is_said(core):
    prompt = [1, 3, 10, 10, 13, 300, 4]
    noise = torch.Generator().manual_seed(1)
    pictures = [torch.zeros(3, 28, 56), torch.randn(3, 28, 56, generator=noise) * 3]
    said = [run_all(core, [ask(prompt, images=[one], max_tokens=12)])[0] for one in pictures]
    assert said[0] != said[1]
