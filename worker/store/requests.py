"""Answers that were asked for, and which of them are out of date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from models.answer import Period, Universe
from models.hour import DAYS_IN_WEEK
from models.project import Project, parse_project
from models.tables import AnswerRow
from worker.store.database import serialise
from worker.store.ledger import counted_hours, fingerprint
from worker.store.siteinfo import load_siteinfo
from worker.store.upsert import insert_missing


@dataclass(frozen=True, slots=True)
class Request:
    """An answer that was asked for, and what it was last ranked from: a fingerprint of hours, namespaces' origin.

    ``source`` is where its hours are to be fetched, None where that is left to the worker.
    """

    project: Project
    period: Period
    universe: Universe
    fingerprint: str | None
    namespaces: str | None
    source: str | None


def request_answers(
    session: Session,
    projects: Iterable[Project],
    periods: Iterable[Period],
    universe: Universe,
    source: str | None = None,
) -> None:
    """Note that these answers are wanted, and from where; figures that are known already stay as they are."""
    serialise(session)
    wanted = list(periods)
    for project in projects:
        for period in wanted:
            key = insert_answer(session, project, period, universe)
            session.execute(update(AnswerRow).filter_by(**key).values(source=source))


def insert_answer(session: Session, project: Project, period: Period, universe: Universe) -> dict[str, Any]:
    """Make room for an answer, unless there is; gives the columns that name it."""
    key = {"project": project.name, "first_day": period.first, "days": period.days, "universe": universe}
    insert_missing(session, AnswerRow, [{**key, "has_categories": False}])
    return key


def all_requests(session: Session) -> tuple[Request, ...]:
    """Every answer that was ever asked for, oldest period first, days before weeks."""
    rows = session.exec(
        select(AnswerRow).order_by(col(AnswerRow.first_day), col(AnswerRow.days), col(AnswerRow.project))
    )
    return tuple(_request(row) for row in rows)


def out_of_date(session: Session, wanted: Iterable[Request]) -> tuple[Request, ...]:
    """Those of the requests whose answer was not ranked from what is known now: the counted hours, the namespaces."""
    return tuple(
        request
        for request in wanted
        if request.fingerprint != fingerprint(counted_hours(session, request.project, request.period))
        or request.namespaces != load_siteinfo(session, request.project).origin
    )


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


def days_ranked(session: Session, project: Project, period: Period, universe: Universe) -> int:
    """How many single days of the period were ranked, be it from few hours."""
    rows = session.exec(
        select(col(AnswerRow.first_day)).where(
            AnswerRow.project == project.name,
            AnswerRow.universe == universe,
            AnswerRow.days == 1,
            col(AnswerRow.first_day).between(period.first, period.last),
            col(AnswerRow.fingerprint).is_not(None),
        )
    )
    return len(rows.all())


def _request(row: AnswerRow) -> Request:
    return Request(
        parse_project(row.project),
        Period(row.first_day, row.days),
        Universe(row.universe),
        row.fingerprint,
        row.namespaces,
        row.source,
    )
