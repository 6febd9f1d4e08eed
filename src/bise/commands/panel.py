"""The view of `bise top`: which numbers it shows, in what words."""

from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from bise.commands.draw import (
    DETAIL,
    LABEL,
    UNIT,
    VALUE,
    Look,
    bar,
    curve,
    listed,
    number,
    seconds,
    size,
)
from bise.commands.readings import (
    MINUTE,
    RECENT_S,
    History,
    Measure,
    Reading,
    growth,
    level,
    mean,
    rate,
    ratio,
)

RUNNING, WAITING = "vllm:num_requests_running", "vllm:num_requests_waiting"
WRITTEN, PROMPTS = "vllm:generation_tokens_total", "vllm:prompt_tokens_total"
THOUGHT = "bise:thinking_tokens_total"
QUERIES, HITS = "vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total"
DRAFTED = "vllm:spec_decode_num_draft_tokens_total"
ACCEPTED = "vllm:spec_decode_num_accepted_tokens_total"
FIRST, NEXT = "vllm:time_to_first_token_seconds", "vllm:inter_token_latency_seconds"
USAGE, PAGES, BYTES = "vllm:kv_cache_usage_perc", "bise:cache_pages", "bise:cache_bytes"
STEPS, STEP_S = "bise:steps_total", "bise:step_seconds_total"
ENDED, REFUSED = "vllm:request_success_total", "bise:rejected_requests_total"
RESTARTS, UP = "bise:engine_restarts_total", "bise:engine_up"


@dataclass
class Panel:
    """Everything there is to see of one server."""

    url: str
    history: History = field(default_factory=History)
    trouble: str = ""
    """Why the server gives no numbers just now."""

    is_live: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        look = Look(
            width=options.max_width,
            has_colour=console.color_system is not None and not console.no_color,
            is_ascii=options.ascii_only,
            has_past=self.is_live,
        )
        for line in self.lines(look):
            line.no_wrap, line.overflow = True, "crop" if look.is_ascii else "ellipsis"
            if look.is_ascii:
                line.plain = line.plain.encode("ascii", "replace").decode()
            yield line

    def lines(self, look: Look) -> list[Text]:
        """The view, line by line; a block without numbers is left out."""
        history = self.history
        names = [name for name in (history.model, self.url) if name]
        lines = [Text.assemble(("bise top", "bold"), look.dot, look.dot.join(names)), Text("")]
        if self.trouble:
            lines += [Text(self.trouble, style="bold red"), Text("")]
        elif not history.readings:
            lines += [Text("asking for its numbers", style="dim"), Text("")]
        else:
            if history.has(UP) and not history.now(UP):
                words = "the engine is down; these are its last numbers"
                lines += [Text(words, style="bold red"), Text("")]
            for block in (traffic, cache, step, ends):
                made = block(history, look)
                lines += [*made, Text("")] if made else []
        return [*lines, Text("Ctrl-C leaves", style="dim")] if self.is_live else lines[:-1]


@dataclass(frozen=True, slots=True)
class Row:
    """One number with its unit, what explains it, and how it went over the last minute."""

    label: str
    needs: str
    """A server that does not tell this has no such row."""

    measure: Measure
    write: Callable[[float | None], tuple[str, str]]
    """The number in letters, and its unit."""

    explain: Callable[[History], str] = lambda _: ""
    over_s: float = RECENT_S

    def lines(self, history: History, look: Look) -> list[Text]:
        shown, unit = self.write(history.over(self.measure, self.over_s))
        detail = self.explain(history)
        line = Text.assemble(
            (f"{self.label:<{LABEL}}", "dim"), (f"{shown:>{VALUE}}", "bold"), f" {unit:<{UNIT}}"
        )
        if look.is_narrow:
            lines = [line, Text(" " * LABEL + detail, style="dim")] if detail else [line]
        else:
            lines = [line.append(f"{detail:<{DETAIL}}", style="dim")]
        if look.curve:
            line.append(curve(history.trail(self.measure, look.curve)), style="cyan")
        return lines


