"""Benchmarks of others, by small ones of our own in their forms: nothing solved is shown."""

import json
from pathlib import Path

import pytest

from bise.errors import UserError
from bise.prove.loaders import load_outside
from bise.prove.problem import Problem
from bise.prove.problems import load_problems
from bise.prove.source import Source


def write(folder: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return str(folder)


def loaded(folder: Path, files: dict[str, str], benchmark: str) -> dict[str, Problem]:
    where = write(folder, files)
    found = load_outside(Path(where))
    assert found is not None and found[0] == benchmark
    problems = load_problems(where)
    assert sorted(one.name for one in found[1]) == sorted(one.name for one in problems)
    assert all(Source(one.challenge).gaps for one in problems)
    return {one.name: one for one in problems}


LEAN_EVAL = {
    "generated/double_le/Challenge.lean": "import ChallengeDeps\n\nopen Sample\n\n"
    "theorem double_le (n : Nat) : n ≤ double n := by\n  sorry\n",
    "generated/double_le/ChallengeDeps.lean": "import Lean\n\nnamespace Sample\n\nuniverse u\n\n"
    "def double (n : Nat) : Nat := n + n\n\nend Sample\n",
    "generated/double_le/Solution.lean": "import Submission\n",
    "generated/double_le/Submission.lean": "theorem other : True := sorry\n",
    "generated/double_le/holes.json": json.dumps(
        {"id": "double_le", "holes": [{"name": "Sample.double_le", "kind": "theorem"}]}
    ),
    "generated/half/Challenge.lean": "import Mathlib\n\ndef half (n : Nat) : Nat := sorry\n\n"
    "theorem half_le (n : Nat) : half n ≤ n := sorry\n",
    "generated/half/config.json": "{}",
    "generated/half/holes.json": json.dumps(
        {"id": "half", "holes": [{"kind": "def"}, {"kind": "theorem"}]}
    ),
    "generated/index.json": "[]",
}


def test_a_workspace_of_lean_eval_is_one_file_with_what_it_depends_on(tmp_path):
    found = loaded(tmp_path, LEAN_EVAL, "lean-eval")
    first, second = found["double_le"], found["half"]
    assert first.challenge.startswith("import Lean\n\nsection\n\nnamespace Sample")
    assert first.challenge.index("end Sample\n\nend\n") < first.challenge.index("theorem double_le")
    assert "ChallengeDeps" not in first.challenge and "Submission" not in first.challenge
    assert (first.kind, first.needs) == ("prove", ())
    assert (second.kind, second.needs) == ("implement+prove", ("Mathlib",))


PUTNAM = {
    "lean4/src/putnam_2099_a1.lean": "import Mathlib\nopen Nat\n\n"
    "noncomputable abbrev putnam_2099_a1_solution : Set Nat := sorry\n-- {n | n = 3}\n"
    "/--\nWhich?\n-/\n"
    "theorem putnam_2099_a1 : {n | n + 1 = 4} = putnam_2099_a1_solution :=\nsorry\n",
    "lean4/src/putnam_2099_a2.lean": "import Mathlib\n\n"
    "abbrev putnam_2099_a2_solution : Nat → Nat := sorry\n-- fun n =>\n--   n + 1\n"
    "theorem putnam_2099_a2 : putnam_2099_a2_solution 1 = 2 := sorry\n",
    "lean4/src/putnam_2099_b1.lean": "abbrev putnam_2099_b1_solution : Nat := sorry\n"
    "theorem putnam_2099_b1 : putnam_2099_b1_solution = 2 := sorry\n",
    "lean4/src/notes.lean": "theorem mine : True := sorry\n",
}


def test_answers_of_putnam_bench_are_filled_in_so_that_nothing_but_proof_is_asked(tmp_path):
    found = loaded(tmp_path, PUTNAM, "PutnamBench")
    assert sorted(found) == ["putnam_2099_a1", "putnam_2099_a2", "putnam_2099_b1"]
    first, second, open_one = (found[f"putnam_2099_{one}"] for one in ("a1", "a2", "b1"))
    assert "solution : Set Nat :=\n  {n | n = 3}\n/--\nWhich?" in first.challenge
    assert ":=\n  fun n =>\n    n + 1\ntheorem" in second.challenge
    assert [one.kind for one in (first, second, open_one)] == ["prove", "prove", "implement+prove"]
    assert len(Source(first.challenge).gaps) == 1 and len(Source(open_one.challenge).gaps) == 2
    assert first.needs == ("Mathlib",) and open_one.needs == ()


MINIF2F = {
    "MiniF2F/Imports.lean": "import Mathlib.Tactic\n",
    "MiniF2F.lean": "import MiniF2F.Test\n",
    "MiniF2F/Test.lean": "/- Whose it is. -/\nimport MiniF2F.Imports\n\nopen Nat\n\n"
    "theorem sums (a b : Nat) (h : a = b := rfl) : let c := a; c + b = 2 * a := by\n  have := h\n"
    "  grind\n\n/-- A second one. -/\ntheorem halves (x : Int) :\n"
    "  |x| = x ∨ |x| = -x := by sorry\n\n"
    "set_option maxRecDepth 900 in\ntheorem powers : 2 ^ 3 = 8 := Eq.refl _\n\nopen Int\n\n"
    "theorem last : 1 ≤ 2 := by\n  decide\n",
    "MiniF2F/Valid.lean": "theorem lone : 1 + 1 = 2 := rfl\n",
}


def test_many_theorems_under_one_header_are_a_problem_each_without_their_proofs(tmp_path):
    found = loaded(tmp_path / "anything", MINIF2F, "miniF2F")
    assert sorted(found) == ["halves", "last", "lone", "powers", "sums"]
    assert found["sums"].challenge == (
        "import Mathlib.Tactic\n\nopen Nat\n\ntheorem sums (a b : Nat) (h : a = b := rfl) :"
        " let c := a; c + b = 2 * a := by\n  sorry\n"
    )
    halves = found["halves"].challenge
    assert halves.endswith(
        "/-- A second one. -/\ntheorem halves (x : Int) :\n  |x| = x ∨ |x| = -x := by\n  sorry\n"
    )
    assert "sums" not in halves and "powers" not in halves
    assert "in\ntheorem powers : 2 ^ 3 = 8 := by\n  sorry" in found["powers"].challenge
    last = found["last"].challenge
    assert "open Nat\n\nopen Int" in last and "maxRecDepth" not in last and "second" not in last
    assert found["lone"].needs == () and found["last"].needs == ("Mathlib.Tactic",)
    assert (found["sums"].topic, found["lone"].topic) == ("miniF2F test", "miniF2F valid")


def test_lines_of_json_are_problems_too(tmp_path):
    lines = [
        {"name": "a", "split": "valid", "header": "import Mathlib\nopen Nat\n",
         "formal_statement": "theorem a : 1 = 1 := by\n"},
        {"name": "b", "formal_statement": "theorem b : 2 = 2"},
    ]  # fmt: skip
    path = tmp_path / "minif2f.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in lines) + "\n\n")
    first, second = load_problems(str(path))
    assert first.challenge == "import Mathlib\nopen Nat\n\ntheorem a : 1 = 1 := by\n  sorry\n"
    assert (first.topic, second.needs) == ("miniF2F valid", ())
    assert second.challenge == "theorem b : 2 = 2 := by\n  sorry\n"
    path.write_text('{"name": "a"}\n')
    with pytest.raises(UserError, match="no problem in line 1"):
        load_problems(str(path))


VERINA_LEAN = """-- !benchmark @start import type=solution
import Std.Data.HashMap
-- !benchmark @end import

-- !benchmark @start solution_aux
abbrev Amount := Nat
-- !benchmark @end solution_aux

@[reducible]
def larger_precond (a : Amount) (s : String) : Prop :=
  -- !benchmark @start precond
  0 < a
  -- !benchmark @end precond

-- !benchmark @start code_aux
def secretHelp (a : Nat) : Nat := a
-- !benchmark @end code_aux

def larger (a : Amount) (s : String) (h_precond : larger_precond (a) (s)) : Nat :=
  -- !benchmark @start code
  secretHelp (max a s.length)
  -- !benchmark @end code

@[reducible]
def larger_postcond (a : Amount) (s : String) (result : Nat) : Prop :=
  -- !benchmark @start postcond
  a ≤ result ∧ s.length ≤ result
  -- !benchmark @end postcond

-- !benchmark @start proof_aux
theorem secretLemma : True := trivial
-- !benchmark @end proof_aux

theorem larger_spec_satisfied (a : Amount) (s : String) (h_precond : larger_precond (a) (s)) :
    larger_postcond (a) (s) (larger (a) (s) h_precond) := by
  -- !benchmark @start proof
  exact secretLemma
  -- !benchmark @end proof
"""
VERINA = {
    "datasets/verina/verina_sample_1/task.lean": VERINA_LEAN,
    "datasets/verina/verina_sample_1/task.json": json.dumps(
        {
            "id": "verina_sample_1",
            "signature": {
                "name": "larger",
                "parameters": [
                    {"param_name": "a", "param_type": "Nat"},
                    {"param_name": "s", "param_type": "String"},
                ],
                "return_type": "Nat",
            },
        }
    ),
    "datasets/verina/verina_sample_1/description.txt": "The larger of two. -/ #eval 1",
    "datasets/verina/verina_sample_1/test.json": json.dumps(
        [
            {"input": {"a": 3, "s": 'a"b'}, "expected": 3, "unexpected": [1]},
            {"input": {"a": "1", "s": ""}, "expected": "1"},
        ]
    ),
}


def test_a_task_of_verina_has_code_and_proof_as_gaps_and_tests_as_examples(tmp_path):
    (one,) = loaded(tmp_path, VERINA, "VERINA").values()
    assert (one.name, one.kind) == ("verina_sample_1", "implement+prove")
    assert one.needs == ()
    assert "secret" not in one.challenge and "benchmark" not in one.challenge
    assert "def larger_precond (a : Amount) (s : String) : Prop :=\n  0 < a\n" in one.challenge
    assert "(h_precond : larger_precond (a) (s)) : Nat :=\n  sorry\n" in one.challenge
    assert one.challenge.endswith("h_precond) := by\n  sorry\n")
    assert one.challenge.startswith("/-\nThe larger of two. - / #eval 1\n-/\nimport Std")
    first, second = (one.examples or "").splitlines()
    assert first == '#guard larger (3) ("a\\"b") (by first | decide | sorry) == (3)'
    assert second == '#guard larger (1) ("") (by first | decide | sorry) == (1)'


CLEVER = {
    "src/lean4/Imports/AllImports.lean": "import Mathlib\n\n-- start_def helper_definitions\n"
    "def twice (n : Nat) : Nat := n + n\n-- end_def helper_definitions\n\n"
    "-- start_def test_cases\n#test twice 1 = 2\n-- end_def test_cases\n",
    "src/lean4/human_eval/problem_7.lean": """import Imports.AllImports

-- start_def problem_details
/--
docstring: Doubles.
-/
-- end_def problem_details

-- start_def problem_spec
def problem_spec (implementation: Nat → Nat) (n: Nat) :=
implementation n = twice n
-- end_def problem_spec

-- start_def generated_spec
def generated_spec (implementation: Nat → Nat) (n: Nat) : Prop :=
--end_def generated_spec
--start_def generated_spec_body
sorry
-- end_def generated_spec_body

-- start_def spec_isomorphism
theorem spec_isomorphism: ∀ f n, problem_spec f n ↔ generated_spec f n :=
-- end_def spec_isomorphism
-- start_def spec_isomorphism_proof
sorry
-- end_def spec_isomorphism_proof

-- start_def implementation_signature
def implementation (n: Nat) : Nat :=
-- end_def implementation_signature
-- start_def implementation
secret n
-- end_def implementation

-- start_def test_cases
#test implementation 2 = 4
-- #test implementation 0 = 0
-- end_def test_cases

-- start_def correctness_helper_lemmas_1
theorem secret_help : True := trivial
-- end_def correctness_helper_lemmas_1

-- start_def correctness_definition
theorem correctness (n: Nat) : problem_spec implementation n :=
-- end_def correctness_definition
-- start_def correctness_proof
secret_help
-- end_def correctness_proof
""",
}


def test_a_problem_of_clever_asks_for_program_and_proof_of_the_given_specification(tmp_path):
    (one,) = loaded(tmp_path, CLEVER, "CLEVER").values()
    assert (one.name, one.kind, one.needs) == ("problem_7", "implement+prove", ("Mathlib",))
    for gone in ("secret", "generated", "isomorphism", "#test", "start_def", "AllImports"):
        assert gone not in one.challenge
    assert "def implementation (n: Nat) : Nat :=\n  sorry\n" in one.challenge
    assert "problem_spec implementation n :=\n  sorry\n" in one.challenge
    assert one.challenge.index("def twice") < one.challenge.index("def problem_spec")
    assert one.examples == "#guard implementation 2 = 4\n#guard implementation 0 = 0\n"


def pull_request(**changed: str | list[str]) -> dict[str, str]:
    about = {
        "id": "add-double",
        "repository": "https://example.org/numbers",
        "commit": "abc123",
        "text": "Doubling, and that it grows.",
        "tree": "before",
        "files": ["Numbers/Grows.lean", "Numbers/Double.lean"],
    }
    return {
        "task.json": json.dumps(about | changed),
        "before/Numbers/Basic.lean": "namespace Numbers\nuniverse u\n\ndef one : Nat := 1\n",
        "before/Numbers/Double.lean": "import Numbers.Basic\n\nuniverse u\n\n"
        "/-- Twice as much. -/\ndef Numbers.double (n : Nat) : Nat := sorry\n",
        "before/Numbers/Grows.lean": "import Numbers.Double\nimport Std.Data.HashMap\n\n"
        "theorem Numbers.grows (n : Nat) : n ≤ double n := sorry\n",
        "before/Numbers/Other.lean": "theorem elsewhere : 1 = 2 := sorry\n",
    }


def test_a_pull_request_becomes_one_challenge_in_the_order_of_its_imports(tmp_path):
    (one,) = loaded(tmp_path, pull_request(), "pull requests").values()
    assert (one.name, one.kind, one.needs) == ("add-double", "implement+prove", ())
    assert one.topic == "https://example.org/numbers abc123"
    assert one.challenge == (
        "/-\nDoubling, and that it grows.\n-/\nimport Std.Data.HashMap\n"
        "\nsection\n\nnamespace Numbers\nuniverse u\n\ndef one : Nat := 1\n\nend Numbers\n\nend\n"
        "\nsection\n\nuniverse u\n\n/-- Twice as much. -/\n"
        "def Numbers.double (n : Nat) : Nat := sorry\n\nend\n"
        "\ntheorem Numbers.grows (n : Nat) : n ≤ double n := sorry\n"
    )


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"files": ["Numbers/Missing.lean"]}, "cannot be read"),
        ({"files": ["../../elsewhere.lean"]}, "not in its repository"),
        ({"files": ["Numbers/Basic.lean"]}, "has a `sorry`"),
    ],
)
def test_a_pull_request_that_cannot_be_asked_says_why(tmp_path, changed, says):
    where = write(tmp_path, pull_request(**changed))
    with pytest.raises(UserError, match=says):
        load_problems(where)


