"""Each mistake one may make when ranking by articles gives another answer on the demo site, and so cannot hide."""

from __future__ import annotations

import oracle
import pytest
from demo_truth import Truth, pages_of

from cli.demosite.pages import ARTICLES, HIDDEN, TALK
from models.hour import hours_of


@pytest.fixture(scope="module")
def english(demo):
    return demo.wikis[0]


@pytest.fixture(scope="module")
def right(english):
    return pages_of(english.content, english.siteinfo)


@pytest.fixture(scope="module")
def answer(demo, english):
    """Ranks the first day by whatever one takes for the wiki's pages."""
    truth = Truth(demo, english.project.name)
    hours = [truth.tally(hour) for hour in hours_of(demo.first_day)]
    rules = truth._rules_for(hours)

    def rank(pages, *, first_letter=True):
        return oracle.rank_articles(hours, rules, pages, 1000, first_letter=first_letter)

    return rank


def redirects_where(content, condition):
    titles = {page.id: page.title for page in content.pages if page.namespace == ARTICLES and page.is_redirect}
    return {titles[row.page_id]: row.title for row in content.redirects if row.page_id in titles and condition(row)}


def follow_other_wikis(content, pages):
    return pages._replace(redirects=redirects_where(content, lambda row: row.namespace == ARTICLES))


def follow_into_any_namespace(content, pages):
    return pages._replace(redirects=redirects_where(content, lambda row: not row.interwiki))


def follow_null_interwiki_only(content, pages):
    wanted = redirects_where(content, lambda row: row.namespace == ARTICLES and row.interwiki is None)
    return pages._replace(redirects=wanted)


def follow_two_steps(_, pages):
    twice = {title: pages.redirects.get(target, target) for title, target in pages.redirects.items()}
    return pages._replace(redirects=twice)


def follow_none(_, pages):
    return pages._replace(redirects={})


def believe_stale_redirects(content, pages):
    ids = {row.page_id: row.title for row in content.redirects}
    stale = {page.title: ids[page.id] for page in content.pages if page.id in ids and page.title in pages.articles}
    return pages._replace(articles=pages.articles - stale.keys(), redirects={**pages.redirects, **stale})


def take_redirects_for_articles(_, pages):
    return pages._replace(articles=pages.articles | pages.redirects.keys())


def take_the_main_page_for_an_article(_, pages):
    return pages._replace(articles=pages.articles | {b"Main_Page"})


def take_talk_for_articles(content, pages):
    return pages._replace(articles=pages.articles | {page.title for page in content.pages if page.namespace == TALK})


def show_hidden_categories(_, pages):
    return pages._replace(hidden=())


def hide_by_name_in_any_namespace(content, pages):
    hiding = {about.page_id for about in content.properties if about.name == HIDDEN}
    return pages._replace(hidden={page.title for page in content.pages if page.id in hiding})


def count_categories_of(content, pages, condition, article_of):
    """The categories as they would be with those of other pages, too."""
    others = {page.id: page.title for page in content.pages if condition(page)}
    categories = {article: set(names) for article, names in pages.categories.items()}
    for link in content.category_links:
        if link.page_id in others:
            categories.setdefault(article_of(others[link.page_id]), set()).add(link.category)
    return pages._replace(categories=categories)


def count_categories_of_talk_pages(content, pages):
    return count_categories_of(content, pages, lambda page: page.namespace == TALK, lambda title: title)


def count_categories_of_redirects(content, pages):
    return count_categories_of(content, pages, lambda page: page.title in pages.redirects, pages.redirects.get)


@pytest.mark.parametrize(
    "mistake",
    [
        follow_other_wikis,
        follow_into_any_namespace,
        follow_null_interwiki_only,
        follow_two_steps,
        follow_none,
        believe_stale_redirects,
        take_redirects_for_articles,
        take_the_main_page_for_an_article,
        take_talk_for_articles,
        show_hidden_categories,
        hide_by_name_in_any_namespace,
        count_categories_of_talk_pages,
        count_categories_of_redirects,
    ],
    ids=lambda mistake: mistake.__name__,
)
def test_a_mistake_shows_in_the_answer(english, right, answer, mistake):
    """With the mistake, the answer to the first day is not the right one."""
    assert answer(mistake(english.content, right)) != answer(right)


def test_other_spellings_left_alone_show_in_the_answer(right, answer):
    """Whoever does not raise the first letter loses views."""
    assert answer(right, first_letter=False)["article_views"] < answer(right)["article_views"]
