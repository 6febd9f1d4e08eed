"""Keeps the records of an evaluation beside the weights, and the front page in step with them."""

import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from bise.errors import NotFound, UserError
from bise.evals.report import Summary, report_markdown, summarise
from bise.evals.runner import Record
from bise.model.shard_writer import write_json, write_whole

RECORDS, SUMMARY = "records.jsonl.gz", "summary.json"

START, END = "<!-- nano-scores:start -->", "<!-- nano-scores:end -->"
"""What stands around the table in a page; everything between them is written by us."""


def save_records(records: Iterable[Record], folder: Path) -> Summary:
    """Write the records, one JSON object a line, and their summary."""
    records = list(records)
    summary = summarise(records)
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{json.dumps(asdict(record))}\n" for record in records)
    # No time stamp inside: the same records give the same file.
    write_whole(folder / RECORDS, gzip.compress(lines.encode(), mtime=0))
    write_json(folder / SUMMARY, summary.to_json())
    return summary


def load_records(folder: Path) -> list[Record]:
    """Read the records back."""
    path = folder / RECORDS
    if not path.is_file():
        raise NotFound(
            f"`{path}` is not there", hint="run the evaluation first: `bise eval run nano`"
        )
    try:
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        return [Record(**json.loads(line)) for line in lines]
    except (OSError, EOFError, zlib.error, ValueError, TypeError) as fault:
        raise UserError(
            f"`{path}` holds no records of an evaluation: {fault}", hint="run the evaluation again"
        ) from None


def replace_scores(page: str, summary: Summary) -> str:
    """Put the table of the scores between the two markers of a page."""
    if page.count(START) != 1 or page.count(END) != 1 or page.index(END) < page.index(START):
        raise UserError(
            f"the page needs `{START}` and, after it, `{END}`, each once",
            hint="put the two lines where the table belongs",
        )
    before, rest = page.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{report_markdown(summary)}\n{END}{after}"


def update_page(path: Path, folder: Path) -> bool:
    """Write a page's table from the saved records; tell whether anything changed."""
    page = path.read_text(encoding="utf-8")
    updated = replace_scores(page, summarise(load_records(folder)))
    if updated == page:
        return False
    path.write_text(updated, encoding="utf-8")
    return True
