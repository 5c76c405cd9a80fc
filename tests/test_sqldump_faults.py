"""SQL dumps that cannot be read: each is refused, and the error names the byte."""

from __future__ import annotations

import itertools
import re
import tracemalloc

import numpy as np
import pytest
import sqldump_text as oracle
from hypothesis import given
from hypothesis import strategies as st
from sqldump_text import texts
from strategies import SLOW_LAW

from models.errors import CorruptFile, UnreadableDump
from worker.sqldump import read_rows

HEAD = oracle.HEADER + oracle.create("t", ("i", "s", "f"))
ROWS = b"INSERT INTO `t` VALUES (1,'a',0.5),(2,'b',1e-05)"
SECOND = b"INSERT INTO `t` VALUES\n(3,'c',-1),\n(4,NULL,0)"
MARK = b"<!>"
"""Stands before the byte that the error is to name, and is taken out."""


def read(text, **options):
    return [(rows.integers("i").to_list(), rows.strings("s").to_list()) for rows in read_rows([text], "t", **options)]


def place_of(fault):
    return int(re.search(r"at byte (\d+):", str(fault))[1])


def refusals(marked, **options):
    """The places that the errors name, with no column read and texts cut in several ways, and the marked place."""
    text = marked.replace(MARK, b"")
    places = set()
    for batch in (1 << 20, 64, 5, 1):
        with pytest.raises(UnreadableDump) as fault:
            list(read_rows([text], "t", batch_bytes=batch, **options))
        places.add(place_of(fault.value))
    return places, {marked.index(MARK)}


BROKEN_ROWS = {
    "too few fields": b"(3,'c'<!>),(4,'d',0);",
    "too few fields, then too many": b"(3,'c'<!>),(4,'d',0,0);",
    "too many fields": b"(3,'c',0<!>,0),(4,'d',0);",
    "too many fields, then too few": b"(3,'c',0<!>,9),(4,'d');",
    "two rows as long as one": b"(3,'c'<!>),(4),(5,'e',0);",
    "no fields": b"(<!>);",
    "a statement that ends in a row": b"(3,'c'<!>;",
    "no comma between rows": b"(3,'c',0)<!>(4,'d',0);",
    "two commas between rows": b"(3,'c',0),<!>,(4,'d',0);",
    "a blank between rows": b"(3,'c',0),<!> (4,'d',0);",
    "a blank before the comma": b"(3,'c',0)<!> ,(4,'d',0);",
    "two line breaks between rows": b"(3,'c',0),\n<!>\n(4,'d',0);",
    "garbage between rows": b"(3,'c',0),<!>x(4,'d',0);",
    "a comment between rows": b"(3,'c',0),<!>/* x */(4,'d',0);",
    "a comma before the semicolon": b"(3,'c',0),<!>;",
    "a doubled parenthesis": b"(<!>(3,'c',0);",
    "a parenthesis around a number": b"(3,'c',<!>(0));",
    "text behind a string": b"(3,'c'<!>x,0);",
    "two strings side by side": b"(3,'c'<!> 'd',0);",
    "a marked binary string": b"(3,<!>_binary 'c',0);",
    "a string in hexadecimal digits": b"(3,<!>x'63',0);",
    "a backslash outside strings": b"(3,<!>\\'c,0);",
    "a quote too many": b"(3,'c'',0),(4,'<!>d',0);",
    "a quote too few": b"(3,<!>c',0),(4,'d',0);",
    "garbage behind the statement": b"(3,'c',0);<!>x",
    "a comment behind the statement": b"(3,'c',0);<!>-- x",
    "a statement behind the statement": b"(3,'c',0);<!>INSERT INTO `t` VALUES (4,'d',0);",
}


@pytest.mark.parametrize("rows", BROKEN_ROWS.values(), ids=BROKEN_ROWS)
@pytest.mark.parametrize("before", [ROWS + b",", ROWS + b";\nINSERT INTO `t` VALUES ", ROWS + b";\n" + SECOND + b",\n"])
def test_broken_rows(before, rows):
    """Rows that do not have the table's shape are refused where they lose it, wherever they stand."""
    marked = HEAD + before + rows + b"\n" + oracle.FOOTER
    found, wanted = refusals(marked)
    assert found == wanted


