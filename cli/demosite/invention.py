"""Inventing what a wiki holds, so that every case is there that one may get wrong when ranking by articles."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from cli.demosite.categories import CategoryNames
from cli.demosite.page_titles import existing_page
from cli.demosite.pages import (
    ARTICLES,
    CATEGORY,
    FILE,
    HIDDEN,
    TALK,
    TEMPLATE,
    USER,
    CategoryLink,
    Content,
    Page,
    PageProperty,
    Redirect,
    category_link,
    without,
)
from cli.demosite.quiet import QUIET_BUT_LINKED, SAME_AS_CATEGORY
from cli.demosite.redirects import OldLinks, Target
from cli.demosite.siteinfo import SiteInfo
from cli.demosite.titles import ONLY_ELSEWHERE

_UNKNOWN = b"-"
_GONE_PAGES = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a wiki before its pages are invented; ``requested`` are the titles its readers ask for."""

    info: SiteInfo
    requested: Sequence[bytes]
    quiet: Sequence[str]
    old_links: OldLinks
    categories: CategoryNames


class _Draft(NamedTuple):
    """A page that has no id yet. A redirect may lead nowhere."""

    namespace: int
    title: bytes
    categories: Sequence[str] = ()
    properties: Sequence[tuple[bytes, bytes, int | None]] = ()
    is_redirect: bool = False
    target: Target | None = None


def invent(plan: Plan, rng: random.Random) -> Content:
    """All pages of a wiki and what belongs to them."""
    drafts: dict[tuple[int, bytes], _Draft] = {}
    for draft in _drafts(plan, rng):
        drafts.setdefault((draft.namespace, draft.title), draft)
    numbered = list(_numbered([*drafts.values()], rng))
    gone = [page_id + 1 for page_id, _ in rng.sample(numbered, _GONE_PAGES)]
    return _content(numbered, [*_left_behind(gone, plan), *_stale_redirect(numbered, plan)])


