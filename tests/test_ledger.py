"""The ledger: an hour counts exactly once, and what could not be counted is known by name."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select
from store_samples import DAY, DE, EN, HOURS, NOW, SOURCE, ask, count, fail, hour_row, in_utc, opened
from strategies import LAW

from models.answer import Period
from models.hour import Hour, hours_of
from models.tables import HourRow, HourState
from worker.store import ledger
from worker.store.database import reading, writing
from worker.store.ledger import CountedHour, fingerprint

pytest_plugins = ["store_fixtures"]
TROUBLES = (HourState.MISSING, HourState.REFUSED, HourState.UNREACHABLE, HourState.FAILED)
TODAY = Period(DAY)
MINUTE = dt.timedelta(minutes=1)
NEXT_DAY = DAY + dt.timedelta(days=1)
FRESH_DAYS = itertools.count()

FACTS = st.builds(
    CountedHour,
    hour=st.sampled_from(HOURS[:2]),
    sha256=st.sampled_from(["a" * 64, "b" * 64]),
    lines=st.sampled_from([1, 11]),
    malformed=st.sampled_from([1, 0]),
    views=st.sampled_from([1, 11]),
    titles=st.sampled_from([1, 0]),
)
LEDGERS = st.lists(FACTS, unique_by=lambda counted: counted.hour, max_size=2)


def counted(engine, project=EN, period=TODAY):
    with reading(engine) as session:
        return ledger.counted_hours(session, project, period)


def uncounted(engine, project=EN, hours=HOURS[:2]):
    with reading(engine) as session:
        return ledger.uncounted(session, project, hours)


def troubles(engine, *where):
    with reading(engine) as session:
        return [(found.project, found.hour, found.state, found.reason) for found in ledger.troubles(session, *where)]


@LAW
@given(LEDGERS, LEDGERS)
def test_fingerprints_are_equal_exactly_for_the_same_counts(one, other):
    """Another hour, another file, another number gives another fingerprint; the same ones give the same."""
    assert (fingerprint(one) == fingerprint(other)) == (set(one) == set(other))


@LAW
@given(LEDGERS.flatmap(lambda hours: st.tuples(st.just(hours), st.permutations(hours))))
def test_a_fingerprint_is_free_of_order(both):
    """In which order hours are named does not matter."""
    assert fingerprint(both[0]) == fingerprint(both[1])


def test_a_fingerprint_survives_the_database(engine):
    """What is read back has the fingerprint of what was written, and a recount of another file has not."""
    count(engine, HOURS[3], {b"A": (1, 2), b"B": (0, 5)}, sha256="c" * 64, lines=20, malformed=1)
    written = [CountedHour(HOURS[3], "c" * 64, 20, 1, 8, 2, "test")]
    assert fingerprint(counted(engine)) == fingerprint(written)
    count(engine, HOURS[3], {b"A": (1, 2), b"B": (0, 5)}, sha256="d" * 64, lines=20, malformed=1)
    assert fingerprint(counted(engine)) != fingerprint(written)


def test_a_fingerprint_tells_of_another_version():
    """The same file counted by another version, which may read it otherwise, has another fingerprint."""
    one = CountedHour(HOURS[3], "c" * 64, 20, 1, 8, 2, "1.0")
    assert fingerprint([one]) != fingerprint([replace(one, wikiq="1.1")])


def test_a_fingerprint_does_not_tell_when(engine):
    """The same file counted again, at another time, from another place, has the same fingerprint."""
    count(engine, HOURS[3], {b"A": (1, 2)})
    before = fingerprint(counted(engine))
    count(engine, HOURS[3], {b"A": (1, 2)}, now=NOW + MINUTE, url="https://elsewhere.example/x.gz", etag='"f"')
    assert fingerprint(counted(engine)) == before


def test_hours_wait_when_they_are_asked_for(engine):
    """Asking puts each hour of each project into the ledger, once, as waiting and never tried."""
    ask(engine, *HOURS, projects=(EN, DE))
    ask(engine, *HOURS, projects=(EN, DE))
    with reading(engine) as session:
        rows = session.exec(select(HourRow)).all()
        assert {(row.project, row.hour, row.state, row.tries) for row in rows} == {
            (project.name, hour, HourState.WAITING, 0) for project in (EN, DE) for hour in range(24)
        }
        assert len(rows) == 48
    assert troubles(engine) == []


@pytest.mark.parametrize("state", TROUBLES)
def test_a_trouble_is_known_by_name(engine, state):
    """What became of an hour, why, when and how often it was tried, stands in its line."""
    ask(engine, *HOURS)
    fail(engine, HOURS[2], state, "first")
    fail(engine, HOURS[2], state, "second", now=NOW + MINUTE)
    assert troubles(engine) == [(EN.name, HOURS[2], state, "second")]
    row = hour_row(engine, HOURS[2])
    assert (row.tries, row.url) == (2, f"{SOURCE}/{HOURS[2].path}")
    assert in_utc(row.tried_at) == NOW + MINUTE
    assert counted(engine) == ()


@pytest.mark.parametrize("state", TROUBLES)
def test_a_trouble_never_undoes_a_counted_hour(engine, state):
    """A message delivered twice, or a second worker without luck, changes nothing of what is counted."""
    ask(engine, HOURS[0])
    count(engine, HOURS[0], {b"A": (1, 2)})
    before = hour_row(engine, HOURS[0]).model_dump()
    fail(engine, HOURS[0], state)
    assert hour_row(engine, HOURS[0]).model_dump() == before
    assert troubles(engine) == []


@pytest.mark.parametrize("state", TROUBLES)
def test_counting_ends_a_trouble(engine, state):
    """An hour that is counted after all has no reason any more."""
    ask(engine, HOURS[0])
    fail(engine, HOURS[0], state)
    count(engine, HOURS[0], {b"A": (1, 2)})
    assert (hour_row(engine, HOURS[0]).state, hour_row(engine, HOURS[0]).reason) == (HourState.COUNTED, None)
    assert troubles(engine) == []


@pytest.mark.parametrize("again", ["request", "forget"])
def test_asking_again_lets_troubles_wait_and_keeps_what_is_counted(engine, again):
    """Hours that could not be counted wait again without their reason; a counted one stays as it is."""
    ask(engine, *HOURS[:5])
    count(engine, HOURS[4], {b"A": (1, 2)})
    for hour, state in zip(HOURS, TROUBLES, strict=False):
        fail(engine, hour, state)
    before = hour_row(engine, HOURS[4]).model_dump()
    if again == "request":
        ask(engine, *HOURS[:5])
    else:
        with writing(engine) as session:
            ledger.forget_troubles(session)
    assert [hour_row(engine, hour).state for hour in HOURS[:4]] == [HourState.WAITING] * 4
    assert [hour_row(engine, hour).reason for hour in HOURS[:4]] == [None] * 4
    assert hour_row(engine, HOURS[4]).model_dump() == before


def test_asking_again_concerns_what_is_asked_for(engine):
    """Another project's troubles, and those of hours and days that are not asked for, keep their reason."""
    tomorrow = hours_of(NEXT_DAY)[0]
    ask(engine, HOURS[0], HOURS[1], tomorrow, projects=(EN, DE))
    for hour in (HOURS[0], HOURS[1], tomorrow):
        fail(engine, hour, HourState.MISSING)
    fail(engine, HOURS[0], HourState.MISSING, project=DE)
    ask(engine, HOURS[0])
    assert [found[:2] for found in troubles(engine)] == [(DE.name, HOURS[0]), (EN.name, HOURS[1]), (EN.name, tomorrow)]


