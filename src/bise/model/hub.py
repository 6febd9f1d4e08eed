"""From a name to a folder: what we ship, what lies on the disk, or what a model hub has.

Only `fetch` goes online, only for ids of the form `org/name`, and it downloads one layout, not all.
"""

import re
import shutil
from pathlib import Path

from bise.errors import NotFound, UserError
from bise.model.checkpoint import CONFIG_FILES
from bise.model.convert import COMPANIONS
from bise.model.presets import PRESETS
from bise.model.stored import LAYOUTS, STEMS, Layout

ASSETS = Path(__file__).parents[1] / "assets"
"""Models that come with the package, a folder each."""

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def locate(
    name: str,
    *,
    layout: Layout | None = None,
    revision: str = "main",
    endpoint: str | None = None,
    cache: Path | None = None,
) -> Path:
    """The folder of a model: shipped under that name, a path, or fetched from a hub."""
    shipped = ASSETS / name
    if re.fullmatch(r"[\w-]+", name) and any(
        (shipped / one).is_file() for one in CONFIG_FILES.values()
    ):
        return shipped
    folder = at_home(name)
    if name and folder.is_dir():
        return folder
    if HUB_ID.fullmatch(name):
        return fetch(name, layout=layout, revision=revision, endpoint=endpoint, cache=cache)
    raise NotFound(
        f"there is no model `{name}`",
        hint="pass a shipped model, a folder, or a hub id such as `org/name`",
    )


def is_shape(name: str) -> bool:
    """A preset that nobody has weights of; whatever else is wrong with a model is told."""
    if name.replace("-", "_") not in PRESETS:
        return False
    try:
        locate(name)
    except NotFound:
        return True
    return False


def at_home(path: str) -> Path:
    """A path whose `~` is put in full."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise NotFound(
            f"`{path}` begins with the home of nobody known here", hint="write the path in full"
        ) from None


def fetch(
    hub_id: str,
    *,
    layout: Layout | None = None,
    revision: str = "main",
    endpoint: str | None = None,
    cache: Path | None = None,
) -> Path:
    """Download one layout of a model (native if it is there) and return its folder.

    Files that are in the cache already are not downloaded again, and a connection that breaks is
    picked up where it stopped. Without a network the cached copy is used, if it is whole.
    """
    from huggingface_hub import HfApi, errors, snapshot_download

    if not HUB_ID.fullmatch(hub_id):
        raise UserError(f"`{hub_id}` is no hub id, expected `org/name`")
    # the base of everything its network layer raises, whichever that is
    broken = (errors.HTTPError, OSError)  # pyright: ignore[reportPrivateImportUsage]
    try:
        about = HfApi(endpoint=endpoint).model_info(
            hub_id, revision=revision, files_metadata=True, timeout=30
        )
    except errors.GatedRepoError:
        raise UserError(
            f"`{hub_id}` asks you to accept its terms", hint="accept them on its page, then log in"
        ) from None
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError):
        raise NotFound(
            f"the hub has no `{hub_id}` at `{revision}`", hint="check the name"
        ) from None
    except errors.HFValidationError as error:
        raise UserError(f"`{hub_id}` is no hub id: {_first_line(error)}") from None
    except broken:  # no network, a hub that is down, or offline mode
        return _cached(hub_id, layout, revision, cache)
    sizes = {file.rfilename: file.size or 0 for file in about.siblings or []}
    wanted = _one_layout(hub_id, sizes, layout)
    _need_space(hub_id, sizes, wanted, about.sha or revision, cache)
    try:
        folder = snapshot_download(
            hub_id, revision=revision, allow_patterns=wanted, endpoint=endpoint, cache_dir=cache
        )
    except broken as error:
        raise UserError(
            f"the download of `{hub_id}` broke off: {_first_line(error)}",
            hint="run it again; finished files are kept",
        ) from None
    return Path(folder)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _one_layout(hub_id: str, sizes: dict[str, int], layout: Layout | None) -> list[str]:
    """Names of the files to download."""
    for one in LAYOUTS if layout is None else (layout,):
        stem = STEMS[one]
        shape = re.compile(rf"{stem}(-\d+-of-\d+)?\.safetensors")
        shards = [name for name in sizes if shape.fullmatch(name)]
        if shards and CONFIG_FILES[one] in sizes:
            others = (CONFIG_FILES[one], f"{stem}.safetensors.index.json", *COMPANIONS)
            return shards + [name for name in others if name in sizes]
    raise NotFound(
        f"`{hub_id}` has no weights in the {f'`{layout}`' if layout else 'native or hf'} layout",
        hint="expected safetensors files beside `params.json` or `config.json`",
    )


def _need_space(
    hub_id: str, sizes: dict[str, int], wanted: list[str], commit: str, cache: Path | None
) -> None:
    from huggingface_hub import constants, try_to_load_from_cache

    root = Path(cache or constants.HF_HUB_CACHE)
    missing = [
        name
        for name in wanted
        if not isinstance(try_to_load_from_cache(hub_id, name, root, commit), str)
    ]
    need = sum(sizes[name] for name in missing)
    at = next(path for path in (root, *root.absolute().parents) if path.exists())
    free = shutil.disk_usage(at).free
    if need > free:
        raise UserError(
            f"`{hub_id}` needs {need:,} bytes, `{root}` has {free:,} left",
            hint="free some space, or set `HF_HOME` to another disk",
        )


def _cached(hub_id: str, layout: Layout | None, revision: str, cache: Path | None) -> Path:
    """The copy of an earlier call."""
    from huggingface_hub import errors, snapshot_download

    for one in LAYOUTS if layout is None else (layout,):
        try:
            found = snapshot_download(
                hub_id,
                revision=revision,
                cache_dir=cache,
                local_files_only=True,
                allow_patterns=[f"{STEMS[one]}*", CONFIG_FILES[one]],
            )
        except (errors.LocalEntryNotFoundError, errors.RevisionNotFoundError):
            continue
        if (Path(found) / CONFIG_FILES[one]).is_file():
            return Path(found)
    raise NotFound(
        f"the hub cannot be reached, and `{hub_id}` is not on this machine",
        hint="go online once, or pass a folder",
    )
