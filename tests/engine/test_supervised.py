"""The engine in a process of its own: the same replies, and what happens when that process dies."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import aclosing, closing

import pytest
import torch
from small_requests import HOSTILE, ask, ids_of, wait_until

from bise.engine import (
    Core,
    EngineClosed,
    EngineConfig,
    EngineDown,
    EngineFailed,
    Grammar,
    Patience,
    Plan,
    QueueFull,
    Runner,
    SupervisedEngine,
    make_core,
    open_network,
    run_all,
)
from bise.engine.wire import Failed, Inbox
from bise.errors import BadRequest, NotFound, TooComplex, UserError

pytestmark = pytest.mark.slow

QUICK = Patience(backoff_s=0.05, max_backoff_s=0.2, max_deaths=50, hang_s=60, leave_s=20)


def process_of(engine) -> int:
    """The child's number, once there is one that serves."""
    wait_until(lambda: engine._link is not None)
    return engine._link.process.pid


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def plan(random_folder):
    return Plan(
        str(random_folder), "native", "float32", EngineConfig(max_running=4, backend="torch")
    )


@pytest.fixture(scope="module")
def engine(plan):
    with SupervisedEngine(plan, patience=QUICK) as engine:
        yield engine


@pytest.fixture(scope="module")
def expected(network):
    return run_all(Core(Runner(network), 4), [ask(number) for number in range(12)])


def test_replies_are_those_of_an_engine_in_this_process(engine, expected):
    assert [ids_of(engine.generate(ask(number))) for number in range(12)] == expected


def test_a_child_computes_with_the_core(random_folder):
    config = EngineConfig(max_running=4, backend="core")
    packed = open_network(random_folder, "native", torch.float32, config)
    one = make_core(packed, config)
    expected = run_all(one, [ask(number) for number in range(4)])
    one.close()
    told: list[tuple[int, int]] = []
    plan = Plan(str(random_folder), "native", "float32", config)
    with SupervisedEngine(plan, progress=lambda *bytes: told.append(bytes)) as engine:
        done, total = told[-1]
        assert 0 < told[0][0] <= done == total, "it tells how far it is with the weights"
        assert [ids_of(engine.generate(ask(number))) for number in range(4)] == expected


def test_many_async_streams_get_their_own(engine, expected):
    async def one(number):
        return [t async for step in engine.generate(ask(number)) for t in step.ids]

    async def everybody():
        return await asyncio.gather(*(one(number) for number in range(12)))

    assert asyncio.run(everybody()) == expected


