"""Calls that make no sense are refused in Python: the core itself trusts what it is given."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
import torch

from bise.errors import UserError
from bise.ops.cpu import look, matrix, network, network_weights, rows
from bise.ops.cpu.library import core_path, library
from bise.ops.cpu.matrix import Gated, Mixture, WeightType

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)

BF16 = WeightType.BF16


@dataclass
class Span:
    start: int
    count: int
    pages: list[int]


def packed(outputs: int, inputs: int, *, is_gated: bool = False) -> matrix.Matrix:
    return matrix.pack(torch.ones(outputs, inputs), BF16, is_gated=is_gated)


def gated(dim: int = 8, width: int = 4) -> Gated:
    return Gated(packed(2 * width, dim, is_gated=True), packed(dim, width))


def pages(num: int = 2, tokens: int = 4, width: int = 6) -> look.Pages:
    return look.Pages(torch.zeros(num, tokens, width), 4)


def spans(*of: Span) -> look.Table:
    return look.Table(of)


def up() -> look.LatentUp:
    return look.pack_latent_up(torch.ones(2, 5, 4), nope=3, rope=2)


def query(tokens: int = 1) -> torch.Tensor:
    return torch.ones(tokens, 2, 5)


FEW = torch.ones(3, 8)
CHOICE = torch.zeros(3, 2, dtype=torch.int32)
WEIGHTS = torch.ones(3, 2)
WHOLE = packed(6, 8)
CUT = replace(WHOLE, packed=WHOLE.packed[:-1])
HERE = Span(0, 1, [0])

REFUSED = {
    # products
    "bytes for products": lambda: matrix.product(FEW.bfloat16(), WHOLE),
    "rows of another width": lambda: matrix.product(torch.ones(3, 9), WHOLE),
    "rows in pieces": lambda: matrix.product(torch.ones(8, 3).T, WHOLE),
    "rows in no pieces": lambda: matrix.product(torch.ones(8), WHOLE),
    "a matrix cut short": lambda: matrix.product(FEW, CUT),
    "a matrix in pieces": lambda: matrix.product(
        FEW, replace(WHOLE, packed=WHOLE.packed[:1].expand(len(WHOLE.packed)))
    ),
    "one of two matrices of another width": lambda: matrix.products(FEW, [WHOLE, packed(6, 9)]),
    "unpacking a matrix cut short": lambda: matrix.unpack(CUT),
    "packing whole numbers": lambda: matrix.pack(torch.ones(4, 4, dtype=torch.int32), BF16),
    "packing nothing": lambda: matrix.pack(torch.ones(0, 4), BF16),
    "packing columns": lambda: matrix.pack(torch.ones(8, 4).T, BF16),
    "packing odd halves": lambda: packed(5, 4, is_gated=True),
    "packing fp32 as codes": lambda: matrix.pack(torch.ones(4, 4), WeightType.FP8),
    "NVFP4 of odd groups": lambda: matrix.pack(
        torch.zeros(4, 4, dtype=torch.uint8),
        WeightType.NVFP4,
        scales=torch.zeros(4, 1, dtype=torch.uint8),
    ),
    "NVFP4 without scales": lambda: matrix.pack(
        torch.zeros(4, 16, dtype=torch.uint8), WeightType.NVFP4
    ),
    "NVFP4 with few scales": lambda: matrix.pack(
        torch.zeros(4, 16, dtype=torch.uint8),
        WeightType.NVFP4,
        scales=torch.zeros(4, 1, dtype=torch.uint8),
    ),
    "a scale for no half": lambda: matrix.pack(torch.ones(4, 4), BF16, up_scale=2.0),
    # mixtures
    "a SwiGLU packed apart": lambda: Gated(packed(8, 8), packed(8, 4)),
    "a SwiGLU that does not fit": lambda: Gated(packed(8, 8, is_gated=True), packed(8, 5)),
    "experts of which there are none": lambda: Mixture([]),
    "experts of two widths": lambda: Mixture([gated(8), gated(9)]),
    "an expert too many": lambda: Mixture([gated()] * 2)(FEW, CHOICE + 2, WEIGHTS),
    "an expert below none": lambda: Mixture([gated()] * 2)(FEW, CHOICE - 1, WEIGHTS),
    "a choice of long numbers": lambda: Mixture([gated()])(FEW, CHOICE.long(), WEIGHTS),
    "a choice for fewer rows": lambda: Mixture([gated()])(FEW, CHOICE[:2], WEIGHTS),
    "fewer weights than choices": lambda: Mixture([gated()])(FEW, CHOICE, WEIGHTS[:, :1]),
    "a choice in columns": lambda: Mixture([gated()])(FEW, CHOICE.T.contiguous().T, WEIGHTS),
    "no choice": lambda: Mixture([gated()])(FEW, CHOICE[:, :0], WEIGHTS[:, :0]),
    "a feed-forward of other rows": lambda: matrix.feed_forward(torch.ones(3, 9), gated()),
    # rows
    "a norm of another width": lambda: rows.rms_norm(FEW, torch.ones(7), 1e-6),
    "a norm of half numbers": lambda: rows.rms_norm(FEW.half(), torch.ones(8), 1e-6),
    "a norm into fewer rows": lambda: rows.rms_norm(FEW, torch.ones(8), 1e-6, out=FEW[:2].clone()),
    "turning odd heads": lambda: rows.rotate(torch.ones(3, 2, 5), FEW[:, :2], FEW[:, :2]),
    "turning by few angles": lambda: rows.rotate(torch.ones(3, 2, 6), FEW[:2, :3], FEW[:2, :3]),
    "no experts of a row": lambda: rows.route(FEW, torch.ones(4, 8), 0),
    "more experts than there are": lambda: rows.route(FEW, torch.ones(4, 8), 5),
    "a router of another width": lambda: rows.route(FEW, torch.ones(4, 9), 2),
    "a router in bf16": lambda: rows.route(FEW, torch.ones(4, 8).bfloat16(), 2),
    "an id beyond the table": lambda: rows.embed(FEW, torch.tensor([0, 3])),
    "an id before the table": lambda: rows.embed(FEW, torch.tensor([-1])),
    "ids of 32 bits": lambda: rows.embed(FEW, torch.tensor([0], dtype=torch.int32)),
    # attention
    "pages without scales": lambda: look.Pages(torch.zeros(1, 4, 6, dtype=torch.int8), 4),
    "scales for nothing": lambda: look.Pages(torch.zeros(1, 4, 6), 4, torch.ones(1, 4, 2)),
    "few scales": lambda: look.Pages(
        torch.zeros(1, 4, 6, dtype=torch.int8), 4, torch.ones(1, 4, 1)
    ),
    "a part beyond the entry": lambda: look.Pages(torch.zeros(1, 4, 6), 7),
    "a page beyond the last": lambda: look.write_cache(
        pages(), spans(Span(0, 1, [2])), torch.ones(1, 6)
    ),
    "a page before the first": lambda: look.write_cache(
        pages(), spans(Span(0, 1, [-1])), torch.ones(1, 6)
    ),
    "fewer pages than entries": lambda: look.write_cache(
        pages(), spans(Span(4, 1, [0])), torch.ones(1, 6)
    ),
    "a span before the text": lambda: look.write_cache(
        pages(), spans(Span(-1, 1, [0])), torch.ones(1, 6)
    ),
    "fewer entries than tokens": lambda: look.write_cache(
        pages(), spans(Span(0, 2, [0])), torch.ones(1, 6)
    ),
    "entries of another width": lambda: look.write_cache(pages(), spans(HERE), torch.ones(1, 5)),
    "entries in bf16": lambda: look.write_cache(
        pages(), spans(HERE), torch.ones(1, 6, dtype=torch.bfloat16)
    ),
    "a head without values": lambda: look.pack_latent_up(torch.ones(2, 3, 4), nope=3, rope=2),
    "queries for other tokens": lambda: look.latent_attention(
        query(2), up(), pages(), spans(HERE), scale=1.0
    ),
    "queries in bf16": lambda: look.latent_attention(
        query().bfloat16(), up(), pages(), spans(HERE), scale=1.0
    ),
    "queries of other heads": lambda: look.latent_attention(
        query()[:, :1], up(), pages(), spans(HERE), scale=1.0
    ),
    "latents of another width": lambda: look.latent_attention(
        query(), up(), pages(width=7), spans(HERE), scale=1.0
    ),
    "looking beyond the pages": lambda: look.latent_attention(
        query(), up(), pages(), spans(Span(8, 1, [0, 1])), scale=1.0
    ),
    "an up cut short": lambda: look.latent_attention(
        query(), replace(up(), packed=up().packed[1:]), pages(), spans(HERE), scale=1.0
    ),
    "heads that cannot be shared": lambda: look.grouped_attention(
        torch.ones(1, 3, 4), pages(width=16), spans(HERE), kv_heads=2, scale=1.0
    ),
    "keys of another width": lambda: look.grouped_attention(
        torch.ones(1, 2, 4), pages(width=15), spans(HERE), kv_heads=2, scale=1.0
    ),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_a_call_that_makes_no_sense_is_refused(call):
    with pytest.raises(ValueError, match=r"\w"):
        call()


SHAPE = network_weights.Shape(
    dim=8,
    vocab_size=11,
    num_heads=2,
    norm_eps=1e-6,
    softmax_scale=0.5,
    q_latent=0,
    nope=0,
    value=4,
    kv_latent=0,
    rope=4,
    num_kv_heads=1,
    topk=0,
    query_growth=0.0,
    growth_step=1.0,
)


def layer(**changes) -> network_weights.LayerWeights:
    attention = network_weights.GroupedWeights(q=packed(8, 8), k=packed(4, 8), v=packed(4, 8))
    fields = {
        "attention_norm": torch.ones(8),
        "mlp_norm": torch.ones(8),
        "attention": attention,
        "out": packed(8, 8),
        "mlp": gated(),
        "router": None,
    }
    return network_weights.LayerWeights(**fields | changes)


def small(shape=SHAPE, layers=None, **changes) -> network.CoreNetwork:
    fields = {
        "embedding": torch.ones(11, 8, dtype=torch.bfloat16),
        "norm": torch.ones(8),
        "head": packed(11, 8),
        "frequencies": torch.ones(2),
    }
    return network.CoreNetwork(shape, layers or [layer(), layer()], **fields | changes)


MISSHAPEN = {
    "embedding": lambda: small(embedding=torch.ones(10, 8, dtype=torch.bfloat16)),
    "embedding type": lambda: small(embedding=torch.ones(11, 8)),
    "norm": lambda: small(norm=torch.ones(7)),
    "head": lambda: small(head=packed(12, 8)),
    "frequencies": lambda: small(frequencies=torch.ones(1)),
    "query": lambda: small(
        layers=[layer(attention=replace(layer().attention, q=packed(9, 8)))],
    ),
    "values": lambda: small(
        layers=[layer(attention=replace(layer().attention, v=packed(8, 8)))],
    ),
    "out": lambda: small(layers=[layer(out=packed(8, 9))]),
    "feed-forward": lambda: small(layers=[layer(mlp=gated(9))]),
    "layer norm": lambda: small(layers=[layer(mlp_norm=torch.ones(9))]),
    "router": lambda: small(layers=[layer(mlp=Mixture([gated()]), router=torch.ones(2, 8))]),
    "no router": lambda: small(replace(SHAPE, topk=1), [layer(mlp=Mixture([gated()]))]),
    "topk": lambda: small(
        replace(SHAPE, topk=2), [layer(mlp=Mixture([gated()]), router=torch.ones(1, 8))]
    ),
    "attention": lambda: small(replace(SHAPE, num_kv_heads=0, kv_latent=4, nope=1)),
    "heads": lambda: small(replace(SHAPE, num_kv_heads=3)),
    "still numbers": lambda: small(replace(SHAPE, nope=2, rope=2), frequencies=torch.ones(1)),
    "narrow heads": lambda: small(replace(SHAPE, value=2), [layer(out=packed(8, 4))]),
    "pairs": lambda: small(
        replace(SHAPE, rope=3, value=3, num_heads=1, num_kv_heads=1),
        [
            layer(
                attention=network_weights.GroupedWeights(
                    q=packed(3, 8), k=packed(3, 8), v=packed(3, 8)
                ),
                out=packed(8, 3),
            )
        ],
        frequencies=torch.ones(1),
    ),
    "cut short": lambda: small(layers=[layer(out=replace(packed(8, 8), packed=CUT.packed[:5]))]),
}


@pytest.mark.parametrize("make", MISSHAPEN.values(), ids=MISSHAPEN)
def test_a_network_whose_parts_do_not_fit_is_refused(make):
    with pytest.raises(ValueError, match=r"\w"):
        make()


def caches(num_layers: int = 2, **shape) -> network.Caches:
    return network.Caches([pages(width=8, **shape) for _ in range(num_layers)])


GOOD = {"ids": [1, 2], "spans": [Span(0, 2, [1])], "wanted": [0, 1]}
BAD_PASSES = {
    "an id beyond the vocabulary": {"ids": [1, 11]},
    "an id below it": {"ids": [-1, 1]},
    "fewer ids than the spans say": {"ids": [1]},
    "a page beyond the last": {"spans": [Span(0, 2, [2])]},
    "a page before the first": {"spans": [Span(0, 2, [-1])]},
    "too few pages": {"spans": [Span(3, 2, [1])]},
    "a span before the text": {"spans": [Span(-1, 2, [1])]},
    "a span of fewer than none": {"spans": [Span(0, 3, [1]), Span(1, -1, [0])]},
    "a row beyond the last": {"wanted": [0, 2]},
    "a row before the first": {"wanted": [-1]},
    "rows that fall": {"wanted": [1, 0]},
    "a row twice": {"wanted": [1, 1]},
    "vectors for no rows": {"vectors": torch.ones(1, 8)},
    "rows for no vectors": {"vector_rows": [0]},
    "vectors beyond the pass": {"vectors": torch.ones(1, 8), "vector_rows": [2]},
    "vectors of another width": {"vectors": torch.ones(1, 7), "vector_rows": [0]},
    "vectors of half numbers": {"vectors": torch.ones(1, 8).half(), "vector_rows": [0]},
    "caches of fewer layers": {"caches": caches(1)},
    "caches of another width": {"caches": network.Caches([pages(), pages()])},
}


@pytest.mark.parametrize("changes", BAD_PASSES.values(), ids=BAD_PASSES)
def test_a_pass_that_would_leave_its_tables_is_refused(changes):
    fields = {"caches": caches()} | GOOD | changes
    ids, about, kept, wanted = (fields.pop(one) for one in ("ids", "spans", "caches", "wanted"))
    with pytest.raises(ValueError, match=r"\w"):
        small().run(ids, about, kept, wanted, **fields)
    small().run(GOOD["ids"], GOOD["spans"], caches(), GOOD["wanted"])


@pytest.mark.slow
def test_refusals_stand_under_python_without_asserts():
    script = (
        "import torch\nfrom bise.ops.cpu import rows\n"
        "try: rows.embed(torch.ones(3, 8), torch.tensor([3]))\n"
        "except ValueError: print('refused')"
    )
    run = [sys.executable, "-O", "-c", script]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "refused\n"


def test_numbers_that_are_none_do_no_harm():
    """Infinite and undefined inputs give undefined outputs of their own rows, and of no others."""
    x = torch.randn(4, 40, generator=torch.Generator().manual_seed(1))
    x[1, 3], x[2, 5] = torch.inf, torch.nan
    for kind in (WeightType.BF16, WeightType.INT8, WeightType.INT4):
        found = matrix.product(x, matrix.pack(torch.ones(6, 40), kind))
        assert torch.isfinite(found).all(dim=1).tolist() == [True, False, False, True]


def test_a_core_made_from_other_sources_is_refused(monkeypatch):
    monkeypatch.setattr(network, "core", lambda: SimpleNamespace(bise_struct_bytes=lambda _: 8))
    with pytest.raises(UserError, match="other sources"):
        small()


def in_child(core: str, script: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-c", script]
    variables = os.environ | {"BISE_CORE": core}
    return subprocess.run(run, env=variables, capture_output=True, text=True)


@pytest.mark.slow
def test_another_build_of_the_core_is_used_where_one_is_named(tmp_path):
    own = core_path()
    assert own is not None
    other = tmp_path / "other.so"
    other.write_bytes(own.read_bytes())
    script = "from bise.commands.doctor import diagnosis as d; print(d()['core file'])"
    assert in_child(str(other), script).stdout.strip() == f"{other}, named by BISE_CORE"
    (tmp_path / "text.so").write_text("no library")
    for name, said in (("nowhere.so", "where no file is"), ("text.so", "cannot be loaded")):
        told = in_child(str(tmp_path / name), "from bise.ops.cpu.library import core; core()")
        assert told.returncode != 0 and said in told.stderr


@pytest.mark.slow
def test_a_variant_that_nobody_knows_is_refused():
    script = "from bise.ops.cpu.library import core; core()"
    run = [sys.executable, "-c", script]
    told = subprocess.run(
        run, env=os.environ | {"BISE_ISA": "avx-2"}, capture_output=True, text=True
    )
    assert "BISE_ISA is `avx-2`, expected `portable`, `avx2`" in told.stderr


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e39])
def test_scales_that_are_none_are_not_packed(value):
    codes = torch.zeros(4, 16, dtype=torch.uint8)
    for options in ({"scale": value}, {"up_scale": value, "is_gated": True}):
        with pytest.raises(matrix.NotFinite, match="a scale of a matrix"):
            matrix.pack(codes, WeightType.FP8, **options)
    scales = torch.full((4, 2), 0x7E, dtype=torch.uint8)  # the largest number there is
    pairs = torch.zeros(4, 16, dtype=torch.uint8)
    matrix.pack(pairs, WeightType.NVFP4, scales=scales)
    for code in (0x7F, 0xFF):
        scales[3, 1] = code
        for each in (scales, scales.view(torch.float8_e4m3fn)):
            with pytest.raises(matrix.NotFinite, match="a scale of 16 weights"):
                matrix.pack(pairs, WeightType.NVFP4, scales=each)
