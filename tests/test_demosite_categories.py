"""The demo site's redirects and categories, and its other wikis."""

from __future__ import annotations

from collections import Counter

import pytest
from demo_truth import pages_of
from demosite_wikis import (  # noqa: F401 fixtures
    WITH_TABLES,
    categories_by_page,
    english_pages,
    pages_by_name,
    redirect_at,
    requested_titles,
    views_of_articles,
    wiki_of,
)

from cli.demosite.content import demo_site
from cli.demosite.pages import without
from cli.demosite.quiet import QUIET_BUT_LINKED, RARE_ENGLISH, SAME_AS_CATEGORY
from cli.demosite.titles import ONLY_ELSEWHERE


class TestRedirects:
    def test_good_ones_lead_to_articles(self, requested, article_views):
        """Readers follow redirects, also spelled otherwise, to the parade, to a quotation and to Japanese."""
        for title, article in (
            ("Great_teapot_parade", "Great_Teapot_Parade"),
            ("great__teapot_parade", "Great_Teapot_Parade"),
            ("Route_of_the_Great_Teapot_Parade", "Great_Teapot_Parade"),
            ("Strange_Al's_Fictional", '"Strange_Al"_Fictional'),
            ("銅ランタン", "銅のランタン協会"),
        ):
            assert requested[title.encode()] > 0
            assert article_views[title.encode()] == (article.encode(), True)

    def test_misspellings_are_followed(self, article_views):
        """Some of the letters that readers miss out make a redirect, others make nothing."""
        through = [title for title, found in article_views.items() if found and found[1]]
        nowhere = [title for title, found in article_views.items() if found is None]
        assert len(through) > 30
        assert len(nowhere) > 1000

    def test_one_article_is_only_found_through_a_redirect(self, requested, article_views):
        """Nobody asks for it by its title, and yet it is requested."""
        assert QUIET_BUT_LINKED.encode() not in requested
        assert (QUIET_BUT_LINKED.encode(), True) in article_views.values()

    @pytest.mark.parametrize(
        ("title", "holds"),
        [
            ("Old_Great_Teapot_Parade", lambda row, pages: pages[0, row.title].is_redirect),
            (
                "Kettle_that_pours_into_itself",
                lambda row, pages: pages[0, row.title].id == row.page_id and row.namespace == 0,
            ),
            ("Help_(dictionary_entry)", lambda row, pages: row.interwiki and not pages[0, row.title].is_redirect),
            ("Dismantled_Pavilion", lambda row, pages: row.namespace == 0 and (0, row.title) not in pages),
            ("Search_for_teapots", lambda row, _: row.namespace == -1),
            ("Ingrid,_invented", lambda row, pages: row.namespace == 2 and (2, row.title) in pages),
            (
                "Mission_of_a_user",
                lambda row, pages: row.namespace == 2 and not pages[0, row.title].is_redirect,
            ),
            ("Main_page", lambda row, _: (row.namespace, row.title) == (0, b"Main_Page")),
            ("Half_a_Redirect", lambda row, _: row is None),
        ],
    )
    def test_bad_ones_lead_to_no_article(self, english, requested, article_views, title, holds):
        """Each fault a redirect can have is there, is followed by readers, and gives nobody the views."""
        assert holds(redirect_at(english, title), pages_by_name(english))
        assert requested[title.encode()] > 0
        assert article_views[title.encode()] is None

    def test_the_unknown_title_is_a_redirect(self, english):
        """``-`` is a page whose redirect leads to an article, and yet its views are those of unknown titles."""
        assert (0, redirect_at(english, "-").title) in pages_by_name(english)

    def test_fields_are_null_empty_or_filled(self, english):
        """The interwiki prefix and the fragment are NULL in some rows, empty in some, and filled in some."""
        for field in ("interwiki", "fragment"):
            values = {getattr(row, field) for row in english.redirects}
            assert {None, b""} < values

    @pytest.mark.parametrize("project", WITH_TABLES)
    def test_rows_may_be_stale(self, demo, project):
        """There are rows of pages that are gone, and one of a page that is an article again."""
        content = wiki_of(demo, project).content
        known = {page.id: page for page in content.pages}
        assert sum(row.page_id not in known for row in content.redirects) == 5
        stale = [row for row in content.redirects if row.page_id in known and not known[row.page_id].is_redirect]
        assert [known[row.page_id].namespace for row in stale] == [0]

    def test_a_name_that_only_other_namespaces_have(self, english, requested, article_views):
        """What is only a user's page and a talk page is no article, though readers ask for it as one."""
        name = ONLY_ELSEWHERE.encode()
        assert {namespace for namespace, title in pages_by_name(english) if title == name} == {1, 2}
        assert requested[name] > 0
        assert article_views[name] is None


