"""What was counted in a period, and what every ranking takes from it, whatever its universe."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from models.answer import Answer, Excluded, Flag, Period, Rule
from models.errors import SumLawBroken
from models.hour import HOURS_IN_DAY, Hour, days_between, hours_of
from models.project import Project
from worker.ahead import ahead, some_threads
from worker.day import DaySlice, Places, Slice, Views
from worker.streams import STEP_ROWS, aligned
from worker.tally import tally_of

T = TypeVar("T")

FLAGGED_SHARE_VIEWS = 1_000
FLAGGED_SHARE = 0.05
FLAGGED_BURST_VIEWS = 10_000

Hourly = npt.NDArray[np.uint64]
Slices = Sequence[Sequence[DaySlice]]
"""For each day of a period what it has of some titles, in no, one or several slices."""
RowsOf = Callable[[pl.Series], npt.NDArray[np.int64]]
"""Logged titles (Binary) -> for each the row of a ranking that its views belong to, -1 for none."""


class Sums(NamedTuple):
    """Views and titles that one rule excludes, or that none does."""

    rule: Rule | None
    views: int
    titles: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """All titles between one title and another, and their views in a period.

    Attributes:
        total: the tally of the period.
        days: what each day of the period has of these titles.
    """

    total: pl.DataFrame
    days: Slices


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

    def stretches(self) -> Iterator[Stretch]:
        """All that was counted, stretch by stretch, in the order of the titles."""
        return self._walked(_stretch)

    def totals(self) -> Iterator[pl.DataFrame]:
        """The tally of all that was counted, as a stream."""
        return self._walked(_total)

    def _walked(self, work: Callable[[Slices], T]) -> Iterator[T]:
        with some_threads() as threads:
            if len(self.days) == 1:
                yield from ahead(lambda views: work([[views()]]), self.day(self.days[0]), threads, 1)
            else:
                days = [ahead(_made, self.day(day), threads, 1) for day in self.days]
                yield from ahead(work, aligned(days, attrgetter("titles"), STEP_ROWS), threads, 1)


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


def hourly_views(rows_of: RowsOf, rows: int, counted: Counted) -> Hourly:
    """Views per hour of some rows of a ranking.

    Args:
        rows_of: says which row a title belongs to; several titles may belong to one row.
        rows: how many rows there are.
        counted: what was counted.

    Returns:
        One line per row, one column for each hour of the period.
    """
    views = _no_views(rows, len(counted.days))
    for number, day in enumerate(counted.days):
        for places, found in ahead(lambda made: _of_rows(rows_of, made()), counted.day(day)):
            np.add.at(views[:, number], places, found)
    return _by_hour(views)


def hourly_views_in(stretch: Stretch, rows_of: RowsOf, rows: int) -> Hourly:
    """The same of one stretch."""
    views = _no_views(rows, len(stretch.days))
    for number, slices in enumerate(stretch.days if rows else ()):
        for part in slices:
            places, found = _of_rows(rows_of, part)
            np.add.at(views[:, number], places, found)
    return _by_hour(views)


def _no_views(rows: int, days: int) -> Hourly:
    return np.zeros((rows, days, HOURS_IN_DAY), dtype=np.uint64)


def _by_hour(views: Hourly) -> Hourly:
    rows, days, hours = views.shape
    return views.reshape(rows, days * hours)


def _made(views: Slice) -> DaySlice:
    return views()


def _stretch(days: Slices) -> Stretch:
    return Stretch(_total(days), days)


def _total(days: Slices) -> pl.DataFrame:
    totals = [views.total() for views in chain.from_iterable(days)]
    return tally_of(pl.concat(totals)) if len(totals) > 1 else totals[0]


def _of_rows(rows_of: RowsOf, some: DaySlice) -> tuple[tuple[Places, Places], Views]:
    """Row and hour, and the views there, of a slice's titles that belong to a row."""
    row = rows_of(some.titles)
    chosen = row >= 0
    numbers, hours, found = some.some(chosen)
    return (row[chosen][numbers], hours), found


def sums_by_rule(rows: pl.DataFrame) -> Iterator[Sums]:
    """Add up rows with ``views``, and with the ``rule`` that excludes them or null."""
    for rule, views, titles in rows.group_by("rule").agg(pl.col("views").sum(), titles=pl.len()).iter_rows():
        yield Sums(rule and Rule(rule), views, titles)


@dataclass(slots=True)
class Tallied:
    """Sums of views and titles, added up by the rule that excludes them, if one does."""

    _by_rule: dict[Rule | None, Sums] = field(default_factory=dict)

    def add(self, sums: Iterable[Sums]) -> None:
        for rule, views, titles in sums:
            before = self._by_rule.get(rule, Sums(rule, 0, 0))
            self._by_rule[rule] = Sums(rule, before.views + views, before.titles + titles)

    @property
    def project_views(self) -> int:
        return sum(sums.views for sums in self._by_rule.values())

    @property
    def ranked(self) -> Sums:
        """Of all that no rule excludes."""
        return self._by_rule.get(None, Sums(None, 0, 0))

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """In the order of the rules."""
        found = (self._by_rule.get(rule) for rule in Rule)
        return tuple(
            Excluded(sums.rule, sums.views, sums.titles) for sums in found if sums and sums.rule and sums.titles
        )


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
