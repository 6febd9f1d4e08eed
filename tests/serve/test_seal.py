"""Thinking that clients keep: it comes back whole, or not at all."""

import zlib

import pytest

from bise.errors import BadRequest
from bise.serve.seal import MAX_CHARS, Seal


def test_what_was_sealed_here_comes_back():
    seal = Seal()
    for text in ("", "so 12", "größer ☃" * 1000):
        assert seal.open(seal.close(text)) == text


def test_what_was_not_is_not_opened():
    seal, sealed = Seal(), Seal().close("so 12")
    own = seal.close("so 12")
    for wrong in (sealed, own[:-4] + "AAAA", "", "so 12", "ö", own[4:]):
        assert seal.open(wrong) is None


def test_a_small_seal_cannot_hold_gigabytes():
    seal = Seal()
    assert len(zlib.compress(b"x" * 10 * MAX_CHARS)) < 100_000
    with pytest.raises(BadRequest, match="longer"):
        seal.open(seal.close("x" * (MAX_CHARS + 1)))


def test_signatures_differ_by_text_and_key():
    seal = Seal()
    assert seal.sign("a") == seal.sign("a") != seal.sign("b") != Seal().sign("b")
    assert "key" not in repr(seal)
