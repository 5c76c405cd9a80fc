"""Answers as CSV and TSV: one flat table, a row for each ranked thing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from cli.render.safe import spreadsheet_cell, whole
from models.answer import Answer

COLUMNS = (
    "project",
    "period",
    "verdict",
    "universe",
    "list",
    "rank",
    "title",
    "views",
    "desktop",
    "mobile",
    "through_redirects",
    "articles",
    "flag",
)
Cell = str | int | None


def render_csv(answers: Sequence[Answer], top: int) -> str:
    """A header and the rows, separated by commas.

    Text that a spreadsheet could take for a formula starts with an apostrophe (``spreadsheet_cell``); JSON has the
    titles as they are. The least requested articles tie, so they have no rank. Lines end in LF, not in RFC 4180's
    CRLF: spreadsheets read both, ``cut`` and ``awk`` would take the CR for a part of the last cell.
    """
    return _render(answers, top, delimiter=",")


def render_tsv(answers: Sequence[Answer], top: int) -> str:
    """The same rows, separated by tabs and quoted as spreadsheets do."""
    return _render(answers, top, delimiter="\t")


def _render(answers: Sequence[Answer], top: int, delimiter: str) -> str:
    rows: list[Iterable[Cell]] = [COLUMNS]
    rows += [row for answer in answers for row in _rows(answer, top)]
    return separated(rows, delimiter)


def separated(rows: Iterable[Iterable[Cell]], delimiter: str) -> str:
    """Rows as lines, quoted where needed and safe to open in a spreadsheet."""
    return "".join(_line(row, delimiter) for row in rows)


def _line(row: Iterable[Cell], delimiter: str) -> str:
    # With lineterminator="\n" the csv module of Python 3.11 leaves a CR inside a cell unquoted.
    buffer = io.StringIO(newline="")
    cells = [spreadsheet_cell(whole(cell)) if isinstance(cell, str) else cell for cell in row]
    csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue().removesuffix("\r\n") + "\n"


def _rows(answer: Answer, top: int) -> Iterator[tuple[Cell, ...]]:
    shared = (answer.project, str(answer.period), answer.verdict.value, answer.universe.value)
    for row in answer.most_requested[:top]:
        counts = (row.views, row.desktop, row.mobile, row.through_redirects)
        yield (*shared, "most_requested", row.rank, row.title, *counts, None, row.flag)
    for least in answer.least_requested.articles[:top] if answer.least_requested else ():
        counts = (least.views, least.desktop, least.mobile, least.through_redirects)
        yield (*shared, "least_requested", None, least.title, *counts, None, None)
    for category in (answer.top_categories or ())[:top]:
        counted = (category.views, None, None, None, category.articles)
        yield (*shared, "top_category", category.rank, category.category, *counted, None)