def tokens(value: float | None) -> tuple[str, str]:
    return number(value), "tokens/s"


def running(value: float | None) -> tuple[str, str]:
    return f"{value or 0:,.0f}", "running"


def percent(value: float | None) -> tuple[str, str]:
    return ("-" if value is None else f"{100 * value:.0f}"), "% right"


def share(above: str, below: str, words: str) -> Callable[[History], str]:
    """Says what part of one count another is, if the server knows and something happened."""

    def explain(history: History) -> str:
        found = history.over(ratio(above, below), MINUTE) if history.has(above) else None
        return "" if found is None else f"{100 * found:.0f} % {words}"

    return explain


def each_token(before: Reading, after: Reading) -> float | None:
    """Seconds of writing for each token after the first; a step may bring several."""
    num_tokens = growth(WRITTEN)(before, after) or 0.0
    num_first = growth(f"{FIRST}_count")(before, after) or 0.0
    writing_s = growth(f"{NEXT}_sum")(before, after) or 0.0
    return writing_s / (num_tokens - num_first) if writing_s and num_tokens > num_first else None


def waiting(history: History) -> str:
    return f"{history.now(WAITING):,.0f} waiting"


def guessing(history: History) -> str:
    return f"of {number(history.over(rate(DRAFTED)))} a second"


ROWS = (
    Row("requests", RUNNING, level(RUNNING), running, waiting),
    Row("writing", WRITTEN, rate(WRITTEN), tokens, share(THOUGHT, WRITTEN, "thinking")),
    Row("reading", PROMPTS, rate(PROMPTS), tokens, share(HITS, QUERIES, "known already")),
    Row("first token", f"{FIRST}_sum", mean(FIRST), seconds),
    Row("each token", f"{NEXT}_sum", each_token, seconds),
    Row("guesses", DRAFTED, ratio(ACCEPTED, DRAFTED), percent, guessing, MINUTE),
)


def traffic(history: History, look: Look) -> list[Text]:
    """Requests, tokens and times."""
    rows = [row for row in ROWS if history.has(row.needs)]
    return [line for row in rows for line in row.lines(history, look)]


def cache(history: History, look: Look) -> list[Text]:
    """What the cache holds: for running requests, and for whoever begins alike."""
    pages = {state: history.now(f"{PAGES}/{state}") for state in ("used", "known", "free")}
    total = sum(pages.values())
    if total:
        parts = {state: pages[state] / total for state in ("used", "known")}
    elif history.has(USAGE):
        parts = {"used": history.now(USAGE)}
    else:
        return []
    facts = [f"{total:,.0f} pages"] if total else []
    if history.has(BYTES):
        facts.append(size(history.now(BYTES)))
    return bar("cache", parts, ", ".join(facts), look)


def step(history: History, look: Look) -> list[Text]:
    """Where the time of a step goes."""
    if not history.has(STEPS):
        return []
    num_steps = history.over(growth(STEPS))
    parts = ("compute", "choose", "plan", "draft")
    spent = {part: history.over(growth(f"{STEP_S}/{part}")) or 0.0 for part in parts}
    whole = sum(spent.values())
    if not num_steps or not whole:
        return bar("step", {}, "nothing to compute", look)
    each = " ".join(seconds(whole / num_steps))
    return bar("step", {part: spent_s / whole for part, spent_s in spent.items()}, each, look)


def ends(history: History, look: Look) -> list[Text]:
    """What has come of all requests since the server began."""
    kinds = {"answered": ("stop", "length"), "cancelled": ("abort",), "failed": ("error",)}
    found = [
        f"{sum(history.now(f'{ENDED}/{part}') for part in parts):,.0f} {words}"
        for words, parts in kinds.items()
        if history.has(ENDED)
    ]
    if history.has(UP):
        found.append(f"{history.now(REFUSED):,.0f} refused")
        num_restarts = round(history.now(RESTARTS))
        if num_restarts:
            often = "once" if num_restarts == 1 else f"{num_restarts:,} times"
            found.append(f"engine restarted {often}")
    return listed("in all", [Text(words, style="dim") for words in found], look)
