"""Benchmarks of others, from a folder where somebody has put them, as problems.

Nothing is fetched, and of their programs and proofs nothing is shown to a prover: what stands in
their places is `sorry`. Formats are told apart by what lies in the folder.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from bise.errors import UserError
from bise.prove.bodies import body_start
from bise.prove.joined import described, files_beneath, join_modules, read_json, read_text
from bise.prove.problem import Problem
from bise.prove.source import Source
from bise.prove.verified_code import clever, verina

PROVED = ("theorem", "lemma")
COMMENT = re.compile(r"[ \t]*--[ \t]?(.*)")
ANSWER = re.compile(
    r"^(?P<hole>(?:noncomputable\s+)?(?:abbrev|def)\s+\w+_solution\b(?:(?!:=).)*)"
    r":=\s*sorry[ \t]*\n?(?P<answer>(?:[ \t]*--[^\n]*\n)+)",
    re.DOTALL | re.MULTILINE,
)


def load_outside(where: Path) -> tuple[str, list[Problem]] | None:
    """The name of a benchmark and its problems; None if the folder has none that we know."""
    for name, load in LOADERS.items():
        try:
            found = list(load(where))
        except (KeyError, TypeError, AttributeError) as fault:  # JSON of another shape
            raise UserError(
                f"`{where}` looks like {name}, but its files say something else: {fault!r}",
                hint="compare them with that benchmark's own",
            ) from None
        if found:
            return name, found
    return None


def lean_eval(folder: Path) -> Iterator[Problem]:
    """`leanprover/lean-eval`: workspaces with `Challenge.lean`, `ChallengeDeps.lean`, `holes.json`.

    Ref: github.com/leanprover/lean-eval, README ("generated/") and generated/*/holes.json. Its own
    comparator permits the axioms in `config.json`; ours the usual three.
    """
    for path in files_beneath(folder, "Challenge.lean"):
        holes = path.with_name("holes.json")
        if not holes.exists() and not path.with_name("config.json").exists():
            continue
        about = read_json(holes) if holes.exists() else {}
        kinds = {str(one.get("kind", "")) for one in about.get("holes", ())}
        yield Problem(
            name=str(about.get("id", path.parent.name)),
            challenge=join_modules([path], path.parent),
            kind="implement+prove" if kinds - {"theorem"} else "prove",
            topic="lean-eval",
        )


def putnam(folder: Path) -> Iterator[Problem]:
    """PutnamBench: `lean4/src/putnam_YEAR_PLACE.lean`, answers factored out as `*_solution`.

    The answer, a comment behind its hole, is filled in: left open, `the set of all x that …` would
    do for it. A hole without a comment stays one. Ref: github.com/trishullab/PutnamBench, lean4/.
    """
    for path in files_beneath(folder, "putnam_*_*.lean"):
        text = ANSWER.sub(_filled, read_text(path))
        source = Source(text)
        if not source.gaps:
            continue
        holed = [one for one in source.gaps if _kind_at(source, one.start) not in PROVED]
        yield Problem(
            name=path.stem,
            challenge=text,
            kind="implement+prove" if holed else "prove",
            topic="PutnamBench",
        )


def _filled(found: re.Match[str]) -> str:
    lines = [COMMENT.sub(r"\1", line) for line in found["answer"].splitlines()]
    return f"{found['hole']}:=\n" + "".join(f"  {line}\n" for line in lines)


def _kind_at(source: Source, offset: int) -> str:
    found = source.declaration_at(offset)
    return "" if found is None else found.kind


def minif2f(where: Path) -> Iterator[Problem]:
    """miniF2F for Lean 4: many theorems under one header, a file each, or lines of JSON.

    Proofs that a version brings along are taken out. `Test` and `Valid`, folders or files, and
    `split` in JSON, are told in the topic. Ref: github.com/yangky11/miniF2F-lean4 (MiniF2F/),
    github.com/deepseek-ai/DeepSeek-Prover-V1.5 (datasets/minif2f.jsonl).
    """
    if where.suffix == ".jsonl":
        yield from _from_lines(where)
        return
    named = "minif2f" in where.resolve().name.lower()
    for path in files_beneath(where, "*.lean"):
        parts = path.relative_to(where).with_suffix("").parts
        if not named and not any("minif2f" in one.lower() for one in parts):
            continue
        if not any(one.kind in PROVED for one in Source(read_text(path)).declarations):
            continue
        split = next((one.lower() for one in parts if one.lower() in ("test", "valid")), "")
        root = next((one for one in path.parents if (one / "MiniF2F").is_dir()), path.parent)
        for name, challenge in opened_each(join_modules([path], root)):
            yield Problem(name=name, challenge=challenge, topic=f"miniF2F {split}".strip())


def _from_lines(path: Path) -> Iterator[Problem]:
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            one: Any = json.loads(line)
            text = f"{one.get('header', '')}\n{one['formal_statement']}".strip() + "\n"
            name, split = str(one["name"]), str(one.get("split", ""))
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise UserError(
                f"`{path}` has no problem in line {number}: {fault}",
                hint="expected JSON with `name` and `formal_statement`, perhaps `header`, `split`",
            ) from None
        found = list(opened_each(text)) or list(opened_each(f"{text.rstrip()} := sorry\n"))
        if not found:
            raise UserError(f"`{path}` has no theorem in line {number}")
        yield Problem(name=name, challenge=found[-1][1], topic=f"miniF2F {split}".strip())


def opened_each(text: str) -> Iterator[tuple[str, str]]:
    """Each theorem of a file by name, alone under what the file has but theorems, unproved."""
    source = Source(text)
    starts = _starts(source)
    ends = [*starts[1:], len(text)]
    spans = list(zip(source.declarations, starts, ends, strict=True))
    for chosen, start, _ in spans:
        end = body_start(source, chosen)
        if chosen.kind not in PROVED or end is None:
            continue
        before = text[: starts[0]] + "".join(
            text[at:to] for one, at, to in spans if at < start and one.kind not in PROVED
        )
        yield source.qualified(chosen), f"{before}{text[start:end].rstrip()} := by\n  sorry\n"


def _starts(source: Source) -> list[int]:
    """Where each declaration starts, documentation and `open … in` before it included."""
    found = list[int]()
    for number, one in enumerate(source.declarations):
        before = source.text[: one.start].rstrip()
        start = before.rfind("/--") if before.endswith("-/") else -1
        is_doc = start >= 0 and before.count("-/", start) == 1
        found.append(start if is_doc else one.start)
        last = source.declarations[number - 1]
        if number and source.text[last.start : found[-1]].rstrip().endswith(" in"):
            found[-1] = found[-2]
    return found


def pull_requests(folder: Path) -> Iterator[Problem]:
    """Tasks in the form of FLTEval: a repository at a commit, files of it to be completed.

    FLTEval's own tasks are not public. A task is a folder with `task.json`: `files` (paths in the
    repository, those to be completed), and if wanted `id`, `text` (what is to be done),
    `repository` and `commit` (where it is from), `tree` (where in the folder the repository lies as
    it was, by default the folder itself). The files and what they import from the repository become
    one challenge, with all gaps of all of them; it is solved only as a whole.
    """
    for path in files_beneath(folder, "task.json"):
        about = read_json(path)
        if "files" not in about:
            continue
        tree = (path.parent / str(about.get("tree", "."))).resolve()
        files = [(tree / str(one)).resolve() for one in about["files"]]
        if outside := [one for one in files if not one.is_relative_to(tree)]:
            raise UserError(f"`{path}` names `{outside[0]}`, which is not in its repository")
        text = join_modules(files, tree)
        if not Source(text).gaps:
            raise UserError(f"no file of `{path}` has a `sorry`")
        source = Source(text)
        holed = any(_kind_at(source, one.start) not in PROVED for one in source.gaps)
        yield Problem(
            name=str(about.get("id", path.parent.name)),
            challenge=described(text, str(about.get("text", ""))),
            kind="implement+prove" if holed else "prove",
            topic=" ".join(str(about[one]) for one in ("repository", "commit") if one in about),
        )


LOADERS: dict[str, Callable[[Path], Iterable[Problem]]] = {
    "lean-eval": lean_eval,
    "VERINA": verina,
    "CLEVER": clever,
    "PutnamBench": putnam,
    "pull requests": pull_requests,
    "miniF2F": minif2f,
}
