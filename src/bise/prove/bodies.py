"""Where the statement of a declaration ends and what proves or defines it begins."""

import re

from bise.prove.source import TOKEN, Declaration, Source

MARK = re.compile(r":=|^[ \t]*\|(?=.*=>)|\b(?:let|have)\b", re.MULTILINE)


def body_start(source: Source, declaration: Declaration) -> int | None:
    """The character at which its `:=`, or its first `|`, stands; None if it has neither."""
    text = source.text[declaration.start : declaration.end]
    plain = TOKEN.sub(lambda one: _plain(one[0]), text)
    marks = {one.start(): one[0] for one in MARK.finditer(plain)}
    depth = num_bound = 0
    for place, letter in enumerate(plain):
        mark = marks.get(place) if depth == 0 else None
        depth += (letter in "({[⦃⟨") - (letter in ")}]⦄⟩")
        if mark in ("let", "have"):  # in a statement, and then with a `:=` of its own
            num_bound += 1
        elif mark == ":=" and num_bound:
            num_bound -= 1
        elif mark is not None:
            return declaration.start + place
    return None


def _plain(token: str) -> str:
    """A name as it is; blanks for a comment or a string, whose signs mean nothing."""
    is_name = token[0] == "_" or (token[0].isalpha() and not token.startswith(("r#", 'r"')))
    return token if is_name else " " * len(token)
