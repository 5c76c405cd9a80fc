"""The answers of a day or a week, as values: what ranking returns, the store keeps and the CLI prints.

Views are counts of page requests by users, as Wikimedia's hourly files report them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from models.hour import DAYS_IN_WEEK, Hour

STORED_DEPTH = 1000
"""How many rows of each list are kept."""


class Verdict(StrEnum):
    """Whether every hour of the period was counted."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"


class Universe(StrEnum):
    """What can be ranked: pages that exist, or whatever title was logged."""

    ARTICLES = "articles"
    LOGGED_TITLES = "logged titles"


class Rule(StrEnum):
    """Why a title is not ranked, in the order in which the rules are tried."""

    UNKNOWN_TITLE = "unknown-title"
    OTHER_NAMESPACE = "other-namespace"
    MAIN_PAGE = "main-page"
    NO_SUCH_ARTICLE = "no-such-article"


class Flag(StrEnum):
    """Why a ranked article looks automated. A flag never removes a row."""

    MOBILE_SHARE = "mobile-share"
    BURST = "burst"


@dataclass(frozen=True, slots=True)
class Period:
    """One UTC day, or the seven days of a week."""

    first: dt.date
    days: int = 1

    def __str__(self) -> str:
        return self.first.isoformat() if self.days == 1 else f"{self.first}/{self.last}"

    @property
    def last(self) -> dt.date:
        return self.first + dt.timedelta(days=self.days - 1)

    @property
    def middle(self) -> dt.date:
        """The day that stands for the period where a single date is needed."""
        return self.first + dt.timedelta(days=self.days // 2)

    @property
    def is_week(self) -> bool:
        return self.days == DAYS_IN_WEEK


@dataclass(frozen=True, slots=True)
class Excluded:
    """What one rule kept out of the ranking."""

    rule: Rule
    views: int
    titles: int


@dataclass(frozen=True, slots=True)
class RankedArticle:
    """One row of the most requested articles. ``hourly`` has one number for each hour of the period."""

    rank: int
    title: str
    views: int
    desktop: int
    mobile: int
    through_redirects: int
    hourly: tuple[int, ...]
    flag: Flag | None


@dataclass(frozen=True, slots=True)
class LeastArticle:
    """One of the articles that tie for the smallest number of views."""

    title: str
    views: int
    desktop: int
    mobile: int
    through_redirects: int


@dataclass(frozen=True, slots=True)
class LeastRequested:
    """The smallest number of views a requested article had, how many tie there, and the first of them.

    ``unrequested`` is None where no page table tells which articles exist.
    """

    views: int
    tied: int
    unrequested: int | None
    articles: tuple[LeastArticle, ...]


@dataclass(frozen=True, slots=True)
class RankedCategory:
    """One row of the top categories."""

    rank: int
    category: str
    views: int
    articles: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What wikiq answers for one project and one period.

    ``least_requested`` is None when nothing was requested; ``top_categories`` when no category snapshot was used.
    ``namespaces`` names where the namespace prefixes came from: a dump run's date (YYYY-MM-DD), or ``canonical``
    for MediaWiki's English names. ``left_out`` are categories that the reader did not want to see.
    """

    project: str
    period: Period
    universe: Universe
    missing_hours: tuple[Hour, ...]
    snapshot: dt.date | None
    namespaces: str
    project_views: int
    article_views: int
    excluded: tuple[Excluded, ...]
    malformed_lines: int
    articles_requested: int
    most_requested: tuple[RankedArticle, ...]
    least_requested: LeastRequested | None
    top_categories: tuple[RankedCategory, ...] | None
    computed_at: dt.datetime
    wikiq: str
    left_out: tuple[str, ...] = ()

    @property
    def days_off(self) -> int | None:
        """How many days the snapshot lies after the period (or before it: negative); None without one."""
        return None if self.snapshot is None else (self.snapshot - self.period.middle).days

    def without_categories(self, names: Collection[str]) -> Answer:
        """The same without some of its top categories; those below move up."""
        if self.top_categories is None:
            return self
        kept = [row for row in self.top_categories if row.category not in names]
        ranked = tuple(replace(row, rank=rank) for rank, row in enumerate(kept, start=1))
        return replace(self, top_categories=ranked, left_out=tuple(sorted(names)))

    @property
    def verdict(self) -> Verdict:
        return Verdict.INCOMPLETE if self.missing_hours else Verdict.COMPLETE
