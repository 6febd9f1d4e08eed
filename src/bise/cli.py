"""Every command, each a few lines over the rooms. Long, because flags and their words are."""

import os
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from bise.cli_prove import Lean, Project, prove_app
from bise.errors import UserError, refused_by_system
from bise.flags import takes_settings
from bise.groups import RunByDefault
from bise.settings import MOST_GIB
from bise.sources import read_settings

UsageFault: type[Exception] = typer.BadParameter.__bases__[0]
"""What typer raises for a wrong option; newer releases carry a click of their own."""


app = typer.Typer(
    name="bise",
    help="An open implementation of Mistral Small 4.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
train_app = typer.Typer(cls=RunByDefault, help="Make weights, or write them out.")
eval_app = typer.Typer(cls=RunByDefault, help="Measure a model with and without thinking.")
keys_app = typer.Typer(no_args_is_help=True, help="Who may use a server.")
app.add_typer(train_app, name="train")
app.add_typer(eval_app, name="eval")
app.add_typer(keys_app, name="keys")
app.add_typer(prove_app, name="prove")

ModelName = Annotated[str, Argument(help="A model that ships, a folder, or a hub id.")]
DType = Annotated[str | None, Option(help="bfloat16 or float32; by default what is faster here.")]
Backend = Annotated[str, Option(help="core, torch, or auto: the core where there is one.")]
MemoryGib = Annotated[
    float,
    Option(min=0, max=MOST_GIB, help="For packed weights; experts beyond it are read from disk."),
]
KINDS = ("stored", "bf16", "int8", "int4")
Weights = Annotated[str, Option(help="The core's matrices: stored, bf16, int8 or int4.")]
Eagle = Annotated[str | None, Option(help="The folder of a draft head that guesses ahead.")]
Config = Annotated[Path | None, Option(help="A TOML file with settings, under `[serve]`.")]


@app.command()
def chat(
    model: ModelName = "nano",
    effort: Annotated[str, Option(help="How much to think before answering: none, high.")] = "none",
    image: Annotated[list[Path] | None, Option(help="A picture for the first question.")] = None,
    system: Annotated[str, Option(help="What the model is told before anything else.")] = "",
    temperature: Annotated[
        float | None, Option(help="0 takes the likeliest token; by default 0.7 with thinking.")
    ] = None,
    max_tokens: Annotated[int | None, Option(help="Of one reply, thinking included.")] = None,
    seed: Annotated[int | None, Option(help="The same seed gives the same replies.")] = None,
    schema: Annotated[Path | None, Option(help="A file with the JSON Schema of answers.")] = None,
    dtype: DType = None,
    weights: Weights = "stored",
    memory_gib: MemoryGib = 0.0,
) -> None:
    """Talk to a model in this terminal, or pipe a question in."""
    from bise.commands import chat as room
    from bise.commands.show import err, loading_bar
    from bise.engine import use_threads_for
    from bise.face import load
    from bise.text import resolve_effort

    settings = room.Settings(
        effort=resolve_effort(effort),
        system=system,
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
        schema=None if schema is None else room.read_schema(schema),
    )
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    question = "" if is_terminal else room.read_question()
    with loading_bar(f"reading {model}") as progress:
        loaded = load(
            model,
            dtype=dtype,
            weights=one_of("weights", weights, KINDS),
            memory_gib=memory_gib,
            progress=progress,
        )
    use_threads_for(loaded.loaded.config)
    with loaded:
        conversation = room.Conversation(loaded, settings)
        for path in image or ():
            conversation.add_image(str(path))
        if not is_terminal:
            room.answer_once(conversation, question)
            return
        words = f"{loaded.name}, effort {settings.effort}. /help lists commands.\n"
        err().print(words, style="dim", markup=False)
        room.talk_in_terminal(conversation)


@app.command()
@takes_settings
def serve(config: Path | None, **flags: Any) -> None:
    """Serve a model over HTTP, as clients of OpenAI, Mistral and Anthropic expect it."""
    from bise.commands.serve import run_server

    run_server(read_settings(flags, config=config))


@app.command("config")
def config_(
    config: Config = None,
    as_json: Annotated[bool, Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what `bise serve` would be told by variables and a file, and which said what."""
    from bise.commands.config import show_config

    show_config(read_settings({}, config=config), as_json=as_json)


KeyFile = Annotated[
    Path | None, Option("--keys", help="The key file; by default the one in the settings.")
]


@keys_app.command("add")
def keys_add(
    name: Annotated[str, Argument(help="Whose key it is; shown in logs.")],
    keys: KeyFile = None,
    requests_per_minute: Annotated[int, Option(min=0, help="0 is no limit.")] = 0,
    tokens_per_minute: Annotated[int, Option(min=0, help="Read and written; 0 is no limit.")] = 0,
    tokens_per_day: Annotated[int, Option(min=0, help="0 is no limit.")] = 0,
    concurrent: Annotated[int, Option(min=0, help="Requests at once; 0 is no limit.")] = 0,
    priority: Annotated[int, Option(help="Of its requests; lower goes first.")] = 0,
    tenant: Annotated[
        str, Option(help="Keys of one tenant share known beginnings of prompts.")
    ] = "",
    may_verify: Annotated[
        bool, Option("--may-verify", help="It may use the judge at /v1/verify.")
    ] = False,
) -> None:
    """Make a key; it is printed once, and the file keeps its digest."""
    from bise.commands import keys as room

    room.add(
        room.need_file(keys, read_settings({}).settings.keys),
        name,
        requests_per_minute=requests_per_minute,
        tokens_per_minute=tokens_per_minute,
        tokens_per_day=tokens_per_day,
        concurrent=concurrent,
        priority=priority,
        tenant=tenant,
        may_verify=may_verify,
    )


@keys_app.command("list")
def keys_list(keys: KeyFile = None) -> None:
    """List keys, their limits, and what they have used today."""
    from bise.commands import keys as room

    room.list_keys(room.need_file(keys, read_settings({}).settings.keys))


@keys_app.command("revoke")
def keys_revoke(
    name: Annotated[str, Argument(help="Whose key it is.")], keys: KeyFile = None
) -> None:
    """Take a key away; running servers notice with their next request."""
    from bise.commands import keys as room

    room.revoke(room.need_file(keys, read_settings({}).settings.keys), name)


@app.command()
def top(
    url: Annotated[
        str, Argument(help="A server of `bise serve`, or another with vLLM's metrics.")
    ] = "http://127.0.0.1:8000",
    once: Annotated[bool, Option("--once", help="Print one view and leave.")] = False,
    api_key: Annotated[str | None, Option(help="For a server that asks for one.")] = None,
) -> None:
    """Watch a running server's numbers, live in this terminal."""
    from bise.commands.top import run_top

    run_top(url, api_key=api_key, is_once=once)


@app.command()
def demo(
    seed: Annotated[
        int | None, Option(help="Decides the problems; by default today's date.")
    ] = None,
) -> None:
    """Watch nano answer, think and see, and mark it on problems it was never trained on."""
    from bise.commands.demo import demo as run_demo

    raise typer.Exit(run_demo(int(f"{date.today():%Y%m%d}") if seed is None else seed))


@app.command("verify")
def verify_(
    challenge: Annotated[
        Path | None, Argument(help="Statements with `sorry`: a file, or a folder of modules.")
    ] = None,
    submission: Annotated[Path | None, Argument(help="The same again, with proofs.")] = None,
    certificate: Annotated[
        Path | None, Option(help="A folder that `bise prove` wrote, to be judged again.")
    ] = None,
    examples: Annotated[
        Path | None, Option(help="Lines `#guard …` that submitted definitions must agree with.")
    ] = None,
    disprove: Annotated[
        list[str] | None,
        Option(help="A target whose negation `not_TARGET` was proved instead; may be repeated."),
    ] = None,
    allow_predicate_holes: Annotated[
        bool, Option("--allow-predicate-holes", help="The verdict then asks for a review.")
    ] = False,
    timeout_s: Annotated[int, Option(min=1, help="CPU seconds of each process.")] = 120,
    lean: Lean = "wasm",
    project: Project = None,
    as_json: Annotated[bool, Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge a Lean proof: exit 0 accepted, 1 rejected, 2 unusable, 3 failed."""
    from bise.commands.verify import run_verify

    raise typer.Exit(
        run_verify(
            challenge,
            submission,
            certificate=certificate,
            examples=examples,
            disproves=disprove or [],
            allows_predicates=allow_predicate_holes,
            timeout_s=timeout_s,
            backend=one_of("lean", lean, ("wasm", "native")),
            project=project,
            as_json=as_json,
        )
    )


@app.command("inspect")
def inspect_(
    target: Annotated[str, Argument(metavar="FOLDER_OR_PRESET", help="What to look at.")],
    as_json: Annotated[bool, Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a checkpoint or a preset is, without reading its weights."""
    from bise.commands.weights import show_inspection

    show_inspection(target, as_json=as_json)


@app.command("random")
def random_(
    preset: Annotated[str, Argument(help="The shape.")],
    dst: Annotated[Path, Argument(help="A new folder.")],
    seed: Annotated[int, Option(help="Decides the numbers.")] = 0,
    layout: Annotated[str, Option(help="native or hf.")] = "native",
    quant: Annotated[str, Option(help="none, fp8 or nvfp4.")] = "none",
    eagle: Annotated[bool, Option("--eagle", help="A draft head for the shape instead.")] = False,
) -> None:
    """Write a checkpoint with random weights, to try things with."""
    from bise.commands.weights import make_random

    make_random(
        preset,
        dst,
        seed,
        one_of("layout", layout, ("native", "hf")),
        one_of("quant", quant, ("none", "fp8", "nvfp4")),
        is_head=eagle,
    )


@app.command()
def doctor(
    as_json: Annotated[bool, Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what this machine computes with, and why."""
    from bise.commands.doctor import doctor as examine

    examine(as_json=as_json)


@app.command("list-model-profiles")
def list_model_profiles(
    model: Annotated[str, Argument(help="A model that ships, a preset, or a folder.")] = "nano",
    as_json: Annotated[bool, Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say in which forms a model can be run on this machine, as NIM's containers do."""
    from bise.commands.profiles import show_profiles

    show_profiles(model, as_json=as_json)


@app.command("convert")
def convert_(
    src: Annotated[str, Argument(help="A folder, a model that ships, or a hub id.")],
    dst: Annotated[Path, Argument(help="A new folder, or the one a broken-off run left.")],
    to: Annotated[str, Option(help="native or hf.")],
    quant: Annotated[str, Option(help="none, fp8 or nvfp4.")] = "none",
    calibrate: Annotated[
        str | None,
        Option(
            metavar="FILE|none",
            help="Text to measure fp8's scales with; by default problems of our own.",
        ),
    ] = None,
) -> None:
    """Write a checkpoint in another layout or quantisation."""
    from bise.commands.weights import run_convert

    run_convert(
        src,
        dst,
        one_of("to", to, ("native", "hf")),
        one_of("quant", quant, ("none", "fp8", "nvfp4")),
        calibrate,
    )


@app.command("pack")
def pack_(
    src: Annotated[str, Argument(help="A folder, a model that ships, a hub id, or a preset.")],
    dst: Annotated[Path, Argument(help="A new folder.")],
    weights: Weights = "stored",
) -> None:
    """Write weights as the core reads them: served at once, without reading them first."""
    from bise.commands.weights import run_pack

    run_pack(src, dst, one_of("weights", weights, KINDS))


@app.command("bench")
def bench_(
    model: Annotated[
        str, Argument(help="A model that ships, a folder, a hub id, or a preset to fill at random.")
    ] = "nano",
    prompt: Annotated[
        list[int] | None, Option(min=1, help="Tokens of a prompt; may be repeated.")
    ] = None,
    streams: Annotated[
        list[int] | None, Option(min=1, help="Replies at once; may be repeated.")
    ] = None,
    new_tokens: Annotated[int, Option(min=2, help="Tokens of a timed reply.")] = 48,
    repeats: Annotated[int, Option(min=1, help="Rounds; medians are of these.")] = 3,
    deterministic: Annotated[bool, Option("--deterministic", help="The exact runner.")] = False,
    cache: Annotated[str, Option(help="plain, fp8 or int8.")] = "plain",
    plain: Annotated[
        bool, Option("--plain", help="Without shared prefixes and guesses, to compare.")
    ] = False,
    as_json: Annotated[bool, Option("--json", help="Print JSON.")] = False,
    picture: Annotated[Path | None, Option(help="Draw reading and writing speed here.")] = None,
    against: Annotated[
        list[str] | None,
        Option(
            metavar="PEER[:FORMAT][=PATH]",
            help="Side by side on the same weights, taking turns: llamacpp=BUILD, ik=BUILD,"
            " transformers[=PYTHON], vllm=PYTHON; or small3. May be repeated.",
        ),
    ] = None,
    positions: Annotated[
        int, Option(min=0, help="With --against: where predictions are compared; 0 is nowhere.")
    ] = 2000,
    backend: Backend = "auto",
    weights: Weights = "stored",
    memory_gib: MemoryGib = 0.0,
    eagle: Eagle = None,
    dtype: DType = None,
) -> None:
    """Measure latency, throughput, reading speed and what is not computed twice."""
    if against:
        from bise.commands.against import run_against

        if picture is not None:
            raise UserError("`--picture` draws one engine", hint="leave it or `--against` out")
        run_against(
            model,
            against,
            weights=one_of("weights", weights, KINDS),
            prompt_tokens=prompt or [],
            streams=streams or [],
            new_tokens=new_tokens,
            rounds=repeats,
            positions=positions,
            as_json=as_json,
        )
        return
    from bise.commands.bench import run_bench

    run_bench(
        model,
        dtype=dtype,
        eagle=eagle,
        backend=one_of("backend", backend, ("auto", "core", "torch")),
        weights=one_of("weights", weights, KINDS),
        memory_bytes=int(memory_gib * 2**30),
        prompt_tokens=prompt or [],
        streams=streams or [],
        new_tokens=new_tokens,
        repeats=repeats,
        is_exact=deterministic,
        cache=one_of("cache", cache, ("plain", "fp8", "int8")),
        plain=plain,
        as_json=as_json,
        picture=picture,
    )


Tokenizer = Annotated[Path | None, Option(help="A tekken.json; by default nano's.")]


@train_app.command("run")
def train_run(
    preset: Annotated[str, Argument(help="The shape to train.")],
    out: Annotated[Path, Option(help="The run's folder; one that has a state goes on.")],
    max_minutes: Annotated[float | None, Option(help="Minutes over all parts of the run.")] = None,
    anneal: Annotated[bool, Option("--anneal", help="Decay within those minutes.")] = False,
    steps: Annotated[int | None, Option(help="Steps of the whole run.")] = None,
    decay_at: Annotated[int | None, Option(help="The first step of the decay.")] = None,
    stop_at: Annotated[int | None, Option(help="Stop as it is before this step.")] = None,
    processes: Annotated[
        int | None, Option(min=1, help="Processes that share a step; 2, with makers or a GPU 1.")
    ] = None,
    device: Annotated[str, Option(help="Where to compute: `cpu`, `cuda`.")] = "cpu",
    makers: Annotated[int, Option(min=0, help="Processes that make samples ahead.")] = 0,
    seed: Annotated[
        int | None, Option(help="Decides weights and problems; 0 for a new run.")
    ] = None,
    settings: Annotated[
        list[str] | None, Option("--set", metavar="FIELD=VALUE", help="Change the config.")
    ] = None,
    tokenizer: Tokenizer = None,
) -> None:
    """Train a preset on the skills of nano, or go on where a run stopped."""
    from bise.commands.train import run_train
    from bise.train.limits import Limits

    limits = Limits(
        steps=steps, decay_at=decay_at, max_minutes=max_minutes, anneal=anneal, stop_at=stop_at
    )
    run_train(
        preset,
        out,
        limits,
        seed=seed,
        processes=processes or (2 if device == "cpu" and not makers else 1),
        device=device,
        makers=makers,
        settings=settings or [],
        tokenizer=tokenizer,
    )


@train_app.command("tokenizer")
def train_tokenizer(
    preset: Annotated[str, Argument(help="The shape whose vocabulary is to be filled.")],
    dst: Annotated[Path, Argument(help="The tekken.json to write.")],
    seed: Annotated[int, Option(help="Decides the texts.")] = 0,
    texts: Annotated[int, Option(min=1, help="Texts of each skill.")] = 20_000,
) -> None:
    """Learn a vocabulary on the texts of the skills, and write it as a tekken.json."""
    from bise.commands.outputs import need_file
    from bise.commands.train import tokenizer

    need_file(dst)
    tokenizer(preset, dst, seed, texts)


@train_app.command("export")
def train_export(
    run: Annotated[Path, Argument(metavar="DIR", help="The folder of a training run.")],
    dst: Annotated[Path, Argument(help="Where the checkpoint goes.")],
    tokenizer: Tokenizer = None,
) -> None:
    """Write a run's newest weights as a checkpoint."""
    from bise.commands.train import export

    export(run, dst, tokenizer)


@eval_app.command("run")
def eval_run(
    model: ModelName,
    task: Annotated[list[str] | None, Option(help="A task; by default all.")] = None,
    num: Annotated[int, Option(min=1, max=100_000, help="Questions a task and effort.")] = 500,
    seed: Annotated[int, Option(help="Decides the questions.")] = 0,
    out: Annotated[Path | None, Option(help="Keep records and picture here.")] = None,
    dtype: DType = None,
) -> None:
    """Ask held-out questions at both efforts, and mark the answers."""
    from bise.commands.evaluate import run_eval

    run_eval(model, task or [], num, seed, out, dtype)


@eval_app.command("report")
def eval_report(
    model: ModelName = "nano",
    page: Annotated[Path, Option(help="The page with the table.")] = Path("README.md"),
    records: Annotated[
        Path | None, Option(help="Where the records are; by default beside the weights.")
    ] = None,
    check: Annotated[bool, Option("--check", help="Change nothing; exit 1 if stale.")] = False,
) -> None:
    """Bring the numbers of a page in step with the records of an evaluation."""
    from bise.commands.evaluate import run_report

    is_current = run_report(model, page, records, is_check=check)
    raise typer.Exit(1 if check and not is_current else 0)


@eval_app.command("prove")
def eval_prove(
    problems: Annotated[
        str,
        Option(
            "--set",
            help="`core`, a part of it (`core/repair`, `core/3`), or a path: a folder of Lean"
            " files, or a benchmark (lean-eval, miniF2F, PutnamBench, VERINA, CLEVER).",
        ),
    ] = "core",
    only: Annotated[list[str] | None, Option(help="A problem; by default all.")] = None,
    model: Annotated[
        str | None, Option(help="An address or a folder; without one, automation.")
    ] = None,
    tactics: Annotated[
        str | None, Option(help="A small model that suggests tactics after automation.")
    ] = None,
    attempts: Annotated[int, Option("--attempts", "-k", min=1, help="Of a model, each.")] = 8,
    cpu_s: Annotated[float, Option(help="CPU seconds of Lean for automation, each.")] = 60.0,
    tokens: Annotated[int | None, Option(min=1, help="Of a model, each.")] = None,
    usd_per_hour: Annotated[
        float | None, Option("--usd-per-hour", help="What the model's machine costs.")
    ] = None,
    out: Annotated[Path, Option(help="Records; what has one is not done again.")] = Path(
        "prove-eval"
    ),
    beside: Annotated[
        list[Path] | None, Option(help="A folder of another run, drawn into the same picture.")
    ] = None,
) -> None:
    """Prove problems and have every proof judged: solved, pass@k, price."""
    from bise.commands.prove_bench import run_prove_eval

    run_prove_eval(
        problems,
        only=only or (),
        model=model,
        attempts=attempts,
        cpu_s=cpu_s,
        tokens=tokens,
        usd_per_hour=usd_per_hour,
        folder=out,
        beside=beside or (),
        tactics=tactics,
    )


def one_of(name: str, value: str, words: tuple[Any, ...]) -> Any:
    """A word of a short list."""
    from bise.errors import quoted

    if value not in words:
        raise UserError(f"`--{name}` is `{value}`, expected one of {quoted(words)}")
    return value


def main(args: list[str] | None = None) -> None:
    """Run a command. Faults of the user are two lines and exit 2; a traceback is our bug."""
    from safetensors import SafetensorError

    from bise.commands.show import err, tell_error

    try:
        status = app(args, standalone_mode=False)
    except UserError as error:
        tell_error(error)
        status = 2
    except UsageFault as fault:
        where = getattr(getattr(fault, "ctx", None), "command_path", "bise")
        words: str = getattr(fault, "format_message", fault.__str__)()
        words = words[:1].lower() + words[1:].rstrip(".")
        if words:  # else nothing was asked for, and the help has been printed
            tell_error(UserError(words, hint=f"`{where} --help` lists what there is"))
        status = 2
    except (KeyboardInterrupt, typer.Abort):
        err().print("")
        status = 130
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stderr.close()
        with suppress(OSError, AttributeError):  # what is left must not fail once more at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except OSError as error:
        tell_error(refused_by_system(error))
        status = 2
    except SafetensorError as error:  # of a full disk, too
        words = f"weights cannot be read or written: {next(iter(str(error).splitlines()), '')}"
        tell_error(UserError(words, hint="check the file, and that its disk has space"))
        status = 2
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
