"""Whether a source could run code of its own while it is compiled, and meddle with the result.

What runs as something else is noted in the compiled file, by the process that compiles. A command
of one's own runs in that process: it could take such notes away again, or write the file itself.
Only the source is beyond its reach. So where notes decide, it is read for whatever could run with
power over the compiler: elaborators, macros that compute, attributes that register code, foreign
or unsafe code and files where something is evaluated.

Macros that only quote are common in honest proofs and can do no more than what they quote, which
stands in the source as well. Too much is called meddling rather than too little.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from bise.judge.header import end_of_comment, read_header
from bise.judge.macros import (
    COMMANDS,
    MACROS,
    NOTATIONS,
    Macros,
    begins_command,
    words_of,
)
from bise.judge.symbols import ROOTS
from bise.judge.terms import Name

WORD = r"(?:«[^»\n]{0,300}»|[A-Za-z_][A-Za-z0-9_'!?]*)"
TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<token>//|<-|\|-)"
    r"|(?P<comment>--[^\n]*|/-)"
    r'|r(?P<raw>#*)"(?P<inner>.*?)(?:"(?P=raw)|\Z)'
    r'|"(?P<text>(?:\\.|[^"\\])*)(?:"|\\?\Z)'
    r"|(?P<letter>'(?:\\.[0-9A-Fa-f{}]{0,8}|[^'\\])')"
    r"|(?P<number>[0-9][A-Za-z0-9_'!?]*)"
    rf"|(?P<word>#?{WORD}(?:\.{WORD})*)"
    r"|(?P<symbol>`\(|:=|=>|.)",
    re.DOTALL,
)
"""Words are of ASCII letters: whatever else Lean reads as part of one only parts them here.

Lean's own tokens that seem to swallow the beginning of a comment are told first: `{x //-1 < x}`."""

NUMBER = re.compile(r"[0-9_]+(?:[eE][0-9]*)?|0[xX][0-9A-Fa-f_]+|0[bB][01_]+|0[oO][0-7_]+")
"""All of a number; to Lean, a word begins where such a one ends: `0x1run_cmd`."""

CLOSED = "()[]{}⟨⟩,;"
"""Symbols behind which a comment or a letter is one; others may begin a token that goes on."""

PLAIN_WORD = re.compile(r"#?[A-Za-z_][A-Za-z0-9_'!?]*(?:\.[A-Za-z_][A-Za-z0-9_'!?]*)*")

RUNS_CODE = words_of(
    "elab_rules run_cmd run_tac run_elab run_meta by_elab simproc dsimproc simproc_decl "
    "dsimproc_decl builtin_simproc builtin_dsimproc declare_config_elab "
    "declare_command_config_elab declare_term_config_elab declare_simp_like_tactic "
    "grind_propagator builtin_grind_propagator register_grind_attr show_panel_widgets "
    "with_panel_widgets docs_to_verso declare_config_getter set_library_suggestions test_extern "
    "meta"
)
"""Words that begin what runs in the compiler, with all of its power."""

MAKES_TOKENS = MACROS | NOTATIONS | words_of("syntax")
HOOKS = words_of(
    "Monad Bind Pure Functor Applicative Seq SeqLeft SeqRight MonadRef MonadQuotation MonadLift "
    "MonadLiftT MonadExcept MonadExceptOf Macro MacroM UnexpandM Syntax TSyntax"
)
"""Classes and types by whose instances quoting itself computes: `$x` is turned into another kind of
syntax by a coercion, and what is quoted is joined in a monad."""

PARSERS = words_of("ParserDescr TrailingParserDescr ParserFn leading_parser trailing_parser")
"""A parser that is no rule of `syntax` runs, or makes tokens that stand in no text."""

SHOWS = words_of(
    "#check #check_failure #print #reduce #synth #exit #where #guard_msgs #help #version"
)
"""Commands with a hash that evaluate nothing; all others may."""

EVALUATIONS = words_of("#eval #eval! #guard #guard_expr")
"""Commands that evaluate."""

HASHED = (
    SHOWS
    | EVALUATIONS
    | words_of(
        "#check_simp #check_tactic #check_tactic_failure #discr_tree_key #discr_tree_simp_key"
    )
    | words_of("#import_path #with_exporting")
)
"""Commands with a hash; to Lean, a word begins where such a one ends: `#evalIO.println`."""

VERSO = "verso"
"""Of `set_option doc.verso`: then commands in comments on declarations are run."""

