"""The questions of an evaluation, put to a network many at once."""

from random import Random

import pytest
import torch

from bise.evals import TASKS, evaluate
from bise.evals.asking import Asker, seed_of
from bise.text import ChatFormat


@pytest.fixture(scope="module")
def chat(tekken):
    return ChatFormat(tekken)


@pytest.fixture(scope="module")
def asked():
    rng = Random(0)
    skills = (TASKS["chain"], TASKS["read"], TASKS["self"], TASKS["text"])
    return [(task.sample(rng), effort) for task in skills for effort in ("none", "high")]


def test_replies_come_in_the_order_of_the_questions(network, chat, asked):
    count = []
    asker = Asker(network, chat, max_tokens=12, max_running=3, progress=lambda: count.append(1))
    together = asker(asked)
    assert len(count) == len(asked)
    alone = [Asker(network, chat, max_tokens=12)([one])[0] for one in asked]
    assert together == alone
    assert {reply.finish_reason for reply in together} <= {"stop", "length"}
    assert Asker(network, chat, max_tokens=12, seed=1)(asked) != together


def test_form_is_judged_by_what_was_asked(scripted, say, tekken, chat, asked):
    special = tekken.special
    thinking = scripted(say(special.think, "so 12", special.end_think, "46, yes"))
    for (_, effort), reply in zip(asked, Asker(thinking, chat)(asked), strict=True):
        assert (reply.answer, reply.thinking, reply.finish_reason) == ("46, yes", "so 12", "stop")
        assert reply.is_well_formed == (effort == "high")
    silent = scripted(say("46"))
    for (_, effort), reply in zip(asked, Asker(silent, chat)(asked), strict=True):
        assert reply.is_well_formed == (effort == "none")
    (cut, _) = Asker(thinking, chat, max_tokens=2)(asked[:2])
    assert cut.finish_reason == "length" and not cut.is_well_formed and cut.num_tokens == 2


def test_an_evaluation_runs_from_end_to_end(network, chat):
    torch.manual_seed(0)
    tasks = [TASKS["read"]]
    records = evaluate(Asker(network, chat, max_tokens=4), tasks, 5, shapes=False)
    assert len(records) == 10 and {record.effort for record in records} == {"none", "high"}


def test_a_seed_is_a_questions_own(asked):
    seeds = [seed_of(example, 0) for example, _ in asked[::2]]
    assert len(set(seeds)) == len(seeds)
    assert seed_of(asked[0][0], 0) == seeds[0] != seed_of(asked[0][0], 1)
