"""What was counted in a period, and what every ranking takes from it, whatever its universe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from models.answer import Answer, Excluded, Flag, Period, Rule
from models.errors import SumLawBroken
from models.hour import Hour, days_between, hours_of
from models.project import Project

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

    @property
    def missing_hours(self) -> tuple[Hour, ...]:
        """The hours of the period that were not counted, in order."""
        return tuple(hour for hour in hours_in(self.period) if hour not in self.counted_hours)


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


def hourly_views(wanted: pl.DataFrame, rows: int, counted: Counted) -> npt.NDArray[np.uint64]:
    """Views per hour of some rows of a ranking.

    Args:
        wanted: ``title`` (Binary, the literal logged title) and ``row``; several titles may belong to one row.
        rows: how many rows there are.
        counted: what was counted.

    Returns:
        One line per row, one column for each hour of the period.
    """
    place = {hour: column for column, hour in enumerate(hours_in(counted.period))}
    views = np.zeros((rows, len(place)), dtype=np.uint64)
    for hour, tally in counted.hourly():
        found = wanted.join(tally, on="title")
        np.add.at(views[:, place[hour]], found["row"].to_numpy(), (found["desktop"] + found["mobile"]).to_numpy())
    return views


def excluded(rows: pl.DataFrame) -> tuple[Excluded, ...]:
    """Views and titles per rule, for rows with ``rule`` and ``views``; in the order of the rules."""
    by_rule = (
        rows.filter(pl.col("rule").is_not_null())
        .group_by("rule")
        .agg(pl.col("views").sum(), pl.len().alias("titles"))
        .rows_by_key("rule", unique=True)
    )
    return tuple(Excluded(rule, *by_rule[rule]) for rule in Rule if rule in by_rule)


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
