"""VERINA and CLEVER: programs to be written and proved, with tests that become examples."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bise.errors import UserError
from bise.prove.joined import described, files_beneath, join_modules, read_json, read_text
from bise.prove.problem import Problem

VERINA_PART = re.compile(
    r"^([ \t]*)-- !benchmark @start (?P<part>\w+)[^\n]*\n(?P<inside>.*?)"
    r"^[ \t]*-- !benchmark @end (?P=part)[^\n]*$",
    re.DOTALL | re.MULTILINE,
)
CLEVER_PART = re.compile(
    r"^--[ \t]*start_def[ \t]+(?P<part>\w+)[ \t]*\n(?P<inside>.*?)"
    r"^--[ \t]*end_def[ \t]+(?P=part)\b[^\n]*$",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
SOLVED = {"code": "sorry", "proof": "sorry", "code_aux": "", "proof_aux": ""}
"""VERINA's parts that solve a task, and what a challenge has in their place."""

HOLDS = "first | decide | sorry"
"""How a precondition is shown in an example."""

LEFT_OUT = re.compile(r"generated_spec|spec_isomorphism|iso_helper|correctness_helper|test_cases")
"""CLEVER's parts that are another task, that help with a proof, or that are tests."""

TEST = re.compile(r"^(?:--[ \t]*)?#test[ \t]+(.*)$", re.MULTILINE)


def verina(folder: Path) -> Iterator[Problem]:
    """VERINA: folders with `task.lean`, `task.json`, `description.txt`, `test.json`.

    Code and proof become gaps, what they were helped by goes; pre- and postcondition stay. Tests
    are examples; where Lean cannot decide the precondition it is taken to hold, as VERINA does.
    Ref: github.com/sunblaze-ucb/verina, datasets/verina/ and src/verina/dataset/template.py.
    """
    for path in files_beneath(folder, "task.lean"):
        text = read_text(path)
        parts = {found["part"] for found in VERINA_PART.finditer(text)}
        if not {"code", "proof"} <= parts:
            continue
        about = read_json(path.with_name("task.json"))
        words = path.with_name("description.txt")
        yield Problem(
            name=str(about.get("id", path.parent.name)),
            challenge=described(
                VERINA_PART.sub(_opened, text), read_text(words) if words.exists() else ""
            ),
            kind="implement+prove",
            topic="VERINA",
            examples=_verina_examples(about, path.with_name("test.json")),
        )


def _opened(found: re.Match[str]) -> str:
    instead = SOLVED.get(found["part"])
    if instead is None:
        return found["inside"].rstrip("\n")
    return found[1] + instead if instead else ""


def _verina_examples(about: Any, tests: Path) -> str | None:
    if not tests.exists():
        return None
    try:
        signature = about["signature"]
        called, kind = signature["name"], signature["return_type"]
        places = [(one["param_name"], one["param_type"]) for one in signature["parameters"]]
        lines = list[str]()
        for test in json.loads(read_text(tests)):
            given = " ".join(f"({_lean(test['input'][name], of)})" for name, of in places)
            value = _lean(test["expected"], kind)
            lines.append(f"#guard {called} {given} (by {HOLDS}) == ({value})\n")
    except (ValueError, KeyError, TypeError) as fault:
        raise UserError(f"`{tests}` has no tests of this task: {fault}") from None
    return "".join(lines) or None


def _lean(value: Any, kind: str) -> str:
    """A value of a test as Lean writes it; what is no string, character or truth is so already."""
    if isinstance(value, bool):
        return str(value).lower()
    if kind in ("String", "Char"):
        mark = '"' if kind == "String" else "'"
        return mark + str(value).replace("\\", "\\\\").replace(mark, "\\" + mark) + mark
    if isinstance(value, list):
        inner = kind.partition(" ")[2].strip("()") if " " in kind else ""
        opening = "#[" if kind.startswith("Array") else "["
        return opening + ", ".join(_lean(one, inner) for one in value) + "]"
    return str(value)


def clever(folder: Path) -> Iterator[Problem]:
    """CLEVER: `human_eval/problem_N.lean`, of which the program and its proof are to be found.

    The specification given is the one that counts (its other task, to find the specification, is
    left out). Tests are examples. Ref: github.com/trishullab/clever, src/lean4/human_eval/ and
    src/clever_bench/lean_parser_spec.py.
    """
    for path in files_beneath(folder, "problem_*.lean"):
        text = read_text(path)
        parts = {found["part"]: found["inside"] for found in CLEVER_PART.finditer(text)}
        if not {"implementation", "implementation_signature", "correctness_definition"} <= set(
            parts
        ):
            continue
        root = next((one for one in path.parents if (one / "Imports").is_dir()), path.parent)
        tests = TEST.findall(parts.get("test_cases", ""))
        yield Problem(
            name=path.stem,
            challenge=CLEVER_PART.sub(_asked, join_modules([path], root)),
            kind="implement+prove",
            topic="CLEVER",
            examples="".join(f"#guard {one}\n" for one in tests) or None,
        )


def _asked(found: re.Match[str]) -> str:
    part, inside = found["part"].lower(), found["inside"].rstrip()
    if LEFT_OUT.match(part):
        return ""
    if part in ("implementation", "correctness_proof"):
        return "  sorry"
    if part in ("implementation_signature", "correctness_definition"):
        return inside if inside.endswith((":=", "by")) else f"{inside} :="
    return inside
