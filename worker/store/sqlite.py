"""SQLite as wikiq uses it: one writer at a time, readers that see one state, room that is given back."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

READ_ONLY = "wikiq_read_only"
"""The execution option of a connection whose transactions only read."""

_WAIT_MS = 60_000
_PRAGMAS = (
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "secure_delete = OFF",  # some builds overwrite what is deleted; here it is public
    f"journal_size_limit = {16 << 20}",
)
_POLL_SECONDS = 0.05


def sqlite_engine(address: URL) -> Engine:
    """An engine for the file at the URL, which need not be there yet."""
    # Every thread that asks has one: a run without a broker has more threads than a pool's usual fifteen connections
    # where it has many cores or sources.
    engine = create_engine(
        address, max_overflow=-1, connect_args={"timeout": _WAIT_MS / 1000, "check_same_thread": False}
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 the driver's own class
    # The driver would begin transactions by itself, and only at the first write: too late for a consistent read
    # before a write. _begin does it instead.
    connection.isolation_level = None
    if connection.execute("PRAGMA page_count").fetchone() == (0,):
        # Only a new file's can be chosen. Large pages suit blocks; room that is not needed is given back (room.py).
        connection.execute("PRAGMA page_size = 16384")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
    _use_write_ahead_log(connection)


def _use_write_ahead_log(connection: Any) -> None:  # noqa: ANN401
    """Switch a new file's journal; SQLite does not wait for others there, so this does."""
    deadline = time.monotonic() + _WAIT_MS / 1000
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)


def _begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
