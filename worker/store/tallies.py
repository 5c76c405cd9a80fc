"""Counts as blocks: an hour's, written with its line of the ledger in one transaction, and a day's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

import polars as pl
from sqlmodel import Session, select

from models.hour import Hour
from models.project import Project
from models.tables import DayTallyRow, HourRow, HourState, HourTallyRow
from worker.block import from_block, to_block
from worker.phases import PHASES, Phases
from worker.store.ledger import key_of
from worker.store.upsert import upsert
from worker.tally import views_of


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is remembered of a counted file. ``size`` in bytes; ``lines`` and ``malformed`` of the whole file."""

    url: str
    size: int
    etag: str | None
    last_modified: str | None
    sha256: str
    lines: int
    malformed: int


def record_counted(
    session: Session,
    project: Project,
    hour: Hour,
    facts: FileFacts,
    tally: pl.DataFrame,
    *,
    now: dt.datetime,
    version: str,
    phases: Callable[[], Phases] | None = None,
) -> None:
    """Write an hour's facts and tally. The caller's transaction makes both of them visible together.

    ``phases`` is asked once the tally is written, so that it can tell how long that took.
    """
    key = key_of(project, hour)
    upsert(session, HourTallyRow, key, {"block": to_block(tally)})
    upsert(
        session,
        HourRow,
        key,
        {
            "state": HourState.COUNTED,
            "recount": False,
            "reason": None if len(tally) else f"the file has no line of {project}",
            "tried_at": now,
            "url": facts.url,
            "size": facts.size,
            "etag": facts.etag,
            "last_modified": facts.last_modified,
            "sha256": facts.sha256,
            "lines": facts.lines,
            "malformed": facts.malformed,
            "views": views_of(tally),
            "titles": len(tally),
            **(asdict(phases()) if phases else dict.fromkeys(PHASES)),
            "counted_at": now,
            "wikiq": version,
        },
    )


def hour_tallies(session: Session, project: Project, hours: Iterable[Hour]) -> Iterator[tuple[Hour, pl.DataFrame]]:
    """The tallies of counted hours, one at a time."""
    for hour in hours:
        block = session.exec(
            select(HourTallyRow.block).where(
                HourTallyRow.project == project.name, HourTallyRow.day == hour.day, HourTallyRow.hour == hour.hour
            )
        ).one()
        yield hour, from_block(block)


def day_tally(session: Session, project: Project, day: dt.date, hours: str) -> pl.DataFrame | None:
    """The day's stored views, if they were added up from exactly the hours of this fingerprint."""
    block = session.exec(
        select(DayTallyRow.block).where(
            DayTallyRow.project == project.name, DayTallyRow.day == day, DayTallyRow.fingerprint == hours
        )
    ).first()
    return None if block is None else from_block(block)


def save_day_tally(session: Session, project: Project, day: dt.date, hours: str, tally: pl.DataFrame) -> None:
    """Keep a day's views added up, under the fingerprint of its hours."""
    upsert(
        session, DayTallyRow, {"project": project.name, "day": day}, {"fingerprint": hours, "block": to_block(tally)}
    )
