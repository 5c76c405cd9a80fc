"""The writer of mysqldump's text: what it writes can be read back, and is what the real mysqldump writes."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.demosite.sqltext import STATEMENT_BYTES, Style, Table, dump_parts, dump_text, value_text

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
REAL = sorted(DATA.glob("site/*/*/*.sql.gz"))
COMPLETED = dt.datetime(2024, 1, 4, 8, 45, 24, tzinfo=dt.UTC)

AWKWARD = [
    b"'",
    b'"',
    b"\\",
    b"\0",
    b"\n",
    b"\r",
    b"\x1a",
    b"\t",
    b"),(1,'",
    b";\nINSERT INTO `t` VALUES",
    b"\xff",
    b"NULL",
]
STRINGS = st.lists(st.one_of(st.sampled_from(AWKWARD), st.binary(max_size=3)), max_size=6).map(b"".join)
NUMBERS = st.one_of(st.integers(0, 2**63), st.integers(-(2**31), 0))
FRACTIONS = st.floats(1e-9, 1e9, allow_nan=False).filter(lambda number: not number.is_integer())
ROWS = st.lists(st.tuples(NUMBERS, STRINGS, st.one_of(st.none(), STRINGS), FRACTIONS), max_size=12)


def table(rows):
    columns = (
        "`a` bigint(20) NOT NULL",
        "`b` varbinary(255) NOT NULL DEFAULT ''",
        "`c` blob DEFAULT NULL",
        "`d` double",
    )
    return Table("t", (*columns, "PRIMARY KEY (`a`,`b`)"), rows)


def text_of(rows, style=Style.ROW_PER_LINE, statement_bytes=STATEMENT_BYTES):
    return dump_text(table(rows), style=style, database="wiki", completed=COMPLETED, statement_bytes=statement_bytes)


@given(rows=ROWS, style=st.sampled_from(Style), statement_bytes=st.integers(1, 300))
def test_rows_are_read_back(rows, style, statement_bytes):
    """Whatever the values, the style and the length of a statement, the rows come back in their order."""
    text = text_of(rows, style, statement_bytes)
    assert oracle.sql_rows(text) == rows
    assert oracle.sql_columns(text) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, b"NULL"),
        (b"NULL", b"'NULL'"),
        (b"", b"''"),
        (-1, b"-1"),
        (2**63, b"9223372036854775808"),
        (0.25, b"0.25"),
        (0.000018474128, b"0.000018474128"),
        (3.0, b"3"),
        (1e20, b"100000000000000000000"),
        (b"it's", rb"'it\'s'"),
        (b'"so"', rb"'\"so\"'"),
        (b"a\\b", rb"'a\\b'"),
        (b"\0\n\r\x1a", rb"'\0\n\r\Z'"),
        (b"\t\x08%_\x80\xff", b"'\t\x08%_\x80\xff'"),
    ],
)
def test_values_are_written_as_mysql_escapes_them(value, written):
    """Seven bytes have an escape and no others; a number has no quotation marks and no exponent."""
    assert value_text(value) == written


def test_a_row_to_a_line():
    """Newer clients begin the rows on the line after VALUES, and end each but the last with a comma."""
    text = text_of([(1, b"x", None, 0.5), (2, b"y", b"", 1.5)])
    assert b"\nINSERT INTO `t` VALUES\n(1,'x',NULL,0.5),\n(2,'y','',1.5);\n/*!40000 ALTER" in text


def test_a_statement_to_a_line():
    """Older clients write the whole statement on one line."""
    text = text_of([(1, b"x", None, 0.5), (2, b"y", b"", 1.5)], Style.STATEMENT_PER_LINE)
    assert b"\nINSERT INTO `t` VALUES (1,'x',NULL,0.5),(2,'y','',1.5);\n/*!40000 ALTER" in text


@pytest.mark.parametrize("style", Style)
def test_a_long_table_has_several_statements(style):
    """No statement with more than one row is longer than asked, and each but the last is nearly as long."""
    text = text_of([(number, b"%d" % number, None, 0.5) for number in range(1000)], style, 2000)
    statements = [part.partition(b";\n")[0] for part in text.split(b"INSERT INTO")[1:]]
    assert 10 < len(statements) < 30
    assert all(1500 < len(statement) <= 2000 for statement in statements[:-1])


def test_a_row_longer_than_a_statement_stands_alone():
    """A row that does not fit is a statement of its own."""
    text = text_of([(number, b"x" * 500, None, 0.5) for number in range(3)], statement_bytes=100)
    assert text.count(b"INSERT INTO") == 3


@pytest.mark.parametrize("style", Style)
def test_an_empty_table_has_no_statement(style):
    """Without rows there is the table's definition and nothing to insert."""
    text = text_of([], style)
    assert b"INSERT" not in text
    assert oracle.sql_columns(text) == ["a", "b", "c", "d"]


def test_the_end_says_when_the_dump_was_completed():
    """The hour is padded with a blank, as mysqldump does."""
    assert text_of([]).endswith(b"\n-- Dump completed on 2024-01-04  8:45:24\n")


def test_rows_may_come_one_by_one():
    """A table may be longer than memory: the text is made while the rows come."""
    asked = []
    rows = (asked.append(number) or (number, b"", None, 0.5) for number in range(10**9))
    parts = dump_parts(table(rows), style=Style.ROW_PER_LINE, database="wiki", completed=COMPLETED)
    assert any(b"(5,''" in part for part in parts)
    assert len(asked) < 10


@pytest.mark.skipif(not REAL, reason="the folder ../shared/data with real dumps is not there")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real_dumps_are_written_alike(path):
    """The rows of a file of the real mysqldump, written again, are that file byte for byte after its first lines."""
    real = gzip.decompress(path.read_bytes())
    name, _, definition = real.partition(b"CREATE TABLE `")[2].partition(b"` (\n")
    lines, _, options = definition.partition(b";\n")[0].rpartition(b"\n) ")
    definitions = tuple(line.decode().strip().removesuffix(",") for line in lines.split(b"\n"))
    again = Table(name.decode(), definitions, oracle.sql_rows(real), options.decode())
    style = Style.ROW_PER_LINE if b"VALUES\n" in real else Style.STATEMENT_PER_LINE
    text = dump_text(again, style=style, database="site", completed=COMPLETED)
    assert _between(text) == _between(real)
    assert b"INSERT INTO" in _between(text)


def _between(text):
    """From where the session's settings begin to before the last line, which has the time."""
    return text[text.index(b"/*!40101 SET @OLD_CHARACTER_SET_CLIENT") :].rpartition(b"-- Dump completed")[0]
