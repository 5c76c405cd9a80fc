"""The ranking of literal logged titles, for which no page table is needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from models.answer import STORED_DEPTH, Answer, LeastArticle, LeastRequested, RankedArticle, Universe
from models.siteinfo import Siteinfo
from models.title import title_text
from worker.ranking.counted import Counted, excluded, flag_of, hourly_views
from worker.wiki.titles import excluding_rules


def rank_logged_titles(counted: Counted, siteinfo: Siteinfo, *, computed_at: dt.datetime, version: str) -> Answer:
    """Rank the literal logged titles, less those that are excluded by their name alone."""
    rows = counted.total.with_columns(
        (pl.col("desktop") + pl.col("mobile")).alias("views"),
        excluding_rules(counted.total["title"], siteinfo).alias("rule"),
    )
    ranked = rows.filter(pl.col("rule").is_null())
    most = _most(ranked)
    wanted = most.select("title").with_row_index("row")
    return Answer(
        project=counted.project.name,
        period=counted.period,
        universe=Universe.LOGGED_TITLES,
        missing_hours=counted.missing_hours,
        snapshot=None,
        namespaces=siteinfo.origin,
        project_views=int(rows["views"].sum()),
        article_views=int(ranked["views"].sum()),
        excluded=excluded(rows),
        malformed_lines=counted.malformed_lines,
        articles_requested=len(ranked),
        most_requested=_ranked_articles(most, hourly_views(wanted, len(most), counted).tolist()),
        least_requested=_least_requested(ranked),
        top_categories=None,
        computed_at=computed_at,
        wikiq=version,
    )


def _most(ranked: pl.DataFrame) -> pl.DataFrame:
    """The rows with the most views; the title's bytes decide among equals, also about who is still in the list."""
    depth = min(STORED_DEPTH, len(ranked))
    if not depth:
        return ranked
    candidates = ranked.filter(pl.col("views") >= ranked["views"].top_k(depth).min())
    return candidates.sort(["views", "title"], descending=[True, False]).head(STORED_DEPTH)


def _ranked_articles(most: pl.DataFrame, hourly: Sequence[Sequence[int]]) -> tuple[RankedArticle, ...]:
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
        for rank, (row, hours) in enumerate(zip(most.iter_rows(named=True), hourly, strict=True), start=1)
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
