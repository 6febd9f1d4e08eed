"""Replies held to rules: valid whatever the network says, and the same however they come about."""

import json
import threading
import time

import jsonschema
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from llguidance import LLParserLimits
from pydantic_core import from_json
from small_requests import HOSTILE, Cheap, ask, ids_of, wait_until

from bise.engine import Core, Engine, ExactRunner, Grammar, Runner, Sampling, Vocabulary, run_all
from bise.engine.core import LOOK_S
from bise.engine.grammars import COMPILED_BYTES, MOST_SAID, Grammars, Held
from bise.engine.guesses import Guesses
from bise.errors import BadRequest, TooComplex, UserError

EOS, THINK, END_THINK, CALLS, ARGS = 2, 34, 35, 9, 32


def json_rules(schema) -> Grammar:
    return Grammar(rules=f"start: %json {json.dumps(schema)}")


@pytest.fixture
def core_of(network, vocabulary):
    def make(num_tokens=2048, max_running=4, kind=Runner, network=network, **options) -> Core:
        runner = kind(network, num_tokens)
        guesses = Guesses(runner, None, Cheap())
        return Core(runner, max_running, seed=0, guesses=guesses, vocabulary=vocabulary, **options)

    return make


def held(number=0, grammar=None, temperature=2.0, seed=1, **fields):
    sampling = Sampling(temperature=temperature, seed=seed)
    return ask(number, sampling=sampling, grammar=grammar, **{"max_tokens": 200, **fields})


# Schemas made up at random, and a random network that writes at a high temperature

texts = some.text(alphabet='abé"\\ /', max_size=4)
names = some.text(alphabet="abcé_ ", min_size=1, max_size=3)
leaves = some.one_of(
    some.just({"type": "integer", "minimum": -20, "maximum": 3000}),
    some.just({"type": "string", "maxLength": 5}),
    some.just({"type": "string", "pattern": "^[a-c]{1,4}$"}),
    some.just({"type": "string", "format": "date"}),
    some.just({"type": ["boolean", "null"]}),
    some.lists(some.one_of(texts, some.integers(-99, 99), some.none()), min_size=1, max_size=4).map(
        lambda values: {"enum": values}
    ),
    texts.map(lambda value: {"const": value}),
)


def nested(inner):
    objects = some.dictionaries(names, inner, max_size=3).flatmap(
        lambda given: (
            some.lists(some.sampled_from(sorted(given)), unique=True).map(
                lambda required: {
                    "type": "object",
                    "properties": given,
                    "required": required,
                    "additionalProperties": False,
                }
            )
            if given
            else some.just({"type": "object", "additionalProperties": False})
        )
    )
    lists = some.tuples(inner, some.integers(0, 1), some.integers(1, 3)).map(
        lambda made: {"type": "array", "items": made[0], "minItems": made[1], "maxItems": made[2]}
    )
    rows = some.lists(inner, min_size=1, max_size=2).map(
        lambda made: {"type": "array", "prefixItems": made, "items": False, "minItems": len(made)}
    )
    return some.one_of(objects, lists, rows, some.lists(inner, min_size=1, max_size=3).map(
        lambda made: {"anyOf": made}
    ))  # fmt: skip


schemas = some.recursive(leaves, nested, max_leaves=6)


@settings(max_examples=40)
@given(schema=schemas, seed=some.integers(0, 2**30))
def test_an_answer_is_valid_when_it_ends_and_a_beginning_when_it_is_cut(
    network, vocabulary, tekken, schema, seed
):
    core = Core(Runner(network, 512), 1, vocabulary=vocabulary)
    (ids,) = run_all(core, [held(grammar=json_rules(schema), seed=seed)])
    text = tekken.decode(ids)
    if ids[-1] == EOS:
        jsonschema.validate(json.loads(text), schema)
    else:
        assert len(ids) == 200
        begun = b"".join(map(tekken.token_bytes, ids))
        from_json(begun.decode(errors="ignore"), allow_partial="trailing-strings")


