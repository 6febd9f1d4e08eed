"""What stands before a file's first command, and a line put in behind it."""

import pytest

from bise.judge.extensions import Position
from bise.judge.header import NONCOMPUTABLE_SECTION, insert_line, read_header, untouched
from bise.judge.pool import key_of

INIT = ("Init",)


@pytest.mark.parametrize(
    ("source", "words", "modules", "head"),
    [
        ("theorem t : True := trivial", (), (INIT,), ""),
        ("import Init\ndef x := 1", ("import", "Init"), (INIT,), "import Init"),
        (
            "prelude\nimport Init.Core",
            ("prelude", "import", "Init.Core"),
            (("Init", "Core"),),
            None,
        ),
        (
            "-- a comment\nmodule /- one /- more -/ -/\npublic meta import all Std.Data -- x\nopen",
            ("module", "public", "meta", "import", "all", "Std.Data"),
            (INIT, ("Std", "Data")),
            "-- a comment\nmodule /- one /- more -/ -/\npublic meta import all Std.Data",
        ),
        ("import «odd name».B import C def", None, (INIT, ("odd name", "B"), ("C",)), None),
        ("/-- doc -/ import Lean", (), (INIT,), ""),
        ("/-! doc -/ import Lean", (), (INIT,), ""),
        ("public section\nimport Lean", (), (INIT,), ""),
        ("importance", (), (INIT,), ""),
        ("import", (), (INIT,), ""),
        ("/- never closed import Lean", (), (INIT,), ""),
    ],
)
def test_a_header_ends_where_lean_ends_it(source, words, modules, head):
    header = read_header(source)
    assert words is None or header.words == words
    assert header.modules == modules
    if head is not None:
        assert source[: header.end] == head


def test_places_find_their_way_back():
    source = "import Init -- why\nαβ\ntheorem"
    made = insert_line(source)
    assert made.text == f"import Init{NONCOMPUTABLE_SECTION} -- why\nαβ\ntheorem"
    for number, line in enumerate(made.text.split("\n"), start=1):
        for column in range(len(line) + 1):
            back = made.restore(Position(number, column))
            ours = number == 2
            text = source.split("\n")[back.line - 1]
            assert ours or text[back.column :].startswith(line[column:][:1])
    assert made.restore(Position(2, 5)) == Position(1, 11)
    assert untouched(source).restore(Position(2, 1)) == Position(2, 1)


def test_places_stay_without_a_header():
    made = insert_line("def x := 1\ndef y := 2")
    assert made.restore(Position(3, 4)) == Position(1, 4)
    assert made.restore(Position(4, 4)) == Position(2, 4)


def test_headers_that_mean_the_same_share_a_process():
    assert key_of(("import", "Init")) == ()
    assert key_of(("import", "Init", "import", "Std")) == ("import", "Std")
    assert key_of(("module", "public", "import", "Init")) != ("module",)
