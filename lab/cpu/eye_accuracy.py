"""How far the core's vectors of nano's pictures are from fp32, beside torch's bf16.

    .venv/bin/python lab/cpu/eye_accuracy.py [ISA ...]

100 pictures of the skill `read`; relative distance of all vectors, and the smallest cosine.
"""

import sys
from ctypes import c_int64
from random import Random

import torch
from torch import Tensor

from bise.evals import TASKS
from bise.model import load_network, locate
from bise.model.packed import PackedNetwork
from bise.model.packed_source import FromNetwork
from bise.ops.cpu.library import ISAS, core
from bise.text import ImagePart, Tekken, prepare_image


def main() -> None:
    """Print a line a way to compute."""
    settings = Tekken.from_file(locate("nano") / "tekken.json").image
    assert settings is not None
    rng = Random(0)
    drawn = [TASKS["read"].sample(rng).image for _ in range(100)]
    pictures = [torch.as_tensor(prepare_image(ImagePart(p), settings).pixels) for p in drawn if p]
    nano = load_network(locate("nano"), torch.float32)
    with torch.no_grad():
        wanted = nano.see(pictures)
        low = load_network(locate("nano"), torch.bfloat16)
        show("torch bf16", low.see([one.bfloat16() for one in pictures]).float(), wanted)
        for isa in sys.argv[1:] or [ISAS[core().bise_best_isa()]]:
            core().bise_use_isa(c_int64(ISAS.index(isa)))
            for kind in ("bf16", "int8"):
                packed = PackedNetwork(FromNetwork(nano), kind)
                show(f"{isa} {kind}", packed.see(pictures), wanted)


def show(name: str, found: Tensor, wanted: Tensor) -> None:
    away = float((found - wanted).norm() / wanted.norm())
    cosine = float(torch.cosine_similarity(found, wanted, dim=-1).min())
    print(f"{name}: {away:.2%} away, cosine at least {cosine:.5f}")


if __name__ == "__main__":
    main()
