"""`bise prove …`: each command a few lines over the room that searches."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from bise.groups import RunByDefault

prove_app = typer.Typer(cls=RunByDefault, help="Search for Lean proofs that a kernel accepts.")

Model = Annotated[
    str | None,
    Option(help="An address that speaks chat completions, or a folder; without one, automation."),
]
Tactics = Annotated[
    str | None,
    Option(help="A small model, address or folder, that suggests tactics after automation."),
]
Dollars = Annotated[
    float | None,
    Option("--budget-usd", help="What a call may cost at most is reserved before it is made."),
]
Tokens = Annotated[int | None, Option(min=1, help="Of prompts and answers together.")]
Minutes = Annotated[float | None, Option(help="Until the search ends.")]
Checks = Annotated[int | None, Option(min=1, help="Questions to Lean.")]
Attempts = Annotated[
    int, Option("--attempts", "-k", min=1, help="Independent whole-file attempts.")
]
Hourly = Annotated[float | None, Option("--usd-per-hour", help="What the model's machine costs.")]
Runs = Annotated[
    Path | None, Option(help="A folder for events and state; a run found there goes on.")
]
Output = Annotated[Path | None, Option("--output", "-o", help="By default FILE.proved.lean.")]
Certificate = Annotated[
    Path | None, Option(help="A new folder for challenge, proof, verdict and hashes.")
]
Watch = Annotated[bool, Option("--watch", help="Draw what is going on.")]
AsJson = Annotated[bool, Option("--json", help="Print JSON, a line for each file.")]
Anywhere = Annotated[
    bool, Option("--edit-anywhere", help="Not only in gaps; the judge compares all the same.")
]

Lean = Annotated[str, Option("--lean", help="`wasm`, the embedded one, or `native`, your own.")]
Project = Annotated[Path | None, Option(help="With `--lean native`: a folder that lake has built.")]
NoSandbox = Annotated[
    bool,
    Option("--unsafe-no-sandbox", help="Search without walls; the judge wants them all the same."),
]


@prove_app.command("run")
def prove_run(
    target: Annotated[Path, Argument(metavar="FILE|FOLDER", help="Lean with `sorry` in it.")],
    model: Model = None,
    tactics: Tactics = None,
    budget_usd: Dollars = None,
    tokens: Tokens = None,
    minutes: Minutes = None,
    checks: Checks = None,
    attempts: Attempts = 8,
    usd_per_hour: Hourly = None,
    examples: Annotated[
        Path | None, Option(help="Lines `#guard …` that definitions must agree with.")
    ] = None,
    runs: Runs = None,
    output: Output = None,
    certificate: Certificate = None,
    watch: Watch = False,
    as_json: AsJson = False,
    edit_anywhere: Anywhere = False,
    lean: Lean = "wasm",
    project: Project = None,
    unsafe_no_sandbox: NoSandbox = False,
) -> None:
    """Search proofs for what a file leaves open; exit 0 if the judge accepted all of them."""
    from bise.commands.prove_run import Asked, run_prove

    asked = Asked(
        model=model,
        tactics=tactics,
        budget_usd=budget_usd,
        tokens=tokens,
        minutes=minutes,
        checks=checks,
        attempts=attempts,
        usd_per_hour=usd_per_hour,
        runs=runs,
        output=output,
        certificate=certificate,
        examples=examples,
        watch=watch,
        as_json=as_json,
        anywhere=edit_anywhere,
        lean=lean,
        project=project,
        has_walls=not unsafe_no_sandbox,
    )
    raise typer.Exit(run_prove(target, asked))


@prove_app.command("new")
def prove_new(
    wanted: Annotated[
        str,
        Argument(
            metavar="WORDS|FILE",
            help="What the program should do; or a file that says so in Lean, with `sorry`.",
        ),
    ],
    model: Annotated[str, Option(help="An address that speaks chat completions, or a folder.")],
    output: Annotated[Path, Option("--output", "-o", help="Where the specification goes.")] = Path(
        "challenge.lean"
    ),
    budget_usd: Dollars = None,
    tokens: Tokens = None,
    minutes: Minutes = None,
    attempts: Attempts = 8,
    usd_per_hour: Hourly = None,
    certificate: Certificate = None,
    watch: Watch = False,
    lean: Lean = "wasm",
    project: Project = None,
) -> None:
    """Draft a specification, ask whether it is right, then write the program and prove it.

    A specification in a file is taken as it is.
    """
    from bise.commands.prove_run import Asked, run_new

    asked = Asked(
        model=model,
        budget_usd=budget_usd,
        tokens=tokens,
        minutes=minutes,
        attempts=attempts,
        usd_per_hour=usd_per_hour,
        certificate=certificate,
        watch=watch,
        lean=lean,
        project=project,
    )
    raise typer.Exit(run_new(wanted, output, asked))


@prove_app.command("repair")
def prove_repair(
    file: Annotated[Path, Argument(help="Lean whose proofs a change has broken.")],
    model: Model = None,
    tactics: Tactics = None,
    budget_usd: Dollars = None,
    tokens: Tokens = None,
    minutes: Minutes = None,
    attempts: Attempts = 8,
    usd_per_hour: Hourly = None,
    output: Output = None,
    watch: Watch = False,
    as_json: AsJson = False,
    lean: Lean = "wasm",
    project: Project = None,
) -> None:
    """Open the proofs that no longer hold, and search for them anew; statements stay."""
    from bise.commands.prove_run import Asked, run_repair

    asked = Asked(
        model=model,
        tactics=tactics,
        budget_usd=budget_usd,
        tokens=tokens,
        minutes=minutes,
        attempts=attempts,
        usd_per_hour=usd_per_hour,
        output=output,
        watch=watch,
        as_json=as_json,
        lean=lean,
        project=project,
    )
    raise typer.Exit(run_repair(file, asked))


@prove_app.command("setup")
def prove_setup(
    archives: Annotated[
        Path | None, Option(help="A folder with archives fetched before; it gets what is missing.")
    ] = None,
    index: Annotated[
        bool, Option("--index", help="Index the library too: half a minute now, not at a search.")
    ] = False,
    remove: Annotated[bool, Option("--remove", help="Take Lean away again.")] = False,
) -> None:
    """Install Lean for this person, once; afterwards nothing needs the network."""
    from bise.commands.prove_setup import run_setup

    run_setup(archives=archives, is_removal=remove, is_indexed=index)


@prove_app.command("mcp")
def prove_mcp(
    folder: Annotated[
        Path, Argument(help="Where files may be read; by default where it is started.")
    ] = Path(),
) -> None:
    """Offer the tools and the judge to other agents, over MCP on standard input and output."""
    from bise.commands.prove_mcp import run_mcp

    run_mcp(folder)
