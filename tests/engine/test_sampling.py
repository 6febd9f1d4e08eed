"""Sampling against plain definitions, one request at a time."""

from collections import Counter
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bise.engine import Request, Sampling
from bise.engine.sampling import Draws, draw, logprobs_of, probabilities, sample, shape_logits
from bise.errors import BadRequest

VOCAB = 50


def logits_of(seed: int) -> torch.Tensor:
    return torch.randn(VOCAB, generator=torch.Generator().manual_seed(seed)) * 3


def draws_of(
    prompt=(1,),
    stop_ids=frozenset({2}),
    barred_ids=frozenset(),
    barred=None,
    generated=(),
    **sampling,
):
    request = Request(
        prompt_ids=list(prompt),
        sampling=Sampling(**sampling),
        stop_ids=stop_ids,
        barred_ids=barred_ids,
    )
    draws = Draws.of(request)
    draws.barred = barred
    for token in generated:
        draws.add(token)
    return draws


def kept_by_definition(logits, temperature, top_k, top_p, min_p):
    """Which tokens remain, in plain Python."""
    scaled = [value / temperature for value in logits.tolist()]
    peak = max(scaled)
    weights = [2.718281828459045 ** (value - peak) for value in scaled]
    weights = [weight if weight >= min_p else 0.0 for weight in weights]  # relative to the peak
    order = sorted(range(VOCAB), key=lambda token: -weights[token])
    order = order[:top_k] if top_k else order
    total, taken, kept = sum(weights[token] for token in order), 0.0, set()
    for token in order:
        if taken < top_p * total and weights[token] > 0:
            kept.add(token)
        taken += weights[token]
    return kept


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("top_k", "top_p", "min_p"),
    [(5, 1.0, 0.0), (0, 0.7, 0.0), (0, 1.0, 0.1), (10, 0.8, 0.02), (1, 0.9, 0.5), (0, 1e-9, 0.0)],
)
def test_cuts_keep_what_the_definitions_keep(seed, top_k, top_p, min_p):
    logits = logits_of(seed)
    sampling = Sampling(temperature=0.8, top_k=top_k, top_p=top_p, min_p=min_p)
    chances = probabilities(logits[None].clone(), [sampling])[0]
    assert set(chances.nonzero()[:, 0].tolist()) == kept_by_definition(
        logits, 0.8, top_k, top_p, min_p
    )


def test_cuts_of_one_request_leave_its_neighbour_alone():
    logits = torch.stack([logits_of(0), logits_of(1)])
    cut, free = Sampling(temperature=1.0, top_k=3), Sampling(temperature=1.0)
    chances = probabilities(logits.clone(), [cut, free])
    assert (chances > 0).sum(-1).tolist() == [3, VOCAB]
    torch.testing.assert_close(chances[1], logits[1].softmax(-1))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 700), st.floats(0, 1, exclude_max=True))
def test_a_draw_is_where_the_running_sum_passes_the_point(seed, vocab, point):
    generator = torch.Generator().manual_seed(seed)
    chances = torch.rand(3, vocab, generator=generator)
    chances *= torch.rand(3, vocab, generator=generator) < 0.5
    chances[:, int(torch.randint(vocab, (1,), generator=generator))] = 0.5
    found = draw(chances, torch.full((3,), point, dtype=torch.float64))
    sums = torch.nn.functional.pad(chances.double().cumsum(-1), (1, 0))
    for row, token in enumerate(found.tolist()):
        assert chances[row, token] > 0
        at = point * sums[row, -1]
        assert sums[row, token] - 1e-4 <= at <= sums[row, token + 1] + 1e-4


@pytest.mark.parametrize("point", [0.0, 1 - 2**-53])
def test_the_ends_of_the_range_draw_what_has_a_chance(point):
    chances = torch.zeros(1, 1000)
    chances[0, [300, 600]] = torch.tensor([0.3, 0.7])
    found = draw(chances, torch.tensor([point], dtype=torch.float64))
    assert found.tolist() == [300 if point == 0 else 600]


@pytest.mark.parametrize("logit", [float("nan"), float("-inf")])
@pytest.mark.parametrize("cuts", [{}, {"top_k": 3}, {"top_p": 0.5}])
def test_where_nothing_can_be_said_it_is_an_id_all_the_same(logit, cuts):
    logits = torch.stack([logits_of(3), torch.full((VOCAB,), logit)])
    warm = [draws_of(temperature=1.0, seed=seed, **cuts) for seed in range(2)]
    assert sample(logits, warm)[1] == 0


def test_draws_follow_the_probabilities():
    logits = logits_of(3)
    draws = draws_of(temperature=1.0, seed=5)
    counts = Counter(sample(logits[None].clone(), [draws])[0] for _ in range(2000))
    expected = logits.softmax(-1)
    for token, chance in enumerate(expected.tolist()):
        assert abs(counts[token] / 2000 - chance) < 0.05


def test_temperature_zero_and_top_p_zero_take_the_likeliest():
    logits = logits_of(4)
    for sampling in (
        {"temperature": 0.0},
        {"temperature": 1e-300},
        {"temperature": 2.0, "top_p": 0.0},
        {"temperature": 2.0, "top_p": 1e-45},
        {"temperature": 1e-4},
    ):
        assert sample(logits[None].clone(), [draws_of(**sampling)]) == [int(logits.argmax())]


