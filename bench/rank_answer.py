"""What ``bench rank`` asks of every engine: the ranking of a day's articles, made comparable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.day_answer import HOURS
from bench.engines import Answer


def rank_answer(
    *,
    article_views: int,
    excluded: Mapping[str, tuple[int, int]],
    counts: tuple[int, int],
    most: Iterable[Sequence[Any]],
    hourly: Iterable[Sequence[Any]],
    least: Sequence[Any],
    least_titles: Sequence[str],
    categories: Iterable[Sequence[Any]],
) -> Answer:
    """The answer as JSON.

    Args:
        article_views: of all articles.
        excluded: views and titles per rule.
        counts: the articles that were requested, and all there are.
        most: title, desktop, mobile, views through redirects, and the article's number.
        hourly: an article's number, hour, views.
        least: the smallest number of views of a requested article, and how many have it.
        least_titles: the first of them.
        categories: name, views, members that were requested.
    """
    by_hour: dict[int, list[int]] = defaultdict(lambda: [0] * HOURS)
    for article, hour, views in hourly:
        by_hour[int(article)][int(hour)] = int(views)
    return {
        "article_views": article_views,
        "excluded": {rule: list(row) for rule, row in sorted(excluded.items()) if row[1]},
        "articles_requested": counts[0],
        "unrequested": counts[1] - counts[0],
        "most_requested": [[title, *map(int, numbers), by_hour[int(article)]] for title, *numbers, article in most],
        "least_requested": [int(number) for number in least],
        "least_titles": list(least_titles),
        "top_categories": [[name, int(views), int(members)] for name, views, members in categories],
    }