def test_most_answers_end(core_of, tekken):
    """Else the test above looks at beginnings only."""
    schema = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 9999,
              "minimum": 0}}, "required": ["a"], "additionalProperties": False}  # fmt: skip
    replies = run_all(core_of(), [held(n, json_rules(schema), seed=n) for n in range(8)])
    values = [json.loads(tekken.decode(ids)) for ids in replies if ids[-1] == EOS]
    assert len(values) >= 4 and all(set(value) == {"a"} for value in values)


# The same reply, however it comes about

LONG = {"type": "array", "items": {"enum": ["aaaa", "aaab", "b"]}, "minItems": 30, "maxItems": 60}


def requests_of(temperature):
    grammar = json_rules(LONG)
    return [held(n, grammar, temperature, seed=n, max_tokens=80) for n in range(3)]


@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_guessing_ahead_changes_nothing(core_of, temperature):
    expected = [
        run_all(core_of(speculates=False, max_running=1), [one])[0]
        for one in requests_of(temperature)
    ]
    core = core_of()
    assert run_all(core, requests_of(temperature)) == expected
    stats = core.stats()
    assert stats.num_drafted_tokens > 0 and stats.num_accepted_tokens > 0
    assert stats.num_steps < sum(map(len, expected)) / 2


def test_a_guess_the_rules_forbid_is_not_computed(core_of, tekken):
    """The prompt says what follows three letters; the rules say it cannot."""
    (letter,), (other,) = tekken.encode("a"), tekken.encode("x")
    prompt = [1, 3, *([letter] * 3 + [other]) * 4, 4]
    likes = Sampling(temperature=0.0, logit_bias={letter: 90.0})
    fields = {"prompt_ids": prompt, "sampling": likes, "max_tokens": 40}

    def wrong_guesses(grammar):
        core = core_of()
        (ids,) = run_all(core, [ask(grammar=grammar, **fields)])
        assert ids == [letter] * 40
        stats = core.stats()
        assert stats.num_accepted_tokens > 0
        return stats.num_drafted_tokens - stats.num_accepted_tokens

    assert wrong_guesses(None) > 0
    assert wrong_guesses(Grammar(rules="start: /a{60}/")) == 0


def test_losing_the_pages_changes_nothing(core_of):
    requests = [
        held(n, json_rules(LONG), seed=n, max_tokens=70, prompt_ids=[1, 3, *range(200, 240), 4])
        for n in range(4)
    ]
    expected = [run_all(core_of(max_running=1), [one])[0] for one in requests]
    core = core_of(num_tokens=224)
    assert run_all(core, requests) == expected
    assert core.stats().num_preemptions > 0


def test_an_exact_engine_says_the_same_in_any_company(core_of):
    requests = requests_of(1.0)
    alone = [run_all(core_of(kind=ExactRunner, max_running=1), [one])[0] for one in requests]
    together = run_all(core_of(kind=ExactRunner), [*requests, ask(9, max_tokens=30)])
    assert together[:3] == alone


def test_free_and_held_replies_share_a_batch(core_of, tekken):
    free = [ask(n, max_tokens=20) for n in range(2)]
    expected = run_all(core_of(), free)
    mixed = run_all(core_of(), [free[0], held(grammar=Grammar(rules='start: "yes"')), free[1]])
    assert [mixed[0], mixed[2]] == expected
    assert tekken.decode(mixed[1]) == "yes"


# Where the rules begin and end


def test_a_complete_answer_ends_whatever_else_was_asked(core_of, vocabulary):
    always = ask(
        grammar=Grammar(rules='start: "yes"'),
        sampling=Sampling(temperature=0.0, min_tokens=50),
        max_tokens=60,
    )
    core = core_of()
    number = core.add(always)  # no stop ids, and fifty tokens at least
    steps = []
    while not core.is_idle:
        steps += [step for key, step in core.step().items() if key == number]
    assert steps[-1].ids[-1] == vocabulary.end_id and steps[-1].finish_reason == "stop"
    assert sum(len(step.ids) for step in steps) < 8


