"""Answers that were asked for, and which of them are out of date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, select

from models.answer import Period, Universe
from models.hour import DAYS_IN_WEEK
from models.project import Project, parse_project
from models.tables import AnswerRow
from worker.store.ledger import counted_hours, fingerprint
from worker.store.siteinfo import load_siteinfo
from worker.store.upsert import insert_missing


@dataclass(frozen=True, slots=True)
class Request:
    """An answer that was asked for, and what it was last ranked from: a fingerprint of hours, namespaces' origin."""

    project: Project
    period: Period
    universe: Universe
    fingerprint: str | None
    namespaces: str | None


def request_answers(
    session: Session, projects: Iterable[Project], periods: Iterable[Period], universe: Universe
) -> None:
    """Note that these answers are wanted; those that are known already stay as they are."""
    wanted = list(periods)
    rows = [
        {"project": project.name, "first_day": period.first, "days": period.days, "universe": universe}
        for project in projects
        for period in wanted
    ]
    insert_missing(session, AnswerRow, [{**row, "has_categories": False} for row in rows])


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
    )
