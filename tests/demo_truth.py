"""What the demo site's answers must be, as the documents that ``wikiq results --format json`` promises.

Computed by the oracle from the site's plain values; no frame, no database and no ranking of the product is involved.
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
from cli.demosite.siteinfo import SiteInfo
from models.hour import Hour, hours_of
from models.version import VERSION


class Truth:
    """One project of a demo site."""

    def __init__(self, demo: DemoSite, project: str) -> None:
        self._demo = demo
        [wiki] = [wiki for wiki in demo.wikis if wiki.project.name == project]
        self._project = wiki.project
        self._info = wiki.siteinfo
        self._tallies: dict[Hour, oracle.Tally] = {}
        self._rules: dict[bytes, str | None] = {}

    def day(self, day: dt.date, *, missing: Collection[Hour] = (), top: int = 5) -> dict[str, Any]:
        """A day's document, without ``computed_at``."""
        return self._document("day", (day,), missing, top)

    def week(self, *, missing: Collection[Hour] = (), top: int = 5) -> dict[str, Any]:
        """The document of the site's seven days as a whole, and those of the days in it."""
        whole = self._document("week", self._demo.days, missing, top)
        return whole | {"days": [self.day(day, missing=missing, top=top) for day in self._demo.days]}

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

    def _document(self, kind: str, days: tuple[dt.date, ...], missing: Collection[Hour], top: int) -> dict[str, Any]:
        hours = [hour for day in days for hour in hours_of(day)]
        tallies = [None if hour in missing else self.tally(hour) for hour in hours]
        found: Any = oracle.rank(tallies, self._rules_for(tallies), top)
        broken = malformed_hour(self._demo)
        malformed = MALFORMED_LINES if broken in hours and broken not in missing else 0
        return {
            "schema": 1,
            "project": self._project.name,
            kind: days[0].isoformat(),
            "verdict": "incomplete" if found["missing"] else "complete",
            "missing_hours": [f"{hours[n].day}T{hours[n].hour:02d}:00Z" for n in found["missing"]],
            "universe": "logged titles",
            "snapshot": None,
            "views": _views(found, malformed),
            "articles_requested": found["articles_requested"],
            "most_requested": [_most(rank, row) for rank, row in enumerate(found["most"], start=1)],
            "least_requested": _least(found["least"]),
            "top_categories": None,
            "wikiq": VERSION,
            "namespaces": self._demo.run.isoformat(),
        }

    def _rules_for(self, tallies: list[oracle.Tally | None]) -> dict[bytes, str | None]:
        prefixes, main_page = _prefixes(self._info), self._info.main_page.replace(" ", "_")
        first_letter = self._info.case == "first-letter"
        for title in {title for tally in tallies for title in tally or ()} - self._rules.keys():
            self._rules[title] = oracle.excluded_by(title, prefixes, main_page, first_letter=first_letter)
        return self._rules


@functools.cache
def truth(first_day: dt.date, project: str = "en.wikipedia") -> Truth:
    """The truth of the demo site that begins on this day."""
    return Truth(demo_site(first_day), project)


def told(text: str) -> dict[str, Any]:
    """What ``wikiq results --format json`` printed, without the times at which answers were computed."""
    document: dict[str, Any] = json.loads(text)
    for part in (document, *document.get("days", ())):
        del part["computed_at"]
    return document


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
    title, views, desktop, mobile, hourly, flag = row
    article = _article(title, views, desktop, mobile)
    return {"rank": rank, **article, "hourly": list(hourly), "flag": flag}


def _least(least: Any) -> dict[str, Any] | None:
    if least is None:
        return None
    views, tied, rows = least
    return {"views": views, "tied": tied, "unrequested": None, "articles": [_article(*row) for row in rows]}


def _article(title: str, views: int, desktop: int, mobile: int) -> dict[str, Any]:
    return {"title": title, "views": views, "desktop": desktop, "mobile": mobile, "through_redirects": 0}
