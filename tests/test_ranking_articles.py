"""A day's or a week's ranking of articles, against an oracle of plain dicts."""

from __future__ import annotations

import random
from dataclasses import replace

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranking_samples import (
    CASE_SENSITIVE,
    DAY,
    NOTHING,
    NOW,
    PLACES,
    SITEINFO,
    WEEK,
    counted,
    expected,
    hours_of,
    hours_with,
    least_row,
    wiki,
    wikis,
)
from strategies import LAW, SLOW_LAW
from wiki_samples import RUN, index_of

from models.answer import STORED_DEPTH, Flag, Rule, Universe, Verdict
from models.errors import SumLawBroken
from worker.ranking import article_views
from worker.ranking.articles import rank_articles
from worker.ranking.counted import check_sums, hours_in


def ranked(hours, pages, *, period=DAY, siteinfo=SITEINFO, places=(), malformed=0):
    index = index_of(pages, siteinfo=siteinfo, places=places)
    return rank_articles(counted(hours, period, malformed), index, computed_at=NOW, version="0.1.0")


def found(answer):
    """The answer in the oracle's form, after a check that ranks run from 1."""
    for rows in (answer.most_requested, answer.top_categories):
        assert [row.rank for row in rows] == list(range(1, len(rows) + 1))
    least = answer.least_requested
    return {
        "project_views": answer.project_views,
        "article_views": answer.article_views,
        "excluded": [(row.rule, row.views, row.titles) for row in answer.excluded],
        "articles_requested": answer.articles_requested,
        "most": [(*least_row(row), row.hourly, row.flag) for row in answer.most_requested],
        "least": least and (least.views, least.tied, least.unrequested, list(map(least_row, least.articles))),
        "categories": [(row.category, row.views, row.articles) for row in answer.top_categories],
        "missing": [hours_in(answer.period).index(hour) for hour in answer.missing_hours],
    }


@LAW
@given(hours_of(24), wikis(), PLACES, st.sampled_from([SITEINFO, CASE_SENSITIVE]))
def test_a_day_equals_the_oracle(hours, pages, places, siteinfo):
    """Any day of any wiki, with its index cut anywhere, gives the oracle's answers to the last number."""
    assert found(ranked(hours, pages, places=places, siteinfo=siteinfo)) == expected(hours, pages, siteinfo=siteinfo)


@SLOW_LAW
@given(hours_of(168), wikis())
def test_a_week_equals_the_oracle(hours, pages):
    """A week's answers are those of its 168 hours, each row with 168 hourly numbers."""
    answer = ranked(hours, pages, period=WEEK)
    assert {len(row.hourly) for row in answer.most_requested} <= {168}
    assert found(answer) == expected(hours, pages)


@SLOW_LAW
@given(hours_of(24), wikis())
def test_views_add_up(hours, pages):
    """Every view of the project is an article's or excluded, and a row's hours and access methods are its views."""
    answer = ranked(hours, pages)
    views = sum(sum(map(sum, hour.values())) for hour in hours if hour)
    assert answer.article_views + sum(row.views for row in answer.excluded) == answer.project_views == views
    assert all(sum(row.hourly) == row.views == row.desktop + row.mobile for row in answer.most_requested)
    assert all(row.through_redirects <= row.views for row in answer.most_requested)
    check_sums(answer, views)


@pytest.mark.parametrize(
    "logged", [b"IPod", b"iPod", b"_iPod", b"IPod__", b"__iPod_", b"old_iPod", b"Old__iPod", b"X_"]
)
def test_spellings_and_redirects_count_for_their_article(logged):
    """However a title is spelt, its views are those of the article that it means, in each hour."""
    pages = wiki(b"IPod", redirects={b"Old_iPod": b"IPod", b"X": b"IPod"})
    answer = ranked(hours_with({logged: (2, 3)}, {b"IPod": (1, 0), logged: (1, 1)}), pages)
    (row,) = answer.most_requested
    through = 7 if logged[:1] in b"oOX" else 0
    same = logged == b"IPod"
    assert (row.title, row.views, row.through_redirects) == ("IPod", 7 if same else 8, through)
    assert row.hourly[:3] == (5, 2 if same else 3, 0)


