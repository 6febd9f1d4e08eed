"""The tools, on a Lean that is none: what models and other agents get to read."""

import json
import os
from pathlib import Path

import pytest
from tests.prove.fakes import FakePool, fake_judge
from tests.prove.small_library import SmallLean

from bise.errors import UserError
from bise.judge import Request, Verdict
from bise.judge.backend import NoLean
from bise.prove.budget import Budget, Spent
from bise.prove.guest_tools import Guests
from bise.prove.premises import Premises, open_premises
from bise.prove.source import Source
from bise.prove.tools import TOOLS, Tools, definitions_behind
from bise.prove.workspace import Workspace

CHALLENGE = """\
def double (n : Nat) : Nat := twice n

def twice (n : Nat) : Nat := n + n

theorem one (n : Nat) : double n = n + n := sorry

theorem two (a b : Nat) : a + b = b + a := by
  sorry
"""


@pytest.fixture(scope="module")
def premises(tmp_path_factory) -> Premises:
    return open_premises(SmallLean(), home=tmp_path_factory.mktemp("home"))


@pytest.fixture
def tools(premises) -> Tools:
    pool = FakePool()

    def judge(work: Workspace) -> Verdict:
        return fake_judge(pool, Request(challenge=work.challenge, submission=work.text))

    return Tools(Workspace(CHALLENGE), pool, premises, judge)


def test_functions_are_schemas_that_models_can_be_given(tools):
    for one in tools.functions:
        function = one["function"]
        assert one["type"] == "function" and function["description"]
        assert function["parameters"]["additionalProperties"] is False
        assert set(function["parameters"]["required"]) <= set(function["parameters"]["properties"])
    assert [one["function"]["name"] for one in tools.functions] == list(TOOLS)
    json.dumps(tools.functions)


def test_a_proof_from_the_first_look_to_the_verdict(tools):
    assert tools.use("outline", "") == (
        "   1  def double\n   3  def twice\n"
        "   5  theorem one  (1 open)\n   7  theorem two  (1 open)\n"
        "2 gaps left, at 5:44, 8:2"
    )
    assert tools.use("read", '{"start": 7}') == (
        "   7  theorem two (a b : Nat) : a + b = b + a := by\n   8    sorry\n   9  "
    )
    assert tools.use("check", "{}").startswith("open in line 5:\nn : Nat\n⊢ one")
    assert tools.use("goal", '{"line": 8}') == "⊢ ∀ (a b : Nat), a + b = b + a"
    assert tools.use("verify", "{}") == "not judged: 2 gaps left, at 5:44, 8:2"
    assert tools.use("search", '{"query": "⊢ a + b = b + a", "limit": 1}') == (
        "Nat.add_comm (n m : Nat) : n + m = m + n"
    )
    tried = tools.use("try_many", '{"line": 8, "tactics": ["simp", "magic", "loops"]}')
    assert tried.split("\n") == [
        "1. simp",
        "   unsolved goals in two",
        "2. magic",
        "   closes it",
        "3. loops",
        "   stopped: its processor time is up",
    ]
    assert tools.use("edit", '{"old": "by\\n  sorry", "new": "by\\n  magic"}') == (
        "edited lines 7 to 8; 1 gap left, at 5:44"
    )
    assert tools.use("edit", '{"old": "sorry", "new": "by\\n  unfold double\\n  magic"}') == (
        "edited lines 5 to 7; no gaps left"
    )
    assert tools.verdict is None and tools.checked is None
    assert tools.use("check", "{}") == "no errors, no gaps"
    assert tools.use("verify", "{}").startswith("accepted")
    assert tools.verdict is not None and tools.verdict.is_accepted
    tools.use("edit", '{"old": "unfold double", "new": "skip"}')
    assert tools.verdict is None


