"""Who may use a server: keys, their file, their limits, and that none is ever told to anybody."""

import errno
import json
import logging
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bise.cli import main
from bise.errors import NotFound, UserError
from bise.serve import AccessLog, Key, KeyRing, Ledger, add_key, digest_of, read_keys, revoke_key
from bise.serve.budgets import DAY_S, Account, Bucket, read_usage, usage_file
from bise.serve.faults import HttpFault
from bise.serve.keys import matching, presented_by, write_keys

DAY_TOKENS = 40
"""Room for one short question and its answer, and not for two."""

BODY = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "keys.json"


def ask(server, key=None, *, header="authorization", path="/v1/chat/completions", **fields):
    word = f"Bearer {key}" if header == "authorization" else key
    headers = {} if key is None else {header: word}
    return server.client.post(path, json=BODY | fields, headers=headers)


def test_a_file_holds_digests_only_and_is_its_owners(file):
    made = add_key(file, "alice", tokens_per_day=5)
    assert made.startswith("bise-") and len(made) == 48
    assert made not in file.read_text() and stat.S_IMODE(file.stat().st_mode) == 0o600
    (key,) = read_keys(file)
    assert key.digest == digest_of(made) and key.tokens_per_day == 5
    with pytest.raises(UserError, match="a key `alice` already"):
        add_key(file, "alice")
    add_key(file, "bob")
    revoke_key(file, "alice")
    assert [one.name for one in read_keys(file)] == ["bob"]
    with pytest.raises(NotFound, match="no key `alice`"):
        revoke_key(file, "alice")
    assert [one.name for one in file.parent.iterdir()] == ["keys.json"]


def test_a_file_keeps_its_owner_its_group_and_who_may_read_it(file):
    add_key(file, "alice")
    file.chmod(0o644)
    revoke_key(file, "alice")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    if os.getuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(file, 10001, 10002)
    add_key(file, "bob")
    found = file.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (10001, 10002, 0o640)
    assert [one.name for one in read_keys(file)] == ["bob"]


