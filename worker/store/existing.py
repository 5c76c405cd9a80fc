"""A database as it is: looked at, but neither made nor migrated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from models.errors import DatabaseTooNew, DatabaseUnreachable, SetupError
from models.tables import HourRow
from worker.store.database import connect
from worker.store.revisions import latest_revision

_WAIT_SECONDS = 60


@contextmanager
def looking_at(url: str) -> Iterator[Engine]:
    """An engine for reading what is in the database at the URL; where nothing is yet, for reading an empty one.

    Raises:
        DatabaseTooNew: a newer wikiq has migrated it.
        SetupError: an older one has made it.
        DatabaseUnreachable: it does not answer, or is no database; the message never holds the password.
    """
    engine = _as_it_is(url)
    try:
        version = _version(engine)
        if version is None:
            engine.dispose()
            engine = _empty()
        else:
            _check(version)
        yield engine
    except DBAPIError as error:
        raise DatabaseUnreachable(f"The database {_shown(url)} cannot be read ({_reason(error)}).") from error
    finally:
        engine.dispose()


def database_file(url: str) -> Path | None:
    """Where a SQLite database lies; None for a server's."""
    address = make_url(url)
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def _as_it_is(url: str) -> Engine:
    file = database_file(url)
    if file is None:
        return connect(url)
    with suppress(OSError):  # of any other SQLite tells
        if not file.exists():
            return _empty()
    # ``connect`` would change the journal of a file that is not wikiq's.
    read_only = URL.create(
        "sqlite", database=f"file:{quote(str(file.absolute()))}", query={"mode": "ro", "uri": "true"}
    )
    return create_engine(read_only, connect_args={"timeout": _WAIT_SECONDS, "check_same_thread": False})


def _empty() -> Engine:
    """A database in memory, with this version's tables and nothing in them."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    HourRow.metadata.create_all(engine)
    return engine


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _check(version: str) -> None:
    latest = latest_revision()
    # Revisions are numbered with leading zeros, so their names are in order.
    if version > latest:
        raise DatabaseTooNew(f"The database has version {version}, which this wikiq does not know; upgrade wikiq.")
    if version < latest:
        raise SetupError(f"The database has version {version}, this wikiq's is {latest}; migrate it: wikiq migrate")


def _shown(url: str) -> str:
    return make_url(url).set(query={}).render_as_string(hide_password=True)


def _reason(error: DBAPIError) -> str:
    return next(iter(str(error.orig).strip().splitlines()), type(error).__name__)
