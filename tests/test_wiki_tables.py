"""Dumps of the five tables -> the columns that an index is built from."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqldump_text import dump, insert, written
from strategies import LAW
from wiki_samples import COLUMNS, wikis

from models.dump_run import DumpTable
from models.errors import UnreadableDump
from worker.wiki.tables import table_columns

PAGE = ("page_id", "page_namespace", "page_title", "page_is_redirect")
OLD_PAGE = (
    "page_id",
    "page_namespace",
    "page_title",
    "page_restrictions",
    "page_counter",
    "page_is_redirect",
    "page_is_new",
    "page_random",
    "page_touched",
)
REDIRECT = ("rd_from", "rd_namespace", "rd_title", "rd_interwiki", "rd_fragment")
LINKTARGET = ("lt_id", "lt_namespace", "lt_title")
PAGE_PROPS = ("pp_page", "pp_propname", "pp_value", "pp_sortkey")
BY_TITLE = ("cl_from", "cl_to", "cl_sortkey", "cl_timestamp", "cl_sortkey_prefix", "cl_collation", "cl_type")
BY_BOTH = (*BY_TITLE, "cl_collation_id", "cl_target_id")
BY_TARGET = (
    "cl_from",
    "cl_sortkey",
    "cl_timestamp",
    "cl_sortkey_prefix",
    "cl_type",
    "cl_collation_id",
    "cl_target_id",
)
SCHEMAS = {"by title": BY_TITLE, "by both": BY_BOTH, "by target": BY_TARGET}
ROW = {
    DumpTable.PAGE: (PAGE, (1, 0, b"A", 0)),
    DumpTable.REDIRECT: (REDIRECT, (1, 0, b"A", b"", b"")),
    DumpTable.LINKTARGET: (LINKTARGET, (1, 14, b"A")),
    DumpTable.CATEGORYLINKS: (BY_BOTH, (1, b"A", b"", b"", b"", b"", b"page", 2, 9)),
    DumpTable.PAGE_PROPS: (PAGE_PROPS, (1, b"hiddencat", b"", None)),
}
NEVER_NULL = [
    (DumpTable.PAGE, "page_id"),
    (DumpTable.PAGE, "page_namespace"),
    (DumpTable.PAGE, "page_title"),
    (DumpTable.PAGE, "page_is_redirect"),
    (DumpTable.REDIRECT, "rd_from"),
    (DumpTable.REDIRECT, "rd_namespace"),
    (DumpTable.REDIRECT, "rd_title"),
    (DumpTable.LINKTARGET, "lt_id"),
    (DumpTable.LINKTARGET, "lt_namespace"),
    (DumpTable.LINKTARGET, "lt_title"),
    (DumpTable.CATEGORYLINKS, "cl_from"),
    (DumpTable.PAGE_PROPS, "pp_page"),
]
MISSING = [
    *((table, name) for table, name in NEVER_NULL),
    (DumpTable.REDIRECT, "rd_interwiki"),
    (DumpTable.CATEGORYLINKS, "cl_type"),
    (DumpTable.PAGE_PROPS, "pp_propname"),
]
OUT_OF_BOUNDS = [
    (DumpTable.PAGE, "page_id", 2**32),
    (DumpTable.PAGE, "page_id", -1),
    (DumpTable.PAGE, "page_namespace", 2**31),
    (DumpTable.PAGE, "page_namespace", -(2**31) - 1),
    (DumpTable.PAGE, "page_is_redirect", 256),
    (DumpTable.REDIRECT, "rd_from", 2**32),
    (DumpTable.REDIRECT, "rd_namespace", 2**40),
    (DumpTable.LINKTARGET, "lt_id", -1),
    (DumpTable.LINKTARGET, "lt_namespace", 2**40),
    (DumpTable.CATEGORYLINKS, "cl_from", 2**32),
    (DumpTable.PAGE_PROPS, "pp_page", 2**32),
    (DumpTable.PAGE, "page_id", 10**18),
    (DumpTable.PAGE, "page_id", b"1"),
    (DumpTable.PAGE, "page_title", 1),
    (DumpTable.CATEGORYLINKS, "cl_target_id", b"9"),
    (DumpTable.CATEGORYLINKS, "cl_type", 1),
]


def text(table, columns, rows, *, per_line=False):
    """A dump of a table with these rows, two to a statement."""
    fields = [[written(value) for value in row] for row in rows]
    statements = [insert(str(table), fields[at : at + 2], per_line=per_line) for at in range(0, len(fields), 2)]
    return dump(str(table), columns, *statements)


def columns_of(table, columns, rows):
    """The rows that are kept, after a check of their frames' schema."""
    frames = list(table_columns(table, [text(table, columns, rows)]))
    assert all(dict(frame.schema) == COLUMNS[table] for frame in frames)
    return pl.concat(frames).rows()


