"""The demo site's pages: titles, and which page each leads to."""

from __future__ import annotations

import unicodedata

import oracle
import pytest
from demosite_wikis import WITH_TABLES, english_pages, pages_by_name, requested_titles, views_of_articles, wiki_of  # noqa: F401 fixtures

from cli.demosite.page_titles import existing_page
from cli.demosite.siteinfo import ENGLISH_WIKIPEDIA, ENGLISH_WIKTIONARY, GERMAN_WIKIPEDIA


@pytest.mark.parametrize("project", WITH_TABLES)
def test_titles_are_ones_that_mediawiki_allows(demo, project):
    """Every page's title is canonical, in composed form, of at most 255 bytes, and has no forbidden character."""
    wiki = wiki_of(demo, project)
    for page in wiki.content.pages + wiki.older_content.pages:
        text = page.title.decode()
        capital = wiki.siteinfo.case == "first-letter" or page.namespace == 2
        assert oracle.canonical(text, first_letter=capital) == text
        assert unicodedata.is_normalized("NFC", text)
        assert 0 < len(page.title) <= 255
        assert not set(text) & set("#<>[]{}|\ufffd\u00a0\u3000\u2028")
        assert not any(unicodedata.category(character) == "Cc" and character < "\x80" for character in text)


@pytest.mark.parametrize("project", WITH_TABLES)
def test_names_and_ids_are_unique(demo, project):
    """No two pages have the same id, nor the same namespace and title; rows have the keys of MediaWiki's tables."""
    content = wiki_of(demo, project).content
    for keys in (
        [page.id for page in content.pages],
        [(page.namespace, page.title) for page in content.pages],
        [row.page_id for row in content.redirects],
        [(link.page_id, link.category) for link in content.category_links],
        [(about.page_id, about.name) for about in content.properties],
    ):
        assert len(set(keys)) == len(keys)
        assert keys


@pytest.mark.parametrize("project", WITH_TABLES)
def test_what_a_page_may_be_called_is_one(demo, project):
    """All that readers ask for on purpose is a page of its namespace, unless its name is not allowed."""
    wiki = wiki_of(demo, project)
    asked_for = [demand.title for demand in wiki.articles + wiki.oddities if demand.title != b"-"]
    existing = [existing_page(title, wiki.siteinfo) for title in asked_for]
    assert set(filter(None, existing)) <= pages_by_name(wiki.content).keys()
    assert len(list(filter(None, existing))) > 0.8 * len(asked_for)


@pytest.mark.parametrize(
    ("logged", "info", "page"),
    [
        ("élan__Imaginaire_", ENGLISH_WIKIPEDIA, (0, "Élan_Imaginaire")),
        ("Mission:_Unlikely", ENGLISH_WIKIPEDIA, (0, "Mission:_Unlikely")),
        ("Help!", ENGLISH_WIKIPEDIA, (0, "Help!")),
        ("talk:velvet_lighthouse", ENGLISH_WIKIPEDIA, (1, "Velvet_lighthouse")),
        ("Template__talk:_Kettle", ENGLISH_WIKIPEDIA, (11, "Kettle")),
        ("wp:Lanterns", ENGLISH_WIKIPEDIA, (4, "Lanterns")),
        ("Benutzerin:erika", GERMAN_WIKIPEDIA, (2, "Erika")),
        ("flumpet", ENGLISH_WIKTIONARY, (0, "flumpet")),
        ("user:ingrid", ENGLISH_WIKTIONARY, (2, "Ingrid")),
        ("100%_wool", ENGLISH_WIKIPEDIA, (0, "100%_wool")),
        ("Special:Search", ENGLISH_WIKIPEDIA, None),
        ("Percent%20Encoded", ENGLISH_WIKIPEDIA, None),
        ("Either|Or", ENGLISH_WIKIPEDIA, None),
        ("[/bold]", ENGLISH_WIKIPEDIA, None),
        ("Red_\x1b[31m", ENGLISH_WIKIPEDIA, None),
        ("No-Break\u00a0Spoon", ENGLISH_WIKIPEDIA, None),
        ("Cafe\u0301", ENGLISH_WIKIPEDIA, None),
        ("x" * 256, ENGLISH_WIKIPEDIA, None),
        ("x" * 255, ENGLISH_WIKIPEDIA, (0, "X" + "x" * 254)),
        ("__", ENGLISH_WIKIPEDIA, None),
        ("Talk:", ENGLISH_WIKIPEDIA, None),
        (":Help!", ENGLISH_WIKIPEDIA, None),
    ],
)
def test_which_page_a_title_leads_to(logged, info, page):
    """A logged title leads to the namespace and the stored title that MediaWiki gives it, or to none."""
    assert existing_page(logged.encode(), info) == (page and (page[0], page[1].encode()))


def test_broken_bytes_lead_to_no_page():
    """A title that is no UTF-8 cannot be a page's."""
    assert existing_page(b"Caf\xe9_Latin", ENGLISH_WIKIPEDIA) is None


def test_impossible_titles_are_requested_and_lead_nowhere(article_views):
    """Titles with control characters, brackets, odd blanks, broken bytes or too many of them are no articles."""
    for beginning in (b"Red_\x1b", b"[bold]", b"Either|Or", "No-Break\u00a0".encode(), b"Caf\xe9", b"Minutes_of_the"):
        [title] = [title for title in article_views if title.startswith(beginning)]
        assert article_views[title] is None


def test_other_spellings_lead_to_articles(article_views):
    """A small first letter and superfluous underscores lead to the article, without a redirect."""
    for logged, article in (
        ("élan_Imaginaire", "Élan_Imaginaire"),
        ("whistling_Teapot", "Whistling_Teapot"),
        ("Whistling__Teapot", "Whistling_Teapot"),
        ("Whistling_Teapot_", "Whistling_Teapot"),
        ("_Whistling_Teapot", "Whistling_Teapot"),
    ):
        assert article_views[logged.encode()] == (article.encode(), False)


def test_sizes(english):
    """English Wikipedia has some 800 articles, 80 redirects, 40 visible categories and 6 hidden ones, no more."""
    pages = pages_by_name(english)
    articles = sum(namespace == 0 and not page.is_redirect for (namespace, _), page in pages.items())
    redirects = sum(namespace == 0 and page.is_redirect for (namespace, _), page in pages.items())
    visible = {link.category for link in english.category_links} - english.hidden_categories
    assert (780 < articles < 900, 75 < redirects < 90, 38 <= len(visible) <= 48) == (True, True, True)
    assert len(english.hidden_categories) == 6
    assert len(english.category_links) < 5000
