"""`bise doctor`: what it says this machine can run, and which troubles it finds."""

import json
import resource
import socket

import pytest

from bise.cli import main
from bise.commands import doctor
from bise.serve import add_key


@pytest.fixture
def examine(capsys, monkeypatch):
    def look(**variables: str) -> dict:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as left:
            main(["doctor", "--json"])
        assert left.value.code == 0
        return json.loads(capsys.readouterr().out)

    return look


class Holding:
    """A report of another machine."""

    def __init__(self, report, memory_bytes: int):
        self.num_parameters = report.num_parameters
        self.memory_bytes = memory_bytes


@pytest.mark.parametrize(
    ("gib", "words"),
    [(400, "small4: in bf16, int8, int4"), (80, "small4: in int4"), (8, "small4: needs ")],
)
def test_it_says_what_fits(monkeypatch, gib, words):
    held = Holding(doctor.inspect("small4"), gib * 2**30)
    monkeypatch.setattr(doctor, "inspect", lambda _: held)
    assert doctor.can_run("small4").startswith(words)


def test_nano_fits_everywhere(examine):
    assert examine(BISE_PORT="0")["can run"][0] == "nano: in bf16, int8, int4"


def test_it_finds_what_is_wrong(examine, tmp_path):
    keys = tmp_path / "keys.json"
    add_key(keys, "alice")
    keys.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wrong = examine(BISE_PORT=str(port), BISE_KEYS=str(keys), BISE_PROT="1")["wrong"]
    found = "\n".join(wrong)
    assert "others can read the key file" in found and "`chmod 600" in found
    assert f"port {port} of 127.0.0.1 is taken" in found and "`BISE_PROT` is no setting" in found
    keys.chmod(0o600)
    assert "others can read" not in str(examine(BISE_PORT="0")["wrong"])
    keys.unlink()
    assert "is not there" in str(examine()["wrong"])
    assert "`BISE_PORT` is `x`" in str(examine(BISE_PORT="x")["wrong"])


def test_few_files_are_told(examine, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    assert "only 256 files may be open" in str(examine(BISE_PORT="0")["wrong"])


def test_without_troubles_it_says_so(examine, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (65536, 65536))
    wrong = examine(BISE_PORT="0")["wrong"]
    assert wrong == ["nothing was found"] or "C++ core" in wrong[0]
