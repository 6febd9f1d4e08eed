"""Agents: programs that read and write files, and think between their tools."""

import json
from collections.abc import Callable
from typing import Any

from tests.clients import environments as places
from tests.clients.script import REMEMBERED, THOUGHT
from tests.clients.shell import SECRET, WORDS, Abilities, Shell, need, say


def claude_code(shell: Shell) -> Abilities:
    program = str(places.MODULES / "@anthropic-ai" / "claude-code-linux-x64" / "claude")
    env = {"ANTHROPIC_BASE_URL": shell.url, "ANTHROPIC_API_KEY": "x",
           "ANTHROPIC_MODEL": shell.model, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
           "DISABLE_TELEMETRY": "1"}  # fmt: skip

    def ask(text: str, *more: str) -> str:
        return shell.run(program, "-p", text, "--effort", "high", *more, **env)

    def events(text: str) -> list[dict[str, Any]]:
        shown = ask(text, "--output-format", "stream-json", "--include-partial-messages",
                    "--verbose")  # fmt: skip
        told = [json.loads(line) for line in shown.splitlines() if line.startswith("{")]
        parts = [one["event"] for one in told if one.get("type") == "stream_event"]
        return [one["delta"] for one in parts if one["type"] == "content_block_delta"]

    def chat():
        need(WORDS in ask(say(shell)), "no answer")

    def streaming():
        pieces = [one["text"] for one in events(say(shell)) if one["type"] == "text_delta"]
        need("".join(pieces) == WORDS and len(pieces) > 1, pieces)

    def reasoning():
        told = events(say(shell))
        pieces = [one["thinking"] for one in told if one["type"] == "thinking_delta"]
        need("".join(pieces) == THOUGHT, told)
        need(REMEMBERED in ask(read("note.txt")), "the trace did not come back after a tool")

    def read(name: str) -> str:
        return f"call Read <<{json.dumps({'file_path': str(shell.work / name)})}>>"

    def tools():
        need(SECRET in ask(read("note.txt")), "the tool's answer did not come")

    def image():
        need("It showed 1 picture(s)" in ask(read("red.png")), "no picture came")
        return "read from a file by its tool"

    return {"chat": chat, "streaming": streaming, "reasoning": reasoning, "tools": tools,
            "image": image}  # fmt: skip


def codex(shell: Shell) -> Abilities:
    program = str(places.MODULES / "@openai" / "codex" / "bin" / "codex.js")
    shell.write(
        "home/.codex/config.toml",
        f"""
model = "{shell.model}"
model_provider = "bise"
model_reasoning_effort = "high"
[model_providers.bise]
name = "bise"
base_url = "{shell.url}/v1"
wire_api = "responses"
""",
    )

    def ask(text: str, *more: str) -> list[dict[str, Any]]:
        shown = shell.run(
            "node", program, "exec", "--skip-git-repo-check", "--json",
            "--dangerously-bypass-approvals-and-sandbox", *more, "--", text,
        )  # fmt: skip
        return [json.loads(line) for line in shown.splitlines() if line.startswith("{")]

    def last(told: list[dict[str, Any]]) -> str:
        said = [one["item"].get("text", "") for one in told if one["type"] == "item.completed"]
        return said[-1]

    def chat():
        told = ask(say(shell))
        need(last(told) == WORDS, told)

    def streaming():
        need(last(ask("count to 300")).endswith(" 300"), "cut")

    call = 'call exec_command <<{"cmd": "cat note.txt"}>>'

    def reasoning():
        told = ask(call)
        need(REMEMBERED in last(told), told)
        need(told[-1]["usage"]["reasoning_output_tokens"] > 0, told[-1])

    def tools():
        told = ask(call)
        need(SECRET in last(told), told)

    def image():
        told = ask("look", "-i", "red.png")
        need("1 picture(s), 2 rows" in last(told), told)

    return {"chat": chat, "streaming": streaming, "reasoning": reasoning, "tools": tools,
            "image": image}  # fmt: skip


