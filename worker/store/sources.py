"""Sources in trouble: who refused or did not answer a moment ago. A doubtful one was not asked with all patience."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import bindparam, delete, inspect
from sqlmodel import Session, select

from models.errors import SourceRefused, SourceUnreachable
from models.tables import HourState, SourceTroubleRow
from worker.store.reason import kept_reason
from worker.store.upsert import upsert

_DOUBTFUL = "doubtful"
_NOT_LATER = dt.timedelta(minutes=10)
"""What is noted so long after the time that is asked for comes from a wrong clock: it would hold for just as long."""

# Asked for each hour, so made once, and of the bare table, which spares the ORM's own preparation.
_TROUBLE: Any = inspect(SourceTroubleRow).local_table.c
_NOTED: Any = select(_TROUBLE.state, _TROUBLE.reason).where(
    _TROUBLE.source == bindparam("source"), _TROUBLE.at.between(bindparam("since"), bindparam("until"))
)


def note_source_trouble(
    session: Session,
    source: str,
    error: SourceRefused | SourceUnreachable,
    *,
    now: dt.datetime,
    doubtful: bool = False,
) -> None:
    """Note that a source refused, or did not answer; ``doubtful`` if it might have, had it been asked longer."""
    asked = HourState.REFUSED if isinstance(error, SourceRefused) else HourState.UNREACHABLE
    values = {"state": _DOUBTFUL if doubtful else asked, "reason": kept_reason(str(error)), "at": now}
    upsert(session, SourceTroubleRow, {"source": source}, values)


def source_trouble(session: Session, source: str, *, since: dt.datetime) -> SourceRefused | SourceUnreachable | None:
    """What went wrong with the source at or after the given time, unless it is but doubtful."""
    row = _noted(session, source, since)
    if row is None or row.state == _DOUBTFUL:
        return None
    return SourceRefused(row.reason) if row.state == HourState.REFUSED else SourceUnreachable(row.reason)


def is_doubtful(session: Session, source: str, *, since: dt.datetime) -> bool:
    """Whether the source did not answer at once at or after the given time, and was not asked longer."""
    row = _noted(session, source, since)
    return row is not None and row.state == _DOUBTFUL


def _noted(session: Session, source: str, since: dt.datetime) -> Any:  # noqa: ANN401 a row's type names its columns
    return session.execute(_NOTED, {"source": source, "since": since, "until": since + _NOT_LATER}).first()


def forget_source_troubles(session: Session) -> None:
    """Let every source be asked again."""
    session.execute(delete(SourceTroubleRow))
