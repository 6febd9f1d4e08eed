"""`bise prove FILE`, `… new`, `… repair`: search for proofs, show what was found."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.syntax import Syntax

from bise.commands.outputs import need_file, need_folder
from bise.commands.prove_watch import Watch
from bise.commands.show import err, out
from bise.errors import UserError
from bise.prove import prompts
from bise.prove.attempts import blocks_of
from bise.prove.budget import Budget, Price, has_price, price_of
from bise.prove.certificate import write_certificate
from bise.prove.conversation import Conversation
from bise.prove.endpoint import Endpoint, key_from_environment
from bise.prove.hand import Hand
from bise.prove.joined import files_beneath, read_text
from bise.prove.repair import open_broken
from bise.prove.runlog import RunLog, write_whole
from bise.prove.search import Found, Plan, Search
from bise.prove.source import Source
from bise.prove.suggest import ModelSuggester, Suggester
from bise.prove.workspace import Workspace

START_S = 600.0
"""For a model of one's own to be read."""

EXIT_CODES = {"proved": 0, "disproved": 0, "open": 1}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the command line said, the same for all three."""

    model: str | None = None
    tactics: str | None = None
    """A small model that suggests tactics."""

    budget_usd: float | None = None
    tokens: int | None = None
    minutes: float | None = None
    checks: int | None = None
    attempts: int = 8
    usd_per_hour: float | None = None
    runs: Path | None = None
    """A folder for the state of runs; a run found there goes on."""

    output: Path | None = None
    certificate: Path | None = None
    examples: Path | None = None
    watch: bool = False
    as_json: bool = False
    anywhere: bool = False
    lean: str = "wasm"
    project: Path | None = None
    has_walls: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """What a search works with."""

    hand: Hand
    endpoint: Endpoint | None
    suggester: Suggester | None
    budget: Budget


def run_prove(target: Path, asked: Asked) -> int:
    """Search proofs for a file, or for all files of a folder that have gaps."""
    files = files_of(target)
    if len(files) > 1 and (asked.output or asked.certificate):
        raise UserError(
            f"`{target}` has {len(files)} files with a `sorry`, but one place was named",
            hint="leave out `--output` and `--certificate`, or name one file",
        )
    codes = list[int]()
    with _opened(asked) as ready:
        for file in files:
            work = Workspace.open(file, is_free=asked.anywhere)
            codes.append(_search(file, work, ready, asked, run_name(target, file)))
    return max(codes)


def files_of(target: Path) -> list[Path]:
    """A file, or those of a folder that have gaps: not what lake has fetched for them."""
    if not target.is_dir():
        return [target]
    files = [one for one in files_beneath(target, "*.lean") if Source(read_text(one)).gaps]
    if not files:
        raise UserError(f"no file in `{target}` has a `sorry`")
    return files


def run_name(target: Path, file: Path) -> Path:
    """What the run of a file is kept as: files of one name in two folders have a run each."""
    found = file.relative_to(target) if file != target else Path(file.name)
    return found.with_suffix("")


def need_places(asked: Asked) -> None:
    """Refuse places where nothing can be written, before anything is searched for."""
    if asked.output is not None:
        need_file(asked.output)
    if asked.certificate is not None:
        need_folder(asked.certificate)
        if asked.certificate.is_dir() and any(asked.certificate.iterdir()):
            raise UserError(f"`{asked.certificate}` is not empty", hint="name a new folder")


def run_new(wanted: str, output: Path, asked: Asked) -> int:
    """Search for a program and its proof: from a specification that is drafted and confirmed, or
    from a file with one."""
    if asked.model is None:
        raise UserError("writing a program needs a model", hint="name one with --model")
    if wanted.endswith(".lean"):
        file = Path(wanted)
        work = Workspace.open(file)
        with _opened(asked) as ready:
            return _search(file, work, ready, asked)
    if output.exists():
        raise UserError(f"`{output}` exists already", hint="name another file with --output")
    need_file(output)
    with _opened(asked) as ready:
        draft = _drafted(wanted, ready)
        out().print(Syntax(draft, "lean", background_color="default"))
        typer.confirm("Is this what is wanted? It becomes the challenge, word for word", abort=True)
        write_whole(output, draft)
        err().print(f"written to {output}", style="dim", markup=False)
        return _search(output, Workspace(draft), ready, asked)


def _drafted(wanted: str, ready: Ready) -> str:
    """A specification in Lean for what was said in words. Raises `UserError` if it is none."""
    assert ready.endpoint is not None, "a model was named"
    talk = Conversation([{"role": "user", "content": prompts.SPECIFY.format(wanted=wanted)}])
    blocks = blocks_of(talk.ask(ready.endpoint, ready.budget).text)
    draft = blocks[-1] if blocks else ""
    if not Source(draft).gaps:
        raise UserError(
            "the model drafted no specification with gaps", hint="ask again, in other words"
        )
    ready.budget.check()
    checked = ready.hand.pool.check(draft)
    ready.budget.checked(checked.cpu_s)
    if checked.has_errors:
        first = next((one.text for one in checked.messages if one.severity == "error"), "")
        raise UserError(
            f"the drafted specification does not compile: {first[:200]}",
            hint="ask again, or write it into a file and name that instead",
        )
    return draft


def run_repair(file: Path, asked: Asked) -> int:
    """Open the proofs that are broken, and search for them anew."""
    text = read_text(file)
    with _opened(asked) as ready:
        challenge, lost = open_broken(text, ready.hand.pool, ready.budget)
        if not Source(challenge).gaps:
            out().print("nothing is broken")
            return 0
        for name in lost:
            err().print(f"broken: {name}", style="dim", markup=False)
        work = Workspace(challenge, is_free=asked.anywhere)
        return _search(file, work, ready, asked)


def _search(
    file: Path, work: Workspace, ready: Ready, asked: Asked, name: Path | None = None
) -> int:
    """name: of the run's folder; by default as the file is called"""
    hand, budget = ready.hand, ready.budget
    log = RunLog(None if asked.runs is None else asked.runs / (name or file.stem))
    examples = None if asked.examples is None else read_text(asked.examples)
    plan = Plan(endpoint=ready.endpoint, suggester=ready.suggester, num_attempts=asked.attempts)
    search = Search(
        work,
        hand.pool,
        lambda one: hand.judge(hand.request(one, examples)),
        lambda: hand.premises,
        plan,
        budget,
        log,
    )
    with Watch(file.name, log, budget, is_live=asked.watch), _interruptible(budget):
        found = search.run()
    if asked.as_json:
        sys.stdout.write(json.dumps({"file": str(file), **found.as_json()}) + "\n")
    else:
        show(file, work, found)
    if found.outcome != "open":
        path = asked.output or file.with_suffix(".proved.lean")
        write_whole(path, found.text)
        err().print(f"written to {path}", style="dim", markup=False)
        if asked.certificate is not None and found.verdict is not None:
            write_certificate(asked.certificate, hand.request(work, examples), found.verdict)
            err().print(f"certificate in {asked.certificate}", style="dim", markup=False)
    return EXIT_CODES[found.outcome]


