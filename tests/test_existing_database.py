"""Looking at a database without making, migrating or changing anything."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import servers
from sqlalchemy import inspect, text
from store_samples import EN, HOURS, contents, count, opened

from models.errors import DatabaseTooNew, DatabaseUnreachable, SetupError
from worker.store.database import connect, reading
from worker.store.existing import database_file, looking_at
from worker.store.ledger import uncounted


def lacking(url):
    with looking_at(url) as engine, reading(engine) as session:
        return uncounted(session, EN, HOURS)


def set_version(url, version):
    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    engine.dispose()


def test_where_there_is_none(database_url, tmp_path):
    """A database without tables is read as one in which nothing is; neither tables nor files nor folders are made."""
    assert lacking(database_url) == HOURS
    assert list(tmp_path.iterdir()) == []
    if database_file(database_url) is None:
        engine = connect(database_url)
        assert inspect(engine).get_table_names() == []
        engine.dispose()


def test_what_is_there_is_read(database_url):
    """What was counted is found, and everything stays as it was."""
    with opened(database_url) as engine:
        count(engine, HOURS[0], {b"A": (1, 2)})
        before = contents(engine)
        assert lacking(database_url) == HOURS[1:]
        assert contents(engine) == before


def test_a_session_cannot_write(tmp_path):
    """Not even on purpose: SQLite refuses it."""
    url = f"sqlite:///{tmp_path}/w.sqlite"
    with opened(url):
        pass
    with pytest.raises(DatabaseUnreachable, match="readonly"), looking_at(url) as engine, reading(engine) as session:
        session.execute(text("DELETE FROM hour"))


def test_another_version(database_url):
    """Tables of an older wikiq are not migrated: one is told how; those of a newer one are refused as ever."""
    with opened(database_url):
        pass
    set_version(database_url, "0001")
    with pytest.raises(SetupError, match="wikiq migrate"):
        lacking(database_url)
    set_version(database_url, "9999")
    with pytest.raises(DatabaseTooNew, match="upgrade wikiq"):
        lacking(database_url)


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be one" * 9])
def test_a_file_that_is_no_database(tmp_path, content):
    """An empty file holds nothing yet; any other is told of with its name, and stays as it is."""
    path = tmp_path / "a file?#%41.sqlite"
    path.write_bytes(content)
    url = f"sqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}"
    if content:
        with pytest.raises(DatabaseUnreachable, match="not a database"):
            lacking(url)
    else:
        assert lacking(url) == HOURS
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_cannot_be(tmp_path):
    """Where no file can be, that is said, as where one is that cannot be read."""
    with pytest.raises(DatabaseUnreachable, match="unable to open"):
        lacking(f"sqlite:///{tmp_path}/{'x' * 300}")


def test_a_database_of_somebody_else(tmp_path):
    """It is read as one in which nothing is, and not a byte of it changes."""
    path = tmp_path / "theirs.sqlite"
    with closing(sqlite3.connect(path)) as theirs, theirs:
        theirs.execute("CREATE TABLE hour (id)")
    before = path.read_bytes()
    assert lacking(f"sqlite:///{path}") == HOURS
    assert path.read_bytes() == before


def test_a_server_that_is_away():
    """It is told of without the password."""
    url = f"postgresql+psycopg://wikiq:geheim@127.0.0.1:{servers.free_port()}/wikiq"
    with pytest.raises(DatabaseUnreachable, match=r"127\.0\.0\.1") as told:
        lacking(url)
    assert "geheim" not in str(told.value)
