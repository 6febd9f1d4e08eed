"""The skill of writing small Python functions, and the interpreter that tries them."""
