"""The views of days, by hour: put together by and by, and read whichever way they are kept.

What was counted of an hour is its own block if it has one, else its share of the day's. An hour is counted by writing
its block. ``put_together`` writes all hours into the day's blocks and removes their own, in one transaction. So at any
moment each counted hour is read exactly once (docs/decisions/0018-days-as-frames.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import and_, bindparam, delete, insert, inspect
from sqlmodel import Session, col, select

from models.hour import Hour
from models.project import Project
from models.tables import DayTallyRow, HourRow, HourTallyRow
from worker.ahead import some_threads
from worker.block import frames_in
from worker.day import HOURLY, PackedSlice, Slice, slices_of, unpack
from worker.store.database import serialise
from worker.tally import merge

# Asked for each slice, so made once, and of the bare table, which spares the ORM's own preparation.
_TOGETHER: Any = inspect(DayTallyRow).local_table.c
_DAY: Any = tuple(_TOGETHER[name] == bindparam(name) for name in ("project", "day"))
_NUMBERS: Any = select(_TOGETHER.number).where(*_DAY).order_by(_TOGETHER.number)
_SLICE: Any = select(*(_TOGETHER[field.name] for field in fields(PackedSlice))).where(
    *_DAY, _TOGETHER.number == bindparam("number")
)


@dataclass(frozen=True, slots=True)
class Count:
    """Which of all counts of an hour it is: no two counts of one hour have the same."""

    sha256: str | None
    counted_at: dt.datetime | None


def apart(session: Session, project: Project, day: dt.date) -> Mapping[int, Count]:
    """The hours of the day that have a block of their own."""
    of_hour = and_(
        *(col(getattr(HourRow, part)) == col(getattr(HourTallyRow, part)) for part in ("project", "day", "hour"))
    )
    known = select(col(HourTallyRow.hour), col(HourRow.sha256), col(HourRow.counted_at)).join(
        HourRow, of_hour, isouter=True
    )
    found = session.exec(_of_day(known, HourTallyRow, project, day).order_by(col(HourTallyRow.hour)))
    return {hour: Count(sha256, counted_at) for hour, sha256, counted_at in found}


def day_slices(session: Session, project: Project, day: dt.date) -> Iterator[Slice]:
    """The views of the day's counted hours, as one state of the database has them."""
    own = apart(session, project, day)
    if not own:
        return _together(session, project, day)
    return _slices_of_hours(session, project, day, own)


def hour_tallies(session: Session, project: Project, hours: Iterable[Hour]) -> Iterator[tuple[Hour, pl.DataFrame]]:
    """The tallies of counted hours, one at a time."""
    for hour in hours:
        if hour.hour in apart(session, project, hour.day):
            with some_threads() as threads:
                yield hour, merge(_tallies(session, project, hour, threads))
        else:
            yield hour, merge(views().tally(hour.hour) for views in _together(session, project, hour.day))


def put_together(
    session: Session, project: Project, day: dt.date, read: Mapping[int, Count], packed: Sequence[PackedSlice]
) -> bool:
    """Keep a day's counted hours together, unless one of those that were apart was counted anew meanwhile.

    Args:
        session: a transaction.
        project: whose day it is.
        day: of these hours.
        read: the hours that were apart when the day was read.
        packed: all views that were read.

    Returns:
        Whether it was done; False means that something changed meanwhile and the day is to be read again.
    """
    # Those who lock several lines of the ledger come one after the other, or two could wait for each other.
    serialise(session)
    # Held to the end, so that none of these hours is counted, or put together by somebody else, in the meantime.
    session.exec(_of_day(select(col(HourRow.hour)), HourRow, project, day).order_by("hour").with_for_update()).all()
    now = apart(session, project, day)
    if any(now.get(hour) != count for hour, count in read.items()):
        return False
    # The last hour first: SQLite fills what was freed last, so the day comes to lie where its first hours were. Room is
    # then given back by cutting the file, and next to nothing has to be moved.
    for hour in sorted(read, reverse=True):
        session.execute(_of_day(delete(HourTallyRow), HourTallyRow, project, day).where(col(HourTallyRow.hour) == hour))
    session.execute(_of_day(delete(DayTallyRow), DayTallyRow, project, day))
    for number, blocks in enumerate(packed):
        row = {"project": project.name, "day": day, "number": number, **asdict(blocks)}
        session.execute(insert(DayTallyRow), [row])
    return True


def _together(session: Session, project: Project, day: dt.date) -> Iterator[Slice]:
    of_day = {"project": project.name, "day": day}
    for (number,) in session.execute(_NUMBERS, of_day).all():
        yield partial(unpack, PackedSlice(*session.execute(_SLICE, {**of_day, "number": number}).one()))


def _slices_of_hours(session: Session, project: Project, day: dt.date, own: Iterable[int]) -> Iterator[Slice]:
    together = (views().rows(without=own) for views in _together(session, project, day))
    with some_threads() as threads:
        rows = [_rows(session, project, Hour(day, hour), threads) for hour in own]
        yield from slices_of([together, *rows])


def _rows(session: Session, project: Project, hour: Hour, threads: Executor) -> Iterator[pl.DataFrame]:
    column = HOURLY.names().index("hour")

    def of_hour(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.insert_column(column, pl.Series("hour", np.full(len(frame), hour.hour, dtype=np.uint8)))

    return map(of_hour, _tallies(session, project, hour, threads))


def _tallies(session: Session, project: Project, hour: Hour, threads: Executor) -> Iterator[pl.DataFrame]:
    block = session.exec(
        _of_day(select(HourTallyRow.block), HourTallyRow, project, hour.day).where(HourTallyRow.hour == hour.hour)
    ).one()
    return frames_in(block, threads)


def _of_day(query: Any, table: Any, project: Project, day: dt.date) -> Any:  # noqa: ANN401 of any kind and any table
    return query.where(col(table.project) == project.name, col(table.day) == day)
