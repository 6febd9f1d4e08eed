"""Small Python functions: every answer is right, and what is kept from training is."""

import ast
import copy
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bise.evals import Example, is_held_out
from bise.evals.python.kinds import NAMES, RESERVED, SINGLE
from bise.evals.python.lists import draw_params
from bise.evals.python.plans import STEPS, Plan, cases, is_new, read_plan
from bise.evals.python.step import third
from bise.evals.python.tasks import KINDS, Python, code_of
from bise.evals.task import MIN_FORMS
from bise.text import ChatFormat, Tekken
from bise.train.conversations import turn

TASK = Python()
LEVELS = TASK.levels + TASK.shape_levels
WRITTEN = [level for level in LEVELS if level != "trace"]


def draw(level: str, num: int = 150, **options: Any) -> list[Example]:
    rng = Random(f"python {level}")
    split = "held_out" if level in TASK.shape_levels else "train"
    return [TASK.sample(rng, level, split, **options) for _ in range(num)]


def changed(code: str) -> str:
    """The same function, with something that is wrong in every case."""
    return re.sub(r"return (.*)", r"return [\1, 0]", code)


def example(level: str, question: str, code: str, form: str) -> Example:
    return Example("python", level, question, f"```python\n{code}\n```", "…", form=form)


def test_levels_have_what_draws_them():
    assert set(KINDS) == set(LEVELS)


@pytest.mark.parametrize("level", LEVELS)
def test_answers_are_right_and_changed_ones_wrong(level):
    for one in draw(level):
        assert one.thinking
        assert TASK.grade(one, one.answer) == 1.0
        assert TASK.grade(one, "") == TASK.grade(one, "I do not know.") == 0.0
        wrong = f"{one.answer} and 1" if level == "trace" else changed(one.answer)
        assert TASK.grade(one, wrong) == 0.0


@pytest.mark.parametrize("level", LEVELS)
def test_easy_ones_and_the_same_ones_can_be_drawn(level):
    easy = draw(level, 60, reach=0.0)
    assert easy == draw(level, 60, reach=0.0)
    for one in easy:
        numbers = [int(n) for n in re.findall(r"\d+", one.form.split(" | ")[0])]
        assert max(numbers, default=0) <= 18
    assert TASK.open_levels(0) == ("number",)


@pytest.mark.parametrize("name", [name for name in STEPS if STEPS[name].takes])
def test_each_step_means_what_its_code_does(name):
    does, rng = STEPS[name], Random(name)
    for _ in range(6):
        plan = Plan(((does, draw_params(rng, does.params, 30)),))
        assert read_plan(plan.text) == plan
        code = plan.source("run", ["first", "other"][: len(plan.takes)])
        names: dict[str, Any] = {}
        exec(code, names)
        found = cases(plan.text)
        assert 4 <= len(found) <= 8
        for args, wanted in found:
            assert names["run"](*copy.deepcopy(args)) == wanted


def test_most_cases_have_different_results():
    plans = [one.form.split(" | ")[0] for level in WRITTEN for one in draw(level)]
    same = [plan for plan in plans if len({repr(wanted) for _, wanted in cases(plan)}) < 2]
    assert len(same) < 0.005 * len(plans)
    assert all(len(cases(plan)) >= 4 for plan in plans)


def test_there_are_many_ideas_and_names_are_free():
    ideas = {does.name for pool in SINGLE.values() for does in pool}
    assert len(ideas) >= 200
    assert sum(len(pool) for pool in SINGLE.values()) == len(ideas)
    assert not set(NAMES) & RESERVED and len(NAMES) > 400
    for step in STEPS.values():
        assert step.name == step.name.lower() and "_" not in step.name
        assert all("{y}" not in way or len(step.takes) == 2 for way in step.says)


def test_verbs_say_what_a_function_does():
    pairs = {
        "double n": "doubles n",
        "multiply it by 3": "multiplies it by 3",
        "are even": "is even",
        "have 2": "has 2",
        "reach": "reaches",
    }
    for clause, does in pairs.items():
        assert third(clause) == does


def test_questions_name_what_is_to_be_written():
    for level in ("number", "list", "compose"):
        examples = draw(level, 400)
        free = 0
        for one in examples:
            name = one.answer.split("def ")[1].split("(")[0]
            free += not re.search(rf"\b{name}\b", one.question)
            parameters = one.form.split(" | ")[0].split("; ")
            for parameter in (word for step in parameters for word in step.split(" ")[1:]):
                assert parameter in one.question
        assert 20 < free < 80


def test_new_compositions_are_never_trained():
    rng = Random(8)
    trained = [TASK.sample(rng, level) for level in ("compose", "fix", "trace") for _ in range(800)]
    for one in trained:
        steps = [] if " ? " in one.form else one.form.split(" | ")[0].split("; ")
        names = [step.split(" ")[0].replace("_", " ") for step in steps]
        assert not any(map(is_new, names, names[1:]))
        assert len(names) <= 2
    for one in draw("new compositions", 300):
        first, second = (step.split(" ")[0].replace("_", " ") for step in one.form.split("; "))
        assert is_new(first, second)
    for one in draw("three steps"):
        assert not read_plan(one.form).has_new_pair and one.form.count("; ") == 2


def test_the_steps_of_new_compositions_are_trained_in_others():
    trained = [set[str](), set[str]()]
    for one in draw("compose", 3000):
        for place, step in enumerate(one.form.split("; ")):
            trained[place].add(step.split(" ")[0])
    new = [one.form.split("; ") for one in draw("new compositions", 300)]
    known = [
        all(step.split(" ")[0] in names for step, names in zip(steps, trained, strict=True))
        for steps in new
    ]
    assert sum(known) > 0.95 * len(known)