def earlier(content: Content, main_page: bytes, rng: random.Random) -> Content:
    """The content a month before: fewer articles, one hidden category still visible, one redirect still an article."""
    articles = [page for page in content.pages if page.namespace == ARTICLES and not page.is_redirect]
    new = {page.id for page in rng.sample(articles, 2 + len(articles) // 9) if page.title != main_page}
    before = without(content, new)
    since_hidden = next(about for about in before.properties if _hides_a_category(about, before))
    turned = next(page.id for page in before.pages if page.namespace == ARTICLES and page.is_redirect)
    return replace(
        before,
        pages=tuple(page._replace(is_redirect=page.is_redirect and page.id != turned) for page in before.pages),
        redirects=tuple(redirect for redirect in before.redirects if redirect.page_id != turned),
        properties=tuple(about for about in before.properties if about != since_hidden),
    )


def main_page_of(info: SiteInfo) -> tuple[int, bytes]:
    """The main page's namespace and title, as they stand in the table of pages."""
    found = existing_page(info.main_page.replace(" ", "_").encode(), info)
    return found or (ARTICLES, b"Main_Page")


def _hides_a_category(about: PageProperty, content: Content) -> bool:
    categories = {page.id for page in content.pages if page.namespace == CATEGORY}
    return about.name == HIDDEN and about.page_id in categories


def _drafts(plan: Plan, rng: random.Random) -> Iterator[_Draft]:
    """Where two have the same name, the first counts."""
    names = plan.categories
    yield _Draft(*main_page_of(plan.info), (names.visible[0], names.hidden[0]))
    yield from _redirects(plan, rng)
    existing = [page for title in plan.requested if title != _UNKNOWN and (page := existing_page(title, plan.info))]
    yield _most_popular(next(title for namespace, title in existing if namespace == ARTICLES), names, rng)
    for namespace, title in existing:
        yield _article(title, names, rng) if namespace == ARTICLES else _other(namespace, title, names)
        if namespace == ARTICLES and rng.random() < 1 / 8:
            yield _Draft(TALK, title, (*names.of_talk_pages, names.visible[0]))
    yield from _quiet_articles(plan, rng)
    yield from _category_pages(names)
    yield from _namesakes(names)


def _redirects(plan: Plan, rng: random.Random) -> Iterator[_Draft]:
    names = plan.categories
    for title, link in plan.old_links.items():
        own = [category for category in (*names.of_redirects, names.visible[0]) if rng.random() < 1 / 2]
        yield _Draft(ARTICLES, title.encode(), own, is_redirect=True, target=link.target)


def _most_popular(title: bytes, names: CategoryNames, rng: random.Random) -> _Draft:
    """With it in them, a tie is among the top categories, and a hidden category is above all of them."""
    draft = _article(title, names, rng)
    return draft._replace(categories=sorted({*draft.categories, *names.twins, names.hidden[0]}))


def _article(title: bytes, names: CategoryNames, rng: random.Random) -> _Draft:
    return _Draft(ARTICLES, title, _visible(names, rng) + _hidden(names, rng), _properties(title, rng))


def _visible(names: CategoryNames, rng: random.Random) -> list[str]:
    if rng.random() < 1 / 20:
        return []
    pool = names.visible + names.pageless
    weights = [1 / (2 + place) for place in range(len(pool))]
    chosen = {*rng.choices(pool, weights, k=rng.randint(1, 4))}
    return sorted(chosen.union(names.twins) if rng.random() < 1 / 4 else chosen)


def _hidden(names: CategoryNames, rng: random.Random) -> list[str]:
    """Nearly every article is in the first, which would thus be the top category if it were not hidden."""
    return [name for place, name in enumerate(names.hidden) if rng.random() < (1 / 6 if place else 0.9)]


def _properties(title: bytes, rng: random.Random) -> list[tuple[bytes, bytes, int | None]]:
    sections = rng.randrange(1, 12)
    every = (
        (b"defaultsort", b", ".join(reversed(title.split(b"_", 1))), None, 0.4),
        (b"displaytitle", b'<i class="title">%b</i>\n' % title.replace(b"_", b" "), None, 0.1),
        (b"page_top_level_section_count", b"%d" % sections, sections, 0.7),
        (b"wikibase_item", b"Q%d" % rng.randrange(10**8), None, 0.9),
    )
    return [(name, value, sort_key) for name, value, sort_key, share in every if rng.random() < share]


def _other(namespace: int, title: bytes, names: CategoryNames) -> _Draft:
    return _Draft(namespace, title, (names.visible[0], *(names.of_files if namespace == FILE else ())))


def _quiet_articles(plan: Plan, rng: random.Random) -> Iterator[_Draft]:
    for name in plan.quiet:
        draft = _article(name.encode(), plan.categories, rng)
        if name != QUIET_BUT_LINKED:
            draft = draft._replace(categories=[*draft.categories, plan.categories.of_quiet_articles])
        if name == SAME_AS_CATEGORY:
            draft = draft._replace(properties=[(HIDDEN, b"", None), *draft.properties])
        yield draft


def _category_pages(names: CategoryNames) -> Iterator[_Draft]:
    for name in names.with_page:
        properties = [(HIDDEN, b"", None)] if name in names.hidden else [(b"expectunusedcategory", b"", None)]
        parents = [parent for parent in (*names.of_categories, names.visible[0]) if parent != name]
        yield _Draft(CATEGORY, name.encode(), parents, properties)


def _namesakes(names: CategoryNames) -> Iterator[_Draft]:
    """Pages that only their namespace tells from an article or a category."""
    yield _Draft(TEMPLATE, names.visible[0].encode(), (), [(HIDDEN, b"", None)])
    yield _Draft(TALK, ONLY_ELSEWHERE.encode(), (*names.of_talk_pages, names.visible[0]))
    yield _Draft(USER, ONLY_ELSEWHERE.encode(), (names.visible[0],))
    yield _Draft(FILE, b"Whistling_Teapot_3.jpg", (names.visible[0], *names.of_files))


def _numbered(drafts: Sequence[_Draft], rng: random.Random) -> Iterator[tuple[int, _Draft]]:
    """Ids ascend with gaps; the id after each page's own is always free."""
    page_id = 9
    for draft in rng.sample(drafts, len(drafts)):
        page_id += rng.randrange(2, 40)
        yield page_id, draft


def _left_behind(gone: Sequence[int], plan: Plan) -> Iterator[CategoryLink | PageProperty | Redirect]:
    """What still stands in the tables of pages that are gone."""
    names = plan.categories
    for page_id in gone:
        yield CategoryLink(page_id, names.visible[0].encode(), b"page")
        yield CategoryLink(page_id, names.visible[1].encode(), b"page")
        yield PageProperty(page_id, HIDDEN, b"")
        yield Redirect(page_id, ARTICLES, plan.requested[0])


def _stale_redirect(numbered: Sequence[tuple[int, _Draft]], plan: Plan) -> Iterator[Redirect]:
    """An article that once was a redirect, and of which the table of redirects still knows."""
    articles = {draft.title: page_id for page_id, draft in numbered if draft.namespace == ARTICLES}
    former = next(title for title in plan.requested[len(plan.requested) // 3 :] if title in articles)
    yield Redirect(articles[former], ARTICLES, plan.requested[0])


def _content(numbered: Sequence[tuple[int, _Draft]], more: Iterable[CategoryLink | PageProperty | Redirect]) -> Content:
    rows: list[CategoryLink | PageProperty | Redirect] = [*more]
    pages = [Page(page_id, draft.namespace, draft.title, draft.is_redirect) for page_id, draft in numbered]
    for page, (_, draft) in zip(pages, numbered, strict=True):
        rows += [category_link(page, name.encode()) for name in draft.categories]
        rows += [PageProperty(page.id, *about) for about in draft.properties]
        rows += [_redirect(page.id, draft.target)] if draft.target else []
    return Content(
        tuple(pages),
        tuple(sorted((row for row in rows if isinstance(row, Redirect)), key=lambda row: row.page_id)),
        tuple(sorted(row for row in rows if isinstance(row, CategoryLink))),
        tuple(sorted((row for row in rows if isinstance(row, PageProperty)), key=lambda row: (row.page_id, row.name))),
    )


def _redirect(page_id: int, target: Target) -> Redirect:
    interwiki = None if target.interwiki is None else target.interwiki.encode()
    fragment = None if target.fragment is None else target.fragment.encode()
    return Redirect(page_id, target.namespace, target.title.encode(), interwiki, fragment)
