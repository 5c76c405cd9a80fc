"""mysqldump text -> batches of rows, without a Python loop per row.

A dump of one table, as MySQL's and MariaDB's mysqldump write it: comments, one CREATE TABLE, and INSERT statements
either on one line of about 1 MB or with one row per line (https://mariadb.com/kb/en/mariadb-dump/). Values hold any
byte, also quotes, parentheses, commas and line breaks, so strings are found first and everything else outside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NoReturn

import numpy as np

from worker.sqlfault import Grammar
from worker.sqlfields import PADDING, Batch, Rows, unreadable
from worker.sqlmarks import WORD_BITS, Bytes, Marks, Positions, count, mark, positions

BATCH_BYTES = 2 << 20
MAX_ROW_BYTES = 64 << 20
"""A longer row, or a longer line outside the rows, means that the text is no dump of a MediaWiki table."""

_OPEN, _CLOSE, _NEWLINE = b"()\n"
_COMPLETED = b"-- Dump completed"
# Without possessive quantifiers, which Python has got right since 3.11.5 only
# (https://github.com/python/cpython/issues/106052).
_COLUMN = re.compile(rb"  `(?!`(?!`))([^`]*(?:``[^`]*)*)`(?!`)")
_WITHOUT_ROWS = re.compile(
    rb"--.*|/\*[^*]*\*+(?:[^*/][^*]*\*+)*/;?|(?i:set|commit|lock tables|unlock tables|drop table)\b[^;]*;|;?"
)


def read_rows(
    blocks: Iterable[bytes], table: str, *, batch_bytes: int = BATCH_BYTES, max_row_bytes: int = MAX_ROW_BYTES
) -> Iterator[Rows]:
    """Read the rows of the one table from unpacked text that may be cut anywhere.

    Memory is bounded by a few times ``batch_bytes`` plus the longest row. A fault may show after rows were given, so
    nothing may be committed before the iterator is exhausted.

    Raises:
        UnreadableDump: the text is no whole dump of the table; the message names the offset in the unpacked text.
    """
    reader = _Reader(table, max_row_bytes)
    waiting: list[bytes] = []
    size = 0
    for piece in _pieces(blocks, batch_bytes):
        waiting.append(piece)
        size += len(piece)
        if size >= min(max(batch_bytes, 2 * len(reader.text)), max_row_bytes + batch_bytes):
            yield from reader.read(b"".join(waiting))
            waiting, size = [reader.text], len(reader.text)
    yield from reader.read(b"".join(waiting))
    reader.finish()


def _pieces(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    for block in blocks:
        for begin in range(0, len(block), size):
            yield block[begin : begin + size]


class _Reader:
    """How far one dump is read, and whether that is outside statements, in CREATE TABLE, or in an INSERT's rows.

    ``text`` is what is known of the dump from the byte ``offset`` on; what comes before ``at`` in it is read.
    """

    def __init__(self, table: str, max_row_bytes: int) -> None:
        self.table = table
        self.max_row_bytes = max_row_bytes
        self.text = b""
        self.at = self.offset = 0
        self.columns: tuple[str, ...] = ()
        self.creating = self.inserting = self.completed = False
        insert = b"INSERT INTO `%b` VALUES" % table.encode()
        self.heads = (insert + b" (", insert + b"\n(")

    def read(self, text: bytes) -> Iterator[Rows]:
        """Give the whole rows of the text, which begins with what the last one left."""
        self.text = text
        before = -1
        while before != self.at:
            before = self.at
            if not self.inserting:
                self._read_line()
            elif rows := self._read_rows():
                yield rows
        self.text = text[self.at :]
        self.offset += self.at
        self.at = 0

    def finish(self) -> None:
        """Raise if what was read is no whole dump."""
        end = len(self.text)
        if self.inserting:
            self._explain()
            self._fail(end, "the text ends within a statement")
        if self.text and (self.completed or self.text.startswith(_COMPLETED)):
            self._take(self.text)
        if not self.completed:
            self._fail(end, "the text ends before its last line, which begins -- Dump completed")

    def _fail(self, place: int, what: str) -> NoReturn:
        raise unreadable(self.table, self.offset + place, what)

    def _read_line(self) -> None:
        """Take the next line, or the head of an INSERT, if it is whole."""
        if self.text.startswith(b"INSERT", self.at) and not self.creating:
            self._read_head()
            return
        end = self.text.find(b"\n", self.at)
        if (len(self.text) if end < 0 else end) - self.at > self.max_row_bytes:
            self._fail(self.at, f"a line of more than {self.max_row_bytes} bytes")
        if end >= 0:
            self._take(self.text[self.at : end])
            self.at = end + 1

    def _read_head(self) -> None:
        begin = self.text[self.at : self.at + len(self.heads[0])]
        if begin in self.heads:
            if self.completed or not self.columns:
                self._fail(self.at, "an INSERT that does not follow the CREATE TABLE")
            self.inserting = True
            self.at += len(begin) - 1
        elif not any(head.startswith(begin) for head in self.heads):
            self._fail(self.at, f"an INSERT that does not begin {self.heads[0].decode()}")

    def _take(self, line: bytes) -> None:
        if self.creating:
            self._take_definition(line)
        elif self.completed and line:
            self._fail(self.at, "text behind -- Dump completed")
        elif line.startswith(b"CREATE TABLE"):
            self._begin_table(line)
        elif line.startswith(_COMPLETED):
            self._complete()
        elif not _WITHOUT_ROWS.fullmatch(line.rstrip(b" ")):
            self._fail(self.at + line.startswith(b";"), "a statement that is not known")

    def _begin_table(self, line: bytes) -> None:
        if self.columns:
            self._fail(self.at, "a second CREATE TABLE")
        if line != b"CREATE TABLE `%b` (" % self.table.encode():
            self._fail(self.at, f"a CREATE TABLE that does not begin CREATE TABLE `{self.table}` (")
        self.creating = True

    def _take_definition(self, line: bytes) -> None:
        if column := _COLUMN.match(line):
            self.columns += (column[1].replace(b"``", b"`").decode(errors="replace"),)
        self.creating = not line.endswith(b";")
        if not (self.creating or self.columns):
            self._fail(self.at, "a CREATE TABLE without columns")

    def _complete(self) -> None:
        if not self.columns:
            self._fail(self.at, "the dump ends without a CREATE TABLE")
        self.completed = True

    def _read_rows(self) -> Rows | None:
        """The whole rows from here on, at most as far as a semicolon that no further INSERT follows."""
        text = self._padded()
        marks = mark(text)
        semicolons = positions(marks.semicolons)
        heads, last = self._next_heads(semicolons)
        delimiters = positions(marks.delimiters)
        if last is not None:
            delimiters = delimiters[: np.searchsorted(delimiters, last) + 1]
        width = len(self.columns)
        ends = delimiters[: len(delimiters) // width * width].reshape(-1, width)
        if last is not None and ends.size != len(delimiters):
            self._refuse()
        if not len(ends):
            if len(text) > self.max_row_bytes:
                self._explain()
            return None
        opens = _opens(text, ends, heads)
        if not self._whole(text, marks, opens, ends):
            self._refuse()
        batch = Batch(text, opens, ends)
        rows = Rows(self.table, self.columns, self.offset + self.at, batch, np.arange(len(ends)))
        self._leave(int(ends[-1, -1]), heads, last)
        return rows

    def _padded(self) -> Bytes:
        size = len(self.text) - self.at
        padding = bytes(PADDING + -size % WORD_BITS)
        return np.frombuffer(b"".join((memoryview(self.text)[self.at :], padding)), dtype=np.uint8)

    def _next_heads(self, semicolons: Positions) -> tuple[dict[int, int], int | None]:
        """The first row's place behind each semicolon that an INSERT follows, and the first other semicolon."""
        heads: dict[int, int] = {}
        for place in semicolons.tolist():
            begin = self.at + place + 2
            if self.text[begin - 1 : begin] != b"\n" or not self.text.startswith(self.heads, begin):
                return heads, place
            heads[place] = place + 1 + len(self.heads[0])
        return heads, None

    def _whole(self, text: Bytes, marks: Marks, opens: Positions, ends: Positions) -> bool:
        """Whether each row stands in parentheses and holds no others, as it would with an INSERT's head in it."""
        last = ends[:, -1]
        end = int(last[-1])
        return (
            not count(marks.faults, end)
            and count(marks.parentheses, end) == 2 * len(ends)
            and bool((text[opens] == _OPEN).all())
            and bool((text[last - 1] == _CLOSE).all())
            and int((last - opens).max()) <= self.max_row_bytes
        )

    def _leave(self, end: int, heads: dict[int, int], last: int | None) -> None:
        self.inserting = end != last
        self.at += end if end == last else heads.get(end, end + 1)

    def _refuse(self) -> NoReturn:
        self._explain()
        self._fail(self.at, "text that is no row")

    def _explain(self) -> None:
        grammar = Grammar(len(self.columns), self.heads, self.max_row_bytes)
        if fault := grammar.first_fault(self.text, self.at):
            self._fail(fault.place, fault.what)


def _opens(text: Bytes, ends: Positions, heads: dict[int, int]) -> Positions:
    """Where each row's parenthesis should be: behind the row before it and a line break, or behind an INSERT's head."""
    begins = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1, -1] + 1))
    behind = np.fromiter(heads, dtype=np.int64, count=len(heads)) + 1
    rows = np.searchsorted(begins, behind)
    known = rows < len(begins)
    begins[rows[known]] = np.fromiter(heads.values(), dtype=np.int64, count=len(heads))[known]
    opens: Positions = begins + (text[begins] == _NEWLINE)
    return opens
