"""`bise config`: the settings that hold, and who said so."""

import json

from rich.table import Table
from rich.text import Text

from bise.commands.show import err, out
from bise.settings import about
from bise.sources import Effective


def show_config(effective: Effective, *, as_json: bool) -> None:
    """Print every setting; secrets are not shown."""
    if as_json:
        found = {
            name: {
                "value": effective.shown(name)
                if about(name).is_secret
                else getattr(effective.settings, name),
                "source": source,
            }
            for name, source in effective.sources.items()
        }
        out().print(json.dumps(found, indent=1), markup=False)
        return
    table = Table.grid(padding=(0, 2))
    for name, source in effective.sources.items():
        is_said = source != "default"
        style = "bold" if is_said else ""
        table.add_row(name, Text(effective.shown(name), style=style), source if is_said else "")
    out().print(table)
    for warning in effective.warnings:
        err().print(Text.assemble(("warning:", "bold yellow"), f" {warning}"))
