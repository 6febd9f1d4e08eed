"""Chains of arithmetic: every written equation holds, and every line keeps the value."""

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bise.evals import Chain, Example
from bise.evals.chain import canonical, solve, write_solution
from bise.evals.chain_phrasing import write_chain
from bise.evals.working import work_out

ALL_LEVELS = Chain.levels + Chain.shape_levels
PLAIN = re.compile(r"[-+*()\d]+")

quick = settings(deadline=None, database=None, derandomize=True, max_examples=300)


def value(text: str) -> int:
    assert PLAIN.fullmatch(text), text
    return eval(text)


def draw(seed: int, level: str, **options: float) -> Example:
    split = "held_out" if level in Chain.shape_levels else "train"
    return Chain(**options).sample(Random(seed), level, split)


def tokens_of(text: str) -> list[int | str]:
    return [int(token) if token.isdigit() else token for token in re.findall(r"\d+|.", text)]


@quick
@given(st.integers(0, 10**9), st.sampled_from(ALL_LEVELS))
def test_every_line_of_a_solution_keeps_the_value_and_every_equation_holds(seed, level):
    example = draw(seed, level, slip_share=0.0)
    lines = example.thinking.split("\n")
    for remaining in lines[0::2]:
        assert value(remaining) == int(example.answer)
    for step in lines[1::2]:
        problem, working = step.split(": ")
        *parts, result = working.split(", ")
        assert value(problem) == int(result)
        for part in parts:
            sides = part.split("=")
            assert len({value(side) for side in sides}) == 1, part
            if len(sides) == 1:  # the problem rewritten
                assert value(part) == int(result)
    assert lines[-1] == example.answer
    assert len(lines) == 2 * int(level.split()[0]) - 1


@quick
@given(st.integers(0, 10**9), st.sampled_from(Chain.levels))
def test_the_result_is_read_off_the_columns(seed, level):
    for step in draw(seed, level, slip_share=0.0).thinking.split("\n")[1::2]:
        *parts, result = step.split(": ")[1].split(", ")
        columns = [part.split("=")[-1] for part in parts if "=" in part]
        if columns:
            digits = columns[-1] + "".join(column[-1] for column in columns[-2::-1])
            assert int(digits) == abs(int(result))


@quick
@given(st.integers(0, 10**9), st.sampled_from(ALL_LEVELS))
def test_the_question_asks_for_the_answer(seed, level):
    example = draw(seed, level)
    question = example.question.lower()
    for word, sign in (("plus", "+"), ("minus", "-"), ("times", "*"), ("×", "*"), ("−", "-")):
        question = question.replace(word, sign)
    question = re.sub(r"(?<=[\d)])\s*x\s*(?=[\d(])", "*", question)
    asked = re.findall(r"-?[\d(][-+*()\d ]*[\d)]", question)
    assert len(asked) == 1
    assert value(asked[0].replace(" ", "")) == int(example.answer)
    assert len(re.findall(r"\d+", asked[0])) == int(level.split()[0])


def test_a_slip_is_wrong_and_put_right_at_once():
    rng, slipped = Random(1), Chain(slip_share=1.0)
    lines = [line for _ in range(300) for line in slipped.sample(rng).thinking.split("\n")]
    slips = [line for line in lines if ", no, " in line]
    assert len(slips) > 250
    for line in slips:
        before, after = line.split(", no, ")
        wrong, right = before.split(", ")[-1].split(": ")[-1], after.split(", ")[0]
        assert wrong != right
        left, met = wrong.rsplit("=", 1)
        assert right.rsplit("=", 1)[0] == left
        assert value(left.split("=")[0]) == int(right.rsplit("=", 1)[1]) != int(met)


def test_solutions_read_as_documented():
    lines, steps = solve(tokens_of("(47+86)-29*3"))
    assert write_solution(lines, steps).split("\n") == [
        "(47+86)-29*3",
        "47+86: 7+6=13, 4+8+1=13, 133",
        "133-29*3",
        "29*3: 9*3=27, 2*3+2=6+2=8, 87",
        "133-87",
        "133-87: 3-7+10=6, 3-8-1+10=4, 1-0-1=0, 46",
        "46",
    ]


