"""A period's tallies -> its answers. Pure: the same tallies give the same answers, whoever asks and whenever."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from models.answer import (
    STORED_DEPTH,
    Answer,
    Excluded,
    Flag,
    LeastArticle,
    LeastRequested,
    Period,
    RankedArticle,
    Rule,
    Universe,
)
from models.hour import Hour, days_between, hours_of
from models.project import Project
from models.siteinfo import Siteinfo
from models.title import title_text
from worker.wiki import excluding_rules

FLAGGED_SHARE_VIEWS = 1_000
FLAGGED_SHARE = 0.05
FLAGGED_BURST_VIEWS = 10_000


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted for a project and a period.

    ``total`` is the tally of all counted hours; ``hourly`` gives each hour's tally, and may be called more than once.
    """

    project: Project
    period: Period
    counted_hours: frozenset[Hour]
    malformed_lines: int
    total: pl.DataFrame
    hourly: Callable[[], Iterable[tuple[Hour, pl.DataFrame]]]


def rank_logged_titles(counted: Counted, siteinfo: Siteinfo, *, computed_at: dt.datetime, version: str) -> Answer:
    """Rank the literal logged titles, less those that are excluded by their name alone."""
    rows = counted.total.with_columns(
        (pl.col("desktop") + pl.col("mobile")).alias("views"),
        excluding_rules(counted.total["title"], siteinfo).alias("rule"),
    )
    ranked = rows.filter(pl.col("rule").is_null())
    most = _most(ranked)
    return Answer(
        project=counted.project.name,
        period=counted.period,
        universe=Universe.LOGGED_TITLES,
        missing_hours=tuple(hour for hour in hours_in(counted.period) if hour not in counted.counted_hours),
        snapshot=None,
        namespaces=siteinfo.origin,
        project_views=int(rows["views"].sum()),
        article_views=int(ranked["views"].sum()),
        excluded=_excluded(rows),
        malformed_lines=counted.malformed_lines,
        articles_requested=len(ranked),
        most_requested=_ranked_articles(most, _hourly_views(most["title"], counted)),
        least_requested=_least_requested(ranked),
        top_categories=None,
        computed_at=computed_at,
        wikiq=version,
    )


def hours_in(period: Period) -> tuple[Hour, ...]:
    """Every hour of the period, in order."""
    return tuple(hour for day in days_between(period.first, period.last) for hour in hours_of(day))


def flag_of(desktop: int, mobile: int, hourly: Sequence[int]) -> Flag | None:
    """Whether the views look automated: a lopsided mobile share, or a burst within one hour."""
    views = desktop + mobile
    if views >= FLAGGED_SHARE_VIEWS and not FLAGGED_SHARE <= mobile / views <= 1 - FLAGGED_SHARE:
        return Flag.MOBILE_SHARE
    if views >= FLAGGED_BURST_VIEWS and max(hourly, default=0) * 2 > views:
        return Flag.BURST
    return None


def _excluded(rows: pl.DataFrame) -> tuple[Excluded, ...]:
    by_rule = (
        rows.filter(pl.col("rule").is_not_null())
        .group_by("rule")
        .agg(pl.col("views").sum(), pl.len().alias("titles"))
        .rows_by_key("rule", unique=True)
    )
    return tuple(Excluded(rule, *by_rule[rule]) for rule in Rule if rule in by_rule)


def _most(ranked: pl.DataFrame) -> pl.DataFrame:
    """The rows with the most views; the title's bytes decide among equals, also about who is still in the list."""
    depth = min(STORED_DEPTH, len(ranked))
    if not depth:
        return ranked
    candidates = ranked.filter(pl.col("views") >= ranked["views"].top_k(depth).min())
    return candidates.sort(["views", "title"], descending=[True, False]).head(STORED_DEPTH)


def _hourly_views(titles: pl.Series, counted: Counted) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
    """Views of each title (rows) in each hour of the period (columns)."""
    place = {hour: column for column, hour in enumerate(hours_in(counted.period))}
    views = np.zeros((len(titles), len(place)), dtype=np.uint64)
    wanted = titles.to_frame("title").with_row_index("row")
    for hour, tally in counted.hourly():
        found = wanted.join(tally, on="title")
        views[found["row"].to_numpy(), place[hour]] = (found["desktop"] + found["mobile"]).to_numpy()
    return views


def _ranked_articles(
    most: pl.DataFrame, hourly: np.ndarray[tuple[int, int], np.dtype[np.uint64]]
) -> tuple[RankedArticle, ...]:
    return tuple(
        RankedArticle(
            rank=rank,
            title=title_text(row["title"]),
            views=row["views"],
            desktop=row["desktop"],
            mobile=row["mobile"],
            through_redirects=0,
            hourly=tuple(hours),
            flag=flag_of(row["desktop"], row["mobile"], hours),
        )
        for rank, (row, hours) in enumerate(zip(most.iter_rows(named=True), hourly.tolist(), strict=True), start=1)
    )


def _least_requested(ranked: pl.DataFrame) -> LeastRequested | None:
    if ranked.is_empty():
        return None
    least = ranked.filter(pl.col("views") == pl.col("views").min())
    articles = tuple(
        LeastArticle(title_text(row["title"]), row["views"], row["desktop"], row["mobile"], through_redirects=0)
        for row in least.head(STORED_DEPTH).iter_rows(named=True)
    )
    return LeastRequested(articles[0].views, least.height, unrequested=None, articles=articles)
