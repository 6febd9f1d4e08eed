"""What a form, a schema and tools become as rules, and what is left out of them."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bise.errors import BadRequest, TooComplex
from bise.text import (
    Calls,
    Tool,
    calls_of,
    choice_form,
    grammar_form,
    json_form,
    pattern_form,
    reply_rules,
)
from bise.text.enforce import enforced


def test_notes_and_unknown_words_are_left_out_and_the_latter_named():
    schema = {
        "title": "t", "description": "d", "default": 1, "$id": "x", "type": "object",
        "properties": {"title": {"type": "string", "format": "int32"}, "b": {"uniqueItems": True}},
        "x-mine": 1,
    }  # fmt: skip
    made, dropped = enforced(schema, "s")
    assert made == {"type": "object", "properties": {"title": {"type": "string"}, "b": {}}}
    assert dropped == ["s.properties.title.format", "s.properties.b.uniqueItems", "s.x-mine"]


@pytest.mark.parametrize("step", [3, 2000, 97 * 10**6, 0.01, 0.25, 0.5, 1e-6, 5.0])
def test_a_small_step_is_enforced(step):
    assert enforced({"multipleOf": step}, "s") == ({"multipleOf": step}, [])


@pytest.mark.parametrize("step", [99_991, 0.007, 1e-9, 1e300, 10**400, 3.14159])
def test_a_step_that_would_take_long_is_not(step):
    assert enforced({"multipleOf": step}, "s") == ({}, ["s.multipleOf"])


def test_steps_count_together():
    steps = [{"multipleOf": step} for step in (97, 89, 83, 97, 10)]
    made, dropped = enforced({"prefixItems": steps}, "s")
    assert made["prefixItems"] == [*steps[:2], {}, *steps[3:]]
    assert dropped == ["s.prefixItems[2].multipleOf"]
    assert enforced({"allOf": [{"multipleOf": 2}]}, "s")[1] == ["s.allOf[0].multipleOf"]


def test_properties_are_counted_where_the_named_ones_are_required():
    counted = {"minProperties": 1, "maxProperties": 3}
    assert enforced(counted, "s") == (counted, [])
    needed = {"properties": {"a": {}}, "required": ["a"], **counted}
    assert enforced(needed, "s") == (needed, [])
    assert enforced(needed | {"minProperties": 2}, "s")[1] == []
    assert enforced(needed | {"minProperties": 3}, "s")[1] == ["s.minProperties"]
    for other in ({"properties": {"a": {}}}, {"$ref": "#"}, {"anyOf": [{}]}):
        assert enforced({"items": counted | other}, "s")[1] == [
            "s.items.minProperties",
            "s.items.maxProperties",
        ]
    for broken in ({"properties": 5}, {"required": [[]]}, {"properties": [], "required": {}}):
        with pytest.raises(BadRequest):
            enforced(counted | broken, "s")


def test_names_with_a_pattern_or_in_a_list_become_other_words():
    number, closed = {"type": "integer"}, {"additionalProperties": False}
    schema = {"propertyNames": {"pattern": "^a"}, "additionalProperties": number}
    assert enforced(schema, "s") == ({"patternProperties": {"^a": number}, **closed}, [])
    schema = {"additionalProperties": number, "propertyNames": {"type": "string", "enum": ["a", 1]}}
    assert enforced(schema, "s") == ({"properties": {"a": number}, **closed}, [])
    for other in ({"minLength": 1}, {"pattern": "a", "maxLength": 3}, True):
        assert enforced({"propertyNames": other}, "s")[1] == ["s.propertyNames"]
    both = {"propertyNames": {"pattern": "a"}, "properties": {"b": {}}}
    assert enforced(both, "s")[1] == ["s.propertyNames"]
    with pytest.raises(BadRequest, match=r"propertyNames\.pattern"):
        enforced({"propertyNames": {"pattern": 5}}, "s")


def test_values_are_not_taken_for_schemas():
    schema = {"enum": [{"not": 1}], "const": {"if": 2}}
    assert enforced(schema, "s") == (schema, [])


def test_tuples_of_draft_7_become_those_of_today():
    schema = {"items": [{"type": "string"}, True], "additionalItems": False}
    assert enforced(schema, "s")[0] == {"prefixItems": [{"type": "string"}, True], "items": False}


def test_recursion_with_something_in_between_is_kept():
    schema = {
        "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}},
        "$ref": "#/$defs/a",
    }
    assert enforced(schema, "s") == (schema, [])


def test_a_long_chain_of_references_is_followed():
    names = [f"d{number}" for number in range(1500)]
    links = {a: {"$ref": f"#/$defs/{b}"} for a, b in pairwise(names)}
    schema = {"$defs": links | {names[-1]: {"type": "null"}}, "$ref": "#/$defs/d0"}
    assert enforced(schema, "s")[0] == schema
    links[names[-1]] = {"anyOf": [{"$ref": "#/$defs/d0"}]}
    with pytest.raises(BadRequest, match="lead back"):
        enforced(schema | {"$defs": links}, "s")


@pytest.mark.parametrize("limit", ["max_depth", "max_nodes", "max_pattern"])
def test_limits_are_kept_to_the_number(limit):
    sizes = {
        "max_depth": {"items": {"items": {}}},
        "max_nodes": {"enum": [1]},
        "max_pattern": {"pattern": "ab"},
    }
    is_pattern = limit == "max_pattern"
    others = {
        "max_nodes": [{"const": {"a": 1}}, {"const": [[]]}],
        "max_pattern": [{"patternProperties": {"ab": {}}}],
    }
    for schema in (sizes[limit], *others.get(limit, ())):
        assert enforced(schema, "s", **{limit: 2})[1] == []
        with pytest.raises(BadRequest) as caught:
            enforced(schema, "s", **{limit: 1})
        assert isinstance(caught.value, TooComplex) or is_pattern


PATTERNS = [{"type": "string", "pattern": f".*{letter}.*"} for letter in "abcdefghi"]


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": PATTERNS},
        {"allOf": [{"properties": {"a": one}} for one in PATTERNS]},
        {"allOf": [{"$ref": f"#/$defs/{n}"} for n in range(9)],
         "$defs": {str(n): {"anyOf": [one, {"items": one}]} for n, one in enumerate(PATTERNS)}},
        {"$ref": "#/$defs/0", "$defs": {
            str(n): one | {"$ref": f"#/$defs/{n + 1}"} for n, one in enumerate(PATTERNS)
        } | {"9": {}}},
        {"patternProperties": {f"^{n}$": {} for n in range(51)}},
        {"items": {"patternProperties": {f"^{n}$": {} for n in range(49)}},
         "patternProperties": {"^a": {}, "^b": {}}},
    ],
)  # fmt: skip
def test_patterns_that_are_tried_together_are_few(schema):
    with pytest.raises(TooComplex, match=r"expected at most 8|more than 50 patterns"):
        enforced(schema, "s")


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": PATTERNS[:8]},
        {"properties": {str(n): one for n, one in enumerate(PATTERNS)}},
        {"anyOf": PATTERNS},
        {"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": PATTERNS}}},
    ],
)
def test_patterns_beside_each_other_are_as_many_as_one_likes(schema):
    assert enforced(schema, "s")[1] == []


anything = some.recursive(
    some.none() | some.booleans() | some.integers(-3, 3) | some.text(max_size=3),
    lambda inner: some.lists(inner, max_size=3)
    | some.dictionaries(
        some.sampled_from(
            ["type", "enum", "properties", "items", "prefixItems", "anyOf", "$ref", "$defs", "not",
             "required", "pattern", "additionalProperties", "additionalItems", "minimum", "format"]
        ),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(anything)
def test_anything_is_read_or_refused_in_words(schema):
    try:
        made, dropped = enforced(schema, "s")
    except BadRequest as refused:
        assert "`s" in refused.message
    else:
        assert isinstance(made, dict | bool) and all(place.startswith("s.") for place in dropped)


def test_forms_are_grammars():
    assert choice_form(['a"', "ü"]).grammar == 'start: "a\\"" | "ü"'
    assert pattern_form("a/b\\d").grammar == "start: /a\\/b[0-9]/"
    assert json_form({"uniqueItems": True}).dropped == ("schema.uniqueItems",)
    assert '"type": "array"' in json_form().grammar


@pytest.mark.parametrize(
    "grammar",
    [
        "start: <[2]>",
        "start: a <x>\na: /b/",
        'start: "a" <[*]>',
        'start: /\n"/ <[2]> /"/',
    ],
)
def test_tokens_are_not_for_users_to_name(grammar):
    with pytest.raises(BadRequest, match="names a token"):
        grammar_form(grammar)


def test_a_grammar_is_no_json_in_which_tokens_hide():
    hidden = json.dumps({"grammars": [{"lark_grammar": "start: <[2]>"}]})
    for grammar in (hidden, f"\n {hidden}"):
        with pytest.raises(BadRequest, match="expected Lark"):
            grammar_form(grammar)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ('{"multipleOf": 0.0000001}', r"`grammar\.multipleOf` cannot be enforced"),
        ('{"items": {"multipleOf": 99991}}', r"`grammar\.items\.multipleOf` cannot be enforced"),
        ('{"enum": [1, 2, 3]}', "more than 2 schemas"),
        (f'{{"const": {"[" * 800}{"]" * 800}}}', "more than 2 schemas"),
        ('{"not": {}}', "cannot be enforced"),
        ('{"a', "without a schema"),
        ("# {}", "without a schema"),
    ],
)
def test_a_schema_in_a_grammar_may_cost_no_more_than_another(schema, words):
    grammar = f"start: number\nnumber: %json\n {schema}"
    with pytest.raises(BadRequest, match=words):
        grammar_form(grammar, max_nodes=2)


@pytest.mark.parametrize(
    "grammar",
    ['start: %json {"multipleOf": 5}', 'start: %json{"x-guidance": {}}', 'start: "%json" // %json'],
)
def test_a_schema_in_a_grammar_stays_as_it_is(grammar):
    assert grammar_form(grammar).grammar == grammar


@pytest.mark.parametrize("choices", [[], ["a", 1], ""])
def test_a_choice_has_texts_to_choose_from(choices):
    with pytest.raises(BadRequest, match="`choices`"):
        choice_form(choices)


@pytest.mark.parametrize(
    "grammar", ['start: "<a>"', "start: /<[a]/", 'start: "b" # <c>', 'start: "b" // <c>']
)
def test_the_same_letters_in_a_text_are_no_tokens(grammar):
    assert grammar_form(grammar).grammar == grammar


ADD = Tool("add", parameters={"properties": {"a": {"type": "integer"}}}, strict=True)
SUB, MUL = Tool("sub"), Tool("mul")


def test_rules_of_calls_name_markers_by_id(tekken):
    rules = reply_rules(tekken.special, None, calls_of([ADD, SUB, MUL]))
    lines = rules.splitlines()
    assert lines[0] == "start: TEXT? call*"
    assert lines[2] == "call: <[9]> name_0 <[32]> arguments_0 | <[9]> name_1 <[32]> arguments_1"
    assert lines[3] == 'name_0: "add"' and lines[5] == 'name_1: "sub" | "mul"'
    assert json.loads(lines[4].removeprefix("arguments_0: %json "))["type"] == "object"


@pytest.mark.parametrize(
    ("mode", "is_parallel", "start"),
    [("auto", True, "TEXT? call*"), ("auto", False, "TEXT? call?"), ("required", True, "call+"),
     ("required", False, "call")],
)  # fmt: skip
def test_how_many_calls_there_may_be(tekken, mode, is_parallel, start):
    rules = reply_rules(tekken.special, None, calls_of([SUB], mode, is_parallel=is_parallel))
    assert rules.splitlines()[0] == f"start: {start}"


def test_without_tools_or_a_form_nothing_is_asked(tekken):
    assert reply_rules(tekken.special, None, Calls()) is None
    assert reply_rules(tekken.special, None, calls_of([SUB], "none")) is None
    assert calls_of([SUB], "auto", []).mode == "none", "no tool is allowed"
    form = choice_form(["a"])
    assert reply_rules(tekken.special, form, calls_of([SUB], "none")) == form.grammar


def test_a_form_beside_calls_is_a_grammar_of_its_own(tekken):
    form = grammar_form('start: call\ncall: "x"')
    grammars = json.loads(reply_rules(tekken.special, form, calls_of([SUB])))["grammars"]
    assert grammars[0]["lark_grammar"].startswith("start: @answer | call+")
    assert grammars[1] == {"name": "answer", "lark_grammar": form.grammar}
    with pytest.raises(BadRequest, match="a call instead of it"):
        reply_rules(tekken.special, form, calls_of([SUB], "required"))


def test_calls_that_cannot_be_made_are_refused():
    with pytest.raises(BadRequest, match="`x`"):
        calls_of([SUB], "required", ["x"])
    with pytest.raises(BadRequest, match="no `tools`"):
        calls_of([], "required")
    with pytest.raises(BadRequest, match="allows none"):
        calls_of([SUB], "required", [])
    with pytest.raises(BadRequest, match=r"strict tool `f`.*`properties\.a\.uniqueItems`"):
        calls_of([Tool("f", parameters={"properties": {"a": {"uniqueItems": True}}}, strict=True)])


def test_a_strict_tool_has_an_object_for_arguments():
    tools = [
        Tool("a", parameters={"type": ["object", "null"]}, strict=True),
        Tool(
            "b", parameters={"$ref": "#/$defs/x", "$defs": {"x": {"type": "object"}}}, strict=True
        ),
    ]
    schemas = calls_of(tools).schemas
    assert schemas["a"] == {"type": "object"}
    assert schemas["b"]["allOf"][1] == {"type": "object"}


@pytest.mark.parametrize("place", ["\u00b2", "9" * 5000, "-1", ""])
def test_a_reference_to_no_place_of_a_list_leads_nowhere(place):
    schema = {"anyOf": [{"type": "null"}], "properties": {"a": {"$ref": f"#/anyOf/{place}"}}}
    assert enforced(schema, "s")[0] == schema