def test_first_letters_stay_where_the_wiki_says_so():
    """On a wiki whose titles begin as they are written, two cases are two pages."""
    pages = wiki(b"a", b"A", redirects={b"b": b"a"})
    hours = hours_with({b"a": (1, 0), b"A": (2, 0), b"b": (4, 0), b"B": (8, 0)})
    answer = ranked(hours, pages, siteinfo=CASE_SENSITIVE)
    assert [(row.title, row.views) for row in answer.most_requested] == [("a", 5), ("A", 2)]
    assert [(row.rule, row.views) for row in answer.excluded] == [(Rule.NO_SUCH_ARTICLE, 8)]


def test_exclusions_come_in_the_order_of_the_rules():
    """A title falls under the first rule that fits; one that leads to no article under the last."""
    redirects = {b"Away": b"Gone", b"Start": b"Main_Page", b"Twice": b"Once", b"Once": b"A", b"-": b"A"}
    pages = wiki(b"A", b"Talk:x", redirects=redirects)
    first = {b"-": (1, 2), b"": (3, 0), b"Talk:x": (5, 0), b"main__Page_": (100, 50), b"_a": (7, 0)}
    second = {b"Away": (1, 0), b"Start": (2, 0), b"Twice": (4, 0), b"Once": (8, 0), b"\xff": (0, 16), b"Talk:y": (1, 1)}
    answer = ranked(hours_with(first, second), pages)
    assert [(row.rule, row.views, row.titles) for row in answer.excluded] == [
        (Rule.UNKNOWN_TITLE, 6, 2),
        (Rule.OTHER_NAMESPACE, 7, 2),
        (Rule.MAIN_PAGE, 150, 1),
        (Rule.NO_SUCH_ARTICLE, 23, 4),
    ]
    assert (answer.article_views, answer.project_views) == (15, 201)
    assert (answer.articles_requested, answer.least_requested.unrequested) == (1, 1)


def test_an_article_with_a_colon_is_none_of_another_namespace():
    """Only the wiki's own prefixes name namespaces: Mission: Impossible and Help! stay."""
    titles = [b"Mission:_Impossible", b"Help!", b"Media_studies", b":A"]
    answer = ranked(hours_with(dict.fromkeys(titles, (1, 0))), wiki(*titles[:3]))
    assert {row.title for row in answer.most_requested} == {"Mission:_Impossible", "Help!", "Media_studies"}
    assert [(row.rule, row.views) for row in answer.excluded] == [(Rule.NO_SUCH_ARTICLE, 1)]


def test_ties_are_broken_by_utf8_bytes():
    """Bytes decide among equals in all three lists, not the alphabet and not UTF-16."""
    order = [b"A", b"A\0", b"B", b"Z", b"\xc3\x89", "\uff5e".encode(), "\U00010000".encode()]
    pages = wiki(*order, categories=dict.fromkeys(order, order))
    answer = ranked(hours_with(dict.fromkeys(reversed(order), (1, 1))), pages)
    shown = [oracle.shown(title) for title in order]
    assert [row.title for row in answer.most_requested] == shown
    assert [row.title for row in answer.least_requested.articles] == shown
    assert [row.category for row in answer.top_categories] == shown


def test_least_requested_counts_all_spellings():
    """The least requested is by what the article had in all; those that nobody asked for are apart, without a name."""
    pages = wiki(b"A", b"B", b"C", b"D", redirects={b"R": b"A"})
    least = ranked(
        hours_with({b"A": (1, 0), b"R": (2, 0), b"b": (1, 0), b"B": (0, 1), b"C": (2, 0)}), pages
    ).least_requested
    assert (least.views, least.tied, least.unrequested) == (2, 2, 1)
    assert list(map(least_row, least.articles)) == [("B", 2, 1, 1, 0), ("C", 2, 2, 0, 0)]


