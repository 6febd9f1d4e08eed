"""`make test-clients`: real clients through every door, and docs/clients.md from what they could.

Installs what is missing, then goes on where there is no network but loopback. Each client meets
the real server twice: over the scripted engine, and over nano if its prompts fit there.
"""

import argparse
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import httpx
from tests.clients import agents, programs
from tests.clients import environments as places
from tests.clients.pictures import red_square
from tests.clients.serving import MODEL, scripted_server
from tests.clients.shell import NOTE, Abilities, Shell, driver
from tests.clients.table import Found, Outcome, write_page

INSIDE = "BISE_CLIENTS_INSIDE"
"""Set where there is no network any more."""

NANO_S = 120


@dataclass(frozen=True)
class Client:
    """One row of the table."""

    name: str
    base: str
    """What its user types."""

    version: Callable[[], str]
    abilities: Callable[[Shell], Abilities]
    fits_nano: bool = True


def rows() -> list[Client]:
    """All clients, those of the fast subset first."""
    main, node = sys.executable, "node"

    def library(package: str, base: str, file: str) -> Client:
        return Client(package, base, lambda: version(package), driver(main, file))

    def ours(name: str, place: places.Environment, base: str, file: str) -> Client:
        made = driver(place.command("python"), file)
        return Client(name, base, place.version, made)

    def npm(package: str, base: str, file: str) -> Client:
        made = driver(node, file)
        return Client(package, base, lambda: places.npm_version(package), made)

    def agent(name: str, package: str, base: str, made: Callable[[Shell], Abilities]) -> Client:
        return Client(name, base, lambda: places.npm_version(package), made, fits_nano=False)

    def program(
        name: str, place: places.Environment, base: str, made: Callable[[Shell], Abilities],
        *, fits_nano: bool = True,
    ) -> Client:  # fmt: skip
        return Client(name, base, place.version, made, fits_nano)

    return [
        library("mistralai", '`server_url="http://HOST"`', "mistralai_python"),
        library("openai", '`base_url="http://HOST/v1"`', "openai_python"),
        library("anthropic", '`base_url="http://HOST"`', "anthropic_python"),
        ours("litellm, `mistral/` and `openai/`", places.LITELLM, '`api_base="http://HOST/v1"`',
             "litellm_python"),
        npm("@mistralai/mistralai", '`serverURL: "http://HOST"`', "mistralai_typescript"),
        npm("@ai-sdk/mistral", '`baseURL: "http://HOST/mistral/v1"`', "ai_sdk_mistral"),
        npm("@ai-sdk/openai-compatible", '`baseURL: "http://HOST/v1"`', "ai_sdk_openai_compatible"),
        ours("langchain-mistralai", places.LANGCHAIN, '`base_url="http://HOST/mistral/v1"`',
             "langchain_mistralai_python"),
        ours("pydantic-ai, Mistral's and OpenAI's model", places.PYDANTIC_AI,
             '`MistralProvider(base_url="http://HOST/mistral")`, '
             '`OpenAIProvider(base_url="http://HOST/v1")`', "pydantic_ai_python"),
        agent("Claude Code", "@anthropic-ai/claude-code",
              "`ANTHROPIC_BASE_URL=http://HOST`, `ANTHROPIC_MODEL`", agents.claude_code),
        agent("Codex CLI", "@openai/codex",
              '`base_url = "http://HOST/v1"`, `wire_api = "responses"`', agents.codex),
        agent("opencode", "opencode-ai",
              '`"npm": "@ai-sdk/openai-compatible"`, `"baseURL": "http://HOST/v1"`',
              agents.opencode),
        *(program(f"mistral-vibe, `{style}`", places.VIBE,
                  f'`api_base = "http://HOST{"" if style == "anthropic" else "/v1"}"`',
                  agents.vibe(style), fits_nano=False)
          for style in agents.VIBE_STYLES),
        program("aider", places.AIDER, "`OPENAI_API_BASE=http://HOST/v1`", agents.aider,
                fits_nano=False),
        program("llm", places.LLM, "`api_base: http://HOST/v1`", programs.llm),
        program("inspect-ai, `openai-api/`", places.INSPECT, "`X_BASE_URL=http://HOST/v1`",
                programs.inspect("openai-api/bise")),
        program("inspect-ai, `mistral/`", places.INSPECT, "`MISTRAL_BASE_URL=http://HOST`",
                programs.inspect("mistral")),
        program("lm-eval, `local-chat-completions`", places.LM_EVAL,
                "`base_url=http://HOST/v1/chat/completions`", programs.lm_eval),
        program("guidellm", places.GUIDELLM, "`target=http://HOST`", programs.guidellm),
        program("aiperf", places.AIPERF, "`--url http://HOST`", programs.aiperf),
    ]  # fmt: skip


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("names", nargs="*", help="only clients whose names begin so")
    parser.add_argument("--keep", action="store_true", help="keep the folders they ran in")
    asked = parser.parse_args(words)
    if INSIDE not in os.environ:
        for place in places.ALL:
            place.install()
        places.install_npm()
        return alone(words)
    raise_loopback()
    chosen = [row for row in rows() if not asked.names or row.name.startswith(tuple(asked.names))]
    folder = Path(tempfile.mkdtemp(prefix="bise-clients-"))
    outcomes = list(try_all(chosen, folder))
    if not asked.keep:
        shutil.rmtree(folder, ignore_errors=True)
    failed = [one for one in outcomes if one.failures]
    if not asked.names:
        write_page(outcomes)
    print(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")
    return bool(failed)


def alone(words: Sequence[str]) -> int:
    """The same again where nothing can be reached but this machine itself."""
    command = [sys.executable, "-m", "tests.clients", *words]
    if shutil.which("unshare") is None:
        raise SystemExit("error: `unshare` is not here, and clients are tried without a network\n"
                         "hint: it belongs to util-linux")  # fmt: skip
    alone = ["unshare", "--net", "--map-root-user", "--", *command]
    return subprocess.run(alone, env={**os.environ, INSIDE: "1"}).returncode


def raise_loopback() -> None:
    """A new network has a loopback that sleeps."""
    up, running, set_flags = 0x1, 0x40, 0x8914
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh", b"lo", up | running))


def try_all(chosen: Sequence[Client], folder: Path) -> Iterator[Outcome]:
    """Every client against both servers."""
    with scripted_server(accepts_any_model=True) as scripted, nano_server(folder) as nano:
        for number, row in enumerate(chosen):
            outcome = Outcome(row.name, row.base, row.version(), fits_nano=row.fits_nano)
            began = time.monotonic()
            shell = Shell(scripted.url, MODEL, folder / f"{number}-script")
            scripted.media_types.clear()
            outcome.scripted = attempt(row, shell)
            if not any("event-stream" in one for one in scripted.media_types):
                unless_streamed(outcome.scripted)
            if row.fits_nano:
                shell = Shell(nano, MODEL, folder / f"{number}-nano", is_nano=True)
                outcome.nano = attempt(row, shell)
            lasted_s = time.monotonic() - began
            print(f"{outcome.line}   {lasted_s:.0f} s", flush=True)
            yield outcome


def unless_streamed(found: Found) -> None:
    """A client that says it streams must have been sent a stream."""
    if "streaming" in found:
        found["streaming"] = AssertionError("nothing was streamed")


def attempt(row: Client, shell: Shell) -> Found:
    """What a client can do: for each ability a note, or what went wrong."""
    for place in (shell.home, shell.work):
        place.mkdir(parents=True)
    shell.write("work/note.txt", NOTE)
    (shell.work / "red.png").write_bytes(red_square())
    found: Found = {}
    try:
        abilities = row.abilities(shell)
    except Exception as error:
        return {"chat": error}
    for ability, do in abilities.items():
        try:
            found[ability] = do()
        except Exception as error:  # told in the table, and at the end
            found[ability] = error
    return found


@contextmanager
def nano_server(folder: Path) -> Iterator[str]:
    """`bise serve nano`, as anybody starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Under this name, for some clients know models by theirs, and ask no other to think.
    options = ["--port", str(port), "--served-model-name", MODEL]
    command = [str(Path(sys.executable).parent / "bise"), "serve", "nano", *options]
    with (folder / "nano.log").open("w") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told)
        try:
            url, ends = f"http://127.0.0.1:{port}", time.monotonic() + NANO_S
            while not is_ready(url):
                assert process.poll() is None and time.monotonic() < ends, "nano did not start"
                time.sleep(0.2)
            yield url
        finally:
            process.terminate()
            process.wait(60)


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/health/ready", timeout=10, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
