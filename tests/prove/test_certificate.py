"""A certificate says what was proved, and one changed byte ends it."""

import json

import pytest
from fakes import FakePool, fake_judge

from bise.errors import UserError
from bise.judge import Request
from bise.prove.certificate import check_certificate, write_certificate

REQUEST = Request(
    challenge="theorem t : 1 = 1 := sorry\n",
    submission="theorem t : 1 = 1 := by\n  magic\n",
    examples="#guard 1 = 1\n",
)


def judge(request: Request):
    return fake_judge(FakePool(), request)


@pytest.fixture
def folder(tmp_path):
    write_certificate(tmp_path / "c", REQUEST, judge(REQUEST))
    return tmp_path / "c"


def test_it_is_judged_again(folder):
    asked = []
    verdict = check_certificate(folder, lambda one: asked.append(one) or judge(one))
    assert verdict.is_accepted and asked == [REQUEST]


@pytest.mark.parametrize(
    "name", ["challenge.lean", "submission.lean", "examples.lean", "certificate.json"]
)
def test_every_byte_counts(folder, name):
    whole = (folder / name).read_bytes()
    for place in (0, len(whole) // 2, len(whole) - 2):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1
        (folder / name).write_bytes(spoilt)
        with pytest.raises(UserError):
            check_certificate(folder, judge)
    (folder / name).write_bytes(whole)
    assert check_certificate(folder, judge).is_accepted


def test_a_claim_is_not_believed(folder):
    """Whoever writes another proof with right hashes still has to have it accepted."""
    other = REQUEST.submission.replace("magic", "nothing")
    about = json.loads((folder / "certificate.json").read_text())
    (folder / "submission.lean").write_text(other)
    from bise.prove import certificate as room

    about["files"]["submission.lean"] = room._digest(other.encode())
    del about["hash"]
    about["hash"] = room._digest(room._plain(about))
    (folder / "certificate.json").write_text(json.dumps(about))
    assert not check_certificate(folder, judge).is_accepted


@pytest.mark.parametrize(
    "about", [b"[" * 200_000, b'{"timeout_s": 1e999}', b"[]", b"\xff", b"{}", b" " * (9 << 20)]
)
def test_what_is_no_certificate_is_told(folder, about):
    if b"timeout_s" in about:
        from bise.prove import certificate as room

        told = json.loads((folder / "certificate.json").read_text())
        del told["hash"]
        told |= json.loads(about)
        about = json.dumps({**told, "hash": room._digest(room._plain(told))}).encode()
    (folder / "certificate.json").write_bytes(about)
    with pytest.raises(UserError):
        check_certificate(folder, judge)


def test_files_without_an_end_are_not_read_to_it(folder):
    (folder / "challenge.lean").unlink()
    (folder / "challenge.lean").symlink_to("/dev/zero")
    with pytest.raises(UserError, match="larger than"):
        check_certificate(folder, judge)


def test_what_is_not_proved_gets_none(tmp_path, folder):
    wrong = Request(challenge=REQUEST.challenge, submission=REQUEST.challenge)
    with pytest.raises(UserError, match="rejected"):
        write_certificate(tmp_path / "d", wrong, judge(wrong))
    with pytest.raises(UserError, match="not empty"):
        write_certificate(folder, REQUEST, judge(REQUEST))
    with pytest.raises(UserError, match="no certificate"):
        check_certificate(tmp_path / "none", judge)
