"""What the demo site's answers must be, as the documents that ``wikiq results --format json`` promises.

Computed by the oracle from the site's plain values; no frame, no database and no ranking of the product is involved.
Of a wiki's tables only their rows as values are used, not the dumps that are written of them.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections import defaultdict
from collections.abc import Collection
from typing import Any

import oracle

from cli.demosite.content import DemoSite, demo_site
from cli.demosite.files import MALFORMED_LINES, malformed_hour
from cli.demosite.pages import Content
from cli.demosite.siteinfo import SiteInfo
from models.hour import Hour, hours_of
from models.version import VERSION

LOGGED, ARTICLES = "logged titles", "articles"


class Truth:
    """One project of a demo site, ranked by its articles or by the titles that were logged."""

    def __init__(self, demo: DemoSite, project: str) -> None:
        self._demo = demo
        [wiki] = [wiki for wiki in demo.wikis if wiki.project.name == project]
        self._project = wiki.project
        self._info = wiki.siteinfo
        self._tallies: dict[Hour, oracle.Tally] = {}
        self._rules: dict[bytes, str | None] = {}
        self._pages = pages_of(wiki.content, wiki.siteinfo) if wiki.content else None

    def day(
        self, day: dt.date, *, missing: Collection[Hour] = (), top: int = 5, universe: str = LOGGED
    ) -> dict[str, Any]:
        """A day's document, without ``computed_at``."""
        return self._document("day", (day,), missing, top, universe)

    def week(self, *, missing: Collection[Hour] = (), top: int = 5, universe: str = LOGGED) -> dict[str, Any]:
        """The document of the site's seven days as a whole, and those of the days in it."""
        whole = self._document("week", self._demo.days, missing, top, universe)
        days = [self.day(day, missing=missing, top=top, universe=universe) for day in self._demo.days]
        return whole | {"days": days}

    def tally(self, hour: Hour) -> oracle.Tally:
        """The hour's views: title -> (desktop, mobile)."""
        if hour not in self._tallies:
            self._tallies[hour] = self._tally(hour)
        return self._tallies[hour]

    def _tally(self, hour: Hour) -> oracle.Tally:
        counts: dict[bytes, list[int]] = defaultdict(lambda: [0, 0])
        for row in self._demo.hours[hour]:
            if row.code in self._project.desktop_codes:
                counts[row.title][0] += row.views
            elif row.code in self._project.mobile_codes:
                counts[row.title][1] += row.views
        return {title: (desktop, mobile) for title, (desktop, mobile) in counts.items()}

    def _document(
        self, kind: str, days: tuple[dt.date, ...], missing: Collection[Hour], top: int, universe: str
    ) -> dict[str, Any]:
        hours = [hour for day in days for hour in hours_of(day)]
        tallies = [None if hour in missing else self.tally(hour) for hour in hours]
        found: Any = self._ranked(tallies, top, universe)
        broken = malformed_hour(self._demo)
        malformed = MALFORMED_LINES if broken in hours and broken not in missing else 0
        return {
            "schema": 1,
            "project": self._project.name,
            kind: days[0].isoformat(),
            "verdict": "incomplete" if found["missing"] else "complete",
            "missing_hours": [f"{hours[n].day}T{hours[n].hour:02d}:00Z" for n in found["missing"]],
            "universe": universe,
            "snapshot": self._demo.run.isoformat() if universe == ARTICLES else None,
            "views": _views(found, malformed),
            "articles_requested": found["articles_requested"],
            "most_requested": [_most(rank, row) for rank, row in enumerate(found["most"], start=1)],
            "least_requested": _least(found["least"]),
            "top_categories": _categories(found["categories"]),
            "wikiq": VERSION,
            "namespaces": self._demo.run.isoformat(),
            "snapshot_days_off": (self._demo.run - days[len(days) // 2]).days if universe == ARTICLES else None,
        }

    def _ranked(self, tallies: list[oracle.Tally | None], top: int, universe: str) -> dict[str, Any]:
        """The oracle's answer in the shape of ``oracle.rank_articles``, whichever the universe is."""
        rules = self._rules_for(tallies)
        if universe == ARTICLES:
            if self._pages is None:
                raise ValueError(f"{self._project} has no tables to tell its articles from.")
            first_letter = self._info.case == "first-letter"
            return oracle.rank_articles(tallies, rules, self._pages, top, first_letter=first_letter)
        found: Any = oracle.rank(tallies, rules, top)
        most = [(*row[:4], 0, *row[4:]) for row in found["most"]]
        least = found["least"] and (*found["least"][:2], None, [(*row, 0) for row in found["least"][2]])
        return {**found, "most": most, "least": least, "categories": None}

    def _rules_for(self, tallies: list[oracle.Tally | None]) -> dict[bytes, str | None]:
        prefixes, main_page = _prefixes(self._info), self._info.main_page.replace(" ", "_")
        first_letter = self._info.case == "first-letter"
        for title in {title for tally in tallies for title in tally or ()} - self._rules.keys():
            self._rules[title] = oracle.excluded_by(title, prefixes, main_page, first_letter=first_letter)
        return self._rules


site_of = functools.cache(demo_site)
"""As ``demo_site``, but made once per process: nobody changes it."""


@functools.cache
def truth(first_day: dt.date, project: str = "en.wikipedia") -> Truth:
    """The truth of the demo site that begins on this day."""
    return Truth(site_of(first_day), project)


def told(text: str) -> dict[str, Any]:
    """What ``wikiq results --format json`` printed, without the times at which answers were computed."""
    document: dict[str, Any] = json.loads(text)
    for part in (document, *document.get("days", ())):
        del part["computed_at"]
    return document


def pages_of(content: Content, info: SiteInfo) -> oracle.Pages:
    """What the oracle must know of a wiki, from the rows of its tables."""
    main_page = info.main_page.replace(" ", "_").encode()
    main = [page for page in content.pages if page.namespace == 0]
    articles = {page.id: page.title for page in main if not page.is_redirect and page.title != main_page}
    redirects = {page.id: page.title for page in main if page.is_redirect}
    categories: dict[bytes, set[bytes]] = defaultdict(set)
    for link in content.category_links:
        if link.page_id in articles and link.type == b"page":
            categories[articles[link.page_id]].add(link.category)
    hiding = {about.page_id for about in content.properties if about.name == b"hiddencat"}
    return oracle.Pages(
        frozenset(articles.values()),
        {
            redirects[row.page_id]: row.title
            for row in content.redirects
            if row.page_id in redirects and row.namespace == 0 and not row.interwiki
        },
        categories,
        {page.title for page in content.pages if page.namespace == 14 and page.id in hiding},
    )


def _prefixes(info: SiteInfo) -> set[str]:
    spaces = [name for space in info.namespaces if space.id for name in (space.name, space.canonical)]
    aliases = [alias for number, alias in info.aliases if number]
    return {name.replace(" ", "_").lower() for name in (*spaces, *aliases)}


def _views(found: Any, malformed: int) -> dict[str, Any]:
    excluded = [{"rule": rule, "views": views, "titles": titles} for rule, views, titles in found["excluded"]]
    return {
        "project": found["project_views"],
        "article": found["article_views"],
        "excluded": excluded,
        "malformed_lines": malformed,
    }


def _most(rank: int, row: Any) -> dict[str, Any]:
    *article, hourly, flag = row
    return {"rank": rank, **_article(*article), "hourly": list(hourly), "flag": flag}


def _least(least: Any) -> dict[str, Any] | None:
    if least is None:
        return None
    views, tied, unrequested, rows = least
    return {"views": views, "tied": tied, "unrequested": unrequested, "articles": [_article(*row) for row in rows]}


def _article(title: str, views: int, desktop: int, mobile: int, through_redirects: int) -> dict[str, Any]:
    return {
        "title": title,
        "views": views,
        "desktop": desktop,
        "mobile": mobile,
        "through_redirects": through_redirects,
    }


def _categories(rows: Any) -> list[dict[str, Any]] | None:
    if rows is None:
        return None
    return [
        {"rank": rank, "category": category, "views": views, "articles": articles}
        for rank, (category, views, articles) in enumerate(rows, start=1)
    ]