EVALUATES = words_of("native native_decide reduceBool reduceNat ofReduceBool ofReduceNat")
FOREIGN = words_of(
    "extern lcAny lcProof lcUnreachable lcCast RealWorld unsafeCast unsafeIO unsafeBaseIO "
    "unsafeEIO evalConst evalConstCheck evalDecl evalExpr lcErased lcVoid TypeName Dynamic"
)
"""What makes something else of a value: a function an action, a word of memory a function."""

UNPROVED = words_of(
    "axiom sorry admit sorryAx unsafe exact? apply? rw? have? skipKernelTC byAsSorry proofAsSorry "
    "terminalTacticsAsSorry"
)
"""What lets a file have equations between types that are none: along one of those, a value is
turned into anything without a word of `FOREIGN`."""

FILES = words_of("FS Process setAccessRights")
"""Words of the namespace `IO` for more than printing."""

HARMLESS = words_of(
    "simp grind ext inline noinline always_inline macro_inline specialize nospecialize reducible "
    "semireducible irreducible implicit_reducible instance_reducible instance default_instance "
    "congr refl symm trans match_pattern elab_as_elim elab_without_expected_type elab_simple "
    "class deprecated inherit_doc csimp implemented_by extern export init never_extract unbox "
    "computed_fields expose no_expose induction_eliminator cases_eliminator coe norm_cast "
    "push_cast nolint grind_pattern spec wf_preprocess partial_fixpoint_monotone seval "
    "method_specs defeq suggest_for tactic_alt"
)
"""Attributes that register no code to be run while compiling.

Only without `local`, `csimp` is noted in the compiled file; the others run nothing else, or are
refused by Lean with that word."""

DECLARES = words_of("def abbrev instance opaque namespace")
"""Words before a name that may be one of Lean's own functions: that is what runs by it then."""

BEGINS = RUNS_CODE | COMMANDS | UNPROVED
"""Words that must not be overlooked."""

MAX_LISTED = 200
"""Pieces of a list of attributes that are looked at."""

HIDDEN_ATTRIBUTES = re.compile(r"(?:@|\battribute)\s*\[([^\]]*)")

SUBSCRIPTS = frozenset("₀₁₂₃₄₅₆₇₈₉")

BRACE = re.compile(r"'}'|[{}]|--|/-|«")
HIDES_BRACE = ("--", "/-", "«")

TEXT = '"'
"""Stands for a text among words and symbols."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a source: a word, a symbol, or what stands in a text or a comment."""

    kind: Literal["word", "text", "symbol", "comment", "doubtful"]
    """Doubtful is where Lean may see another piece begin, and so all that follows differently."""

    text: str
    start: int


def meddling_word(source: str, trusted: str = "") -> str | None:
    """The first word by which a source could run code with power over its compilation, if any.

    trusted: another source, whose code may run: as far as this one begins like it, nothing counts.
    """
    header = read_header(source)
    found = list(tokens(source, header.end))
    texts = [one.text for one in found if one.kind == "text"]
    makes_tokens = any(one.text in MAKES_TOKENS for one in found)
    doubted = [one.text for one in found if one.kind == "doubtful"]
    around = {part for word in _words(found) for part in _parts(word)}
    start = _end_of_common_commands(source, trusted)
    found = [one for one in found if one.start >= start]
    words = list(_words(found))
    pieces = _pieces(found)
    is_odd = (makes_tokens and any(map(_is_odd, texts))) or "«" in pieces or VERSO in around
    if is_odd or any(map(_goes_on, texts)):
        # to Lean, a token `a-` makes `a--` no comment: comments and texts count, too
        words += (hidden := _hidden_words(found))
        doubted += [word for word in hidden if word in MACROS or word == "attr"]
        doubted += _hidden_attributes(found)
    if any(map(_has_parenthesis, texts)):  # as a token, it would shift where quotations end
        doubted += [word for word in pieces if word in MACROS]
    return (
        next(iter(doubted), None)
        or next((word for word in words if word in RUNS_CODE or VERSO in _parts(word)), None)
        or _attribute(pieces)
        or Macros(pieces).computing()
        or _hook(words)
        or _power(words, pieces, header.modules, around)
    )


def _words(found: Iterable[Token]) -> Iterator[str]:
    """Words of the code; what stands in braces in a text is code: `s!"…{e}…"`."""
    for one in found:
        if one.kind == "word":
            yield one.text
        elif one.kind == "text" and "{" in one.text:
            yield from PLAIN_WORD.findall(one.text)