def opencode(shell: Shell) -> Abilities:
    program = str(places.MODULES / "opencode-linux-x64" / "bin" / "opencode")
    about = {"name": "small", "reasoning": True, "attachment": True,
             "modalities": {"input": ["text", "image"], "output": ["text"]},
             "options": {"reasoningEffort": "high"},
             "limit": {"context": 262_144, "output": 8192}}  # fmt: skip
    options = {"baseURL": f"{shell.url}/v1", "apiKey": "x"}
    provider = {"npm": "@ai-sdk/openai-compatible", "name": "bise", "options": options,
                "models": {shell.model: about}}  # fmt: skip
    config = {"provider": {"bise": provider}, "model": f"bise/{shell.model}",
              "autoupdate": False, "share": "disabled"}  # fmt: skip
    shell.write("work/opencode.json", json.dumps(config))

    def ask(text: str, *more: str) -> str:
        shown = shell.run(program, "run", "--format", "json", text, *more)
        told = [json.loads(line) for line in shown.splitlines() if line.startswith("{")]
        return "".join(one["part"]["text"] for one in told if one["type"] == "text")

    call = 'call bash <<{"command": "cat note.txt", "description": "show"}>>'

    def chat():
        need(ask(say(shell)) == WORDS, "another answer")

    def streaming():
        need(ask("count to 300").endswith(" 300"), "cut")

    def reasoning():
        need(REMEMBERED in ask(call), "the trace did not come back after a tool")

    def tools():
        need(SECRET in ask(call), "the tool's answer did not come")

    def image():
        need("1 picture(s), 2 rows" in ask("look", "-f", "red.png"), "no picture came")

    return {"chat": chat, "streaming": streaming, "reasoning": reasoning, "tools": tools,
            "image": image}  # fmt: skip


VIBE_STYLES = ("openai", "reasoning", "openai-responses", "anthropic", "mistral")
"""Its four API styles, and its backend for Mistral."""


def vibe(style: str) -> Callable[[Shell], Abilities]:
    def abilities(shell: Shell) -> Abilities:
        is_mistral = style == "mistral"
        shell.write(
            "home/.vibe/config.toml",
            f"""
active_model = "small"
enable_update_checks = false
enable_telemetry = false
[[providers]]
name = "bise"
api_base = "{shell.url}{"" if style == "anthropic" else "/v1"}"
api_style = "{"openai" if is_mistral else style}"
backend = "{"mistral" if is_mistral else "generic"}"
[[models]]
name = "{shell.model}"
provider = "bise"
alias = "small"
thinking = "high"
""",
        )

        def ask(text: str) -> str:
            shown = shell.run(
                places.VIBE.command("vibe"), "--yolo", "--trust", "-p", text, "--output", "json"
            )
            told = json.loads(shown[shown.index("[") :])
            return "\n".join(
                part["text"]
                for one in told
                if one["type"] == "message" and one["role"] == "assistant"
                for part in one["content"]
            )

        call = 'call bash <<{"command": "cat note.txt"}>>'

        def chat():
            need(ask(say(shell)) == WORDS, "another answer")

        def streaming():
            need(ask("count to 300").endswith(" 300"), "cut")

        def reasoning():
            need(REMEMBERED in ask(call), "the trace did not come back after a tool")

        def tools():
            need(SECRET in ask(call), "the tool's answer did not come")

        return {"chat": chat, "streaming": streaming, "reasoning": reasoning, "tools": tools}

    return abilities


def aider(shell: Shell) -> Abilities:
    env = {"OPENAI_API_KEY": "x", "OPENAI_API_BASE": f"{shell.url}/v1"}
    quiet = ("--no-git", "--yes-always", "--no-check-update", "--no-show-model-warnings",
             "--no-analytics", "--no-show-release-notes", "--no-gitignore", "--no-pretty",
             "--edit-format", "whole", "--map-tokens", "0")  # fmt: skip

    def ask(text: str, *more: str) -> str:
        program = places.AIDER.command("aider")
        model = f"openai/{shell.model}"
        return shell.run(program, "--model", model, *quiet, "--message", text, *more, **env)

    def chat():
        shell.write("work/code.py", "x = 1\n")
        ask("say <<code.py\n```\nx = 42\n```\n>>", "code.py")
        need((shell.work / "code.py").read_text() == "x = 42\n", "the file was not edited")
        return "edits a file"

    def streaming():
        need(" 299 300" in ask("count to 300"), "cut")

    def reasoning():
        shown = ask(say(shell), "--no-check-model-accepts-settings", "--reasoning-effort=high")
        need(THOUGHT in shown and WORDS in shown, shown)

    return {"chat": chat, "streaming": streaming, "reasoning": reasoning}
