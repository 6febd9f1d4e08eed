"""Which Lean to ask: the embedded one, or one of the person's own."""

from pathlib import Path
from typing import Literal, get_args

from bise.errors import UserError, quoted
from bise.judge.install import installed
from bise.judge.native import NativeLean
from bise.judge.sandboxed import SandboxedLean
from bise.judge.wasm import WasmLean

Backend = Literal["wasm", "native"]


def open_lean(
    backend: str = "wasm", project: Path | None = None, *, has_walls: bool = True
) -> SandboxedLean:
    """The Lean of a kind. Raises `NoLean` if it is not there, `UserError` for no such kind.

    project: a folder that `lake` has built, whose modules files may import; native only.
    has_walls: without them for searching only; it then refuses to take part in a verdict.
    """
    if backend not in get_args(Backend):
        raise UserError(f"`--lean` is `{backend}`, expected one of {quoted(get_args(Backend))}")
    if backend == "native":
        return NativeLean(project=project, has_walls=has_walls)
    if project is not None:
        raise UserError("the embedded Lean knows no projects", hint="add `--lean native`")
    return WasmLean(installed(), has_walls=has_walls)