def link(columns, **values):
    """A row of categorylinks: of a page, unless told otherwise, with hostile values where nobody looks."""
    hostile = {
        "cl_sortkey": b"\xff),(1,'\0",
        "cl_sortkey_prefix": b"'",
        "cl_timestamp": b"2024-01-01",
        "cl_type": b"page",
    }
    return [values.get(name, hostile.get(name, b"uca" if name == "cl_collation" else 1)) for name in columns]


@pytest.mark.parametrize("columns", [PAGE, PAGE[::-1], OLD_PAGE])
def test_pages_of_old_and_new_schemas(columns):
    """Columns are found by their names, wherever they stand; titles are read in namespaces 0 and 14 alone."""
    wanted = [(1, 0, False, b"A"), (2, 1, False, None), (3, 14, True, b"B"), (4, 0, True, b""), (5, -1, False, None)]
    known = [
        dict(zip(PAGE, (number, space, title or b"", int(redirect)), strict=True))
        for number, space, redirect, title in wanted
    ]
    assert columns_of(DumpTable.PAGE, columns, [[row.get(name, b"0,1") for name in columns] for row in known]) == wanted


def test_pages_without_articles():
    """Where no page is an article or a category, every title is null; and one whose title is NULL is no fault there."""
    rows = [(1, 1, b"A", 0), (2, 10, b"B", 1), (3, 2, None, 0)]
    wanted = [(1, 1, False, None), (2, 10, True, None), (3, 2, False, None)]
    assert columns_of(DumpTable.PAGE, PAGE, rows) == wanted


def test_titles_are_bytes():
    """Titles hold quotes, parentheses, NUL, line breaks and bytes that are no UTF-8."""
    titles = [b'it\'s_"so"', b"),(1,'", b"\\", b"a\0b", b"Caf\xe9", b"\xc3\xa9", b"a\nb", b"NULL"]
    rows = [(number, 0, title, 0) for number, title in enumerate(titles)]
    assert [row[3] for row in columns_of(DumpTable.PAGE, PAGE, rows)] == titles


def test_redirects():
    """A redirect leads to another wiki where its interwiki prefix is neither NULL nor empty."""
    rows = [
        (1, 0, b"A", None, None),
        (2, 0, b"A", b"", b"part"),
        (3, 0, b"A", b"de", None),
        (4, 4, b"B", None, b""),
        (5, -1, b"", b"\xff", None),
    ]
    assert columns_of(DumpTable.REDIRECT, REDIRECT, rows) == [
        (1, 0, b"A", False),
        (2, 0, b"A", False),
        (3, 0, b"A", True),
        (4, 4, b"B", False),
        (5, -1, b"", True),
    ]


def test_link_targets_of_categories():
    """Only targets of namespace 14 are kept; their ids may pass 32 bits."""
    rows = [(1, 0, b"A"), (2, 14, b"A"), (2**40, 14, b"B"), (3, 10, None), (10**17, 14, b"")]
    assert columns_of(DumpTable.LINKTARGET, LINKTARGET, rows) == [(2, b"A"), (2**40, b"B"), (10**17, b"")]


def test_category_links_by_title():
    """The oldest schema names the category; there is no target."""
    rows = [link(BY_TITLE, cl_from=1, cl_to=b"A"), link(BY_TITLE, cl_from=2**32 - 1, cl_to=b"B")]
    assert columns_of(DumpTable.CATEGORYLINKS, BY_TITLE, rows) == [(1, b"A", None), (2**32 - 1, b"B", None)]


