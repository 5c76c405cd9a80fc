"""A source that refuses, falls silent or asks for time: it is spared, and asked again when that is wanted."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import servers
from conftest import HASTY
from counting_samples import HOUR, OTHERS, PASSWORD, assert_counted, assert_not_counted, counted, work_on
from store_samples import EN, LOGGED, ask, contents, count, leftovers

from cli.demosite.faults import Cut, Fault, NotFound, Refused, Stall, TooMany, Unavailable
from cli.demosite.server import serve
from models.errors import SourceRefused, SourceUnreachable
from models.hour import Hour, hours_of
from models.tables import HourState
from worker import enqueue
from worker.any_source import SOURCE_TROUBLE_LASTS, ask_source

NOW = dt.datetime(2024, 1, 9, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
TODAY = enqueue.Order((EN,), (HOUR.day,), LOGGED)


def test_an_hour_that_is_not_there(context, site, demo):
    """A 404 is missing after one request; when the file has appeared and is asked for again it is counted."""
    site.misbehave(Fault(HOUR.path, NotFound()))
    receipt = counted(context)
    row = assert_not_counted(context, HourState.MISSING)
    assert "404" in row.reason
    assert (receipt.state, receipt.size) == (HourState.MISSING, 0)
    assert site.requests == {HOUR.path: 1}
    site.behave()
    counted(context)
    assert_counted(context, demo)


def test_a_missing_hour_speaks_for_itself_only(context, site, demo):
    """After a 404 the next hour is asked for as usual."""
    site.misbehave(Fault(HOUR.path, NotFound()))
    counted(context)
    counted(context, OTHERS[0])
    assert_counted(context, demo, OTHERS[0])


def test_an_hour_of_another_day_is_not_there(context, site):
    """An hour that the source has never had is missing as well."""
    hour = Hour(dt.date(2023, 1, 1), 4)
    counted(context, hour)
    assert_not_counted(context, HourState.MISSING, hour=hour)
    assert site.requests == {hour.path: 1}


def test_a_refusal_spares_the_source_the_next_hours(context, site, demo):
    """A 403 is one request; the next hour is refused with the same reason unasked, until both are asked for again."""
    site.misbehave(Fault("*", Refused()))
    ask(context.engine, HOUR, *OTHERS)
    receipts = [work_on(context, hour) for hour in (HOUR, *OTHERS[:2])]
    assert [receipt.state for receipt in receipts] == [HourState.REFUSED] * 3
    reasons = {assert_not_counted(context, HourState.REFUSED, hour=hour).reason for hour in (HOUR, *OTHERS[:2])}
    assert ["403" in reason for reason in reasons] == [True]
    assert site.requests == {HOUR.path: 1}
    site.behave()
    enqueue.request(context, TODAY)
    for hour in (HOUR, OTHERS[0]):
        work_on(context, hour)
        assert_counted(context, demo, hour)


def test_a_refusal_while_counting_anew_spares_the_source_too(context, site):
    """It does not matter that the hours are counted already: after one refusal the next is not asked for."""
    hours = (HOUR, *OTHERS[:3])
    ask(context.engine, *hours)
    for hour in hours:
        count(context.engine, hour, {b"A": (1, 2)})
    ask(context.engine, *hours, recount=True)
    site.misbehave(Fault("*", Refused()))
    for hour in hours:
        work_on(context, hour)
    assert site.requests == {HOUR.path: 1}


def test_an_hour_that_is_not_over(context, site):
    """Nobody is asked for the file of an hour that still goes on."""
    ask(context.engine, HOUR)
    work_on(replace(context, now=lambda: HOUR.end - SECOND), HOUR)
    assert_not_counted(context, HourState.MISSING)
    assert site.requests == {}


def test_a_refusal_is_over_after_a_while(context, site, demo):
    """Some minutes after the refusal the source is asked again, also if hours were skipped in between."""
    moments = [NOW, NOW + SOURCE_TROUBLE_LASTS - SECOND, NOW + SOURCE_TROUBLE_LASTS + SECOND]
    ask(context.engine, HOUR, *OTHERS)
    site.misbehave(Fault(HOUR.path, Refused()))
    for hour, moment in zip((HOUR, *OTHERS), moments, strict=False):
        work_on(replace(context, now=lambda moment=moment: moment), hour)
    assert_not_counted(context, HourState.REFUSED, hour=OTHERS[0])
    assert_counted(context, demo, OTHERS[1])
    assert site.requests == {HOUR.path: 1, OTHERS[1].path: 1}


def test_asking_again_tries_the_source_again(context, site, demo):
    """Who asks again for one day after a refusal is not turned away for the other days that were refused with it."""
    yesterday, today = HOUR.day - dt.timedelta(days=1), HOUR.day
    enqueue.request(context, enqueue.Order((EN,), (yesterday, today), LOGGED))
    site.misbehave(Fault("*", Refused()))
    for hour in (hours_of(yesterday)[0], HOUR):
        work_on(context, hour)
    site.behave()
    enqueue.request(context, TODAY)
    work_on(context, HOUR)
    assert_counted(context, demo)


def test_another_source_is_asked_after_a_refusal(context, site, demo, demo_directory):
    """A mirror is not held responsible for the source that refused."""
    ask(context.engine, HOUR, *OTHERS)
    site.misbehave(Fault("*", Refused()))
    work_on(context, HOUR)
    with serve(demo_directory) as mirror:
        work_on(context, OTHERS[0], source=mirror.url)
    assert_counted(context, demo, OTHERS[0])


def test_a_source_that_does_not_answer(context, site, demo):
    """Where nobody listens the hour is unreachable and the next one is not tried; it goes on when asked again."""
    nobody = f"http://127.0.0.1:{servers.free_port()}"
    ask(context.engine, HOUR, *OTHERS)
    assert work_on(context, HOUR, source=nobody).state == HourState.UNREACHABLE
    row = assert_not_counted(context, HourState.UNREACHABLE)
    assert row.url == f"{nobody}/{HOUR.path}"
    assert work_on(context, OTHERS[0], source=nobody).state == HourState.UNREACHABLE
    assert assert_not_counted(context, HourState.UNREACHABLE, hour=OTHERS[0]).reason == row.reason
    counted(context, source=site.url)
    assert_counted(context, demo)


def test_a_source_that_stalls(context, site):
    """A source that says nothing at all for too long is unreachable."""
    site.misbehave(Fault(HOUR.path, Stall(seconds=5)))
    hurried = replace(HASTY, attempts=2, read_timeout=0.1)
    counted(replace(context, retries=hurried))
    assert "timed out" in assert_not_counted(context, HourState.UNREACHABLE).reason
    assert site.requests == {HOUR.path: 2}


@pytest.mark.parametrize("kind", [TooMany(retry_after=1), Unavailable(retry_after=1)])
def test_the_source_may_ask_for_time(context, site, demo, kind):
    """Retry-After is waited for (here up to the 0.2 s that these retries allow), then the hour is counted."""
    site.misbehave(Fault(HOUR.path, kind, times=1))
    counted(context)
    first, second = site.log
    assert second.at - first.at >= HASTY.retry_after_max
    assert_counted(context, demo)


def test_a_part_is_gone_on_with(context, site, demo):
    """What was had before the source fell silent is not fetched again when the hour is asked for again."""
    site.misbehave(Fault(HOUR.path, Cut(after=3000), times=1), Fault(HOUR.path, Unavailable()))
    counted(context)
    assert_not_counted(context, HourState.UNREACHABLE)
    site.behave()
    site.forget()
    enqueue.request(context, TODAY)
    work_on(context, HOUR)
    assert [entry.range for entry in site.log] == ["bytes=3000-"]
    assert_counted(context, demo)
    assert leftovers(context) == []


def test_the_source_can_be_asked_beforehand(context, site):
    """One request that fetches nothing tells whether the source answers, be the hour there or not."""
    before = contents(context.engine)
    for hour in (HOUR, Hour(dt.date(2023, 1, 1), 4)):
        ask_source(context, hour, site.url)
    assert [entry.method for entry in site.log] == ["HEAD", "HEAD"]
    assert contents(context.engine) == before
    assert leftovers(context) == []


def test_asking_beforehand_tells_of_a_refusal(context, site):
    """A source that refuses is an error before any work, without the password of its URL."""
    site.misbehave(Fault("*", Refused()))
    with pytest.raises(SourceRefused, match="403") as caught:
        ask_source(context, HOUR, site.url.replace("http://", f"http://me:{PASSWORD}@"))
    assert PASSWORD not in str(caught.value)


def test_asking_beforehand_tells_of_silence(context):
    """So is one where nobody listens."""
    with pytest.raises(SourceUnreachable):
        ask_source(context, HOUR, f"http://127.0.0.1:{servers.free_port()}")