def test_held_out_and_trained_share_no_form():
    rng = Random(9)
    trained = {TASK.sample(rng).form for _ in range(6000)}
    for level in LEVELS:
        held_out = {TASK.sample(rng, level, "held_out").form for _ in range(40)}
        assert not trained & held_out
        assert level in TASK.shape_levels or all(map(is_held_out, held_out))
    for level, out in TASK.hold_outs().items():
        if level in TASK.levels:
            assert (out.kind == "content") == (out.num_forms >= MIN_FORMS)
        else:
            assert out.kind == "shape"


def test_no_step_may_be_left_out():
    num = 0
    for one in draw("compose", 300):
        lines = code_of(one.answer).splitlines()
        if len(lines) != 3 or not (step := re.match(r"    (\w+) = ", lines[1])):
            continue  # both steps in one comprehension
        num += 1
        without_first = "\n".join((lines[0], lines[2]))
        without_second = "\n".join((*lines[:2], f"    return {step[1]}"))
        assert TASK.grade(one, one.answer) == 1.0
        assert TASK.grade(one, without_first) == 0.0, one
        assert TASK.grade(one, without_second) == 0.0, one
    assert num > 100


def test_the_code_of_each_line_of_thinking_stands_in_the_answer():
    for level in (*SINGLE, "condition", "compose", "three steps"):
        for one in draw(level, 100):
            first, *lines = one.thinking.split("\n")
            assert f"{first}:" in one.answer
            for line in lines:
                code = line.split(": ", 1)[-1].removeprefix("then ").removeprefix("else ")
                assert code in one.answer


def test_a_mistake_is_in_one_line():
    for one in draw("fix"):
        wrong, right = code_of(one.question), code_of(one.answer)
        lines = zip(wrong.split("\n"), right.split("\n"), strict=True)
        [(bad, good)] = [pair for pair in lines if pair[0] != pair[1]]
        assert one.thinking.endswith(f"\nwrong: {bad.strip()}\nright: {good.strip()}")
        assert TASK.grade(one, wrong) == 0.0


def test_traced_functions_return_the_answer_and_lines_are_worked_out():
    for one in draw("trace", 400):
        code = code_of(one.question)
        called = re.search(r"\w+\((?:[^()]|\n)*\)", one.question.split("\n")[0])
        assert called
        names: dict[str, Any] = {}
        exec(code, names)
        value = eval(called[0], names)
        assert ast.literal_eval(one.answer) == value
        assert one.thinking.endswith(one.answer)
        for left, right in re.findall(r"(?:^|: |, )(\d+ [-+*] \d+) = (-?\d+)", one.thinking):
            assert eval(left) == int(right)


def test_samples_are_short():
    assets = Path(__file__).parents[2] / "src/bise/assets/nano/tekken.json"
    chat = ChatFormat(Tekken.from_file(assets))
    for level in LEVELS:
        for one in draw(level, 60):
            ids = chat.encode(turn(one, "high"), effort="high", finished=True).ids
            assert len(ids) <= 400  # far fewer with a vocabulary that knows these words


DOUBLE = example(
    "map", "Write double(items) that …", "def double(items):\n    return …", "each_double | double"
)


@pytest.mark.parametrize(
    "code",
    [
        "def double(items):\n    return [n * 2 for n in items]",
        "def double(a):\n    out = []\n    for i in range(len(a)):\n"
        "        out.append(a[i] + a[i])\n    return out",
        "def two(n):\n    return n << 1\n\ndef double(items):\n    return [two(i) for i in items]",
        "def double(items: list) -> list:\n    '''Twice.'''\n    for i, n in enumerate(items):\n"
        "        items[i] *= 2\n    return items",
        "def double(items):\n    return [2 * n for n in items]\n\nprint(double([1]))",
    ],
)
def test_any_function_that_does_it_is_right(code):
    for reply in (code, f"```python\n{code}\n```", f"Here it is:\n```\n{code}\n```\nIt doubles."):
        assert TASK.grade(DOUBLE, reply) == 1.0


@pytest.mark.parametrize(
    "code",
    [
        "def twice(items):\n    return [n * 2 for n in items]",
        "def double(items):\n    return (n * 2 for n in items)",
        "def double(items):\n    return tuple(n * 2 for n in items)",
        "def double(items):\n    return items * 2",
        "def double(items):\n    return [n * n for n in items]",
        "def double(items):\n    print([n * 2 for n in items])",
        "def double():\n    return []",
        "return [n * 2 for n in items]",
    ],
)
def test_what_does_something_else_is_wrong(code):
    assert TASK.grade(DOUBLE, code) == 0.0


def test_a_function_may_have_any_name_if_none_is_asked_for():
    free = example("map", "Double each number.", "def f(items):\n    return …", "each_double | f")
    assert TASK.grade(free, "def twice(x):\n    return [n * 2 for n in x]") == 1.0


def test_values_may_stand_in_a_sentence_and_with_other_quotes():
    def trace(answer: str) -> Example:
        return Example("python", "trace", "?", answer, "…", form="upper | 'a'")

    assert TASK.grade(trace("7"), "It returns 7.") == TASK.grade(trace("7"), "f(3) = 7") == 1.0
    assert TASK.grade(trace('"CAT"'), "'CAT'") == TASK.grade(trace('"CAT"'), "CAT") == 1.0
    assert TASK.grade(trace("[1, 2]"), "`[1,2]`") == TASK.grade(trace("True"), "True.") == 1.0
    for wrong in ("17", "-7", "7 or 8", "8, not 7", "", "[7]", "7" * 500):
        assert TASK.grade(trace("7"), wrong) == 0.0