def test_what_lean_finds_wrong_is_judged_only_if_asked_twice(tools):
    tools.work.replace(CHALLENGE.replace("sorry", "wrong"))
    said = tools.use("verify", "{}")
    assert said.startswith("not judged, call again") and "unsolved goals in one" in said
    assert tools.verdict is None
    assert tools.use("verify", "{}").startswith("rejected: compile_failed")
    assert tools.verdict is not None and not tools.verdict.is_accepted


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("chek", "{}", "there is no tool `chek`, only check, goal, "),
        ("check", "{", "the arguments of `check` are no JSON: "),
        ("check", "[]", "the arguments of `check` are no JSON object"),
        ("check", '{"file": "x"}', "`check` has no argument `file`, only none"),
        ("goal", "{}", "`goal` needs `line`"),
        ("goal", '{"line": "x"}', "`line` is 'x', expected a whole number"),
        ("goal", '{"line": true}', "`line` is True, expected a whole number"),
        ("goal", '{"line": 0}', "`line` is 0, expected at least 1"),
        ("goal", '{"line": 99}', "line 99 of a file of 9 lines"),
        ("goal", '{"line": 1, "column": 500}', "column 500 of a line of 37 characters"),
        ("try_many", '{"line": 1, "tactics": ["rfl"]}', "no gap in line 1; gaps (line:column): 5"),
        ("try_many", '{"line": 8, "tactics": []}', "0 tactics, expected 1 to 16"),
        ("try_many", '{"line": 8, "tactics": "rfl"}', "`tactics` is 'rfl', expected a list of te"),
        ("search", '{"query": " "}', "the query is empty"),
        ("read", '{"start": 50}', "lines 50 to 9 of a file of 9 lines"),
        ("edit", '{"old": "n + n", "new": "0"}', "the text to be replaced stands there 2 times"),
        ("edit", '{"old": "twice n", "new": "0"}', "this part of the challenge must stay as it is"),
        ("edit", '{"old": "", "new": "0"}', "the text to be replaced is not in the file"),
    ],
)
def test_a_fault_of_the_caller_is_one_clear_line(tools, name, arguments, answer):
    said = tools.use(name, arguments)
    assert said.startswith(f"error: {answer}")
    assert "\n" not in said
    assert tools.work.text == CHALLENGE


def test_numbers_may_come_as_text_and_null_is_nothing(tools):
    assert tools.use("goal", '{"line": "8", "column": null}').startswith("⊢")


def test_two_gaps_in_a_line_are_told_apart_by_their_column(premises):
    text = "theorem t : a ∧ b := ⟨sorry, sorry⟩\n"
    tools = Tools(Workspace(text), FakePool(), premises, lambda _: Verdict(verdict="failed"))
    assert "2 gaps in line 1" in tools.use("try_many", '{"line": 1, "tactics": ["x"]}')
    at = text.rindex("sorry")
    given = {"line": 1, "column": at, "tactics": ["magic", "sorry"]}
    assert tools.use("try_many", json.dumps(given)).split("\n")[1::2] == [
        "   closes it; other gaps of the declaration are open",
        "   leaves a gap",
    ]
    assert tools.pool.checked[-2].startswith("theorem t : a ∧ b := ⟨sorry, by\n")


def test_answers_are_cut(premises):
    text = "-- " + "long " * 9_000 + "\n" + "theorem t : a := sorry\n" + "\n" * 900
    tools = Tools(Workspace(text), FakePool(), premises, lambda _: Verdict(verdict="failed"))
    assert len(tools.use("read", "{}")) < 7_000
    assert tools.use("read", '{"start": 2}').endswith("read on from line 402")


def test_no_lean_is_an_answer_and_a_spent_budget_is_not(premises):
    class NoPool(FakePool):
        def check(self, *_args, **_more):
            raise NoLean("Lean is not installed", hint="run `bise prove setup`")

    work = Workspace(CHALLENGE)
    tools = Tools(work, NoPool(), premises, lambda _: Verdict(verdict="failed"), Budget(checks=1))
    assert tools.use("check", "") == "error: Lean is not installed (run `bise prove setup`)"
    with pytest.raises(Spent):
        tools.use("check", "")


def test_definitions_are_followed_to_what_they_rest_on():
    source = Source(CHALLENGE)
    behind = definitions_behind(source, "double n = n + n")
    assert behind.index("def double") < behind.index("def twice")
    assert definitions_behind(source, "a + b") == ""


@pytest.fixture
def guests(tmp_path, premises) -> Guests:
    (tmp_path / "C.lean").write_text(CHALLENGE)
    (tmp_path / "P.lean").write_text(CHALLENGE.replace("sorry", "magic"))
    (tmp_path / "empty.lean").write_text("")
    (tmp_path / "notes.txt").write_text("secret")
    os.mkfifo(tmp_path / "pipe.lean")
    (tmp_path / "link.lean").symlink_to("/etc/passwd")
    (tmp_path / "bad.lean").write_bytes(b"\xff\xfe")
    pool = FakePool()
    return Guests(tmp_path, lambda: pool, lambda: premises, lambda one: fake_judge(pool, one))


def test_guests_give_files_by_path_or_as_text(guests):
    by_path = guests.call("check", {"path": "C.lean"})
    assert by_path.text == guests.call("check", {"text": CHALLENGE}).text
    assert by_path.text.startswith("open in line 5") and not by_path.is_error
    assert guests.call("goal", {"text": CHALLENGE, "line": 8}).text.startswith("⊢ ∀ (a b : Nat)")
    assert (
        "closes it"
        in guests.call("try_many", {"path": "C.lean", "line": 8, "tactics": ["magic"]}).text
    )
    assert guests.call("search", {"query": "length reverse"}).text.startswith("List.length_reverse")
    assert guests.call("check", {"path": "empty.lean"}).text == "no errors, no gaps"


