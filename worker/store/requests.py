"""Answers that were asked for, and which of them are out of date."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from models.answer import Period, Universe
from models.dump_run import DumpState
from models.hour import DAYS_IN_WEEK, days_between
from models.project import Project, parse_project
from models.tables import AnswerRow
from worker.store.database import serialise
from worker.store.ledger import CountedHour, counted_hours, fingerprint, waiting
from worker.store.reason import kept_reason
from worker.store.siteinfo import namespaces_origin
from worker.store.snapshots import snapshot_state
from worker.store.upsert import insert_missing
from worker.store.wikis import load_wiki, want_wiki


@dataclass(frozen=True, slots=True)
class Request:
    """An answer that was asked for, and what it was last ranked from: hours, snapshot, namespaces.

    ``wanted_snapshot`` is the run to rank articles by, None until one is chosen. ``source`` is where its hours are to
    be fetched, None where that is left to the worker; ``trouble`` says why the last ranking failed.
    """

    project: Project
    period: Period
    universe: Universe
    fingerprint: str | None
    namespaces: str | None
    snapshot: dt.date | None
    wanted_snapshot: dt.date | None
    source: str | None
    trouble: str | None


def request_answers(
    session: Session,
    projects: Iterable[Project],
    periods: Iterable[Period],
    universe: Universe,
    source: str | None = None,
    snapshot: dt.date | None = None,
) -> None:
    """Note that these answers are wanted, and from where; figures that are known already stay as they are.

    Articles are ranked by the given snapshot. Without one, the run that was chosen before stays, unless its index could
    not be had: then one is chosen anew.
    """
    serialise(session)
    wanted = list(periods)
    for project in projects:
        for period in wanted:
            key = insert_answer(session, project, period, universe)
            session.execute(update(AnswerRow).filter_by(**key).values(source=source, trouble=None))
            if universe is Universe.ARTICLES:
                _want_snapshot(session, project, key, snapshot)
        if universe is Universe.ARTICLES:
            want_wiki(session, project, source)


def note_trouble(session: Session, project: Project, period: Period, universe: Universe, reason: str) -> None:
    """Note why an answer could not be ranked; it is not expected any more until it is asked for again."""
    key = key_of_answer(project, period, universe)
    session.execute(update(AnswerRow).filter_by(**key).values(trouble=kept_reason(reason)))


def forget_troubles(session: Session) -> None:
    """Let every ranking that failed be tried again."""
    session.execute(update(AnswerRow).values(trouble=None))


def key_of_answer(project: Project, period: Period, universe: Universe) -> dict[str, Any]:
    """The columns that name an answer."""
    return {"project": project.name, "first_day": period.first, "days": period.days, "universe": universe}


def insert_answer(session: Session, project: Project, period: Period, universe: Universe) -> dict[str, Any]:
    """Make room for an answer, unless there is; gives the columns that name it."""
    key = key_of_answer(project, period, universe)
    insert_missing(session, AnswerRow, [{**key, "has_categories": False}])
    return key


def all_requests(session: Session) -> tuple[Request, ...]:
    """Every answer that was ever asked for, oldest period first, days before weeks."""
    rows = session.exec(
        select(AnswerRow).order_by(col(AnswerRow.first_day), col(AnswerRow.days), col(AnswerRow.project))
    )
    return tuple(_request(row) for row in rows)


def out_of_date(session: Session, wanted: Iterable[Request]) -> tuple[Request, ...]:
    """Those of the requests whose answer was not ranked from today's hours, snapshot and namespaces."""
    asked = tuple(wanted)
    counted = _counted(session, [request for request in asked if request.fingerprint is not None])
    origin = cache(partial(namespaces_origin, session))

    def is_current(request: Request) -> bool:
        days = days_between(request.period.first, request.period.last)
        hours = chain.from_iterable(counted.get((request.project, day), ()) for day in days)
        return request.fingerprint == fingerprint(hours) and _has_its_basis(session, request, origin)

    return tuple(request for request in asked if request.fingerprint is None or not is_current(request))


def ranked_by_titles(session: Session, project: Project, universe: Universe, snapshot: dt.date | None) -> bool:
    """Whether a ranking is by logged titles: because that was asked for, or because the wiki has no dumps.

    An answer for which a snapshot is chosen already is not: a wiki's listing may be away for a while.
    """
    if universe is Universe.LOGGED_TITLES:
        return True
    if snapshot is not None:
        return False
    wiki = load_wiki(session, project)
    return wiki is not None and wiki.state is DumpState.NO_DUMPS