def test_category_links_by_target():
    """Today's schema has the target alone."""
    rows = [link(BY_TARGET, cl_from=1, cl_target_id=2**40), link(BY_TARGET, cl_from=1, cl_target_id=3)]
    assert columns_of(DumpTable.CATEGORYLINKS, BY_TARGET, rows) == [(1, None, 2**40), (1, None, 3)]


def test_category_links_in_transition():
    """Of a link with both, either may be lacking: a target that is NULL, a name that is NULL or empty."""
    given = [(1, b"A", 5), (2, b"A", None), (3, b"", 5), (4, None, 5), (5, b"", None), (6, None, None)]
    rows = [link(BY_BOTH, cl_from=number, cl_to=name, cl_target_id=target) for number, name, target in given]
    wanted = [(number, name or None, target) for number, name, target in given]
    assert columns_of(DumpTable.CATEGORYLINKS, BY_BOTH, rows) == wanted


@pytest.mark.parametrize("columns", SCHEMAS.values(), ids=SCHEMAS)
def test_only_pages_are_members(columns):
    """Subcategories and files are left out, even with numbers that no page could have."""
    kinds = [b"subcat", b"page", b"file", b"", None, b"pages", b"Page"]
    rows = [link(columns, cl_from=place, cl_type=kind) for place, kind in enumerate(kinds)]
    rows.append(link(columns, cl_from=2**40, cl_type=b"file"))
    rows = [[b"A" if name == "cl_to" else value for name, value in zip(columns, row, strict=True)] for row in rows]
    assert [row[0] for row in columns_of(DumpTable.CATEGORYLINKS, columns, rows)] == [1]


def test_hidden_categories():
    """Of all properties only hiddencat is kept, whatever its value; other pages' ids are not looked at."""
    rows = [
        (1, b"hiddencat", b"", None),
        (2, b"defaultsort", b"hiddencat", b"1"),
        (3, b"hiddencats", b"", None),
        (2**40, b"HIDDENCAT", b"", None),
        (4, b"hiddencat", b"\0'", None),
    ]
    assert columns_of(DumpTable.PAGE_PROPS, PAGE_PROPS, rows) == [(1,), (4,)]


@pytest.mark.parametrize("table", DumpTable)
def test_an_empty_table(table):
    """A dump without rows gives one empty frame of the table's columns."""
    (frame,) = table_columns(table, [text(table, ROW[table][0], [])])
    assert (frame.height, dict(frame.schema)) == (0, COLUMNS[table])


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (DumpTable.LINKTARGET, (1, 0, b"A")),
        (DumpTable.CATEGORYLINKS, link(BY_BOTH, cl_type=b"file")),
        (DumpTable.PAGE_PROPS, (1, b"page_image", b"", None)),
    ],
    ids=["linktarget", "categorylinks", "page_props"],
)
def test_a_table_of_which_no_row_is_wanted(table, row):
    """Where all rows are of other kinds, there is one empty frame too."""
    (frame,) = table_columns(table, [text(table, ROW[table][0], [row] * 5)])
    assert (frame.height, dict(frame.schema)) == (0, COLUMNS[table])


@pytest.mark.parametrize(("table", "missing"), MISSING)
def test_a_column_that_is_lacking(table, missing):
    """A dump whose rows lack a needed column is refused by the column's name."""
    columns, row = ROW[table]
    kept = [place for place, name in enumerate(columns) if name != missing]
    with pytest.raises(UnreadableDump, match=missing):
        columns_of(table, [columns[place] for place in kept], [[row[place] for place in kept]])


def test_category_links_without_a_category():
    """A dump with neither kind of category column is refused, even if no row of it were wanted."""
    columns = [name for name in BY_BOTH if name not in ("cl_to", "cl_target_id")]
    with pytest.raises(UnreadableDump, match="neither cl_to nor cl_target_id"):
        columns_of(DumpTable.CATEGORYLINKS, columns, [link(columns, cl_type=b"file")])


@pytest.mark.parametrize(("table", "column"), NEVER_NULL)
def test_a_null_that_cannot_be(table, column):
    """NULL in a column that never holds it is the dump's fault, not a wrong number later on."""
    columns, row = ROW[table]
    with pytest.raises(UnreadableDump, match=column):
        columns_of(
            table, columns, [row, [None if name == column else value for name, value in zip(columns, row, strict=True)]]
        )