def test_guests_get_a_verdict_on_a_submission(guests):
    reply = guests.call("verify", {"challenge_path": "C.lean", "path": "P.lean"})
    assert reply.text.startswith("accepted") and reply.data["verdict"] == "accepted"
    other = guests.call("verify", {"challenge": CHALLENGE, "text": "theorem one : True := magic"})
    assert other.data["verdict"] == "rejected" and not other.is_error


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("check", {}, "the file has neither path and text, expected one of them"),
        ("check", {"path": "C.lean", "text": "x"}, "the file has both path and text"),
        ("check", {"path": "/etc/passwd"}, "`/etc/passwd` is outside of "),
        ("check", {"path": "../x.lean"}, "`../x.lean` is outside of "),
        ("check", {"path": "link.lean"}, "`link.lean` is outside of "),
        ("check", {"path": "notes.txt"}, "`notes.txt` is no Lean file"),
        ("check", {"path": "none.lean"}, "`none.lean` cannot be read: "),
        ("check", {"path": "bad.lean"}, "`bad.lean` is no UTF-8 text"),
        ("check", {"path": "pipe.lean"}, "`pipe.lean` is no file"),
        ("check", {"text": "\ud800"}, "the arguments of `check` have half of a surrogate pair"),
        ("check", {"path": "a\0b.lean"}, "`a b.lean` cannot be read: "),
        ("edit", {"old": "x", "new": "y"}, "there is no tool `edit`, only check, "),
        ("verify", {"path": "P.lean"}, "the challenge has neither path and text"),
        ("lean_verify", {}, "there is no tool `lean_verify`"),
        ("lean_goal", {"line": 1}, "`lean_goal` needs `file_path`"),
        ("lean_goal", {"file_path": "C.lean", "line": 1, "format": "xml"}, "`format` is `xml`, "),
    ],
)
def test_a_fault_of_a_guest_is_one_clear_line(guests, name, arguments, answer):
    reply = guests.call(name, arguments)
    assert reply.is_error and reply.text.startswith(f"error: {answer}"), reply.text
    assert "\n" not in reply.text and "secret" not in reply.text


def test_names_of_lean_lsp_mcp_answer_in_its_form(guests, tmp_path):
    file = str(tmp_path / "C.lean")
    goal = guests.call("lean_goal", {"file_path": file, "line": 8, "column": 3}).data
    assert goal == {
        "line_context": "  sorry",
        "goals": ["⊢ ∀ (a b : Nat), a + b = b + a"],
        "status": "goals",
    }
    both = guests.call("lean_goal", {"file_path": file, "line": 8}).data
    assert set(both) == {"line_context", "goals_before", "goals_after"}
    told = guests.call("lean_diagnostic_messages", {"file_path": file, "declaration_name": "two"})
    assert told.data["items"] == [
        {"severity": "warning", "message": "uses `sorry`", "line": 7, "column": 1}
    ]
    only = guests.call("lean_diagnostic_messages", {"file_path": file, "severity": "error"})
    assert only.data["success"] and only.data["items"] == []
    tried = guests.call(
        "lean_multi_attempt", {"file_path": file, "line": 8, "snippets": ["magic", "simp"]}
    ).data["items"]
    assert [one["snippet"] for one in tried] == ["magic", "simp"]
    assert tried[0]["diagnostics"] == []
    found = guests.call("lean_local_search", {"query": "List.length_app", "limit": 1})
    assert json.loads(found.text) == {
        "items": [{"name": "List.length_append", "kind": "theorem", "file": "Init/Data/List.lean"}]
    }


def test_a_missing_lean_is_told_to_guests(tmp_path):
    def nothing():
        raise NoLean("Lean is not installed", hint="run `bise prove setup`")

    guests = Guests(tmp_path, nothing, nothing, lambda _: Verdict(verdict="failed"))
    for name, arguments in (("check", {"text": "x"}), ("search", {"query": "append"})):
        reply = guests.call(name, arguments)
        assert reply.is_error and reply.text.startswith("error: Lean is not installed")


def test_the_docs_list_every_tool():
    page = (Path(__file__).parents[2] / "docs" / "prove.md").read_text()
    for name in TOOLS:
        assert f"`{name}`" in page, name


def test_without_the_sdk_there_is_a_clear_line(monkeypatch):
    import sys

    from bise.prove.mcp_server import need_sdk

    monkeypatch.setitem(sys.modules, "mcp.server.lowlevel", None)
    with pytest.raises(UserError, match="needs the package `mcp`"):
        need_sdk()
