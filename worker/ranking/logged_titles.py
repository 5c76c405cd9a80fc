"""The ranking of literal logged titles, for which no page table is needed."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
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
    for part in ahead(lambda stretch: _considered(stretch, siteinfo, lists.bar), counted.stretches()):
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


class _Requested(NamedTuple):
    """One of the most requested titles, with its views in each hour of the period."""

    row: _Row
    hourly: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Considered:
    """What a stretch has for the ranking. Each is worked out by itself, so that several threads can.

    Attributes:
        sums: of its titles, by rule.
        most: its most requested titles, in order, as many as may be stored.
        fewest: those of its titles that have the fewest views, in order, as many as may be stored.
        tied: how many have.
    """

    sums: Sequence[Sums]
    most: Sequence[_Requested]
    fewest: Sequence[_Row]
    tied: int


def _considered(stretch: Stretch, siteinfo: Siteinfo, bar: int) -> _Considered:
    """Look through a stretch; of titles with no more views than ``bar`` none is among the most requested."""
    views = (pl.col("desktop") + pl.col("mobile")).alias("views")
    rows = stretch.total.with_columns(views, excluding_rules(stretch.total["title"], siteinfo))
    ranked = rows.filter(pl.col("rule").is_null()).drop("rule")
    fewest = ranked.filter(pl.col("views") == pl.col("views").min())
    most = _rows(_most(ranked.filter(pl.col("views") > bar)))
    # While the stretch is at hand the hours cost next to nothing; to look for them once it is known who is among the
    # most requested of all would mean to unpack everything again.
    hourly = hourly_views_in(stretch, _rows_of(most), len(most)).tolist()
    return _Considered(
        sums=tuple(sums_by_rule(rows)),
        most=tuple(map(_Requested, most, hourly)),
        fewest=_rows(fewest.head(STORED_DEPTH)),
        tied=len(fewest),
    )


def _most(ranked: pl.DataFrame) -> pl.DataFrame:
    """The rows with the most views; the title's bytes decide among equals, also about who is still in the list."""
    enough = ranked["views"].top_k(STORED_DEPTH).min()
    candidates = ranked.filter(pl.col("views") >= pl.lit(enough, dtype=pl.UInt64))
    return candidates.sort(["views", "title"], descending=[True, False]).head(STORED_DEPTH)


def _rows(frame: pl.DataFrame) -> Sequence[_Row]:
    return tuple(map(_Row._make, frame.iter_rows()))


class _Lists:
    """The most and the least requested titles of all stretches that were added so far, in the order of their titles.

    ``bar`` is what a later title's views must exceed to be among the most requested; it only rises.
    """

    def __init__(self) -> None:
        self.bar = 0
        self._most: Sequence[_Requested] = ()
        self._least: Sequence[_Row] = ()
        self._tied = 0

    def add(self, part: _Considered) -> None:
        self._add_to_most(part.most)
        if part.fewest:
            self._add_to_least(part.fewest, part.tied)

    def _add_to_most(self, found: Sequence[_Requested]) -> None:
        # As the titles come in order and the sort is stable, the smaller title comes first among equals.
        self._most = sorted([*self._most, *found], key=lambda one: one.row.views, reverse=True)[:STORED_DEPTH]
        if len(self._most) == STORED_DEPTH:
            self.bar = self._most[-1].row.views

    def _add_to_least(self, found: Sequence[_Row], tied: int) -> None:
        if not self._least or found[0].views < self._least[0].views:
            self._least, self._tied = (), 0
        if not self._least or found[0].views == self._least[0].views:
            self._tied += tied
            self._least = (*self._least, *found)[:STORED_DEPTH]

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
