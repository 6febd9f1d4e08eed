"""What an engine can take: enough to refuse a request before it waits, in any process."""

from dataclasses import dataclass

from bise.engine.requests import MOST_PROMPT_TOP, Request
from bise.errors import BadRequest, PromptTooLong, WaitedTooLong
from bise.model.config import ModelConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """The few numbers a request is judged by."""

    vocab_size: int
    max_positions: int
    """Tokens a conversation may have: what the model knows, or what its cache has room for."""

    image_token: int
    token_side: int | None
    """Pixels of an image token's side; None for a model that does not see."""

    takes_grammars: bool = False
    """Whether replies can be held to rules: whether it is known what ids stand for."""

    @classmethod
    def of(
        cls, config: ModelConfig, cache_tokens: int, *, takes_grammars: bool = False
    ) -> "Bounds":
        """The bounds of a network with so much room in its cache."""
        eye = config.vision
        return cls(
            vocab_size=config.vocab_size,
            max_positions=min(config.max_positions, cache_tokens),
            image_token=config.image_token,
            token_side=None if eye is None else eye.patch * eye.merge,
            takes_grammars=takes_grammars,
        )

    def check(self, request: Request) -> int:
        """Refuse what cannot be computed; says how many tokens there is room for."""
        if not request.prompt_ids:
            raise BadRequest("the prompt is empty, expected at least one token")
        low, high = min(request.prompt_ids), max(request.prompt_ids)
        if low < 0 or high >= self.vocab_size:
            outside = low if low < 0 else high
            raise BadRequest(f"token id {outside} lies outside the vocabulary of {self.vocab_size}")
        if request.adapter is not None:
            raise BadRequest(
                f"adapter `{request.adapter}` is asked for, but this engine serves none yet",
                hint="leave `adapter` out",
            )
        if request.grammar is not None and not self.takes_grammars:
            raise BadRequest(
                "the reply is to follow a grammar, but this engine was given no vocabulary",
                hint="pass `vocabulary` when it is made",
            )
        if request.max_tokens is not None and request.max_tokens < 0:
            raise BadRequest(f"`max_tokens` is {request.max_tokens}, expected 0 or more")
        if request.want_logprobs is not None and not 0 <= request.want_logprobs <= self.vocab_size:
            raise BadRequest(
                f"`want_logprobs` is {request.want_logprobs}, expected 0 to {self.vocab_size}"
            )
        rated = request.want_prompt_logprobs
        if rated is not None and not 0 <= rated <= min(MOST_PROMPT_TOP, self.vocab_size):
            raise BadRequest(
                f"`want_prompt_logprobs` is {rated}, expected 0 to "
                f"{min(MOST_PROMPT_TOP, self.vocab_size)}"
            )
        if len(request.prediction_ids) > self.max_positions:
            raise BadRequest(
                f"the prediction has {len(request.prediction_ids)} tokens, but this model's "
                f"maximum context length is {self.max_positions} tokens",
                hint="send the part that matters",
            )
        if not all(0 <= token < self.vocab_size for token in request.prediction_ids):
            raise BadRequest("the prediction has a token id outside the vocabulary")
        for token in request.sampling.logit_bias:
            if not 0 <= token < self.vocab_size:
                raise BadRequest(
                    f"`logit_bias` names id {token}, outside the vocabulary of {self.vocab_size}"
                )
        self._check_images(request)
        room = self.max_positions - len(request.prompt_ids)
        if room <= 0:
            raise PromptTooLong(
                f"the prompt has {len(request.prompt_ids)} tokens, but this model's maximum "
                f"context length is {self.max_positions} tokens",
                hint="shorten the conversation or start a new one",
            )
        return room

    def _check_images(self, request: Request) -> None:
        """Refuse pictures that do not fit their tokens: in a step they would fail everybody."""
        side = self.token_side
        if side is None:
            if request.images:
                raise BadRequest("this model has no vision tower, but the prompt brings a picture")
            return
        num_places = sum(token == self.image_token for token in request.prompt_ids)
        sizes = [image.shape[-2:] for image in request.images]
        num_vectors = sum((height // side) * (width // side) for height, width in sizes)
        if num_places != num_vectors:
            raise BadRequest(
                f"the prompt has {num_places} image tokens, its pictures {num_vectors}",
                hint="encode prompt and pictures with the same image settings",
            )


def waited_too_long(limit_s: float) -> WaitedTooLong:
    """Why a request is turned away that waited for its turn."""
    return WaitedTooLong(
        f"the request waited {limit_s:g} s for its turn, which did not come",
        hint="try again later",
    )
