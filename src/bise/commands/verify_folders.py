"""Challenge and submission as folders: several modules, judged as one file each.

Both folders have the same files. Modules with gaps are under test; of all others the challenge's
copy counts. What a module imports from its folder is put before it, so that the judge compares,
traces and replays everything at once.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from bise.errors import UserError
from bise.judge import Unusable, Verdict
from bise.judge.header import read_header
from bise.judge.warm import gaps
from bise.prove.joined import files_beneath, join_modules

Texts = Mapping[str, str]
"""Sources by their path within the folder."""


def read_folders(challenge: Path, submission: Path) -> tuple[str, str] | Verdict:
    """Both as one text each, or why the submission is rejected already. Raises `Unusable`."""
    asked, given = _read(challenge, "challenge"), _read(submission, "submission")
    if asked.keys() != given.keys():
        odd = sorted(asked.keys() ^ given.keys())[0]
        return _rejected("files_differ", f"only one of the two folders has `{odd}`")
    tested = {name for name, text in asked.items() if gaps(text)}
    if not tested:
        raise Unusable("no_targets", f"no file of `{challenge}` has a gap")
    for name in sorted(tested):
        ours, theirs = read_header(asked[name]), read_header(given[name])
        if set(ours.words) != set(theirs.words):
            return _rejected("imports_differ", f"`{name}` does not begin as the challenge's does")
    merged = {name: (given if name in tested else asked)[name] for name in asked}
    return _joined(asked), _joined(merged)


def _read(folder: Path, what: str) -> dict[str, str]:
    if not folder.is_dir():
        raise Unusable("unreadable_file", f"the challenge is a folder, the {what} is none")
    try:
        return {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in files_beneath(folder, "*.lean")
        }
    except (OSError, UnicodeDecodeError) as fault:
        raise Unusable("unreadable_file", f"the {what} cannot be read: {fault}") from None


def _joined(texts: Texts) -> str:
    if len(texts) > 1 and any("module" in read_header(one).words[:1] for one in texts.values()):
        raise Unusable(
            "unreadable_file", "files that begin with `module` cannot be judged as a folder"
        )
    with TemporaryDirectory(prefix="bise-folder-") as name:
        root = Path(name)
        for path, text in texts.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        try:
            return join_modules([root / path for path in sorted(texts)], root)
        except UserError as fault:
            raise Unusable("challenge_fails", fault.message.replace(name, "the folder")) from None


def _rejected(reason: str, message: str) -> Verdict:
    return Verdict(verdict="rejected", reason=reason, message=message)