BROKEN_DUMPS = {
    "an INSERT of another table": HEAD + b"<!>INSERT INTO `u` VALUES (1,'a',0);\n" + oracle.FOOTER,
    "another table later": HEAD + ROWS + b";\n<!>INSERT INTO `tt` VALUES (1,'a',0);\n" + oracle.FOOTER,
    "an INSERT with columns": HEAD + b"<!>INSERT INTO `t` (`i`, `s`, `f`) VALUES (1,'a',0);\n" + oracle.FOOTER,
    "an INSERT IGNORE": HEAD + b"<!>INSERT  IGNORE INTO `t` VALUES (1,'a',0);\n" + oracle.FOOTER,
    "an INSERT without rows": HEAD + b"<!>INSERT INTO `t` VALUES;\n" + oracle.FOOTER,
    "an INSERT before the CREATE": b"--\n<!>" + ROWS + b";\n" + HEAD + oracle.FOOTER,
    "an INSERT behind the end": HEAD + oracle.FOOTER + b"\n<!>" + ROWS + b";\n",
    "text behind the end": HEAD + ROWS + b";\n" + oracle.FOOTER + b"\n<!>-- more\n",
    "two dumps": HEAD + ROWS + b";\n" + oracle.FOOTER + b"<!>" + HEAD + ROWS + b";\n" + oracle.FOOTER,
    "two CREATEs": HEAD + b"<!>" + oracle.create("t", ("i", "s", "f")) + ROWS + b";\n" + oracle.FOOTER,
    "two CREATEs around rows": HEAD + ROWS + b";\n<!>" + oracle.create("t", ("i", "s", "f")) + oracle.FOOTER,
    "a CREATE of another table": oracle.HEADER + b"<!>" + oracle.create("u", ("i", "s", "f")) + oracle.FOOTER,
    "a CREATE without columns": oracle.HEADER + b"CREATE TABLE `t` (\n<!>) ENGINE=InnoDB;\n" + oracle.FOOTER,
    "no CREATE": oracle.HEADER + oracle.FOOTER.replace(b"-- Dump", b"<!>-- Dump"),
    "a CREATE that does not end": HEAD.removesuffix(b";\n") + b"\n" + oracle.FOOTER.replace(b";\n", b"\n") + b"<!>",
    "another kind of statement": HEAD + b"<!>REPLACE INTO `t` VALUES (1,'a',0);\n" + oracle.FOOTER,
    "rows behind a comment": HEAD + b"<!>/* */ " + ROWS + b"; /* */\n" + oracle.FOOTER,
    "rows behind a SET": HEAD + b"<!>SET @a=1; " + ROWS + b";\n" + oracle.FOOTER,
    "no last line": HEAD + ROWS + b";\n" + oracle.FOOTER[: oracle.FOOTER.index(b"-- Dump")] + b"<!>",
    "half a last line": HEAD + ROWS + b";\n-- Dump comp<!>",
    "nothing behind the statement": HEAD + ROWS + b";<!>",
    "nothing but the CREATE": HEAD + b"<!>",
    "half a CREATE": HEAD[:-20] + b"<!>",
    "nothing": b"<!>",
    "a page of HTML": b"<!><html><head><title>429</title></head>\n<body></body></html>\n",
}


@pytest.mark.parametrize("marked", BROKEN_DUMPS.values(), ids=BROKEN_DUMPS)
def test_broken_dumps(marked):
    """Text that is not one whole dump of the one table is refused where that shows."""
    found, wanted = refusals(marked)
    assert found == wanted


@pytest.mark.parametrize("text", [HEAD + ROWS, HEAD + SECOND])
def test_text_that_ends_within_a_statement(text):
    """Wherever the text stops before its last line, the error names its end, and no whole dump is made of it."""
    for end in range(len(HEAD), len(text) + 1):
        for batch in (1 << 20, 3):
            with pytest.raises(UnreadableDump) as fault:
                read(text[:end], batch_bytes=batch)
            assert place_of(fault.value) == end


def whole(*fields):
    return HEAD + b"INSERT INTO `t` VALUES " + b",".join(fields) + b";\n" + oracle.FOOTER


def of_field(column, kind, marked, *values):
    """Whether reading a column as a kind is refused at the mark, wherever the text is cut."""
    for batch in (1 << 20, 40):
        batches = read_rows([marked.replace(MARK, b"")], "t", batch_bytes=batch)
        with pytest.raises(UnreadableDump) as fault:
            [getattr(rows, kind)(column, *values) for rows in batches]
        assert place_of(fault.value) == marked.index(MARK)
    assert isinstance(fault.value, CorruptFile)


@pytest.mark.parametrize(
    "field",
    [
        *b"|-|+1|--1|1.5|1e5|1 | 1|0x1F|1_0|null|NULLS|-NULL|'1'|\n1|12345678a|1234567890123456x|/|:|\xb2".split(b"|"),
        b"9" * 19,
        b"-%b" % (b"9" * 19),
        b"1" * 40,
    ],
)
def test_what_is_no_integer(field):
    """Anything but at most 18 digits with an optional minus sign is refused, with the field's place."""
    of_field("i", "integers", whole(b"(1,'a',0)", b"(NULL,'a',0)", b"(<!>%b,'a',0)" % field))


@pytest.mark.parametrize("field", [b"", b"1", b"0x4142", b"null", b"NULL ", b'"a"', b"-"])
@pytest.mark.parametrize(("kind", "values"), [("strings", ()), ("equals", (b"a",)), ("equals", (b"1",))])
def test_what_is_no_string(field, kind, values):
    """A bare field that is not NULL is refused as a string, with the field's place."""
    of_field("s", kind, whole(b"(1,'a',0)", b"(2,NULL,0)", b"(3,<!>%b,0)" % field), *values)


def test_the_longest_integers():
    """Eighteen digits and every length below are read, with either sign."""
    numbers = [sign * int("987654321987654321"[:digits]) for digits in range(1, 19) for sign in (1, -1)]
    (rows,) = read_rows([whole(*(b"(%d,'a',0)" % number for number in numbers), b"(007,'a',0)")], "t")
    assert rows.integers("i").to_list() == [*numbers, 7]