class TestCategories:
    def test_names_are_awkward(self, english):
        """Category names have quotes, apostrophes, commas, parentheses, backslashes, and letters of any script."""
        names = {link.category for link in english.category_links}
        for part in (b'"', b"'", b",", b"(", b"),(1,'", b"\\", "é".encode(), "Чай".encode(), "銅".encode()):
            assert any(part in name for name in names)
        assert any(name.endswith(b"\\") for name in names)

    def test_articles_are_in_some_or_in_none(self, english):
        """Of visible categories, articles are in one to six, as a rule, and some in none; some are in none at all."""
        of_page = categories_by_page(english)
        ids = [page.id for page in english.pages if page.namespace == 0 and not page.is_redirect]
        visible = Counter(len(of_page[number] - english.hidden_categories) for number in ids)
        assert {0, 1, 2, 3, 4, 5, 6} <= visible.keys() <= {*range(8)}
        assert any(not of_page[number] for number in ids)
        assert any(of_page[number] and of_page[number] <= english.hidden_categories for number in ids)

    @pytest.mark.parametrize("project", WITH_TABLES)
    def test_some_have_no_page(self, demo, project):
        """A category may have members and no page."""
        content = wiki_of(demo, project).content
        with_page = {page.title for page in content.pages if page.namespace == 14}
        used = {link.category for link in content.category_links}
        assert used - with_page
        assert content.hidden_categories <= with_page & used

    @pytest.mark.parametrize("project", WITH_TABLES)
    def test_the_property_hides_only_categories(self, demo, project):
        """A page of another namespace says that it is hidden; the category of the same name is not, and is used."""
        content = wiki_of(demo, project).content
        hiding = {about.page_id for about in content.properties if about.name == b"hiddencat"}
        others = {page.title for page in content.pages if page.id in hiding and page.namespace != 14}
        assert others & {link.category for link in content.category_links if link.type == b"page"}
        assert not others & content.hidden_categories
        assert hiding - {page.id for page in content.pages}, "pages that are gone"

    def test_an_article_hides_nothing(self, english):
        """An article with a category's name has the property."""
        article = pages_by_name(english)[0, SAME_AS_CATEGORY.encode()]
        assert b"hiddencat" in {about.name for about in english.properties if about.page_id == article.id}

    @pytest.mark.parametrize("project", WITH_TABLES)
    def test_not_only_articles_are_members(self, demo, project):
        """The fullest categories also have talk pages, redirects, categories, files and pages that are gone."""
        content = wiki_of(demo, project).content
        pages = {page.id: page for page in content.pages}
        types = Counter(link.type for link in content.category_links)
        assert types.keys() == {b"page", b"subcat", b"file"}
        for link in content.category_links:
            namespace = pages[link.page_id].namespace if link.page_id in pages else 0
            assert link.type == {14: b"subcat", 6: b"file"}.get(namespace, b"page")
        fullest = Counter(link.category for link in content.category_links)
        members = {
            (pages[link.page_id].namespace, pages[link.page_id].is_redirect) if link.page_id in pages else "gone"
            for name, _ in fullest.most_common(3)
            for link in content.category_links
            if link.category == name
        }
        assert {(0, False), (0, True), (1, False), (6, False), (14, False), "gone"} <= members

    def test_other_properties(self, english):
        """Pages have the properties that real ones have, with text of any kind, and a sort key where it is a number."""
        values = {about.name: about.value for about in english.properties}
        assert {b"wikibase_item", b"displaytitle", b"defaultsort", b"hiddencat"} < values.keys()
        assert any(b"\n" in about.value for about in english.properties)
        assert {about.sort_key is None for about in english.properties} == {True, False}


class TestWikis:
    def test_main_pages(self, demo):
        """The main page is a page of the articles' namespace on English Wikipedia and Commons, elsewhere it is not."""
        places = {
            project: [
                page.namespace
                for page in wiki_of(demo, project).content.pages
                if page.title in (b"Main_Page", b"Hauptseite") and not page.is_redirect
            ]
            for project in WITH_TABLES
        }
        assert list(places.values()) == [[0], [4], [0], [4]]

    def test_letters_case(self, demo):
        """Where titles are case-sensitive, words that differ in their first letter are articles of their own."""
        wiki = wiki_of(demo, "en.wiktionary")
        articles = pages_of(wiki.content, wiki.siteinfo).articles
        assert {b"flumpet", b"Flumpet", b"zumpet", b"Zumpet"} <= articles

    def test_commons_has_files(self, demo):
        """Most pages of Commons are files and categories; its articles are the galleries."""
        spaces = Counter(page.namespace for page in wiki_of(demo, "commons.wikimedia").content.pages)
        assert spaces[6] > spaces[14] > spaces[0] > 10

    def test_one_wiki_dumps_no_tables(self, demo):
        """Of Wikifunctions there is no content."""
        assert [wiki.project.name for wiki in demo.wikis if wiki.content is None] == ["www.wikifunctions"]
        assert [wiki.project.name for wiki in demo.wikis if wiki.older_content is None] == ["www.wikifunctions"]

    @pytest.mark.parametrize("project", WITH_TABLES)
    def test_the_older_content_is_smaller(self, demo, project):
        """A month before some articles were not there, one category was not hidden and one redirect was an article."""
        wiki = wiki_of(demo, project)
        now, before = (pages_of(content, wiki.siteinfo) for content in (wiki.content, wiki.older_content))
        assert len(now.articles) * 0.8 < len(before.articles) < len(now.articles)
        assert len(now.hidden) - len(before.hidden) == 1
        [turned] = before.articles - now.articles
        [page] = [page for page in wiki.content.pages if (page.namespace, page.title) == (0, turned)]
        assert page.is_redirect

    def test_the_seed_decides(self, demo):
        """Another seed gives other memberships; the same one gives the same."""
        day = demo.first_day
        one, same, other = (demo_site(day, 1, seed).wikis[0].content for seed in (1, 1, 2))
        assert one == same
        assert one.category_links != other.category_links

    def test_nothing_is_left_of_what_is_taken_away(self, english):
        """A page that was not yet written had no rows anywhere."""
        gone = {page.id for page in english.pages[::3]}
        before = without(english, gone)
        rows = [*before.redirects, *before.category_links, *before.properties]
        assert not gone & {page.id for page in before.pages}
        assert not gone & {row.page_id for row in rows}
        assert len(before.pages) == len(english.pages) - len(gone)

    def test_rare_articles_are_rarely_asked_for(self, requested):
        """Articles that hardly anybody finds have a few views in a week."""
        views = [requested[name.encode()] for name in RARE_ENGLISH]
        assert max(views) < 25
        assert sum(map(bool, views)) > len(views) / 2