@pytest.mark.parametrize("size", [STORED_DEPTH - 1, STORED_DEPTH, STORED_DEPTH + 1])
def test_the_stored_depth(size):
    """At most 1,000 rows are stored of each list; what lies beyond is still counted."""
    titles = [b"T%05d" % number for number in range(size)]
    pages = wiki(*titles, b"U", categories={b"K" + title: [title, b"U"] for title in titles})
    answer = ranked(hours_with(dict.fromkeys(titles, (1, 0))), pages)
    kept = [title.decode() for title in titles[:STORED_DEPTH]]
    assert [row.title for row in answer.most_requested] == kept
    assert [row.title for row in answer.least_requested.articles] == kept
    assert [row.category for row in answer.top_categories] == ["K" + title for title in kept]
    assert {(row.views, row.articles) for row in answer.top_categories} == {(1, 1)}
    least = answer.least_requested
    assert (least.tied, least.unrequested, answer.articles_requested) == (size, 1, size)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("classes", [1, 2, 40, 5_000])
def test_more_articles_tie_than_are_stored(classes, seed):
    """Where the last place that is stored is shared by many, the first by UTF-8 bytes have it, in all lists."""
    shuffler = random.Random(seed)
    titles = sorted({b"%c%d" % (shuffler.choice(b"AZ\xc3"), number) for number in range(1_500)})
    tally = {title: (shuffler.randrange(classes), 1) for title in shuffler.sample(titles, len(titles))}
    tally |= {b"_" + title: (0, shuffler.randrange(classes) + 1) for title in titles[:200]}
    members = {b"K%d" % number: shuffler.sample(titles, shuffler.randrange(4)) for number in range(1_400)}
    pages = wiki(*titles, categories=members)
    assert found(ranked(hours_with(tally), pages, places=[3, 1_000])) == expected(hours_with(tally), pages)


def test_an_article_counts_fully_in_each_of_its_categories():
    """Hidden categories, those that nobody asked for, and those of unrequested articles are not among the top."""
    members = {b"K": [b"A", b"B", b"C"], b"L": [b"A"], b"H": [b"A", b"B"], b"N": [b"C"]}
    pages = wiki(b"A", b"B", b"C", redirects={b"R": b"A"}, categories=members, hidden=[b"H", b"None"])
    answer = ranked(hours_with({b"A": (1, 0), b"R": (10, 0), b"B": (2, 0)}), pages)
    assert found(answer)["categories"] == [("K", 13, 2), ("L", 11, 1)]


def test_large_counts_are_exact():
    """Views beyond what floating point tells apart are added up to the last one."""
    huge = 2**53 + 1
    pages = wiki(b"A", b"B", redirects={b"R": b"A"}, categories={b"K": [b"A", b"B"]})
    answer = ranked(hours_with({b"A": (huge, 1), b"_A": (1, huge), b"R": (1, 0), b"B": (0, huge)}), pages)
    assert [row.views for row in answer.most_requested] == [2 * huge + 3, huge]
    assert answer.top_categories[0].views == 3 * huge + 3
    assert answer.article_views == answer.project_views == 3 * huge + 3


def test_a_flag_is_by_all_views_of_the_article():
    """Views of spellings and redirects count for the flag, and a flag removes no row."""
    pages = wiki(b"Burst", b"Even", b"Bot", redirects={b"R": b"Even"})
    first = {b"Burst": (5_000, 3_000), b"Even": (9_000, 0), b"Bot": (600, 0), b"bot": (400, 0)}
    second = {b"burst": (1_000, 1_000), b"R": (0, 9_000)}
    answer = ranked(hours_with(first, second), pages)
    flags = [(row.title, row.flag) for row in answer.most_requested]
    assert flags == [("Even", None), ("Burst", Flag.BURST), ("Bot", Flag.MOBILE_SHARE)]


