"""Names as Lean's compiler writes them, and the list of the functions that a Lean has."""

import pytest

from bise.judge.backend import NoLean
from bise.judge.exports import _list
from bise.judge.install import installed
from bise.judge.symbols import Symbols, mangled
from bise.judge.wasm import WasmLean


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        (("Lean", "Json", "escape"), "l_Lean_Json_escape"),
        (("Lean", "Json", "escape", "_lam_0"), "l_Lean_Json_escape___lam__0"),
        (("Lean", "Json", "getArrVal?"), "l_Lean_Json_getArrVal_x3f"),
        (("_private", "Judged", 0, "f"), "l___private_Judged_0__f"),
        (("f", "x3f"), "l_f_00x3f"),
        (("αβ",), "l__u03b1_u03b2"),
    ],
)
def test_names_are_written_as_lean_writes_them(name, symbol):
    assert mangled(name) == symbol


def test_what_is_in_a_list_is_found():
    names = [b"l_A_f", b"l_A_g", b"l_B", b"z"]
    listed = Symbols(_list(dict.fromkeys(names, 1)))
    assert all(one.decode() in listed for one in names)
    assert not any(one in listed for one in ("", "l_A", "l_A_ff", "zz"))


def test_the_installed_lean_has_its_own_functions():
    try:
        lean = WasmLean(installed())
    except NoLean:
        pytest.skip("no Lean is installed")
    assert lean.has_code(("Lean", "Json", "escape")) and lean.has_code(("List", "groupByKey"))
    assert not lean.has_code(("Lean", "Json", "escaped"))
    assert not lean.has_code(("_private", "Judged", 0, "Lean", "Json", "escape"))