def show(file: Path, work: Workspace, found: Found) -> None:
    """What was found, for people: the difference, the verdict, what it took."""
    console = out()
    if work.text != work.challenge:
        console.print(Syntax(work.diff(), "diff", background_color="default"))
    style = "red" if found.outcome == "open" else "green"
    console.print(f"{file.name}: {found.outcome} ({found.ended_by})", style=style, markup=False)
    if found.verdict is not None:
        kernel = f"{found.verdict.kernel} ({found.verdict.backend})"
        console.print(f"judge: {found.verdict.verdict}, checked by {kernel}", markup=False)
    used = found.used
    words = f"{found.seconds:.0f} s, {used.checks} checks of {used.check_cpu_s:.0f} CPU seconds"
    if used.calls:
        words += f", {used.calls} calls, {used.tokens:,} tokens, ${used.dollars:.4f}"
    if found.num_rejected:
        words += f"; {found.num_rejected} candidates compiled and were rejected"
    console.print(words, style="dim", markup=False)


@contextmanager
def _opened(asked: Asked) -> Generator[Ready, None, None]:
    """Lean, the models and the budget."""
    need_places(asked)
    console = err()
    with ExitStack() as closing:
        endpoint = None
        if asked.model is not None:
            endpoint = closing.enter_context(opened_model(asked.model))
        budget = _budget(asked, endpoint)
        suggester = None
        if asked.tactics is not None:
            suggesting = closing.enter_context(opened_model(asked.tactics))
            suggesting.effort = None  # a tactic is no answer to think long about
            suggesting.price = _price(asked, suggesting)
            suggester = ModelSuggester(suggesting, budget)
        hand = closing.enter_context(
            Hand(
                lambda words: console.print(words, style="dim", markup=False),
                backend=asked.lean,
                project=asked.project,
                has_walls=asked.has_walls,
            )
        )
        yield Ready(hand=hand, endpoint=endpoint, suggester=suggester, budget=budget)


@contextmanager
def opened_model(where: str) -> Generator[Endpoint, None, None]:
    """A model behind an address, or in a folder, which is then served for as long."""
    with ExitStack() as closing:
        url = where
        if not url.startswith(("http://", "https://")):
            url = closing.enter_context(_serving(where))
        endpoint = Endpoint(url=url, model="", key=key_from_environment(url))
        closing.callback(endpoint.close)
        endpoint.model = endpoint.first_model()
        yield endpoint


def _price(asked: Asked, endpoint: Endpoint | None) -> Price:
    """What a model costs. Raises `UserError` if that is not known and dollars are counted."""
    name = "" if endpoint is None else endpoint.model
    knows_price = has_price(name) or asked.usd_per_hour is not None
    if asked.budget_usd is not None and endpoint is not None and not knows_price:
        raise UserError(
            f"no price is known for `{name}`, so a budget in dollars would mean nothing",
            hint="name what its machine costs with --usd-per-hour, or set --tokens or --minutes",
        )
    return price_of(name, asked.usd_per_hour)


def _budget(asked: Asked, endpoint: Endpoint | None) -> Budget:
    return Budget(
        dollars=asked.budget_usd,
        tokens=asked.tokens,
        minutes=asked.minutes,
        checks=asked.checks,
        price=_price(asked, endpoint),
    )


@contextmanager
def _serving(folder: str) -> Generator[str, None, None]:
    """Our own server with a model of one's own, for as long as it is needed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    words = [sys.executable, "-m", "bise.cli", "serve", folder, "--port", str(port)]
    err().print(f"reading {folder}", style="dim", markup=False)
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_until_ready(url, server)
            yield url
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait_until_ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    import httpx

    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    raise UserError("the model could not be served", hint="see what `bise serve` says about it")


@contextmanager
def _interruptible(budget: Budget) -> Generator[None, None, None]:
    """Ctrl-C ends the search at the next step; a second one ends at once."""

    def stop(_signal: int, _frame: object) -> None:
        if budget.is_interrupted:
            os._exit(130)
        budget.is_interrupted = True
        err().print("stopping after this step; again to stop at once", style="dim")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
