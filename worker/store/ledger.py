"""The ledger: which hours were asked for and what became of each.

A counted hour stays counted: a later failure, a message delivered twice or a second worker cannot undo it; counting it
again replaces it whole.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, case, func, inspect, tuple_, update
from sqlmodel import Session, col, select

from models.answer import Period
from models.hour import Hour
from models.project import Project
from models.tables import HourRow, HourState
from worker.phases import PHASES
from worker.store.database import serialise
from worker.store.reason import kept_reason
from worker.store.sources import forget_source_troubles
from worker.store.upsert import insert_missing


@dataclass(frozen=True, slots=True)
class CountedHour:
    """A line of the ledger that counts."""

    hour: Hour
    sha256: str
    lines: int
    malformed: int
    views: int
    titles: int
    wikiq: str = ""
    """The version that counted it: another one may read the same file otherwise."""


_COUNTED: Any = tuple(
    col(column)
    for column in (
        *(HourRow.day, HourRow.hour, HourRow.sha256),
        *(HourRow.lines, HourRow.malformed, HourRow.views, HourRow.titles, HourRow.wikiq),
    )
)
"""What a ``CountedHour`` is made of: a run is followed by looking at all of them again and again."""

# Asked for each hour, so made once, and of the bare table, which spares the ORM's own preparation.
_HOUR: Any = inspect(HourRow).local_table.c
_SETTLED: Any = select(_HOUR.day, _HOUR.hour).where(
    _HOUR.project == bindparam("project"),
    _HOUR.state == HourState.COUNTED,
    _HOUR.recount.is_(False),
    _HOUR.day.between(bindparam("first"), bindparam("last")),
)
_STANDING: Any = (
    select(_HOUR.state, _HOUR.recount)
    .where(*(_HOUR[name] == bindparam(name) for name in ("project", "day", "hour")))
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """An hour that was asked for and could not be counted, and why."""

    project: str
    hour: Hour
    state: HourState
    reason: str


def request_hours(
    session: Session, projects: Iterable[Project], hours: Sequence[Hour], *, recount: bool = False
) -> None:
    """Put hours into the ledger; those that could not be counted before wait again, with their reason forgotten.

    With ``recount``, hours that are counted wait as well, and count until they are replaced. Sources that were in
    trouble are asked again.
    """
    serialise(session)
    forget_source_troubles(session)
    for project in projects:
        rows = [{**key_of(project, hour), "state": HourState.WAITING, "recount": False, "tries": 0} for hour in hours]
        insert_missing(session, HourRow, rows)
        session.execute(
            update(HourRow)
            .where(col(HourRow.project) == project.name, col(HourRow.state) != HourState.COUNTED)
            .where(_among(hours))
            .values(state=HourState.WAITING, reason=None)
        )
        if recount:
            session.execute(
                update(HourRow)
                .where(col(HourRow.project) == project.name, col(HourRow.state) == HourState.COUNTED)
                .where(_among(hours))
                .values(recount=True)
            )


def forget_troubles(session: Session) -> None:
    """Let every hour that could not be counted wait again, and every source be asked again."""
    serialise(session)
    forget_source_troubles(session)
    session.execute(
        update(HourRow).where(col(HourRow.state) != HourState.COUNTED).values(state=HourState.WAITING, reason=None)
    )


def uncounted(session: Session, project: Project, hours: Iterable[Hour]) -> tuple[Hour, ...]:
    """Those of the hours that are not counted, or are to be counted anew."""
    wanted = list(hours)
    if not wanted:
        return ()
    found = session.execute(_SETTLED, {"project": project.name, "first": min(wanted).day, "last": max(wanted).day})
    counted = {Hour(day, hour) for day, hour in found}
    return tuple(hour for hour in wanted if hour not in counted)


def unfinished_hours(session: Session) -> tuple[Hour, ...]:
    """The hours that are not counted for some project, or are to be counted anew."""
    query = select(col(HourRow.day), col(HourRow.hour)).distinct()
    found = session.exec(query.where((col(HourRow.state) != HourState.COUNTED) | col(HourRow.recount)))
    return tuple(Hour(day, hour) for day, hour in found)


def lacks(session: Session, project: Project, hour: Hour) -> bool:
    """Whether an hour is not counted, or to be counted anew; until the transaction ends nobody else can count it."""
    state, recount = session.execute(_STANDING, key_of(project, hour)).first() or (None, False)
    return recount or state != HourState.COUNTED


def record_trouble(
    session: Session, project: Project, hour: Hour, state: HourState, reason: str, *, url: str, now: dt.datetime
) -> None:
    """Note why an hour could not be counted, unless it is counted already: then it stays as it was."""
    session.execute(
        update(HourRow)
        .where(*_is(project, hour), col(HourRow.state) == HourState.COUNTED, col(HourRow.recount))
        .values(
            recount=False,
            reason=kept_reason(f"kept; counting it anew: {reason}"),
            tried_at=now,
            tries=HourRow.tries + 1,
        )
    )
    session.execute(
        update(HourRow)
        .where(*_is(project, hour), col(HourRow.state) != HourState.COUNTED)
        .values(state=state, reason=kept_reason(reason), url=url, tried_at=now, tries=HourRow.tries + 1)
    )


def counted_hours(session: Session, project: Project, period: Period) -> tuple[CountedHour, ...]:
    """The period's counted hours, in order."""
    rows = session.exec(
        select(*_COUNTED)
        .where(HourRow.project == project.name, HourRow.state == HourState.COUNTED)
        .where(col(HourRow.day).between(period.first, period.last))
        .order_by(col(HourRow.day), col(HourRow.hour))
    )
    return tuple(
        CountedHour(Hour(day, hour), sha256 or "", lines or 0, malformed or 0, views or 0, titles or 0, wikiq or "")
        for day, hour, sha256, lines, malformed, views, titles, wikiq in rows
    )