def test_what_nobody_may_say_is_not_said_however_it_is_asked_for():
    logits = logits_of(4)
    likeliest = int(logits.argmax())
    second = int(logits.topk(2).indices[1])
    wishes = [{"temperature": 0.0}, {"temperature": 0.01}, {"logit_bias": {likeliest: 100.0}}]
    for wish in wishes:
        asked = {"temperature": 0.0, **wish}
        assert sample(logits[None].clone(), [draws_of(**asked)]) == [likeliest]
        assert sample(logits[None].clone(), [draws_of(**asked)], likeliest) == [second]
    together = [draws_of(temperature=0.0), draws_of(temperature=0.0, presence_penalty=1.0)]
    assert sample(torch.stack([logits, logits]), together, likeliest) == [second, second]
    barred = torch.ones(VOCAB, dtype=torch.bool)
    barred[[2, likeliest]] = False  # by its rules it may end, and what nobody may say
    ending = draws_of(barred=barred, min_tokens=9)
    assert sample(logits[None].clone(), [ending], likeliest) == [2]


def test_penalties_and_bias_by_their_definitions():
    logits = logits_of(5)
    draws = draws_of(
        prompt=(7, 8),
        generated=(8, 9, 9),
        presence_penalty=0.5,
        frequency_penalty=0.25,
        repetition_penalty=1.5,
        logit_bias={9: 2.0, 11: -3.0},
    )
    shaped = logits.clone()
    shape_logits(shaped, draws)
    expected = logits.tolist()
    expected[9] += 2.0
    expected[11] -= 3.0
    for token in (7, 8, 9):  # prompt and output
        value = expected[token]
        expected[token] = value / 1.5 if value > 0 else value * 1.5
    expected[8] -= 0.5 + 0.25
    expected[9] -= 0.5 + 2 * 0.25
    torch.testing.assert_close(shaped, torch.tensor(expected))


def test_an_end_that_is_ignored_is_not_said_and_other_ends_are():
    logits = torch.zeros(VOCAB)
    logits[[2, 3]] = torch.tensor([9.0, 8.0])
    how = {"temperature": 0.0, "stop_ids": frozenset({2, 3}), "barred_ids": frozenset({2})}
    assert sample(logits[None].clone(), [draws_of(**how)]) == [3]
    early = sample(logits[None].clone(), [draws_of(**how, min_tokens=1)])
    assert early[0] not in (2, 3)
    barred = torch.ones(VOCAB, dtype=torch.bool)
    barred[2] = False  # by its rules it may only end
    assert sample(logits[None].clone(), [draws_of(**how, barred=barred)]) == [2]


def test_no_stop_id_before_min_tokens():
    logits = torch.zeros(VOCAB)
    logits[[2, 3]] = 10.0
    early = draws_of(temperature=0.0, min_tokens=2, stop_ids=frozenset({2, 3}), generated=(5,))
    assert sample(logits[None].clone(), [early])[0] not in (2, 3)
    late = draws_of(temperature=0.0, min_tokens=2, stop_ids=frozenset({2, 3}), generated=(5, 6))
    assert sample(logits[None].clone(), [late])[0] in (2, 3)
    nothing = draws_of(temperature=0.0, min_tokens=2, stop_ids=frozenset())
    assert sample(logits[None].clone(), [nothing])[0] in (2, 3)


def test_what_is_barred_is_not_said():
    barred = torch.ones(VOCAB, dtype=torch.bool)
    barred[[20, 30]] = False
    said = set()
    for seed in range(20):
        draws = draws_of(temperature=2.0, seed=seed, barred=barred)
        said.add(sample(logits_of(6)[None].clone(), [draws])[0])
    assert said == {20, 30}


def test_a_reply_that_may_say_nothing_else_ends_before_its_fewest_tokens():
    barred = torch.ones(VOCAB, dtype=torch.bool)
    barred[2] = False
    assert sample(logits_of(6)[None].clone(), [draws_of(barred=barred, min_tokens=9)]) == [2]
    barred[20] = False
    assert sample(logits_of(6)[None].clone(), [draws_of(barred=barred, min_tokens=9)]) == [20]


def test_logprobs_are_the_log_softmax_of_the_logits():
    logits = logits_of(7)
    found = logprobs_of(logits, 13, 4)
    expected = logits.log_softmax(-1)
    assert found.logprob == pytest.approx(expected[13].item())
    assert [token for token, _ in found.top] == expected.topk(4).indices.tolist()
    assert logprobs_of(logits, 13, 0).top == ()


def test_what_lies_outside_its_range_is_refused():
    rng = Random(0)
    for name, value in [
        ("temperature", 2.1),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("top_p", 1.1),
        ("min_p", -1.0),
        ("presence_penalty", 3.0),
        ("frequency_penalty", -3.0),
        ("repetition_penalty", 0.0),
    ]:
        with pytest.raises(BadRequest, match=name):
            Sampling(**{name: value}, seed=rng.randrange(10))
