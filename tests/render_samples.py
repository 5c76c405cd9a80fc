"""Answers to render: small ones whose figures can be added up by hand, and any answer at all."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import strategies as st

from models.answer import (
    Answer,
    Excluded,
    Flag,
    LeastArticle,
    LeastRequested,
    Period,
    RankedArticle,
    RankedCategory,
    Rule,
    Universe,
)
from models.hour import Hour

DAY = dt.date(2024, 1, 3)
MONDAY = dt.date(2024, 1, 1)
ADA_HOURLY = (0, *range(1, 23), 100)
"""No view at midnight, 1 to 22 views until 23:00, then 100: 253 + 100 = 353 views."""

ADA = RankedArticle(1, "Ada_Lovelace", 353, 253, 100, 7, ADA_HOURLY, None)
BOT = RankedArticle(2, "Bot_food", 24, 24, 0, 0, (1,) * 24, Flag.MOBILE_SHARE)
LEAST = LeastRequested(
    1, 492, 458, (LeastArticle('"Heroes"_(album)', 1, 1, 0, 0), LeastArticle("+972_Magazine", 1, 0, 1, 0))
)
CATEGORIES = (RankedCategory(1, "Living_people", 19427, 979), RankedCategory(2, "English_women_poets", 353, 1))


def day_answer(**changes: object) -> Answer:
    """A complete day of three articles: 353 + 24 + 1 views."""
    answer = Answer(
        project="en.wikipedia",
        period=Period(DAY),
        universe=Universe.ARTICLES,
        missing_hours=(),
        snapshot=dt.date(2024, 1, 1),
        namespaces="2024-01-01",
        project_views=1378,
        article_views=378,
        excluded=(Excluded(Rule.OTHER_NAMESPACE, 600, 30), Excluded(Rule.NO_SUCH_ARTICLE, 400, 12)),
        malformed_lines=0,
        articles_requested=3,
        most_requested=(ADA, BOT),
        least_requested=LEAST,
        top_categories=CATEGORIES,
        computed_at=dt.datetime(2026, 11, 23, 17, tzinfo=dt.UTC),
        wikiq="0.1.0",
    )
    return replace(answer, **changes)


def logged_titles_answer() -> Answer:
    """The same day without a page table and without the wiki's own namespace names."""
    return day_answer(
        universe=Universe.LOGGED_TITLES,
        snapshot=None,
        namespaces="canonical",
        top_categories=None,
        least_requested=replace(LEAST, unrequested=None),
    )


def empty_answer() -> Answer:
    """A day of which no hour was counted."""
    return day_answer(
        missing_hours=tuple(Hour(DAY, hour) for hour in range(24)),
        project_views=0,
        article_views=0,
        excluded=(),
        articles_requested=0,
        most_requested=(),
        least_requested=None,
        top_categories=(),
    )


def week_answer(**changes: object) -> Answer:
    """A week whose one article had Ada's hours seven times."""
    ada = replace(ADA, views=353 * 7, desktop=253 * 7, mobile=700, hourly=ADA_HOURLY * 7)
    return day_answer(**{"period": Period(MONDAY, 7), "most_requested": (ada,)} | changes)


def days_of_week() -> tuple[Answer, ...]:
    """The seven days of that week."""
    return tuple(day_answer(period=Period(MONDAY + dt.timedelta(days=n)), most_requested=(ADA,)) for n in range(7))


def titled(title: str, **changes: object) -> Answer:
    """A day on which every article and category has this title."""
    return day_answer(
        most_requested=(replace(ADA, title=title), replace(BOT, title=title)),
        least_requested=replace(LEAST, articles=(LeastArticle(title, 1, 1, 0, 0),)),
        top_categories=(replace(CATEGORIES[0], category=title),),
        **changes,
    )


HOSTILE = (
    "\x1b\x9b\r\n\t\0\x7f\u202e\u2066\u2028\u200b\u200c\u200d\ufeff\ufe0f\ud800"
    "=+-@\uff1d|<>&[]`*_\\\"',; \u0301千👍मश्\u0628\u0645"
)
any_text = st.one_of(
    st.text(),
    st.text(st.sampled_from(HOSTILE)),
    st.text(st.characters(codec=None, exclude_categories=())),
)
"""Any text at all, lone surrogates included, with much of what does harm."""

_views = st.integers(1, 10**12)


@st.composite
def articles(draw: st.DrawFn, days: int) -> RankedArticle:
    views = draw(_views)
    mobile = draw(st.integers(0, views))
    hourly = tuple(draw(st.lists(st.integers(0, views), min_size=24, max_size=24))) * days
    flag = draw(st.none() | st.sampled_from(Flag))
    rank = draw(st.integers(1, 1000))
    return RankedArticle(rank, draw(any_text), views, views - mobile, mobile, draw(st.integers(0, views)), hourly, flag)


@st.composite
def answers(draw: st.DrawFn, days: int = 1) -> Answer:
    """Any answer, not always one that adds up."""
    period = Period(draw(st.dates(dt.date(2015, 5, 1), dt.date(2099, 1, 1))), days)
    any_hour = st.builds(
        lambda n: Hour(period.first + dt.timedelta(days=n // 24), n % 24), st.integers(0, 24 * days - 1)
    )
    universe = draw(st.sampled_from(Universe))
    least = st.builds(LeastArticle, any_text, _views, _views, _views, _views)
    categories = st.lists(st.builds(RankedCategory, st.integers(1, 1000), any_text, _views, _views), max_size=3)
    return day_answer(
        period=period,
        universe=universe,
        missing_hours=tuple(sorted(draw(st.sets(any_hour)))),
        namespaces=draw(st.sampled_from(["canonical", "2024-01-01"])),
        project_views=draw(_views),
        excluded=tuple(draw(st.lists(st.builds(Excluded, st.sampled_from(Rule), _views, _views), max_size=4))),
        malformed_lines=draw(st.integers(0, 10**6)),
        most_requested=tuple(draw(st.lists(articles(days), max_size=3))),
        least_requested=draw(
            st.none()
            | st.builds(LeastRequested, _views, _views, st.none() | _views, st.lists(least, max_size=3).map(tuple))
        ),
        top_categories=draw(st.none() | categories.map(tuple)),
    )
