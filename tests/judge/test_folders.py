"""Challenge and submission as folders of modules."""

import json
import sys
from pathlib import Path

import pytest

from bise.cli import main
from bise.commands.verify_folders import read_folders
from bise.judge import Unusable, Verdict
from bise.judge.backend import NoLean
from bise.judge.install import installed

FILES = {
    "Basic.lean": "namespace Basic\n\ndef f (n : Nat) : Nat := n + 1\n",
    "Deep/Lemma.lean": "import Basic\n\ntheorem f_pos (n : Nat) : 0 < Basic.f n := sorry\n",
    "Main.lean": "import Deep.Lemma\n\ntheorem f_ne (n : Nat) : Basic.f n ≠ 0 := sorry\n",
}
PROVED = {
    **FILES,
    "Deep/Lemma.lean": FILES["Deep/Lemma.lean"].replace("sorry", "by simp [Basic.f]"),
    "Main.lean": FILES["Main.lean"].replace("sorry", "by have := f_pos n; omega"),
}


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_modules_are_put_in_the_order_of_their_imports(tmp_path):
    ours, theirs = written(tmp_path / "a", FILES), written(tmp_path / "b", PROVED)
    texts = read_folders(ours, theirs)
    assert not isinstance(texts, Verdict)
    for text in texts:
        places = [text.index(word) for word in ("def f", "f_pos (n", "f_ne (n")]
        assert places == sorted(places) and "import" not in text
        assert "end Basic" in text  # what a file leaves open is closed
    assert texts[0].count("sorry") == 2 and "sorry" not in texts[1]


def test_modules_that_are_not_under_test_are_the_challenges(tmp_path):
    spoilt = {**PROVED, "Basic.lean": FILES["Basic.lean"].replace("n + 1", "n + 2")}
    ours, theirs = written(tmp_path / "a", FILES), written(tmp_path / "b", spoilt)
    texts = read_folders(ours, theirs)
    assert not isinstance(texts, Verdict) and "n + 1" in texts[1] and "n + 2" not in texts[1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Extra.lean": "def x := 1\n"}, "files_differ"),
        ({"Main.lean": "import Lean\n" + PROVED["Main.lean"]}, "imports_differ"),
    ],
)
def test_other_files_or_imports_are_rejected(tmp_path, change, reason):
    ours = written(tmp_path / "a", FILES)
    found = read_folders(ours, written(tmp_path / "b", PROVED | change))
    assert isinstance(found, Verdict) and (found.verdict, found.reason) == ("rejected", reason)


def test_what_cannot_be_judged_is_unusable(tmp_path):
    ours = written(tmp_path / "a", FILES)
    with pytest.raises(Unusable, match="is none"):
        read_folders(ours, ours / "Main.lean")
    circle = {"A.lean": "import B\ntheorem t : True := sorry\n", "B.lean": "import A\n"}
    there = written(tmp_path / "c", circle)
    with pytest.raises(Unusable, match="import each other"):
        read_folders(there, there)
    with pytest.raises(Unusable, match="has a gap"):
        read_folders(*[written(tmp_path / "d", {"A.lean": "def x := 1\n"})] * 2)


@pytest.mark.slow
def test_folders_are_judged(tmp_path, capsys):
    try:
        installed()
    except NoLean as fault:
        pytest.skip(f"{fault.message}: {fault.hint}")
    ours, theirs = written(tmp_path / "a", FILES), written(tmp_path / "b", PROVED)
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(ours), str(theirs), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], ended.value.code) == ("accepted", 0), told
    assert told["targets"] == ["f_pos", "f_ne"]
    sys.stdout.flush()
