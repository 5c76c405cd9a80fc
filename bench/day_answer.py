"""What ``bench day`` asks of every engine: 24 hour files on disk -> the ranking of en.wikipedia's literal titles.

The most requested titles with desktop, mobile and 24 hourly views, the least requested and how many tie with it, and
the views that name rules keep out. Generated titles are in MediaWiki's own form, so the rules need no canonical form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bench.engines import Answer

DEPTH = 1000
HOURS = 24
MAIN_PAGE = "Main_Page"
UNKNOWN = ("", "-")
CODES = ("en", "en.m")


def prefixes() -> tuple[str, ...]:
    """MediaWiki's own names of namespaces: what a wiki without siteinfo is ranked by."""
    from models.siteinfo import CANONICAL

    return tuple(sorted(CANONICAL.prefixes))


def files_of(directory: Path) -> list[Path]:
    """The day's files, the first hour first."""
    return sorted(directory.glob("pageviews-*.gz"))


def day_answer(
    sums: Iterable[tuple[str | None, int, int]],
    most: Iterable[tuple[str, int, int]],
    hourly: Mapping[str, Mapping[int, int]],
    least: tuple[int, int],
    least_titles: Iterable[str],
) -> Answer:
    """The answer, made comparable.

    Args:
        sums: per rule, None for what is ranked: views and titles.
        most: title, desktop and mobile views of the most requested, in order.
        hourly: of those titles, views per hour.
        least: the smallest number of views of a ranked title, and how many have it.
        least_titles: the first of them.
    """
    by_rule = {rule or "": [int(views), int(titles)] for rule, views, titles in sums}
    ranked = by_rule.pop("", [0, 0])
    return {
        "project_views": ranked[0] + sum(views for views, _ in by_rule.values()),
        "article_views": ranked[0],
        "articles_requested": ranked[1],
        "excluded": by_rule,
        "most_requested": [
            [title, int(desktop), int(mobile), _by_hour(hourly[title])] for title, desktop, mobile in most
        ],
        "least_requested": [int(number) for number in least],
        "least_titles": list(least_titles),
    }


def _by_hour(views: Mapping[int, int]) -> Sequence[int]:
    return [int(views.get(hour, 0)) for hour in range(HOURS)]