def _pieces(found: Iterable[Token]) -> list[str]:
    """Words, symbols and texts. A word with a subscript is one: `x₁`, `x₁a`."""
    made: list[str] = []
    end = -1  # of a word, if that is the last piece
    for one in found:
        if one.kind == "comment":
            continue
        goes_on = one.start == end and (
            one.text in SUBSCRIPTS or (one.kind == "word" and made[-1][-1] in SUBSCRIPTS)
        )
        if goes_on:
            made[-1] += one.text
        else:
            made.append(TEXT if one.kind == "text" else one.text)
        if goes_on or one.kind == "word":
            end = one.start + len(one.text)
    return made


def _parts(word: str) -> list[str]:
    """What stands between the dots of a word."""
    return word.replace("«", "").replace("»", "").split(".")


def _hidden(found: Iterable[Token]) -> str:
    """What stands in comments and texts, and in words in quotes."""
    hidden = [one.text for one in found if one.kind in ("comment", "text") or "«" in one.text]
    return " ".join(hidden).replace("«", " ").replace("»", " ")


def _hidden_words(found: Iterable[Token]) -> list[str]:
    return PLAIN_WORD.findall(_hidden(found))


def _hidden_attributes(found: Iterable[Token]) -> list[str]:
    """Words of lists of attributes in comments and texts that may register code."""
    lists = HIDDEN_ATTRIBUTES.findall(_hidden(found))
    return [word for one in lists for word in PLAIN_WORD.findall(one) if word not in HARMLESS]


def _end_of_common_commands(source: str, trusted: str) -> int:
    """Where the last line begins, as far as two sources are alike, at which a command begins."""
    pairs = enumerate(zip(source, trusted, strict=False))
    common = next(
        (at for at, (one, other) in pairs if one != other), min(len(source), len(trusted))
    )
    starts = [
        one.start
        for one in tokens(source[:common])
        if one.kind != "comment" and source[one.start - 1 : one.start] in ("", "\n")
        if begins_command([one.text])
    ]
    return starts[-1] if starts else 0


def tokens(source: str, at: int = 0) -> Iterator[Token]:
    """The pieces of a source from a place on, without space and letters in quotes."""
    symbol = ""  # right before the piece at hand
    while at < len(source):
        found = TOKEN.match(source, at)
        assert found is not None, "any character is a symbol"
        start, at = at, found.end()
        if _is_doubtful(found, symbol):
            yield Token("doubtful", found["word"] or symbol + found[0][:2], start)
        symbol = found["symbol"] or found["token"] or ""
        if found["comment"]:
            at = end_of_comment(source, start) if found["comment"] == "/-" else at
            yield Token("comment", source[start:at], start)
        elif found["word"]:
            yield Token("word", found["word"], start)
        elif symbol:
            yield Token("symbol", symbol, start)
        elif found["number"]:
            if not NUMBER.fullmatch(found["number"]):
                yield Token("doubtful", found["number"], start)
            yield Token("symbol", found["number"], start)
        elif not found["space"] and not found["letter"]:
            yield Token("text", found["inner"] or found["text"] or "", start)


def _is_doubtful(found: re.Match[str], symbol: str) -> bool:
    """Whether what follows a symbol at once may be no such piece to Lean, but part of one."""
    if found["comment"]:
        return symbol not in CLOSED
    if found["letter"] or found["inner"] is not None:  # `αr"…"` has a word before its text
        return not symbol.isascii() and symbol not in CLOSED
    return found["word"] is not None and _is_glued(found["word"])


def _is_glued(word: str) -> bool:
    """Whether what begins with a hash, a command or a sign, goes on into another word."""
    if word[0] != "#" or word in HASHED:
        return False
    return "." in word or any(map(word.startswith, HASHED)) or any(map(word.endswith, BEGINS))


def _goes_on(text: str) -> bool:
    """Whether code that a text holds may go on behind it: `s!"}{f "x" y}"`."""
    depth = 0
    for one in BRACE.findall(text):
        if one == "}":
            depth = max(0, depth - 1)
        elif one == "{" or (one in HIDES_BRACE and depth):
            depth += 1
    return depth > 0


def _is_odd(text: str) -> bool:
    """Whether a text, made a token, could hide where comments, texts and quotations begin."""
    return bool(set(text) & set("-/\"'«»\\`"))


def _has_parenthesis(text: str) -> bool:
    """Whether a text holds a parenthesis, and more."""
    return len(text.strip()) > 1 and ("(" in text or ")" in text)