def fingerprint(hours: Iterable[CountedHour]) -> str:
    """A name for exactly these counts: another hour, or one counted anew from another file, gives another name.

    So does one that another version of wikiq counted, which may have read the same file otherwise. It needs no clock,
    so an answer is known to be out of date even if the clocks of two workers differ.
    """
    digest = hashlib.sha256()
    for counted in sorted(hours, key=lambda counted: counted.hour):
        line = (counted.hour, counted.sha256, counted.lines, counted.malformed, counted.views, counted.titles)
        digest.update((" ".join(map(str, (*line, counted.wikiq))) + "\n").encode())
    return digest.hexdigest()


def troubles(
    session: Session, projects: Sequence[Project] | None = None, period: Period | None = None
) -> list[Trouble]:
    """Hours that could not be counted, in order."""
    query = select(HourRow).where(col(HourRow.state).not_in((HourState.COUNTED, HourState.WAITING)))
    rows = session.exec(_narrowed(query, projects, period).order_by(col(HourRow.day), col(HourRow.hour)))
    return [_trouble(row) for row in rows]


def tally_states(
    session: Session, projects: Sequence[Project] | None = None, period: Period | None = None
) -> Mapping[tuple[str, dt.date], Mapping[HourState, int]]:
    """How many hours of each (project, day) are in each state; one to be counted anew is waiting."""
    state = case((col(HourRow.recount), HourState.WAITING.value), else_=col(HourRow.state)).label("now")
    query = select(col(HourRow.project), col(HourRow.day), state, func.count()).group_by(
        col(HourRow.project), col(HourRow.day), state
    )
    states: dict[tuple[str, dt.date], dict[HourState, int]] = {}
    for project, day, state, number in session.exec(_narrowed(query, projects, period)):
        states.setdefault((project, day), {})[HourState(state)] = number
    return states


def waiting(session: Session, project: Project, period: Period) -> int:
    """How many of the period's hours wait to be counted, or to be counted anew."""
    states = tally_states(session, [project], period).values()
    return sum(number.get(HourState.WAITING, 0) for number in states)


def counted_bytes(session: Session, projects: Sequence[Project] | None = None, period: Period | None = None) -> int:
    """Bytes of the files that were fetched and counted, each file once."""
    files = _narrowed(select(col(HourRow.day), col(HourRow.hour), func.max(HourRow.size)), projects, period).group_by(
        col(HourRow.day), col(HourRow.hour)
    )
    return sum(size or 0 for _, _, size in session.exec(files))


def phase_seconds(session: Session) -> Mapping[str, float]:
    """Seconds that the counted files took, by phase: ``waited``, ``downloading``, ``counting``, ``storing``.

    Each file once, whatever number of projects it was counted for: of its rows, the last to be written has the most.
    """
    files = (
        select(*(func.max(getattr(HourRow, phase)).label(phase) for phase in PHASES))
        .where(HourRow.state == HourState.COUNTED)
        .group_by(col(HourRow.day), col(HourRow.hour), col(HourRow.url))
        .subquery()
    )
    sums = session.execute(select(*(func.sum(files.c[phase]) for phase in PHASES))).one()
    return {phase: float(seconds or 0) for phase, seconds in zip(PHASES, sums, strict=True)}


def _narrowed(query: Any, projects: Sequence[Project] | None, period: Period | None) -> Any:  # noqa: ANN401
    # SQLAlchemy's select keeps its columns' types as type variables, which a function over all of them cannot name.
    if projects is not None:
        query = query.where(col(HourRow.project).in_([project.name for project in projects]))
    if period is not None:
        query = query.where(col(HourRow.day).between(period.first, period.last))
    return query


def key_of(project: Project, hour: Hour) -> dict[str, Any]:
    """The key of an hour's row, and of its tally's."""
    return {"project": project.name, "day": hour.day, "hour": hour.hour}


def _is(project: Project, hour: Hour) -> tuple[Any, ...]:
    return (HourRow.project == project.name, HourRow.day == hour.day, HourRow.hour == hour.hour)


def _among(hours: Iterable[Hour]) -> Any:  # noqa: ANN401 a condition's type names its columns
    return tuple_(col(HourRow.day), col(HourRow.hour)).in_([(hour.day, hour.hour) for hour in hours])


def _trouble(row: HourRow) -> Trouble:
    return Trouble(row.project, Hour(row.day, row.hour), HourState(row.state), row.reason or "")
