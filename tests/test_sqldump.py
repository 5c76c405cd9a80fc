"""SQL dumps read into columns, against the values written and against a reader that goes byte by byte."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import sqldump_text as oracle
from hypothesis import given
from hypothesis import strategies as st
from sqldump_text import HOSTILE, STRINGS, texts
from strategies import LAW

from models.errors import UnreadableDump
from worker.sqldump import read_rows

SITE = Path(__file__).resolve().parents[2] / "shared" / "data" / "site"
DUMPS = sorted(SITE.glob("*/*/*.sql.gz"))

CATEGORYLINKS = {
    "old": ("cl_from", "cl_to", "cl_sortkey", "cl_timestamp", "cl_sortkey_prefix", "cl_collation", "cl_type"),
    "mixed": (
        "cl_from",
        "cl_to",
        "cl_sortkey",
        "cl_timestamp",
        "cl_sortkey_prefix",
        "cl_collation",
        "cl_type",
        "cl_collation_id",
        "cl_target_id",
    ),
    "new": (
        "cl_from",
        "cl_sortkey",
        "cl_timestamp",
        "cl_sortkey_prefix",
        "cl_type",
        "cl_collation_id",
        "cl_target_id",
    ),
}
NUMBERS = frozenset({"cl_from", "cl_collation_id", "cl_target_id", "id"})


def cut(text, size):
    return [text[begin : begin + size] for begin in range(0, len(text), size)]


def one_column(batches, name):
    kind = "strings" if name.startswith("s") else "integers"
    return [value for rows in batches for value in getattr(rows, kind)(name).to_list()]


def columns_of(batches, names):
    return [one_column(batches, name) for name in names]


def transposed(rows, names):
    return [[row[place] for row in rows] for place in range(len(names))]


@LAW
@given(texts(), st.integers(1, 400), st.integers(1, 400))
def test_what_was_written_is_read(text, block, batch):
    """Any table in either style gives its values back, however the text is cut."""
    names, rows, dump = text
    batches = list(read_rows(cut(dump, block), "t", batch_bytes=batch))
    assert columns_of(batches, names) == transposed(rows, names)
    assert all(each.columns == names for each in batches)


@LAW
@given(texts())
def test_the_oracle_reads_what_was_written(text):
    """The plain reader agrees with the writer, so that it may judge texts nobody wrote on purpose."""
    names, rows, dump = text
    table = oracle.read(dump, "t")
    assert table.columns == names
    plain = [[None if field[:2] == ("bare", b"NULL") else field.value for field in row] for row in table.rows]
    assert plain == [
        [value if value is None or isinstance(value, bytes) else str(value).encode() for value in row] for row in rows
    ]


@pytest.mark.parametrize("per_line", [False, True])
def test_every_cut_reads_the_same(per_line):
    """A dump cut in two at every byte gives the same rows, and so does one that comes byte by byte."""
    rows = [(number, HOSTILE[number], None, HOSTILE[-number]) for number in range(len(HOSTILE))]
    names = ("i", "s", "i2", "s2")
    fields = [[oracle.written(value) for value in row] for row in rows]
    inserts = [oracle.insert("t", part, per_line=per_line) for part in (fields[:1], fields[1:8], fields[8:])]
    dump = oracle.dump("t", names, *inserts)
    wanted = transposed(rows, names)
    assert columns_of(list(read_rows(cut(dump, 1), "t", batch_bytes=1)), names) == wanted
    for place in range(1, len(dump)):
        batches = list(read_rows([dump[:place], dump[place:]], "t", batch_bytes=place))
        assert columns_of(batches, names) == wanted


@pytest.mark.parametrize("per_line", [False, True])
@pytest.mark.parametrize("schema", CATEGORYLINKS)
def test_columns_are_found_by_name(schema, per_line):
    """Each of the three schemas of categorylinks gives every column under its own name."""
    names = CATEGORYLINKS[schema]
    rows = [
        [place * 10 + row if name in NUMBERS else b"%d'%d" % (place, row) for place, name in enumerate(names)]
        for row in range(5)
    ]
    fields = [[oracle.written(value) for value in row] for row in rows]
    dump = oracle.dump("categorylinks", names, oracle.insert("categorylinks", fields, per_line=per_line))
    (read,) = read_rows([dump], "categorylinks")
    assert read.columns == names
    for place, name in enumerate(names):
        column = read.integers(name) if name in NUMBERS else read.strings(name)
        assert column.to_list() == [row[place] for row in rows]
        assert column.dtype == (pl.Int64 if name in NUMBERS else pl.Binary)


@pytest.mark.parametrize("byte", range(256))
def test_every_escape_means_what_the_manual_says(byte):
    """A backslash before any byte means what the server reads, and stands for itself before % and _."""
    escaped = bytes([byte])
    field = b"'a\\%bz'" % escaped
    dump = oracle.dump("t", ("i", "s"), oracle.insert("t", [[b"1", field], [b"2", b"'\\\\'"]]))
    (rows,) = read_rows([dump], "t")
    assert rows.strings("s").to_list() == [b"a%bz" % oracle.MEANT.get(escaped, escaped), b"\\"]


def test_a_doubled_quote_is_one_quote():
    """Two quotes within a string are one, beside escapes, alone, and at both ends."""
    fields = [b"'a''b'", b"''''", b"''''''", b"'\\'''\\\\'", b"''", b"'''),('''"]
    dump = oracle.dump("t", ("i", "s"), oracle.insert("t", [[b"1", field] for field in fields]))
    (rows,) = read_rows([dump], "t")
    assert rows.strings("s").to_list() == [b"a'b", b"'", b"''", b"''\\", b"", b"'),('"]
    assert rows.equals("s", b"'").tolist() == [False, True, False, False, False, False]


@LAW
@given(
    st.lists(st.none() | st.sampled_from([b"page", b"pagE", b"file", b"pag", b"pages", b"a\\"]) | STRINGS), st.data()
)
def test_equals_is_equality_with_the_string(values, data):
    """A column equals a value where its strings do, whatever the value's length, and NULL equals nothing."""
    value = data.draw(
        st.sampled_from([b"page", b"", b"hiddencat", b"x" * 17]) | st.text("pagei,()", max_size=20).map(str.encode)
    )
    values.append(value)
    fields = [[oracle.written(each)] for each in values]
    (rows,) = read_rows([oracle.dump("t", ("s",), oracle.insert("t", fields))], "t")
    assert rows.equals("s", value).tolist() == [each == value for each in rows.strings("s").to_list()]
    assert rows.equals("s", value).tolist() == [each == value for each in values]


