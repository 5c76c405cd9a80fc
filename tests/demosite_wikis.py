"""Parts of the demo site's wikis, as tests look at them."""

from __future__ import annotations

from collections import Counter, defaultdict

import oracle
import pytest
from demo_truth import pages_of

WITH_TABLES = ["en.wikipedia", "de.wikipedia", "commons.wikimedia", "en.wiktionary"]


def wiki_of(demo, project="en.wikipedia"):
    [wiki] = [wiki for wiki in demo.wikis if wiki.project.name == project]
    return wiki


def pages_by_name(content):
    return {(page.namespace, page.title): page for page in content.pages}


def redirect_at(content, title):
    """The row of ``redirect`` of an article-namespace redirect, or None."""
    page = pages_by_name(content)[0, title.encode()]
    assert page.is_redirect
    return next((row for row in content.redirects if row.page_id == page.id), None)


def categories_by_page(content):
    found = defaultdict(set)
    for link in content.category_links:
        found[link.page_id].add(link.category)
    return found


@pytest.fixture(scope="module", name="english")
def english_pages(demo):
    return wiki_of(demo).content


@pytest.fixture(scope="module", name="requested")
def requested_titles(demo):
    """Views of each English title in the week, as logged."""
    views = Counter()
    for rows in demo.hours.values():
        for row in rows:
            if row.code in ("en", "en.m"):
                views[row.title] += row.views
    return views


@pytest.fixture(scope="module", name="article_views")
def views_of_articles(demo, requested):
    """What the oracle makes of each requested English title: an article, and whether through a redirect, or None."""
    wiki = wiki_of(demo)
    pages = pages_of(wiki.content, wiki.siteinfo)
    return {title: oracle.article_of(title, pages, first_letter=True) for title in requested}
