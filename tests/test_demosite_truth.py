"""Ranking by articles as the oracle does it: its laws, what the demo shows of it, and that real answers agree."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from itertools import pairwise
from pathlib import Path

import oracle
import pytest
from demo_truth import Truth, pages_of
from hypothesis import given
from hypothesis import strategies as st

from models.hour import hours_of

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SITE = DATA / "site"
WITH_TABLES = ["en.wikipedia", "de.wikipedia", "commons.wikimedia", "en.wiktionary"]
RULES = ["unknown-title", "other-namespace", "main-page", "no-such-article"]

real = pytest.mark.skipif(not DATA.is_dir(), reason="the folder ../shared/data with real pageviews is not there")

NAMES = [b"A", b"B", b"C", b"D", b"E"]
LOGGED = [*NAMES, b"a", b"_B", b"C__", b"-", b"Talk:A", b"Main", b"Gone", b"\xff"]
TALLIES = st.dictionaries(
    st.sampled_from(LOGGED), st.tuples(st.integers(0, 20), st.integers(0, 20)).filter(sum), max_size=10
)
HOURS = st.lists(st.one_of(st.none(), TALLIES), min_size=1, max_size=5)
SETS = st.lists(st.sampled_from([b"x", b"y", b"z", b"\xc3\x84"]), max_size=3)


@st.composite
def wikis(draw):
    """A few articles; of the other names some redirect to whatever there is."""
    articles = draw(st.sets(st.sampled_from(NAMES)))
    others = sorted(set(NAMES) - articles)
    redirects = draw(st.dictionaries(st.sampled_from(others), st.sampled_from([*NAMES, b"Main"]))) if others else {}
    categories = {name: draw(SETS) for name in sorted(articles)}
    return oracle.Pages(frozenset(articles), redirects, categories, draw(st.sets(st.sampled_from([b"x", b"z"]))))


def ranked(hours, pages, depth=1000):
    titles = {title for hour in hours for title in hour or ()}
    rules = {title: oracle.excluded_by(title, {"talk"}, "Main", first_letter=True) for title in titles}
    return oracle.rank_articles(hours, rules, pages, depth, first_letter=True)


@pytest.fixture(scope="module")
def truths(demo):
    return {project: Truth(demo, project) for project in WITH_TABLES}


class TestLaws:
    @given(HOURS, wikis())
    def test_no_view_is_lost(self, hours, pages):
        """Article views and excluded views are all views; the rows, their hours and their access methods add up."""
        found = ranked(hours, pages)
        excluded = sum(views for _, views, _ in found["excluded"])
        assert found["article_views"] + excluded == found["project_views"]
        assert sum(views for _, views, *_ in found["most"]) == found["article_views"]
        for _, views, desktop, mobile, through, hourly, _ in found["most"]:
            assert desktop + mobile == views == sum(hourly)
            assert 0 <= through <= views

    @given(HOURS, wikis())
    def test_every_article_is_requested_or_not(self, hours, pages):
        """Requested and unrequested articles are all articles there are, and each requested one has a row."""
        found = ranked(hours, pages)
        unrequested = found["least"][2] if found["least"] else len(pages.articles)
        assert found["articles_requested"] + unrequested == len(pages.articles)
        assert {row[0].encode() for row in found["most"]} <= pages.articles

    @given(HOURS, wikis())
    def test_the_least_end_the_order_of_the_most(self, hours, pages):
        """The rows that tie for the least views are the last of the ranking, in their order."""
        found = ranked(hours, pages)
        if found["least"]:
            _, tied, _, rows = found["least"]
            assert [row[:5] for row in found["most"]][-tied:] == rows

    @given(HOURS, wikis())
    def test_redirects_only_move_views(self, hours, pages):
        """Without redirects an article has what it had less what came through them; nothing else changes."""
        found, bare = ranked(hours, pages), ranked(hours, pages._replace(redirects={}))
        less = {title: views - through for title, views, _, _, through, *_ in found["most"]}
        assert {title: views for title, views in less.items() if views} == {row[0]: row[1] for row in bare["most"]}
        assert all(row[4] == 0 for row in bare["most"])

    @given(HOURS, wikis())
    def test_categories_count_their_articles(self, hours, pages):
        """A category has the views of its requested articles, unless hidden; one without any is not ranked."""
        found = ranked(hours, pages)
        views = {row[0].encode(): row[1] for row in found["most"]}
        for name in (b"x", b"y", b"z", b"\xc3\x84"):
            members = [views[article] for article in views if name in pages.categories[article]]
            shown = [row for row in found["categories"] if row[0] == name.decode()]
            wanted = members and name not in pages.hidden
            assert shown == ([(name.decode(), sum(members), len(members))] if wanted else [])
        order = [(-total, name.encode()) for name, total, _ in found["categories"]]
        assert order == sorted(order)

    @given(HOURS)
    def test_with_every_title_an_article_it_is_the_ranking_of_logged_titles(self, hours):
        """If all that pass by name were articles as they are spelled, the other ranking would be had."""
        plain = [
            hour and {title: views for title, views in hour.items() if title in [*NAMES, b"-", b"Main"]}
            for hour in hours
        ]
        every = oracle.Pages(frozenset(NAMES), {}, {}, ())
        found = ranked(plain, every)
        rules = {
            title: None if title in NAMES else oracle.excluded_by(title, (), "Main", first_letter=True)
            for title in LOGGED
        }
        wanted = oracle.rank(plain, rules, 1000)
        assert [(*row[:4], *row[5:]) for row in found["most"]] == wanted["most"]
        assert {key: found[key] for key in ("project_views", "article_views", "excluded", "missing")} == {
            key: wanted[key] for key in ("project_views", "article_views", "excluded", "missing")
        }


def test_a_day_by_hand():
    """Two hours of a wiki with two articles, a redirect, a chain of redirects and a redirect to the main page."""
    categories = {b"A": [b"Red", b"H"], b"B": [b"Red", "Äpfel".encode(), b"Zinc"]}
    redirects = {b"Old": b"A", b"Older": b"Old", b"Start": b"Main"}
    pages = oracle.Pages(frozenset([b"A", b"B", b"Quiet"]), redirects, categories, {b"H"})
    hours = [
        {b"A": (3, 0), b"old": (0, 2), b"Older": (1, 0), b"-": (9, 0), b"Talk:A": (1, 1)},
        None,
        {b"_B_": (4, 1), b"Start": (2, 0)},
    ]
    assert ranked(hours, pages) == {
        "project_views": 24,
        "article_views": 10,
        "excluded": [("unknown-title", 9, 1), ("other-namespace", 2, 1), ("no-such-article", 3, 2)],
        "articles_requested": 2,
        "most": [("A", 5, 3, 2, 2, (5, 0, 0), None), ("B", 5, 4, 1, 0, (0, 0, 5), None)],
        "least": (5, 2, 1, [("A", 5, 3, 2, 2), ("B", 5, 4, 1, 0)]),
        "categories": [("Red", 10, 2), ("Zinc", 5, 1), ("Äpfel", 5, 1)],
        "missing": [1],
    }


class TestDemo:
    @pytest.mark.parametrize("project", WITH_TABLES)
    def test_documents_add_up(self, demo, truths, project):
        """On each day of each wiki article views and excluded views are all views; the week is the sum of its days."""
        week = truths[project].week(universe="articles")
        assert len(week["days"]) == 7
        for document in (week, *week["days"]):
            excluded = document["views"]["excluded"]
            assert document["views"]["article"] + sum(row["views"] for row in excluded) == document["views"]["project"]
            assert [row["rule"] for row in excluded] == [
                rule for rule in RULES if rule in {row["rule"] for row in excluded}
            ]
            assert document["universe"] == "articles"
            assert document["snapshot"] == document["namespaces"] == demo.run.isoformat()
        for part in ("project", "article"):
            assert week["views"][part] == sum(day["views"][part] for day in week["days"])

    @pytest.mark.parametrize("project", WITH_TABLES)
    def test_each_universe_sees_the_same_views(self, demo, truths, project):
        """Which universe is ranked changes neither all views nor what is excluded by name."""
        one, other = (
            truths[project].day(demo.first_day, universe=name)["views"] for name in ("articles", "logged titles")
        )
        assert one["project"] == other["project"]
        assert [row for row in one["excluded"] if row["rule"] != "no-such-article"] == other["excluded"]

    def test_it_shows_every_part_of_an_answer(self, demo, truths):
        """Each day has ties at both ends, unrequested articles, views through redirects and no such article."""
        for day in demo.days:
            document = truths["en.wikipedia"].day(day, top=1000, universe="articles")
            least, categories = document["least_requested"], document["top_categories"]
            assert (least["views"], least["tied"] > 5, least["unrequested"] > 50) == (1, True, True)
            assert any(not row["title"].isascii() for row in document["most_requested"])
            assert sum(row["through_redirects"] > 0 for row in document["most_requested"]) > 10
            assert any(row["through_redirects"] == row["views"] for row in document["most_requested"])
            ties = [one["category"] for one, next_one in pairwise(categories) if one["views"] == next_one["views"]]
            assert "Things_made_of_brass" in ties
            [rule] = [row for row in document["views"]["excluded"] if row["rule"] == "no-such-article"]
            assert rule["titles"] > 500
        flags = {
            row["flag"] for row in truths["en.wikipedia"].day(demo.first_day, universe="articles")["most_requested"]
        }
        assert "burst" in flags

    def test_a_tie_is_among_the_top_categories(self, truths):
        """The twins stand next to each other among the first five of the week, in the order of their bytes."""
        names = [row["category"] for row in truths["en.wikipedia"].week(universe="articles")["top_categories"]]
        place = names.index("Things_made_of_brass")
        assert names[place : place + 2] == ["Things_made_of_brass", "Ærial_things_made_of_brass"]

    @pytest.mark.parametrize("project", WITH_TABLES)
    def test_hidden_categories_would_be_at_the_top(self, demo, truths, project):
        """Whoever forgets that a category is hidden finds it at the very top."""
        [wiki] = [wiki for wiki in demo.wikis if wiki.project.name == project]
        pages, truth = pages_of(wiki.content, wiki.siteinfo), truths[project]
        rows = truth.day(demo.first_day, top=1000, universe="articles")["most_requested"]
        views = {row["title"].encode(): row["views"] for row in rows}
        right = oracle.top_categories(views, pages)
        wrong = oracle.top_categories(views, pages._replace(hidden=()))
        assert wrong[0][0].encode() in pages.hidden
        assert wrong[0] not in right

    def test_the_older_run_gives_other_answers(self, demo, truths):
        """Which run was chosen can be seen in the answer."""
        [wiki] = [wiki for wiki in demo.wikis if wiki.project.name == "en.wikipedia"]
        hours = [truths["en.wikipedia"].tally(hour) for hour in hours_of(demo.first_day)]
        rules = truths["en.wikipedia"]._rules_for(hours)
        today, before = (
            oracle.rank_articles(hours, rules, pages_of(content, wiki.siteinfo), 5, first_letter=True)
            for content in (wiki.content, wiki.older_content)
        )
        for key in ("article_views", "articles_requested", "categories", "least"):
            assert today[key] != before[key]
        assert today["project_views"] == before["project_views"]

    def test_a_wiki_without_tables_has_no_such_answer(self, demo):
        """Wikifunctions can only be ranked by the titles that were logged."""
        truth = Truth(demo, "www.wikifunctions")
        assert truth.day(demo.first_day)["top_categories"] is None
        with pytest.raises(ValueError, match="no tables"):
            truth.day(demo.first_day, universe="articles")

    def test_missing_hours(self, demo, truths):
        """A missing hour is named, and its views are nobody's."""
        hour = hours_of(demo.first_day)[7]
        whole = truths["en.wikipedia"].day(demo.first_day, universe="articles")
        part = truths["en.wikipedia"].day(demo.first_day, missing=[hour], universe="articles")
        lost = sum(map(sum, truths["en.wikipedia"].tally(hour).values()))
        assert part["missing_hours"] == [f"{demo.first_day}T07:00Z"]
        assert part["views"]["project"] == whole["views"]["project"] - lost


