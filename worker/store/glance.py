"""Reading a SQLite file without SQLAlchemy, whose import takes longer than all the rest of a look at an answer.

Only where the file is there, is this version's and answers; everything else is ``worker.store.database``'s to do, to
bring up to date or to explain.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from worker.store.revisions import VERSION_QUERY, latest_revision

_T = TypeVar("_T")

_SCHEME = "sqlite:///"
_WAIT_SECONDS = 60.0


class SqliteRows:
    """One state of a SQLite file, asked in plain SQL."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, values: Mapping[str, Any]) -> Sequence[Any]:
        """What the statement selects, each row with its columns as attributes."""
        given = {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in values.items()}
        found = self._connection.execute(statement, given)
        names = [column[0] for column in found.description]
        return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in found]


def at_a_glance(url: str, read: Callable[[SqliteRows], _T]) -> _T | None:
    """What ``read`` makes of the database at the URL; None where it is none that can be read like this."""
    path = _file(url)
    if path is None:
        return None
    try:
        with closing(_opened(path)) as connection:
            if connection.execute(VERSION_QUERY).fetchone() != (latest_revision(),):
                return None
            return read(SqliteRows(connection))
    except sqlite3.Error:
        return None


def _file(url: str) -> Path | None:
    """The file that a URL names in the plain way: SQLAlchemy knows others."""
    name = unquote(url.removeprefix(_SCHEME))
    if not url.startswith(_SCHEME) or "?" in url or name.startswith((":", "file:")):
        return None
    return Path(name).absolute()


def _opened(path: Path) -> sqlite3.Connection:
    # Never made where it is not there; and a transaction from the first statement on.
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=_WAIT_SECONDS)
    try:
        connection.isolation_level = None
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
    except BaseException:
        connection.close()
        raise
    return connection
