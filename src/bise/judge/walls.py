"""Builds walls around this process, then becomes the command: the child's half of the sandbox.

Run as a program of its own, isolated (`python -I -S walls.py`), with one JSON object as argument;
it imports nothing of ours, so a broken installation cannot make it build fewer walls. A wall that
cannot be built is told through a pipe that the command never gets, and nothing is run; a plus sign
there says that all of them stand.

The walls, outermost first: namespaces of its own for users, mounts, processes, network, IPC and
host name; a root of its own that holds only what was named; resource limits; no way to gain
privileges; where the kernel has it, Landlock, which says of the same folders what may be done in
them; a filter that refuses system calls nothing honest needs.
Ref: namespaces(7), pivot_root(2), landlock(7), seccomp(2).
"""

import ctypes
import errno
import json
import os
import platform
import resource
import signal
import struct
import sys
from pathlib import Path

NEW_NAMESPACES = 0x10000000 | 0x00020000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000
"""User, mount, process, network, IPC, host name: CLONE_NEW* of sched.h."""

MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
RDONLY, NOSUID, NODEV = 1, 2, 4
"""The same numbers for mount(2) and mount_setattr(2)."""

MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE = 442, -100, 0x8000
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
SECCOMP_MODE_FILTER = 2
NOBODY = 65534
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
CLONE3 = 435

# fmt: off
NEW_CALLS = (425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 435, 438, 442)
ARCHITECTURES = {
    "x86_64": (0xC000003E, 155, (
        101, 155, 161, 165, 166, 169, 175, 176, 246, 248, 249, 250, 272, 298, 300, 303, 304, 308,
        310, 311, 313, 320, 321, 323, *NEW_CALLS,
    )),
    "aarch64": (0xC00000B7, 41, (
        39, 40, 41, 51, 97, 104, 105, 106, 117, 142, 217, 218, 219, 241, 262, 264, 265, 268, 270,
        271, 273, 280, 282, 294, *NEW_CALLS,
    )),
}
# fmt: on
"""By machine: how the kernel calls it, the number of pivot_root, the numbers of refused calls:
ptrace, mounting, modules, kexec, keys, namespaces, bpf, perf, io_uring, userfaultfd, handles,
reading another process's memory, clone3 (whose flags a filter cannot see; libc falls back)."""

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
READING = 1 << 0 | 1 << 2 | 1 << 3
"""Landlock's rights to run and read files and to list folders."""

CHANGING = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 12 | 1 << 13 | 1 << 14
"""To write files, take away folders and files, make folders, files and links, move, shorten."""

