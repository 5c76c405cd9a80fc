"""A day's hours, apart or together: each is read exactly once, whichever way it is kept and whatever went wrong."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from day_samples import TALLIES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func
from sqlmodel import select
from store_samples import DAY, DE, EN, HOURS, NOW, contents, count
from strategies import frame, plain

from models.hour import Hour, hours_of
from models.tables import DayTallyRow, HourTallyRow
from worker.context import Context
from worker.day import pack
from worker.store import days, ledger
from worker.store.database import reading, writing
from worker.tally import merge
from worker.together import put_together as keep

pytest_plugins = ["store_fixtures"]
EXAMPLES = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ONE, OTHER, THIRD = {b"A": (1, 2), b"B": (0, 4)}, {b"B": (7, 0), b"C\xff": (10, 0)}, {b"A": (10**15, 0), b"": (3, 3)}
LATER = NOW + dt.timedelta(minutes=1)
COUNTS = st.lists(st.tuples(st.integers(0, 5), TALLIES, st.booleans()), max_size=12)
"""Hours as they are counted, one after the other and perhaps twice; whether the day is put together after each."""


def seen(engine, *hours, project=EN):
    """What the database says of these hours, one by one."""
    with reading(engine) as session:
        return {hour: plain(tally) for hour, tally in days.hour_tallies(session, project, hours)}


def total(engine, day=DAY, project=EN):
    """All views of the day, as rankings read them."""
    with reading(engine) as session:
        return plain(merge(views().total() for views in days.day_slices(session, project, day)))


def apart(engine, day=DAY, project=EN):
    with reading(engine) as session:
        return dict(days.apart(session, project, day))


def read(engine, day=DAY, project=EN):
    """What putting a day together begins with."""
    with reading(engine) as session:
        packed = [pack(views()) for views in days.day_slices(session, project, day)]
        return days.apart(session, project, day), packed


def write(engine, found, day=DAY, project=EN):
    with writing(engine) as session:
        return days.put_together(session, project, day, *found)


def put_together(engine, day=DAY, project=EN):
    assert write(engine, read(engine, day, project), day, project)


def rows(engine, table):
    with reading(engine) as session:
        return session.exec(select(func.count()).select_from(table)).one()


@EXAMPLES
@given(COUNTS)
def test_each_hour_is_what_was_last_counted(engine, counts):
    """Whatever is counted, again and again, before and after the day was put together: the last count of each holds."""
    day = DAY + dt.timedelta(days=random.randrange(10_000))
    wanted = {}
    for number, (hour, views, together) in enumerate(counts):
        count(engine, Hour(day, hour), views, sha256=f"{number}")
        wanted[Hour(day, hour)] = views
        if together:
            put_together(engine, day)
            assert apart(engine, day) == {}
        assert seen(engine, *wanted) == wanted


def test_putting_together_changes_no_view(engine):
    """Each hour, and the whole day, are the same before and after; the hours' own blocks are gone."""
    views = dict(zip(HOURS[:4], (ONE, OTHER, {}, THIRD), strict=True))
    for hour, tally in views.items():
        count(engine, hour, tally)
    before = total(engine)
    assert set(apart(engine)) == {hour.hour for hour in views}
    put_together(engine)
    assert (seen(engine, *views), total(engine)) == (views, before)
    assert (apart(engine), rows(engine, HourTallyRow)) == ({}, 0)


def test_a_late_hour_is_added(engine):
    """An hour that is counted later is read beside the others, then put together with them."""
    count(engine, HOURS[1], ONE)
    put_together(engine)
    count(engine, HOURS[0], OTHER)
    wanted = {HOURS[0]: OTHER, HOURS[1]: ONE}
    assert seen(engine, *wanted) == wanted
    assert total(engine) == {b"A": (1, 2), b"B": (7, 4), b"C\xff": (10, 0)}
    put_together(engine)
    assert seen(engine, *wanted) == wanted


def test_an_hour_counted_anew_replaces_itself_alone(engine):
    """The new count holds at once, instead of the old one, and the other hours stay; also where it counts nothing."""
    count(engine, HOURS[0], ONE)
    count(engine, HOURS[1], OTHER)
    put_together(engine)
    for views in (THIRD, {}, ONE):
        count(engine, HOURS[0], views, now=LATER)
        for _ in range(2):
            assert seen(engine, *HOURS[:2]) == {HOURS[0]: views, HOURS[1]: OTHER}
            assert total(engine) == plain(merge_of(views, OTHER))
            put_together(engine)


def merge_of(*tallies):
    return merge(map(frame, tallies))


