"""Whether results can be written where they are to go, asked before the work and not after it."""

import os
from pathlib import Path

from bise.errors import UserError


def need_folder(path: Path) -> None:
    """A folder that is there, or can be made, and takes files."""
    at = next(one for one in (path, *path.absolute().parents) if os.path.lexists(one))
    if not at.is_dir():
        raise UserError(f"`{at}` is not a folder", hint="choose another path")
    if not os.access(at, os.W_OK | os.X_OK):
        raise UserError(f"`{at}` cannot be written to", hint="check who may write there")


def need_file(path: Path) -> None:
    """A file that is there and may be replaced, or the name of one in a folder that is there."""
    if path.is_dir():
        raise UserError(f"`{path}` is a folder", hint="name a file in it")
    if not path.parent.is_dir():
        raise UserError(f"there is no folder `{path.parent}`", hint="make it, or choose another")
    at = path if path.exists() else path.parent
    if not os.access(at, os.W_OK):
        raise UserError(f"`{at}` cannot be written to", hint="check who may write there")
