"""The engine on the C++ core: the same replies as on the plain definitions."""

import copy
from ctypes import c_int64

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_requests import Cheap, ask

from bise.engine import Core, EngineConfig, Request, Runner, make_core, make_runner, run_all, setup
from bise.engine.core_runner import CoreRunner
from bise.engine.guesses import Guesses
from bise.engine.pages import PAGE_TOKENS
from bise.engine.runner import Work
from bise.errors import UserError
from bise.model.packed import PackedNetwork
from bise.model.packed_source import FromNetwork
from bise.model.presets import preset
from bise.ops.cpu.library import ISAS, core
from bise.ops.cpu.pool import set_workers

FP32 = min(ISAS.index("avx2"), core().bise_best_isa())


@pytest.fixture(scope="module")
def rounded(network):
    """The small random network with weights that are bf16 numbers."""
    made = copy.deepcopy(network)
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(weight.bfloat16().float())
    return made


@pytest.fixture(scope="module")
def packed(rounded):
    return PackedNetwork(FromNetwork(rounded))


@pytest.fixture
def fp32_products():
    """A variant that multiplies in fp32, so that only sums differ from torch's."""
    core().bise_use_isa(c_int64(FP32))
    yield
    core().bise_use_isa(c_int64(core().bise_best_isa()))


def runner_of(packed, num_tokens=2048, **options) -> CoreRunner:
    return CoreRunner(packed, num_tokens, torch.float32, **options)


@pytest.mark.usefixtures("fp32_products")
def test_replies_are_those_of_the_definition(rounded, packed):
    requests = [ask(n, max_tokens=12) for n in range(12)]
    expected = run_all(Core(Runner(rounded, 2048), 4), requests)
    assert run_all(Core(runner_of(packed), 4), requests) == expected


@pytest.mark.usefixtures("fp32_products")
def test_pictures_likelihoods_and_routing_are_those_of_the_definition(rounded, packed):
    picture = torch.randn(3, 28, 56, generator=torch.Generator().manual_seed(1)) * 2
    fields = {"want_logprobs": 3, "want_routing": True, "max_tokens": 5}
    requests = [
        ask(prompt_ids=[1, 3, 10, 10, 13, 300, 4], images=[picture], **fields),
        ask(5, **fields),
    ]
    told = []
    for runner in (Runner(rounded, 2048), runner_of(packed)):
        one = Core(runner, 4, speculates=False)
        numbers = [one.add(request) for request in requests]
        steps = {number: [] for number in numbers}
        while not one.is_idle:
            for number, step in one.step().items():
                steps[number].append(step)
        told.append([step for number in numbers for step in steps[number]])
    for plain, ours in zip(*told, strict=True):
        assert plain.ids == ours.ids
        assert torch.equal(plain.routing, ours.routing)
        for one, other in zip(plain.logprobs, ours.logprobs, strict=True):
            assert one.logprob == pytest.approx(other.logprob, abs=1e-4)


@pytest.mark.usefixtures("fp32_products")
@pytest.mark.parametrize("kind", ["int8", "fp8"])
def test_entries_in_8_bits_are_those_of_the_definition(rounded, packed, kind):
    text = [1, *range(200, 230), 4]
    works = [
        Work(ids=text[:20], start=0, pages=[3, 1], num_wanted=20),
        Work(ids=text[20:], start=20, pages=[3, 1], num_wanted=len(text) - 20),
    ]
    plain, ours = Runner(rounded, 256, cache_kind=kind), runner_of(packed, 256, cache_kind=kind)
    for work in works:
        expected, found = plain.compute([work]), ours.compute([work])
        assert (found - expected).abs().max() <= 0.03 * expected.abs().max()
    same = (plain.cache.entries == ours.cache.entries).float().mean()
    assert same > 0.99, "codes of the same numbers, but for a last bit here and there"


