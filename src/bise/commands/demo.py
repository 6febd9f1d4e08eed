"""`bise demo`: nano answers, thinks, sees, calls, writes code, and is marked on unseen problems.

At last a theorem is proved, if Lean is installed.
"""

import shutil
import sys
import time
from random import Random

from PIL import Image
from rich.color import Color
from rich.console import Console
from rich.rule import Rule
from rich.style import Style
from rich.table import Table
from rich.text import Text

from bise.commands.chat import Conversation, Screen, Settings, footer, show_reply, talk_in_terminal
from bise.commands.demo_proof import show_proof
from bise.commands.show import loading_bar, out, waiting
from bise.engine import use_threads_for
from bise.errors import one_line
from bise.evals import TASKS, Example, Task
from bise.evals.asking import Asker, conversation, said
from bise.evals.runner import Replied
from bise.face import Model, load
from bise.model import inspect
from bise.text import Tool

PROBLEMS = 5
"""Problems of each skill."""

PASS_MARK = 2
"""Chain problems that thinking must get right; fewer is an error."""


def demo(seed: int, model_name: str = "nano") -> int:
    """Run it all; the exit status."""
    console = out()
    with loading_bar(f"reading {model_name}") as progress:
        model = load(model_name, progress=progress)
    use_threads_for(model.loaded.config)
    with model:
        num_parameters = inspect(model.loaded.folder).num_parameters
        title = Text.assemble(
            ("bise", "bold"),
            f" · {model.name} · {num_parameters / 1e6:.1f} M parameters, ",
            f"{model.loaded.dtype} · problems of seed {seed}",
        )
        console.print(title)
        rng = Random(f"demo {seed}")
        levels = TASKS["chain"].levels
        hard = draw(TASKS["chain"], rng, levels[len(levels) // 2])
        section(console, "A quick answer")
        show_one(console, model, hard, "none", seed)
        section(console, "The same question, thinking first")
        show_one(console, model, hard, "high", seed)
        section(console, "A picture")
        seen = draw(TASKS["read"], rng, "4 digits")
        assert seen.image is not None, "reading needs a picture"
        console.print(picture(seen.image, console))
        show_one(console, model, seen, "none", seed)
        section(console, "A tool it calls")
        show_one(console, model, draw(TASKS["tools"], rng, "two calls"), "high", seed)
        section(console, "A function it writes, which tests then try")
        show_one(console, model, draw(TASKS["python"], rng, "compose"), "none", seed)
        section(console, "The next step of a proof")
        show_one(console, model, draw(TASKS["lean"], rng, "cases"), "high", seed)
        num_right = problems(console, model, rng, seed)
        is_good = num_right >= PASS_MARK
        if not is_good:
            console.print(
                Text(f"thinking got {num_right} of {PROBLEMS} on chain: too few", style="bold red")
            )
        section(console, "A theorem, and a kernel that checks the proof")
        is_good = show_proof(console) and is_good
        if sys.stdin.isatty() and sys.stdout.isatty():
            section(console, "Your turn")
            console.print(Text("/effort none answers at once, /help lists the rest", style="dim"))
            console.print("")
            talk_in_terminal(Conversation(model, Settings(effort="high")))
    return 0 if is_good else 1


def section(console: Console, title: str) -> None:
    console.print("")
    console.print(Rule(Text(title, style="bold"), style="dim", align="left"), soft_wrap=False)
    console.print("")


def draw(task: Task, rng: Random, level: str) -> Example:
    return task.sample(rng, level, split="held_out")


def show_one(console: Console, model: Model, example: Example, effort: str, seed: int) -> None:
    """One question asked and answered before your eyes, and marked."""
    console.print(Text.assemble(("❯ ", "bold cyan"), example.question))
    console.print("")
    if example.tools:
        offered = ", ".join(f"{tool.name}({', '.join(names_of(tool))})" for tool in example.tools)
        console.print(Text(f"offered: {offered}\n", style="dim"))
    began = time.monotonic()
    messages = conversation(example, effort)
    talk = model.begin(messages, tools=example.tools, effort=effort, seed=seed, max_tokens=1024)
    pieces, is_stopped = show_reply(talk, Screen(console, console))
    if is_stopped:
        raise KeyboardInterrupt
    text = "".join(piece.text for piece in pieces if piece.kind == "answer")
    calls = [piece.tool_call for piece in pieces if piece.tool_call is not None]
    is_right = TASKS[example.task].grade(example, said(text, calls)) == 1.0
    took = footer(talk, time.monotonic() - began, is_stopped)
    verdict = mark(is_right)
    if not is_right:
        verdict.append(f"  expected {example.answer}", style="default")
    console.print(verdict, Text(f" · {took}", style="dim"))


def names_of(tool: Tool) -> list[str]:
    return list(tool.parameters.get("properties", {}))


def mark(is_right: bool) -> Text:
    return Text("✓", style="bold green") if is_right else Text("✗", style="bold red")


def problems(console: Console, model: Model, rng: Random, seed: int) -> int:
    """Five held-out problems of each skill, at both efforts; how many chains thinking got right."""
    num_chains = 0
    asker = Asker(model.loaded.computing, model.loaded.chat, seed=seed)
    for task in TASKS.values():
        levels = spread(task.levels, PROBLEMS)
        examples = [draw(task, rng, level) for level in levels]
        asked = [(example, effort) for effort in ("none", "high") for example in examples]
        section(console, f"Five problems it has never seen: {task.name}")
        with waiting(f"{len(asked)} questions at once"):
            replies = asker(asked)
        quick, slow = replies[: len(examples)], replies[len(examples) :]
        table, num_right = marked(task, examples, quick, slow, console.width)
        console.print(table, soft_wrap=False)
        if task.name == "chain":
            num_chains = num_right
    return num_chains


def spread(levels: tuple[str, ...], count: int) -> list[str]:
    """So many levels from easiest to hardest."""
    return [levels[place * (len(levels) - 1) // (count - 1)] for place in range(count)]


def marked(
    task: Task, examples: list[Example], quick: list[Replied], slow: list[Replied], width: int
) -> tuple[Table, int]:
    """Questions, answers and marks; and how many were right with thinking."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=False)
    room = max(24, min(width, 120) - 56)
    table.add_column("question", max_width=room, no_wrap=True, overflow="ellipsis")
    for name in ("right answer", "at once", "thinking"):
        table.add_column(name, max_width=16, no_wrap=True, overflow="ellipsis")
    right = {"at once": 0, "thinking": 0}
    for example, *replies in zip(examples, quick, slow, strict=True):
        cells: list[Text] = []
        for name, replied in zip(right, replies, strict=True):
            is_right = task.grade(example, replied.answer) == 1.0
            right[name] += is_right
            answer = one_line(bare(replied.answer)) or "(nothing)"
            cells.append(Text.assemble(mark(is_right), f" {answer}"))
        question = one_line(example.question)
        table.add_row(Text(question), Text(one_line(bare(example.answer)), style="dim"), *cells)
    totals = [Text(f"{count} of {len(examples)}", style="bold") for count in right.values()]
    table.add_row("", "", *totals)
    return table, right["thinking"]


def bare(answer: str) -> str:
    """An answer without the fence around code."""
    return "\n".join(line for line in answer.split("\n") if not line.startswith("```")).strip()


def picture(image: Image.Image, console: Console) -> Text:
    """A picture as a terminal shows it: two pixels a character, one above the other."""
    width = min(image.width, shutil.get_terminal_size().columns - 4, 64)
    height = max(2, round(image.height * width / image.width) // 2 * 2)
    small = image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    text = Text()
    for row in range(0, height, 2):
        text.append("  ")
        for column in range(width):
            pair = [pixel(small, column, row), pixel(small, column, row + 1)]
            text.append(*character(pair, has_colour=not console.no_color and console.is_terminal))
        text.append("\n")
    return text


def pixel(image: Image.Image, column: int, row: int) -> tuple[int, int, int]:
    found = image.getpixel((column, row))
    assert isinstance(found, tuple), "the picture is in colour"
    return int(found[0]), int(found[1]), int(found[2])


def character(pair: list[tuple[int, int, int]], *, has_colour: bool) -> tuple[str, Style]:
    """Half a block in two colours, or, without colour, dots for what is dark."""
    if has_colour:
        upper, lower = (Color.from_rgb(*rgb) for rgb in pair)
        return "▀", Style(color=upper, bgcolor=lower)
    dark = [sum(rgb) < 384 for rgb in pair]
    return {(True, True): "█", (True, False): "▀", (False, True): "▄"}.get(
        (dark[0], dark[1]), " "
    ), Style()
