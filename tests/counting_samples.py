"""How tests count an hour of the demo site, and look at what became of it."""

from __future__ import annotations

import datetime as dt

from store_samples import EN, ask, hour_row, hour_truth, stored_tally

from models.hour import hours_of
from models.tables import HourState
from worker.counting import count_hour_file

HOUR, *OTHERS = hours_of(dt.date(2023, 12, 31))
PASSWORD = "k33p-this-dark"


def work_on(context, hour, *projects, source=None):
    """Count an hour that was asked for before."""
    return count_hour_file(context, hour, projects or (EN,), source=source)


def counted(context, hour=HOUR, *projects, source=None):
    """Ask for an hour and count it."""
    ask(context.engine, hour, projects=projects or (EN,))
    return work_on(context, hour, *projects, source=source)


def assert_not_counted(context, state, *, hour=HOUR, project=EN):
    """The hour's line tells its state and a reason in one line, and there is neither fact nor tally."""
    row = hour_row(context.engine, hour, project)
    assert row.state == state, row
    assert row.reason
    assert "\n" not in row.reason
    facts = (row.size, row.etag, row.last_modified, row.sha256, row.lines, row.malformed, row.views, row.titles)
    assert facts == (None,) * 8
    assert row.counted_at is None
    assert stored_tally(context.engine, hour, project) is None
    return row


def assert_counted(context, demo, hour=HOUR, project=EN):
    row = hour_row(context.engine, hour, project)
    assert (row.state, row.reason) == (HourState.COUNTED, None), row
    assert stored_tally(context.engine, hour, project) == hour_truth(demo, hour, project)
