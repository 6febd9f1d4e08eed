"""transformers as a peer: `python hugging_child.py FOLDER THREADS`, measured as `talk.py` says.

Imports nothing of this project but its neighbour: the Python that runs it may have only torch and
transformers.
"""

import sys
from pathlib import Path
from time import perf_counter

import torch
import transformers
from child_talk import Pipe, read_ids  # pyright: ignore[reportMissingImports] - beside it


def load(folder: str) -> torch.nn.Module:
    """In bf16, with its grouped products for experts."""
    config = transformers.AutoConfig.from_pretrained(folder)
    names = config.architectures or []
    kind = getattr(transformers, names[0])  # its Auto class does not know Mistral4
    return kind.from_pretrained(
        folder,
        dtype=torch.bfloat16,
        attn_implementation="sdpa",
        experts_implementation="grouped_mm",
    ).eval()


class Answers:
    """What each command does."""

    def __init__(self, model: torch.nn.Module):
        self.model = model

    def prefill(self, path: str, count: str) -> float:
        ids = read_ids(path, 1, int(count))
        self.model(ids, logits_to_keep=1)
        start = perf_counter()
        self.model(ids, logits_to_keep=1)
        return perf_counter() - start

    def decode(self, path: str, *sizes: str) -> float:
        streams, context, warm, steps = map(int, sizes)
        ids = read_ids(path, streams, context + warm + steps)
        cache = self.model(ids[:, :context], logits_to_keep=1, use_cache=True).past_key_values
        start = perf_counter()
        for step in range(warm + steps):
            if step == warm:
                start = perf_counter()
            at = context + step
            self.model(ids[:, at : at + 1], past_key_values=cache, use_cache=True)
        return perf_counter() - start

    def logits(self, path: str, windows: str, length: str, out: str) -> float:
        ids, start = read_ids(path, int(windows), int(length)), perf_counter()
        with Path(out).open("wb") as file:
            for window in ids:
                self.model(window[None]).logits[0].float().numpy().tofile(file)
        return perf_counter() - start


@torch.inference_mode()
def main(folder: str, threads: str) -> None:
    pipe = Pipe()
    torch.set_num_threads(int(threads))
    answers = Answers(load(folder))
    pipe.serve(answers, f"transformers {transformers.__version__}, torch {torch.__version__}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
