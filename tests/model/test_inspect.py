import json

import pytest

from bise.errors import NotFound
from bise.model.inspect import inspect, need_fit
from bise.model.memory import available_memory_bytes
from bise.model.random_weights import write_random


def test_a_folder_is_reported_as_it_is(small4, tmp_path):
    write_random(small4, tmp_path, quant="fp8")
    report = inspect(tmp_path)
    assert (report.layouts, report.layout, report.quant) == (("native",), "native", "fp8")
    stored = sum(path.stat().st_size for path in tmp_path.glob("*.safetensors"))
    assert 0 < stored - report.size_bytes < 200_000  # the header is not counted
    assert report.cache_bytes_per_token == {"bf16": 3 * 32 * 2, "fp8": 3 * 32}
    assert report.fits[0].context_tokens == small4.max_positions
    assert json.loads(json.dumps(report.json()))["num_parameters"] == report.num_parameters
    text = "\n".join(report.lines())
    assert "FP8" in text and f"{report.num_parameters:,}" in text and "2 answer" in text


def test_the_full_size_preset_is_reported_without_any_files():
    report = inspect("small4")
    lines = "\n".join(report.lines())
    for number in ("119,401,298,944", "5,558,842,368", "6,095,717,376", "23,040", "11,520"):
        assert number in lines
    assert report.size_bytes == 2 * 119_401_298_944
    assert report.layout is None and "preset" in lines


def test_what_does_not_fit_says_so():
    report = inspect("small4")
    assert [fit.context_tokens for fit in report.fits] == [0, 0]
    assert "do not fit" in "\n".join(report.lines())
    with pytest.raises(ValueError, match="`small4` needs 238,802,597,888 bytes in bf16"):
        need_fit(report, "bf16")
    need_fit(inspect("pico"), "fp32")


def test_an_unknown_name_is_not_found():
    with pytest.raises(NotFound, match="there is no folder `nothing`"):
        inspect("nothing")


def test_memory_is_the_least_of_what_machine_and_container_say(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 100 kB\nMemAvailable:   50 kB\n")
    assert available_memory_bytes(tmp_path) == 51_200
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.current").write_text("10000\n")
    (group / "memory.max").write_text("max\n")
    assert available_memory_bytes(tmp_path) == 51_200
    (group / "memory.max").write_text("30000\n")
    assert available_memory_bytes(tmp_path) == 20_000
    (group / "memory.max").write_text("5000\n")
    assert available_memory_bytes(tmp_path) == 0


def test_memory_is_told_even_where_there_is_no_linux(tmp_path):
    assert available_memory_bytes(tmp_path) > 2**28
