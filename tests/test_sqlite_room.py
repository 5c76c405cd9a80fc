"""The room a SQLite file takes: it is given back when a day's hours are put together."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest
from store_samples import DAY, EN, count, opened
from strategies import plain

from models.hour import hours_of
from worker.context import Context
from worker.store import days
from worker.store.database import reading
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
        assert pragma(engine, "freelist_count") == 0
        with reading(engine) as session:
            [(_, tally)] = days.hour_tallies(session, EN, hours_of(DAY)[7:8])
    assert plain(tally) == dict.fromkeys(titles, (1, 1))
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
        assert (pragma(engine, "auto_vacuum"), pragma(engine, "page_size")) == (0, page_size)
        assert pragma(engine, "freelist_count") > 0
    assert path.stat().st_size == size
