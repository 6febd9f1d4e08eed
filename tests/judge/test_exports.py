"""Exports become places in a table and a sorted list, and the rest of a module stays as it is."""

import struct

import pytest

from bise.judge.exports import BadModule, trim

HEAD = b"\0asm\1\0\0\0"


def number(value: int) -> bytes:
    made = b""
    while value > 127:
        made += bytes([value & 127 | 128])
        value >>= 7
    return made + bytes([value])


def text(word: bytes) -> bytes:
    return number(len(word)) + word


def section(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + number(len(body)) + body


def export(name: bytes, kind: int, index: int) -> bytes:
    return text(name) + bytes([kind]) + number(index)


def module(**changes: bytes) -> bytes:
    """One imported function and global, a table of 5 with functions 1, 2, 1 from place 1 on."""
    exports = [
        export(b"main", 0, 1), export(b"twice", 0, 2), export(b"far", 0, 300),
        export(b"also_far", 0, 300), export(b"seven", 3, 1), export(b"theirs", 3, 0),
        export(b"own", 3, 2), export(b"table", 1, 0),
    ]  # fmt: skip
    parts = {
        "links": section(0, text(b"dylink.0") + section(3, number(1) + text(b"own") + number(256))),
        "types": section(1, b"\1\x60\0\0"),
        "imports": section(
            2,
            number(3)
            + (text(b"env") + text(b"f") + b"\0\0")
            + (text(b"env") + text(b"memory") + b"\2\3" + number(9) + number(99))
            + (text(b"GOT.func") + text(b"g") + b"\3\x7f\1"),
        ),
        "table": section(4, b"\1\x70\0\5"),
        "globals": section(
            6, number(2) + b"\x7f\0\x41" + b"\x87\1" + b"\x0b" + b"\x7f\0\x41\x7f\x0b"
        ),
        "exports": section(7, number(len(exports)) + b"".join(exports)),
        "elements": section(9, b"\1\0\x41\1\x0b" + number(3) + b"\1\2\1"),
        "code": section(10, b"whatever"),
    }
    return HEAD + b"".join({**parts, **changes}.values())


def lookup(symbols: bytes) -> dict[str, int]:
    count = struct.unpack_from("<I", symbols)[0]
    words = struct.unpack_from(f"<{2 * count + 1}I", symbols, 4)
    names = symbols[8 + 8 * count :]
    begins = words[count:]
    return {names[begins[at] : begins[at + 1]].decode(): words[at] for at in range(count)}


def test_functions_get_places_and_data_keep_their_addresses():
    made = trim(module(), {"main"})
    found = lookup(made.symbols)
    assert list(found) == sorted(found)
    assert found == {
        "main": 1, "twice": 2, "far": 5, "also_far": 5, "seven": 135, "own": 2**32 - 1,
    }  # fmt: skip


def test_only_what_is_kept_is_exported_and_the_table_has_the_rest():
    made = trim(module(), {"main", "table"}).module
    kept = number(3) + export(b"main", 0, 1) + export(b"own", 3, 2) + export(b"table", 1, 0)
    assert section(7, kept) in made
    assert section(4, b"\1\x70\0\6") in made
    more = b"\0\x41\5\x0b" + number(1) + number(300)
    assert section(9, b"\2\0\x41\1\x0b" + number(3) + b"\1\2\1" + more) in made
    assert made.startswith(HEAD) and made.endswith(section(10, b"whatever"))


@pytest.mark.parametrize(
    "changes",
    [
        {"links": section(0, text(b"name"))},
        {"table": section(4, b"\2\x70\0\5\x70\0\5")},
        {"table": section(4, b"\1\x70\1\5\5")},
        {"elements": section(9, b"\1\0\x23\1\x0b\0")},
        {"globals": section(6, number(1) + b"\x7e\0\x42\0\x0b")},
        {"imports": section(2, number(1) + text(b"e") + text(b"t") + b"\1\x70\0\5")},
        {"exports": section(7, number(200))},
    ],
)
def test_another_build_is_told(changes):
    with pytest.raises(BadModule, match=r"`lean\.wasm` has "):
        trim(module(**changes), {"main"})


def test_what_is_no_module_is_told():
    for data in (b"", b"\0asm\2\0\0\0", HEAD, module()[:60]):
        with pytest.raises(BadModule):
            trim(data, {"main"})
