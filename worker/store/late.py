"""How many answers are ranked, by a few questions for all of them: the short way to what ``requests`` finds exactly."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from models.answer import Period, Universe, Verdict
from models.dump_run import DumpState
from models.hour import HOURS_IN_DAY, days_between
from models.siteinfo import CANONICAL_ORIGIN
from models.tables import AnswerRow, HourState, SiteinfoRow, SnapshotRow, WikiRow

UNRANKED = "unranked"
"""Not ranked yet, or out of date."""
STUCK = "stuck"
"""Unranked, and nothing will change that by itself: ranking failed, or its index cannot be had."""

_TROUBLES = frozenset(state.value for state in DumpState if state.is_trouble)

Hours = Mapping[tuple[Any, ...], int]
"""(project, day, state, whether it is to be counted anew) -> hours."""


class Kind(NamedTuple):
    """Answers of one kind: ``period`` is day or week, ``verdict`` complete, incomplete, unranked or stuck."""

    project: str
    universe: str
    period: str
    verdict: str


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """Answers by kind; the newest day that was asked for, and that is complete, by (project, universe)."""

    numbers: Mapping[Kind, int]
    newest_asked: Mapping[tuple[str, str], dt.date]
    newest_complete: Mapping[tuple[str, str], dt.date]


def answer_figures(session: Session, hours: Hours) -> AnswerFigures:
    """The figures of all answers, given how many hours of each day are in which state."""
    basis = _basis(session)
    numbers: Counter[Kind] = Counter()
    days: dict[tuple[str, str, dt.date], str] = {}
    for row in session.exec(select(*_COLUMNS).order_by(col(AnswerRow.days), col(AnswerRow.first_day))):
        period = Period(row.first_day, row.days)
        verdict = row.verdict
        if _is_late(row, _counted(hours, row.project, period), basis):
            parts = {days.get((row.project, row.universe, day)) for day in days_between(period.first, period.last)}
            verdict = STUCK if _is_stuck(row, basis) or STUCK in parts else UNRANKED
        numbers[Kind(row.project, row.universe, "week" if period.is_week else "day", verdict)] += 1
        if not period.is_week:
            days[row.project, row.universe, period.first] = verdict
    # Each overwrites those before it.
    asked = {key[:2]: key[2] for key in days}
    complete = {key[:2]: key[2] for key, verdict in days.items() if verdict == Verdict.COMPLETE}
    return AnswerFigures(numbers, asked, complete)


_COLUMNS: Any = (
    col(AnswerRow.project),
    col(AnswerRow.first_day),
    col(AnswerRow.days),
    col(AnswerRow.universe),
    col(AnswerRow.fingerprint),
    col(AnswerRow.verdict),
    col(AnswerRow.missing_hours),
    col(AnswerRow.snapshot),
    col(AnswerRow.wanted_snapshot),
    col(AnswerRow.namespaces),
    col(AnswerRow.trouble).is_not(None).label("failed"),
)


@dataclass(frozen=True, slots=True)
class _Basis:
    """Where each project's namespaces are from, the state of its dump runs, and that of each index."""

    namespaces: Mapping[str, str]
    wikis: Mapping[str, str]
    indexes: Mapping[tuple[str, dt.date], str]


def _basis(session: Session) -> _Basis:
    runs = select(col(SiteinfoRow.project), col(SiteinfoRow.run)).where(col(SiteinfoRow.document).is_not(None))
    wikis = select(col(WikiRow.project), col(WikiRow.state))
    indexes = select(col(SnapshotRow.project), col(SnapshotRow.run), col(SnapshotRow.state))
    return _Basis(
        namespaces={project: run.isoformat() for project, run in session.exec(runs) if run},
        wikis=dict(session.exec(wikis).all()),
        indexes={(project, run): state for project, run, state in session.exec(indexes)},
    )


def _counted(hours: Hours, project: str, period: Period) -> int:
    return sum(
        hours.get((project, day, HourState.COUNTED.value, recount), 0)
        for day in days_between(period.first, period.last)
        for recount in (False, True)
    )


def _is_late(row: Any, counted: int, basis: _Basis) -> bool:  # noqa: ANN401 a row of _COLUMNS
    ranked_hours = row.days * HOURS_IN_DAY - len(row.missing_hours or ())
    return row.fingerprint is None or ranked_hours != counted or not _has_its_basis(row, basis)


def _is_stuck(row: Any, basis: _Basis) -> bool:  # noqa: ANN401
    if row.failed or _by_titles(row, basis):
        return bool(row.failed)
    run = row.wanted_snapshot
    state = basis.wikis.get(row.project) if run is None else basis.indexes.get((row.project, run))
    return state in _TROUBLES


def _has_its_basis(row: Any, basis: _Basis) -> bool:  # noqa: ANN401
    if _by_titles(row, basis):
        origin = basis.namespaces.get(row.project, CANONICAL_ORIGIN)
        return row.snapshot is None and row.namespaces == origin
    return row.snapshot is not None and row.snapshot == row.wanted_snapshot


def _by_titles(row: Any, basis: _Basis) -> bool:  # noqa: ANN401
    without_dumps = row.wanted_snapshot is None and basis.wikis.get(row.project) == DumpState.NO_DUMPS
    return row.universe == Universe.LOGGED_TITLES or without_dumps
