"""A block of an hour file's text -> where the fields of its lines are, and what the third one counts.

A line is ``domain_code page_title count 0``: fields are cut at byte 0x20, lines at byte 0x0A and nowhere else, because
titles hold U+00A0, U+0085 and U+2028
(https://wikitech.wikimedia.org/wiki/Data_Platform/Data_Lake/Traffic/Pageviews).
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

MAX_DIGITS = 9
"""A longer number is no number of views: all of Wikimedia's wikis together have fewer in an hour. Whatever stands in a
week of files of ten million lines each, it adds up to less than 2^63."""

_BLANK, _NEWLINE, _ZERO = b" \n0"
_FIELDS = 4
_LINE_OF_MARKS = np.frombuffer(b"   \n", dtype=np.uint32)
"""What is left of a line of four fields when only blanks and its line break are looked at."""

Bytes: TypeAlias = npt.NDArray[np.uint8]
Flags: TypeAlias = npt.NDArray[np.bool_]
Positions: TypeAlias = npt.NDArray[np.int64]
Views: TypeAlias = npt.NDArray[np.uint64]


class Lines(NamedTuple):
    """Lines of four fields in one block: where each begins, and where its first three fields end."""

    begin: Positions
    code_end: Positions
    title_end: Positions
    count_end: Positions

    def where(self, chosen: Flags) -> Lines:
        return Lines(*(column[chosen] for column in self))


def cut(text: Bytes) -> tuple[Lines, int]:
    """The lines that have four fields, and the number of all lines."""
    marks = np.flatnonzero(text <= _BLANK)
    if len(marks) % _FIELDS == 0 and bool((text[marks].view(_LINE_OF_MARKS.dtype) == _LINE_OF_MARKS).all()):
        blank1, blank2, blank3, ends = marks.reshape(-1, _FIELDS).T
        return Lines(_begins(ends), blank1, blank2, blank3), len(ends)
    return _cut_irregular(text)


def _cut_irregular(text: Bytes) -> tuple[Lines, int]:
    """The same for a block in which some line has too few or too many fields, or a control character."""
    ends = np.flatnonzero(text == _NEWLINE)
    blanks = np.flatnonzero(text == _BLANK)
    per_line = np.diff(np.searchsorted(blanks, ends), prepend=0)
    whole = per_line == _FIELDS - 1
    blanks = blanks[np.repeat(whole, per_line)]
    return Lines(_begins(ends)[whole], blanks[0::3], blanks[1::3], blanks[2::3]), len(ends)


def _begins(ends: Positions) -> Positions:
    return np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1] + 1))


def numbers(text: Bytes, lines: Lines) -> tuple[Views, Flags]:
    """The third field of each line as a number, and whether it is one."""
    digits = lines.count_end - lines.title_end - 1
    digit = _digits(text, lines.count_end - 1)
    numeric = (digits <= MAX_DIGITS) & (digit <= 9)  # noqa: PLR2004 the last digit; before an empty field is a blank
    views = digit.astype(np.uint64)
    # Nearly all numbers end here: most titles have fewer than ten views in an hour.
    chosen = np.flatnonzero(numeric & (digits > 1))
    place = 1
    while len(chosen):
        digit = _digits(text, lines.count_end[chosen] - 1 - place)
        numeric[chosen[digit > 9]] = False  # noqa: PLR2004 the last digit
        views[chosen] += digit * np.uint64(10**place)
        place += 1
        chosen = chosen[digits[chosen] > place]
    return views, numeric


def _digits(text: Bytes, places: Positions) -> Bytes:
    """0 to 9; more where the text has no digit, as what lies below "0" wraps around."""
    return text[places] - np.uint8(_ZERO)
