"""mysqldump text for tests: a writer of it, any of it, and a plain slow reader that goes through it byte by byte.

The reader has no regular expression, no array and no code of the product. It follows MySQL's manual on string literals
(https://dev.mysql.com/doc/refman/8.4/en/string-literals.html) and the shape of what mysqldump writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hypothesis import strategies as st

HEADER = b"""/*M!999999\\- enable the sandbox mode */ \n\
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: it's (a, host);
/*!40101 SET NAMES utf8mb4 */;

"""
FOOTER = b"""/*!40000 ALTER TABLE `t` ENABLE KEYS */;
UNLOCK TABLES;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS, FOREIGN_KEY_CHECKS=0 */;

-- Dump completed on 2026-11-23 16:46:58
"""
WRITTEN = {
    b"\0"[0]: b"\\0",
    b"\n"[0]: b"\\n",
    b"\r"[0]: b"\\r",
    b"\x1a"[0]: b"\\Z",
    b"'"[0]: b"\\'",
    b'"'[0]: b'\\"',
    b"\\"[0]: b"\\\\",
}
MEANT = {b"0": b"\0", b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a", b"%": b"\\%", b"_": b"\\_"}


class OracleFault(Exception):
    """The text cannot be read; ``place`` is the first byte that is wrong."""

    def __init__(self, place):
        super().__init__(place)
        self.place = place


class Field(NamedTuple):
    """``kind`` is "string" or "bare"; ``place`` is where its text begins."""

    kind: str
    value: bytes
    place: int


@dataclass
class Table:
    columns: tuple[str, ...]
    rows: list[list[Field]]


def quoted(value):
    """A string as mysqldump writes it."""
    return b"'" + b"".join(WRITTEN.get(byte, bytes([byte])) for byte in value) + b"'"


def written(value):
    """A value as mysqldump writes it: None, a number or a string."""
    if value is None:
        return b"NULL"
    return quoted(value) if isinstance(value, bytes) else str(value).encode()


def create(table, columns):
    lines = [b"  `%b` varbinary(255) NOT NULL DEFAULT ',(;'" % name.replace("`", "``").encode() for name in columns]
    body = b",\n".join([*lines, b"  PRIMARY KEY (`%b`)" % columns[0].encode()])
    return b"CREATE TABLE `%b` (\n%b\n) ENGINE=InnoDB DEFAULT CHARSET=binary;\n" % (table.encode(), body)


def insert(table, rows, *, per_line=False):
    """One INSERT of rows whose fields are written already, on one line or with a row per line."""
    head, between = (b"\n", b",\n") if per_line else (b" ", b",")
    body = between.join(b"(%b)" % b",".join(row) for row in rows)
    return b"INSERT INTO `%b` VALUES%b%b;\n" % (table.encode(), head, body)


def dump(table, columns, *statements):
    """A whole dump with the statements between its CREATE TABLE and its end."""
    drop = b"DROP TABLE IF EXISTS `%b`;\n" % table.encode()
    lock = b"\nLOCK TABLES `%b` WRITE;\n" % table.encode()
    return b"".join([HEADER, drop, create(table, columns), lock, *statements, FOOTER])


HOSTILE = (
    b"),(1,'",
    b";\nINSERT INTO `t` VALUES (1,'x');\n",
    b"');\n-- Dump completed",
    b"'",
    b"''",
    b"\\",
    b"\\\\",
    b"\\'",
    b'it\'s_"so"',
    b"NULL",
    b"100%_\\%\\_",
    b"\0\b\n\r\t\x1a",
    b"\xff\xfe\x80",
    b"a" * 63 + b"\\" + b"'" * 3,
    b"",
)
STRINGS = st.one_of(
    st.sampled_from(HOSTILE), st.binary(max_size=20), st.text("'\\\"(),;\n%_a", max_size=12).map(str.encode)
)
INTEGERS = st.one_of(st.integers(-9, 9), st.integers(-(10**18) + 1, 10**18 - 1))


@st.composite
def tables(draw):
    """Columns with their values: the first of integers, the others of integers or strings, NULL in any."""
    kinds = [INTEGERS, *draw(st.lists(st.sampled_from([INTEGERS, STRINGS]), max_size=4))]
    names = [f"{'i' if kind is INTEGERS else 's'}{number}" for number, kind in enumerate(kinds)]
    row = st.tuples(*(st.none() | kind for kind in kinds))
    return tuple(names), draw(st.lists(row, max_size=12))


@st.composite
def texts(draw):
    """A table, and a dump of it in either style, in any number of statements."""
    names, rows = draw(tables())
    per_line = draw(st.booleans())
    size = draw(st.integers(1, 13))
    fields = [[written(value) for value in row] for row in rows]
    parts = [fields[begin : begin + size] for begin in range(0, len(fields), size)]
    return names, rows, dump("t", names, *(insert("t", part, per_line=per_line) for part in parts))


def read(text, table):
    """The table in a dump, or OracleFault."""
    return _Oracle(text, table).read()


class _Oracle:
    def __init__(self, text, table):
        self.text, self.table, self.at = text, table, 0
        self.columns, self.rows, self.completed = (), [], False
        insert_into = b"INSERT INTO `" + table.encode() + b"` VALUES"
        self.heads = [insert_into + b" (", insert_into + b"\n("]

    def read(self):
        while self.at < len(self.text):
            if not self.statement():
                self.line()
        if not self.completed:
            raise OracleFault(len(self.text))
        return Table(self.columns, self.rows)

    def byte(self):
        """The byte here; the text may not end."""
        if self.at == len(self.text):
            raise OracleFault(self.at)
        return self.text[self.at : self.at + 1]

    def expect(self, wanted, place=None):
        if self.byte() != wanted:
            raise OracleFault(self.at if place is None else place)
        self.at += 1

    def statement(self):
        """Read an INSERT if one begins here."""
        rest = self.text[self.at :]
        if not rest.startswith(b"INSERT"):
            return False
        head = self.head_at(self.at)
        if not head:
            unfinished = any(each.startswith(rest) for each in self.heads)
            raise OracleFault(len(self.text) if unfinished and not self.completed else self.at)
        if not self.columns or self.completed:
            raise OracleFault(self.at)
        while head:
            self.at += head - 1
            self.insert_rows()
            head = self.head_at(self.at + 2) if self.text[self.at + 1 : self.at + 2] == b"\n" else 0
            self.at += 2 if head else 0
        return True

    def head_at(self, place):
        return next((len(head) for head in self.heads if self.text.startswith(head, place)), 0)

    def insert_rows(self):
        """Read rows up to the semicolon, which stays unread."""
        while True:
            self.row()
            if self.byte() == b";":
                return
            self.expect(b",")
            if self.byte() == b"\n":
                self.at += 1

    def row(self):
        self.expect(b"(")
        fields = []
        for number in range(len(self.columns)):
            fields.append(self.string() if self.byte() == b"'" else self.bare())
            self.expect(b")" if number == len(self.columns) - 1 else b",")
        self.rows.append(fields)

    def bare(self):
        begin = self.at
        while self.byte() not in b",;)":
            if self.byte() in b"'(\\":
                raise OracleFault(begin)
            self.at += 1
        return Field("bare", self.text[begin : self.at], begin)

    def string(self):
        begin = self.at
        self.at += 1
        value = b""
        while True:
            byte = self.byte()
            self.at += 1
            if byte == b"\\":
                value += MEANT.get(self.byte(), self.byte())
                self.at += 1
            elif byte != b"'":
                value += byte
            elif self.byte() == b"'":
                value += b"'"
                self.at += 1
            else:
                return Field("string", value, begin)

    def line(self):
        end = self.text.find(b"\n", self.at)
        line = self.text[self.at :] if end < 0 else self.text[self.at : end]
        is_last = line.startswith(b"-- Dump completed")
        if end < 0 and not is_last and not self.completed:
            raise OracleFault(len(self.text))
        if self.completed and line:
            raise OracleFault(self.at)
        if line.startswith(b"CREATE TABLE"):
            self.create(line)
        elif is_last and not self.columns:
            raise OracleFault(self.at)
        elif not is_last and not _has_no_rows(line.rstrip(b" ")):
            raise OracleFault(self.at + line.startswith(b";"))
        else:
            self.completed |= is_last
            self.at += len(line) + 1

    def create(self, line):
        if self.columns or line != b"CREATE TABLE `" + self.table.encode() + b"` (":
            raise OracleFault(self.at)
        while not line.endswith(b";"):
            self.at += len(line) + 1
            end = self.text.find(b"\n", self.at)
            if end < 0:
                raise OracleFault(len(self.text))
            line = self.text[self.at : end]
            if line.startswith(b"  `") and (name := _name(line[3:])):
                self.columns += (name,)
        if not self.columns:
            raise OracleFault(self.at)
        self.at += len(line) + 1


def _name(rest):
    """A name up to its closing backtick, two of which mean one; None if it does not close or is empty."""
    name, at = b"", 0
    while at < len(rest):
        if rest[at : at + 1] != b"`":
            name += rest[at : at + 1]
        elif rest[at + 1 : at + 2] == b"`":
            name += b"`"
            at += 1
        else:
            return name.decode(errors="replace") or None
        at += 1
    return None


def _has_no_rows(line):
    if line in {b"", b";"} or line.startswith(b"--"):
        return True
    if line.startswith(b"/*"):
        end = line.find(b"*/", 2)
        return end > 0 and line[end + 2 :] in {b"", b";"}
    words = (b"set", b"commit", b"lock tables", b"unlock tables", b"drop table")
    known = [word for word in words if line.lower().startswith(word)]
    behind = line[len(known[0]) :][:1] if known else b"x"
    return not (behind.isalnum() or behind == b"_") and line.find(b";") == len(line) - 1
