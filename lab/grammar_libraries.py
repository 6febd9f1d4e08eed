"""How long two grammar libraries take: to compile a schema, and for each token after that.

`python lab/grammar_libraries.py LIBRARY VOCABULARY`; a library is llguidance or xgrammar (which the
project does not need: `pip install xgrammar`), a vocabulary nano or small4. What came of it is in
docs/structured.md.
"""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from bise.model.hub import ASSETS
from bise.serve.loading import vocabulary_of
from bise.text import Tekken

HOME = {"type": "object", "properties": {"street": {"type": "string"},
        "zip": {"type": "string", "pattern": "^[0-9]{5}$"}},
        "required": ["street", "zip"], "additionalProperties": False}  # fmt: skip
PERSON = {"type": "object", "properties": {
    "name": {"type": "string", "maxLength": 40},
    "age": {"type": "integer", "minimum": 0, "maximum": 130},
    "email": {"type": "string", "format": "email"},
    "tags": {"type": "array", "items": {"enum": ["red", "green", "blue"]}, "maxItems": 5},
    "home": HOME}, "required": ["name", "age", "tags", "home"],
    "additionalProperties": False}  # fmt: skip
NODE = {"type": "object", "properties": {"value": {"type": "number"},
        "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
        "required": ["value", "children"], "additionalProperties": False}  # fmt: skip
FIELDS = [f"field_{number}" for number in range(60)]
KINDS = [{"type": "array", "items": {"type": "number"}}, {"type": ["string", "null"]}]
WIDE = {"type": "object", "properties": {name: KINDS[at % 2] for at, name in enumerate(FIELDS)},
        "required": FIELDS, "additionalProperties": False}  # fmt: skip

CASES: dict[str, tuple[Any, Any]] = {
    "person": (PERSON, {"name": "Ada Lovelace of London", "age": 36, "email": "ada@example.org",
                        "tags": ["red", "blue"],
                        "home": {"street": "12 St James's Square", "zip": "10117"}}),
    "tree": ({"$defs": {"node": NODE}, "$ref": "#/$defs/node"},
             {"value": 1.5, "children": [
                 {"value": -2e3, "children": []},
                 {"value": 3, "children": [{"value": 4, "children": []}]}]}),
    "sixty fields": (WIDE, {name: [[1, 2.5, -3], "some words here"][at % 2]
                            for at, name in enumerate(FIELDS)}),
    "any object": ({"type": "object"}, {"a": [1, 2, {"b": None, "c": "Ünïcödé \"quoted\""}],
                                        "long": "the quick brown fox jumps " * 6}),
}  # fmt: skip

Step = Callable[[int], bool]
"""A mask, and one token further; whether the token was allowed."""


def llguidance(tekken: Tekken, mask: torch.Tensor) -> Callable[[Any], Step]:
    from llguidance import LLMatcher

    tokenizer = vocabulary_of(tekken).tokenizer()

    def compiled(schema: Any) -> Step:
        matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_json_schema(schema))

        def step(token: int) -> bool:
            matcher.unsafe_compute_mask_ptr(mask.data_ptr(), mask.nbytes)
            return matcher.consume_token(token)

        return step

    return compiled


def xgrammar(tekken: Tekken, mask: torch.Tensor) -> Callable[[Any], Step]:
    import xgrammar as library  # pyright: ignore[reportMissingImports]

    text_ids = range(tekken.num_special, tekken.vocab_size)
    pieces = [marker.encode() for marker in tekken.markers]
    pieces += [tekken.token_bytes(token) for token in text_ids]
    raw = library.VocabType.RAW
    info = library.TokenizerInfo(pieces, vocab_type=raw, stop_token_ids=[tekken.special.eos])
    compiler = library.GrammarCompiler(info, max_threads=1, cache_enabled=False)

    def compiled(schema: Any) -> Step:
        grammar = compiler.compile_json_schema(json.dumps(schema), any_whitespace=True)
        matcher = library.GrammarMatcher(grammar)

        def step(token: int) -> bool:
            matcher.fill_next_token_bitmask(mask, 0)
            return matcher.accept_token(token)

        return step

    return compiled


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def main(library: str, vocabulary: str) -> None:
    makers = {"llguidance": llguidance, "xgrammar": xgrammar}
    nano = ASSETS / "nano" / "tekken.json"
    tekken = Tekken.from_file(nano) if vocabulary == "nano" else Tekken.official()
    mask = torch.zeros((1, -(-tekken.vocab_size // 32)), dtype=torch.int32)
    compiled, seconds = timed(lambda: makers[library](tekken, mask))
    print(f"{library}, {tekken.vocab_size:,} ids: tokenizer {1e3 * seconds:.0f} ms")
    for name, (schema, value) in CASES.items():
        tries = [timed(lambda schema=schema: compiled(schema)) for _ in range(5)]
        step = tries[-1][0]
        times: list[float] = []
        for token in tekken.encode(json.dumps(value, ensure_ascii=False)):
            is_allowed, seconds = timed(lambda token=token, step=step: step(token))
            assert is_allowed, f"{name} refuses {tekken.token_text(token)!r}"
            times.append(seconds)
        print(
            f"  {name:12}  compiled in {1e3 * statistics.median(s for _, s in tries):7.1f} ms;  "
            f"a token {1e6 * statistics.median(times):4.0f} µs, at most {1e6 * max(times):6.0f} µs"
        )
    print(f"  peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
