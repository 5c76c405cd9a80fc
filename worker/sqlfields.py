"""Rows of a SQL dump as columns: integers and strings, read from the text they were found in without a loop per row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import nanoarrow as na
import numpy as np
import numpy.typing as npt
import polars as pl

from models.errors import UnreadableDump
from worker.sqlmarks import Bits, Bytes, Mask, Positions, escaping

MAX_DIGITS = 18
"""A longer number may not fit 64 bits; MediaWiki's ids have at most 12 digits today."""

PADDING = 64
"""Bytes that a text has behind its end at least, so that eight can be loaded from every place of it."""

_QUOTE, _BACKSLASH, _MINUS = b"'\\-"
_NULL = b"NULL"
_WORD = 8
_ZEROS = np.uint64(int.from_bytes(b"0" * _WORD))
_HIGH_BITS = np.uint64(0x8080808080808080)
_TO_HIGH_BIT = np.uint64(0x7676767676767676)
_TENS = 10 ** np.arange(_WORD + 1, dtype=np.int64)


def _escapes() -> Bytes:
    table = np.arange(256, dtype=np.uint8)
    table[list(b"0bnrtZ")] = list(b"\0\b\n\r\t\x1a")
    return table


_MEANT = _escapes()
_KEEPS_BACKSLASH = np.isin(np.arange(256), list(b"%_"))


@dataclass(frozen=True, slots=True)
class Batch:
    """Text and where its rows lie: row r's fields end at ``ends[r]``, its first one begins behind ``opens[r]``.

    Behind the last row are at least ``PADDING`` more bytes.
    """

    text: Bytes
    opens: Positions
    ends: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """Whole rows of one table, cut into fields and read when asked for.

    Every accessor raises ``UnreadableDump`` with the place of the first field that is not what it was asked to be, or
    if the table has no such column.
    """

    table: str
    columns: tuple[str, ...]
    offset: int
    batch: Batch
    chosen: Positions

    def __len__(self) -> int:
        return len(self.chosen)

    def where(self, chosen: Mask) -> Rows:
        """The rows for which ``chosen`` holds, one value per row; costs no copy of text."""
        return replace(self, chosen=self.chosen[chosen])

    def integers(self, column: str) -> pl.Series:
        """The column as Int64, null for NULL; at most 18 digits with an optional minus sign."""
        values, known = self.values(column)
        return (
            pl.Series(column, values)
            if known.all()
            else pl.Series(column, values).scatter(np.flatnonzero(~known), None)
        )

    def values(self, column: str) -> tuple[Positions, Mask]:
        """The same as two arrays: the numbers, and whether each is one; it is NULL otherwise."""
        begins, ends = self._spans(column)
        values, numeric = _numbers(self.batch.text, begins, ends)
        if not numeric.all():
            self._expect_null(column, "an integer", begins[~numeric], ends[~numeric])
        return values, numeric

    def strings(self, column: str, wanted: Mask | None = None) -> pl.Series:
        """The column as Binary, unescaped, null for NULL; of unwanted rows it is null too, and not looked at."""
        begins, ends = self._spans(column)
        quoted = self._quoted(column, begins, ends, wanted)
        return _unescaped(column, self.batch.text, begins + 1, np.where(quoted, ends - begins - 2, 0), quoted)

    def equals(self, column: str, value: bytes) -> Mask:
        """Whether the column's string is ``value``, which holds no byte that mysqldump escapes; NULL never is."""
        begins, ends = self._spans(column)
        equal = _equal(self.batch.text, begins, ends, b"'%b'" % value)
        other = np.flatnonzero(~equal)
        quoted = self._quoted(column, begins[other], ends[other])
        excess = ends[other] - begins[other] - 2 - len(value)
        maybe = other[quoted & (excess > 0) & (excess <= len(value))]
        maybe = maybe[np.isin(self.batch.text[begins[maybe] + 1], list(value[:1] + b"\\'"))]
        if len(maybe):
            unescaped = replace(self, chosen=self.chosen[maybe]).strings(column)
            equal[maybe] = (unescaped == pl.Series([value], dtype=pl.Binary)).to_numpy()
        return equal

    def _spans(self, column: str) -> tuple[Positions, Positions]:
        if column not in self.columns:
            raise UnreadableDump(f"The dump of {self.table} has no column {column}.")
        place = self.columns.index(column)
        before = self.batch.ends[:, place - 1] if place else self.batch.opens
        ends = self.batch.ends[self.chosen, place]
        return before[self.chosen] + 1, ends - 1 if place == len(self.columns) - 1 else ends

    def _quoted(self, column: str, begins: Positions, ends: Positions, wanted: Mask | None = None) -> Mask:
        quoted: Mask = self.batch.text[begins] == _QUOTE
        if wanted is not None:
            quoted &= wanted
        if not quoted.all():
            other = ~quoted if wanted is None else ~quoted & wanted
            self._expect_null(column, "a string", begins[other], ends[other])
        return quoted

    def _expect_null(self, column: str, kind: str, begins: Positions, ends: Positions) -> None:
        wrong = np.flatnonzero(~_equal(self.batch.text, begins, ends, _NULL))
        if len(wrong):
            raise unreadable(self.table, self.offset + int(begins[wrong[0]]), f"{column} is neither {kind} nor NULL")


