"""Parts of a schema that speak of one value: `allOf`, `$ref` and such join them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, cast

from bise.errors import BadRequest, quoted

SCHEMAS = frozenset(("additionalProperties", "items"))
SCHEMA_LISTS = frozenset(("anyOf", "allOf", "oneOf", "prefixItems"))
SCHEMA_MAPS = frozenset(("properties", "patternProperties", "$defs", "definitions"))
"""Enforced words that hold schemas."""

JOINING = frozenset(("allOf", "anyOf", "oneOf", "$ref"))
"""Words that join a schema with others, of which some things are only known together."""

INDEX = re.compile(r"[0-9]{1,6}")
"""Of a place in a list, in a reference."""


def need_an_end(schema: Any, refs: Iterable[str], where: str) -> None:
    """Refuse a schema in which a value could be looked into for ever, by these references."""
    edges = {ref: set(refs_of(at(schema, ref))) for ref in {"#", *refs}}
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as circle:
        raise BadRequest(
            f"`{where}` has references that lead back to themselves: {quoted(circle.args[1][:4])}",
            hint="let something stand between them, such as a property",
        ) from None


def joined_patterns(schema: Any) -> set[str]:
    """Patterns that one text may have to match together, or in company of others."""
    found, seen = set[str](), set[tuple[int, bool]]()
    stack: list[tuple[Any, bool]] = [(schema, False)]
    while stack:
        node, is_joined = stack.pop()
        if (id(node), is_joined) in seen or not isinstance(node, dict):
            continue
        seen.add((id(node), is_joined))
        given = cast(dict[str, Any], node)
        is_joined = is_joined or num_parts(given) > 1
        if is_joined and "pattern" in given:
            found.add(given["pattern"])
        if "$ref" in given:
            stack.append((at(schema, given["$ref"]), is_joined))
        stack += [(given[word], is_joined) for word in SCHEMAS & given.keys()]
        for word in SCHEMA_LISTS & given.keys():
            stack += ((one, is_joined) for one in given[word])
        for word in SCHEMA_MAPS & given.keys():
            is_there = word in ("properties", "patternProperties")
            stack += ((one, is_joined and is_there) for one in given[word].values())
    return found


def num_parts(schema: Mapping[str, Any]) -> int:
    """How many things that a schema says are to hold for one value."""
    others = len(JOINING & schema.keys() - {"allOf"})
    has_own = bool(schema.keys() - JOINING - {"$defs", "definitions"})
    return len(schema.get("allOf", ())) + others + has_own


def refs_of(schema: Any) -> Iterator[str]:
    """References to schemas that are about the same value."""
    if isinstance(schema, dict):
        given = cast(dict[str, Any], schema)
        if isinstance(given.get("$ref"), str):
            yield given["$ref"]
        for word in ("anyOf", "allOf", "oneOf"):
            for one in given.get(word, ()):
                yield from refs_of(one)


def at(schema: Any, ref: str) -> Any:
    """What a reference leads to; None if that is nowhere, which the compiler finds, too."""
    place = schema
    for step in ref.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(place, dict):
            place = cast(dict[str, Any], place).get(name)
        elif isinstance(place, list) and INDEX.fullmatch(name):
            many = cast(list[Any], place)
            place = many[int(name)] if int(name) < len(many) else None
        else:
            return None
    return place
