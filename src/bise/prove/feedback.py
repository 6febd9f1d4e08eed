"""What Lean said about a file, made short: the first error with its goal, then what is open."""

from bise.judge.warm import Checked

LONGEST = 2_400
"""Characters of a whole report."""

LONGEST_PART = 1_200
ENDS = {
    "cpu": "its processor time is up",
    "wall": "its time is up",
    "memory": "its memory is full",
    "exited": "the file ended it",
    "killed": "it crashed",
}


def feedback(checked: Checked, *, limit: int = LONGEST) -> str:
    """A report in a stable form, for models and people."""
    errors = [one for one in checked.messages if one.severity == "error"]
    parts = list[str]()
    if checked.end != "answered":
        parts.append(f"Lean did not come to an end: {ENDS.get(checked.end, checked.end)}")
    if errors:
        first = errors[0]
        parts.append(
            f"error in line {first.start.line}, column {first.start.column}: "
            f"{shorten(first.text, LONGEST_PART)}"
        )
        if len(errors) > 1:
            lines = ", ".join(str(one.start.line) for one in errors[1:9])
            parts.append(f"{len(errors) - 1} more errors, in lines {lines}")
    for one in checked.goals[:3]:
        parts.append(f"open in line {one.place.line}:\n{shorten(one.text, LONGEST_PART)}")
    if len(checked.goals) > 3:
        parts.append(f"and {len(checked.goals) - 3} more gaps")
    if not parts and checked.has_gaps:
        parts.append("no errors, but something rests on `sorry`")
    if not parts:
        parts.append("no errors, no gaps")
    return shorten("\n".join(parts), limit)


def progress_of(checked: Checked) -> tuple[int, int]:
    """Errors, then gaps: what has to become less."""
    errors = sum(one.severity == "error" for one in checked.messages)
    return errors + (checked.end != "answered"), len(checked.goals)


def shorten(text: str, limit: int) -> str:
    """A text cut in the middle if it is too long."""
    if len(text) <= limit:
        return text
    half = (limit - 30) // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters …\n{text[-half:]}"
