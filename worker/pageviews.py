"""The text of an hour file -> views per title, without a Python loop per line.

Nothing here assumes an order of lines. Where they are sorted by domain code and title, as Wikimedia's files are, the
same steps take less time: few runs of a code to compare, and titles that are in order before they are sorted.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import nanoarrow as na
import numpy as np
import polars as pl

from models.project import Project
from worker.code_runs import CodeRuns, code_runs, lines_of
from worker.line_fields import Bytes, Flags, Lines, Positions, Views, cut, numbers
from worker.tally import SCHEMA, empty_tally, tally_of

_QUOTE = b'"'[0]
_WRAPPED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(rb'\\(["\\])')


@dataclass(frozen=True, slots=True)
class HourCount:
    """What one hour file holds: its lines, those that could not be read, and a tally per project."""

    lines: int
    malformed: int
    tallies: Mapping[Project, pl.DataFrame]


def count_views(blocks: Iterable[bytes], projects: Sequence[Project]) -> HourCount:
    """Count an hour's views of each project in one pass over blocks of whole lines.

    A line without four fields, or whose third field is no number, is malformed: counted as such and kept out.
    """
    lines = malformed = 0
    rows: dict[Project, list[pl.DataFrame]] = {project: [] for project in projects}
    for block in blocks:
        text = np.frombuffer(block, dtype=np.uint8)
        found, all_lines = cut(text)
        views, numeric = numbers(text, found)
        lines += all_lines
        malformed += all_lines - int(np.count_nonzero(numeric))
        found, views = (found, views) if numeric.all() else (found.where(numeric), views[numeric])
        runs = code_runs(text, found)
        for project, parts in rows.items():
            parts.extend(_rows_of(project, runs, found, views))
    return HourCount(lines, malformed, {project: _tally(parts) for project, parts in rows.items()})


def unquote(field: bytes) -> bytes:
    r"""Undo Spark's quoting: ``"\"Weird_Al\"_Yankovic"`` is ``"Weird_Al"_Yankovic``; anything else is literal.

    Since February 2023 a field that holds a quotation mark is wrapped in them, with quotation marks and backslashes
    inside escaped. A field is unwrapped only if everything inside is escaped, so that older, never quoted titles such
    as ``"A"_and_"B"`` stay what they are.
    """
    wrapped = _WRAPPED.fullmatch(field)
    return _ESCAPED.sub(rb"\1", wrapped[1]) if wrapped else field


def _rows_of(project: Project, runs: CodeRuns, lines: Lines, views: Views) -> Iterable[pl.DataFrame]:
    """The project's lines of one block, as frames of the tally's schema that may repeat a title."""
    for access, codes in (("desktop", project.desktop_codes), ("mobile", project.mobile_codes)):
        for written in itertools.chain.from_iterable(map(_written, codes)):
            chosen = lines_of(written, runs)
            if chosen is not None:
                yield _frame(access, _titles(runs.text, lines, chosen), views[chosen])


def _written(code: str) -> tuple[bytes, ...]:
    """The ways in which a domain code can stand in a file; an empty one is always quoted."""
    plain = code.encode()
    return (plain, b'"%b"' % plain) if plain else (b'""',)


def _frame(access: str, titles: pl.Series, views: Views) -> pl.DataFrame:
    counts = pl.Series(views)
    none = pl.Series(np.zeros_like(views))
    desktop, mobile = (counts, none) if access == "desktop" else (none, counts)
    return pl.DataFrame({"title": titles, "desktop": desktop, "mobile": mobile}, schema=SCHEMA)


def _titles(text: Bytes, lines: Lines, chosen: slice | Flags) -> pl.Series:
    begins, ends = lines.code_end[chosen] + 1, lines.title_end[chosen]
    titles = _pieces(text, begins, ends)
    quoted = np.flatnonzero(text[begins] == _QUOTE)
    if len(quoted):
        written = (text[begins[line] : ends[line]].tobytes() for line in quoted)
        # In their places: hour files are sorted by what titles are, not by how they are written.
        titles.scatter(quoted, pl.Series(map(unquote, written), dtype=pl.Binary))
    return titles


def _pieces(text: Bytes, begins: Positions, ends: Positions) -> pl.Series:
    """The pieces of the text from each begin to each end, which are ascending and do not overlap."""
    first, last = begins[0], ends[-1]
    offsets = np.append(begins, last) - first
    up_to_next = na.c_array_from_buffers(na.large_binary(), len(begins), [None, offsets, text[first:last]])
    pieces = pl.DataFrame({"title": pl.Series(up_to_next, dtype=pl.Binary), "width": ends - begins})
    # Taking their heads copies them too, so that the rest of the block need not be kept.
    return pieces.select(pl.col("title").bin.head("width")).to_series()


def _tally(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return tally_of(pl.concat(parts)) if parts else empty_tally()
