"""The room a SQLite file takes: it is given back after a day's hours were put together."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from store_samples import DAY, EN, count, opened
from strategies import plain

from models.hour import hours_of
from worker.context import Context
from worker.store import days
from worker.store.database import reading, writing
from worker.store.room import give_room_back
from worker.together import put_together

MEGABYTE = 1_000_000


def pragma(engine, name):
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def fill(engine):
    """A day whose hours have the same titles, which cannot be compressed: 24 times as many bytes as one of them."""
    titles = [random.randbytes(30).hex().encode() for _ in range(3_000)]
    for hour in hours_of(DAY):
        count(engine, hour, dict.fromkeys(titles, (1, 1)))
    return titles


def test_a_new_file_gives_room_back(tmp_path):
    """After a day was put together, a file is smaller by what its hours took; nothing of the day is lost."""
    path = tmp_path / "wikiq.sqlite"
    with opened(f"sqlite:///{path}") as engine:
        titles = fill(engine)
    assert path.stat().st_size > 2 * MEGABYTE
    with opened(f"sqlite:///{path}") as engine:
        put_together(Context(settings=None, engine=engine, retries=None), EN, DAY)
        assert pragma(engine, "freelist_count") > 0
        give_room_back(engine)
        assert pragma(engine, "freelist_count") == 0
        with reading(engine) as session:
            [(_, tally)] = days.hour_tallies(session, EN, hours_of(DAY)[7:8])
    assert plain(tally) == dict.fromkeys(titles, (1, 1))
    assert path.stat().st_size < MEGABYTE


def test_a_day_lies_before_the_room_that_its_hours_leave(tmp_path):
    """The end of the file is free, so that it can be cut off: nothing is moved, and a reader keeps no log long."""
    path = tmp_path / "wikiq.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        # Of small pages this little needs as many lists of free ones as a large wiki's day does of large pages.
        connection.execute("PRAGMA page_size = 1024")
        connection.execute("CREATE TABLE older (x)")
    with opened(f"sqlite:///{path}") as engine:
        fill(engine)
        put_together(Context(settings=None, engine=engine, retries=None), EN, DAY)
        with engine.connect() as connection:
            try:
                pages = "SELECT max(pageno) FROM dbstat WHERE name = 'day_tally'"
                last = connection.exec_driver_sql(pages).scalar()
            except OperationalError:
                pytest.skip("this SQLite does not tell where a table lies")
        assert last < pragma(engine, "page_count") / 2


def test_room_is_given_back_beside_a_reader(tmp_path):
    """Who reads all the while keeps the log from being started anew, and yet it stays a part of what is removed."""
    path = tmp_path / "wikiq.sqlite"
    with opened(f"sqlite:///{path}") as engine:
        with writing(engine) as session:
            session.execute(text("CREATE TABLE large (value blob)"))
            for _ in range(50):
                session.execute(text("INSERT INTO large VALUES (randomblob(2000000))"))
        with writing(engine) as session:
            session.execute(text("DELETE FROM large"))
        with engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with reading(engine) as session:
            session.execute(text("SELECT count(*) FROM large")).all()
            give_room_back(engine)
            assert path.with_name("wikiq.sqlite-wal").stat().st_size < 20 * MEGABYTE
        assert pragma(engine, "freelist_count") == 0
    assert path.stat().st_size < MEGABYTE


@pytest.mark.parametrize("page_size", [4096, 16384])
def test_an_older_file_uses_its_room_again(tmp_path, page_size):
    """A file that was made without giving room back is used as it is, and does not grow by the day's blocks."""
    path = tmp_path / "wikiq.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {page_size}")
        connection.execute("CREATE TABLE older (x)")
    with opened(f"sqlite:///{path}") as engine:
        fill(engine)
    size = path.stat().st_size
    with opened(f"sqlite:///{path}") as engine:
        put_together(Context(settings=None, engine=engine, retries=None), EN, DAY)
        give_room_back(engine)
        assert (pragma(engine, "auto_vacuum"), pragma(engine, "page_size")) == (0, page_size)
        assert pragma(engine, "freelist_count") > 0
    assert path.stat().st_size == size


def test_what_is_removed_does_not_pass_through_the_log(tmp_path):
    """Removing much and giving its room back needs a write-ahead log of a small part of it."""
    path = tmp_path / "wikiq.sqlite"
    with opened(f"sqlite:///{path}") as engine, writing(engine) as session:
        session.execute(text("CREATE TABLE large (value blob)"))
        for _ in range(50):
            session.execute(text("INSERT INTO large VALUES (randomblob(2000000))"))
        session.execute(text("CREATE TABLE after (value blob)"))
        session.execute(text("INSERT INTO after VALUES (randomblob(60000000))"))
    with opened(f"sqlite:///{path}") as engine:
        with writing(engine) as session:
            session.execute(text("DELETE FROM large"))
        give_room_back(engine)
        assert path.with_name("wikiq.sqlite-wal").stat().st_size < 40 * MEGABYTE
        assert pragma(engine, "freelist_count") == 0
        assert pragma(engine, "integrity_check") == "ok"
    assert path.stat().st_size < 65 * MEGABYTE


def test_room_that_cannot_be_given_back_now_is_left(tmp_path, caplog):
    """Where another transaction holds the file, nothing fails: the room stays free, and the log says so."""
    path = tmp_path / "wikiq.sqlite"
    with opened(f"sqlite:///{path}") as engine:
        with engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA busy_timeout = 10")
        fill(engine)
        put_together(Context(settings=None, engine=engine, retries=None), EN, DAY)
        free = pragma(engine, "freelist_count")
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            give_room_back(engine)
        assert pragma(engine, "freelist_count") == free > 0
    assert "stays" in caplog.text
