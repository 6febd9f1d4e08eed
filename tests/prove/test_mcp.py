"""The tools over MCP, through the protocol's own client and real pipes."""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters

from bise.commands.prove_mcp import run_mcp
from bise.errors import UserError
from bise.judge import WasmLean
from bise.judge.backend import NoLean

ROOT = Path(__file__).parents[2]
CHALLENGE = "theorem t (n : Nat) : n + 0 = n := sorry\n"
PROOF = "theorem t (n : Nat) : n + 0 = n := by\n  magic\n"
OURS = ["check", "goal", "try_many", "search", "verify"]
THEIRS = ["lean_goal", "lean_multi_attempt", "lean_local_search", "lean_diagnostic_messages"]


def command(*arguments: str) -> StdioServerParameters:
    """A Python program with our sources."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return StdioServerParameters(
        command=sys.executable, args=list(arguments), env={**environment, "PYTHONPATH": path}
    )


def with_server(
    server: StdioServerParameters, body: Callable[[Client], Awaitable[None]], mode: str = "auto"
) -> None:
    async def run() -> None:
        with anyio.fail_after(300):
            async with Client(server, mode=mode) as client:
                await body(client)

    anyio.run(run)


async def answer(client: Client, tool: str, **arguments: Any) -> str:
    reply = await client.call_tool(tool, arguments)
    return reply.content[0].text


@pytest.fixture
def stand_in(tmp_path) -> StdioServerParameters:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "C.lean").write_text(CHALLENGE)
    return command("-m", "tests.prove.mcp_stand_in", str(folder), str(tmp_path / "home"))


@pytest.mark.parametrize("mode", ["auto", pytest.param("legacy", marks=pytest.mark.slow)])
def test_tools_are_called_over_pipes_and_a_bug_leaves_the_server_standing(stand_in, mode):
    async def body(client: Client) -> None:
        listed = (await client.list_tools()).tools
        assert [one.name for one in listed] == OURS + THEIRS
        for one in listed:
            assert one.description and one.input_schema["type"] == "object"
            assert one.annotations is not None and one.annotations.read_only_hint
        assert (await answer(client, "check", path="C.lean")).startswith("open in line 1")
        assert "closes it" in await answer(
            client, "try_many", path="C.lean", line=1, tactics=["magic"]
        )
        assert (await answer(client, "search", query="?a + ?b = ?b + ?a")).startswith("Nat.add_com")
        reply = await client.call_tool("verify", {"challenge_path": "C.lean", "text": PROOF})
        assert reply.structured_content["verdict"] == "accepted" and not reply.is_error
        goal = json.loads(await answer(client, "lean_goal", file_path="C.lean", line=1, column=37))
        assert goal["status"] == "goals"
        assert (await answer(client, "goal", path="C.lean", line=1)).startswith("⊢ ∀ (n : Nat)")
        snippets = {"snippets": ["magic", "wrong"]}
        tried = await answer(client, "lean_multi_attempt", file_path="C.lean", line=1, **snippets)
        assert [bool(one["diagnostics"]) for one in json.loads(tried)["items"]] == [False, True]
        found = await answer(client, "lean_local_search", query="Nat.add_com", limit=1)
        assert [one["name"] for one in json.loads(found)["items"]] == ["Nat.add_comm"]
        told = await answer(client, "lean_diagnostic_messages", file_path="C.lean")
        assert [one["severity"] for one in json.loads(told)["items"]] == ["warning"]
        reply = await client.call_tool("verify", {"challenge": CHALLENGE, "text": CHALLENGE})
        assert reply.structured_content["verdict"] == "rejected"
        reply = await client.call_tool("check", {"path": "../../etc/passwd"})
        assert reply.is_error and reply.content[0].text.startswith("error: ")
        with pytest.raises(MCPError):
            await client.call_tool("check", {"text": "breaks"})
        assert await answer(client, "check", text="-- nothing") == "no errors, no gaps"

    with_server(stand_in, body, mode)


@pytest.mark.slow
def test_who_asks_hears_what_is_being_waited_for(stand_in):
    heard: list[str | None] = []

    async def told(_done: float, _total: float | None, message: str | None) -> None:
        heard.append(message)

    async def body(client: Client) -> None:
        await client.call_tool("check", {"text": "-- slow"}, progress_callback=told)

    with_server(stand_in, body)
    assert "starting Lean" in heard


def test_the_command_wants_a_folder(tmp_path):
    with pytest.raises(UserError, match="is no folder"):
        run_mcp(tmp_path / "none")


@pytest.mark.full
def test_with_lean_a_proof_is_found_and_judged(tmp_path):
    try:
        WasmLean()
    except NoLean:
        pytest.skip("Lean is not installed: `bise prove setup`")
    (tmp_path / "C.lean").write_text(CHALLENGE)

    async def body(client: Client) -> None:
        assert "⊢ n + 0 = n" in await answer(client, "check", path="C.lean")
        assert "⊢ n + 0 = n" in await answer(client, "goal", path="C.lean", line=1)
        tried = await answer(client, "try_many", path="C.lean", line=1, tactics=["rfl", "exact 1"])
        assert tried.split("\n")[1] == "   closes it" and "2. exact 1" in tried
        told = await answer(client, "lean_diagnostic_messages", file_path="C.lean")
        assert "sorry" in json.loads(told)["items"][0]["message"]
        for proof, verdict in (("rfl", "accepted"), ("sorry", "rejected")):
            text = CHALLENGE.replace("sorry", proof)
            reply = await client.call_tool("verify", {"challenge": CHALLENGE, "text": text})
            assert reply.structured_content["verdict"] == verdict

    with_server(command("-m", "bise.cli", "prove", "mcp", str(tmp_path)), body)
