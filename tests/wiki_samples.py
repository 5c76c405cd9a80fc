"""Small wikis as plain values, with the frames of their tables, and of their indexes, cut anywhere."""

from __future__ import annotations

import datetime as dt
import itertools

import polars as pl
from hypothesis import strategies as st

from models.dump_run import DumpTable
from models.siteinfo import CANONICAL
from models.snapshot import Figures
from worker.wiki.index import PART_SCHEMAS, Part, WikiIndex

MAIN_PAGE = b"Main_Page"
RUN = dt.date(2016, 8, 1)
COLUMNS = {
    DumpTable.PAGE: {"id": pl.UInt32, "namespace": pl.Int32, "redirect": pl.Boolean, "title": pl.Binary},
    DumpTable.REDIRECT: {"id": pl.UInt32, "namespace": pl.Int32, "title": pl.Binary, "interwiki": pl.Boolean},
    DumpTable.LINKTARGET: {"target": pl.Int64, "title": pl.Binary},
    DumpTable.CATEGORYLINKS: {"id": pl.UInt32, "title": pl.Binary, "target": pl.Int64},
    DumpTable.PAGE_PROPS: {"id": pl.UInt32},
}
TITLES = (b"A", b"B", b"C", b"a", b"", b"\0", b"A\0", b"A\0b", b"\xff", b"\xc3\xa9", b"Talk:x", MAIN_PAGE)
IDS = st.one_of(st.integers(0, 12), st.sampled_from([999, 70_000]))


@st.composite
def wikis(draw):
    """Rows of the five tables: titles repeat, rows dangle, and redirects lead anywhere."""
    titles = st.sampled_from(TITLES)
    title_in = {space: titles if space in (0, 14) else st.none() for space in (0, 14, 1, -1)}
    spaces = st.sampled_from([0, 0, 0, 14, 14, 1, -1])
    page = spaces.flatmap(lambda space: st.tuples(IDS, st.just(space), st.booleans(), title_in[space]))
    redirect = st.tuples(IDS, st.sampled_from([0, 0, 0, 14, 2]), titles, st.sampled_from([False, False, False, True]))
    target = st.tuples(st.integers(1, 9), titles)
    link = st.tuples(IDS, st.none() | titles, st.none() | st.integers(0, 10))
    return {
        DumpTable.PAGE: draw(st.lists(page, max_size=16, unique_by=lambda row: row[0])),
        DumpTable.REDIRECT: draw(st.lists(redirect, max_size=10, unique_by=lambda row: row[0])),
        DumpTable.LINKTARGET: draw(st.lists(target, max_size=9, unique_by=lambda row: row[0])),
        DumpTable.CATEGORYLINKS: draw(st.lists(link, max_size=25)),
        DumpTable.PAGE_PROPS: [(page,) for page in draw(st.lists(IDS, max_size=5))],
    }


def wiki(pages=(), redirects=(), targets=(), links=(), hidden=()):
    """The same by hand, with the columns of ``COLUMNS``."""
    return dict(zip(COLUMNS, [list(pages), list(redirects), list(targets), list(links), list(hidden)], strict=True))


def table_of(rows, table):
    return pl.DataFrame(rows, schema=COLUMNS[table], orient="row")


def cut(rows, places):
    """The rows in pieces: at least one, some of them perhaps empty."""
    bounds = [0, *sorted(place % (len(rows) + 1) for place in places), len(rows)]
    return [rows[begin:end] for begin, end in itertools.pairwise(bounds)]


def tables_of(wiki, places=()):
    """What gives a wiki's frames, cut at these places."""
    return lambda table: (table_of(part, table) for part in cut(wiki[table], places))


def part_of(part, rows):
    return pl.DataFrame(rows, schema=PART_SCHEMAS[part], orient="row")


def index_of(pages, *, siteinfo=CANONICAL, places=()):
    """The index of an oracle's pages, written down by what it is to hold, its frames cut at these places."""
    number = {title: place for place, title in enumerate(sorted(pages.articles))}
    meant = {title: target for title, target in pages.redirects.items() if target in number and title not in number}
    members = {}
    for title, names in pages.categories.items():
        for name in names:
            members.setdefault(name, set()).add(number[title])
    named = [(title, number[meant.get(title, title)], title in meant) for title in sorted({*number, *meant})]
    rows = {
        Part.TITLES: [named],
        Part.CATEGORIES: [[(name, name in pages.hidden, len(members[name])) for name in sorted(members)]],
        Part.MEMBERS: _members(members, lambda name: name not in pages.hidden, places),
        Part.HIDDEN_MEMBERS: _members(members, lambda name: name in pages.hidden, places),
    }
    for part in (Part.TITLES, Part.CATEGORIES):
        rows[part] = cut(rows[part][0], places)
    figures = Figures(articles=len(number))
    return WikiIndex(RUN, siteinfo, figures, lambda part: (part_of(part, piece) for piece in rows[part]))


def _members(members, chosen, places):
    lists = [sorted(members[name]) for name in sorted(members) if chosen(name)]
    return [steps([number for category in piece for number in category]) for piece in cut(lists, places)]


def steps(numbers):
    """The rows of a frame of members: how far each number is from the one before, the first from 0."""
    return [(number - before,) for before, number in zip([0, *numbers[:-1]], numbers, strict=True)] if numbers else []


def read_index(index):
    """What an index says, in plain words: titles, categories with whether they are hidden, and members."""
    titles = {
        title: (article, redirect) for frame in index.frames(Part.TITLES) for title, article, redirect in frame.rows()
    }
    categories = index.categories()
    members = {}
    for hidden in (False, True):
        for some in index.members(categories, hidden=hidden):
            numbers, begins, articles = some.numbers, some.begins, some.articles()
            ends = [*begins.tolist()[1:], len(articles)] if len(begins) else []
            for category, begin, end in zip(numbers.tolist(), begins.tolist(), ends, strict=True):
                name, out_of_sight, _ = categories.row(category)
                assert name not in members
                assert out_of_sight == hidden
                members[name] = (articles[begin:end].tolist(), hidden)
    return titles, members
