"""`bise list-model-profiles`: in which forms a model can be run on this machine."""

import json

from bise.commands.show import out
from bise.model import inspect
from bise.model.hub import locate
from bise.model.presets import PRESETS
from bise.serve.profiles import profiles_of

GIB = 2**30


def show_profiles(model: str, *, as_json: bool) -> None:
    """Print them, in words or as JSON."""
    target = model if model.replace("-", "_") in PRESETS else str(locate(model))
    profiles = profiles_of(inspect(target).config)
    if as_json:
        rows = [profile.json() for profile in profiles]
        out().print(json.dumps(rows, indent=1), markup=False)
        return
    for profile in profiles:
        need = f"{profile.memory_bytes / GIB:8,.2f} GiB of weights"
        verdict = "fits" if profile.fits else "does not fit this machine's memory"
        out().print(f"{profile.id:<14}{need}  {verdict}", markup=False, highlight=False)
