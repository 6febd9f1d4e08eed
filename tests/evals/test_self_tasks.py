"""Talk about itself: right replies pass, those of other intents mostly do not."""

from random import Random

import pytest

from bise.evals import Example, Self, is_held_out
from bise.evals.self_fills import FILLS
from bise.evals.self_tasks import INTENTS, bare, slots

TASK = Self()


def example_of(name: str, question: str = "?") -> Example:
    return Example("self", INTENTS[name].level, question, "", "…", form=f"{name}: ?")


@pytest.mark.parametrize("name", list(INTENTS))
def test_all_replies_of_an_intent_pass_and_most_others_do_not(name):
    named = "I am Anna."
    for reply in INTENTS[name].answers():
        assert TASK.grade(example_of(name, named), reply.format(name="Anna")) == 1.0
        assert len(reply) < 160
    others = [intent.answers()[0] for intent in INTENTS.values() if intent.name != name]
    passing = sum(TASK.grade(example_of(name, named), reply) for reply in others)
    assert passing < 0.75 * len(others)


def test_there_are_many_intents_and_each_trains_many_phrasings():
    assert len(INTENTS) >= 58
    for intent in INTENTS.values():
        trained = [
            ask for ask in intent.phrasings() if not is_held_out(f"{intent.name}: {bare(ask)}")
        ]
        assert len(trained) >= 6, intent.name
        assert len(intent.answers()) >= 2


def test_no_phrasing_belongs_to_two_intents():
    asks = [ask for each in INTENTS.values() for ask in {bare(ask) for ask in each.phrasings()}]
    assert len(set(asks)) == len(asks)


def test_slots_have_fills():
    known = {*FILLS, "word"}
    assert all(set(slots(a)) <= known for i in INTENTS.values() for a in i.phrasings())


def test_a_greeting_uses_the_name():
    example = example_of("their name", "call me Ida")
    assert TASK.grade(example, "Hello, Ida! What can I do for you?") == 1.0
    assert TASK.grade(example, "Hello, Tom! What can I do for you?") == 0.0


def test_a_long_reply_is_not_right():
    assert TASK.grade(example_of("name"), "My name is Bise nano. " * 20) == 0.0


def test_phrasings_differ_in_capitals_marks_and_openings():
    rng = Random(1)
    asked = {TASK.sample(rng, "who").question for _ in range(3000)}
    assert {"Who are you?", "who are you?", "Who are you"} & asked
    assert any(question.startswith("Hi, ") for question in asked)
