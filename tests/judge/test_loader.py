"""The loader keeps the original's words but for a few, and tells another build."""

import pytest

from bise.judge.loader import CHANGES, BadLoader, derive

LIST = (
    '_main=Module["_main"]=wasmExports["__main_argc_argv"];'
    '_malloc=Module["_malloc"]=wasmExports["malloc"];'
    '_unused=Module["_unused"]=wasmExports["unused"];'
    '_address=Module["_address"]=wasmExports["address"].value;'
    '__t=Module["__t"]=wasmTable=wasmExports["__t"]'
)


def original(assignments: str = LIST, without: str = "") -> str:
    """As `lean.js` is built: all that is changed, a list of names, a list of assignments."""
    changed = ";".join(one.old for one in CHANGES).replace(without or "\0", "")
    return (
        f"var Module={{}};{changed};_malloc(_address);x={{}};var _main,_malloc,_unused,_address,"
        f"__t,wasmTable;function assignWasmExports(wasmExports){{{assignments}}}var wasmImports;"
        "function assignWasmImports(){wasmImports={main:wasmTable}}"
    )


def test_only_used_exports_stay():
    made = derive(original())
    assert '_malloc=Module["_malloc"]=wasmExports["malloc"];' in made.text
    assert '["address"].value' in made.text and 'wasmTable=wasmExports["__t"]' in made.text
    assert "unused" not in made.text and "_main" not in made.text
    assert {"malloc", "address", "__t"} <= made.words and "unused" not in made.words
    assert made.text.count("wasmExports[") == 3


def test_all_changes_are_made():
    made = derive(original()).text
    for change in CHANGES:
        assert change.new in made, change.what
        assert change.old not in made, change.what


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.what)
def test_a_build_that_lacks_a_change_is_told(change):
    with pytest.raises(BadLoader, match=f"names {change.what} 0 times, expected 1"):
        derive(original(without=change.old))


@pytest.mark.parametrize("assignments", ["alert(1)", "_main=eval", "_main=1;_x=wasmExports.y"])
def test_a_list_with_something_else_is_told(assignments):
    with pytest.raises(BadLoader, match="expected an assignment"):
        derive(original(assignments))


def test_another_file_is_told():
    with pytest.raises(BadLoader, match="has no `"):
        derive("console.log('hello')")
