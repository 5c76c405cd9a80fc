"""A day's or a week's answers: from the database alone, any number of times, saved if nothing changed meanwhile."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence

import polars as pl

from models.answer import Answer, Period, Universe
from models.hour import DAYS_IN_WEEK, Hour, days_between
from models.project import Project
from models.version import VERSION
from worker.context import Context
from worker.ranking import Counted, rank_logged_titles
from worker.store import ledger, requests, tallies
from worker.store.answers import save_answer
from worker.store.database import reading, writing
from worker.store.ledger import CountedHour
from worker.store.siteinfo import load_siteinfo
from worker.tally import merge

_RANKINGS = {Universe.LOGGED_TITLES: rank_logged_titles}

_log = logging.getLogger(__name__)


def rank_period(context: Context, project: Project, period: Period, universe: Universe) -> Answer:
    """Rank what is counted now and save it; done again for as long as hours are counted meanwhile.

    Raises:
        sqlalchemy.exc.DBAPIError: the database failed; the answer that was stored before stays.
    """
    while True:
        hours, total, answer = _rank(context, project, period, universe)
        with writing(context.engine) as session:
            if save_answer(session, project, answer, ledger.fingerprint(hours)):
                if not period.is_week:
                    tallies.save_day_tally(session, project, period.first, ledger.fingerprint(hours), total)
                return answer
        _log.info("%s %s: an hour was counted meanwhile; ranking again.", project, period)


def weeks_to_rank(context: Context, project: Project, day: dt.date, universe: Universe) -> tuple[dt.date, ...]:
    """First days of the weeks that hold this day, were asked for, are ranked day by day, and wait for no hour."""
    with reading(context.engine) as session:
        return tuple(
            request.period.first
            for request in requests.weeks_around(session, project, day, universe)
            if requests.days_ranked(session, project, request.period, universe) == DAYS_IN_WEEK
            and not ledger.waiting(session, project, request.period)
        )


def _rank(
    context: Context, project: Project, period: Period, universe: Universe
) -> tuple[tuple[CountedHour, ...], pl.DataFrame, Answer]:
    with reading(context.engine) as session:
        hours = ledger.counted_hours(session, project, period)
        siteinfo = load_siteinfo(session, project)
    total = merge(_daily(context, project, period, hours))
    counted = Counted(
        project=project,
        period=period,
        counted_hours=frozenset(counted.hour for counted in hours),
        malformed_lines=sum(counted.malformed for counted in hours),
        total=total,
        hourly=lambda: _hourly(context, project, hours),
    )
    return hours, total, _RANKINGS[universe](counted, siteinfo, computed_at=context.now(), version=VERSION)


def _daily(context: Context, project: Project, period: Period, hours: Sequence[CountedHour]) -> Iterator[pl.DataFrame]:
    """Each day's tally: the stored one if it is of exactly these hours, else added up from them."""
    for day in days_between(period.first, period.last):
        of_day = [counted for counted in hours if counted.hour.day == day]
        with reading(context.engine) as session:
            stored = tallies.day_tally(session, project, day, ledger.fingerprint(of_day))
        yield merge(tally for _, tally in _hourly(context, project, of_day)) if stored is None else stored


def _hourly(context: Context, project: Project, hours: Sequence[CountedHour]) -> Iterator[tuple[Hour, pl.DataFrame]]:
    with reading(context.engine) as session:
        yield from tallies.hour_tallies(session, project, (counted.hour for counted in hours))
