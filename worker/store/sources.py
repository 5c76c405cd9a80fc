"""Sources in trouble: who refused or did not answer a moment ago."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete
from sqlmodel import Session, col, select

from models.errors import SourceRefused, SourceUnreachable
from models.tables import HourState, SourceTroubleRow
from worker.store.upsert import upsert


def note_source_trouble(
    session: Session, source: str, error: SourceRefused | SourceUnreachable, *, now: dt.datetime
) -> None:
    """Note that a source refused, or did not answer."""
    state = HourState.REFUSED if isinstance(error, SourceRefused) else HourState.UNREACHABLE
    upsert(session, SourceTroubleRow, {"source": source}, {"state": state, "reason": str(error), "at": now})


def source_trouble(session: Session, source: str, *, since: dt.datetime) -> SourceRefused | SourceUnreachable | None:
    """What went wrong with the source at or after the given time."""
    row = session.exec(
        select(SourceTroubleRow).where(SourceTroubleRow.source == source, col(SourceTroubleRow.at) >= since)
    ).first()
    if row is None:
        return None
    return SourceRefused(row.reason) if row.state == HourState.REFUSED else SourceUnreachable(row.reason)


def forget_source_troubles(session: Session) -> None:
    """Let every source be asked again."""
    session.execute(delete(SourceTroubleRow))
