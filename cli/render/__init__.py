"""Answers as values -> the text that a terminal, a pipe or a file gets. Nothing here reads or writes anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cli.render.category import (
    render_category_json,
    render_category_markdown,
    render_category_ndjson,
    render_category_rows,
    render_category_table,
)
from cli.render.document import json_text, ndjson_text, render_json, render_ndjson, week_document
from cli.render.markdown import render_markdown
from cli.render.rows import render_csv, render_tsv
from cli.render.safe import visible_lines
from cli.render.table import render_days, render_week
from models.answer import Answer
from models.category import CategoryAnswer

__all__ = ["Format", "Report", "render", "render_categories"]


class Format(StrEnum):
    """How answers are written."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    TSV = "tsv"
    MD = "md"


@dataclass(frozen=True, slots=True)
class Report:
    """What is printed together: days in their order, and the week that they make up if it was asked for."""

    answers: tuple[Answer, ...]
    week: Answer | None = None

    @property
    def in_order(self) -> tuple[Answer, ...]:
        """The week first, then the days."""
        return self.answers if self.week is None else (self.week, *self.answers)


def render(report: Report, form: Format, *, top: int, width: int, colour: bool = False, terminal: bool = False) -> str:
    r"""A whole document, its last line ended; write it as it is, in UTF-8.

    Args:
        report: what to print.
        form: how to print it.
        top: how many rows of each list, one or more, up to what is stored.
        width: terminal columns, for a table.
        colour: whether a table may have SGR sequences.
        terminal: whether a terminal gets the text. CSV and TSV, which hold the titles as they are, then show control
            characters as ``\x1b``; the other formats are safe there in any case.
    """
    match form:
        case Format.TABLE:
            return _table(report, top, width, colour=colour)
        case Format.JSON | Format.NDJSON:
            return _json(report, form, top)
        case Format.CSV | Format.TSV:
            separated = (render_csv if form is Format.CSV else render_tsv)(report.in_order, top)
            return visible_lines(separated) if terminal else separated
        case Format.MD:
            return render_markdown(report.in_order, top)


def render_categories(
    answers: Sequence[CategoryAnswer],
    form: Format,
    *,
    top: int,
    width: int,
    colour: bool = False,
    terminal: bool = False,
) -> str:
    """A whole document about one category in some periods; the arguments are those of ``render``."""
    match form:
        case Format.TABLE:
            return render_category_table(answers, top, width, colour=colour)
        case Format.JSON:
            return render_category_json(answers, top)
        case Format.NDJSON:
            return render_category_ndjson(answers, top)
        case Format.CSV | Format.TSV:
            separated = render_category_rows(answers, top, "," if form is Format.CSV else "\t")
            return visible_lines(separated) if terminal else separated
        case Format.MD:
            return render_category_markdown(answers, top)


def _table(report: Report, top: int, width: int, *, colour: bool) -> str:
    if report.week is None:
        return render_days(report.answers, top, width, colour=colour)
    return render_week(report.week, report.answers, top, width, colour=colour)


def _json(report: Report, form: Format, top: int) -> str:
    if report.week is None:
        return (render_json if form is Format.JSON else render_ndjson)(report.answers, top)
    document = week_document(report.week, report.answers, top)
    return json_text(document) if form is Format.JSON else ndjson_text([document])
