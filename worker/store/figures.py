"""What an operator asks the database: how many of everything there are, and when something was last done.

Every figure is one question over all rows, none reads a block. An answer counts as late by the number of its hours, its
snapshot and its namespaces; that an hour was counted anew from another file is seen only by ``requests.out_of_date``,
which reads every line of the ledger.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from models.dump_run import DumpState
from models.errors import DatabaseUnreachable
from models.tables import AnswerRow, HourRow, HourState, SnapshotRow, SnapshotTableRow, WikiRow
from worker.store import ledger
from worker.store.database import open_database, reading, said_by
from worker.store.late import AnswerFigures, Hours, answer_figures

_STATEMENT_MS = 5000
_HASTY = {
    "connect_timeout": "3",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "2",
    "tcp_user_timeout": "5000",
}


@dataclass(frozen=True, slots=True)
class FileTotals:
    """The files that were counted, each once, whatever number of projects it was counted for; ``size`` in bytes."""

    files: int
    size: int
    lines: int


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    """Everything there is, in numbers.

    ``hours`` by (project, state), where an hour to be counted anew is waiting; ``indexes`` by (project, state), where a
    wiki whose dump runs are not chosen counts as one; ``index_bytes`` by project; ``seconds`` by phase;
    ``last_done`` by what was done (hour, answer, table, index), None where nothing ever was.
    """

    hours: Mapping[tuple[str, str], int]
    answers: AnswerFigures
    indexes: Mapping[tuple[str, str], int]
    index_bytes: Mapping[str, int]
    counted: FileTotals
    seconds: Mapping[str, float]
    last_done: Mapping[str, dt.datetime | None]


def open_hastily(url: str) -> Engine:
    """As ``open_database`` does, but a server that went away is noticed within seconds.

    Raises:
        SetupError: the database cannot be used.
    """
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        # https://www.postgresql.org/docs/current/libpq-connect.html; what the URL says itself stays.
        address = address.set(query={**_HASTY, **address.query})
    return open_database(address.render_as_string(hide_password=False))


def read_figures(engine: Engine) -> DatabaseFigures:
    """All figures, of one state of the database.

    Raises:
        DatabaseUnreachable: the database does not answer, or not in time.
    """
    with _telling(), reading(engine) as session:
        _be_quick(session)
        hours = _hours(session)
        return DatabaseFigures(
            hours=_by_state(hours),
            answers=answer_figures(session, hours),
            indexes=_indexes(session),
            index_bytes=_index_bytes(session),
            counted=_counted(session),
            seconds=ledger.phase_seconds(session),
            last_done=_last_done(session),
        )


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise DatabaseUnreachable(f"The database does not answer ({said_by(error)}).") from error


def _be_quick(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL statement_timeout = {_STATEMENT_MS}"))


def _hours(session: Session) -> Hours:
    columns = (col(HourRow.project), col(HourRow.day), col(HourRow.state), col(HourRow.recount))
    query: Any = select(func.count(), *columns)  # type: ignore[call-overload]  # it knows of up to four columns
    return {tuple(key): number for number, *key in session.exec(query.group_by(*columns))}


def _by_state(hours: Hours) -> Mapping[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for (project, _, state, recount), number in hours.items():
        found[project, HourState.WAITING.value if recount else state] += number
    return found


def _indexes(session: Session) -> Mapping[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for project, state in session.exec(select(col(WikiRow.project), col(WikiRow.state))):
        found[project, state] += state != DumpState.DONE
    for project, state in session.exec(select(col(SnapshotRow.project), col(SnapshotRow.state))):
        found[project, state] += 1
    return found


def _index_bytes(session: Session) -> Mapping[str, int]:
    query = select(col(SnapshotRow.project), func.sum(col(SnapshotRow.size))).group_by(col(SnapshotRow.project))
    return {project: int(size or 0) for project, size in session.exec(query)}


def _counted(session: Session) -> FileTotals:
    files = (
        select(func.max(HourRow.size).label("size"), func.max(HourRow.lines).label("lines"))
        .where(HourRow.state == HourState.COUNTED)
        .group_by(col(HourRow.day), col(HourRow.hour), col(HourRow.url))
        .subquery()
    )
    number, size, lines = session.exec(select(func.count(), func.sum(files.c.size), func.sum(files.c.lines))).one()
    return FileTotals(number, int(size or 0), int(lines or 0))


def _last_done(session: Session) -> Mapping[str, dt.datetime | None]:
    moments: dict[str, Any] = {
        "hour": HourRow.counted_at,
        "answer": AnswerRow.computed_at,
        "table": SnapshotTableRow.read_at,
        "index": SnapshotRow.built_at,
    }
    return {work: _in_utc(session.exec(select(func.max(moment))).one()) for work, moment in moments.items()}


def _in_utc(moment: dt.datetime | None) -> dt.datetime | None:
    """SQLite gives times back without a zone, PostgreSQL in the session's."""
    if moment is None:
        return None
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
