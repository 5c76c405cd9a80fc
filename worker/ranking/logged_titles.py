"""The ranking of literal logged titles, for which no page table is needed."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from models.answer import STORED_DEPTH, Answer, LeastArticle, LeastRequested, RankedArticle, Universe
from models.siteinfo import Siteinfo
from models.title import title_text
from worker.ahead import ahead
from worker.ranking.counted import Counted, RowsOf, Stretch, Sums, Tallied, flag_of, hourly_views_in, sums_by_rule
from worker.wiki.titles import excluding_rules


def rank_logged_titles(counted: Counted, siteinfo: Siteinfo, *, computed_at: dt.datetime, version: str) -> Answer:
    """Rank the literal logged titles, less those that are excluded by their name alone."""
    tallied, lists = Tallied(), _Lists()
    for part in ahead(partial(_considered, siteinfo=siteinfo), counted.stretches()):
        tallied.add(part.sums)
        lists.add(part)
    return Answer(
        project=counted.project.name,
        period=counted.period,
        universe=Universe.LOGGED_TITLES,
        missing_hours=counted.missing_hours,
        snapshot=None,
        namespaces=siteinfo.origin,
        project_views=tallied.project_views,
        article_views=tallied.ranked.views,
        excluded=tallied.excluded,
        malformed_lines=counted.malformed_lines,
        articles_requested=tallied.ranked.titles,
        most_requested=lists.most_requested(),
        least_requested=lists.least_requested(),
        top_categories=None,
        computed_at=computed_at,
        wikiq=version,
    )


class _Row(NamedTuple):
    title: bytes
    desktop: int
    mobile: int
    views: int


@dataclass(frozen=True, slots=True)
class _Considered:
    """What a stretch has for the ranking. Each is worked out by itself, so that several threads can.

    Attributes:
        stretch: of these titles.
        sums: of its titles, by rule.
        most: its most requested titles, in order, as many as may be stored.
        fewest: those of its titles that have the fewest views, in order, as many as may be stored.
        tied: how many have.
    """

    stretch: Stretch
    sums: Sequence[Sums]
    most: pl.DataFrame
    fewest: pl.DataFrame
    tied: int


def _considered(stretch: Stretch, siteinfo: Siteinfo) -> _Considered:
    views = (pl.col("desktop") + pl.col("mobile")).alias("views")
    rows = stretch.total.with_columns(views, excluding_rules(stretch.total["title"], siteinfo))
    ranked = rows.filter(pl.col("rule").is_null()).drop("rule")
    fewest = ranked.filter(pl.col("views") == pl.col("views").min())
    sums = tuple(sums_by_rule(rows))
    return _Considered(stretch, sums, _most(ranked), fewest.head(STORED_DEPTH), len(fewest))


def _most(ranked: pl.DataFrame) -> pl.DataFrame:
    """The rows with the most views; the title's bytes decide among equals, also about who is still in the list."""
    enough = ranked["views"].top_k(STORED_DEPTH).min()
    candidates = ranked.filter(pl.col("views") >= pl.lit(enough, dtype=pl.UInt64))
    return candidates.sort(["views", "title"], descending=[True, False]).head(STORED_DEPTH)


class _Lists:
    """The most and the least requested titles of all stretches that were added so far, in the order of their titles.

    Of the most requested the hours are kept, too: while a stretch is at hand they cost next to nothing; to look for
    them once the list is known would mean to unpack everything again.
    """

    def __init__(self) -> None:
        self._most: list[tuple[_Row, Sequence[int]]] = []
        self._least: list[_Row] = []
        self._tied = 0

    def add(self, part: _Considered) -> None:
        # Little of polars here: its threads have much to do for the next stretches, and each step would wait its turn.
        self._add_to_most(part.most, part.stretch)
        if len(part.fewest):
            self._add_to_least(part.fewest, part.tied)

    def _add_to_most(self, found: pl.DataFrame, stretch: Stretch) -> None:
        if len(self._most) == STORED_DEPTH:
            last, _ = self._most[-1]
            # Among equals a later title, as these are, comes later.
            found = found[: int(np.count_nonzero(found["views"].to_numpy() > last.views))]
        if found.is_empty():
            return
        rows = list(map(_Row._make, found.iter_rows()))
        hourly = hourly_views_in(stretch, _rows_of(rows), len(rows)).tolist()
        most = [*self._most, *zip(rows, hourly, strict=True)]
        self._most = sorted(most, key=lambda row: (-row[0].views, row[0].title))[:STORED_DEPTH]

    def _add_to_least(self, found: pl.DataFrame, tied: int) -> None:
        views, known = found["views"][0], self._least[0].views if self._least else None
        if known is None or views < known:
            self._least, self._tied = [], 0
        if known is None or views <= known:
            self._tied += tied
            self._least += map(_Row._make, found[: STORED_DEPTH - len(self._least)].iter_rows())

    def most_requested(self) -> tuple[RankedArticle, ...]:
        return tuple(
            RankedArticle(
                rank=rank,
                title=title_text(row.title),
                views=row.views,
                desktop=row.desktop,
                mobile=row.mobile,
                through_redirects=0,
                hourly=tuple(hourly),
                flag=flag_of(row.desktop, row.mobile, hourly),
            )
            for rank, (row, hourly) in enumerate(self._most, start=1)
        )

    def least_requested(self) -> LeastRequested | None:
        articles = tuple(
            LeastArticle(title_text(row.title), row.views, row.desktop, row.mobile, through_redirects=0)
            for row in self._least
        )
        return LeastRequested(articles[0].views, self._tied, unrequested=None, articles=articles) if articles else None


def _rows_of(wanted: Sequence[_Row]) -> RowsOf:
    """The places of these titles in their list."""
    ordered = sorted((row.title, place) for place, row in enumerate(wanted))

    def rows_of(titles: pl.Series) -> npt.NDArray[np.int64]:
        rows = np.full(len(titles), -1, dtype=np.int64)
        at = 0
        for title, place in ordered:
            at = bisect_left(titles, title, at)
            if at < len(titles) and titles[at] == title:
                rows[at] = place
        return rows

    return rows_of
