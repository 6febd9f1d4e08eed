"""Deterministic mode: the same text gives the same bits, whatever shares the pass."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bise.engine import Core, ExactRunner, Request, Runner, Sampling

FEW_WORDS = dict.fromkeys(range(310, 316), 60.0)  # so that guesses are made, mostly wrong ones


def _ask(prompt: list[int], **fields) -> Request:
    sampling = Sampling(temperature=1.2, seed=3, logit_bias=FEW_WORDS)
    given_fields = {"prompt_ids": prompt, "sampling": sampling, "max_tokens": 10, **fields}
    return Request(**given_fields, stop_ids=frozenset(), want_logprobs=2)


def _everything(core: Core, requests: list[Request], pauses: list[int]) -> list[list]:
    """All ids with all likelihoods; a request arrives after so many steps of those before it."""
    said: dict[int, list] = {}

    def step() -> None:
        for number, one in core.step().items():
            said[number] += zip(one.ids, one.logprobs, strict=True)

    for request, pause in zip(requests, pauses, strict=True):
        said[core.add(request)] = []
        for _ in range(pause):
            step()
    while not core.is_idle:
        step()
    return list(said.values())


def _alone(network, requests: list[Request], dtype: torch.dtype) -> list[list]:
    """Each in an engine of its own, a token at a time, nothing cached and nothing guessed."""
    every = []
    for one in requests:
        runner = ExactRunner(network, 2048, dtype)
        core = Core(runner, 1, shares_prefixes=False, speculates=False, max_step_tokens=2)
        every += _everything(core, [one], [0])
    return every


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_reading_in_one_piece_or_many_gives_the_same_bits(network, dtype):
    requests = [_ask([1, *range(200, 270)]), _ask([1, 310, 311, 312, 310, 311])]
    expected = _alone(network, requests, dtype)
    core = Core(ExactRunner(network, 2048, dtype), 4)
    assert _everything(core, requests, [0, 0]) == expected


def test_the_fast_runner_says_nearly_the_same(network):
    requests = [_ask([1, *range(200, 240)])]
    exact = _everything(Core(ExactRunner(network, 2048), 4), requests, [0])[0]
    fast = _everything(Core(Runner(network, 2048), 4), requests, [0])[0]
    assert [token for token, _ in exact] == [token for token, _ in fast]
    for (_, one), (_, other) in zip(exact, fast, strict=True):
        assert one.logprob == pytest.approx(other.logprob, abs=1e-3)


def test_a_picture_gives_the_same_bits(network):
    noise = torch.Generator().manual_seed(1)
    picture = torch.randn(3, 56, 84, generator=noise)
    prompt = [1, 3, 10, 10, 10, 12, 10, 10, 10, 13, *range(300, 320), 4]
    requests = [_ask(prompt, images=[picture]), _ask([1, 2, 3]), _ask(prompt, images=[picture])]
    expected = _alone(network, requests, torch.bfloat16)
    core = Core(ExactRunner(network, 2048, torch.bfloat16), 4)
    assert _everything(core, requests, [2, 3, 0]) == expected


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_schedule_gives_the_same_bits(network, data):
    lengths = data.draw(st.lists(st.integers(2, 50), min_size=1, max_size=5))
    requests = [_ask([1, *[310 + (n % 2)] * (length - 1)]) for n, length in enumerate(lengths)]
    core = Core(
        ExactRunner(network, data.draw(st.sampled_from([96, 2048])), torch.bfloat16),
        data.draw(st.integers(1, 4)),
        max_step_tokens=data.draw(st.sampled_from([8, 30, 500])),
    )
    pauses = data.draw(st.lists(st.integers(0, 5), min_size=len(lengths), max_size=len(lengths)))
    assert _everything(core, requests, pauses) == _alone(network, requests, torch.bfloat16)
    assert core.stats().pages_used == 0
