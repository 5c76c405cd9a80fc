"""The text of an hour file -> views per title, without a Python loop per line.

A line is ``domain_code page_title count 0``: fields are cut at byte 0x20, lines at byte 0x0A and nowhere else, because
titles hold U+00A0, U+0085 and U+2028
(https://wikitech.wikimedia.org/wiki/Data_Platform/Data_Lake/Traffic/Pageviews). Nothing here assumes an order of lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import nanoarrow as na
import numpy as np
import numpy.typing as npt
import polars as pl

from models.project import Project
from worker.tally import SCHEMA, empty_tally, tally_of

MAX_DIGITS = 15
"""A longer number is no number of views; sums of shorter ones fit 64 bits for the next thousand years of hours."""

_BLANK, _NEWLINE, _QUOTE, _ZERO = b' \n"0'
_FIELDS = 4
_LINE_OF_MARKS = np.frombuffer(b"   \n", dtype=np.uint32)
"""What is left of a line of four fields when only blanks and its line break are looked at."""
_WRAPPED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(rb'\\(["\\])')

Bytes: TypeAlias = npt.NDArray[np.uint8]
Positions: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HourCount:
    """What one hour file holds: its lines, those that could not be read, and a tally per project."""

    lines: int
    malformed: int
    tallies: Mapping[Project, pl.DataFrame]


class _Lines(NamedTuple):
    """Lines of four fields in one block: where each begins, and where its first three fields end."""

    begin: Positions
    code_end: Positions
    title_end: Positions
    count_end: Positions

    def where(self, chosen: npt.NDArray[np.bool_] | Positions) -> _Lines:
        return _Lines(*(column[chosen] for column in self))


def count_views(blocks: Iterable[bytes], projects: Sequence[Project]) -> HourCount:
    """Count an hour's views of each project in one pass over blocks of whole lines.

    A line without four fields, or whose third field is no number, is malformed: counted as such and kept out.
    """
    lines = malformed = 0
    rows: dict[Project, list[pl.DataFrame]] = {project: [] for project in projects}
    for block in blocks:
        text = np.frombuffer(block, dtype=np.uint8)
        found, all_lines = _cut(text)
        views, numeric = _numbers(text, found)
        lines += all_lines
        malformed += all_lines - int(np.count_nonzero(numeric))
        found, views = (found, views) if numeric.all() else (found.where(numeric), views[numeric])
        for project, parts in rows.items():
            parts.extend(_rows_of(project, text, found, views))
    return HourCount(lines, malformed, {project: _tally(parts) for project, parts in rows.items()})


def unquote(field: bytes) -> bytes:
    r"""Undo Spark's quoting: ``"\"Weird_Al\"_Yankovic"`` is ``"Weird_Al"_Yankovic``; anything else is literal.

    Since February 2023 a field that holds a quotation mark is wrapped in them, with quotation marks and backslashes
    inside escaped. A field is unwrapped only if everything inside is escaped, so that older, never quoted titles such
    as ``"A"_and_"B"`` stay what they are.
    """
    wrapped = _WRAPPED.fullmatch(field)
    return _ESCAPED.sub(rb"\1", wrapped[1]) if wrapped else field


def _cut(text: Bytes) -> tuple[_Lines, int]:
    """The lines that have four fields, and the number of all lines."""
    marks = np.flatnonzero(text <= _BLANK)
    if len(marks) % _FIELDS == 0 and bool((text[marks].view(_LINE_OF_MARKS.dtype) == _LINE_OF_MARKS).all()):
        blank1, blank2, blank3, ends = marks.reshape(-1, _FIELDS).T
        return _Lines(_begins(ends), blank1, blank2, blank3), len(ends)
    return _cut_irregular(text)


def _cut_irregular(text: Bytes) -> tuple[_Lines, int]:
    """The same for a block in which some line has too few or too many fields, or a control character."""
    ends = np.flatnonzero(text == _NEWLINE)
    blanks = np.flatnonzero(text == _BLANK)
    per_line = np.diff(np.searchsorted(blanks, ends), prepend=0)
    whole = per_line == _FIELDS - 1
    blanks = blanks[np.repeat(whole, per_line)]
    return _Lines(_begins(ends)[whole], blanks[0::3], blanks[1::3], blanks[2::3]), len(ends)


def _begins(ends: Positions) -> Positions:
    return np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1] + 1))


def _numbers(text: Bytes, lines: _Lines) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """The third field of each line as a number, and whether it is one."""
    digits = lines.count_end - lines.title_end - 1
    views = np.zeros(len(digits), dtype=np.uint64)
    numeric = (digits > 0) & (digits <= MAX_DIGITS)
    chosen = np.flatnonzero(numeric)
    place = 0
    while len(chosen):
        digit = text[lines.count_end[chosen] - 1 - place] - np.uint8(_ZERO)  # wraps around below "0"
        numeric[chosen[digit > 9]] = False  # noqa: PLR2004 the last digit
        views[chosen] += digit * np.uint64(10**place)
        place += 1
        chosen = chosen[digits[chosen] > place]
    return views, numeric


def _rows_of(project: Project, text: Bytes, lines: _Lines, views: npt.NDArray[np.uint64]) -> Iterable[pl.DataFrame]:
    """The project's lines of one block, as frames of the tally's schema that may repeat a title."""
    for access, codes in (("desktop", project.desktop_codes), ("mobile", project.mobile_codes)):
        for code in codes:
            for written in _written(code):
                chosen = _lines_of(written, text, lines)
                if len(chosen):
                    yield _frame(access, text, lines.where(chosen), views[chosen])


def _written(code: str) -> tuple[bytes, ...]:
    """The ways in which a domain code can stand in a file; an empty one is always quoted."""
    plain = code.encode()
    return (plain, b'"%b"' % plain) if plain else (b'""',)


def _lines_of(code: bytes, text: Bytes, lines: _Lines) -> Positions:
    chosen = np.flatnonzero(lines.code_end - lines.begin == len(code))
    for place, byte in enumerate(code):
        chosen = chosen[text[lines.begin[chosen] + place] == byte]
    return chosen


def _frame(access: str, text: Bytes, lines: _Lines, views: npt.NDArray[np.uint64]) -> pl.DataFrame:
    counts = pl.Series(views)
    none = pl.zeros(len(views), dtype=pl.UInt64, eager=True)
    desktop, mobile = (counts, none) if access == "desktop" else (none, counts)
    return pl.DataFrame({"title": _titles(text, lines), "desktop": desktop, "mobile": mobile}, schema=SCHEMA)


def _titles(text: Bytes, lines: _Lines) -> pl.Series:
    begins, ends = lines.code_end + 1, lines.title_end
    titles = _slices(text, begins, ends)
    quoted = np.flatnonzero((ends - begins > 1) & (text[begins] == _QUOTE) & (text[ends - 1] == _QUOTE))
    if not len(quoted):
        return titles
    plain = pl.Series([unquote(title) for title in titles.gather(quoted)], dtype=pl.Binary)
    order = np.arange(len(titles))
    order[quoted] = len(titles) + np.arange(len(quoted))
    return titles.append(plain).gather(order)


def _slices(text: Bytes, begins: Positions, ends: Positions) -> pl.Series:
    """The pieces of the text from each begin to each end, which are ascending and do not overlap."""
    first, last = (begins[0], ends[-1]) if len(begins) else (0, 0)
    edges = np.zeros(last - first + 1, dtype=np.uint8)
    edges[begins - first] ^= 1
    edges[ends - first] ^= 1
    inside = np.bitwise_xor.accumulate(edges[:-1]).view(np.bool_)
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(ends - begins)))
    pieces = na.c_array_from_buffers(na.large_binary(), len(begins), [None, offsets, text[first:last][inside]])
    return pl.Series("title", pieces, dtype=pl.Binary)


def _tally(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return tally_of(pl.concat(parts)) if parts else empty_tally()