@pytest.mark.parametrize("end", ["counted", *TROUBLES])
def test_an_hour_that_is_to_be_counted_anew(engine, end):
    """It waits, counts as it was meanwhile, and waits no more once it was counted or that has failed."""
    ask(engine, *HOURS[:2])
    count(engine, HOURS[0], {b"A": (1, 2)})
    before = counted(engine)
    ask(engine, *HOURS[:2], recount=True)
    assert (uncounted(engine), counted(engine)) == (HOURS[:2], before)
    with reading(engine) as session:
        assert ledger.tally_states(session) == {(EN.name, DAY): {HourState.WAITING: 2}}
    if end == "counted":
        count(engine, HOURS[0], {b"A": (3, 4)})
    else:
        fail(engine, HOURS[0], end)
    assert uncounted(engine) == HOURS[1:2]
    assert [found.views for found in counted(engine)] == [7 if end == "counted" else 3]


def test_what_is_not_asked_for_is_not_counted_anew(engine):
    """Only the hours that were named wait to be counted anew, of the projects that were named."""
    ask(engine, *HOURS[:2], projects=(EN, DE))
    for project in (EN, DE):
        for hour in HOURS[:2]:
            count(engine, hour, {b"A": (1, 2)}, project=project)
    ask(engine, HOURS[0], recount=True)
    assert uncounted(engine) == HOURS[:1]
    assert uncounted(engine, DE) == ()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["ask", "recount", *TROUBLES, 0, 1]), max_size=7))
def test_whatever_happens_an_hour_counts_once(tmp_path_factory, events):
    """After any events an hour is what it was last counted as, or, never counted, what last befell it."""
    url = f"sqlite:///{tmp_path_factory.getbasetemp() / 'events.sqlite'}"
    with opened(url) as engine:
        hour = Hour(DAY + dt.timedelta(days=next(FRESH_DAYS)), 0)
        ask(engine, hour)
        for event in events:
            if event in ("ask", "recount"):
                ask(engine, hour, recount=event == "recount")
            elif isinstance(event, HourState):
                fail(engine, hour, event)
            else:
                count(engine, hour, {b"AB"[event : event + 1]: (event + 1, 0)}, sha256="01"[event] * 64)
        counts = [event for event in events if isinstance(event, int)]
        views = [(found.views, found.sha256[0]) for found in counted(engine, period=Period(hour.day))]
        assert views == [(event + 1, "01"[event]) for event in counts[-1:]]
        last = [event for event in events if not isinstance(event, int)][-1:]
        expected = HourState.COUNTED if counts else HourState.WAITING if last in ([], ["ask"], ["recount"]) else last[0]
        assert hour_row(engine, hour).state == expected


