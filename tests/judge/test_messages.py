"""Messages are read from JSON, whatever else is printed, and never fail."""

import json

from bise.judge.extensions import Position
from bise.judge.header import insert_line
from bise.judge.messages import read_messages

GOOD = {
    "severity": "warning",
    "data": "declaration uses `sorry`",
    "pos": {"line": 59, "column": 8},
    "endPos": {"line": 59, "column": 15},
    "kind": "hasSorry",
    "fileName": "Judged.lean",
}


def line(**changes) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_messages_are_found_among_other_lines():
    output = b"\n".join([b"[DEBUG:A] {", line(), b"prose", line(severity="error", endPos=None)])
    first, second = read_messages(output)
    assert (first.severity, first.kind, first.start) == ("warning", "hasSorry", Position(59, 8))
    assert first.end == Position(59, 15)
    assert second.severity == "error" and second.end is None


def test_places_are_those_of_the_source_as_it_was_given():
    made = insert_line("def x := 1")
    (found,) = read_messages(line(pos={"line": 3, "column": 4}, endPos=None), made.restore)
    assert found.start == Position(1, 4)


def test_whatever_is_no_message_is_passed_over():
    strange = [
        b"{", b"{}", b'{"a": 1}', b"{" * 100_000, b"\xff\xfe{", line(severity="fatal"),
        line(pos=None), line(pos={"line": "1", "column": 0}), line(pos={"line": True, "column": 0}),
        line(pos={"line": 0, "column": 0}), line(data=7), b'{"pos": NaN}',
    ]  # fmt: skip
    assert read_messages(b"\n".join(strange)) == ()
    (odd,) = read_messages(line(kind=["x"], endPos=[1]))
    assert odd.kind == "" and odd.end is None
