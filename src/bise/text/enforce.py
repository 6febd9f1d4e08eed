"""A JSON Schema as it can be enforced while an answer is written.

Some words only explain and are left out; some cannot be watched token by token. Of those, the ones
that are often sent without much meaning are dropped and named, and the others refused.
docs/structured.md has the list for users.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import lcm
from typing import Any, cast

from bise.errors import BadRequest, TooComplex
from bise.text.joins import (
    JOINING,
    SCHEMA_LISTS,
    SCHEMA_MAPS,
    SCHEMAS,
    joined_patterns,
    need_an_end,
)
from bise.text.schema import CHECKS

KEPT = frozenset(
    (
        "type", "enum", "const", "required", "minLength", "maxLength", "pattern", "minimum",
        "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "$ref",
    )
)  # fmt: skip
"""Words that are enforced as they are."""

NOTES = frozenset(
    (
        "title", "description", "default", "examples", "example", "$schema", "$id", "id",
        "$comment", "deprecated", "readOnly", "writeOnly", "contentMediaType", "contentEncoding",
        "discriminator", "additionalItems", "strict",
    )
)  # fmt: skip
"""Words that ask nothing of a value, or are read with another."""

REFUSED = frozenset(
    (
        "not", "if", "then", "else", "contains", "minContains", "maxContains", "dependencies",
        "dependentRequired", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems",
        "$dynamicRef", "$recursiveRef",
    )
)  # fmt: skip
"""Words whose meaning would be lost without notice."""

FORMATS = frozenset(
    ("date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri")
)

MOST_JOINED = 8
"""Patterns in those parts of a schema that are joined: whether a text can match them all is found
out by trying, which takes three times as long for each one more, and gigabytes soon."""

MOST_NAMES = 50
"""Names in all `patternProperties`: whether two can mean the same is found out for each pair."""

LARGEST_STEP = 10_000
"""Of what `multipleOf` asks for, all of a schema together and without zeros at the end: a larger
one takes seconds to compile."""

STEP_DIGITS = 6
"""After the point, of a `multipleOf`,"""

LARGEST = 1e12
"""and the largest at all."""

PLACE_CHARS = 150
"""Of a place in a schema, in an error about it."""


@dataclass(slots=True)
class Enforced:
    """The work on one schema."""

    max_depth: int
    max_nodes: int
    max_pattern: int
    """Characters of a regular expression."""

    dropped: list[str] = field(default_factory=list[str])
    """Places of words that are not enforced."""

    refs: set[str] = field(default_factory=set[str])
    num_nodes: int = 0
    num_names: int = 0
    """Patterns for names of properties."""

    step: int = 1
    """What all `multipleOf` so far divide, in units of their last digit."""

    joined: int = 0
    """How many `allOf` the schema at hand lies in: what such join may not fit together."""

    def schema(self, value: object, where: str, depth: int = 0) -> Any:
        """The schema without what cannot be enforced. Raises `BadRequest`, `TooComplex`."""
        self._count(1, where, depth)
        if isinstance(value, bool):
            return value
        if not isinstance(value, Mapping):
            raise BadRequest(f"{named(where)} is no schema, expected an object")
        given = cast(Mapping[str, Any], value)
        kept: dict[str, Any] = {}
        names: Mapping[str, Any] | None = None
        for word, meaning in given.items():
            place = f"{where}.{word}"
            if word in REFUSED:
                raise BadRequest(
                    f"{named(place)} is a word of JSON Schema that cannot be enforced",
                    hint=f"leave `{word}` out, and check it when the answer comes",
                )
            if word in CHECKS and not CHECKS[word][0](meaning):
                raise BadRequest(f"{named(place)} must be {CHECKS[word][1]}")
            if word in KEPT:
                kept[word] = self._plain(word, meaning, place, depth)
            elif word == "items" and isinstance(meaning, list):  # as Draft 7 says `prefixItems`
                kept["prefixItems"] = self._list(meaning, place, depth)
                kept["items"] = self.schema(given.get("additionalItems", True), place, depth + 1)
            elif word in SCHEMAS:
                kept[word] = self.schema(meaning, place, depth + 1)
            elif word in SCHEMA_LISTS:
                kept[word] = self._list(meaning, place, depth)
            elif word in SCHEMA_MAPS:
                kept[word] = self._map(meaning, place, depth)
            elif (
                (word == "format" and meaning in FORMATS)
                or (word == "multipleOf" and self._takes_step(meaning))
                or (word in ("minProperties", "maxProperties") and self._can_count(word, given))
            ):
                kept[word] = meaning
            elif word == "propertyNames" and has_plain_names(given) and not self.joined:
                names = cast(Mapping[str, Any], meaning)
            elif word not in NOTES:
                self.dropped.append(place)
        return kept if names is None else kept | self._named_so(names, kept, where, depth)

    def _takes_step(self, step: float) -> bool:
        """Whether a `multipleOf` can be watched, beside those before it."""
        if self.joined or step > LARGEST:
            return False
        digits = Decimal(repr(step))
        units = int(digits.scaleb(STEP_DIGITS))
        is_whole = Decimal(units).scaleb(-STEP_DIGITS) == digits
        # Fractions of other digits are none in binary, and the compiler gives up on them.
        is_exact = is_whole and (step == int(step) or bare(units) in (1, 5, 25))
        common = lcm(self.step, units) if is_exact else 0
        if not 0 < bare(common) <= LARGEST_STEP:
            return False
        self.step = common
        return True

    def _can_count(self, word: str, given: Mapping[str, Any]) -> bool:
        """Whether properties can be counted: only those that are not named may come or not.

        One that is not named may come twice and count once, so at least one of them is the most
        that can be asked for.
        """
        properties, required = given.get("properties", {}), given.get("required", [])
        if self.joined or JOINING & given.keys() or not isinstance(required, list):
            return False
        if not isinstance(properties, Mapping) or any(name not in required for name in properties):
            return False
        return word == "maxProperties" or given[word] <= len(cast(Any, properties)) + 1

    def _named_so(
        self, names: Mapping[str, Any], kept: Mapping[str, Any], where: str, depth: int
    ) -> dict[str, Any]:
        """What says the same as `propertyNames` with a pattern or with a list."""
        checked = self.schema(names, f"{where}.propertyNames", depth + 1)
        rest = kept.get("additionalProperties", True)
        if "pattern" in checked:
            return {"patternProperties": {checked["pattern"]: rest}, "additionalProperties": False}
        listed = {name: rest for name in checked["enum"] if isinstance(name, str)}
        return {"properties": listed, "additionalProperties": False}

    def _plain(self, word: str, meaning: Any, place: str, depth: int) -> Any:
        if word in ("const", "enum", "required"):
            self._count(num_inside(meaning), place, depth)
        if word == "pattern":
            self._measure(meaning, place)
        if word == "$ref":
            self.refs.add(meaning)
            if not (meaning == "#" or meaning.startswith("#/")):
                raise BadRequest(
                    f"{named(place)} leads out of the schema, expected `#/…`",
                    hint="put what it refers to into `$defs`",
                )
        return meaning

    def _measure(self, pattern: str, place: str) -> None:
        if len(pattern) > self.max_pattern:
            raise BadRequest(
                f"{named(place)} has {len(pattern):,} characters, expected at most "
                f"{self.max_pattern:,}"
            )

    def _list(self, schemas: Any, where: str, depth: int) -> list[Any]:
        if not isinstance(schemas, list) or not schemas:
            raise BadRequest(f"{named(where)} must be a list of schemas")
        places = enumerate(cast(Sequence[object], schemas))
        is_joined = where.endswith(".allOf")
        self.joined += is_joined
        made = [self.schema(one, f"{where}[{number}]", depth + 1) for number, one in places]
        self.joined -= is_joined
        return made

    def _map(self, schemas: Any, where: str, depth: int) -> dict[str, Any]:
        if not isinstance(schemas, Mapping):
            raise BadRequest(f"{named(where)} must be an object of schemas")
        given = cast(Mapping[str, object], schemas)
        if where.endswith(".patternProperties"):
            self.num_names += len(given)
            if self.num_names > MOST_NAMES:
                raise TooComplex(f"{named(where)} and others have more than {MOST_NAMES} patterns")
            for pattern in given:
                self._measure(pattern, where)
        return {name: self.schema(one, f"{where}.{name}", depth + 1) for name, one in given.items()}

    def _count(self, count: int, where: str, depth: int) -> None:
        self.num_nodes += count
        if depth > self.max_depth:
            raise TooComplex(f"{named(where)} lies deeper than {self.max_depth} levels")
        if self.num_nodes > self.max_nodes:
            raise TooComplex(
                f"{named(where)} is part of a schema with more than {self.max_nodes:,} schemas and "
                "values in it"
            )


def enforced(
    schema: object,
    where: str,
    *,
    max_depth: int = 32,
    max_nodes: int = 2000,
    max_pattern: int = 1024,
) -> tuple[Any, list[str]]:
    """A schema as it will be enforced, and the places of words that will not be.

    where: what to call it in errors. Raises `BadRequest` for what is no schema or cannot be
    enforced, `TooComplex` for too much of it.
    """
    work = Enforced(max_depth, max_nodes, max_pattern)
    made = work.schema(schema, where)
    need_an_end(made, work.refs, where)
    num_joined = len(joined_patterns(made))
    if num_joined > MOST_JOINED:
        raise TooComplex(
            f"`{where}` has {num_joined} patterns in parts that are joined by `allOf` or `$ref`, "
            f"expected at most {MOST_JOINED}"
        )
    return made, work.dropped


def has_plain_names(given: Mapping[str, Any]) -> bool:
    """Whether `propertyNames` only has a pattern or a list, and nothing else speaks of names."""
    others = {"properties", "patternProperties", "required", "minProperties", "maxProperties"}
    names = given["propertyNames"]
    if (others | JOINING) & given.keys() or not isinstance(names, Mapping):
        return False
    said = cast(Mapping[str, Any], names)
    return said.get("type", "string") == "string" and said.keys() - NOTES - {"type"} in (
        {"pattern"},
        {"enum"},
    )


def num_inside(value: object) -> int:
    """Values inside a value, at any depth: entries and fields, and what is inside those."""
    count, stack = 0, [value]
    while stack:
        one = stack.pop()
        inner: Iterable[object] = ()
        if isinstance(one, Mapping):
            inner = cast(Mapping[str, object], one).values()
        elif isinstance(one, list):
            inner = cast(list[object], one)
        before = len(stack)
        stack += inner
        count += len(stack) - before
    return count


def bare(number: int) -> int:
    """A whole number without the zeros at its end."""
    while number and number % 10 == 0:
        number //= 10
    return number


def named(where: str) -> str:
    """A place in a schema, quoted; of a long one its end."""
    return f"`{where}`" if len(where) <= PLACE_CHARS else f"`…{where[-PLACE_CHARS:]}`"
