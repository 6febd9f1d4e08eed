"""What `deploy/` promises: numbers the server has, settings it knows, files that are there."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from shutil import which

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bise.settings import by_name
from bise.sources import NOT_SETTINGS, read_settings

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_every_number_of_the_board_is_exported_with_its_labels(thinking_server):
    thinking_server.chat()
    thinking_server.chat(temperature=9)
    thinking_server.chat(messages=[{"role": "user", "content": "a"}] * 2)
    text = thinking_server.client.get("/metrics").text
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        names = {sample.name for sample in family.samples} or {f"{family.name}_total"}
        for name in names:
            found = (set(one.labels) for one in family.samples if one.name == name)
            labels[name] = set().union(*found)
    board = json.loads((DEPLOY / "grafana.json").read_text())
    asked = [one["expr"] for panel in board["panels"] for one in panel["targets"]]
    asked += [one["query"] for one in board["templating"]["list"] if one["type"] == "query"]
    assert len(asked) > 30
    for query in asked:
        names = re.findall(r"(?:vllm|bise):\w+", query)
        assert names, query
        for name in names:
            assert name in labels, name
        for label in re.findall(r"by \((\w+)\)", query):
            assert label in labels[names[0]], query
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


def test_its_settings_are_settings():
    found = read_settings({}, config=DEPLOY / "bise.toml", environ={})
    assert found.settings.keys == "/etc/bise/keys.json"
    assert tomllib.loads((DEPLOY / "bise.toml").read_text())["serve"]
    text = "\n".join(path.read_text() for path in DEPLOY.iterdir() if path.is_file())
    known = {f"BISE_{name.upper()}" for name in by_name()} | NOT_SETTINGS
    assert set(re.findall(r"BISE_\w+", text)) <= known


@pytest.mark.skipif(not which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    """The program's place is changed to one that is there: that is looked for too."""
    unit = (DEPLOY / "bise.service").read_text()
    assert "ExecStart=/opt/bise/bin/bise serve\n" in unit
    command = ["systemd-analyze", "verify", "--man=no"]
    for change, is_right in (("", True), ("ProtectSystem=perhaps\n", False)):
        text = unit.replace("/opt/bise/bin/bise", "/bin/true").replace(
            "[Install]", f"{change}[Install]"
        )
        path = tmp_path / "bise.service"
        path.write_text(text)
        said = subprocess.run([*command, path], capture_output=True, text=True, check=False)
        assert (said.stdout + said.stderr == "") is is_right, said.stderr


def test_files_name_files_that_are_there():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert (DEPLOY / compose["services"]["bise"]["build"]["context"] / "pyproject.toml").is_file()
    for service in compose["services"].values():
        for volume in service["volumes"]:
            place = volume.partition(":")[0]
            if place.startswith("./") and not place.startswith("./state"):
                assert (DEPLOY / place).is_file(), place
    for name in ("prometheus.yml", "grafana-provisioning.yaml", "grafana-source.yaml"):
        assert yaml.safe_load((DEPLOY / name).read_text())
    page = (DEPLOY / "README.md").read_text()
    for path in set(DEPLOY.iterdir()) - {DEPLOY / "README.md"}:
        stem = "grafana-*" if path.name.startswith("grafana-") else path.name
        assert stem in page or path.is_dir(), path.name
