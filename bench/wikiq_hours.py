"""An hour file on disk -> its committed tally, as worker/counting.py does it, without the download."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from models.hour import Hour
from models.project import parse_project
from models.version import VERSION
from worker.context import Context, open_context
from worker.hour_file import read_blocks
from worker.pageviews import HourCount, count_views
from worker.settings import read_settings
from worker.store import ledger, tallies
from worker.store.database import writing

PROJECT = parse_project("en.wikipedia")


def open_directory(directory: Path) -> Context:
    """A context whose SQLite file is in the directory."""
    return open_context(read_settings({"WIKIQ_DATA_DIR": str(directory)}))


def count(file: Path) -> HourCount:
    return count_views(read_blocks(file), [PROJECT])


def commit(context: Context, hour: Hour, file: Path, counted: HourCount) -> None:
    """Write the tally and its line of the ledger in one transaction."""
    facts = tallies.FileFacts(
        url=file.as_uri(),
        size=file.stat().st_size,
        etag=None,
        last_modified=None,
        sha256="0" * 64,
        lines=counted.lines,
        malformed=counted.malformed,
    )
    tally = tallies.pack(counted.tallies[PROJECT])
    with writing(context.engine) as session:
        if ledger.lacks(session, PROJECT, hour):
            tallies.record_counted(session, PROJECT, hour, facts, tally, now=dt.datetime.now(dt.UTC), version=VERSION)