def test_uncounted_hours_are_named_in_order(engine):
    """Of the hours that are asked about, those that are not counted: asked for or not, over several days."""
    tomorrow = hours_of(NEXT_DAY)
    count(engine, HOURS[1], {b"A": (1, 2)})
    count(engine, tomorrow[0], {b"A": (1, 2)})
    count(engine, HOURS[0], {b"A": (1, 2)}, project=DE)
    fail(engine, HOURS[2], HourState.MISSING)
    with reading(engine) as session:
        wanted = (*HOURS[:3], *tomorrow[:2])
        assert ledger.uncounted(session, EN, wanted) == (HOURS[0], HOURS[2], tomorrow[1])
        assert ledger.uncounted(session, EN, ()) == ()
        assert ledger.uncounted(session, EN, [tomorrow[0], HOURS[1]]) == ()


def test_counted_hours_are_of_the_period_and_project(engine):
    """Counted hours come in order, of the asked days only, with their facts."""
    tomorrow, yesterday = hours_of(NEXT_DAY)[0], hours_of(DAY - dt.timedelta(days=1))[23]
    for hour in (HOURS[23], HOURS[2], tomorrow, yesterday):
        count(engine, hour, {b"A": (1, 2)})
    count(engine, HOURS[5], {b"A": (1, 2)}, project=DE)
    assert [found.hour for found in counted(engine)] == [HOURS[2], HOURS[23]]
    assert [found.hour for found in counted(engine, period=Period(DAY, 7))] == [HOURS[2], HOURS[23], tomorrow]
    assert counted(engine, DE) == (CountedHour(HOURS[5], "a" * 64, 10, 0, 3, 1, "test"),)


def test_bytes_are_counted_once_per_file(engine):
    """Two projects that count one file have fetched it once; what was not counted has no bytes."""
    ask(engine, HOURS[2])
    fail(engine, HOURS[2], HourState.FAILED)
    for project in (EN, DE):
        count(engine, HOURS[0], {b"A": (1, 2)}, project=project, size=3 * 10**9)
    count(engine, HOURS[1], {b"A": (1, 2)}, size=5)
    count(engine, hours_of(NEXT_DAY)[0], {b"A": (1, 2)}, size=7)
    with reading(engine) as session:
        assert ledger.counted_bytes(session) == 3 * 10**9 + 12
        assert ledger.counted_bytes(session, [DE]) == 3 * 10**9
        assert ledger.counted_bytes(session, [EN], TODAY) == 3 * 10**9 + 5
        assert ledger.counted_bytes(session, [], TODAY) == 0


def test_states_are_counted_per_project_and_day(engine):
    """How many hours are in which state, of what was asked for."""
    ask(engine, *HOURS, projects=(EN, DE))
    ask(engine, hours_of(NEXT_DAY)[0])
    fail(engine, HOURS[0], HourState.MISSING)
    count(engine, HOURS[1], {b"A": (1, 2)})
    with reading(engine) as session:
        states = {HourState.WAITING: 22, HourState.MISSING: 1, HourState.COUNTED: 1}
        assert ledger.tally_states(session, [EN], TODAY) == {(EN.name, DAY): states}
        assert ledger.tally_states(session) == {
            (EN.name, DAY): states,
            (EN.name, NEXT_DAY): {HourState.WAITING: 1},
            (DE.name, DAY): {HourState.WAITING: 24},
        }


def test_troubles_are_of_the_projects_and_period(engine):
    """Troubles come in order of hours, and only those that were asked about."""
    tomorrow = hours_of(NEXT_DAY)[0]
    ask(engine, *HOURS, tomorrow, projects=(EN, DE))
    fail(engine, tomorrow, HourState.FAILED, "torn")
    fail(engine, HOURS[9], HourState.REFUSED, "no", project=DE)
    fail(engine, HOURS[4], HourState.MISSING, "404")
    late = (EN.name, tomorrow, HourState.FAILED, "torn")
    early, german = (EN.name, HOURS[4], HourState.MISSING, "404"), (DE.name, HOURS[9], HourState.REFUSED, "no")
    assert troubles(engine) == [early, german, late]
    assert troubles(engine, [EN]) == [early, late]
    assert troubles(engine, None, TODAY) == [early, german]
    assert troubles(engine, [DE], Period(NEXT_DAY)) == []
    assert troubles(engine, []) == []
