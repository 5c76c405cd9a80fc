"""An hour file from any of several sources: whichever has a connection free, and another one where that one fails."""

from __future__ import annotations

import datetime as dt
import threading
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest
import servers
from conftest import HASTY
from counting_samples import HOUR, OTHERS, PASSWORD, assert_counted, assert_not_counted, counted, work_on
from store_samples import ask, contents, hour_row, leftovers
from two_sites import counted_together

from cli.demosite.faults import Corrupt, Cut, Fault, NotFound, Refused, Slow, TooMany, Unavailable
from models.errors import SourceRefused, SourceUnreachable
from models.tables import HourState
from worker.any_source import SOURCE_TROUBLE_LASTS, ask_sources, note_trouble
from worker.budget import CONNECTIONS
from worker.patience import Retries

pytest_plugins = ["lease_fixtures", "mirror_fixtures"]

NOW = dt.datetime(2024, 1, 9, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
STATES = {
    None: HourState.COUNTED,
    NotFound(): HourState.MISSING,
    Refused(): HourState.REFUSED,
    Unavailable(): HourState.UNREACHABLE,
    Corrupt(): HourState.FAILED,
}


@pytest.fixture
def both(settings, site, mirror, open_hasty_context):
    """A context that may fetch from the origin and from the mirror."""
    return open_hasty_context(replace(settings, sources=(site.url, mirror.url)))


def fetched_from(context, hour=HOUR):
    return hour_row(context.engine, hour).url.removesuffix(f"/{hour.path}")


@pytest.mark.parametrize("at_mirror", STATES.values())
@pytest.mark.parametrize("at_origin", STATES.values())
def test_whatever_befalls_the_two(both, site, mirror, demo, at_origin, at_mirror):
    """The hour is counted if either has it; else its state, reason and URL are the origin's. No file is left."""
    kinds = {state: kind for kind, state in STATES.items()}
    for place, state in ((site, at_origin), (mirror, at_mirror)):
        if kinds[state]:
            place.misbehave(Fault("*", kinds[state]))
    receipt = counted(both)
    if HourState.COUNTED in (at_origin, at_mirror):
        assert_counted(both, demo)
        assert fetched_from(both) == (site if at_origin is HourState.COUNTED else mirror).url
        assert receipt.size == (site.root / HOUR.path).stat().st_size
    else:
        row = assert_not_counted(both, at_origin)
        assert row.url == f"{site.url}/{HOUR.path}"
        assert site.url in row.reason or HOUR.file_name in row.reason
        assert mirror.url not in row.reason
    assert leftovers(both) == []


@pytest.fixture(params=["machine", "fleet"])
def sharing(request, both):
    """The same context, and one whose connections are leased."""
    return both if request.param == "machine" else replace(both, leases=request.getfixturevalue("client"))


def test_the_connections_of_both_are_used(sharing, site, mirror, demo):
    """Ten threads fetch from two sources: three at a time from each, more than three in all; the counts are right."""
    both, hours = sharing, [HOUR, *OTHERS[:9]]
    # Waiters for a lease ask again after a second at most, so what it is held for must take longer.
    rate = 5_000 if both.leases else 20_000
    together = counted_together(site, mirror)
    for place in (site, mirror):
        place.misbehave(Fault("*.gz", Slow(rate)))
    ask(both.engine, *hours)
    threads = [threading.Thread(target=work_on, args=[both, hour]) for hour in hours]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for hour in hours:
        assert_counted(both, demo, hour)
    assert site.requests + mirror.requests == {hour.path: 1 for hour in hours}
    assert (site.most_at_once, mirror.most_at_once) == (CONNECTIONS, CONNECTIONS)
    assert CONNECTIONS < together.most_at_once <= 2 * CONNECTIONS
    assert not both.leases or not list(both.leases.scan_iter("wikiq:lease:*"))
    assert leftovers(both) == []


@pytest.mark.parametrize("dead", [0, 1])
def test_a_dead_source_costs_seconds_not_minutes(both, site, demo, dead):
    """Where nobody listens at one of two addresses the other serves every hour, also with the patience of every day."""
    sources = [site.url, site.url]
    sources[dead] = f"http://127.0.0.1:{servers.free_port()}"
    patient = replace(both, retries=Retries(), settings=replace(both.settings, sources=tuple(sources)))
    began = time.monotonic()
    ask(both.engine, HOUR, *OTHERS)
    for hour in (HOUR, *OTHERS[:3]):
        work_on(patient, hour)
        assert_counted(patient, demo, hour)
    assert time.monotonic() - began < 15


def test_a_source_that_asks_for_time_gets_it(both, site, mirror, demo):
    """Whoever says that it has no time for ten minutes is left alone; the other one is asked at once."""
    site.misbehave(Fault("*", TooMany(retry_after=600)))
    began = time.monotonic()
    ask(both.engine, HOUR, *OTHERS)
    for hour in (HOUR, OTHERS[0]):
        work_on(replace(both, retries=Retries()), hour)
        assert_counted(both, demo, hour)
    assert time.monotonic() - began < 10
    assert (len(site.log), len(mirror.log)) == (1, 2)


def test_a_doubtful_source_is_spared_while_another_serves(both, site, mirror, demo, caplog):
    """The origin that does not answer is asked twice, once in some minutes, and a warning tells of it."""
    moments = [NOW, NOW + SOURCE_TROUBLE_LASTS - SECOND, NOW + SOURCE_TROUBLE_LASTS + SECOND]
    site.misbehave(Fault("*", Unavailable()))
    ask(both.engine, HOUR, *OTHERS)
    asked = []
    for hour, moment in zip((HOUR, *OTHERS), moments, strict=False):
        work_on(replace(both, now=lambda moment=moment: moment), hour)
        assert_counted(both, demo, hour)
        asked.append(len(site.log))
    assert asked == [2, 2, 4]
    warnings = [entry.message for entry in caplog.records if entry.name == "worker.any_source"]
    assert len(warnings) == 2
    assert "503" in warnings[0]
    assert "Other sources are asked meanwhile." in warnings[0]


def test_what_only_a_doubtful_source_has_is_worth_waiting_for(both, site, mirror, demo):
    """An hour that the mirror lacks is asked of the silent origin again, with all patience, and had in the end."""
    mirror.misbehave(Fault("*", NotFound()))
    site.misbehave(Fault("*", Unavailable(), times=2 + HASTY.attempts - 1))
    counted(both)
    assert_counted(both, demo)
    assert (len(site.log), len(mirror.log)) == (2 + HASTY.attempts, 1)


def test_a_source_that_never_answered_is_not_asked_for_the_next_hour(both, site, mirror):
    """After all patience is spent on the origin the next hour spares it, and is as unreachable."""
    mirror.misbehave(Fault("*", NotFound()))
    site.misbehave(Fault("*", Unavailable()))
    ask(both.engine, HOUR, *OTHERS)
    work_on(both, HOUR)
    first = assert_not_counted(both, HourState.UNREACHABLE)
    asked = len(site.log)
    work_on(both, OTHERS[0])
    assert assert_not_counted(both, HourState.UNREACHABLE, hour=OTHERS[0]).reason == first.reason
    assert (len(site.log), len(mirror.log)) == (asked, 2)


@pytest.mark.parametrize("kind", [SourceRefused, SourceUnreachable])
def test_sources_in_trouble_are_not_asked_at_all(both, site, mirror, demo, kind):
    """A source in trouble is skipped while another one is not; if all are, nobody is asked."""
    ask(both.engine, HOUR, *OTHERS)
    note_trouble(both, site.url, kind("the origin's"), doubtful=False)
    work_on(both, HOUR)
    assert_counted(both, demo)
    assert fetched_from(both) == mirror.url
    note_trouble(both, mirror.url, kind("the mirror's"), doubtful=False)
    work_on(both, OTHERS[0])
    state = HourState.REFUSED if kind is SourceRefused else HourState.UNREACHABLE
    assert assert_not_counted(both, state, hour=OTHERS[0]).reason == "the origin's"
    assert (len(site.log), len(mirror.log)) == (0, 1)


def test_trouble_that_comes_while_one_waits(both, site, mirror, demo):
    """Who waited for a connection and gets one of a source that is in trouble by now does not use it."""
    ask(both.engine, HOUR)
    with ExitStack() as at_mirror:
        with ExitStack() as at_origin:
            for _ in range(CONNECTIONS):
                at_origin.enter_context(both.budget(site.url)())
                at_mirror.enter_context(both.budget(mirror.url)())
            waiting = threading.Thread(target=work_on, args=[both, HOUR])
            waiting.start()
            time.sleep(0.3)
            note_trouble(both, site.url, SourceRefused("no"), doubtful=False)
        time.sleep(0.3)
        assert (site.log, mirror.log) == ((), ())
    waiting.join()
    assert_counted(both, demo)
    assert (len(site.log), len(mirror.log)) == (0, 1)


def test_a_mirror_below_a_path(both, site, mirror, demo):
    """A mirror may keep the files below a path of its own; that it has none there is a matter of that mirror alone."""
    below = replace(both, settings=replace(both.settings, sources=(f"{mirror.url}/below", site.url, mirror.url)))
    counted(below)
    assert_counted(below, demo)
    assert mirror.requests == {f"below/{HOUR.path}": 1}
    assert fetched_from(below) == site.url


def test_two_sources_of_one_host_are_both_tried(both, mirror, demo):
    """Two paths of one host share its connections, and yet the second is tried where the first has nothing."""
    one_host = replace(both, settings=replace(both.settings, sources=(f"{mirror.url}/below", mirror.url)))
    counted(one_host)
    assert_counted(one_host, demo)
    assert mirror.requests == {f"below/{HOUR.path}": 1, HOUR.path: 1}


def test_a_part_of_one_source_is_not_gone_on_with_at_another(both, site, mirror, demo):
    """What was had of the origin's file before it fell silent is dropped; the mirror's is fetched from its start."""
    site.misbehave(Fault(HOUR.path, Cut(after=3000), times=1), Fault(HOUR.path, Unavailable()))
    counted(both)
    assert_counted(both, demo)
    assert [entry.range for entry in site.log] == [None, "bytes=3000-"]
    assert [entry.range for entry in mirror.log] == [None]


def test_an_hour_that_is_not_over_asks_nobody(both, site, mirror):
    """However many sources there are, none is asked for what cannot be there."""
    ask(both.engine, HOUR)
    work_on(replace(both, now=lambda: HOUR.end - SECOND), HOUR)
    assert_not_counted(both, HourState.MISSING)
    assert site.log == mirror.log == ()


def test_an_order_may_name_one_source(both, site, mirror):
    """Who names a source gets its files, or none: the other sources are not asked."""
    mirror.misbehave(Fault("*", NotFound()))
    ask(both.engine, HOUR)
    work_on(both, HOUR, source=mirror.url)
    assert assert_not_counted(both, HourState.MISSING).url == f"{mirror.url}/{HOUR.path}"
    assert (len(site.log), len(mirror.log)) == (0, 1)


@pytest.mark.parametrize("kind", [Refused(), Unavailable(), NotFound(), None])
def test_no_source_tells_its_password(both, site, mirror, caplog, kind):
    """Neither row nor line of the log holds the credentials of any of several sources."""
    caplog.set_level("DEBUG")
    secret = tuple(place.url.replace("://", f"://me:{PASSWORD}@") for place in (site, mirror))
    for place in (site, mirror):
        place.misbehave(*([Fault("*", kind)] if kind else []))
    ask(both.engine, HOUR)
    both = replace(both, settings=replace(both.settings, sources=secret))
    # Named by none, so that it is any of the settings'.
    work_on(both, HOUR)
    assert PASSWORD not in repr(contents(both.engine))
    assert PASSWORD not in caplog.text


def test_sources_can_be_asked_beforehand(both, site, mirror, demo):
    """Who does not answer is known by name, with the reason, and is spared by the hours that follow."""
    nobody = f"http://127.0.0.1:{servers.free_port()}"
    sources = (nobody, site.url, mirror.url)
    ask(both.engine, HOUR)
    assert ask_sources(both, HOUR, sources[1:]) == {}
    mirror.misbehave(Fault("*", Refused()))
    silent = ask_sources(both, HOUR, sources)
    assert {source: type(error) for source, error in silent.items()} == {
        nobody: SourceUnreachable,
        mirror.url: SourceRefused,
    }
    site.forget()
    mirror.forget()
    reordered = replace(both, settings=replace(both.settings, sources=(nobody, mirror.url, site.url)))
    work_on(reordered, HOUR)
    assert_counted(both, demo)
    assert (len(site.log), len(mirror.log)) == (1, 0)


def test_sources_of_which_none_answers(both, mirror):
    """If none answers beforehand, the origin's reason is the one that is told, and nobody is spared for it."""
    mirror.misbehave(Fault("*", Refused()))
    nobody = f"http://127.0.0.1:{servers.free_port()}"
    before = contents(both.engine)
    for sources, kind in (((nobody, mirror.url), SourceUnreachable), ((mirror.url, nobody), SourceRefused)):
        with pytest.raises(kind):
            ask_sources(both, HOUR, sources)
    assert contents(both.engine) == before