def test_an_answer_is_cut_at_its_most_tokens(core_of):
    core = core_of()
    number = core.add(held(grammar=Grammar(rules="start: /a{100}/"), max_tokens=3))
    steps = []
    while not core.is_idle:
        steps += [step for key, step in core.step().items() if key == number]
    assert steps[-1].finish_reason == "length"
    assert sum(len(step.ids) for step in steps) == 3


@pytest.fixture
def thinking_network(say, scripted):
    """Thinks `so 12`, and then says `46`."""
    return scripted(say(THINK, "so 12", END_THINK, "46"))


def test_thinking_is_free_and_the_rules_begin_behind_it(core_of, thinking_network, tekken):
    grammar = Grammar(rules='start: "yes" | "no"', may_think=True)
    core = core_of(network=thinking_network)
    (ids,) = run_all(core, [held(grammar=grammar, temperature=0.0)])
    assert ids[0] == THINK
    end = ids.index(END_THINK)
    assert tekken.decode(ids[1:end]) == "so 12"
    assert tekken.decode(ids[end:]) in ("yes", "no") and ids[-1] == EOS


def test_who_may_not_think_answers_at_once(core_of, thinking_network, tekken):
    core = core_of(network=thinking_network)
    (ids,) = run_all(core, [held(grammar=Grammar(rules='start: "yes" | "no"'), temperature=0.0)])
    assert tekken.decode(ids, show_control=True) in ("yes</s>", "no</s>")


@settings(max_examples=20)
@given(seed=some.integers(0, 2**30), budget=some.none() | some.integers(0, 12))
def test_thinking_under_rules_closes_and_a_budget_is_kept(
    network, vocabulary, tekken, seed, budget
):
    core = Core(Runner(network, 512), 1, vocabulary=vocabulary)
    grammar = Grammar(rules='start: "yes" | "no"', may_think=True)
    likes = Sampling(temperature=2.0, seed=seed, logit_bias={THINK: 60.0, END_THINK: 8.0})
    (ids,) = run_all(
        core, [ask(grammar=grammar, sampling=likes, max_tokens=300, thinking_budget=budget)]
    )
    assert ids[0] == THINK
    if END_THINK not in ids:
        assert budget is None and len(ids) == 300
        return
    end = ids.index(END_THINK)
    assert budget is None or end <= budget + 1
    assert not any(map(tekken.is_control, ids[1:end]))
    assert tekken.decode(ids[end:]) in ("yes", "no")


def test_a_prompt_that_ends_in_thinking_goes_on_with_it(core_of, tekken):
    request = held(
        grammar=Grammar(rules='start: "yes"'), in_thinking=True, thinking_budget=3,
        prompt_ids=[1, 3, 300, 4, THINK, 301],
    )  # fmt: skip
    (ids,) = run_all(core_of(), [request])
    assert ids[3] == END_THINK and tekken.decode(ids[3:]) == "yes"


def test_an_answer_goes_on_from_its_beginning(core_of, tekken):
    begun = tuple(tekken.encode('{"a": 1'))
    schema = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 12345}},
              "additionalProperties": False}  # fmt: skip
    grammar = Grammar(rules=json_rules(schema).rules, begun=begun)
    (ids,) = run_all(core_of(), [held(grammar=grammar, prompt_ids=[1, 3, 4, *begun])])
    value = json.loads('{"a": 1' + tekken.decode(ids))
    jsonschema.validate(value, schema)


def test_a_beginning_against_the_rules_is_refused(core_of, tekken):
    grammar = Grammar(rules='start: "yes"', begun=tuple(tekken.encode("no")))
    with pytest.raises(BadRequest, match="does not follow the rules"):
        run_all(core_of(), [held(grammar=grammar)])


def test_markers_are_ids_of_their_own(core_of, tekken):
    rules = (
        f'start: <[{CALLS}]> ("add" | "sub") <[{ARGS}]> %json {{"type":"object","maxProperties":0}}'
    )
    (ids,) = run_all(core_of(), [held(grammar=Grammar(rules=rules))])
    shown = tekken.decode(ids, show_control=True)
    assert shown.startswith(("[TOOL_CALLS]add[ARGS]{", "[TOOL_CALLS]sub[ARGS]{"))
    assert [token for token in ids if tekken.is_control(token)] == [CALLS, ARGS, EOS]