def test_modules_that_import_each_other_are_refused(tmp_path):
    files = pull_request(files=["Numbers/Double.lean"])
    files["before/Numbers/Basic.lean"] = "import Numbers.Double\n"
    with pytest.raises(UserError, match="import each other: Double → Basic → Double"):
        load_problems(write(tmp_path, files))


def test_a_file_of_the_module_system_is_left_to_a_lean_with_its_project(tmp_path):
    files = pull_request(files=["Numbers/Double.lean"])
    files["before/Numbers/Double.lean"] = (
        "module\n\npublic import Numbers.Basic\n\ndef f : Nat := sorry\n"
    )
    (one,) = loaded(tmp_path, files, "pull requests").values()
    assert one.needs == ("Numbers.Basic",)


def test_what_lies_in_no_known_form_is_a_folder_of_files(tmp_path):
    write(
        tmp_path, {"one.lean": "theorem t : True := sorry\n", "one.examples.lean": "#guard true\n"}
    )
    assert load_outside(tmp_path) is None
    (one,) = load_problems(str(tmp_path))
    assert (one.name, one.examples) == ("one", "#guard true\n")


def test_parts_of_the_core_set_have_names():
    assert {one.kind for one in load_problems("core/repair")} == {"repair"}
    assert {one.level for one in load_problems("core/2")} == {2}
    with pytest.raises(UserError, match="no part `9`, expected one of"):
        load_problems("core/9")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("task.json", '{"files": 5}'),
        ("holes.json", '{"holes": [1]}'),
        ("holes.json", '{"holes": null}'),
    ],
)
def test_files_of_another_shape_are_one_clear_line(tmp_path, name, text):
    (tmp_path / "Challenge.lean").write_text("theorem a : 1 = 1 := sorry\n")
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=r"looks like .* but its files say something else"):
        load_outside(tmp_path)


def test_lines_of_json_may_hold_other_signs_that_end_a_line(tmp_path):
    one = {"name": "a", "formal_statement": 'theorem a : "x\u2028y" = "x\u2028y" := by'}
    path = tmp_path / "minif2f.jsonl"
    path.write_text(json.dumps(one, ensure_ascii=False) + "\n", encoding="utf-8")
    found = load_outside(path)
    assert found is not None and [one.name for one in found[1]] == ["a"]
