"""Replies held to rules: compiled beside the steps, and how far each reply has come in its own.

The rules are llguidance's, which says after every token which ids may follow. Rules are compiled in
threads beside the steps, and so is found out what may follow where that is slow: whoever brought
the rules waits alone. What is compiled is kept by content and copied for every reply.
"""

import os
import re
import sys
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock, get_native_id

import numpy as np
import torch
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from torch import Tensor

from bise.engine.requests import END_THINK, THINK, Grammar
from bise.errors import BadRequest, TooComplex, UserError

COMPILE_S = 5.0
"""Rules that take longer are refused."""

SLOW_S = 0.003
PATIENCE_S = 0.01
"""A reply whose rules take longer to say what may follow, until that adds up, is from then on left
out of steps while they do. The first time in each state of a lexer takes longer than all others."""

NICENESS = 10
"""Of the threads beside the steps, at least: steps go first."""

KEPT_BYTES = 256 * 2**20
"""Compiled rules are kept up to this size, as `Compiled.size_bytes` estimates it."""

COMPILED_BYTES = 2**20
BYTES_PER_LETTER = 200
BYTES_PER_TOKEN = 3 * 2**10
"""What rules take in memory, for each letter of them and for each token said under them: measured,
in the worst case. The library does not say."""

MOST_SAID = 8192
"""Rules are compiled anew for replies that begin after so many tokens: all replies under the same
rules share one lexer, which never forgets a state and has room for so many."""

LIMITS = LLParserLimits(
    initial_lexer_fuel=1_000_000,
    step_lexer_fuel=100_000,
    step_max_items=20_000,
    max_lexer_states=100_000,
    max_grammar_size=200_000,
    verbose_errors=False,
)
"""What rules may cost in the library's own coin: whatever they say, they end soon."""

SPENT = ("too many", "too deeply", "too complex", "too large", "limit", "max is", "fuel exhausted",
         "unable to determine")  # fmt: skip
