"""The answer about one category, whatever way its name is written."""

from __future__ import annotations

from dataclasses import replace

import oracle
import pytest
from hypothesis import given
from ranking_samples import (
    CASE_SENSITIVE,
    DAY,
    NOTHING,
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
from strategies import SLOW_LAW
from wiki_samples import RUN, index_of

from models.answer import RankedArticle, Verdict
from models.errors import UnknownCategory
from worker.ranking.articles import rank_category

MEMBERS = {b"Living_people": [b"A", b"B", b"C"], b"Stubs": [b"B"], b"Z:_a": [b"A"], b"\xc3\x89": [b"C"]}
PEOPLE = wiki(b"A", b"B", b"C", b"D", redirects={b"R": b"B"}, categories=MEMBERS, hidden=[b"Stubs"])
VIEWED = hours_with({b"A": (5, 0), b"D": (9, 9)}, {b"R": (3, 3), b"b": (1, 0)})


def in_category(name, hours=VIEWED, pages=PEOPLE, *, places=(), siteinfo=SITEINFO, period=DAY):
    return rank_category(counted(hours, period), index_of(pages, siteinfo=siteinfo, places=places), name)


def test_a_category_is_ranked():
    """A category's articles are ranked with all that is known of them; views are those of its members alone."""
    answer = in_category("Living people")
    assert (answer.category, answer.hidden, answer.views) == ("Living_people", False, 12)
    assert (answer.members, answer.requested, answer.snapshot, answer.verdict) == (3, 2, RUN, Verdict.COMPLETE)
    rest = (0,) * 22
    assert answer.most_requested == (
        RankedArticle(1, "B", 7, 4, 3, 6, (0, 7, *rest), None),
        RankedArticle(2, "A", 5, 5, 0, 0, (5, 0, *rest), None),
    )


def test_a_hidden_category_can_be_asked_for():
    """A category that is never among the top ones is answered for, and said to be hidden."""
    answer = in_category("Stubs")
    assert (answer.hidden, answer.views, answer.members, answer.requested) == (True, 7, 1, 1)


@pytest.mark.parametrize("hours", [[{}] * 24, [None] * 24])
def test_a_category_that_nobody_asked_for(hours):
    """A category whose articles had no views has an answer with an empty list."""
    answer = in_category("Living_people", hours)
    assert (answer.views, answer.members, answer.requested, answer.most_requested) == (0, 3, 0, ())
    assert (answer.verdict is Verdict.INCOMPLETE) == (hours[0] is None)


@pytest.mark.parametrize(
    "written",
    [
        "Living_people",
        "living people",
        "Category:Living_people",
        "category:living people",
        " CATEGORY : living  people ",
        ":Category:Living people",
        "Category:_living__people_",
        "_category_:living\tpeople",
        "Living\xa0people",
    ],
)
def test_how_a_category_may_be_written(written):
    """With the prefix or without, with blanks or underscores, the first letter small or large."""
    assert in_category(written).category == "Living_people"


def test_a_categorys_name_may_hold_a_colon_or_begin_with_a_letter_beyond_ascii():
    """Only the category prefix is taken off, and the first letter is raised as in the wiki."""
    assert in_category("category:z: a").category == "Z:_a"
    assert in_category("é").category == "É"


def test_a_category_in_the_wikis_own_language():
    """The wiki's own name of the category namespace, and its aliases, are taken off as well."""
    german = replace(SITEINFO, category_prefixes=frozenset({"category", "kategorie"}))
    assert in_category("Kategorie:Living people", siteinfo=german).category == "Living_people"
    with pytest.raises(UnknownCategory):
        in_category("Kategorie:Living people")


def test_first_letters_of_categories():
    """Where the wiki's titles begin as they are written, so do its categories."""
    assert in_category("Living_people", siteinfo=CASE_SENSITIVE).members == 3
    with pytest.raises(UnknownCategory):
        in_category("living_people", siteinfo=CASE_SENSITIVE)


@pytest.mark.parametrize(
    "name", ["Nobody", "", "Category:", "_", "\udcff", "a\ud800", "Living_people\0", "A", "-" * 1_000]
)
def test_an_unknown_category(name):
    """A name that no article is filed under is refused, whatever was written, with the snapshot's date."""
    with pytest.raises(UnknownCategory, match=r"en\.wikipedia has no category .* 2016-08-01"):
        in_category(name)


def test_no_category_is_known_where_there_are_none():
    """A wiki without categories knows none."""
    with pytest.raises(UnknownCategory):
        in_category("K", pages=NOTHING)


@SLOW_LAW
@given(hours_of(24), wikis(), PLACES)
def test_every_category_equals_the_oracle(hours, pages, places):
    """Each category of any wiki is answered like a wiki that has no other articles than its members."""
    index = index_of(pages, siteinfo=CASE_SENSITIVE, places=places)
    for category in {b"K", b"L", b"k", "é".encode(), b"Z", b"K\0"} & set().union(*pages.categories.values()):
        members = {title for title, names in pages.categories.items() if category in names}
        only = oracle.Pages(members, pages.redirects, {}, frozenset())
        wanted = expected(hours, only, siteinfo=CASE_SENSITIVE)
        answer = rank_category(counted(hours), index, category.decode())
        assert (answer.category, answer.hidden) == (oracle.shown(category), category in pages.hidden)
        assert (answer.views, answer.requested) == (wanted["article_views"], wanted["articles_requested"])
        assert (answer.members, len(answer.missing_hours)) == (len(members), len(wanted["missing"]))
        assert [(*least_row(row), row.hourly, row.flag) for row in answer.most_requested] == wanted["most"]


def test_a_week_of_a_category():
    """A week is answered too, with a number for each of its hours."""
    answer = in_category("Living_people", hours_with({b"A": (1, 0)}, period=WEEK), period=WEEK)
    assert (answer.views, len(answer.most_requested[0].hourly)) == (1, 168)


def test_the_categorys_answer_holds_plain_values():
    """Numbers and truth values are Python's own, so that they can be written as JSON."""
    answer = in_category("Living_people")
    row = answer.most_requested[0]
    assert {type(number) for number in [answer.views, answer.members, answer.requested, *row.hourly, row.views]} == {
        int
    }
    assert type(answer.hidden) is bool
