import pytest
import torch
from model_shapes import SHAPES, latent

from bise.errors import UserError
from bise.model.network import Network
from bise.model.sight import DecodeSight, PackedRows, PrefillSight, Slots

CLOSE = {"rtol": 1e-4, "atol": 2e-5}
LATENT = ["small4", "small4-text"]


def text(seed: int, length: int) -> torch.Tensor:
    return torch.randint(14, 128, (length,), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def logits(network: Network, ids: torch.Tensor, sight: PackedRows, positions=None) -> torch.Tensor:
    positions = torch.arange(len(ids)) if positions is None else positions
    return network.logits(network(ids, positions, sight))


def slots_of(network: Network, num: int, capacity: int = 8) -> Slots:
    config = network.config
    return Slots(
        config.num_layers,
        num,
        config.attention.cache_width,
        dtype=torch.float32,
        capacity=capacity,
    )


@pytest.mark.parametrize("name", LATENT)
def test_expanded_equals_absorbed(name, fill):
    network, ids = fill(SHAPES[name]), text(0, 50)
    expanded = logits(network, ids, PackedRows(1, 50, form="expanded"))
    absorbed = logits(network, ids, PackedRows(1, 50, form="absorbed"))
    torch.testing.assert_close(expanded, absorbed, **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize("form", ["expanded", "absorbed"])
def test_token_by_token_equals_one_pass(config, form, fill):
    network, ids = fill(config), text(1, 40)
    slots = slots_of(network, 1)
    rows = []
    for position in range(40):
        sight = DecodeSight(slots, [0], form=form)
        at = torch.tensor([position])
        rows.append(network.logits(network(ids[at], at, sight)))
        sight.commit()
    torch.testing.assert_close(torch.cat(rows), network.read(ids), **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize("chunks", [[40], [1, 39], [17, 3, 20]])
def test_prefill_in_chunks_equals_one_pass(config, chunks, fill):
    network, ids = fill(config), text(2, 40)
    slots, rows, start = slots_of(network, 3), [], 0
    for chunk in chunks:
        sight = PrefillSight(slots, 1, chunk)
        at = torch.arange(start, start + chunk)
        rows.append(network.logits(network(ids[at], at, sight)))
        sight.commit()
        start += chunk
    torch.testing.assert_close(torch.cat(rows), network.read(ids), **CLOSE)


@torch.no_grad()
def test_many_conversations_at_once_equal_each_alone(config, fill):
    network = fill(config)
    texts = [text(seed, length) for seed, length in ((3, 20), (4, 9), (5, 33))]
    slots = slots_of(network, 4)
    chosen = [2, 0, 3]
    for slot, ids in zip(chosen, texts, strict=True):
        sight = PrefillSight(slots, slot, len(ids) - 1)
        network(ids[:-1], torch.arange(len(ids) - 1), sight)
        sight.commit()
    sight = DecodeSight(slots, chosen)
    last = torch.stack([ids[-1] for ids in texts])
    at = torch.tensor([len(ids) - 1 for ids in texts])
    found = network.logits(network(last, at, sight))
    alone = torch.stack([network.read(ids)[-1] for ids in texts])
    torch.testing.assert_close(found, alone, **CLOSE)


def test_samples_packed_into_rows_equal_each_alone(config, fill):
    network = fill(config)
    lengths = [[12, 20, 8], [40]]
    samples = torch.stack(
        [torch.arange(len(row)).repeat_interleave(torch.tensor(row)) for row in lengths]
    )
    texts = [[text(10 * i + j, n) for j, n in enumerate(row)] for i, row in enumerate(lengths)]
    ids = torch.cat([torch.cat(row) for row in texts])
    positions = torch.cat([torch.arange(n) for row in lengths for n in row])
    found = logits(network, ids, PackedRows(2, 40, samples), positions)
    alone = torch.cat([network.read(one) for row in texts for one in row])
    torch.testing.assert_close(found, alone, **CLOSE)


@torch.no_grad()
def test_pictures_together_equal_each_alone(fill):
    network = fill(SHAPES["small4"])
    generator = torch.Generator().manual_seed(0)
    sizes = [(56, 84), (28, 28), (84, 56), (56, 84), (140, 28)]
    images = [torch.randn(3, *size, generator=generator) for size in sizes]
    alone = torch.cat([network.see([image]) for image in images])
    torch.testing.assert_close(network.see(images), alone, **CLOSE)
    assert len(alone) == sum(h * w // 28**2 for h, w in sizes)


@torch.no_grad()
def test_picture_vectors_stand_where_their_tokens_are_and_nowhere_else(fill):
    network = fill(SHAPES["small4"])
    ids = text(0, 20)
    ids[[3, 4, 9]] = network.config.image_token
    plain = network.embed(ids)
    vectors = torch.randn(3, network.config.dim)
    mixed = network._splice(ids, plain, vectors)
    assert torch.equal(mixed[[3, 4, 9]], vectors)
    others = [place for place in range(20) if place not in (3, 4, 9)]
    assert torch.equal(mixed[others], plain[others])


def test_pictures_that_do_not_fit_the_prompt_are_refused(fill):
    network = fill(SHAPES["small4"])
    ids = text(0, 20)
    ids[3] = network.config.image_token
    with pytest.raises(UserError, match="the prompt has 1 image tokens, its pictures 6"):
        network.read(ids, [torch.zeros(3, 56, 84)])
    with pytest.raises(UserError, match="no vision tower"):
        fill(SHAPES["small3-text"]).see([torch.zeros(3, 28, 28)])


def test_a_shape_that_cannot_be_is_refused():
    with pytest.raises(UserError, match="`num_heads` is 0"):
        latent(num_heads=0)
    with pytest.raises(UserError, match="no feed-forward"):
        latent(experts=None)