def wait_for_snapshot(session: Session, request: Request) -> tuple[DumpState, str | None] | None:
    """Why an answer cannot be ranked yet, for want of an index; None where that is no obstacle."""
    if _by_titles(session, request):
        return None
    if request.wanted_snapshot is None:
        wiki = load_wiki(session, request.project)
        return (wiki.state, wiki.reason) if wiki and wiki.state.is_trouble else (DumpState.WAITING, None)
    state, reason = snapshot_state(session, request.project, request.wanted_snapshot)
    return None if state is DumpState.DONE else (state, reason)


def will_be_ranked(session: Session, found: Request) -> bool:
    """Whether an answer that is out of date will be ranked without being asked for again.

    It will not while an hour of it is waiting (then that is what is waited for), if ranking it failed, or if its index,
    or that of one of a week's days, cannot be had.
    """
    if found.trouble or waiting(session, found.project, found.period):
        return False
    needed = (found, *days_within(session, found)) if found.period.is_week else (found,)
    waits = [wait_for_snapshot(session, part) for part in needed]
    return not any(part.trouble for part in needed) and not any(wait and wait[0].is_trouble for wait in waits)


def can_be_ranked(session: Session, found: Request) -> bool:
    """Whether an answer waits for nothing: no hour, no index and, where it is a week's, no day."""
    if waiting(session, found.project, found.period) or wait_for_snapshot(session, found):
        return False
    if not found.period.is_week:
        return True
    days = days_within(session, found)
    return len(days) == DAYS_IN_WEEK and not out_of_date(session, days)


def find_request(session: Session, project: Project, period: Period, universe: Universe) -> Request | None:
    """What was asked for, if it was."""
    row = session.exec(select(AnswerRow).filter_by(**key_of_answer(project, period, universe))).first()
    return _request(row) if row else None


def weeks_around(session: Session, project: Project, day: dt.date, universe: Universe) -> tuple[Request, ...]:
    """The weeks that were asked for and hold the day."""
    rows = session.exec(
        select(AnswerRow).where(
            AnswerRow.project == project.name,
            AnswerRow.universe == universe,
            AnswerRow.days == DAYS_IN_WEEK,
            col(AnswerRow.first_day).between(day - dt.timedelta(days=DAYS_IN_WEEK - 1), day),
        )
    )
    return tuple(_request(row) for row in rows)


def days_within(session: Session, week: Request) -> tuple[Request, ...]:
    """The single days of a week that were asked for in the same universe, in order."""
    rows = session.exec(
        select(AnswerRow)
        .where(
            AnswerRow.project == week.project.name,
            AnswerRow.universe == week.universe,
            AnswerRow.days == 1,
            col(AnswerRow.first_day).between(week.period.first, week.period.last),
        )
        .order_by(col(AnswerRow.first_day))
    )
    return tuple(_request(row) for row in rows)


def _want_snapshot(session: Session, project: Project, key: dict[str, Any], snapshot: dt.date | None) -> None:
    row = session.exec(select(AnswerRow).filter_by(**key)).one()
    wiki = load_wiki(session, project)
    pinned = snapshot or (wiki.pinned if wiki else None)
    chosen = row.wanted_snapshot
    if pinned is None and chosen is not None and snapshot_state(session, project, chosen)[0].is_trouble:
        chosen = None
    session.execute(update(AnswerRow).filter_by(**key).values(wanted_snapshot=pinned or chosen))


def _by_titles(session: Session, request: Request) -> bool:
    return ranked_by_titles(session, request.project, request.universe, request.wanted_snapshot)


def _counted(session: Session, ranked: Iterable[Request]) -> Mapping[tuple[Project, dt.date], Sequence[CountedHour]]:
    """Each project's counted hours from the first to the last of these days: one question, not one for each answer."""
    periods: dict[Project, list[Period]] = defaultdict(list)
    for request in ranked:
        periods[request.project].append(request.period)
    found: dict[tuple[Project, dt.date], list[CountedHour]] = defaultdict(list)
    for project, of_it in periods.items():
        first, last = min(period.first for period in of_it), max(period.last for period in of_it)
        for counted in counted_hours(session, project, Period(first, (last - first).days + 1)):
            found[project, counted.hour.day].append(counted)
    return found


def _has_its_basis(session: Session, request: Request, origin: Callable[[Project], str]) -> bool:
    if _by_titles(session, request):
        return request.snapshot is None and request.namespaces == origin(request.project)
    return request.snapshot is not None and request.snapshot == request.wanted_snapshot


def _request(row: AnswerRow) -> Request:
    return Request(
        project=parse_project(row.project),
        period=Period(row.first_day, row.days),
        universe=Universe(row.universe),
        fingerprint=row.fingerprint,
        namespaces=row.namespaces,
        snapshot=row.snapshot,
        wanted_snapshot=row.wanted_snapshot,
        source=row.source,
        trouble=row.trouble,
    )
