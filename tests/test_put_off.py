"""A source that wants not to be asked for a while is asked by nobody: not on this machine, nor in the fleet."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack, nullcontext
from dataclasses import replace

import pytest
from conftest import HASTY
from counting_samples import HOUR, OTHERS, assert_not_counted, work_on
from fetch_samples import raw_server
from store_samples import ask

from cli.demosite.faults import Fault, NotFound, TooMany
from models.errors import SourceUnreachable
from models.tables import HourState
from worker.any_source import ask_source
from worker.budget import CONNECTIONS, LONGEST_PUT_OFF, source_key
from worker.client import open_http
from worker.fetch import fetch_small
from worker.patience import PATIENT, Interrupted, persist
from worker.phases import Stopwatch

pytest_plugins = ["lease_fixtures", "mirror_fixtures"]
ONE, TWO = "https://origin.example.org", "https://mirror.example.org"


@pytest.fixture(params=["machine", "fleet"])
def shared(request, context):
    """A context whose connections are lock files, or leases."""
    return replace(context, leases=request.getfixturevalue("client") if request.param == "fleet" else None)


def put_off(context, source, seconds):
    with pytest.raises(Interrupted), context.budget(source)():
        raise Interrupted("busy", retry_after=seconds)


def test_all_who_wait_are_put_off(shared):
    """After one answer that asks for time none of five others asks before that is over, also those that waited then."""
    asked, answered = [], threading.Event()

    def attempt(_seconds):
        asked.append(time.monotonic())
        if len(asked) == 1:
            time.sleep(0.3)  # the others wait by now
            raise Interrupted("busy", retry_after=1.5)
        answered.set()

    retries = replace(HASTY, retry_after_max=60)
    with ExitStack() as others:
        for _ in range(CONNECTIONS - 1):
            others.enter_context(shared.budget(ONE)())
        work = [ONE, attempt, shared.budget(ONE), retries]
        threads = [threading.Thread(target=persist, args=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        assert not answered.wait(1.2)
    for thread in threads:
        thread.join(30)
    assert len(asked) == 7
    assert min(asked[1:]) - asked[0] >= 1.5


def test_another_source_is_not_put_off(shared):
    """Who may ask either asks the other one at once, and who may ask only this one waits."""
    put_off(shared, ONE, 1.0)
    began = time.monotonic()
    with shared.connection((ONE, TWO), Stopwatch()) as (source, _):
        assert source == TWO
    with shared.budget(ONE)():
        assert time.monotonic() - began > 0.7


def test_who_cannot_wait_so_long_is_told(shared):
    """A wait that is too long is an error at once, which names the source."""
    put_off(shared, ONE, 300)
    with pytest.raises(SourceUnreachable, match=r"https://origin\.example\.org:443 wants not to be asked for another"):
        put_off(replace(shared, retries=replace(HASTY, longest_wait=20)), ONE, 1)


def test_the_longer_wait_counts(shared):
    """Two answers that come together ask for different times: the source is left alone until the later one."""
    with ExitStack() as holders:
        first, second = (holders.enter_context(ExitStack()) for _ in range(2))
        for holder in (first, second):
            holder.enter_context(shared.budget(ONE)())
        for holder, seconds in ((second, 300), (first, 1)):
            with pytest.raises(Interrupted), holder:
                raise Interrupted("busy", retry_after=seconds)
    with pytest.raises(SourceUnreachable, match=r"another (300|29\d) s"):
        put_off(replace(shared, retries=replace(HASTY, longest_wait=20)), ONE, 1)


def test_no_source_is_put_off_for_ever(shared):
    """Whatever a source asks for, it is asked again after an hour."""
    put_off(shared, ONE, 1e12)
    with pytest.raises(SourceUnreachable, match=r"another (3600|35\d\d) s"):
        put_off(shared, ONE, 1)


def test_a_clock_that_was_set_back_puts_nobody_off(context):
    """A time that no wait can reach was written under another clock, and does not count."""
    put_off(context, ONE, 1)
    file = context.settings.data_dir / "connections" / f"{source_key(ONE)}.later"
    far = time.time() + LONGEST_PUT_OFF + 60
    os.utime(file, (far, far))
    with context.budget(ONE)():
        pass


def test_every_hour_spares_a_source_that_wants_time(shared, site, mirror):
    """The origin wants ten minutes more than a task has, the mirror lags: of all hours one asks the origin, once."""
    both = replace(shared, settings=replace(shared.settings, sources=(site.url, mirror.url)), retries=PATIENT)
    site.misbehave(Fault("*", TooMany(retry_after=1800)))
    mirror.misbehave(Fault("*", NotFound()))
    hours = (HOUR, *OTHERS[:3])
    ask(both.engine, *hours)
    for hour in hours:
        work_on(both, hour)
        assert "wants not to be asked" in assert_not_counted(both, HourState.UNREACHABLE, hour=hour).reason
    assert len(site.log) == 1


def test_a_date_is_the_sources_own(tmp_path):
    """A date is compared with the source's clock, which here is years behind this one."""
    calls = []
    wants = b"Date: Mon, 01 Jan 2001 00:00:00 GMT\r\nRetry-After: Mon, 01 Jan 2001 00:00:01 GMT\r\n"

    def answer(connection):
        connection.recv(65536)
        calls.append(time.monotonic())
        status = b"429 Too Many Requests\r\n" + wants if len(calls) == 1 else b"200 OK\r\n"
        connection.sendall(b"HTTP/1.1 " + status + b"Content-Length: 0\r\n\r\n")

    patient = replace(HASTY, retry_after_max=60)
    with raw_server(answer) as url:
        fetch_small(open_http(None, "0.1.0"), url[:-3], limit_bytes=9, budget=nullcontext, retries=patient)
    assert calls[1] - calls[0] >= 1


def test_asking_beforehand_does_not_wait(shared, site):
    """Whoever asks at a prompt is told at once that the source wants time, and the source is not asked."""
    put_off(shared, site.url, 300)
    with pytest.raises(SourceUnreachable, match="wants not to be asked"):
        ask_source(replace(shared, retries=PATIENT), HOUR, site.url)
    assert site.log == ()