def test_days_and_projects_are_kept_apart(engine):
    """Putting one day of one project together touches no other."""
    tomorrow = hours_of(DAY + dt.timedelta(days=1))[0]
    count(engine, HOURS[0], ONE)
    count(engine, HOURS[0], OTHER, project=DE)
    count(engine, tomorrow, THIRD)
    put_together(engine)
    assert (seen(engine, HOURS[0], tomorrow), seen(engine, HOURS[0], project=DE)) == (
        {HOURS[0]: ONE, tomorrow: THIRD},
        {HOURS[0]: OTHER},
    )
    assert (apart(engine), set(apart(engine, project=DE)), set(apart(engine, tomorrow.day))) == ({}, {0}, {0})
    put_together(engine, project=DE)
    assert (total(engine), total(engine, project=DE)) == (ONE, OTHER)


@pytest.mark.parametrize("sha256", ["a" * 64, "b" * 64])
def test_a_count_that_came_meanwhile_is_not_lost(engine, sha256):
    """If an hour is counted anew, even from the same file, after the day was read, nothing is written."""
    count(engine, HOURS[0], ONE)
    count(engine, HOURS[1], OTHER)
    found = read(engine)
    count(engine, HOURS[1], THIRD, now=LATER, sha256=sha256)
    assert not write(engine, found)
    assert seen(engine, *HOURS[:2]) == {HOURS[0]: ONE, HOURS[1]: THIRD}
    put_together(engine)
    assert seen(engine, *HOURS[:2]) == {HOURS[0]: ONE, HOURS[1]: THIRD}


def test_a_new_hour_that_came_meanwhile_stays_apart(engine):
    """An hour that was first counted after the day was read is in nobody's way, and keeps its own block."""
    count(engine, HOURS[0], ONE)
    found = read(engine)
    count(engine, HOURS[1], OTHER)
    assert write(engine, found)
    assert set(apart(engine)) == {HOURS[1].hour}
    assert seen(engine, *HOURS[:2]) == {HOURS[0]: ONE, HOURS[1]: OTHER}


def test_two_that_put_a_day_together_at_once(engine):
    """Of two that read the same hours the second writes nothing; also if an hour came between their reading."""
    count(engine, HOURS[0], ONE)
    first = read(engine)
    count(engine, HOURS[1], OTHER)
    second = read(engine)
    assert write(engine, second)
    assert not write(engine, first)
    assert seen(engine, *HOURS[:2]) == {HOURS[0]: ONE, HOURS[1]: OTHER}
    assert apart(engine) == {}


def test_a_reader_sees_one_state(engine):
    """Who began to read before a day was put together reads on in what was there then."""
    count(engine, HOURS[0], ONE)
    count(engine, HOURS[1], OTHER)
    with reading(engine) as session:
        days.apart(session, EN, DAY)
        put_together(engine)
        count(engine, HOURS[1], THIRD, now=LATER)
        found = {hour: plain(tally) for hour, tally in days.hour_tallies(session, EN, HOURS[:2])}
    assert found == {HOURS[0]: ONE, HOURS[1]: OTHER}


def test_what_breaks_off_changes_nothing(engine):
    """If the transaction fails after everything was written, the database is as it was."""
    count(engine, HOURS[0], ONE)
    put_together(engine)
    count(engine, HOURS[1], OTHER)
    before = contents(engine)
    with pytest.raises(ZeroDivisionError):
        write_and_fail(engine)
    assert contents(engine) == before


def write_and_fail(engine):
    found = read(engine)
    with writing(engine) as session:
        assert days.put_together(session, EN, DAY, *found)
        raise ZeroDivisionError


def test_fewer_slices_leave_none_of_the_former(engine):
    """A day that gets smaller when it is put together again has no row of what it was before."""
    count(engine, HOURS[0], ONE)
    put_together(engine)
    count(engine, HOURS[0], {}, now=LATER)
    put_together(engine)
    assert (total(engine), rows(engine, DayTallyRow)) == ({}, 0)


def test_recounting_and_putting_together_do_not_wait_for_each_other(engine):
    """While an hour is being counted, an order to count all anew and putting the day together both end."""
    hours = list(hours_of(DAY))
    random.Random(1).shuffle(hours)
    with writing(engine) as session:
        ledger.request_hours(session, [EN], hours_of(DAY))
    for hour in hours:
        count(engine, hour, {b"A": (1, 0)})
    begun = threading.Event()

    def count_anew():
        with writing(engine) as session:
            ledger.lacks(session, EN, hours[12])
            begun.set()
            time.sleep(0.5)

    def order():
        with writing(engine) as session:
            ledger.request_hours(session, [EN], hours_of(DAY), recount=True)

    context = Context(settings=None, engine=engine, retries=None)
    with ThreadPoolExecutor(3) as pool:
        work = [pool.submit(count_anew)]
        begun.wait()
        work.append(pool.submit(order))
        time.sleep(0.1)
        work.append(pool.submit(keep, context, EN, DAY))
        for each in work:
            each.result()
    assert total(engine) == {b"A": (24, 0)}