def unreadable(table: str, offset: int, what: str) -> UnreadableDump:
    """The error for a byte of the unpacked text, counted from 0."""
    return UnreadableDump(f"The dump of {table} cannot be read at byte {offset}: {what}.")


def _words(text: Bytes) -> Bits:
    """The eight bytes that begin at each place, as one little-endian number; no copy."""
    return np.ndarray((len(text) - _WORD + 1,), "<u8", text.data, strides=(1,))


def _equal(text: Bytes, begins: Positions, ends: Positions, value: bytes) -> Mask:
    equal: Mask = ends - begins == len(value)
    words = _words(text)
    for place in range(0, len(value), _WORD):
        part = value[place : place + _WORD]
        chosen = np.flatnonzero(equal)
        ignored = np.uint64(8 * (_WORD - len(part)))
        equal[chosen] = words[begins[chosen] + place] << ignored == int.from_bytes(part, "little") << int(ignored)
    return equal


def _numbers(text: Bytes, begins: Positions, ends: Positions) -> tuple[Positions, Mask]:
    """The fields as numbers, and whether each is one."""
    negative = text[begins] == _MINUS
    signed = bool(negative.any())
    if signed:
        begins = begins + negative
    digits = ends - begins
    values, numeric = _number_of_word(text, begins, np.minimum(digits, _WORD))
    numeric &= (digits > 0) & (digits <= MAX_DIGITS)
    longer = np.flatnonzero(numeric & (digits > _WORD))
    done = _WORD
    while len(longer):
        taken = np.minimum(digits[longer] - done, _WORD)
        part, numeric[longer] = _number_of_word(text, begins[longer] + done, taken)
        values[longer] = values[longer] * _TENS[taken] + part
        done += _WORD
        longer = longer[numeric[longer] & (digits[longer] > done)]
    return np.where(negative, -values, values) if signed else values, numeric


def _number_of_word(text: Bytes, begins: Positions, digits: Positions) -> tuple[Positions, Mask]:
    """Up to eight digits at each place as a number, and whether all of them are digits.

    Eight bytes are added up pairwise in one register
    (https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits/); missing digits count as leading zeros.
    """
    ignored = (8 * (_WORD - digits)).view(np.uint64)
    word = (_words(text)[begins] ^ _ZEROS) << ignored
    numeric = ((word + _TO_HIGH_BIT) | word) & _HIGH_BITS == 0
    for wide, tens, mask in ((8, 10, 0x00FF00FF00FF00FF), (16, 100, 0x0000FFFF0000FFFF), (32, 10_000, 0xFFFFFFFF)):
        higher = word >> np.uint64(wide)
        word *= np.uint64(tens)
        word += higher
        word &= np.uint64(mask)
    return word.view(np.int64), numeric


def _unescaped(name: str, text: Bytes, begins: Positions, lengths: Positions, valid: Mask) -> pl.Series:
    """What the insides of strings mean that begin and are as long as told."""
    offsets = _offsets(lengths)
    values = _gathered(text, begins, lengths)
    escapes = escaping(np.flatnonzero(values == _BACKSLASH))
    dropped = _dropped(values, escapes)
    if len(dropped):
        values[escapes + 1] = _MEANT[values[escapes + 1]]
        values = np.delete(values, dropped)
        offsets = offsets - np.searchsorted(dropped, offsets)
    validity = None if valid.all() else np.packbits(valid, bitorder="little")
    pieces = na.c_array_from_buffers(na.large_binary(), len(begins), [validity, offsets, values])
    return pl.Series(name, pieces, dtype=pl.Binary)


def _gathered(text: Bytes, begins: Positions, lengths: Positions) -> Bytes:
    """The bytes that begin and are as many as told, one span behind the other."""
    some = np.flatnonzero(lengths)
    if not len(some):
        return text[:0]
    begins, lengths = begins[some], lengths[some]
    steps = np.ones(lengths.sum(), dtype=np.int64)
    steps[0] = begins[0]
    steps[np.cumsum(lengths[:-1])] = begins[1:] - begins[:-1] - lengths[:-1] + 1
    return text[np.cumsum(steps, out=steps)]


def _dropped(values: Bytes, escapes: Positions) -> Positions:
    r"""The bytes that stand for nothing: the first of two quotes, and backslashes except before ``%`` and ``_``.

    So reads MySQL (https://dev.mysql.com/doc/refman/8.4/en/string-literals.html, and ``unescape`` in its
    sql/sql_lex.cc): ``\%`` and ``\_`` are patterns, and in a plain string the backslash belongs to them.
    """
    backslashes = escapes[~_KEEPS_BACKSLASH[values[escapes + 1]]]
    quotes = values == _QUOTE
    quotes[escapes + 1] = False
    doubled = np.flatnonzero(quotes)[::2]
    return np.sort(np.concatenate((backslashes, doubled))) if len(doubled) else backslashes


def _offsets(lengths: Positions) -> Positions:
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(lengths)))
