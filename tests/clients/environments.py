"""Where clients are installed: an environment for each under `.clients/`, which git ignores.

Those that fit the main environment are in it already, as development extras.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = ROOT / ".clients"
CONSTRAINTS = HERE / "constraints.txt"
NPM = FOLDER / "npm"
MODULES = NPM / "node_modules"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Packages of pip that go together."""

    name: str
    packages: tuple[str, ...]
    python: str = ""
    """The oldest that will do, if that of the main environment may be too old."""

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    def command(self, name: str) -> str:
        """One of its programs."""
        return str(self.folder / "bin" / name)

    def version(self) -> str:
        """Of its first package."""
        name = re.split(r"[\[=]", self.packages[0])[0]
        asked = f"from importlib.metadata import version; print(version({name!r}))"
        done = subprocess.run(
            [self.command("python"), "-c", asked], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def install(self) -> None:
        """Make it, or bring it to what is asked for now."""
        wanted = "\n".join([self.python, *self.packages, CONSTRAINTS.read_text()])
        stamp = self.folder / ".installed"
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        sys.stderr.write(f"installing {self.name}\n")
        if not (self.folder / "bin" / "python").exists():
            subprocess.run([python_of(self.python), "-m", "venv", self.folder], check=True)
        pip = [self.command("python"), "-m", "pip", "install", "--quiet"]
        options = ["--disable-pip-version-check", "-c", str(CONSTRAINTS)]
        subprocess.run([*pip, *options, *self.packages], check=True)
        stamp.write_text(wanted)


LITELLM = Environment(name="litellm", packages=("litellm==1.110.2",))
LANGCHAIN = Environment(name="langchain", packages=("langchain-mistralai==1.1.6",))
PYDANTIC_AI = Environment(
    name="pydantic-ai", packages=("pydantic-ai-slim[openai,mistral]==2.68.0",)
)
VIBE = Environment(name="vibe", packages=("mistral-vibe==3.0.2",), python="3.12")
AIDER = Environment(name="aider", packages=("aider-chat==0.86.2",))
LLM = Environment(name="llm", packages=("llm==0.36",))
INSPECT = Environment(
    name="inspect", packages=("inspect-ai==0.3.285", "openai>=3.50,<4", "mistralai>=3.7,<4")
)
LM_EVAL = Environment(name="lm-eval", packages=("lm-eval[api]==0.4.13",))
GUIDELLM = Environment(name="guidellm", packages=("guidellm==0.8.1",))
AIPERF = Environment(name="aiperf", packages=("aiperf==0.13.0",))

ALL = (
    LITELLM, LANGCHAIN, PYDANTIC_AI, VIBE, AIDER, LLM, INSPECT, LM_EVAL, GUIDELLM, AIPERF,
)  # fmt: skip


def python_of(oldest: str) -> str:
    """The main environment's Python, or a newer one from the path or from pyenv."""
    ours = ".".join(map(str, sys.version_info[:2]))
    if not oldest or numbers(ours) >= numbers(oldest):
        return str(Path(sys.base_prefix) / "bin" / f"python{ours}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    kept = [str(one) for one in sorted(pyenv.glob(f"{oldest}.*/bin/python"))]
    found = [*kept, *filter(None, [shutil.which(f"python{oldest}")])]
    if not found:
        raise SystemExit(
            f"error: there is no Python {oldest} here, which a client wants\n"
            f"hint: install python{oldest}, or let pyenv install it"
        )
    return found[0]


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def install_npm() -> None:
    """The packages of npm, as the lock has them."""
    NPM.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_text()
    stamp = NPM / ".installed"
    if not (stamp.is_file() and stamp.read_text() == lock):
        sys.stderr.write("installing packages of npm\n")
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, NPM / name)
        # Not `ci`: it wants the programs of every platform in the lock; registries leave some out.
        npm = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--ignore-scripts"]
        subprocess.run(npm, cwd=NPM, check=True)
        stamp.write_text(lock)
    # Node looks for packages beside the file that wants them.
    shutil.copytree(HERE / "drivers", NPM / "drivers", dirs_exist_ok=True)


def npm_version(package: str) -> str:
    return json.loads((MODULES / package / "package.json").read_text())["version"]


if __name__ == "__main__":  # `make client` wants those of the fast subset
    for place in ALL:
        if place.name in sys.argv[1:]:
            place.install()
