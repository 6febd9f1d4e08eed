"""What `bise serve` can be told, in which order sources count, and that nothing goes unnoticed."""

import inspect
import json
import sys
from pathlib import Path

import pytest

from bise.cli import main, serve
from bise.errors import UserError
from bise.settings import ServeSettings, about, by_name
from bise.sources import read_settings


def settings(flags=None, config=None, **environ):
    return read_settings(flags or {}, config=config, environ=environ)


@pytest.fixture
def write(tmp_path):
    def make(text: str) -> Path:
        path = tmp_path / "bise.toml"
        path.write_text(text)
        return path

    return make


def test_flags_win_over_passthrough_over_variables_over_nims_over_the_file(write):
    config = write("[serve]\nport = 1\nstrict = true\nspill_gib = 2\nallow_origin = ['http://a']\n")
    layers = {
        "BISE_CONFIG": str(config),
        "NIM_SERVER_PORT": "2",
        "BISE_PORT": "3",
        "NIM_PASSTHROUGH_ARGS": "--port 4 --max-running=2 --no-auth",
    }
    found = settings({"port": 5, "served_model_name": []}, **layers)
    assert (found.settings.port, found.sources["port"]) == (5, "--port")
    for name, port in (("NIM_PASSTHROUGH_ARGS", 4), ("BISE_PORT", 3), ("NIM_SERVER_PORT", 2)):
        found = settings(**layers)
        assert (found.settings.port, found.sources["port"]) == (port, name)
        del layers[name]
    found = settings(**layers)
    assert (found.settings.port, found.sources["port"]) == (1, str(config))
    assert found.settings.strict and found.settings.spill_gib == 2.0
    assert found.settings.allow_origin == ("http://a",)
    assert settings().settings == ServeSettings()
    assert set(settings().sources.values()) == {"default"}


def test_variables_are_read_by_their_type():
    found = settings(
        BISE_STRICT="on",
        BISE_MAX_RUNNING=" 3 ",
        BISE_SPILL_GIB="0.5",
        BISE_SERVED_MODEL_NAME="a, b",
        BISE_PREFIX_CACHE="0",
        NIM_LOG_LEVEL="INFO",
        NIM_JSONL_LOGGING="1",
        NIM_MAX_MODEL_LEN="100",
    ).settings
    assert found.strict and found.max_running == 3 and found.spill_gib == 0.5
    assert found.served_model_name == ("a", "b") and not found.prefix_cache
    assert found.log_level == "info" and found.json_logs and found.max_model_len == 100


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"BISE_PORT": "x"}, "`BISE_PORT` is `x`, expected a whole number"),
        ({"BISE_PORT": "70000"}, "`BISE_PORT` is 70000, expected at most 65535"),
        ({"BISE_MAX_RUNNING": "0"}, "`BISE_MAX_RUNNING` is 0, expected 1 or more"),
        ({"BISE_SPILL_GIB": "nan"}, "expected 0 or more"),
        ({"BISE_SPILL_GIB": "inf"}, "`BISE_SPILL_GIB` is inf, expected at most 1048576"),
        ({"BISE_MEMORY_GIB": "1e300"}, "expected at most 1048576"),
        ({"BISE_DRAIN_TIMEOUT": "inf"}, "`BISE_DRAIN_TIMEOUT` is inf, expected a finite number"),
        ({"BISE_STRICT": "maybe"}, "expected true or false"),
        ({"BISE_CACHE": "huge"}, "`BISE_CACHE` is `huge`, expected one of `plain`"),
        ({"NIM_TENSOR_PARALLEL_SIZE": "2"}, "runs on one device"),
        ({"NIM_PASSTHROUGH_ARGS": "--prot 3"}, "`--prot` in `NIM_PASSTHROUGH_ARGS` is no flag"),
        ({"NIM_PASSTHROUGH_ARGS": "--api-key x"}, "is no flag"),
        ({"NIM_PASSTHROUGH_ARGS": "--model 'x"}, "cut into words: no closing quotation"),
        ({"NIM_PASSTHROUGH_ARGS": "--no-port"}, "`--no-port` in .* is no flag"),
        ({"NIM_PASSTHROUGH_ARGS": "--no-strict=no"}, "`--no-strict` in .* is no flag"),
        ({"BISE_TLS_CERT": "a.pem"}, "belong together"),
        ({"BISE_API_KEY": "short"}, "`api_key` has 5 characters"),
        ({"BISE_LOG_PROMPTS": "1"}, "there is no log"),
        ({"BISE_CONFIG": "/nowhere.toml"}, "cannot read `/nowhere.toml`"),
    ],
)
def test_wrong_values_are_told_with_where_they_came_from(environ, words):
    with pytest.raises(UserError, match=words):
        settings(**environ)


