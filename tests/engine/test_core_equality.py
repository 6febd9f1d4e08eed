"""Greedy texts of the core are those of the definition, but where two tokens are as good as tied.

Both decode as the engine does, prompts in one pass each, then all texts together. Until its first
difference a text has the same beginning on both sides, so that logits can be compared.
`--log-cli-level=info` shows the numbers; `lab/2026-11-25-core-equality.md` keeps some.
"""

import copy
import logging
from collections.abc import Sequence
from ctypes import c_int64
from dataclasses import dataclass
from random import Random

import pytest
import torch
from torch import Tensor

from bise.engine import Runner
from bise.engine.core_runner import CoreRunner
from bise.engine.pages import PAGE_TOKENS
from bise.engine.runner import StepRunner, Work
from bise.evals import TASKS
from bise.model import Network, load_network, locate
from bise.model.packed import PackedNetwork
from bise.model.packed_source import FromNetwork
from bise.ops.cpu.library import ISAS, core, library
from bise.serve.loading import read_tokenizer
from bise.text import ChatFormat, Message

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)

pytestmark = pytest.mark.slow
log = logging.getLogger(__name__)

NUM, LENGTH, EOS = 200, 32, 2
ROOM = 2**15
BEST = core().bise_best_isa()
FP32 = ISAS.index("avx2")
"""Up to this variant, bf16 weights are multiplied with fp32 numbers."""


@dataclass
class Texts:
    """What was said after each prompt, and why."""

    ids: Tensor
    """[texts, LENGTH]"""

    logits: Tensor
    """[texts, LENGTH, vocab]"""


def speak(runner: StepRunner, prompts: Sequence[Sequence[int]]) -> Texts:
    """The likeliest token, again and again."""
    each = -(-(max(map(len, prompts)) + LENGTH) // PAGE_TOKENS)
    pages = [range(n * each, (n + 1) * each) for n in range(len(prompts))]
    works = [
        Work(ids=prompt, start=0, pages=own, num_wanted=1)
        for prompt, own in zip(prompts, pages, strict=True)
    ]
    logits = [torch.cat([runner.compute([work]) for work in works])]
    for step in range(LENGTH - 1):
        said = logits[-1].argmax(-1).tolist()
        works = [
            Work(ids=[token], start=len(prompt) + step, pages=own, num_wanted=1)
            for token, prompt, own in zip(said, prompts, pages, strict=True)
        ]
        logits.append(runner.compute(works))
    every = torch.stack(logits, 1)
    return Texts(every.argmax(-1), every)


@dataclass
class Comparison:
    """How far texts are those of the definition."""

    num_equal: int
    """Texts."""

    errors: Tensor
    """Of logits, root mean square, at every position that both sides reach."""

    margins: Tensor
    """Where texts first differ: by how much the definition preferred its own token, in units of
    the largest error of any other logit there."""

    def line(self) -> str:
        sizes = ", ".join(f"{one:.2f}" for one in sorted(self.margins.tolist()))
        return (
            f"{self.num_equal} of {NUM} texts equal; error of logits {self.errors.median():.5f}, at"
            f" most {self.errors.max():.5f}; margins where texts part, in errors: {sizes or 'none'}"
        )


def compare(found: Texts, expected: Texts) -> Comparison:
    """Texts end with EOS."""
    has_ended = torch.zeros(NUM, LENGTH, dtype=torch.bool)
    has_ended[:, 1:] = (expected.ids == EOS).cumsum(1)[:, :-1] > 0
    same = (found.ids == expected.ids) | has_ended
    reached = ~has_ended
    reached[:, 1:] &= same.cumprod(1)[:, :-1].bool()
    off = found.logits - expected.logits
    parted = reached & ~same
    own = expected.logits.gather(2, expected.ids[..., None])[..., 0]
    other = expected.logits.gather(2, found.ids[..., None])[..., 0]
    errors = off.square().mean(-1).sqrt()
    for ids in (found.ids, expected.ids):
        off.scatter_(2, ids[..., None], 0.0)
    noise = off.abs().amax(-1)
    return Comparison(int(same.all(1).sum()), errors[reached], ((own - other) / noise)[parted])


def problems() -> list[list[int]]:
    """Questions that nano was taught to answer, as a chat."""
    chat = ChatFormat(read_tokenizer(locate("nano"), 2048))
    rng, asked = Random("equality"), list[list[int]]()
    tasks = [task for task in TASKS.values() if task.sample(Random(0)).image is None]
    while len(asked) < NUM:
        question = Message.of("user", tasks[len(asked) % len(tasks)].sample(rng).question)
        asked.append(chat.encode([question], effort=("none", "high")[len(asked) % 2]).ids)
    return asked


def nonsense(vocab_size: int) -> list[list[int]]:
    """Prompts of 1 to 40 random ids."""
    rng = Random("equality")
    return [[rng.randrange(20, vocab_size) for _ in range(1 + n % 40)] for n in range(NUM)]


def rounded(network: Network) -> Network:
    """Its weights as bf16 numbers, in fp32."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(weight.bfloat16().float())
    return network.eval()


@dataclass
class Subject:
    """A network, what it was asked, and what the definition said in fp32."""

    network: Network
    packed: PackedNetwork
    prompts: list[list[int]]
    expected: Texts

    def compared(self, runner: StepRunner, name: str) -> Comparison:
        seen = compare(speak(runner, self.prompts), self.expected)
        log.info("%s: %s", name, seen.line())
        return seen


def subject(network: Network, prompts: list[list[int]]) -> Subject:
    expected = speak(Runner(network, ROOM, torch.float32), prompts)
    return Subject(network, PackedNetwork(FromNetwork(network)), prompts, expected)


@pytest.fixture(scope="module")
def nano() -> Subject:
    return subject(rounded(load_network(locate("nano"), torch.float32)), problems())


@pytest.fixture(scope="module")
def random(network) -> Subject:
    made = Network(network.config)
    made.load_state_dict(network.state_dict())
    return subject(rounded(made), nonsense(network.config.vocab_size))


@pytest.fixture(scope="module", params=["nano", "random"])
def asked(request) -> Subject:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def torchs(asked) -> Comparison:
    """What computing in bf16 costs the definition itself."""
    runner = Runner(copy.deepcopy(asked.network).bfloat16(), ROOM, torch.bfloat16)
    return asked.compared(runner, "torch in bf16")


@pytest.fixture(params=range(BEST + 1), ids=lambda isa: ISAS[isa])
def isa(request):
    core().bise_use_isa(c_int64(request.param))
    yield request.param
    core().bise_use_isa(c_int64(BEST))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_texts_are_those_of_the_definition(asked, torchs, isa, dtype):
    runner = CoreRunner(asked.packed, ROOM, dtype)
    seen = asked.compared(runner, f"{ISAS[isa]}, entries in {dtype}")
    if isa <= FP32 and dtype == torch.float32:  # only the order of sums differs
        assert seen.num_equal >= 0.99 * NUM
    assert seen.num_equal >= torchs.num_equal
    assert seen.errors.median() < torchs.errors.median()
    assert (seen.margins < 4).all(), "a difference that rounding does not explain"