@settings(max_examples=25, deadline=None)
@given(st.data())
@pytest.mark.slow
def test_any_schedule_gives_the_same_bits(packed, data):
    """The exact runner: whatever shares a pass, however a text is cut, cached and guessed."""
    lengths = data.draw(st.lists(st.integers(2, 60), min_size=1, max_size=6))
    requests = [
        ask(prompt_ids=[1, *[200 + (n % 2)] * (length - 1)], max_tokens=6 + 5 * n, want_logprobs=2)
        for n, length in enumerate(lengths)
    ]

    def everything(one: Core, pauses: list[int]) -> list[list]:
        said: dict[int, list] = {}

        def step() -> None:
            for number, told in one.step().items():
                said[number] += zip(told.ids, told.logprobs, strict=True)

        for request, pause in zip(requests, pauses, strict=True):
            said[one.add(request)] = []
            for _ in range(pause):
                step()
        while not one.is_idle:
            step()
        return list(said.values())

    alone = []
    for request in requests:
        plain = Core(runner_of(packed, is_exact=True), 1, shares_prefixes=False, speculates=False)
        number, said = plain.add(request), []
        while not plain.is_idle:
            step = plain.step().get(number)
            said += zip(step.ids, step.logprobs, strict=True) if step else []
        alone.append(said)
    runner = runner_of(packed, data.draw(st.sampled_from([160, 400, 2048])), is_exact=True)
    together = Core(
        runner,
        data.draw(st.integers(1, 4)),
        guesses=Guesses(runner, pace=Cheap()),
        max_step_tokens=data.draw(st.sampled_from([8, 24, 500])),
    )
    assert everything(together, [data.draw(st.integers(0, 4)) for _ in requests]) == alone


def test_a_draft_head_works_with_it(scripted, knowing_head):
    network = scripted({200 + n: 201 + n for n in range(60)})
    runner = make_runner(network, EngineConfig(backend="core"), 2048)
    assert isinstance(runner, CoreRunner)
    one = Core(runner, 4, guesses=Guesses(runner, knowing_head(network), Cheap()))
    requests = [ask(prompt_ids=[1, 5, 6 + n, 200], max_tokens=40) for n in range(3)]
    assert run_all(one, requests) == [list(range(201, 241))] * 3
    assert one.stats().num_steps < 40 / 2.5


@pytest.mark.parametrize("weights", ["stored", "bf16", "int8", "int4"])
def test_an_engine_is_made_with_any_kind_of_weights(scripted, weights):
    network = scripted({200 + n: 201 + n for n in range(60)})
    one = make_core(network, EngineConfig(weights=weights))
    assert run_all(one, [Request(prompt_ids=[1, 200], max_tokens=5)])[0] == list(range(201, 206))
    one.close()


def test_torch_stays_what_it_was(scripted):
    network = scripted({200 + n: 201 + n for n in range(60)})
    assert isinstance(make_runner(network, EngineConfig(backend="torch")), Runner)
    with pytest.raises(UserError, match="torch does not compute"):
        EngineConfig(backend="torch", weights="int8")
    with pytest.raises(UserError, match="one of"):
        EngineConfig(backend="gpu")


def test_without_a_core_torch_computes_or_an_error_says_why(scripted, monkeypatch):
    monkeypatch.setattr("bise.engine.setup.library", lambda: None)
    monkeypatch.setattr("bise.ops.cpu.library.library", lambda: None)
    network = scripted({})
    assert isinstance(make_runner(network, EngineConfig()), Runner)
    for config in (EngineConfig(backend="core"), EngineConfig(weights="int8")):
        with pytest.raises(UserError, match="no C\\+\\+ core"):
            make_runner(network, config)


def test_entries_are_bf16_unless_fp32_costs_a_small_network_nothing(monkeypatch):
    for variant, small in (("avx512", torch.bfloat16), ("avx2", torch.float32)):
        monkeypatch.setattr(setup, "describe", lambda variant=variant: variant)
        assert setup.entries_dtype(preset("nano")) == small
        assert setup.entries_dtype(preset("small4_mini")) == torch.bfloat16


def test_few_tokens_are_computed_alone_and_many_together_to_the_same_end(packed):
    worth_sharing = -(-(2**18) // packed.config.dim**2)  # two threads' worth, in network.cpp
    for count in (worth_sharing - 1, worth_sharing):
        ids, pages = [200 + i % 90 for i in range(count)], list(range(-(-count // PAGE_TOKENS)))
        work = Work(ids=ids, start=0, pages=pages, num_wanted=count)
        found = list[torch.Tensor]()
        for workers in (1, 2):
            set_workers(workers)
            found.append(runner_of(packed).compute([work]))
        set_workers(0)
        torch.testing.assert_close(*found)