"""Words of the library's for rules that cost more."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Vocabulary:
    """What ids stand for: the bytes of text ids, which follow those of the control tokens."""

    pieces: Tensor
    """[bytes] uint8, of all text ids one after the other"""

    ends: Tensor
    """[text ids] int64, where the bytes of each one end"""

    num_control: int
    end_id: int
    """Ends a reply."""

    pattern: str
    """Where text is cut before its bytes are joined to ids, as a regular expression."""

    def __post_init__(self) -> None:
        is_right = self.pieces.dtype == torch.uint8 and self.ends.dtype == torch.int64
        if not is_right or self.pieces.ndim != 1 or self.ends.ndim != 1:
            raise UserError("a vocabulary is no row of bytes with a row of their ends")
        steps = self.ends.diff(prepend=torch.zeros(1, dtype=torch.int64))
        if bool((steps <= 0).any()) or int(steps.sum()) != len(self.pieces):
            raise UserError("a vocabulary has ends that do not cut its bytes in pieces")

    @classmethod
    def of(cls, pieces: Sequence[bytes], *, num_control: int, end_id: int, pattern: str):
        """From the bytes of each text id."""
        ends = torch.tensor([len(piece) for piece in pieces]).cumsum(0)
        joined = torch.frombuffer(bytearray(b"".join(pieces)), dtype=torch.uint8)
        return cls(
            pieces=joined, ends=ends, num_control=num_control, end_id=end_id, pattern=pattern
        )

    @property
    def size(self) -> int:
        return self.num_control + len(self.ends)

    def tokenizer(self) -> LLTokenizer:
        """As the library has it; takes a second for 131,072 ids."""
        data, ends = self.pieces.numpy().tobytes(), [0, *self.ends.tolist()]
        ids = {data[a:b]: self.num_control + i for i, (a, b) in enumerate(pairwise(ends))}
        marks = {f"<id-{number}>": number for number in range(self.num_control)}
        return LLTokenizer.from_tiktoken(  # pyright: ignore[reportAttributeAccessIssue]
            encoder=ids,
            special_tokens=marks,
            pattern=self.pattern,
            eos_token=self.end_id,
            n_vocab=self.size,
            slices=None,
        )


@dataclass(slots=True, eq=False)
class Compiled:
    """Rules as a state machine at its beginning."""

    matcher: LLMatcher
    num_letters: int
    num_said: int = 0
    """Tokens said by replies under these rules."""

    @property
    def is_worn(self) -> bool:
        return self.num_said >= MOST_SAID

    @property
    def size_bytes(self) -> int:
        """About how much memory this takes."""
        grown = BYTES_PER_TOKEN * min(self.num_said, MOST_SAID)
        return COMPILED_BYTES + BYTES_PER_LETTER * self.num_letters + grown


class Held:
    """One reply held to its rules. Thinking before it is free, but it must close to end."""

    def __init__(
        self,
        compiled: Compiled,
        grammar: Grammar,
        vocabulary: Vocabulary,
        executor: Executor | None = None,
        *,
        in_thinking: bool = False,
    ):
        """executor: does what is slow; in_thinking: whether the prompt ends inside thinking.

        Raises if the prompt's end is no beginning by the rules."""
        self.compiled = compiled
        self.matcher = compiled.matcher.deep_copy()
        self.vocabulary = vocabulary
        self.executor = executor
        self.may_think = grammar.may_think and not in_thinking
        self.is_thinking = in_thinking
        self.has_ended = False
        self.is_slow = False
        self._late_s = 0.0
        self.coming: Future[bytes] | None = None
        """What may follow, while it is found out beside the steps."""

        if not self.matcher.consume_tokens(list(grammar.begun)):
            raise BadRequest(
                "the beginning of the answer does not follow the rules it is held to",
                hint="leave the prefix out, or make it the beginning of a valid answer",
            )

    @property
    def is_ready(self) -> bool:
        """Whether a next token can be chosen without waiting."""
        return self.coming is None or self.coming.done()

    def barred(self) -> Tensor:
        """Which ids may not come next: [vocab] bool. Raises `TooComplex` if that costs too much."""
        if self.is_thinking:
            barred = torch.zeros(self.vocabulary.size, dtype=torch.bool)
            barred[: self.vocabulary.num_control] = True
            barred[END_THINK] = False
            return barred
        bits = np.frombuffer(self._bits(), dtype=np.uint8)
        flags = np.unpackbits(bits, count=self.vocabulary.size, bitorder="little")
        barred = torch.from_numpy(flags == 0)
        if self.may_think:
            barred[THINK] = False
        return barred

    def hear(self, token: int) -> None:
        """The reply goes on with this token."""
        if self.is_thinking:
            self.is_thinking = token != END_THINK
        elif self.may_think and token == THINK:
            self.is_thinking = True
        elif token == self.vocabulary.end_id:
            self.has_ended = True
        elif self.is_slow and self.executor is not None:
            self.coming = self.executor.submit(self._go_on, token)
        else:
            self._consume(token)
        self.may_think = False

    def fitting(self, tokens: Sequence[int]) -> int:
        """How many of these guesses the rules would let through, from the first."""
        if self.is_thinking or self.may_think:
            return len(tokens)  # where thinking ends cannot be known before
        return 0 if self.is_slow else self.matcher.validate_tokens(list(tokens))

    def _bits(self) -> bytes:
        """A bit for every id that may follow, as the library has them."""
        if self.coming is not None:
            coming, self.coming = self.coming, None
            return coming.result()
        started = time.perf_counter()
        bits = self.matcher.compute_bitmask()
        self._late_s = max(0.0, self._late_s + time.perf_counter() - started - SLOW_S)
        self.is_slow = self.is_slow or self._late_s > PATIENCE_S
        self._check()
        return bits

    def _go_on(self, token: int) -> bytes:
        """Both at once, beside the steps."""
        self._consume(token)
        bits = self.matcher.compute_bitmask()
        self._check()
        return bits

    def _consume(self, token: int) -> None:
        self.compiled.num_said += 1
        if not self.matcher.consume_token(token):
            self._check()

    def _check(self) -> None:
        if self.matcher.is_error():
            self.compiled.num_said = MOST_SAID  # the next reply begins with a lexer of its own
            raise fault_of(self.matcher.get_error())


