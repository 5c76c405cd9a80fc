"""Counts as blocks: an hour's facts and its tally are of one count."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from sqlmodel import col, select
from store_samples import DAY, DE, EN, HOURS, NOW, ask, contents, count, facts, hour_row, in_utc
from strategies import frame, plain, tallies

from models.answer import Period
from models.hour import Hour
from models.tables import HourRow, HourState, HourTallyRow
from worker.block import from_block
from worker.store import days, ledger
from worker.store import tallies as store
from worker.store.database import reading, writing

pytest_plugins = ["store_fixtures"]
EXAMPLES = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ONE, OTHER = {b"A": (1, 2), b"B": (0, 4)}, {b"B": (7, 0), b"C\xff": (10, 0), b"D": (100, 2**40)}


def stored(engine, *hours, project=EN):
    """The tallies of these hours, as plain dicts."""
    with reading(engine) as session:
        return {hour: plain(tally) for hour, tally in days.hour_tallies(session, project, hours)}


def counts(engine):
    with reading(engine) as session:
        return ledger.counted_hours(session, EN, Period(DAY))


def seen_together(engine, hour):
    """An hour's facts and its tally, of one and the same moment: both are read by one statement."""
    both = select(HourRow.sha256, HourRow.lines, HourRow.views, HourRow.titles, HourTallyRow.block).where(
        HourRow.project == HourTallyRow.project, HourRow.day == HourTallyRow.day, HourRow.hour == HourTallyRow.hour
    )
    with reading(engine) as session:
        *known, block = session.exec(both.where(col(HourRow.hour) == hour.hour)).one()
    return tuple(known), plain(from_block(block))


def expected(sha256, lines, views):
    return (sha256, lines, sum(map(sum, views.values())), len(views)), views


def test_a_counted_hour_has_its_facts(engine):
    """Everything that is known of the file, the sums of the tally, when it was counted and by whom is kept."""
    known = facts(size=2**40, malformed=3, lines=2**33, last_modified="Wed, 03 Jan 2024 01:45:00 GMT")
    with writing(engine) as session:
        store.record_counted(session, EN, HOURS[4], known, store.pack(frame(OTHER)), now=NOW, version="9.8")
    row = hour_row(engine, HOURS[4])
    assert (row.state, row.reason, row.wikiq) == (HourState.COUNTED, None, "9.8")
    assert (row.url, row.size, row.etag, row.last_modified) == (known.url, 2**40, '"e"', known.last_modified)
    assert (row.lines, row.malformed, row.views, row.titles) == (2**33, 3, 117 + 2**40, 3)
    assert in_utc(row.counted_at) == NOW
    assert stored(engine, HOURS[4]) == {HOURS[4]: OTHER}


def test_an_hour_without_a_line_counts_as_zero_and_says_so(engine):
    """A file without the project's lines is counted, with a reason that names the project."""
    count(engine, HOURS[0], {}, project=DE)
    row = hour_row(engine, HOURS[0], DE)
    assert (row.state, row.views, row.titles) == (HourState.COUNTED, 0, 0)
    assert DE.name in row.reason
    assert stored(engine, HOURS[0], project=DE) == {HOURS[0]: {}}


@EXAMPLES
@given(tallies())
def test_a_tally_comes_back_as_it_was(engine, views):
    """Any tally, of bytes that are no UTF-8 and of large numbers, is read as it was written; the last one is kept."""
    count(engine, HOURS[0], views)
    assert stored(engine, HOURS[0]) == {HOURS[0]: views}


@pytest.mark.parametrize("second", [ONE, OTHER, {}])
def test_counting_twice_is_counting_the_last_time(engine, second):
    """A second count replaces facts and tally whole: never a sum, never one's facts with the other's tally."""
    ask(engine, HOURS[0])
    count(engine, HOURS[0], ONE, sha256="1" * 64, lines=1, etag='"x"', last_modified="yesterday")
    count(engine, HOURS[0], second, sha256="2" * 64, lines=2, etag=None, last_modified=None)
    assert seen_together(engine, HOURS[0]) == expected("2" * 64, 2, second)
    row = hour_row(engine, HOURS[0])
    assert (row.etag, row.last_modified) == (None, None)
    assert (row.reason is None) == bool(second)
    assert len(counts(engine)) == 1


def test_the_same_count_twice_changes_nothing(engine):
    """A message that is delivered twice leaves the database as it was."""
    ask(engine, *HOURS)
    count(engine, HOURS[0], ONE)
    before = contents(engine)
    count(engine, HOURS[0], ONE)
    assert contents(engine) == before


def test_two_workers_count_one_hour_at_the_same_time(engine):
    """Whoever comes last has counted, whole; whoever looks in between sees one of the two counts, whole."""
    sides = {"1" * 64: (1, ONE), "2" * 64: (2, OTHER)}
    possible = [expected(sha256, *side) for sha256, side in sides.items()]
    at_once, done = threading.Barrier(3), threading.Event()
    faults, looks = [], []

    def work(sha256):
        lines, views = sides[sha256]
        at_once.wait()
        for _ in range(12):
            count(engine, HOURS[0], views, sha256=sha256, lines=lines)

    def look():
        at_once.wait()
        while not done.is_set():
            looks.append(seen_together(engine, HOURS[0]))

    def noting(call, *arguments):
        try:
            call(*arguments)
        except BaseException as error:
            faults.append(error)
            raise

    count(engine, HOURS[0], ONE, sha256="1" * 64, lines=1)
    workers = [threading.Thread(target=noting, args=[work, sha256]) for sha256 in sides]
    watcher = threading.Thread(target=noting, args=[look])
    for thread in (*workers, watcher):
        thread.start()
    for worker in workers:
        worker.join()
    done.set()
    watcher.join()
    assert faults == []
    assert len(looks) > 1
    assert all(seen in possible for seen in looks)
    assert seen_together(engine, HOURS[0]) in possible


def test_facts_and_tally_become_visible_together(engine):
    """Before the transaction ends nobody sees any of it, and if it fails nobody ever does."""
    with writing(engine) as session:
        store.record_counted(session, EN, HOURS[0], facts(), store.pack(frame(ONE)), now=NOW, version="test")
        assert counts(engine) == ()
        assert hour_row(engine, HOURS[0]) is None
    assert seen_together(engine, HOURS[0])[1] == ONE
    before = contents(engine)
    with pytest.raises(ZeroDivisionError):
        record_and_fail(engine)
    assert contents(engine) == before


def record_and_fail(engine):
    with writing(engine) as session:
        store.record_counted(session, EN, HOURS[0], facts(size=7), store.pack(frame(OTHER)), now=NOW, version="test")
        raise ZeroDivisionError


def test_projects_and_hours_are_kept_apart(engine):
    """The same hour of two projects, and the same hour of two days, are different counts."""
    tomorrow = Hour(DAY + dt.timedelta(days=1), 0)
    count(engine, HOURS[0], ONE)
    count(engine, HOURS[0], OTHER, project=DE)
    count(engine, tomorrow, {b"T": (1, 0)})
    assert stored(engine, HOURS[0], tomorrow) == {HOURS[0]: ONE, tomorrow: {b"T": (1, 0)}}
    assert stored(engine, HOURS[0], project=DE) == {HOURS[0]: OTHER}


def test_tallies_come_in_the_order_they_are_asked_for(engine):
    """Each asked hour once, in the order of the question, one at a time."""
    for hour in HOURS[:3]:
        count(engine, hour, {str(hour).encode(): (1, 0)})
    asked = (HOURS[2], HOURS[0], HOURS[1])
    assert list(stored(engine, *asked)) == list(asked)