AS_NOBODY = """
import os, sys
from pathlib import Path
from bise.errors import UserError
from bise.serve import revoke_key
os.setgid(65534), os.setuid(65534)
try:
    revoke_key(Path(sys.argv[1]), "alice")
except UserError as fault:
    print(fault.message, fault.hint)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_who_cannot_leave_a_file_to_its_owner_revokes_nothing():
    with TemporaryDirectory() as name:  # where others may go, unlike `tmp_path`
        folder = Path(name)
        file = folder / "keys.json"
        add_key(file, "alice")
        file.chmod(0o644)
        folder.chmod(0o777)
        run = [sys.executable, "-c", AS_NOBODY, str(file)]
        said = subprocess.run(run, capture_output=True, text=True, check=True).stdout
        assert "belongs to user 0 and group 0" in said and "nothing was changed" in said
        assert [one.name for one in read_keys(file)] == ["alice"]
        assert [one.name for one in folder.iterdir()] == ["keys.json"]


def test_two_who_change_a_file_at_once_wait_for_each_other(file):
    def add(who):
        for number in range(4):
            add_key(file, f"{who}.{number}")
            if number % 2:
                revoke_key(file, f"{who}.{number}")

    threads = [threading.Thread(target=add, args=(who,)) for who in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {one.name for one in read_keys(file)}
    assert names == {f"{who}.{number}" for who in range(6) for number in (0, 2)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "no list `keys`"),
        ('{"keys": 3}', "no list `keys`"),
        ('{"keys": [3]}', "no key"),
        ('{"keys": [{"name": "a"}]}', "no key"),
        ('{"keys": [{"name": "a", "digest": "x"}]}', "no digest"),
        ('{"keys": [{"name": "a b", "digest": "%s"}]}' % ("0" * 64), "cannot be a key's name"),
        ('{"keys": [{"name": "a", "digest": "%s", "key": "x"}]}' % ("0" * 64), "no key"),
        ('{"keys": [{"name": "a", "digest": "%s", "concurrent": true}]}' % ("0" * 64), "no key"),
        ('{"keys": [{"name": "a", "digest": "%s", "concurrent": -1}]}' % ("0" * 64), "0 or more"),
        ('{"keys": [{"name": "a", "digest": "%s", "priority": 5000}]}' % ("0" * 64), "1000"),
        ('{"keys": [%s, %s]}' % (('{"name": "a", "digest": "%s"}' % ("0" * 64),) * 2), "two keys"),
    ],
)
def test_a_broken_file_is_refused(file, text, words):
    file.write_text(text)
    with pytest.raises(UserError, match=words):
        KeyRing(file)


def test_a_missing_file_is_refused(file):
    with pytest.raises(UserError, match="no such file"):
        KeyRing(file)


def test_keys_are_found_in_any_clients_header():
    keys = [Key(name=name, digest=digest_of(name * 9)) for name in "abc"]
    assert matching(["x", "bbbbbbbbb"], keys).name == "b"
    assert matching([], keys) is None and matching(["b"], keys) is None
    assert presented_by({"authorization": "bearer  k1"}) == ["k1"]
    assert presented_by({"authorization": "Basic k1", "x-api-key": "k2"}) == ["k2"]
    assert presented_by({"authorization": "Bearer k1", "api-key": "k3"}) == ["k1", "k3"]


def test_every_door_wants_a_key_in_its_own_words(start, thinker, file):
    made = add_key(file, "alice")
    with start(thinker, parts={"ring": KeyRing(file)}) as server:
        for path in ("/v1/chat/completions", "/mistral/v1/chat/completions", "/v1/responses"):
            reply = ask(server, path=path)
            body = reply.json()
            assert reply.status_code == 401 and body["detail"] == "Unauthorized"
            assert body["error"]["code"] == "invalid_api_key" and body["type"] == "unauthorized"
            assert reply.headers["www-authenticate"] == "Bearer"
        reply = ask(server, path="/v1/messages", max_tokens=3)
        assert reply.status_code == 401
        assert reply.json()["error"]["type"] == "authentication_error"
        for path in ("/v1/models", "/metrics", "/openapi.json", "/v1/metadata", "/nowhere"):
            assert server.client.get(path).status_code == 401, path
        for path in ("/health", "/v1/health/live", "/v1/health/ready"):
            assert server.client.get(path).status_code == 200, path
        assert server.client.get("/").status_code in (200, 404)  # the page asks for a key itself
        allowed = server.client.options("/v1/chat/completions")
        assert (allowed.status_code, allowed.headers["allow"]) == (405, "POST")
        wrong = ask(server, "bise-wrong-key")
        assert wrong.status_code == 401 and "wrong-key" not in wrong.text
        for header in ("authorization", "x-api-key", "api-key"):
            assert ask(server, made, header=header).status_code == 200


def test_a_keyed_server_may_be_posted_any_type_that_holds_json(start, thinker, file):
    made = add_key(file, "alice")
    with start(thinker, parts={"ring": KeyRing(file)}) as server:
        for kind, data, status in (
            ("text/plain", json.dumps(BODY), 200),
            ("application/octet-stream", json.dumps(BODY), 200),
            ("text/plain", "{", 400),
            ("image/png", "{", 415),
        ):
            headers = {"authorization": f"Bearer {made}", "content-type": kind}
            reply = server.client.post("/v1/chat/completions", content=data, headers=headers)
            assert reply.status_code == status, kind


def test_a_changed_file_is_read_again_and_a_broken_one_is_not(start, thinker, file, caplog):
    made = add_key(file, "alice")
    with start(thinker, parts={"ring": KeyRing(file)}) as server:
        assert ask(server, made).status_code == 200
        other = add_key(file, "bob")
        assert ask(server, other).status_code == 200
        revoke_key(file, "alice")
        assert ask(server, made).status_code == 401 and ask(server, other).status_code == 200
        file.write_text("{")
        with caplog.at_level(logging.ERROR):
            assert ask(server, other).status_code == 200
        assert "the keys stay as they were" in caplog.text and other not in caplog.text
        write_keys(file, [])
        assert ask(server, other).status_code == 401, "an empty file lets nobody in"


def test_a_broken_file_is_read_and_told_of_once(file, monkeypatch, caplog):
    add_key(file, "alice")
    ring, reads, plain = KeyRing(file), [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: reads.append(path) or plain(path))
    file.write_text("{")
    for _ in range(5):
        ring.find({})
    assert len(reads) == 1 and caplog.text.count("the keys stay as they were") == 1
    file.unlink()
    for _ in range(5):
        ring.find({})
    assert len(reads) == 1 and caplog.text.count("the keys stay as they were") == 2
    write_keys(file, [])
    assert ring.find({}) is None and ring.keys == () and len(reads) == 2


def test_a_file_that_could_not_be_opened_is_tried_again(file, monkeypatch, caplog):
    add_key(file, "alice")
    ring, plain = KeyRing(file), Path.read_bytes
    revoke_key(file, "alice")

    def none_left(_):
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(Path, "read_bytes", none_left)
    for _ in range(3):
        ring.find({})
    assert len(ring.keys) == 1 and caplog.text.count("the keys stay as they were") == 1
    monkeypatch.setattr(Path, "read_bytes", plain)
    ring.find({})
    assert ring.keys == ()


def test_no_key_is_ever_written_anywhere(start, thinker, file, tmp_path, caplog):
    made = add_key(file, "alice")
    log = tmp_path / "access.log"
    parts = {"ring": KeyRing(file), "access_log": AccessLog(str(log), keeps_ids=True)}
    with caplog.at_level(logging.DEBUG), start(thinker, parts=parts) as server:
        assert ask(server, made).status_code == 200
        server.client.get(f"/v1/models?key={made}", headers={"api-key": made})
        for word in ("wrong" + made, made + "wrong", made.lower()):
            assert made not in ask(server, word).text
        assert ask(server, made, temperature=made).status_code == 422  # a field may be quoted
        assert made not in server.client.get("/metrics", headers={"api-key": made}).text
    assert made not in log.read_text() and made not in repr(parts["ring"].keys)
    ours = [record for record in caplog.records if record.name.startswith(("bise", "uvicorn"))]
    assert not any(made in record.getMessage() for record in ours)


def test_requests_a_minute_are_counted(start, thinker, file):
    made = add_key(file, "alice", requests_per_minute=2)
    free = add_key(file, "bob")
    with start(thinker, parts={"ring": KeyRing(file)}) as server:
        first, second, third = (ask(server, made) for _ in range(3))
        assert (first.status_code, second.status_code, third.status_code) == (200, 200, 429)
        assert first.headers["x-ratelimit-limit"] == "2"
        assert first.headers["x-ratelimit-remaining"] == "1"
        assert first.headers["x-ratelimit-limit-requests"] == "2"
        assert first.headers["x-ratelimit-reset-requests"].endswith("s")
        assert 1 <= int(third.headers["retry-after"]) <= 31
        assert third.json()["error"]["code"] == "rate_limit_exceeded"
        assert third.json()["code"] == "1300"
        asked = ask(server, made, path="/v1/messages", max_tokens=3)
        assert asked.status_code == 429 and asked.json()["error"]["type"] == "rate_limit_error"
        assert server.client.get("/v1/models", headers={"api-key": made}).status_code == 200
        assert ask(server, free).status_code == 200
        assert "x-ratelimit-limit" not in ask(server, free).headers


def test_tokens_of_a_minute_and_of_a_day_are_counted(start, thinker, file):
    minute = add_key(file, "minute", tokens_per_minute=20)
    day = add_key(file, "day", tokens_per_day=DAY_TOKENS)
    with start(thinker, parts={"ring": KeyRing(file), "ledger": Ledger()}) as server:
        reply = ask(server, minute)
        used = reply.json()["usage"]["total_tokens"]
        assert reply.status_code == 200 and used > 10
        again = ask(server, minute)
        assert again.status_code == 429 and "20 tokens a minute" in again.json()["message"]
        assert ask(server, day).status_code == 200
        assert server.served.ledger.accounts[digest_of(day)].tokens_today == used
        again = ask(server, day)
        assert again.status_code == 429 and "of today" in again.json()["message"]
        assert int(again.headers["retry-after"]) > 0
        assert server.served.ledger.accounts[digest_of(day)].tokens_today == used
        text = "one two three four five six seven eight nine ten " * 3
        refused = ask(server, day, path="/v1/completions", prompt=text)
        assert refused.status_code == 429


def test_what_was_used_of_a_day_survives_a_restart(start, thinker, file):
    made = add_key(file, "alice", tokens_per_day=DAY_TOKENS)
    for status in (200, 429):
        ledger = Ledger(usage_file(file))
        with start(thinker, parts={"ring": KeyRing(file), "ledger": ledger}) as server:
            assert ask(server, made).status_code == status
        ledger.close()
    kept = read_usage(usage_file(file), int(time.time() // DAY_S))
    assert kept[digest_of(made)] > 10 and made not in usage_file(file).read_text()
    assert read_usage(usage_file(file), 3) == {} and read_usage(file, 3) == {}


def test_what_was_used_yesterday_is_not_of_today(file, monkeypatch):
    day = int(time.time() // DAY_S)
    digests = ["0" * 64, "1" * 64]
    file.write_text(json.dumps({"day": day, "tokens": dict.fromkeys(digests, 9)}))
    ledger = Ledger(file)
    assert ledger.account(Key(name="a", digest=digests[0])).tokens_today == 9
    assert json.loads(ledger.page())["tokens"] == dict.fromkeys(digests, 9)
    monkeypatch.setattr(time, "time", lambda: (day + 1) * DAY_S + 5)
    assert json.loads(ledger.page()) == {"day": day + 1, "tokens": {}}
    assert ledger.account(Key(name="b", digest=digests[1])).tokens_today == 0
    ledger = Ledger(file)
    assert ledger.account(Key(name="b", digest=digests[1])).tokens_today == 0


def test_requests_at_once_are_counted_and_given_back(start, chatterbox, file):
    made = add_key(file, "alice", concurrent=1)
    with start(chatterbox, parts={"ring": KeyRing(file)}) as server:
        headers = {"authorization": f"Bearer {made}"}
        with server.client.stream(
            "POST", "/v1/chat/completions", json=BODY | {"stream": True}, headers=headers
        ) as reply:
            lines = reply.iter_lines()
            next(lines)
            refused = ask(server, made)
            assert refused.status_code == 429 and "1 requests running" in refused.json()["message"]
        server.wait_until(lambda stats: stats.num_running == 0)
        ends = time.monotonic() + 5
        while ask(server, made, max_tokens=1).status_code == 429:
            assert time.monotonic() < ends


def test_keys_do_not_share_known_beginnings_unless_they_are_one_tenants(start, thinker, file):
    keys = [add_key(file, "a"), add_key(file, "b")]
    team = [add_key(file, "c", tenant="team"), add_key(file, "d", tenant="team")]
    text = "one two three four five six seven eight nine ten " * 4
    messages = [{"role": "user", "content": text}]

    def cached(server, key):
        usage = ask(server, key, messages=messages, max_tokens=1).json()["usage"]
        return usage["prompt_tokens_details"]["cached_tokens"]

    with start(thinker, parts={"ring": KeyRing(file)}) as server:
        assert cached(server, keys[0]) == 0 and cached(server, keys[0]) > 0
        assert cached(server, keys[1]) == 0
        assert cached(server, team[0]) == 0 and cached(server, team[1]) > 0


def test_a_salt_is_never_mistaken_for_a_part_of_a_tenants_name(start, thinker, file):
    asks = [
        (add_key(file, "a", tenant="one two"), "three"),
        (add_key(file, "b", tenant="one"), "two three"),
    ]
    messages = [
        {"role": "user", "content": "one two three four five six seven eight nine ten " * 4}
    ]
    with start(thinker, parts={"ring": KeyRing(file)}) as server:
        for made, salt in asks:
            reply = ask(server, made, messages=messages, max_tokens=1, cache_salt=salt)
            assert reply.json()["usage"]["prompt_tokens_details"]["cached_tokens"] == 0


def test_a_request_goes_no_further_ahead_than_its_key(start, thinker, file, monkeypatch):
    from bise.serve import Limits

    seen = []
    made = add_key(file, "alice", priority=3)
    with start(thinker, Limits(priority=10), parts={"ring": KeyRing(file)}) as server:
        engine = server.served.talker.engine
        generate = engine.generate
        monkeypatch.setattr(
            engine,
            "generate",
            lambda request, name: seen.append(request) or generate(request, name),
        )
        for fields in ({}, {"priority": -9}, {"priority": 9}):
            assert ask(server, made, **fields).status_code == 200
    assert [request.priority for request in seen] == [3, 3, 9]


def test_one_key_may_come_from_the_environment(start, thinker):
    ring = KeyRing(None, [Key(name="api-key", digest=digest_of("s3cret"))])
    with start(thinker, parts={"ring": ring}) as server:
        assert ask(server, "s3cret").status_code == 200 and ask(server).status_code == 401


def test_a_bucket_fills_steadily_and_may_go_below_zero():
    bucket = Bucket.full(60, 0.0)
    bucket.level -= 90
    bucket.fill(10.0)
    assert bucket.level == -20 and bucket.wait_s(1) == 21 and bucket.wait_s(1000) == 80
    bucket.fill(1000.0)
    assert bucket.level == 60 and bucket.wait_s(60) == 0


def test_a_new_day_begins_anew():
    key = Key(name="a", digest="0" * 64, tokens_per_day=10)
    account = Account(key, Bucket.full(0, 0), Bucket.full(0, 0))
    account.need(8, 0.0, 5 * DAY_S)
    with pytest.raises(HttpFault, match="used 8 of its 10"):
        account.need(3, 0.0, 5 * DAY_S + 1)
    account.need(3, 0.0, 6 * DAY_S)
    assert account.tokens_today == 3


def test_new_limits_of_a_key_hold_at_once():
    ledger, digest = Ledger(), "0" * 64
    old = ledger.account(Key(name="a", digest=digest, requests_per_minute=1))
    old.enter(0.0)
    new = ledger.account(Key(name="a", digest=digest, requests_per_minute=9))
    assert new is old and new.requests.limit == 9 and new.num_running == 1


def test_the_commands(file, capsys):
    def run(*words):
        with pytest.raises(SystemExit) as left:
            main(["keys", *words])
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    status, made, said = run("add", "alice", "--keys", str(file), "--tokens-per-day", "1000")
    assert status == 0 and made.startswith("bise-") and made.strip() not in said
    status, listed, _ = run("list", "--keys", str(file))
    assert status == 0 and "alice" in listed and "1,000" in listed
    assert digest_of(made.strip()) not in listed
    assert run("revoke", "bob", "--keys", str(file))[0] == 2
    assert run("revoke", "alice", "--keys", str(file))[0] == 0
    assert run("add", "a b", "--keys", str(file))[0] == 2
    status, _, said = run("list")
    assert status == 2 and "BISE_KEYS" in said