# Compiled once, beside the steps, within limits


def test_the_same_rules_are_compiled_once(core_of):
    core = core_of()
    for _ in range(3):
        run_all(core, [held(grammar=Grammar(rules='start: "a"')) for _ in range(2)])
    assert core.stats().num_grammars == 1
    assert core.grammars.users == {}


def test_kept_rules_are_bounded(vocabulary, monkeypatch):
    monkeypatch.setattr("bise.engine.grammars.KEPT_BYTES", 3 * COMPILED_BYTES + 10_000)
    grammars = Grammars(vocabulary)
    made = [Grammar(rules=f'start: "{number}"') for number in range(6)]
    for grammar in made:
        assert grammars.is_ready(grammar)
    assert list(grammars.kept) == [one.rules for one in made[-3:]]


def test_worn_rules_are_compiled_anew(core_of):
    core = core_of()
    grammar = Grammar(rules="start: /[ab]{200}/")
    run_all(core, [held(grammar=grammar)])
    (compiled,) = core.grammars.kept.values()
    assert 50 < compiled.num_said <= 200
    size_bytes, compiled.num_said = compiled.size_bytes, MOST_SAID
    assert compiled.size_bytes > size_bytes
    run_all(core, [held(grammar=grammar)])
    assert core.stats().num_grammars == 2 and core.grammars.kept[grammar.rules] is not compiled


def test_rules_that_grow_too_large_while_they_are_used_are_refused_and_begun_anew(
    core_of, monkeypatch
):
    small = LLParserLimits(max_lexer_states=100, verbose_errors=False)
    monkeypatch.setattr("bise.engine.grammars.LIMITS", small)
    core = core_of()
    grammar = Grammar(rules="start: /[ab]*a[ab]{40}c/")
    with pytest.raises(TooComplex, match="too many states"):
        run_all(core, [held(grammar=grammar)])
    core.failed.clear()
    assert core.is_idle and core.stats().pages_used == 0
    assert len(run_all(core, [held(grammar=grammar, max_tokens=3)])[0]) == 3
    assert core.stats().num_grammars == 2


def test_slow_rules_hold_back_their_own_reply_only(core_of, monkeypatch):
    expected = run_all(core_of(), requests_of(2.0))
    monkeypatch.setattr("bise.engine.grammars.SLOW_S", -1.0)  # every one is
    core = core_of(sees_aside=True)
    assert run_all(core, requests_of(2.0)) == expected
    go_on, threads = threading.Event(), set()

    def slowly(one, token, plain=Held._go_on):
        threads.add(threading.current_thread().name)
        go_on.wait(30)
        return plain(one, token)

    monkeypatch.setattr(Held, "_go_on", slowly)
    slow = core.add(requests_of(2.0)[0])
    free = core.add(ask(5, max_tokens=30))
    said = []
    while free in core.members:
        for number, step in core.step().items():
            said += [number] * len(step.ids)
    assert said.count(free) == 30 and 1 <= said.count(slow) <= 2
    core.cancel(slow)
    go_on.set()
    core.close()
    assert threads and all(name.startswith("bise-rules") for name in threads)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("start: nothing", "unknown name"),
        ('start: "a', "lexer error"),
        ("start: /a(?=b)/", "look-around"),
        (r"start: /(a)\1/", "backreferences"),
        ('start: %json {"allOf": [{"type": "string"}, {"type": "integer"}]}', "incompatible types"),
        ("", "cannot be followed"),
    ],
)
def test_rules_that_are_none_are_refused_in_a_line(core_of, rules, words):
    core = core_of()
    with pytest.raises(BadRequest, match=words) as caught:
        run_all(core, [held(grammar=Grammar(rules=rules))])
    assert len(caught.value.message) < 400
    core.failed.clear()
    assert core.is_idle and core.grammars.users == {}


def test_rules_that_cost_too_much_are_refused_soon(core_of):
    started = time.monotonic()
    with pytest.raises(TooComplex):
        run_all(core_of(), [held(grammar=Grammar(rules=HOSTILE))])
    assert time.monotonic() - started < 5


