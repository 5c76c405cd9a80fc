"""The table of docs/performance.md: what was measured, what it came to, what it should reach."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN = "<!-- measured by python -m bench: begin -->"
END = "<!-- measured by python -m bench: end -->"


class Row(NamedTuple):
    """A line of the table: plain Markdown, without ``|``."""

    measured: str
    result: str
    target: str
    reached: bool


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| measured | result | to reach | |", "|---|---|---|---|"]
    lines += [f"| {row.measured} | {row.result} | {row.target} | {'✓' if row.reached else 'missed'} |" for row in rows]
    return "\n".join(lines)


def replaced(page: str, measured: str) -> str:
    """The page with what is between its two markers replaced.

    Raises:
        ValueError: the page has no such markers, in this order.
    """
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"The page lacks {BEGIN} or {END}.")
    return f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}"