@pytest.mark.parametrize("field", [b"'pa\\ge'", b"'\\p\\a\\g\\e'", b"'pag\\e'"])
def test_equals_sees_through_needless_escapes(field):
    """A value written with escapes that mysqldump would not write is still equal."""
    (rows,) = read_rows([oracle.dump("t", ("s",), oracle.insert("t", [[field], [b"'page'"], [b"'pa\\%ge'"]]))], "t")
    assert rows.equals("s", b"page").tolist() == [True, True, False]


@LAW
@given(texts(), st.randoms(use_true_random=False))
def test_where_keeps_the_chosen_rows(text, random):
    """Rows chosen twice in a row give the columns of those rows, also when none is left."""
    names, rows, dump = text
    for read in read_rows([dump], "t"):
        first = np.array([random.random() < 0.7 for _ in rows], dtype=np.bool_)
        second = np.array([random.random() < 0.5 for _ in range(int(first.sum()))], dtype=np.bool_)
        kept = [row for row, keep in zip(rows, first, strict=True) if keep]
        kept = [row for row, keep in zip(kept, second, strict=True) if keep]
        chosen = read.where(first).where(second)
        assert len(chosen) == len(kept)
        assert columns_of([chosen], names) == transposed(kept, names)
        none = read.where(np.zeros(len(read), dtype=np.bool_))
        assert columns_of([none], names) == [[] for _ in names]