def test_where_the_library_panics_it_is_told_in_our_words(core_of):
    rules = "start: %json " + json.dumps({"const": [["z"] * 700] * 100})
    with pytest.raises(TooComplex, match="too complex for the library") as caught:
        run_all(core_of(), [held(grammar=Grammar(rules=rules))])
    assert "panic" not in caught.value.message


def test_who_waits_for_rules_waits_alone(core_of, monkeypatch):
    core = core_of(sees_aside=True)
    go_on, compile_rules = threading.Event(), core.grammars._compile
    monkeypatch.setattr(
        core.grammars, "_compile", lambda rules: go_on.wait(30) and compile_rules(rules)
    )
    with Engine(core) as engine:
        slow = engine.generate(held(grammar=Grammar(rules='start: "yes"')))
        said: list[int] = []
        reader = threading.Thread(target=lambda: said.extend(ids_of(slow)))
        reader.start()
        wait_until(lambda: engine.stats().num_waiting == 1)
        assert len(ids_of(engine.generate(ask(max_tokens=20)))) == 20
        assert not said
        go_on.set()
        reader.join(30)
        assert said


def test_bad_rules_end_their_own_stream_only(core_of):
    with Engine(core_of(sees_aside=True)) as engine:
        with pytest.raises(BadRequest, match="cannot be followed"):
            ids_of(engine.generate(ask(grammar=Grammar(rules="start: nothing"))))
        with pytest.raises(TooComplex):
            ids_of(engine.generate(ask(grammar=Grammar(rules=HOSTILE))))
        assert len(ids_of(engine.generate(ask()))) == 4
        assert engine.stats().num_running == 0 and engine.is_well()


def test_leaving_while_rules_are_compiled_leaves_nothing_behind(core_of, monkeypatch):
    core = core_of(sees_aside=True)
    compile_rules = core.grammars._compile
    gates = {'start: "a"': threading.Event(), 'start: "b"': threading.Event()}
    monkeypatch.setattr(
        core.grammars, "_compile", lambda rules: gates[rules].wait(30) and compile_rules(rules)
    )
    gone, waiting = (core.add(held(grammar=Grammar(rules=rules))) for rules in gates)
    wait_until(lambda: all(one.running() for one in core.grammars.coming.values()))
    core.cancel(gone)
    left = core.grammars.coming['start: "a"']
    gates['start: "a"'].set()
    left.result(30)
    started = time.monotonic()
    for _ in range(3):  # nothing can be computed: a step waits instead of coming back at once
        assert core.step() == {}
    assert time.monotonic() - started > 2 * LOOK_S
    assert set(core.grammars.coming) == {'start: "b"'}
    gates['start: "b"'].set()
    while waiting in core.members:
        core.step()
    assert core.grammars.coming == {} and core.is_idle
    core.close()


def test_rules_that_take_too_long_are_refused(core_of, monkeypatch):
    monkeypatch.setattr("bise.engine.grammars.COMPILE_S", -1.0)
    core = core_of(sees_aside=True)
    go_on = threading.Event()

    def stuck(rules):
        core.grammars._began[rules] = time.monotonic()
        go_on.wait(30)

    monkeypatch.setattr(core.grammars, "_compile", stuck)
    with pytest.raises(TooComplex, match="take longer than"):
        run_all(core, [held(grammar=Grammar(rules='start: "a"'))])
    go_on.set()
    core.close()


def test_a_core_without_a_vocabulary_refuses_rules(network):
    with pytest.raises(BadRequest, match="given no vocabulary"):
        Core(Runner(network, 512), 1).add(held(grammar=Grammar(rules='start: "a"')))


def test_a_vocabulary_whose_ends_do_not_fit_is_refused():
    for ends in ([2], [3, 3], [2, 1, 3], [4]):
        with pytest.raises(UserError, match="cut its bytes"):
            Vocabulary(
                pieces=torch.zeros(3, dtype=torch.uint8),
                ends=torch.tensor(ends),
                num_control=3,
                end_id=2,
                pattern=".",
            )
