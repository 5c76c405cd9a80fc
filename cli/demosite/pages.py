"""What a demo wiki holds, as plain values: its pages, redirects, category links and page properties.

The words and numbers are those of MediaWiki's tables, https://www.mediawiki.org/wiki/Manual:Database_layout.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

ARTICLES, TALK, USER, PROJECT, FILE, TEMPLATE, CATEGORY = 0, 1, 2, 4, 6, 10, 14
"""Ids of namespaces that occur by name."""

HIDDEN = b"hiddencat"
"""The property that hides a category, if it is the property of a category's page."""

_MEMBER_TYPES = {CATEGORY: b"subcat", FILE: b"file"}


class Page(NamedTuple):
    """One page. The title has no namespace prefix and ``_`` for blanks."""

    id: int
    namespace: int
    title: bytes
    is_redirect: bool = False


class Redirect(NamedTuple):
    """Where the page with this id leads. With a non-empty ``interwiki`` that is another wiki."""

    page_id: int
    namespace: int
    title: bytes
    interwiki: bytes | None = None
    fragment: bytes | None = None


class CategoryLink(NamedTuple):
    """The page with this id is in this category; ``type`` is ``page``, ``subcat`` or ``file``."""

    page_id: int
    category: bytes
    type: bytes


class PageProperty(NamedTuple):
    """What is said of the page with this id."""

    page_id: int
    name: bytes
    value: bytes
    sort_key: int | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """All of it, each sorted by the page's id. The id of a page that is gone may stand in all but ``pages``."""

    pages: tuple[Page, ...]
    redirects: tuple[Redirect, ...]
    category_links: tuple[CategoryLink, ...]
    properties: tuple[PageProperty, ...]

    @property
    def hidden_categories(self) -> frozenset[bytes]:
        """The titles of the categories whose page says that they are hidden."""
        hiding = {about.page_id for about in self.properties if about.name == HIDDEN}
        return frozenset(page.title for page in self.pages if page.namespace == CATEGORY and page.id in hiding)


def category_link(page: Page, category: bytes) -> CategoryLink:
    """A membership, its type following from the member's namespace."""
    return CategoryLink(page.id, category, _MEMBER_TYPES.get(page.namespace, b"page"))


def without(content: Content, gone: Collection[int]) -> Content:
    """The content as it was before the pages with these ids were written."""
    return Content(
        tuple(page for page in content.pages if page.id not in gone),
        tuple(redirect for redirect in content.redirects if redirect.page_id not in gone),
        tuple(link for link in content.category_links if link.page_id not in gone),
        tuple(about for about in content.properties if about.page_id not in gone),
    )
