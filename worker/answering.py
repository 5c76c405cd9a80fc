"""A day's or a week's answers: from the database alone, any number of times, saved if nothing changed meanwhile."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from models.answer import Answer, Period, Universe
from models.category import CategoryAnswer
from models.dump_run import DumpState
from models.project import Project
from models.version import VERSION
from worker.context import Context
from worker.ranking.articles import rank_articles, rank_category
from worker.ranking.counted import Counted, check_sums
from worker.ranking.logged_titles import rank_logged_titles
from worker.store import days, ledger, requests, snapshots, wikis
from worker.store.answers import save_answer
from worker.store.blocks import load_index
from worker.store.database import may_pass, reading, writing
from worker.store.ledger import CountedHour
from worker.store.requests import Request
from worker.store.siteinfo import load_siteinfo
from worker.together import keep_together

if TYPE_CHECKING:
    from sqlmodel import Session

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A ranking, and the counted hours that it was made from."""

    answer: Answer
    fingerprint: str


def rank_period(context: Context, project: Project, period: Period, universe: Universe) -> Answer | None:
    """Rank what is counted now and save it; done again for as long as something changes meanwhile.

    Returns:
        The answer, or None where articles are to be ranked and the wiki's index is not there yet. The day waits for it
        in the database: whoever builds the index ranks it.

    Raises:
        SumLawBroken: the ranking lost views.
        sqlalchemy.exc.DBAPIError: the database failed.
        Whatever it is, the answer that was stored before stays, and the database tells why there is no newer one.
    """
    try:
        return _rank_and_save(context, project, period, universe)
    except Exception as error:
        if not may_pass(error):
            with writing(context.engine) as session:
                requests.note_trouble(session, project, period, universe, f"{type(error).__name__}: {error}")
        raise


def _rank_and_save(context: Context, project: Project, period: Period, universe: Universe) -> Answer | None:
    while True:
        keep_together(context, project, period)
        ranked = _rank(context, project, period, universe)
        if ranked is None:
            _log.info("%s %s waits for the wiki's index.", project, period)
            return None
        if _saved(context, project, universe, ranked):
            return ranked.answer
        _log.info("%s %s: what it is ranked from changed meanwhile; ranking again.", project, period)


def _saved(context: Context, project: Project, universe: Universe, ranked: _Ranked) -> bool:
    answer = ranked.answer
    with writing(context.engine) as session:
        # Nobody's index is dropped that is wanted, but it may not have been wanted for a moment while it was read.
        if answer.snapshot and snapshots.snapshot_state(session, project, answer.snapshot)[0] is not DumpState.DONE:
            return False
        if not save_answer(session, project, universe, answer, ranked.fingerprint):
            return False
        snapshots.drop_unused(session, project, wikis.runs_to_keep(session, project))
    return True


def is_late(context: Context, project: Project, period: Period, universe: Universe) -> bool:
    """Whether there is no answer yet, or one of other hours or another snapshot than those of now."""
    with reading(context.engine) as session:
        found = requests.find_request(session, project, period, universe)
        return found is None or bool(requests.out_of_date(session, [found]))


def note_unranked(context: Context, project: Project, period: Period, universe: Universe, reason: str) -> None:
    """Note why an answer could not be ranked, if it is out of date and not for want of an index."""
    with writing(context.engine) as session:
        found = requests.find_request(session, project, period, universe)
        if found and requests.out_of_date(session, [found]) and not requests.wait_for_snapshot(session, found):
            requests.note_trouble(session, project, period, universe, reason)


def weeks_to_rank(context: Context, project: Project, day: dt.date, universe: Universe) -> tuple[dt.date, ...]:
    """First days of the weeks that hold this day and can be ranked now, all their days being up to date."""
    with reading(context.engine) as session:
        weeks = requests.weeks_around(session, project, day, universe)
        return tuple(week.period.first for week in weeks if requests.can_be_ranked(session, week))


def periods_to_rank(context: Context, project: Project) -> tuple[Request, ...]:
    """The wiki's answers by articles that are out of date and wait for no hour, no index and no day."""
    with reading(context.engine) as session:
        wanted = [
            found
            for found in requests.all_requests(session)
            if found.project == project and found.universe is Universe.ARTICLES
        ]
        stale = requests.out_of_date(session, wanted)
        return tuple(found for found in stale if requests.can_be_ranked(session, found))


def rank_one_category(context: Context, project: Project, period: Period, name: str) -> CategoryAnswer | None:
    """The views of one category and its articles, computed now from what is counted; nothing is saved.

    Args:
        context: of this process.
        project: the wiki.
        period: a day or a week that was asked for.
        name: the category's, with blanks or ``_``, with or without ``Category:``.

    Returns:
        The answer, or None where the period was not asked for by articles or its index is not there yet.

    Raises:
        UnknownCategory: no article of the snapshot is in such a category.
    """
    with reading(context.engine) as session:
        hours = ledger.counted_hours(session, project, period)
        found = requests.find_request(session, project, period, Universe.ARTICLES)
        run = found.wanted_snapshot if found else None
        index = load_index(context.engine, project, run) if run else None
        return rank_category(_counted(session, project, period, hours), index, name) if index else None


def _rank(context: Context, project: Project, period: Period, universe: Universe) -> _Ranked | None:
    # To the end of the ranking, because the views are read while they are ranked, and must be those of these hours.
    with reading(context.engine) as session:
        hours = ledger.counted_hours(session, project, period)
        counted = _counted(session, project, period, hours)
        found = requests.find_request(session, project, period, universe)
        run = found.wanted_snapshot if found else None
        if requests.ranked_by_titles(session, project, universe, run):
            siteinfo = load_siteinfo(session, project)
            answer = rank_logged_titles(counted, siteinfo, computed_at=context.now(), version=VERSION)
        else:
            index = load_index(context.engine, project, run) if run else None
            if index is None:
                return None
            answer = rank_articles(counted, index, computed_at=context.now(), version=VERSION)
    check_sums(answer, sum(hour.views for hour in hours))
    return _Ranked(answer, ledger.fingerprint(hours))


def _counted(session: Session, project: Project, period: Period, hours: Sequence[CountedHour]) -> Counted:
    return Counted(
        project=project,
        period=period,
        counted_hours=frozenset(counted.hour for counted in hours),
        malformed_lines=sum(counted.malformed for counted in hours),
        day=partial(days.day_slices, session, project),
    )
