"""Days of views and small wikis, and what an oracle of plain dicts makes of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import oracle
from hypothesis import strategies as st
from strategies import frame, hourly

from models.answer import STORED_DEPTH, Period
from models.project import parse_project
from models.siteinfo import CANONICAL
from worker.day import slices_of
from worker.ranking.counted import Counted, hours_in

EN = parse_project("en.wikipedia")
DAY = Period(dt.date(2024, 2, 29))
WEEK = Period(dt.date(2024, 2, 26), days=7)
NOW = dt.datetime(2024, 3, 2, tzinfo=dt.UTC)
SITEINFO = replace(CANONICAL, origin="2016-08-01")
CASE_SENSITIVE = replace(SITEINFO, first_letter=False)

ARTICLES = (
    b"A",
    b"B",
    b"C",
    b"a",
    b"IPod",
    b"A\0",
    b"\xc3\x89lan",
    b"\xef\xbf\xbd",
    b"Mission:_Impossible",
    b"Talk:x",
    b"\xff",
    b"\xef\xbd\x9e",
    b"\xf0\x90\x80\x80",
    b"",
)
REDIRECTS = (b"R", b"S", b"r", b"Help:R", b"T__", b"\xc3\xa9", b"\0")
LOGGED = (
    *ARTICLES,
    *REDIRECTS,
    b"_A_",
    b"iPod",
    b"I__Pod",
    b"__iPod__",
    b"_r",
    b"S_",
    b"talk:_x",
    b"\xc3\xa9lan",
    b"mission:_Impossible",
    b"mission:__Impossible",
    b"Caf\xe9",
    b"_\xfe",
    b"-",
    b"_",
    b"_-_",
    b"Main_Page",
    b"main__Page",
    b"no",
    b"No",
    b":A",
)
CATEGORIES = (b"K", b"L", b"k", b"", b"\xff", b"K\0", b"\xc3\xa9", b"Z")
PLACES = st.lists(st.integers(0, 40), max_size=8)
NOTHING = oracle.Pages(frozenset(), {}, {}, frozenset())
VIEWS = st.one_of(st.integers(0, 3), st.sampled_from([50, 950, 5_000, 10_000, 2**32 - 1, 2**53 - 1, 2**53 + 1]))
TALLIES = st.dictionaries(st.sampled_from(LOGGED), st.tuples(VIEWS, VIEWS).filter(any), max_size=14)


@st.composite
def wikis(draw):
    """Articles, redirects that lead to them, to one another and to nothing, and categories of either kind."""
    articles = draw(st.sets(st.sampled_from(ARTICLES)))
    names = st.sets(st.sampled_from(CATEGORIES), max_size=4)
    targets = st.sampled_from([*ARTICLES, *REDIRECTS, b"Main_Page"])
    return oracle.Pages(
        articles,
        draw(st.dictionaries(st.sampled_from(REDIRECTS), targets, max_size=5)),
        {title: draw(names) for title in sorted(articles)},
        draw(names),
    )


def hours_of(length):
    """A few different tallies (or None, for missing) spread over the hours."""
    few = st.lists(st.one_of(TALLIES, st.none()), min_size=1, max_size=4)
    return few.flatmap(lambda some: st.lists(st.sampled_from(some), min_size=length, max_size=length))


def hours_with(first, *others, period=DAY):
    """The period's hours: these first ones, then empty ones."""
    return [first, *others] + [{}] * (len(hours_in(period)) - 1 - len(others))


def counted(hours, period=DAY, malformed=0, **more):
    """What was counted, of one plain tally per hour of the period, None for a missing one."""
    place = dict(zip(hours_in(period), hours, strict=True))
    frames = {hour: frame(tally) for hour, tally in place.items() if tally is not None}
    return counted_frames(frames, period, malformed, **more)


def counted_frames(frames, period=DAY, malformed=0, step_rows=100):
    """The same of frames; a day's slices are of a few titles each."""

    def day(wanted):
        sources = [[hourly(tally, hour.hour)] for hour, tally in frames.items() if hour.day == wanted]
        return slices_of(sources, step_rows)

    return Counted(EN, period, frozenset(frames), malformed, day)


def wiki(*articles, redirects=None, categories=None, hidden=()):
    """A wiki by hand; ``categories`` name their members."""
    of = {title: {name for name, members in (categories or {}).items() if title in members} for title in articles}
    return oracle.Pages(frozenset(articles), redirects or {}, of, frozenset(hidden))


def least_row(row):
    return row.title, row.views, row.desktop, row.mobile, row.through_redirects


def expected(hours, pages, *, siteinfo=SITEINFO):
    every = {title for hour in hours if hour for title in hour}
    first_letter = siteinfo.first_letter
    rules = {
        title: oracle.excluded_by(title, siteinfo.prefixes, siteinfo.main_page, first_letter=first_letter)
        for title in every
    }
    return oracle.rank_articles(hours, rules, pages, STORED_DEPTH, first_letter=first_letter)