@pytest.mark.parametrize("hours", [[{}] * 24, [None] * 24, hours_with({b"Talk:x": (1, 0), b"No": (2, 0)})])
@pytest.mark.parametrize("pages", [NOTHING, wiki(b"A"), wiki(b"A", categories={b"K": [b"A"]}, hidden=[b"K"])])
def test_a_day_without_requested_articles(hours, pages):
    """Where nothing was requested, or the wiki has no articles or categories, the lists are empty, not null."""
    answer = ranked(hours, pages)
    assert (answer.most_requested, answer.least_requested, answer.top_categories) == ((), None, ())
    assert answer.articles_requested == 0
    assert found(answer) == expected(hours, pages)


def test_a_wiki_without_categories():
    """Where there is no category, there is none to rank, and the articles are ranked all the same."""
    answer = ranked(hours_with({b"A": (1, 0)}), wiki(b"A"))
    assert (len(answer.most_requested), answer.top_categories) == (1, ())


def test_what_is_said_of_the_answer_itself():
    """The answer carries its universe, snapshot, the origin of prefixes, missing hours, malformed lines, version."""
    answer = ranked([{b"A": (1, 0)}, None] + [{}] * 22, wiki(b"A"), malformed=3)
    assert (answer.project, answer.period, answer.universe) == ("en.wikipedia", DAY, Universe.ARTICLES)
    assert (answer.snapshot, answer.namespaces, answer.malformed_lines) == (RUN, "2016-08-01", 3)
    assert (answer.computed_at, answer.wikiq) == (NOW, "0.1.0")
    assert (answer.verdict, list(map(str, answer.missing_hours))) == (Verdict.INCOMPLETE, ["2024-02-29T01:00Z"])


def test_the_answer_holds_plain_numbers():
    """Numbers are Python's own, so that they can be stored and written as JSON."""
    answer = ranked(hours_with({b"A": (2**40, 1), b"No": (1, 0)}), wiki(b"A", b"B", categories={b"K": [b"A"]}))
    least, row, category, out = (
        answer.least_requested,
        answer.most_requested[0],
        answer.top_categories[0],
        answer.excluded[0],
    )
    numbers = [answer.project_views, answer.article_views, answer.articles_requested, out.views, out.titles]
    numbers += [row.rank, row.views, row.desktop, row.mobile, row.through_redirects, *row.hourly]
    numbers += [category.rank, category.views, category.articles, least.views, least.tied, least.unrequested]
    numbers += least_row(least.articles[0])[1:]
    assert {type(number) for number in numbers} == {int}
    assert isinstance(out.rule, Rule)


@pytest.mark.parametrize("lost", ["project_views", "article_views", "excluded"])
def test_a_lost_view_is_noticed(lost):
    """An answer whose views do not add up, or are not those that were counted, is no answer."""
    answer = ranked(hours_with({b"A": (5, 0), b"No": (1, 0)}), wiki(b"A"))
    check_sums(answer, 6)
    less = () if lost == "excluded" else getattr(answer, lost) - 1
    with pytest.raises(SumLawBroken, match=r"en\.wikipedia 2024-02-29: 6 views were counted"):
        check_sums(replace(answer, **{lost: less}), 6)
    with pytest.raises(SumLawBroken, match="7 views were counted"):
        check_sums(answer, 7)


@SLOW_LAW
@given(hours_of(24), wikis(), st.integers(1, 4))
def test_titles_spelt_in_another_way_can_wait_or_not(hours, pages, few):
    """However many titles are gathered that the wiki spells in another way, the answers are the oracle's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(article_views, "RESPELT_ROWS", few)
        assert found(ranked(hours, pages)) == expected(hours, pages)