@pytest.mark.parametrize(
    "first, operator, second, line",
    [
        (3, "+", 4, "3+4: 7"),
        (3, "-", 8, "3-8: -5"),
        (-5, "-", 3, "-5-3: -8"),
        (29, "-", 87, "29-87: -(87-29), 7-9+10=8, 8-2-1=5, -58"),
        (-58, "+", 30, "-58+30: -(58-30), 8-0=8, 5-3=2, -28"),
        (-58, "-", 30, "-58-30: -(58+30), 8+0=8, 5+3=8, -88"),
        (-58, "+", 80, "-58+80: 80-58, 0-8+10=2, 8-5-1=2, 22"),
        (-58, "+", 58, "-58+58: 58-58, 8-8=0, 5-5=0, 0"),
        (9, "*", 78, "9*78: 8*9=72, 7*9+7=63+7=70, 702"),
        (100, "-", 1, "100-1: 0-1+10=9, 0-0-1+10=9, 1-0-1=0, 99"),
        (0, "+", 12, "0+12: 0+2=2, 0+1=1, 12"),
    ],
)
def test_each_kind_of_step_is_written_by_one_rule(first, operator, second, line):
    assert work_out(first, operator, second).line() == line


def test_signs_slips_and_sizes_have_their_shares():
    rng, task = Random(2), Chain()
    examples = [task.sample(rng) for _ in range(4000)]
    below = sum(any(line[0] == "-" for line in e.thinking.split("\n")) for e in examples)
    assert below / 4000 < 0.15
    assert 0.035 < sum(", no, " in example.thinking for example in examples) / 4000 < 0.065
    shares = [sum(e.level == level for e in examples) / 4000 for level in task.levels]
    assert all(abs(share - 1 / 7) < 0.025 for share in shares)
    results = [int(n) for e in examples for n in re.findall(r", (-?\d+)$", e.thinking, re.M)]
    assert max(map(abs, results)) <= 999
    eight = sorted(len(e.thinking) for e in examples if e.level == "8 terms")
    assert eight[len(eight) // 2] < 360 and eight[len(eight) * 19 // 20] < 420


def test_single_digits_are_never_held_out():
    task, rng = Chain(), Random(3)
    held_out = [task.sample(rng, "2 terms", "held_out") for _ in range(300)]
    assert all(re.search(r"\d\d", example.form) for example in held_out)


@pytest.mark.parametrize(
    "one, other",
    [
        ("47+86", "86+47"),
        ("3*29-(4+7)", "29*3-(7+4)"),
        ("5-3+2", "2+5-3"),
        ("(2+3)*4", "4*(3+2)"),
    ],
)
def test_order_that_does_not_matter_is_no_new_form(one, other):
    assert canonical(tokens_of(one)) == canonical(tokens_of(other))


def test_order_that_matters_is_another_form():
    assert canonical(tokens_of("5-3")) != canonical(tokens_of("3-5"))
    assert canonical([-5, "+", 3]) == canonical(tokens_of("3-5"))
    assert canonical(tokens_of("9-(5-3)")) != canonical(tokens_of("9-(3-5)"))


def test_questions_are_spelled_in_many_ways():
    rng = Random(4)
    ways = {write_chain(rng, [47, "-", 3, "*", 5]) for _ in range(500)}
    assert {"47-3*5", "47 - 3 * 5", "47-3×5", "47−3×5", "47-3x5"} <= ways


@pytest.mark.parametrize(
    "answer, reply, score",
    [
        ("46", "46", 1.0),
        ("46", "The answer is 46.", 1.0),
        ("46", "47+86-29*3=46", 1.0),
        ("-12", "−12", 1.0),
        ("12", "-12", 0.0),
        ("12", "7-12", 1.0),
        ("46", "146", 0.0),
        ("46", "46 or 47", 0.0),
        ("46", "", 0.0),
        ("46", "I do not know", 0.0),
        ("9", "9" * 5000, 0.0),
    ],
)
def test_the_last_whole_number_is_marked(answer, reply, score):
    assert Chain().grade(Example("chain", "2 terms", "?", answer, "…"), reply) == score