def test_passed_through_flags_are_read_as_on_a_command_line():
    flags = (
        "--allow-origin http://a --no-prefix-cache --no-no-auth --allow-origin=http://b,http://c"
    )
    found = settings(NIM_PASSTHROUGH_ARGS=flags, BISE_NO_AUTH="1", BISE_ALLOW_ORIGIN="http://d")
    assert found.settings.allow_origin == ("http://a", "http://b", "http://c")
    assert not found.settings.prefix_cache and not found.settings.no_auth


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[serve", "is not TOML"),
        ("port = 3", "more than a table"),
        ("[serve]\nprot = 3", "`prot` in .* is no setting"),
        ("[serve]\nport = '3'", "expected a whole number"),
        ("[serve]\nport = true", "expected a whole number"),
        ("[serve]\nstrict = 1", "expected true or false"),
        ("[serve]\nallow_origin = [1]", "expected texts"),
        ("[serve]\nport = -1", "is -1, expected 0 or more"),
    ],
)
def test_a_wrong_file_is_refused(write, text, words):
    with pytest.raises(UserError, match=words):
        settings(config=write(text))


def test_certificates_of_nim_count_only_where_it_says_so():
    paths = {"NIM_SSL_CERTS_PATH": "c.pem", "NIM_SSL_KEY_PATH": "k.pem"}
    assert settings(**paths).settings.tls_cert == ""
    assert settings(**paths, NIM_SSL_MODE="DISABLED").settings.tls_cert == ""
    assert settings(**paths, NIM_SSL_MODE="TLS").settings.tls_key == "k.pem"
    with pytest.raises(UserError, match="`NIM_SSL_MODE` is `on`, expected `DISABLED`"):
        settings(**paths, NIM_SSL_MODE="on")


def test_variables_that_mean_nothing_are_told():
    found = settings(BISE_PROT="1", NIM_PEFT_SOURCE="/x", BISE_ISA="avx2", NIM_OTHER="1").warnings
    assert found == [
        "`BISE_PROT` is no setting: did you mean `BISE_PORT`?",
        "`NIM_PEFT_SOURCE` is not used: no adapters are served yet",
    ]


def test_a_secret_is_never_shown(monkeypatch, capsys):
    monkeypatch.setenv("BISE_API_KEY", "very-secret-indeed")
    for words in (["config"], ["config", "--json"]):
        with pytest.raises(SystemExit):
            main(words)
        shown = capsys.readouterr()
        assert "very-secret-indeed" not in shown.out + shown.err and "(set)" in shown.out
    found = json.loads(shown.out)
    assert found["api_key"] == {"value": "(set)", "source": "BISE_API_KEY"}
    assert found["port"] == {"value": 8000, "source": "default"}


def test_a_secret_of_the_wrong_type_is_not_shown_either(write):
    with pytest.raises(UserError) as told:
        settings(config=write("[serve]\napi_key = 123456789012345678\n"))
    assert "(a secret)" in told.value.message and "1234" not in told.value.message


def test_every_setting_is_a_flag_but_secrets():
    flags = set(inspect.signature(serve).parameters) - {"config"}
    assert flags == {name for name in by_name() if not about(name).is_secret}


def test_the_page_of_settings_is_current():
    root = Path(__file__).parents[1]
    sys.path.insert(0, str(root / "scripts"))
    try:
        import cli_docs
    finally:
        sys.path.pop(0)
    page = (root / "docs" / "settings.md").read_text()
    assert cli_docs.with_settings(page) == page, "run `python scripts/cli_docs.py`"