class Grammars:
    """Rules by content, compiled when first asked for; least recently used ones forgotten first."""

    def __init__(self, vocabulary: Vocabulary | None, *, is_aside: bool = False):
        """vocabulary: None refuses all rules; is_aside: compile in a thread instead of at once"""
        self.vocabulary = vocabulary
        self.executor = ThreadPoolExecutor(2, "bise-rules", step_back) if is_aside else None
        self.coming: dict[str, Future[Compiled]] = {}
        self.kept: OrderedDict[str, Compiled] = OrderedDict()
        self.users: Counter[str] = Counter()
        """How many requests under way brought the same rules."""

        self.num_compiled, self.compile_s = 0, 0.0
        self._began: dict[str, float] = {}
        self._tokenizer: LLTokenizer | None = None
        self._making = Lock()

    def take(self, grammar: Grammar | None) -> None:
        """A request brings rules."""
        if grammar is not None:
            self.users[grammar.rules] += 1

    def release(self, grammar: Grammar | None) -> None:
        """A request is gone."""
        if grammar is None:
            return
        rules = grammar.rules
        self.users[rules] -= 1
        if self.users[rules] <= 0:
            del self.users[rules]
        self.drop_unused()

    def drop_unused(self) -> None:
        """What only requests that are gone were held to need not be compiled any more.

        A compilation that runs cannot be stopped: call this again when it may have ended.
        """
        for one, coming in list(self.coming.items()):
            if one not in self.users and (coming.cancel() or coming.done()):
                del self.coming[one]

    def is_ready(self, grammar: Grammar | None) -> bool:
        """Whether the rules are compiled; begins to. Raises what is wrong with them."""
        if grammar is None:
            return True
        rules = grammar.rules
        if rules in self.kept and not self.kept[rules].is_worn:
            return True
        if self.executor is None:
            self._keep(rules, self._compile(rules))
            return True
        if rules not in self.coming:
            self.coming[rules] = self.executor.submit(self._compile, rules)
        if self.coming[rules].done():
            self._keep(rules, self.coming.pop(rules).result())
            return True
        began = self._began.get(rules)
        if began is not None and time.monotonic() - began > COMPILE_S:
            raise TooComplex(f"the rules of the answer take longer than {COMPILE_S:g} s to compile")
        return False

    def hold(self, grammar: Grammar | None, *, in_thinking: bool) -> Held | None:
        """A new reply under rules that are ready."""
        if grammar is None:
            return None
        assert self.vocabulary is not None, "without a vocabulary rules are refused"
        self.kept.move_to_end(grammar.rules)
        compiled = self.kept[grammar.rules]
        return Held(compiled, grammar, self.vocabulary, self.executor, in_thinking=in_thinking)

    def close(self) -> None:
        """End the thread; rules that wait for it are dropped."""
        if self.executor is not None:
            self.executor.shutdown(wait=False, cancel_futures=True)

    def _compile(self, rules: str) -> Compiled:
        """The rules, and what may come first by them. Raises `BadRequest`."""
        assert self.vocabulary is not None, "without a vocabulary rules are refused"
        with self._making:
            if self._tokenizer is None:
                self._tokenizer = self.vocabulary.tokenizer()
        started = self._began[rules] = time.monotonic()
        try:
            matcher = LLMatcher(self._tokenizer, rules, log_level=0, limits=LIMITS)
            if not matcher.is_error():
                matcher.compute_bitmask()
            if matcher.is_error():
                raise fault_of(matcher.get_error())
        finally:
            del self._began[rules]
            self.num_compiled += 1
            self.compile_s += time.monotonic() - started
        return Compiled(matcher, len(rules))

    def _keep(self, rules: str, compiled: Compiled) -> None:
        """Remember, and forget what was used longest ago if it gets too much."""
        self.kept[rules] = compiled
        self.kept.move_to_end(rules)
        total = sum(one.size_bytes for one in self.kept.values())
        while total > KEPT_BYTES and len(self.kept) > 1:
            total -= self.kept.popitem(last=False)[1].size_bytes


def step_back() -> None:
    """Let this thread have the processor when nobody else wants it, where that can be said."""
    if sys.platform == "linux":
        thread = get_native_id()
        niceness = max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread))
        os.setpriority(os.PRIO_PROCESS, thread, niceness)


def fault_of(words: str) -> BadRequest:
    """What the library says of rules, in one line."""
    lines = [line.strip() for line in words.splitlines() if line.strip()] or ["no reason given"]
    reason = next((line for line in lines if line.startswith("error: ")), lines[0])
    reason = re.sub(r"^(at )?\d+\(\d+\): |^error: ", "", reason)[:300]
    if reason.startswith("panic: "):  # a bound of the library's own that it does not put in words
        return TooComplex("the rules of the answer are too complex for the library they go through")
    if any(word in words.lower() for word in SPENT):
        return TooComplex(f"the rules of the answer are too complex: {reason}")
    return BadRequest(f"the rules of the answer cannot be followed: {reason}")