def test_a_column_that_the_table_has_not():
    """Every accessor tells that there is no such column."""
    (rows,) = read_rows([whole(b"(1,'a',0)")], "t")
    for ask in (rows.integers, rows.strings, lambda column: rows.equals(column, b"a")):
        with pytest.raises(UnreadableDump, match="dump of t has no column cl_to"):
            ask("cl_to")


@pytest.mark.parametrize("batch", [1 << 20, 100, 7])
def test_a_row_that_is_too_long(batch):
    """A row may have so many bytes and no more, also one that never ends."""
    limit = 300
    fits = b"(3,'%b',0)" % (b"c" * (limit - 8))
    longer = fits.replace(b"c'", b"cc'")
    assert read(whole(b"(1,'a',0)", fits), batch_bytes=batch, max_row_bytes=limit)[-1][0][-1] == 3
    endless = b"(3,'" + b"c" * 10 * limit
    for text in (whole(b"(1,'a',0)", longer, b"(4,'d',0)"), whole(b"(1,'a',0)", endless)):
        with pytest.raises(UnreadableDump, match="more than 300 bytes") as fault:
            read(text, batch_bytes=batch, max_row_bytes=limit)
        assert place_of(fault.value) == text.index(b"(3,")


@pytest.mark.parametrize("batch", [1 << 20, 100, 7])
def test_a_line_that_is_too_long(batch):
    """A line outside the rows is bounded as rows are, so that text without line breaks does not fill the memory."""
    text = HEAD + b"-- " + b"x" * 1000 + b"\n" + oracle.FOOTER
    with pytest.raises(UnreadableDump, match="more than 500 bytes") as fault:
        read(text, batch_bytes=batch, max_row_bytes=500)
    assert place_of(fault.value) == len(HEAD)


@pytest.mark.parametrize("begin", [HEAD + ROWS + b",(3,'", HEAD + b"-- "])
def test_text_without_an_end_is_refused_in_time(begin):
    """A row or line that goes on for ever is refused at its beginning instead of being waited for."""
    blocks = itertools.chain([begin], itertools.repeat(b"c" * 100))
    with pytest.raises(UnreadableDump, match="more than 5000 bytes") as fault:
        list(read_rows(blocks, "t", batch_bytes=400, max_row_bytes=5000))
    assert place_of(fault.value) == len(begin) - len(b"-- ") - begin.endswith(b"'")


def test_memory_is_bounded_by_the_batch():
    """A dump two hundred times as large as a batch is read in a few batches' memory."""
    batch = 1 << 16
    statement = oracle.insert("t", [[b"%d" % number, b"'title\\'s'", b"0.5"] for number in range(2500)])
    times = 200 * batch // len(statement)
    tracemalloc.start()
    try:
        blocks = itertools.chain([HEAD], itertools.repeat(statement, times), [oracle.FOOTER])
        rows = sum(len(each.strings("s")) for each in read_rows(blocks, "t", batch_bytes=batch))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rows == 2500 * times
    assert peak < 30 * batch


def verdict(read, dump, names):
    """What a reader makes of a text: its fields, or the place of the first fault."""
    try:
        return read(dump, names)
    except (UnreadableDump, oracle.OracleFault) as fault:
        return fault.place if isinstance(fault, oracle.OracleFault) else place_of(fault)


def fields_by_oracle(dump, names):
    table = oracle.read(dump, "t")
    return table.columns, [[field.value for field in row if field.kind == "string"] for row in table.rows]


def fields_by_product(dump, names, batch):
    """Every string of every row, by asking each field alone; bare ones are left out."""
    columns, found = (), []
    for rows in read_rows([dump], "t", batch_bytes=batch):
        columns = rows.columns
        for number in range(len(rows)):
            row = rows.where(np.arange(len(rows)) == number)
            found.append([value for name in columns for value in _string(row, name)])
    return columns, found


def _string(row, name):
    try:
        return [value for value in row.strings(name).to_list() if value is not None]
    except UnreadableDump:
        return []


@SLOW_LAW
@given(texts(), st.data())
def test_damaged_text_is_judged_like_byte_by_byte(text, data):
    """Bytes put in, taken out or exchanged give the oracle's fields or its place of the fault, however it is cut."""
    names, _, dump = text
    pieces = st.sampled_from([b"'", b"\\", b",", b";", b"(", b")", b"\n", b"''", b"),(", b"x", b" ", b";\n", b"INSERT"])
    damaged = dump
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(dump.index(b"LOCK"), len(damaged)))
        gone = data.draw(st.integers(0, 3))
        damaged = damaged[:place] + data.draw(pieces) + damaged[place + gone :]
    wanted = verdict(fields_by_oracle, damaged, names)
    for batch in (1 << 20, 50, 7):
        found = verdict(lambda dump, names, batch=batch: fields_by_product(dump, names, batch), damaged, names)
        if found != ((), []):  # without rows the columns are not told
            assert found == wanted
        else:
            assert wanted[1] == []
