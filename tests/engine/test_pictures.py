"""Pictures of many requests: kept while somebody needs them, and nobody else suffers from one."""

import threading

import pytest
import torch
from small_requests import ask, ids_of, wait_until

from bise.engine import Core, Engine, EngineFailed, Runner, Sampling, run_all
from bise.errors import BadRequest


def picture(number: int) -> torch.Tensor:
    return torch.randn(3, 28, 56, generator=torch.Generator().manual_seed(number))


def look(number: int = 0, **fields):
    return ask(prompt_ids=[1, 3, 10, 10, 13, 300, 4], images=[picture(number)], **fields)


def test_a_place_for_a_picture_needs_a_picture(network):
    core = Core(Runner(network, 2048), 4)
    with pytest.raises(BadRequest, match="1 image tokens, its pictures 0"):
        core.add(ask(prompt_ids=[1, 3, 10, 4]))


def test_nobody_says_the_token_of_a_picture(network):
    """However much it is wanted: there is nothing to put in its place."""
    image = network.config.image_token
    sampling = Sampling(temperature=0.0, logit_bias={image: 100.0})
    requests = [ask(sampling=sampling, max_tokens=6), look(max_tokens=6)]
    said = run_all(Core(Runner(network, 2048), 4), requests)
    assert [len(ids) for ids in said] == [6, 6]
    assert image not in said[0] + said[1]


def test_a_picture_the_eye_fails_on_ends_its_own_request_alone(network, monkeypatch):
    runner = Runner(network, 2048)
    see = runner.see
    bad = picture(7)

    def fails(image):
        if torch.equal(image, bad):
            raise RuntimeError("a broken eye")
        return see(image)

    monkeypatch.setattr(runner, "see", fails)
    expected = run_all(Core(Runner(network, 2048), 4), [look(1), ask(2)])
    with Engine(Core(runner, 4, sees_aside=True)) as engine:
        with pytest.raises(EngineFailed, match="a broken eye"):
            ids_of(engine.generate(look(7)))
        assert [ids_of(engine.generate(one)) for one in (look(1), ask(2))] == expected
        assert engine.stats().num_running == engine.stats().num_waiting == 0


def test_pictures_that_are_needed_are_not_forgotten(network, monkeypatch):
    monkeypatch.setattr("bise.engine.pictures.KEPT_BYTES", 1)
    runner = Runner(network, 4096)
    core = Core(runner, 2, sees_aside=True)
    prompt = [1, 3, *[10, 10, 13] * 6, 300, 4]
    many = ask(prompt_ids=prompt, images=[picture(number) for number in range(6)])
    said = run_all(core, [many, look(9)])
    assert [len(ids) for ids in said] == [4, 4]
    assert core.pictures.num_seen == 7, "each was looked at once"
    assert not core.pictures.users
    core.close()


def test_who_leaves_takes_the_pictures_along(network, monkeypatch):
    go_on, runner = threading.Event(), Runner(network, 2048)
    see = runner.see
    monkeypatch.setattr(runner, "see", lambda image: go_on.wait(30) and see(image))
    core = Core(runner, 4, sees_aside=True)
    numbers = [core.add(look(number)) for number in range(5)]
    for number in numbers:
        core.cancel(number)
    assert not core.pictures.coming and not core.pictures.users
    go_on.set()
    assert len(run_all(core, [look(8)])[0]) == 4
    wait_until(lambda: core.pictures.num_seen == 1)
    core.close()