def real_pages():
    truth = json.loads(gzip.decompress((DATA / "site-truth.json.gz").read_bytes()))
    return oracle.Pages(
        frozenset(title.encode() for title in truth["articles"]),
        {title.encode(): target.encode() for title, target in truth["redirects"].items()},
        {title.encode(): {name.encode() for name in names} for title, names in truth["member"].items()},
        {name.encode() for name in truth["hidden"]},
    )


def real_prefixes():
    query = json.loads(
        gzip.decompress((SITE / "enwiki/20160801/enwiki-20160801-siteinfo-namespaces.json.gz").read_bytes())
    )["query"]
    names = [
        (space["id"], name) for space in query["namespaces"].values() for name in (space["*"], space.get("canonical"))
    ]
    names += [(alias["id"], alias["*"]) for alias in query["namespacealiases"]]
    return {name.replace(" ", "_").lower() for number, name in names if number and name}


@real
@pytest.mark.parametrize("day", ["2016-08-01", "2016-08-02"])
def test_the_oracle_agrees_with_other_code_about_real_days(day):
    """Two days of real views, ranked by the articles that a truth lists, give the answers that other code computed."""
    wanted = json.loads((DATA / "expected" / f"{day}.json").read_text())
    paths = [SITE / hour.path for hour in hours_of(dt.date.fromisoformat(day))]
    hours = [_tally(path) if path.exists() else None for path in paths]
    prefixes = real_prefixes()
    titles = {title for hour in hours for title in hour or ()}
    rules = {title: oracle.excluded_by(title, prefixes, "Main_Page", first_letter=True) for title in titles}
    found = oracle.rank_articles(hours, rules, real_pages(), 1000, first_letter=True)
    views, tied, unrequested, rows = found["least"]
    assert {
        "day": day,
        "missing_hours": found["missing"],
        "malformed": sum(oracle.malformed(_text(path)) for path in paths if path.exists()),
        "project_views": found["project_views"],
        "article_views": found["article_views"],
        "articles_requested": found["articles_requested"],
        "excluded_views": {rule: views for rule, views, _ in found["excluded"]},
        "most": [_most(row) for row in found["most"][: len(wanted["most"])]],
        "least": {
            "views": views,
            "tied": tied,
            "titles": [row[0] for row in rows[: len(wanted["least"]["titles"])]],
            "unrequested": unrequested,
        },
        "categories": [
            {"category": category, "views": views, "articles": articles}
            for category, views, articles in found["categories"][: len(wanted["categories"])]
        ],
    } == wanted


@real
@pytest.mark.parametrize("run", ["20160701", "20160720", "20160801"])
def test_real_dumps_say_what_the_truth_says(run):
    """The real mysqldump's text, in each schema, read slowly and joined, gives the articles and their categories."""
    tables = ("page", "redirect", "linktarget", "categorylinks", "page_props")
    texts = {table: _text(SITE / f"enwiki/{run}/enwiki-{run}-{table}.sql.gz") for table in tables}
    found, wanted = oracle.pages_of_dumps(texts, b"Main_Page"), real_pages()
    assert found.articles == wanted.articles
    assert found.hidden == wanted.hidden
    assert found.categories == {title: names for title, names in wanted.categories.items() if names}
    leading = {title: target for title, target in found.redirects.items() if target in found.articles}
    assert leading == wanted.redirects


def _text(path):
    return gzip.decompress(path.read_bytes())


def _tally(path):
    return oracle.count(_text(path), ["en"], ["en.m", "en.zero"])


def _most(row):
    title, views, desktop, mobile, through, _, _ = row
    return {"title": title, "views": views, "desktop": desktop, "mobile": mobile, "redirect_views": through}