def _attribute(pieces: Sequence[str]) -> str | None:
    """The first attribute that may register code."""
    for at, word in enumerate(pieces):
        before = pieces[at - 1] if at else ""
        if word == "attr" and (before == ":" or pieces[at + 1 : at + 2] == ["|"]):
            return word
        if word == "[" and before in ("@", "attribute"):
            for name in _listed(pieces, at + 1):
                if name not in HARMLESS:
                    return f"@[{name}]"
    return None


def _listed(pieces: Sequence[str], at: int) -> Iterator[str]:
    """The attributes of a list that begins at a place."""
    depth, is_next = 1, True
    for place, word in enumerate(pieces[at : at + MAX_LISTED], at):
        depth += (word in ("[", "(", "`(")) - (word in ("]", ")"))
        if depth == 0:
            return
        if depth == 1 and word == ",":
            is_next = True
        elif is_next and word not in ("local", "scoped", "-"):
            yield (
                "local csimp" if list(pieces[place - 1 : place + 1]) == ["local", "csimp"] else word
            )
            is_next = False
    yield "…"


def _hook(words: Sequence[str]) -> str | None:
    """The first word by which syntax or macros that look harmless could compute."""
    if not MAKES_TOKENS.intersection(words):
        return None
    has_instance = "instance" in words
    has_macro = bool(MACROS.intersection(words))
    for word in words:
        parts = _parts(word)
        if PARSERS.intersection(parts):
            return word
        if has_instance and HOOKS.intersection(parts):
            return word
        if has_instance and has_macro and any(one.startswith("Coe") for one in parts):
            return word
    return None


def _power(
    words: Sequence[str], pieces: Sequence[str], modules: Iterable[Name], around: AbstractSet[str]
) -> str | None:
    """The first word with power over more than values, where anything is evaluated.

    around: parts of all words of the source, for what stands before may open a namespace.
    """
    split = [_parts(word) for word in words]
    parts = {part for one in split for part in one}
    evaluation = next((word for word in words if word[0] == "#" and word not in SHOWS), None)
    is_evaluated = evaluation is not None
    is_computed = is_evaluated or bool(EVALUATES & parts) or _has_setting(pieces)
    makes_tokens = bool(MAKES_TOKENS & parts)
    has_lean = any(module[:1] != ("Init",) for module in modules)  # with most others it comes
    unproved = UNPROVED | (words_of("implemented_by") if EVALUATES & parts else frozenset())
    if is_computed and (word := _hidden_fault(pieces) or _lean_name(words, pieces)):
        return word
    if (is_evaluated or EVALUATES & parts) and "public" in around:
        return "public"  # others are private, where files are modules, and named like nothing else
    for word, inner in zip(words, split, strict=True):
        if (
            (is_computed and unproved.intersection(inner))
            or ((is_computed or makes_tokens) and FOREIGN.intersection(inner))
            or (is_evaluated and "IO" in around | parts and FILES.intersection(inner))
            or (is_evaluated and has_lean and "Lean" in inner)
        ):
            return word
    has_power = (has_lean and "Lean" in around) or ("IO" in around and FILES & around)
    return evaluation if has_power else None


def _hidden_fault(pieces: Sequence[str]) -> str | None:
    """A declaration whose errors are not told, or a proof that is cut off: neither is proved."""
    for at, word in enumerate(pieces):
        if word == "#guard_msgs":
            ahead = list(pieces[at + 1 : at + MAX_LISTED])
            behind = ahead[ahead.index("in") + 1 :] if "in" in ahead else []
            if not behind or behind[0][0] != "#":  # commands with a hash declare nothing
                return word
        elif word == "stop" and pieces[at + 1 : at + 2] not in ([":"], [":="], [")"], ["]"], [","]):
            return word
    return None


def _lean_name(words: Sequence[str], pieces: Sequence[str]) -> str | None:
    """A name declared where Lean's own functions have theirs."""
    named = [after for word, after in pairwise(pieces) if word in DECLARES]
    for word in words if "$" in named else named:
        if _parts(word.removeprefix("_root_."))[0] in ROOTS:
            return word
    return None


def _has_setting(pieces: Sequence[str]) -> bool:
    """Whether a tactic may be given settings, which Lean evaluates: `(config := e)`."""
    return any(
        (pieces[at], pieces[at + 2]) == ("(", ":=") and PLAIN_WORD.fullmatch(pieces[at + 1])
        for at in range(len(pieces) - 2)
    )
