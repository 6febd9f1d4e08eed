"""Questions with tools: what is called fits the schema and the question, and marks are fair."""

import json
import re
from dataclasses import replace
from pathlib import Path
from random import Random
from string import Formatter

import jsonschema
import pytest

from bise.evals import Example, is_held_out
from bise.evals.task import MIN_FORMS, asked, calls_text
from bise.evals.tools.jobs import JOBS, UNSEEN_JOBS
from bise.evals.tools.marks import is_done, is_same, numbers, read_calls, result_of
from bise.evals.tools.offers import MAX_PARAMS
from bise.evals.tools.results import FIELDS
from bise.evals.tools.slots import SLOTS
from bise.evals.tools.sums import result
from bise.evals.tools.tasks import Tools
from bise.evals.tools.values import SMALL
from bise.text import ChatFormat, Message, Tekken, TextPart, ToolCall, decode_reply
from bise.train.conversations import turn

TASK = Tools()
CALLED = ("one string", "types", "choice", "lists", "options", "two calls", "unseen names")
LEVELS = TASK.levels + TASK.shape_levels


def draw(level: str, num: int = 300, reach: float = 1.0) -> list[Example]:
    rng = Random(f"tools {level}")
    split = "held_out" if level in TASK.shape_levels else "train"
    return [TASK.sample(rng, level, split, reach) for _ in range(num)]


@pytest.fixture(scope="module")
def chat() -> ChatFormat:
    return ChatFormat(Tekken.from_file(Path("src/bise/assets/nano/tekken.json")))


def fields(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name]


def test_jobs_are_many_and_their_requests_say_each_value_once():
    jobs = JOBS + UNSEEN_JOBS
    names = [f"{verb}_{job.thing}" for job in jobs for verb in job.verbs]
    assert len(set(names)) == len(names)
    assert len(JOBS) >= 60
    for job in jobs:
        assert len(job.needs) <= MAX_PARAMS
        assert not set(job.needs) & set(job.clauses)
        assert all(key in SLOTS for key in (*job.needs, *job.clauses))
        for template in job.orders + job.asks:
            assert sorted(fields(template)) == sorted(job.needs), template
        assert all(fields(words) == [key] for key, words in job.clauses.items())
        for field in FIELDS.get(job.key, ()):
            assert all(set(fields(ask)) == set(job.needs) for ask in field.asks)
            assert all(set(fields(says)) <= {*job.needs, "x"} for says in field.answers)


