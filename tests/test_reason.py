"""Reasons as they are kept."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DataError
from store_samples import EN, NOW, ask, hour_row

from models.hour import Hour
from models.tables import HourState
from worker.store import ledger
from worker.store.database import writing
from worker.store.reason import MAX_CHARACTERS, told

pytest_plugins = ["store_fixtures"]


@pytest.mark.parametrize("recount", [False, True])
def test_any_reason_can_be_kept(engine, recount):
    """A reason with NUL, or of any length, is noted on either database."""
    hour = Hour(NOW.date(), 3)
    ask(engine, hour, recount=recount)
    with writing(engine) as session:
        ledger.record_trouble(session, EN, hour, HourState.FAILED, "a\0b" + "x" * 10_000, url="", now=NOW)
    row = hour_row(engine, hour)
    assert row.reason.startswith("a\N{REPLACEMENT CHARACTER}bx")
    assert len(row.reason) < MAX_CHARACTERS + 10


def test_a_databases_error_is_told_without_its_statement():
    """What stands in the ledger is what the database said, not what was sent to it."""
    error = DataError("UPDATE hour SET secret", {"a": "b"}, ValueError("NUL is not allowed"))
    assert told(error) == "DataError: NUL is not allowed"
    assert told(ValueError("why")) == "ValueError: why"
