"""Nothing gets out of the sandbox, and whatever never ends is ended."""

import contextlib
import ctypes
import socket
import sys
import threading
from pathlib import Path

import pytest

from bise.errors import NotFound
from bise.judge.sandbox import Boxed, Limits, NoWall, holds_more, run

PYTHON = Path(sys.executable).resolve()
SYSTEM = [Path(one) for one in ("/usr", "/lib", "/lib64", "/bin") if Path(one).exists()]
if not PYTHON.is_relative_to("/usr"):
    SYSTEM.append(Path(sys.base_prefix))


@pytest.fixture(scope="module", autouse=True)
def _walls(tmp_path_factory):
    """Without walls only one thing can be tested: that the sandbox says so."""
    try:
        python("pass", tmp_path_factory.mktemp("walls"))
    except NoWall as missing:
        pytest.skip(missing.message)


def python(code: str, folder: Path, **limits):
    return run(
        [str(PYTHON), "-I", "-S", "-c", code],
        folder,
        read_only=SYSTEM,
        limits=Limits(**limits),
    )


def test_a_command_runs_and_writes_into_its_folder_only(tmp_path):
    ran = python("open('x', 'w').write('y'); print('done')", tmp_path)
    assert (ran.end, ran.status, ran.out) == ("exited", 0, b"done\n"), ran
    assert (tmp_path / "x").read_text() == "y"


@pytest.mark.parametrize(
    "code",
    [
        "open('/etc/passwd').read()",
        "open('/usr/lib/x', 'w')",
        "open('/x', 'w')",
        "import os; os.listdir('/proc')",
        "import os; os.listdir('/etc') or os.listdir('/sys')",
        "import os; assert os.getppid() or os.getpid() != 1 or os.kill(2, 9)",
        "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
        "import socket; socket.create_connection(('1.1.1.1', 53), 1)",
        "import ctypes; l = ctypes.CDLL(None); assert l.unshare(0x10000000) == 0",
        "import ctypes; l = ctypes.CDLL(None); assert not l.mount(b'n', b'/tmp', b'tmpfs', 0, 0)",
        "import ctypes; l = ctypes.CDLL(None); assert l.ptrace(16, 1, 0, 0) == 0",
    ],
)
def test_walls_hold(tmp_path, code):
    ran = python(code, tmp_path)
    assert ran.end == "exited" and ran.status == 1, ran


def test_a_server_outside_is_out_of_reach(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ran = python(
            f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)",
            tmp_path,
        )
    assert ran.status == 1 and b"Error" in ran.err


@pytest.mark.parametrize(
    ("code", "limits", "end"),
    [
        ("while True: pass", {"cpu_s": 1, "wall_s": 10}, "cpu"),
        ("import time; time.sleep(60)", {"wall_s": 0.5}, "wall"),
        ("while True: print('x' * 1000)", {"output_bytes": 100_000}, "output"),
        (
            "import time\nfor n in range(400): open(str(n), 'wb').write(bytes(1 << 20)); "
            "time.sleep(0.01)\ntime.sleep(20)",
            {"folder_bytes": 20 << 20, "file_bytes": 2 << 20},
            "output",
        ),
        (
            "x = b'x' * 400_000_000; import time; time.sleep(20)",
            {"memory_bytes": 10**8},
            "memory",
        ),
    ],
)
def test_limits_hold(tmp_path, code, limits, end):
    ran = python(code, tmp_path, **limits)
    assert ran.end == end and ran.seconds < 8, ran
    assert len(ran.out) <= 4 << 20


def test_what_hides_in_a_folder_counts_against_its_limit(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(bytes(1 << 20))
    (tmp_path / "link").symlink_to("/usr")
    assert holds_more(tmp_path, 1 << 20) and not holds_more(tmp_path, 2 << 20)
    for n in range(300):
        (tmp_path / str(n)).touch()  # empty ones take room as well
    assert holds_more(tmp_path, 2 << 20)
    assert not holds_more(tmp_path / "gone", 0)


def test_seconds_of_processor_time_are_counted(tmp_path):
    busy = "import time; start = time.process_time()\nwhile time.process_time() < start + 1: pass"
    assert 0.9 < python(busy, tmp_path).cpu_s < 4
    assert python("import time; time.sleep(1)", tmp_path).cpu_s < 0.9
    below = f"import os; pid = os.fork()\nif pid == 0:\n exec({busy!r})\nelse: os.wait()"
    assert python(below, tmp_path).cpu_s > 0.9


def test_children_die_with_the_command(tmp_path):
    code = "import os, time; os.fork() or os.setsid() or time.sleep(60); print(1)"
    ran = python(code, tmp_path, wall_s=3)
    assert ran.seconds < 6
    lines = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended
            lines.append(one.read_bytes())
    assert not [line for line in lines if b"os.setsid() or time.sleep(60)" in line]


def test_a_command_that_closes_its_output_is_still_watched(tmp_path):
    ran = python("import os, time; os.close(1); os.close(2); time.sleep(60)", tmp_path, wall_s=1)
    assert ran.end == "wall" and ran.seconds < 5


def test_a_signal_to_its_group_stays_inside(tmp_path):
    ran = python("import os; os.kill(0, 15); print('alive')", tmp_path)
    assert (ran.end, ran.out) == ("exited", b"alive\n"), ran


def test_a_command_cannot_pretend_that_a_wall_is_missing(tmp_path):
    code = "import os; [os.write(fd, b'x') for fd in range(3, 40)]"
    ran = python(code, tmp_path)
    assert ran.status == 1 and b"Bad file descriptor" in ran.err


def test_a_missing_wall_and_a_missing_command_are_told(tmp_path):
    with pytest.raises(NoWall, match=r"a wall of the sandbox is missing: .*no/such"):
        run([str(PYTHON)], tmp_path, read_only=[Path("/there/is/no/such/folder")])
    with pytest.raises(NotFound, match="`/no/command` cannot be run"):
        run(["/no/command"], tmp_path)


def test_many_at_once(tmp_path):
    found = []
    folders = [tmp_path / str(number) for number in range(4)]
    for folder in folders:
        folder.mkdir()
    threads = [
        threading.Thread(target=lambda at=folder: found.append(python("print(7)", at).out))
        for folder in folders
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [b"7\n"] * 4


@pytest.mark.skipif(
    sys.platform != "linux" or ctypes.CDLL(None).syscall(444, None, 0, 1) < 1,
    reason="this kernel has no Landlock",
)
def test_landlock_refuses_what_mounts_allow(tmp_path):
    for code in (
        "import os; os.mkfifo('x')",
        "import socket; socket.socket(socket.AF_UNIX).bind('x')",
    ):
        ran = python(code, tmp_path)
        assert ran.status == 1 and b"PermissionError" in ran.err, ran
    ran = python("import os; os.mkdir('d'); open('d/x', 'w'); os.rename('d/x', 'y')", tmp_path)
    assert ran.status == 0 and (tmp_path / "y").exists(), ran


def test_limits_hold_without_walls_too(tmp_path):
    code = "import os, time; os.fork() or time.sleep(60); print(1, flush=True); time.sleep(60)"
    command = [str(PYTHON), "-I", "-S", "-c", code]
    boxed = Boxed(command, tmp_path, limits=Limits(), has_walls=False)
    try:
        assert boxed.process.stdout is not None
        assert boxed.process.stdout.readline() == b"1\n"
    finally:
        status, told = boxed.close()
    assert (status, told) == (-9, "+") and boxed.has_ended()
    boxed.check_walls("")
