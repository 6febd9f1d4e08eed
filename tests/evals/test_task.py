"""What holds for every skill: nothing held out is trained, nothing needed is left out."""

from collections import Counter
from dataclasses import replace
from itertools import combinations_with_replacement, product
from random import Random

import pytest

from bise.errors import UserError
from bise.evals import TASKS, is_held_out
from bise.evals.chain import canonical
from bise.evals.self_tasks import INTENTS, bare
from bise.evals.task import MIN_FORMS

NAMES = list(TASKS)
NUM_FORMS = dict.fromkeys(NAMES, 20_000) | {"chain": 50_000, "text": 50_000, "self": 50_000}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_nothing_held_out_is_ever_trained_and_every_class_of_answers_is(name):
    task, rng = TASKS[name], Random(11)
    trained, classes = set(), set()
    for _ in range(NUM_FORMS[name]):
        example = task.sample(rng)
        trained.add(example.form)
        classes.add(task.answer_class(example))
    levels = task.levels + task.shape_levels
    held_out = [task.sample(rng, level, "held_out") for level in levels for _ in range(40)]
    assert not trained & {example.form for example in held_out}
    in_levels = [example for example in held_out if example.level in task.levels]
    assert all(is_held_out(example.form) for example in in_levels)
    assert {task.answer_class(example) for example in in_levels} <= classes


def test_the_rule_of_ten_thousand_forms_is_kept():
    for task in TASKS.values():
        outs = task.hold_outs()
        assert set(outs) == set(task.levels + task.shape_levels)
        for level in task.levels:
            assert (outs[level].kind == "content") == (outs[level].num_forms >= MIN_FORMS)
        assert all(outs[level].kind == "shape" for level in task.shape_levels)


def test_held_out_sets_are_counted():
    numbers = range(1, 100)
    sums = {canonical([a, "+", b]) for a, b in combinations_with_replacement(numbers, 2)}
    pairs = sums | {canonical([a, "-", b]) for a, b in product(numbers, repeat=2)}
    sets = {
        "chain 2 terms (sums and differences to 99)": pairs,
        "read 4 digits": {f"{number:04}" for number in range(10_000)},
        "read 5 digits": {f"{number:05}" for number in range(100_000)},
    }
    for level in TASKS["self"].levels:
        intents = [intent for intent in INTENTS.values() if intent.level == level]
        forms = {f"{each.name}: {bare(ask)}" for each in intents for ask in each.phrasings()}
        assert len(forms) == TASKS["self"].hold_outs()[level].num_forms
        sets[f"self {level}"] = forms
    for name, forms in sets.items():
        num = sum(map(is_held_out, forms))
        print(f"{name}: {num} of {len(forms)} held out")  # noqa: T201
        assert num >= 3
        if len(forms) >= MIN_FORMS:
            assert abs(num / len(forms) - 1 / 16) < 0.006
    assert len(pairs) == TASKS["chain"].hold_outs()["2 terms"].num_forms


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_examples(name):
    def draw():
        rng = Random(5)
        examples = [TASKS[name].sample(rng, reach=reach) for reach in (0, 0.5, 1) * 20]
        return [(replace(e, image=None), e.image and e.image.tobytes()) for e in examples]

    assert draw() == draw()


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_complete_and_their_own_answers_are_right(name):
    task, rng = TASKS[name], Random(6)
    for level in task.levels + task.shape_levels:
        for _ in range(50):
            example = task.sample(rng, level, "held_out")
            assert (example.task, example.level) == (name, level)
            assert example.question.strip() and example.answer and example.thinking and example.form
            if name not in ("tools", "python", "lean"):  # whose texts may have braces of their own
                assert "{" not in example.question + example.answer + example.thinking
            assert task.grade(example, example.answer) == 1.0
            assert task.grade(example, "") == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_levels_open_from_easy_to_hard_and_share_equally(name):
    task, rng = TASKS[name], Random(7)
    assert task.open_levels(0.0) == task.levels[:1]
    assert task.open_levels(1.0) == task.levels
    assert {task.sample(rng, reach=0.0).level for _ in range(50)} == {task.levels[0]}
    counts = Counter(task.sample(rng).level for _ in range(2000))
    assert set(counts) == set(task.levels)
    expected = 2000 / len(task.levels)
    assert all(abs(num - expected) < 4 * expected**0.5 for num in counts.values())


def test_an_unknown_level_and_a_shape_in_training_are_refused():
    with pytest.raises(UserError, match="no level"):
        TASKS["chain"].sample(Random(0), "1 term")
    with pytest.raises(UserError, match="never trained"):
        TASKS["chain"].sample(Random(0), "9 terms")


def test_a_sixteenth_of_the_hash_space_is_held_out():
    assert 550 < sum(is_held_out(str(number)) for number in range(10_000)) < 700