def test_pictures_likelihoods_and_routing_cross(engine, network):
    image = torch.rand(3, 28, 56, generator=torch.Generator().manual_seed(1))
    token = network.config.image_token
    side = network.config.vision.patch * network.config.vision.merge
    places = [token] * ((28 // side) * (56 // side))
    request = ask(prompt_ids=[1, 3, *places, 4], images=[image], want_logprobs=2, want_routing=True)
    core = Core(Runner(network), 4)
    number, here = core.add(request), []
    while not core.is_idle:
        here += [step for key, step in core.step().items() if key == number]
    there = list(engine.generate(request))
    assert [one.ids for one in there] == [one.ids for one in here]
    found = [chosen for one in there for chosen in one.logprobs]
    wanted = [chosen for one in here for chosen in one.logprobs]
    assert [one.logprob for one in found] == pytest.approx([one.logprob for one in wanted])
    assert [[i for i, _ in one.top] for one in found] == [[i for i, _ in o.top] for o in wanted]
    for one, other in zip(there, here, strict=True):
        assert one.routing is not None and one.routing.equal(other.routing)


def test_leaving_frees(engine):
    before = engine.stats().num_cancelled
    for step in engine.generate(ask(max_tokens=400)):
        assert step.ids and engine.stats().num_running == 1
        break

    async def taste():
        async with aclosing(engine.generate(ask(max_tokens=400)).__aiter__()) as steps:
            async for _ in steps:
                return

    asyncio.run(taste())
    wait_until(lambda: engine.stats().num_cancelled == before + 2)
    assert engine.stats().num_running == 0 and engine.stats().pages_used == 0


def test_what_is_wrong_is_said_at_once(engine):
    with pytest.raises(BadRequest, match="maximum context length is 512 tokens"):
        engine.generate(ask(prompt_ids=[1] * 600))
    with pytest.raises(BadRequest, match="outside the vocabulary"):
        engine.generate(ask(prompt_ids=[1, 5000]))
    with pytest.raises(BadRequest, match="its pictures 1"):
        engine.generate(ask(images=[torch.zeros(3, 28, 28)]))
    with pytest.raises(BadRequest, match="axes"):
        engine.generate(ask(images=[torch.zeros(1, 3, 28, 28)]))


def test_rules_cross_and_their_faults_come_back(random_folder, tekken, vocabulary):
    config = EngineConfig(max_running=4, backend="torch")
    plan = Plan(str(random_folder), "native", "float32", config, vocabulary=vocabulary)
    with SupervisedEngine(plan) as engine:
        ids = ids_of(engine.generate(ask(grammar=Grammar(rules='start: "yes" | "no"'))))
        assert tekken.decode(ids) in ("yes", "no") and ids[-1] == vocabulary.end_id
        with pytest.raises(BadRequest, match="cannot be followed"):
            ids_of(engine.generate(ask(grammar=Grammar(rules="start: nothing"))))
        with pytest.raises(TooComplex):
            ids_of(engine.generate(ask(grammar=Grammar(rules=HOSTILE))))
        assert len(ids_of(engine.generate(ask()))) == 4


def test_without_a_vocabulary_rules_are_refused_at_once(engine):
    with pytest.raises(BadRequest, match="given no vocabulary"):
        engine.generate(ask(grammar=Grammar(rules='start: "a"')))


def test_a_request_too_large_to_send_fails_alone(engine):
    stream = engine.generate(ask(cache_salt="a" * (2**24 + 1)))
    with pytest.raises(BadRequest, match="cannot be sent"):
        ids_of(stream)
    assert len(ids_of(engine.generate(ask()))) == 4


def test_thinking_is_stopped_by_the_id_of_the_request(engine):
    ids = []
    request = ask(max_tokens=400, in_thinking=True)
    for step in engine.generate(request, request_id="mine"):
        ids += step.ids
        if len(ids) == 2:
            engine.stop_thinking("mine")
        if 35 in ids:
            break
    assert ids[-1] == 35
    with pytest.raises(NotFound):
        engine.stop_thinking("yours")


def test_a_full_queue_is_said_at_once(engine):
    engine.max_waiting = 0
    try:
        with pytest.raises(QueueFull):
            engine.generate(ask())
    finally:
        engine.max_waiting = 1024


def test_a_killed_child_ends_its_streams_and_comes_back(engine, expected, caplog):
    first = process_of(engine)
    with pytest.raises(EngineFailed, match="killed by SIGKILL"):
        for number, _ in enumerate(engine.generate(ask(max_tokens=500))):
            if number == 0:
                os.kill(first, signal.SIGKILL)
    assert not engine.is_well()
    with pytest.raises(EngineDown, match="being started again"):
        engine.generate(ask())
    assert engine.stats().num_running == 0
    assert process_of(engine) != first and engine.is_well()
    assert ids_of(engine.generate(ask(3))) == expected[3]
    assert "the next starts in" in caplog.text


def test_a_child_that_hangs_is_replaced(engine, expected, caplog):
    first, patience = process_of(engine), engine.patience
    engine.patience = Patience(backoff_s=0.05, max_deaths=50, hang_s=1.5)
    try:
        with pytest.raises(EngineFailed, match=r"it said nothing for 1.5 s"):
            for number, _ in enumerate(engine.generate(ask(max_tokens=500))):
                if number == 0:
                    os.kill(first, signal.SIGSTOP)
        engine.patience = patience
        assert process_of(engine) != first
        assert ids_of(engine.generate(ask(3))) == expected[3]
    finally:
        engine.patience = patience
    assert "said nothing" in caplog.text


def test_a_child_that_hangs_without_work_is_not_well(engine, expected):
    child = process_of(engine)
    wait_until(lambda: engine.is_well(stale_s=2.0))
    os.kill(child, signal.SIGSTOP)
    try:
        wait_until(lambda: not engine.is_well(stale_s=2.0))
    finally:
        os.kill(child, signal.SIGCONT)
    wait_until(lambda: engine.is_well(stale_s=2.0))
    assert process_of(engine) == child and ids_of(engine.generate(ask(3))) == expected[3]


def test_a_child_that_hangs_is_not_asked_for_ever(plan):
    with SupervisedEngine(plan, patience=Patience(answer_s=0.2, leave_s=20)) as engine:
        child = process_of(engine)
        with closing(iter(engine.generate(ask(max_tokens=500), "mine"))) as steps:
            next(steps)
            os.kill(child, signal.SIGSTOP)
            try:
                with pytest.raises(EngineDown, match=r"said nothing for 0.2 s"):
                    engine.stop_thinking("mine")
            finally:
                os.kill(child, signal.SIGCONT)


def test_too_many_deaths_and_it_stays_away(plan, caplog):
    impatient = Patience(backoff_s=0.05, max_deaths=2, leave_s=20)
    called = threading.Event()
    with SupervisedEngine(plan, patience=impatient) as engine:
        engine.call_when_lost(called.set)
        for death in range(2):
            child = process_of(engine)
            os.kill(child, signal.SIGKILL)
            if death == 0:
                wait_until(lambda old=child: process_of(engine) != old)
        assert called.wait(20)
        assert engine.lost is not None and not engine.is_well()
        with pytest.raises(EngineDown, match="died 2 times in 10 minutes, at last so: killed by"):
            engine.generate(ask())
    assert caplog.text.count("the next starts in") == 1


def test_closing_leaves_no_process_and_ends_what_runs(plan):
    engine = SupervisedEngine(plan, patience=QUICK)
    child = process_of(engine)
    late, found = engine.generate(ask()), []
    ready = threading.Event()

    def listen():
        try:
            for _ in engine.generate(ask(max_tokens=500)):
                ready.set()
        except UserError as error:
            found.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    assert ready.wait(20)
    engine.close()
    engine.close()
    thread.join(10)
    assert not thread.is_alive() and not is_there(child)
    assert all(type(one) is EngineClosed for one in found), "worth a retry: 503"
    assert not found or str(found[0]) == "the engine was closed"
    for begin in (lambda: engine.generate(ask()), lambda: ids_of(late)):
        with pytest.raises(EngineClosed, match="closed"):
            begin()
    assert not engine.is_well()


def test_weights_that_cannot_be_read_are_told_in_the_same_words(tmp_path):
    with pytest.raises(NotFound, match="there is no folder"):
        SupervisedEngine(
            Plan(
                str(tmp_path / "none"),
                "native",
                "float32",
                EngineConfig(max_running=4, backend="torch"),
            )
        )


def test_a_child_ends_with_its_parent(random_folder):
    code = (
        "import os; from bise.engine import EngineConfig, Plan, SupervisedEngine\n"
        f"plan = Plan({str(random_folder)!r}, 'native', 'float32', EngineConfig())\n"
        "engine = SupervisedEngine(plan)\n"
        "print(engine._link.process.pid, flush=True); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as parent:
        child = int(parent.stdout.readline())
        assert is_there(child)
        parent.kill()
    wait_until(lambda: not is_there(child), timeout_s=20)


def test_a_child_that_is_told_nonsense_says_so_and_leaves():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        words = [str(theirs.fileno()), str(os.getpid())]
        command = [sys.executable, "-m", "bise.engine.child", *words]
        with subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, text=True
        ) as child:
            theirs.close()
            ours.sendall(b"GET / HTTP/1.1\r\n\r\n")
            data = b""
            while piece := ours.recv(65536):
                data += piece
            child.stderr.read()
        assert child.returncode == 1
    (said,) = Inbox().feed(data)
    assert isinstance(said, Failed) and "begins with b'GET '" in said.message
