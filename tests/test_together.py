"""Putting a day's hours together while others count, without room for it, and in a process that is killed."""

from __future__ import annotations

import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event
from store_samples import DAY, EN, HOURS, NOW, count, facts, hour_row, opened, process
from strategies import frame, plain

from models.hour import hours_of
from worker import together
from worker.context import Context
from worker.day import pack, slices_of
from worker.store import days, ledger, tallies
from worker.store.database import reading, writing
from worker.together import put_together

ONE, OTHER, THIRD = {b"A": (1, 2), b"B": (0, 4)}, {b"B": (7, 0), b"C\xff": (10, 0)}, {b"A": (10**15, 0)}
LAST = 7
VERSIONS = """
import itertools, sys
sys.path.insert(0, sys.argv[3])
from store_samples import DAY, EN, HOURS, NOW, count, opened
from worker.context import Context
from worker.together import put_together
print("ready", flush=True)
sys.stdin.readline()
with opened(sys.argv[1]) as engine:
    context = Context(settings=None, engine=engine, retries=None)
    for version in itertools.count(int(sys.argv[2])):
        for hour in HOURS[:3]:
            views = {b"A": (version, 0), b"%d" % version: (1, hour.hour)}
            count(engine, hour, views, sha256=str(version))
        put_together(context, EN, DAY)
        print(version, flush=True)
"""


@pytest.fixture
def context(database_url):
    with opened(database_url) as engine:
        yield Context(settings=None, engine=engine, retries=None)


def seen(context, *hours):
    with reading(context.engine) as session:
        return {hour: plain(tally) for hour, tally in days.hour_tallies(session, EN, hours)}


def apart(context):
    with reading(context.engine) as session:
        return set(days.apart(session, EN, DAY))


def test_a_day_of_which_nothing_is_counted(context):
    """There is nothing to do, and nothing is written."""
    put_together(context, EN, DAY)
    assert (apart(context), seen(context, HOURS[0])) == (set(), {HOURS[0]: {}})


def test_hours_counted_in_the_middle(context, monkeypatch):
    """An hour that is counted anew while its day is put together is not lost: the day is read again."""
    count(context.engine, HOURS[0], ONE)
    count(context.engine, HOURS[1], OTHER)
    interruptions = iter(
        [lambda: count(context.engine, HOURS[1], THIRD, sha256="1"), lambda: count(context.engine, HOURS[2], ONE)]
    )

    def pack_and_be_interrupted(views):
        next(interruptions, lambda: None)()
        return pack(views)

    monkeypatch.setattr(together, "pack", pack_and_be_interrupted)
    put_together(context, EN, DAY)
    assert seen(context, *HOURS[:3]) == {HOURS[0]: ONE, HOURS[1]: THIRD, HOURS[2]: ONE}
    assert apart(context) <= {HOURS[2].hour}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_room(context, caplog, monkeypatch):
    """Where the database has no room, the hours stay as they are, with a warning; later they are put together."""
    many = {b"%d" % number: (1, 0) for number in range(99)}
    count(context.engine, HOURS[0], many)
    # A slice for every title needs more room than the hour had.
    monkeypatch.setattr(days, "slices_of", partial(slices_of, step_rows=1))
    with context.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def limit(connection, *_):
        connection.execute(f"PRAGMA max_page_count = {pages}").close()

    context.engine.dispose()
    event.listen(context.engine, "connect", limit)
    with caplog.at_level(logging.WARNING):
        put_together(context, EN, DAY)
    assert "full" in caplog.text
    assert (apart(context), seen(context, HOURS[0])) == ({HOURS[0].hour}, {HOURS[0]: many})
    event.remove(context.engine, "connect", limit)
    context.engine.dispose()
    put_together(context, EN, DAY)
    assert (apart(context), seen(context, HOURS[0])) == (set(), {HOURS[0]: many})


def test_workers_that_count_while_others_put_together(context):
    """Two that count the hours of a day anew, again and again, and two that put it together: the last counts hold."""
    hours, counted = hours_of(DAY)[:4], threading.Event()

    def putting():
        while not counted.is_set():
            put_together(context, EN, DAY)

    with ThreadPoolExecutor(4) as threads:
        putters = [threads.submit(putting) for _ in range(2)]
        counters = [threads.submit(recount, context.engine, mine) for mine in (hours[:2], hours[2:])]
        wait(counters)
        counted.set()
    assert [work.exception() for work in (*counters, *putters)] == [None] * 4
    assert seen(context, *hours) == {hour: version_of(hour, LAST) for hour in hours}
    put_together(context, EN, DAY)
    assert (apart(context), seen(context, *hours)) == (set(), {hour: version_of(hour, LAST) for hour in hours})


def version_of(hour, version):
    return {b"A": (version, 0), b"%d" % version: (1, hour.hour)}


def recount(engine, hours):
    """As counting does: whoever finds an hour's line locked waits for it."""
    for version in range(1, LAST + 1):
        for hour in hours:
            with writing(engine) as session:
                ledger.lacks(session, EN, hour)
                tally, known = tallies.pack(frame(version_of(hour, version))), facts(sha256=f"{version}")
                tallies.record_counted(session, EN, hour, known, tally, now=NOW, version="test")


def test_killed_at_any_moment(database_url):
    """Of a process that is killed while it counts and puts together, each hour is as its line of the ledger says."""
    began = 1
    for _ in range(3):
        with process(VERSIONS, database_url, str(began), str(Path(__file__).parent)) as worker:
            worker.stdin.write("\n")
            worker.stdin.flush()
            began = int(worker.stdout.readline()) + 1
            time.sleep(random.uniform(0, 0.3))
            worker.kill()
        with opened(database_url) as engine:
            context = Context(settings=None, engine=engine, retries=None)
            for _ in range(2):
                found = seen(context, *HOURS[:3])
                for hour in HOURS[:3]:
                    assert found[hour] == version_of(hour, int(hour_row(engine, hour).sha256))
                put_together(context, EN, DAY)
            assert apart(context) == set()
