"""The official tokenizer, ours and mistral-common's, built once."""

import json
from pathlib import Path
from typing import Any

import pytest
from mistral_oracle import Oracle
from small_pictures import data_url

from bise.text import ChatFormat, Tekken
from bise.text.tekken_file import official_tekken, write_tekken

GOLDENS = Path(__file__).parents[1] / "data" / "goldens.json"


@pytest.fixture(scope="session")
def official() -> Tekken:
    return Tekken.official()


@pytest.fixture(scope="session")
def chat(official: Tekken) -> ChatFormat:
    return ChatFormat(official)


@pytest.fixture(scope="session")
def official_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official tokenizer as a version 15 file; the package has it only in pieces."""
    path = tmp_path_factory.mktemp("official") / "tekken.json"
    write_tekken(path, official_tekken())
    return path


@pytest.fixture(scope="session")
def oracle(official_path: Path) -> Oracle:
    return Oracle(official_path)


@pytest.fixture(scope="session")
def goldens() -> dict[str, Any]:
    """Encodings and image sizes recorded with mistral-common, their pictures filled in."""
    found = json.loads(GOLDENS.read_text())
    prompts = json.dumps(found["prompts"])
    for name, size in {
        "image_64x40_text_first": (64, 40),
        "image_in_tool_result": (20, 20),
    }.items():
        prompts = prompts.replace(f"<png red {name}>", data_url(*size, colour="red"))
    return {**found, "prompts": json.loads(prompts)}
