"""Room that a SQLite file does not need any more, given back to the disk a little at a time."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from sqlalchemy import Engine

_PAGES_AT_ONCE = 64
_SHRINK = "PRAGMA incremental_vacuum(64)"
"""By 1 MiB at the page size of our files. Others wait for moments; and it fits into a connection's cache of 2 MiB, else
pages that are cut off a moment later would first be written to the log."""

_log = logging.getLogger(__name__)


def give_room_back(engine: Engine) -> None:
    """Make a SQLite file smaller by the pages that are free now, in transactions of their own between those of others.

    In one transaction (``auto_vacuum = FULL``) all that is moved would lie in the write-ahead log at once, and others
    would wait for it (docs/decisions/0018-days-as-frames.md). A file that was made without ``auto_vacuum`` stays as it
    is. Nothing depends on it, so what goes wrong is logged and left to the next time.
    """
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        try:
            free: int = driver.execute("PRAGMA freelist_count").fetchone()[0]
            for _ in range(free // _PAGES_AT_ONCE + 1):
                # Of a pragma that has to be stepped through, execute would do the first step only.
                driver.executescript(_SHRINK)
            if free:
                # Until then the file has its old length.
                driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.OperationalError as error:
            _log.warning("Free room stays in the database's file: %s", error)
