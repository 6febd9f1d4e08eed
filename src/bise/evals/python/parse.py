"""From a model's text to the functions in it, as trees that nobody runs."""

import ast
import re

from bise.evals.python.limits import NotAllowed

MAX_CHARS = 2_000

ODD_TEXT = re.compile(r"\\[^nt\\'\"]|\d(?:and|else|for|if|in|is|or)\b|[^\n\t -~]")
"""What makes Python's parser warn; no small function needs it."""


def parse(code: str) -> dict[str, ast.FunctionDef]:
    """The functions of a text, which may hold nothing else, by name in order."""
    if len(code) > MAX_CHARS or ODD_TEXT.search(code):
        raise NotAllowed("text")
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotAllowed("syntax") from error
    functions: dict[str, ast.FunctionDef] = {}
    for node in body:
        if isinstance(node, ast.Expr):
            continue  # an example of its use, which is never run
        if not isinstance(node, ast.FunctionDef) or node.decorator_list:
            raise NotAllowed("only functions")
        given = node.args
        if given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg or given.defaults:
            raise NotAllowed("plain arguments only")
        functions[node.name] = node
    return functions
