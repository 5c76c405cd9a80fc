"""The ranking of literal logged titles, for which no page table is needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from models.answer import STORED_DEPTH, Answer, LeastArticle, LeastRequested, RankedArticle, Universe
from models.siteinfo import Siteinfo
from models.title import title_text
from worker.ahead import ahead
from worker.block import compact
from worker.ranking.counted import Counted, RowsOf, Tallied, flag_of, hourly_views
from worker.tally import empty_tally
from worker.wiki.titles import excluding_rules


def rank_logged_titles(counted: Counted, siteinfo: Siteinfo, *, computed_at: dt.datetime, version: str) -> Answer:
    """Rank the literal logged titles, less those that are excluded by their name alone."""
    tallied, lists = Tallied(), _Lists()
    for rows in ahead(partial(_ruled, siteinfo=siteinfo), counted.totals()):
        tallied.add(rows)
        lists.add(rows.filter(pl.col("rule").is_null()).drop("rule"))
    most = lists.most
    return Answer(
        project=counted.project.name,
        period=counted.period,
        universe=Universe.LOGGED_TITLES,
        missing_hours=counted.missing_hours,
        snapshot=None,
        namespaces=siteinfo.origin,
        project_views=tallied.project_views,
        article_views=lists.views,
        excluded=tallied.excluded,
        malformed_lines=counted.malformed_lines,
        articles_requested=lists.titles,
        most_requested=_ranked_articles(most, hourly_views(_rows_of(most), len(most), counted).tolist()),
        least_requested=lists.least_requested(),
        top_categories=None,
        computed_at=computed_at,
        wikiq=version,
    )


def _ruled(total: pl.DataFrame, siteinfo: Siteinfo) -> pl.DataFrame:
    views = (pl.col("desktop") + pl.col("mobile")).alias("views")
    return total.with_columns(views, excluding_rules(total["title"], siteinfo))


class _Lists:
    """The most and the least requested of all rows that were added so far, which come in the order of their titles."""

    def __init__(self) -> None:
        self.views = self.titles = self.tied = 0
        self.most = self.least = empty_tally().with_columns(pl.lit(0, dtype=pl.UInt64).alias("views"))

    def add(self, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return
        self.views += int(rows["views"].sum())
        self.titles += len(rows)
        self.most = compact(_most(pl.concat([self.most, rows])))
        fewest = rows.filter(pl.col("views") == pl.col("views").min())
        known, found = self.least["views"].min(), fewest["views"][0]
        if known is None or found < known:
            self.least, self.tied = fewest.clear(), 0
        if known is None or found <= known:
            self.tied += len(fewest)
            self.least = compact(pl.concat([self.least, fewest]).head(STORED_DEPTH))

    def least_requested(self) -> LeastRequested | None:
        if self.least.is_empty():
            return None
        articles = tuple(
            LeastArticle(title_text(row["title"]), row["views"], row["desktop"], row["mobile"], through_redirects=0)
            for row in self.least.iter_rows(named=True)
        )
        return LeastRequested(articles[0].views, self.tied, unrequested=None, articles=articles)


def _most(ranked: pl.DataFrame) -> pl.DataFrame:
    """The rows with the most views; the title's bytes decide among equals, also about who is still in the list."""
    depth = min(STORED_DEPTH, len(ranked))
    candidates = ranked.filter(pl.col("views") >= ranked["views"].top_k(depth).min())
    return candidates.sort(["views", "title"], descending=[True, False]).head(STORED_DEPTH)


def _rows_of(most: pl.DataFrame) -> RowsOf:
    wanted = most.select("title").with_row_index("row")

    def rows_of(titles: pl.Series) -> npt.NDArray[np.int64]:
        rows = np.full(len(titles), -1, dtype=np.int64)
        found = titles.to_frame("title").with_row_index("at").join(wanted, on="title")
        rows[found["at"].to_numpy()] = found["row"].to_numpy()
        return rows

    return rows_of


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
