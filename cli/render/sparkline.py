"""Hourly counts as a row of block characters."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

LEVELS = "▁▂▃▄▅▆▇█"
NO_VIEWS = " "
NOT_COUNTED = "·"


def sparkline(counts: Sequence[int], missing: Collection[int] = (), hours_per_mark: int = 1) -> str:
    """One mark for each hour, or for each few hours, scaled to the row's own busiest mark.

    Args:
        counts: views per hour.
        missing: indices of the hours that were not counted; a mark without any counted hour is ``·``.
        hours_per_mark: how many hours share a mark; it shows the mean of those that were counted.

    Returns:
        A blank where there were no views, else one of eight heights.
    """
    starts = range(0, len(counts), hours_per_mark)
    means = [_mean(counts, missing, range(start, min(start + hours_per_mark, len(counts)))) for start in starts]
    peak = max((mean for mean in means if mean is not None), default=0.0)
    return "".join(_mark(mean, peak) for mean in means)


def _mean(counts: Sequence[int], missing: Collection[int], hours: range) -> float | None:
    counted = [counts[hour] for hour in hours if hour not in missing]
    return sum(counted) / len(counted) if counted else None


def _mark(mean: float | None, peak: float) -> str:
    if mean is None:
        return NOT_COUNTED
    if mean == 0:
        return NO_VIEWS
    return LEVELS[math.ceil(len(LEVELS) * mean / peak) - 1]
