"""Agents of others with our tools: Claude Code, told by a scripted model, asks our judge."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.clients import environments as places
from tests.clients.serving import MODEL, scripted_server

from bise.judge import WasmLean
from bise.judge.backend import NoLean

ROOT = Path(__file__).parents[2]
CLAUDE = places.MODULES / "@anthropic-ai" / "claude-code-linux-x64" / "claude"
CHALLENGE = "theorem t (n : Nat) : n + 0 = n := sorry\n"
NOWHERE = "http://127.0.0.1:9"


def is_installed() -> bool:
    try:
        WasmLean()
    except NoLean:
        return False
    return True


def ask_claude(folder: Path, url: str, server: list[str], words: str) -> str:
    """What Claude Code prints in the end, with our tools and a model at `url`."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    about = {"command": sys.executable, "args": server, "env": {"PYTHONPATH": path}}
    config = folder / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"bise": about}}))
    home = folder / "home"
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [
            str(CLAUDE), "-p", words, "--mcp-config", str(config), "--strict-mcp-config",
            "--allowedTools", "mcp__bise__verify",
        ],
        cwd=folder,
        env={
            "HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
            "HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1,localhost",
            "BISE_LEAN_HOME": str(Path("~/.cache/bise/lean").expanduser()),
            "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "x", "ANTHROPIC_MODEL": MODEL,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_TELEMETRY": "1",
            "MCP_TIMEOUT": "120000", "ENABLE_TOOL_SEARCH": "false", "MCP_TOOL_TIMEOUT": "280000",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]
    return done.stdout


@pytest.mark.full
@pytest.mark.skipif(not CLAUDE.exists(), reason="Claude Code: `make test-clients` installs it")
@pytest.mark.parametrize(("proof", "verdict"), [("rfl", "accepted"), ("sorry", "rejected")])
def test_claude_code_asks_our_judge(tmp_path, proof, verdict):
    if not is_installed():
        pytest.skip("Lean is not installed: `bise prove setup`")
    (tmp_path / "C.lean").write_text(CHALLENGE)
    (tmp_path / "P.lean").write_text(CHALLENGE.replace("sorry", proof))
    call = json.dumps({"challenge_path": "C.lean", "path": "P.lean"})
    with scripted_server() as scripted:
        told = ask_claude(
            tmp_path,
            scripted.url,
            ["-m", "bise.cli", "prove", "mcp", str(tmp_path)],
            f"call mcp__bise__verify <<{call}>>",
        )
    assert "The tool said" in told and verdict in told
