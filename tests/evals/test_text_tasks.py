"""Small jobs on texts, done again in another way."""

import json
import re
from random import Random

import pytest

from bise.evals import Example, Text
from bise.evals.text_formats import RULES
from bise.evals.text_kinds import MAX_ITEMS, chosen, moved
from bise.evals.words import WORDS

TASK = Text()


def draw(level: str, num: int = 300) -> list[Example]:
    rng = Random(f"text {level}")
    split = "held_out" if level in TASK.shape_levels else "train"
    return [TASK.sample(rng, level, split) for _ in range(num)]


def items(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def test_words_are_short_plain_and_different():
    assert len(set(WORDS)) == len(WORDS) > 400
    assert all(re.fullmatch(r"[a-z]{2,8}", word) for word in WORDS)


@pytest.mark.parametrize("level", ["copy", "long copy"])
def test_a_copy_is_in_the_question(level):
    assert all(e.answer in e.question and e.answer in e.thinking for e in draw(level))


def test_long_copies_are_longer_than_all_trained():
    nums = {
        level: [len(re.findall(r"\d+", e.answer)) for e in draw(level, 1500)]
        for level in ("copy", "long copy")
    }
    assert max(nums["copy"]) == 3 * MAX_ITEMS >= 16
    assert min(num for num in nums["long copy"] if num > 1) > 3 * MAX_ITEMS


@pytest.mark.parametrize("level", ["reverse", "long reverse"])
def test_reversed_letters_are_in_the_question(level):
    for example in draw(level):
        word = example.answer[::-1]
        assert word in example.question
        assert example.thinking == f"{' '.join(word)}\n{' '.join(example.answer)}"


@pytest.mark.parametrize("level", ["sort", "long sort"])
def test_sorted_items_are_in_order_and_all_there(level):
    for example in draw(level):
        ordered, asked = items(example.answer), items(example.form.split(" ", 2)[2])
        assert sorted(ordered) == sorted(asked)
        key = (lambda item: int(item)) if ordered[0].isdigit() else (lambda item: item)
        is_down = example.form.startswith("sort: down")
        assert ordered == sorted(asked, key=key, reverse=is_down)
        assert items(example.thinking.split("\n")[-1]) == ordered


def test_each_line_carries_all_items():
    for line in moved(["c", "a", "b"], ["a", "b", "c"]).split("\n"):
        assert sorted(items(line)) == ["a", "b", "c"]
    assert moved(["c", "a", "b"], ["a", "b", "c"]) == "c a b\na | c b\na b | c\na b c"


def test_the_first_of_two_is_chosen_again_and_again():
    assert chosen(["c", "a", "b"], ["a", "b", "c"]) == "c, a: a, b: a\nc, b: b\nc\na b c"
    assert chosen(["2", "9", "2"], ["9", "2", "2"]) == "2, 9: 9, 2: 9\n2, 2: 2\n2\n9 2 2"


def test_turned_lists_are_the_list_from_the_end():
    for example in draw("turn"):
        assert items(example.answer)[::-1] == items(example.form.removeprefix("turn: "))


def test_counts_are_counts_and_cover_many_values():
    examples = draw("count", 1000)
    for example in examples:
        letter, word = example.form.removeprefix("count: ").split()
        assert example.answer == str(word.count(letter))
        assert letter in example.question and word in example.question
        assert example.thinking.endswith(f": {example.answer}")
    assert {"0", "1", "2", "3", "4"} <= {example.answer for example in examples}


def test_replacing_changes_one_thing():
    for example in draw("replace"):
        old, new, text = example.form.removeprefix("replace: ").split(" ", 2)
        if "+" in text + old or "*" in text or re.search(r"\d-", text):
            assert example.answer == text.replace(old, new)
        else:
            words = [new if word == old else word for word in items(text)]
            assert items(example.answer) == words
        assert f"[{old} -> {new}]" in example.thinking


def test_picked_words_stand_in_their_place():
    places = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5, "last": -1}
    for example in draw("pick"):
        name, text = example.form.removeprefix("pick: ").split(" ", 1)
        assert items(text)[places[name]] == example.answer


def test_formats_follow_their_rule_in_the_question_or_the_system_prompt():
    examples = draw("format", 1000)
    assert {e.form.split(": ")[1] for e in examples} == {rule.name for rule in RULES}
    assert 0.25 < sum(bool(e.system) for e in examples) / 1000 < 0.45
    for example in examples:
        words = example.form.split(": ")[2].split(" of ")[0].split()
        if example.form.startswith("format: as JSON"):
            assert json.loads(example.answer) == words
        assert items(example.answer.lower().replace("-", " ")) == words or "1." in example.answer


def test_replies_are_marked_exactly_and_counts_leniently():
    example = Example("text", "copy", "?", "pear fig", "…")
    assert TASK.grade(example, " pear fig\n") == 1.0
    assert TASK.grade(example, "pear fig.") == 1.0
    assert TASK.grade(example, "fig pear") == 0.0
    stop = Example("text", "format", "?", "pear fig.", "…")
    assert TASK.grade(stop, "pear fig") == 0.0
    count = Example("text", "count", "?", "2", "…")
    assert TASK.grade(count, "There are 2.") == 1.0
    assert TASK.grade(count, "12") == 0.0
