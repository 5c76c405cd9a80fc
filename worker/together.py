"""The hours of a day, put together once they are to be ranked: a fifth of the room, and a week is seven streams."""

from __future__ import annotations

import datetime as dt
import logging

from models.answer import Period
from models.errors import DatabaseFull
from models.hour import days_between
from models.project import Project
from worker.ahead import ahead
from worker.context import Context
from worker.day import pack
from worker.store import days
from worker.store.database import reading, writing

_log = logging.getLogger(__name__)


def keep_together(context: Context, project: Project, period: Period) -> None:
    """``put_together`` for each day of the period."""
    for day in days_between(period.first, period.last):
        put_together(context, project, day)


def put_together(context: Context, project: Project, day: dt.date) -> None:
    """Keep the day's counted hours together; done again for as long as an hour is counted meanwhile.

    Where there is no room for that they stay apart, which changes no answer. (PostgreSQL has the room that the attempt
    took back after a vacuum only, so the answer itself may find none.)

    Raises:
        sqlalchemy.exc.DBAPIError: the database failed; the hours are as they were.
    """
    try:
        while not _put_together(context, project, day):
            _log.info("%s %s: an hour was counted meanwhile; putting its hours together again.", project, day)
    except DatabaseFull as error:
        _log.warning("%s %s: its hours stay apart: %s", project, day, error)


def _put_together(context: Context, project: Project, day: dt.date) -> bool:
    with reading(context.engine) as session:
        apart = days.apart(session, project, day)
        if not apart:
            return True
        packed = [*ahead(lambda views: pack(views()), days.day_slices(session, project, day))]
    with writing(context.engine) as session:
        return days.put_together(session, project, day, apart, packed)
