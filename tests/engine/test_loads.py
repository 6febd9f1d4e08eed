"""How evenly experts are busy: counted rightly, seldom, and at nobody's cost."""

import pytest
import torch
from small_requests import ask

from bise.engine import Core, Runner, run_all
from bise.engine.loads import EVERY, MEMORY, Loads
from bise.model.config import ExpertsConfig

FOUR = ExpertsConfig(num=4, topk=2, hidden_dim=32)


def test_tokens_are_counted_by_layer_and_expert_and_older_ones_less():
    loads = Loads(FOUR)
    assert loads.imbalance == 0.0
    even = torch.tensor([[[0, 1], [2, 3]], [[2, 3], [0, 1]]])  # [tokens, layers, topk]
    loads.learn([even[:1], even[1:]])
    assert loads.counts.tolist() == [[1, 1, 1, 1], [1, 1, 1, 1]] and loads.imbalance == 1.0
    lopsided = torch.tensor([[[0, 1], [0, 1]]], dtype=torch.int32)
    loads.learn([lopsided])
    old, new = MEMORY, 1 + MEMORY
    assert loads.counts.tolist() == [[new, new, old, old]] * 2
    assert loads.imbalance == pytest.approx(new / ((new + old) / 2))


def test_one_step_in_a_few_is_looked_at_and_none_without_experts():
    loads, dense = Loads(FOUR), Loads(None)
    assert sum(loads.is_due() for _ in range(3 * EVERY)) == 3
    assert not any(dense.is_due() for _ in range(3 * EVERY)) and dense.imbalance == 0.0


def test_a_core_tells_what_its_talkers_tokens_did(network):
    core = Core(Runner(network), 4, seed=0, speculates=False)
    assert core.stats().expert_imbalance == 0.0
    requests = [ask(number, max_tokens=2 * EVERY + 8, want_routing=True) for number in range(3)]
    numbers, seen = [core.add(one) for one in requests], []
    while not core.is_idle:
        before = core.loads.counts
        steps = core.step()
        if core.loads.counts is not before:
            seen.append(torch.cat([step.routing for step in steps.values()]))
    assert len(seen) == 2 and all(len(one) == len(numbers) for one in seen)
    expected = Loads(network.config.experts)
    for routing in seen:
        expected.learn([routing])
    assert core.loads.counts.tolist() == expected.counts.tolist()
    assert 1.0 < core.stats().expert_imbalance == expected.imbalance <= 4.0


def test_looking_changes_no_reply(network):
    requests = [ask(number, max_tokens=3 * EVERY) for number in range(2)]
    looked = Core(Runner(network), 2, seed=0)
    blind = Core(Runner(network), 2, seed=0)
    blind.loads = Loads(None)
    assert run_all(looked, requests) == run_all(blind, requests)
    assert looked.stats().expert_imbalance >= 1.0 > blind.stats().expert_imbalance
