"""Choosing in the core against its definition in plain Python."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bise.ops.cpu.choose import choose
from bise.ops.cpu.library import library

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)
pytestmark = pytest.mark.usefixtures("isa")


def random_logits(vocab: int, seed: int, kind: str) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    if kind == "level":
        return torch.randint(3, (vocab,), generator=generator).float()  # many are equal
    logits = torch.randn(vocab, generator=generator) * (20 if kind == "steep" else 1)
    logits[torch.rand(vocab, generator=generator) < 0.2] = -math.inf
    logits[int(torch.randint(vocab, (1,), generator=generator))] = 1.0
    return logits


def kept(logits: torch.Tensor, temperature, min_p, top_k, top_p) -> dict[int, float]:
    """What may be said, and its chance in fp64, by the definition of each cut."""
    scaled = logits.double() / temperature
    chances = (scaled - scaled.max()).exp().tolist()
    order = [i for i in range(len(chances)) if chances[i] >= min_p and chances[i] > 0]
    order.sort(key=lambda i: -logits[i].item())
    order = order[:top_k] if top_k else order
    whole, before, stay = sum(chances[i] for i in order), 0.0, dict[int, float]()
    for i in order:
        if stay and top_p < 1 and before >= top_p * whole:
            break
        stay[i] = chances[i]
        before += chances[i]
    return stay


def may_be_drawn(stay: dict[int, float], token: int, point: float) -> bool:
    """Whether the running sum, in the order of ids, passes the point at this token."""
    slack = 2e-6 * sum(stay.values())
    before = sum(chance for i, chance in stay.items() if i < token)
    target = point * sum(stay.values())
    return before - slack <= target <= before + stay[token] + slack


MANNERS = st.tuples(
    st.floats(0.05, 2.0),
    st.sampled_from([0.0, 0.0, 0.05, 1.0]),
    st.sampled_from([0, 0, 1, 3, 50, 10_000]),
    st.sampled_from([1.0, 1.0, 0.95, 0.5, 1e-9]),
    st.floats(0, 1, exclude_max=True),
)


@given(
    st.integers(1, 1500),
    st.integers(0, 2**32),
    st.sampled_from(["even", "steep", "level"]),
    MANNERS,
)
def test_what_is_chosen_stays_after_all_cuts_and_lies_at_the_point(vocab, seed, kind, manner):
    logits = random_logits(vocab, seed, kind)
    (token,) = choose(logits[None], [manner])
    temperature, min_p, top_k, top_p, point = manner
    stay = kept(logits, temperature, min_p, top_k, top_p)
    if token in stay and may_be_drawn(stay, token, point):
        return
    # Chances at the very edge of a cut may fall on either side of it.
    wider = kept(logits, temperature, min_p * (1 - 1e-5), top_k, min(1.0, top_p * (1 + 1e-5)))
    narrower = kept(logits, temperature, min_p, top_k, top_p * (1 - 1e-5))
    assert any(token in one and may_be_drawn(one, token, point) for one in (wider, narrower)), (
        token,
        stay,
    )


@pytest.mark.parametrize("vocab", [1, 15, 256, 257, 131_072])
def test_zero_takes_the_likeliest_and_of_equals_the_first(vocab):
    logits = random_logits(vocab, 7, "level")
    assert choose(logits[None], [(0.0, 0.0, 0, 1.0, 0.9)]) == [int(logits.argmax())]
    logits[-1] = 5.0
    assert choose(logits[None], [(0.0, 0.0, 0, 1.0, 0.0)]) == [vocab - 1]
    assert choose(logits[None], [(1e-9, 0.0, 0, 1.0, 0.5)]) == [vocab - 1]


@pytest.mark.parametrize("point", [0.0, 1 - 2**-53])
def test_the_ends_of_the_range_choose_what_has_a_chance(point):
    logits = torch.full((1, 1000), -math.inf)
    logits[0, [300, 600]] = torch.tensor([0.3, 0.7])
    assert choose(logits, [(1.0, 0.0, 0, 1.0, point)]) == [300 if point == 0 else 600]


def test_rows_have_their_own_manner_and_may_lie_apart():
    table = torch.stack([random_logits(900, seed, "even") for seed in range(40)])
    manners = [(0.0 if i % 3 else 0.8, 0.0, 5 * (i % 2), 0.9, i / 40) for i in range(40)]
    together = choose(table[:, 100:900], manners)
    alone = [
        choose(row[None, 100:].clone(), [manner])[0]
        for row, manner in zip(table, manners, strict=True)
    ]
    assert together == alone


def test_draws_follow_the_chances_after_a_cut():
    logits = torch.tensor([0.0, 1.0, 2.0, 3.0, 3.0])
    points = [(i + 0.5) / 5000 for i in range(5000)]
    found = choose(logits.expand(5000, 5), [(1.0, 0.0, 3, 1.0, point) for point in points])
    expected = torch.tensor([0.0, 0.0, 2.0, 3.0, 3.0]).exp()
    expected[:2] = 0
    for token, share in enumerate((expected / expected.sum()).tolist()):
        assert found.count(token) / 5000 == pytest.approx(share, abs=1e-3)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_choose_an_id_all_the_same(value):
    logits = torch.full((3, 400), value)
    logits[1, 7] = 0.0
    for manner in [(0.0, 0.0, 0, 1.0, 0.5), (1.0, 0.0, 0, 1.0, 0.5), (1.0, 0.1, 9, 0.5, 0.99)]:
        found = choose(logits, [manner] * 3)
        assert all(0 <= token < 400 for token in found)
        if not value > 0:
            assert found[1] == 7  # nothing else can be said


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="logits"):
        choose(torch.zeros(2, 5), [(1.0, 0.0, 0, 1.0, 0.5)])
    with pytest.raises(ValueError, match="nothing to choose"):
        choose(torch.zeros(1, 0), [(1.0, 0.0, 0, 1.0, 0.5)])
    with pytest.raises(ValueError, match="in pieces"):
        choose(torch.zeros(5, 2).T, [(1.0, 0.0, 0, 1.0, 0.5)] * 2)
    assert choose(torch.zeros(0, 5), []) == []


def test_an_id_that_nobody_may_say_is_not_chosen_in_any_row():
    logits = torch.randn(3, 40, generator=torch.Generator().manual_seed(0))
    logits[:, 7] = 9.0
    greedy, warm, cold = (0.0, 0.0, 0, 1.0, 0.0), (1.0, 0.0, 0, 1.0, 0.5), (0.7, 0.1, 5, 0.9, 0.3)
    manners = [greedy, warm, cold]
    assert choose(logits.clone(), manners) == [7, 7, 7]
    without = logits.clone()
    without[:, 7] = -math.inf
    told = logits.clone()
    assert choose(told, manners, 7) == choose(without, manners)
    assert torch.equal(told, without)
    for wrong in (-1, 40):
        with pytest.raises(ValueError, match=f"{wrong} is no id of 40"):
            choose(logits.clone(), manners, wrong)