HANDLED = ((1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1, (1 << 16) - 1)
"""All rights there are, by version of Landlock; what is not granted is refused."""

OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
"""Those that make sense for what is no folder."""

TCP, SIGNALS_AND_SOCKETS = 3, 3
"""Binding and connecting (version 4); signals and abstract sockets that lead outside (6)."""

libc = ctypes.CDLL(None, use_errno=True)


def main(wish: dict) -> None:
    """wish: command, read_only and writable folders, folder to start in, environment, limits."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    uid, gid = os.getuid(), os.getgid()
    check("namespaces", libc.unshare(NEW_NAMESPACES))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1")
    child = os.fork()  # the first process of the new process namespace: all die with it
    if child:
        os.close(wish["told"])
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            sys.stderr.flush()
            os.kill(os.getpid(), -code)
        os._exit(code)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setsid()  # a signal to its group must not reach out
    build_root(wish["read_only"], wish["writable"])
    os.chdir(wish["folder"])
    for name, value in wish["limits"].items():
        which = getattr(resource, name)
        resource.setrlimit(which, (value, value))
    check("no new privileges", libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    grant(wish["read_only"], wish["writable"])
    filter_calls()
    os.write(wish["told"], b"+")  # every wall stands
    os.execve(wish["command"][0], wish["command"], wish["environment"])


def build_root(read_only: list[str], writable: list[str]) -> None:
    """A file system that holds the named folders, at their own places, and nothing else."""
    root = "/tmp"
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    held = [(path, RDONLY) for path in read_only] + [(path, 0) for path in writable]
    opened = [(path, os.open(path, os.O_PATH), flag) for path, flag in held]
    opened += [(path, os.open(path, os.O_PATH), 0) for path in DEVICES]
    mount("tmpfs", root, "tmpfs", NOSUID | NODEV, "size=64k,mode=755")
    for path, descriptor, flag in opened:
        target = Path(root + path)
        source = f"/proc/self/fd/{descriptor}"
        target.parent.mkdir(parents=True, exist_ok=True)
        if Path(source).is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.touch()
        mount(source, str(target), None, MS_BIND | MS_REC)
        restrict(str(target), flag | NOSUID | (0 if path.startswith("/dev/") else NODEV))
        os.close(descriptor)
    os.chdir(root)
    restrict(root, RDONLY | NOSUID | NODEV, is_deep=False)
    number = ARCHITECTURES[platform.machine()][1]
    check("root of its own", libc.syscall(number, b".", b"."))
    check("leaving the old root", libc.umount2(b".", MNT_DETACH))
    os.chdir("/")


def grant(read_only: list[str], writable: list[str]) -> None:
    """A second wall behind the mounts: rights in the same folders, and none anywhere else."""
    version = libc.syscall(CREATE_RULESET, None, 0, 1)
    if version < 1:  # a kernel without it, or one where it is switched off
        return
    handled = HANDLED[min(version, len(HANDLED)) - 1]
    words = [handled, TCP if version >= 4 else 0, SIGNALS_AND_SOCKETS if version >= 6 else 0]
    words = words[: 1 + (version >= 4) + (version >= 6)]
    rules = packed(f"<{len(words)}Q", *words)
    ruleset = libc.syscall(CREATE_RULESET, rules, 8 * len(words), 0)
    check("landlock", min(ruleset, 0))
    granted = [(path, READING) for path in read_only]
    granted += [(path, READING | CHANGING) for path in (*writable, *DEVICES)]
    for path, rights in granted:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = rights & handled & (-1 if Path(path).is_dir() else OF_FILES)
        rule = packed("<Qi", allowed, place)
        check(f"landlock of {path}", libc.syscall(ADD_RULE, ruleset, 1, rule, 0))
        os.close(place)
    check("landlock", libc.syscall(RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def packed(layout: str, *values: int) -> ctypes.Array:
    """Bytes for the kernel to read."""
    held = struct.pack(layout, *values)
    return ctypes.create_string_buffer(held, len(held))


def restrict(path: str, flags: int, *, is_deep: bool = True) -> None:
    """Set flags of a mount and of all below it. Needs Linux 5.12."""
    wanted = struct.pack("<QQQQ", flags, 0, 0, 0)
    held = ctypes.create_string_buffer(wanted, len(wanted))
    depth = AT_RECURSIVE if is_deep else 0
    done = libc.syscall(MOUNT_SETATTR, AT_FDCWD, path.encode(), depth, held, len(wanted))
    check(f"flags of {path}", done)


def filter_calls() -> None:
    """A program for the kernel: another architecture or a refused call ends in EPERM."""
    arch, _, refused = ARCHITECTURES[platform.machine()]
    lines = [
        (0x20, 0, 0, 4),
        (0x15, 1, 0, arch),
        (0x06, 0, 0, 0x80000000),
        (0x20, 0, 0, 0),
    ]
    lines += [(0x35, 0, 1, 0x40000000), (0x06, 0, 0, 0x80000000)]  # the x32 numbers
    for number in refused:
        error = errno.ENOSYS if number == CLONE3 else errno.EPERM  # libc falls back on ENOSYS
        lines += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | error)]
    lines.append((0x06, 0, 0, 0x7FFF0000))
    code = b"".join(struct.pack("<HBBI", *line) for line in lines)
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("<HxxxxxxQ", len(lines), ctypes.addressof(held))
    pointer = ctypes.create_string_buffer(program, len(program))
    done = libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, pointer, 0, 0)
    check("filter of system calls", done)


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    def encoded(text: str | None) -> bytes | None:
        return None if text is None else text.encode()

    done = libc.mount(
        encoded(source),
        target.encode(),
        encoded(kind),
        ctypes.c_ulong(flags),
        data.encode(),
    )
    check(f"mount of {target}", done)


def check(wall: str, done: int) -> None:
    if done != 0:
        raise OSError(ctypes.get_errno(), f"{wall}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    wished = json.loads(sys.argv[1])
    os.set_inheritable(wished["told"], False)
    try:
        main(wished)
    except (OSError, KeyError, ValueError) as fault:
        os.write(wished["told"], str(fault).encode())
        os._exit(1)
