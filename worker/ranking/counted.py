"""What was counted in a period, and what every ranking takes from it, whatever its universe."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from models.answer import Answer, Excluded, Flag, Period, Rule
from models.errors import SumLawBroken
from models.hour import HOURS_IN_DAY, Hour, days_between, hours_of
from models.project import Project
from worker.ahead import ahead, some_threads
from worker.day import Places, Slice, Views
from worker.streams import merged

FLAGGED_SHARE_VIEWS = 1_000
FLAGGED_SHARE = 0.05
FLAGGED_BURST_VIEWS = 10_000

RowsOf = Callable[[pl.Series], npt.NDArray[np.int64]]
"""Logged titles (Binary) -> for each the row of a ranking that its views belong to, -1 for none."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted for a project and a period.

    ``day`` gives the views of one of its days, slice by slice, and may be called more than once.
    """

    project: Project
    period: Period
    counted_hours: frozenset[Hour]
    malformed_lines: int
    day: Callable[[dt.date], Iterable[Slice]]

    @property
    def missing_hours(self) -> tuple[Hour, ...]:
        """The hours of the period that were not counted, in order."""
        return tuple(hour for hour in hours_in(self.period) if hour not in self.counted_hours)

    @property
    def days(self) -> tuple[dt.date, ...]:
        return tuple(days_between(self.period.first, self.period.last))

    def totals(self) -> Iterator[pl.DataFrame]:
        """The tally of all counted hours, as a stream."""
        with some_threads() as threads:
            yield from merged([ahead(_total, self.day(day), threads, 1) for day in self.days], threads)


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


def hourly_views(rows_of: RowsOf, rows: int, counted: Counted) -> npt.NDArray[np.uint64]:
    """Views per hour of some rows of a ranking.

    Args:
        rows_of: says which row a title belongs to; several titles may belong to one row.
        rows: how many rows there are.
        counted: what was counted.

    Returns:
        One line per row, one column for each hour of the period.
    """
    views = np.zeros((rows, len(counted.days), HOURS_IN_DAY), dtype=np.uint64)
    for number, day in enumerate(counted.days):
        for places, found in ahead(partial(_of_rows, rows_of), counted.day(day)):
            np.add.at(views[:, number], places, found)
    return views.reshape(rows, len(counted.days) * HOURS_IN_DAY)


def _total(views: Slice) -> pl.DataFrame:
    return views().total()


def _of_rows(rows_of: RowsOf, views: Slice) -> tuple[tuple[Places, Places], Views]:
    """Row and hour, and the views there, of a slice's titles that belong to a row."""
    some = views()
    row = rows_of(some.titles)
    chosen = row >= 0
    numbers, hours, found = some.some(chosen)
    return (row[chosen][numbers], hours), found


@dataclass(slots=True)
class Tallied:
    """Views and titles of a stream's rows, added up by the rule that excludes them, if one does."""

    project_views: int = 0
    _by_rule: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows with ``rule``, null where none excludes them, and ``views``."""
        self.project_views += int(rows["views"].sum())
        found = rows.filter(pl.col("rule").is_not_null()).group_by("rule").agg(pl.col("views").sum(), titles=pl.len())
        for rule, views, titles in found.iter_rows():
            before = self._by_rule.get(rule, (0, 0))
            self._by_rule[rule] = (before[0] + views, before[1] + titles)

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """In the order of the rules."""
        return tuple(Excluded(rule, *self._by_rule[rule]) for rule in Rule if rule in self._by_rule)


def check_sums(answer: Answer, project_views: int) -> None:
    """Make sure that every view of the project is in the answer, once.

    Args:
        answer: a ranking.
        project_views: what the ledger's hours add up to, which no ranking had a hand in.

    Raises:
        SumLawBroken: views were lost or counted twice; the answer must not be stored.
    """
    ranked = answer.article_views + sum(row.views for row in answer.excluded)
    if not ranked == answer.project_views == project_views:
        raise SumLawBroken(
            f"{answer.project} {answer.period}: {project_views} views were counted, but {answer.article_views} of "
            f"articles and the excluded ones make {ranked}. This is an error in wikiq; nothing was stored."
        )