@pytest.mark.parametrize(("table", "column", "value"), OUT_OF_BOUNDS)
def test_a_value_out_of_bounds(table, column, value):
    """Numbers beyond what the column can hold, and values of the wrong kind, are the dump's fault."""
    columns, row = ROW[table]
    with pytest.raises(UnreadableDump, match=column):
        columns_of(
            table, columns, [[value if name == column else old for name, old in zip(columns, row, strict=True)], row]
        )


@pytest.mark.parametrize("table", DumpTable)
def test_another_tables_dump(table):
    """The dump of another table is refused, rows or none."""
    other = DumpTable.PAGE if table is not DumpTable.PAGE else DumpTable.REDIRECT
    columns, row = ROW[other]
    for rows in ([], [row]):
        with pytest.raises(UnreadableDump, match=table.value):
            list(table_columns(table, [text(other, columns, rows)]))


@LAW
@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 14]), st.binary(max_size=5), st.integers(0, 1))
    ),
    st.integers(1, 9),
    st.booleans(),
)
def test_chunks_hold_every_row_once(rows, chunk_rows, per_line):
    """The frames together are all rows in their order, whatever the size of a chunk; none but a sole one is empty."""
    given = text(DumpTable.PAGE, PAGE, rows, per_line=per_line)
    frames = list(table_columns(DumpTable.PAGE, [given], chunk_rows=chunk_rows))
    assert pl.concat(frames).rows() == [
        (number, space, bool(redirect), title if space in (0, 14) else None) for number, space, title, redirect in rows
    ]
    assert len(frames) == 1 or all(len(frame) for frame in frames)


def test_frames_have_about_the_asked_size():
    """Text of many batches is given in frames that are at most a batch larger than asked."""
    rows = [(number, 0, b"x" * 200, 0) for number in range(20_000)]
    fields = [[written(value) for value in row] for row in rows]
    statements = [insert("page", fields[at : at + 4_000]) for at in range(0, 20_000, 4_000)]
    frames = list(table_columns(DumpTable.PAGE, [dump("page", PAGE, *statements)], chunk_rows=100))
    sizes = [len(frame) for frame in frames]
    assert sum(sizes) == 20_000
    assert len(sizes) > 2
    assert all(100 <= size < 10_000 for size in sizes[:-1])


def unread(wiki):
    """The same wiki as rows of its dumps, link targets of other namespaces and links of other kinds among them."""
    links = [
        link(BY_BOTH, cl_from=page, cl_to=name, cl_target_id=target)
        for page, name, target in wiki[DumpTable.CATEGORYLINKS]
    ]
    return {
        DumpTable.PAGE: (PAGE, [(*row[:2], row[3] or b"", int(row[2])) for row in wiki[DumpTable.PAGE]]),
        DumpTable.REDIRECT: (
            REDIRECT,
            [(*row[:3], b"de" if row[3] else None, None) for row in wiki[DumpTable.REDIRECT]],
        ),
        DumpTable.LINKTARGET: (
            LINKTARGET,
            [(1, 0, b"A"), *((row[0], 14, row[1]) for row in wiki[DumpTable.LINKTARGET])],
        ),
        DumpTable.CATEGORYLINKS: (BY_BOTH, [link(BY_BOTH, cl_type=b"subcat"), *links]),
        DumpTable.PAGE_PROPS: (
            PAGE_PROPS,
            [(*row, b"hiddencat", b"", None) for row in wiki[DumpTable.PAGE_PROPS]] + [(1, b"x", b"hiddencat", 0)],
        ),
    }


@LAW
@given(wikis(), st.integers(1, 9))
def test_a_wiki_comes_back_from_its_dumps(wiki, chunk_rows):
    """Hostile titles, dangling ids and rows of no interest: what is wanted of a wiki's dumps is just what they say."""
    named = [(page, title or None, target) for page, title, target in wiki[DumpTable.CATEGORYLINKS]]
    for table, (columns, rows) in unread(wiki).items():
        frames = list(table_columns(table, [text(table, columns, rows)], chunk_rows=chunk_rows))
        assert pl.concat(frames).rows() == (named if table is DumpTable.CATEGORYLINKS else wiki[table])
