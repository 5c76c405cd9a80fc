"""The database's handle: an engine, its migrations, and transactions for reading and writing."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from models.errors import DatabaseFull, DatabaseTooNew, DatabaseUnreachable, DataDirectoryUnwritable
from worker.store.revisions import VERSION_QUERY, migrations, revisions
from worker.store.sqlite import READ_ONLY, sqlite_engine

if TYPE_CHECKING:
    from sqlmodel import Session

_T = TypeVar("_T")

AWAY_SECONDS = 120.0
_CONNECT_SECONDS = 10
_ONE_AT_A_TIME = 7_706_451_205
"""Any number will do, as long as every wikiq takes the same."""

_log = logging.getLogger(__name__)


def open_database(url: str) -> Engine:
    """An engine for the database at the URL, brought to this wikiq's version.

    Raises:
        DatabaseTooNew: a newer wikiq has migrated it.
        DatabaseUnreachable: it does not answer, or allows no tables; the message never holds the password.
        DataDirectoryUnwritable: the SQLite file cannot be made or is none.
    """
    engine = connect(url)
    try:
        if not _is_current(engine):
            with _migrating(engine) as connection:
                _upgrade(connection)
    except DBAPIError as error:
        engine.dispose()
        raise _unusable(engine, error) from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def connect(url: str) -> Engine:
    """An engine for the database at the URL, whose version is not looked at."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        # The driver would give a host that swallows packets more time than outlast gives an outage.
        patience = {} if "connect_timeout" in address.query else {"connect_timeout": _CONNECT_SECONDS}
        return create_engine(address, pool_pre_ping=True, connect_args=patience)
    if address.database:
        _make_directory(Path(address.database).parent)
    return sqlite_engine(address)


def outlast(work: Callable[[], _T], seconds: float = AWAY_SECONDS) -> _T:
    """Do what may be done twice; and again where PostgreSQL went away or has not come back yet.

    Args:
        work: what to do, however long it takes while the database is there.
        seconds: how long an outage may last.

    Raises:
        DatabaseUnreachable: it lasted longer.
    """
    import stamina

    outage = _Outage(seconds)
    patiently = stamina.RetryingCaller(attempts=None, timeout=None, wait_initial=0.5, wait_max=10)
    try:
        return patiently(outage.goes_on, outage.attempt, work)
    except DBAPIError as error:
        if not may_pass(error):
            raise
        raise DatabaseUnreachable(
            f"The database does not answer ({said_by(error)}); check WIKIQ_DATABASE_URL, then: wikiq resume"
        ) from error


def may_pass(error: BaseException) -> bool:
    """Whether an error speaks of the state of a PostgreSQL server, not of what it was asked."""
    if isinstance(error, DBAPIError):
        from psycopg import OperationalError

        return isinstance(error.orig, OperationalError)
    return isinstance(error, DatabaseUnreachable)


class _Outage:
    """Since when a database has been away. stamina itself would count from when the work began."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._tried = 0.0
        self._began: float | None = None

    def attempt(self, work: Callable[[], _T]) -> _T:
        self._tried = time.monotonic()
        return work()

    def goes_on(self, error: Exception) -> bool:
        """Whether to try again after this error."""
        if not may_pass(error):
            return False
        now = time.monotonic()
        # Work that went on for longer than an outage may last had found the database again.
        if self._began is None or (now - self._tried > self._seconds and _cut_off(error)):
            self._began = now
        if now - self._began >= self._seconds:
            return False
        _log.warning("The database is away (%s); trying again.", said_by(error))
        return True


def _cut_off(error: Exception) -> bool:
    """Whether there is no connection; a server that is there and has no room, say, is not left and found again."""
    return not isinstance(error, DBAPIError) or error.connection_invalidated or error.statement is None


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that sees one state of the database and writes nothing."""
    from sqlmodel import Session

    with Session(engine.execution_options(**_read_only(engine))) as session:
        yield session


@contextmanager
def reading_rows(engine: Engine) -> Iterator[Connection]:
    """The same without the ORM, whose import takes longer than a look at an answer."""
    with engine.execution_options(**_read_only(engine)).connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session whose work is committed as one transaction when the block ends, or not at all.

    Raises:
        DatabaseFull: its disk is full.
    """
    from sqlmodel import Session

    try:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session
    except DBAPIError as error:
        if not _is_full(error):
            raise
        which = f"file {engine.url.database}" if engine.dialect.name == "sqlite" else engine.url.database
        raise DatabaseFull(
            f"The database {which} cannot be written ({said_by(error)}); free some space, then: wikiq resume"
        ) from None


def _is_full(error: DBAPIError) -> bool:
    from psycopg.errors import DiskFull

    return isinstance(error.orig, DiskFull) or getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def serialise(session: Session) -> None:
    """Let one transaction at a time pass this point, of all that do; SQLite's write lock does that in any case."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})


def _read_only(engine: Engine) -> dict[str, Any]:
    if engine.dialect.name == "postgresql":
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return {READ_ONLY: True}


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataDirectoryUnwritable(
            f"The directory {directory} cannot be made ({error.strerror}); set WIKIQ_DATA_DIR to one that can."
        ) from error


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """One migration at a time: SQLite's write lock, PostgreSQL's advisory lock."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        yield connection


def _is_current(engine: Engine) -> bool:
    with reading_rows(engine) as connection:
        return _version(connection) == revisions()[-1]


def _upgrade(connection: Connection) -> None:
    version = _version(connection)
    if version == revisions()[-1]:
        return
    if version is not None and version not in revisions():
        raise DatabaseTooNew(
            f"The database has version {version}, which this wikiq does not know; upgrade wikiq to use it."
        )
    if not inspect(connection).get_table_names():
        from worker.store.schema import create_tables

        create_tables(connection, revisions()[-1])
        return
    # Alembic is slow to import and needed once per version.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations()))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text(VERSION_QUERY)).scalar()


def _unusable(engine: Engine, error: DBAPIError) -> Exception:
    reason = said_by(error)
    if engine.dialect.name == "sqlite":
        return DataDirectoryUnwritable(
            f"The database file {engine.url.database} cannot be used ({reason}); "
            "set WIKIQ_DATA_DIR to a directory that can be written."
        )
    shown = engine.url.set(query={}).render_as_string(hide_password=True)
    return DatabaseUnreachable(f"The database {shown} cannot be used ({reason}); check WIKIQ_DATABASE_URL.")


def said_by(error: Exception) -> str:
    """What the database itself says of an error, as one line."""
    said = (isinstance(error, DBAPIError) and error.orig) or error
    return next(iter(str(said).strip().splitlines()), type(error).__name__)