@pytest.mark.parametrize("reach", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("level", LEVELS)
def test_examples_are_complete_and_their_own_answers_are_right(level: str, reach: float):
    for example in draw(level, reach=reach):
        assert (example.task, example.level) == ("tools", level)
        assert example.question.strip() and example.thinking.strip() and example.form
        assert "{" not in example.question
        assert example.answer == (calls_text(example.calls) or example.answer) != ""
        assert 1 <= len(example.tools) <= 4
        assert len({tool.name for tool in example.tools}) == len(example.tools)
        assert TASK.grade(example, example.answer) == 1.0
        assert TASK.grade(example, f" {example.answer}\n") == 1.0
        for wrong in ("", "{", "I do not know.", "no_such_tool {}", "a {" * 50, '{"a": ' * 9):
            assert TASK.grade(example, wrong) == 0.0


@pytest.mark.parametrize("level", [*CALLED, "sums"])
def test_calls_fit_the_schema_of_an_offered_function(level: str):
    for example in draw(level):
        offered = {tool.name: tool for tool in example.tools}
        for call in example.calls:
            jsonschema.validate(json.loads(call.arguments), dict(offered[call.name].parameters))
            assert call.arguments == json.dumps(json.loads(call.arguments))
            assert len(call.id) == 9 and call.id.isalnum()
            properties = offered[call.name].parameters["properties"]
            assert set(json.loads(call.arguments)) <= set(properties)
            assert call.name in example.thinking


@pytest.mark.parametrize("level", CALLED)
def test_every_value_of_a_call_stands_in_the_question(level: str):
    for example in draw(level):
        for call in example.calls:
            for name, value in json.loads(call.arguments).items():
                assert f"{name}: {json.dumps(value)}" in example.thinking
                for item in value if isinstance(value, list) else [value]:
                    ways = [str(item)]
                    if isinstance(item, bool):
                        ways = ["on", "lock", "open"] if item else ["off", "unlock", "close"]
                    elif isinstance(item, int) and item < len(SMALL):
                        ways.append(SMALL[item])
                    assert any(way in example.question.lower() + example.question for way in ways)


@pytest.mark.parametrize("level", [*CALLED, "sums"])
def test_a_changed_call_is_wrong_and_another_spelling_of_the_same_is_right(level: str):
    for example in draw(level):
        if not example.calls:
            continue
        first, *more = example.calls
        arguments = json.loads(first.arguments)
        turned = json.dumps(dict(reversed(arguments.items())), indent=1)
        assert mark(example, replace(first, arguments=turned), *more) == 1.0
        assert mark(example, *more, first) == 1.0
        assert TASK.grade(example, f"I call it now.\n{example.answer}") == 1.0
        assert mark(example, first, first, *more) == 0.0
        assert mark(example, *more) == 0.0
        assert mark(example, replace(first, name=first.name + "x"), *more) == 0.0
        assert mark(example, with_arguments(first, arguments | {"zzz": 1}), *more) == 0.0
        for name, value in arguments.items():
            less = {key: value for key, value in arguments.items() if key != name}
            assert mark(example, with_arguments(first, less), *more) == 0.0
            for other in ("zzz", 7777777, None, not value, [value], str(value) + "0"):
                changed = with_arguments(first, arguments | {name: other})
                assert mark(example, changed, *more) == 0.0


def with_arguments(call: ToolCall, arguments: object) -> ToolCall:
    return replace(call, arguments=json.dumps(arguments))


def mark(example: Example, *calls: ToolCall) -> float:
    return TASK.grade(example, calls_text(calls))


def test_arguments_are_compared_as_json():
    assert is_same({"a": 2, "b": [1, "x"]}, {"b": [1.0, "x"], "a": 2.0})
    assert not is_same({"a": 1}, {"a": True})
    assert not is_same(True, 1)
    assert not is_same([1, 2], [2, 1])
    assert is_same("12 * 3", "12*3")
    assert not is_same("red boat", "redboat")


def test_strange_replies_are_read_without_an_error():
    assert read_calls('a {"b": "{"}\nc {}') == [("a", {"b": "{"}), ("c", {})]
    assert read_calls("a " + '{"a":' * 100_000) is None
    assert read_calls('a {"b": ' + "9" * 5000 + "}") is None
    assert read_calls("no call at all {}") == []


def test_options_are_left_out_where_they_are_not_said():
    nums = []
    for example in draw("options"):
        (call,) = example.calls
        tool = next(tool for tool in example.tools if tool.name == call.name)
        missing = set(tool.parameters["properties"]) - set(json.loads(call.arguments))
        assert not missing & set(tool.parameters["required"])
        assert all(f"{name}: not said, left out" in example.thinking for name in missing)
        nums.append(len(missing))
    assert {0, 1, 2} <= set(nums)


def test_choices_are_among_two_to_four_functions_in_any_place():
    examples = draw("choice", 600)
    assert {len(example.tools) for example in examples} == {2, 3, 4}
    places = [[t.name for t in e.tools].index(e.calls[0].name) for e in examples]
    assert {0, 1, 2, 3} == set(places)


def test_two_calls_are_two():
    examples = draw("two calls")
    assert all(len(example.calls) == 2 for example in examples)
    same = sum(example.calls[0].name == example.calls[1].name for example in examples)
    assert 0.35 < same / len(examples) < 0.65


def test_a_result_is_told_and_not_another_field_of_it():
    num = 0
    for example in draw("results", 600):
        found = result_of(example)
        if is_done(found):
            assert TASK.grade(example, "It was not done.") == 0.0
            assert TASK.grade(example, "That failed.") == 0.0
            continue
        name, text = example.thinking.split(": ", 1)
        value = json.loads(text)
        assert found[name] == value and str(value) in example.answer
        assert TASK.grade(example, str(value)) == 1.0
        for other_name, other in found.items():
            if other_name != name:
                num += 1
                assert TASK.grade(example, example.answer.replace(str(value), str(other))) == 0.0
                assert TASK.grade(example, f"{example.answer} {other}") == 0.0
        assert TASK.grade(example, f"It is not {value}.") == 0.0
        assert TASK.grade(example, calls_text(example.given[0].tool_calls)) == 0.0
    assert num > 100


def test_values_may_be_said_in_several_ways():
    call = ToolCall("abcdefghi", "get_weather", '{"city": "Oslo"}')
    found = TextPart('{"sky": "sunny", "temp": 1, "at": "07:30"}')
    given = (
        Message("assistant", tool_calls=(call,)),
        Message("tool", (found,), tool_call_id="abcdefghi"),
    )
    warm = Example("tools", "results", "How warm is it in Oslo?", "It is 1.", "…", given=given)
    assert TASK.grade(warm, "1 degree in Oslo") == TASK.grade(warm, "1.0°C") == 1.0
    assert TASK.grade(warm, "12 degrees") == TASK.grade(warm, "-1") == 0.0
    assert TASK.grade(warm, "1 degree and rainy") == 0.0
    when = replace(warm, question="When was that?", answer="At 07:30.")
    assert TASK.grade(when, "7:30") == 1.0
    assert TASK.grade(when, "17:30") == 0.0
    assert numbers("4812-377 is 4435, or -1,200.5") == {4812, 377, 4435, -1200.5}


def test_errors_are_told():
    for example in draw("errors"):
        error = example.thinking.removeprefix("It is an error: ")
        assert error in example.given[-1].parts[0].text  # type: ignore[union-attr]
        assert TASK.grade(example, f"I am sorry, but it says {error}") == 1.0
        assert TASK.grade(example, "Done.") == TASK.grade(example, "That did not work.") == 0.0


def test_where_no_function_fits_none_is_called():
    for example in draw("none fits"):
        assert not example.calls and not example.given
        assert TASK.grade(example, "Sorry, I can't do that, I have no tool for it.") == 1.0
        assert TASK.grade(example, "Done.") == 0.0
        assert TASK.grade(example, "I have no tool to feed a pet.") == 0.0
        for tool in example.tools:
            assert re.search(rf"^{tool.name}:.* -- no$", example.thinking, re.M)
            assert TASK.grade(example, f"{example.answer}\n{tool.name} {{}}") == 0.0


def test_sums_are_large_and_results_are_right():
    kinds = set()
    for example in draw("sums", 600):
        left, sign, right = example.form.removeprefix("sums: ").split()
        assert max(float(left), float(right)) > 99
        assert {float(left), float(right)} <= numbers(example.question)
        kinds.add((bool(example.calls), len(example.tools)))
        if not example.calls:
            (value,) = result_of(example).values()
            exact = {
                "+": float(left) + float(right),
                "-": float(left) - float(right),
                "*": float(left) * float(right),
                "/": float(left) / float(right),
            }
            assert value == pytest.approx(exact[sign], abs=6e-5, rel=1e-12)
            assert TASK.grade(example, f"{value + 1}") == 0.0
    assert {called for called, _ in kinds} == {True, False}
    assert result("-", 12.5, 0.5) == 12 and result("/", 1, 3) == 0.3333


def test_what_is_trained_is_never_held_out():
    rng = Random(1)
    trained = {TASK.sample(rng, reach=reach).form for _ in range(2000) for reach in (0.5, 1)}
    held_out = [TASK.sample(rng, level, "held_out") for level in LEVELS for _ in range(60)]
    assert not trained & {example.form for example in held_out}
    assert all(is_held_out(e.form) for e in held_out if e.level in TASK.levels)
    outs = TASK.hold_outs()
    assert set(outs) == set(LEVELS)
    assert all(outs[level].num_forms >= MIN_FORMS for level in TASK.levels)
    assert outs["unseen names"].kind == "shape"


@pytest.mark.parametrize("level", TASK.levels)
def test_forms_are_many(level: str):
    """As many as said: few of some thousand draws are equal."""
    forms = [example.form for example in draw(level, 3000)]
    assert len(set(forms)) > 0.75 * len(forms)


def test_every_job_is_trained_and_unseen_names_never_are():
    rng = Random(2)
    trained = [TASK.sample(rng) for _ in range(6000)]
    names = {tool.name for example in trained for tool in example.tools}
    goals = {job.goal for job in UNSEEN_JOBS}
    assert not any(goal in example.thinking for example in trained for goal in goals)
    for example in draw("unseen names", 600):
        assert not names & {tool.name for tool in example.tools}
    text = "\n".join(example.form for example in trained)
    assert all(job.key in text for job in JOBS)
    assert not any(job.key in text for job in UNSEEN_JOBS)


def test_the_same_seed_gives_the_same_examples():
    def drawn():
        rng = Random(5)
        return [TASK.sample(rng, reach=reach) for reach in (0, 0.5, 1) * 60]

    assert drawn() == drawn()


def test_the_first_steps_are_easy():
    for example in draw("one string", reach=0.0):
        (tool,), (call,) = example.tools, example.calls
        assert len(tool.parameters["properties"]) == 1
        assert len(json.loads(call.arguments)) == 1


@pytest.mark.parametrize("effort", ["none", "high"])
@pytest.mark.parametrize("level", LEVELS)
def test_conversations_decode_to_the_same_calls(chat: ChatFormat, level: str, effort: str):
    for example in draw(level, 60):
        whole = chat.encode(
            turn(example, effort), tools=example.tools, effort=effort, finished=True
        )
        prompt = chat.encode(asked(example, effort), tools=example.tools, effort=effort)
        assert whole.ids[: len(prompt.ids)] == prompt.ids
        reply = decode_reply(chat.tekken, whole.ids[len(prompt.ids) :])
        assert reply.is_well_formed and reply.is_ended
        assert [(c.name, c.arguments) for c in reply.tool_calls] == [
            (call.name, call.arguments) for call in example.calls
        ]
        assert reply.thinking == (example.thinking if effort == "high" else "")
        written = "\n".join(filter(None, (reply.text, calls_text(reply.tool_calls))))
        assert TASK.grade(example, written) == 1.0
