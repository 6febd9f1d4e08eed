"""A finished file without the lemmas that were found on the way and that nothing needs.

Lemmas are looked for before anybody knows which ones will be of use, and scripts name all there
are. A person who reads the proof should see what it rests on, so each is taken out on trial.
"""

import re
from collections.abc import Sequence

from bise.prove.budget import Spent
from bise.prove.filling import Trial
from bise.prove.source import Source
from bise.prove.workspace import Protected, Workspace


def tidy(work: Workspace, trial: Trial, lemmas: Sequence[str]) -> list[str]:
    """Take out every lemma without which Lean still agrees, last one first: their names.

    Never raises: where its time or its budget ends, the rest stays.
    """
    dropped = list[str]()
    try:
        for name in reversed(lemmas):
            text = without(work.source, name)
            if trial.is_over or text is None:
                continue
            checked = trial.check(text)
            if checked.seems_done:
                work.replace(text)
                dropped.append(name)
    except (Spent, Protected):
        pass
    return dropped


def without(source: Source, name: str) -> str | None:
    """A text without a theorem, and without its name in the lists of tactics; None: not found."""
    for one in source.declarations:
        if one.kind in ("theorem", "lemma") and one.name == name:
            before, after = source.text[: one.start], source.text[one.end :].lstrip("\n")
            word = rf"(?<![\w.'!?]){re.escape(name)}(?![\w.'!?])"
            return before + re.sub(rf", {word}|(?<=\[){word}(?:, )?", "", after)
    return None