def test_a_table_without_rows():
    """A dump without an INSERT gives no batch and no error."""
    assert list(read_rows([oracle.dump("t", ("i",))], "t")) == []


def test_new_dumps_may_set_and_commit():
    """Statements that newer clients write around the rows are passed over."""
    around = b"SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;\n", b"COMMIT;\nset autocommit=1;\n"
    dump = oracle.dump("t", ("i",), around[0], oracle.insert("t", [[b"7"]]), around[1])
    assert columns_of(read_rows([dump], "t"), ["i"]) == [[7]]


def test_a_last_line_without_a_line_break():
    """The line that ends the dump is enough, even without a line break behind it."""
    dump = oracle.dump("t", ("i",), oracle.insert("t", [[b"7"]])).removesuffix(b"\n")
    assert columns_of(read_rows([dump], "t"), ["i"]) == [[7]]


def test_a_row_far_longer_than_a_batch():
    """A row of many batches is read once it is whole, and its neighbours too."""
    long = b"x'\\" * 100_000
    fields = [[b"%d" % number, oracle.quoted(value)] for number, value in enumerate([b"a", long, b"b"])]
    dump = oracle.dump("t", ("i", "s"), oracle.insert("t", fields))
    batches = list(read_rows(cut(dump, 100), "t", batch_bytes=500))
    assert columns_of(batches, ["s"]) == [[b"a", long, b"b"]]


@given(st.lists(st.tuples(st.sampled_from(["text", "number", "null"]), st.booleans()), min_size=1), st.data())
def test_only_wanted_strings_are_read(rows, data):
    """Of unwanted rows a column of strings is null, whatever they hold; a number in a wanted one is a fault."""
    strings = [data.draw(STRINGS) for _ in rows]
    fields = {"number": b"7", "null": b"NULL"}
    values = [fields.get(kind, oracle.quoted(text)) for (kind, _), text in zip(rows, strings, strict=True)]
    dump = oracle.dump("t", ("i", "s"), oracle.insert("t", [[b"1", value] for value in values]))
    [batch] = read_rows([dump], "t")
    wanted = np.array([chosen for _, chosen in rows])
    if ("number", True) in rows:
        with pytest.raises(UnreadableDump, match="s is neither a string nor NULL"):
            batch.strings("s", wanted)
    else:
        kept = [kind == "text" and chosen for kind, chosen in rows]
        told = [text if keep else None for text, keep in zip(strings, kept, strict=True)]
        assert batch.strings("s", wanted).to_list() == told


@pytest.mark.skipif(not DUMPS, reason="the folder ../shared/data with real dumps is not there")
@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.name)
def test_real_dumps(path):
    """Every column of every real dump is what the plain reader finds, however the text is cut."""
    text = gzip.decompress(path.read_bytes())
    table = path.name.split(".")[0].split("-")[-1]
    wanted = oracle.read(text, table)
    batches = list(read_rows(cut(text, 100_000), table, batch_bytes=30_000))
    assert sum(map(len, batches)) == len(wanted.rows) > 100
    for place, name in enumerate(wanted.columns):
        fields = [row[place] for row in wanted.rows]
        if any(field.kind == "string" for field in fields):
            values = [field.value if field.kind == "string" else None for field in fields]
            assert pl.concat([rows.strings(name) for rows in batches]).to_list() == values
            common = values[0] or b""
            found = [each for rows in batches for each in rows.equals(name, common).tolist()]
            assert found == [value == common for value in values]
        elif all(field.value == b"NULL" or field.value.isdigit() for field in fields):
            values = [None if field.value == b"NULL" else int(field.value) for field in fields]
            assert pl.concat([rows.integers(name) for rows in batches]).to_list() == values
