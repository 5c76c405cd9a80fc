"""The database's handle: what sessions see of one another, and who waits for whom."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import ExitStack

import psycopg
import pytest
import servers
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from store_samples import EN, HOURS, ask, contents, count, hour_row, opened

from models.tables import HourRow
from worker.store import sqlite
from worker.store.database import reading, writing


def set_views(session, hour, views):
    session.execute(update(HourRow).where(col(HourRow.hour) == hour.hour).values(views=views))


def write_and_fail(engine, wrong):
    """Write something that is in order, then a row that is not, or without one raise an error."""
    with writing(engine) as session:
        set_views(session, HOURS[0], 99)
        session.add(HourRow(project=EN.name, day=HOURS[1].day, hour=1))
        session.flush()
        session.add_all([wrong] if wrong else [])
        session.flush()
        raise ZeroDivisionError


def views_seen(session):
    return session.exec(select(HourRow.views).order_by(col(HourRow.hour))).all()


def test_sqlite_is_set_up_for_readers_beside_a_writer(tmp_path):
    """The write-ahead log is on, and foreign keys are enforced, in every connection."""
    with (
        opened(f"sqlite:///{tmp_path / 'wikiq.sqlite'}") as engine,
        writing(engine) as writer,
        reading(engine) as one,
        reading(engine) as two,
    ):
        for session in (writer, one, two):
            assert session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_a_file_has_as_many_readers_as_there_are_threads(tmp_path):
    """No reader waits for another one, however many there are."""
    with opened(f"sqlite:///{tmp_path / 'wikiq.sqlite'}") as engine, ExitStack() as stack:
        sessions = [stack.enter_context(reading(engine)) for _ in range(40)]
        assert [session.execute(text("SELECT 1")).scalar() for session in sessions] == [1] * 40


def test_a_new_file_is_waited_for(tmp_path):
    """Who opens a SQLite file while another process makes it waits; SQLite itself does not, for its journal's mode."""
    path = tmp_path / "wikiq.sqlite"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.execute, ["COMMIT"])
    release.start()
    try:
        with opened(f"sqlite:///{path}") as engine:
            assert contents(engine)["hour"][1] == []
    finally:
        release.join()
        other.close()


def test_opening_what_is_up_to_date_needs_no_leave_to_write(tmp_path, monkeypatch):
    """Results can be looked at while a long transaction writes."""
    url = f"sqlite:///{tmp_path / 'wikiq.sqlite'}"
    with opened(url) as engine:
        monkeypatch.setattr(sqlite, "_WAIT_MS", 200)
        with writing(engine) as writer:
            set_views(writer, HOURS[0], 7)
            with opened(url) as second, reading(second) as session:
                assert views_seen(session) == []


def test_a_reading_session_sees_one_state(database_url):
    """What others commit while it reads does not show before the next session, and they do not wait for it."""
    with opened(database_url) as engine:
        ask(engine, *HOURS[:2])
        with reading(engine) as session:
            assert views_seen(session) == [None, None]
            with writing(engine) as other:
                set_views(other, HOURS[0], 7)
            session.expire_all()
            assert views_seen(session) == [None, None]
        with reading(engine) as session:
            assert views_seen(session) == [7, None]


def test_a_reading_session_writes_nothing(database_url):
    """What is added to a reading session is gone when it ends."""
    with opened(database_url) as engine:
        ask(engine, HOURS[0])
        before = contents(engine)
        with reading(engine) as session:
            row = session.get_one(HourRow, (EN.name, HOURS[0].day, HOURS[0].hour))
            row.views = 7
        assert contents(engine) == before


def test_a_reader_does_not_wait_for_a_writer(database_url):
    """While a transaction has written and not committed, others read the state before it, at once."""
    with opened(database_url) as engine:
        ask(engine, HOURS[0])
        with writing(engine) as writer:
            set_views(writer, HOURS[0], 7)
            writer.flush()
            with reading(engine) as session:
                assert views_seen(session) == [None]
        with reading(engine) as session:
            assert views_seen(session) == [7]


def test_writing_commits_all_or_nothing(database_url):
    """An error in the block, of Python or of the database, undoes everything that the block did."""
    with opened(database_url) as engine:
        count(engine, HOURS[0], {b"A": (1, 2)})
        before = contents(engine)
        for wrong in (HourRow(project=EN.name, day=HOURS[1].day, hour=24), None):
            with pytest.raises((IntegrityError, ZeroDivisionError)):
                write_and_fail(engine, wrong)
        assert contents(engine) == before
        with writing(engine) as session:
            set_views(session, HOURS[0], 99)
        assert hour_row(engine, HOURS[0]).views == 99


def test_writers_wait_for_one_another(database_url):
    """A second writer of the same row goes on only when the first has committed, and loses nothing of its work."""
    add_one = update(HourRow).values(tries=HourRow.tries + 1)
    moments = {}

    def second(engine):
        with writing(engine) as session:
            session.execute(add_one)
            moments["second went on"] = time.monotonic()

    with opened(database_url) as engine:
        ask(engine, HOURS[0])
        thread = threading.Thread(target=second, args=[engine])
        with writing(engine) as session:
            session.execute(add_one)
            thread.start()
            thread.join(0.2)
            moments["first committed"] = time.monotonic()
        thread.join()
        assert moments["second went on"] > moments["first committed"]
        assert hour_row(engine, HOURS[0]).tries == 2


def test_writers_read_what_others_committed(tmp_path):
    """On SQLite even a read before a write is of the last state, so that many who add to a number lose none."""

    def add_ten(engine):
        for _ in range(10):
            with writing(engine) as session:
                row = session.get_one(HourRow, (EN.name, HOURS[0].day, HOURS[0].hour))
                row.tries += 1

    with opened(f"sqlite:///{tmp_path / 'wikiq.sqlite'}") as engine:
        ask(engine, HOURS[0])
        threads = [threading.Thread(target=add_ten, args=[engine]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert hour_row(engine, HOURS[0]).tries == 40


def test_a_lost_connection_is_replaced(postgresql):
    """After PostgreSQL has dropped a connection, the next session gets a new one."""
    with (
        servers.fresh_database(postgresql, "wikiq_dropped") as url,
        opened(url.replace("postgresql://", "postgresql+psycopg://")) as engine,
    ):
        ask(engine, HOURS[0])
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'wikiq_dropped'"
        with psycopg.connect(postgresql, autocommit=True) as maintenance:
            assert maintenance.execute(others).fetchall() == [(True,)]
        with reading(engine) as session:
            assert views_seen(session) == [None]
