"""The demo's proof: a small theorem, found by automation and accepted by the judge."""

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from bise.commands.show import waiting
from bise.errors import UserError
from bise.prove.budget import Budget
from bise.prove.hand import Hand
from bise.prove.problems import load_problems
from bise.prove.runlog import RunLog
from bise.prove.search import Found, Plan, Search
from bise.prove.workspace import Workspace

PROBLEM = "list_filter_idempotent"


def show_proof(console: Console) -> bool:
    """Prove it before somebody's eyes; whether the judge accepted, or there was no Lean to ask."""
    challenge = load_problems("core", [PROBLEM])[0].challenge
    console.print(Syntax(challenge.strip(), "lean", background_color="default"))
    console.print("")
    try:
        with waiting("starting Lean, then searching"), Hand() as hand:
            found = search(hand, challenge)
    except UserError as fault:
        console.print(Text(f"no proof here: {fault.message}; {fault.hint}", style="yellow"))
        return True
    script = "; ".join(
        " ".join(one.script.split()) for one in (found.swept.closed if found.swept else [])
    )
    verdict = found.verdict
    if verdict is None or not verdict.is_accepted:
        words = found.ended_by if verdict is None else verdict.message
        console.print(Text(f"✗ not proved: {words}", style="bold red"))
        return False
    console.print(Text.assemble(("✓", "bold green"), f" {script}"))
    console.print(
        Text(
            f"accepted: statement unchanged, replayed by a fresh kernel, axioms: "
            f"{', '.join(verdict.axioms) or 'none'}; {verdict.kernel} ({verdict.backend}), "
            f"{found.used.checks} checks, {found.seconds:.0f} s",
            style="dim",
        )
    )
    return True


def search(hand: Hand, challenge: str) -> Found:
    """Automation only."""
    work = Workspace(challenge)
    return Search(
        work,
        hand.pool,
        lambda one: hand.judge(hand.request(one)),
        lambda: hand.premises,
        Plan(stages=("portfolio",)),
        Budget(),
        RunLog(),
    ).run()
