"""How long a source is waited for, and what it may ask for."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SourceUnreachable
from worker.app import SOFT_TIME_LIMIT, TIME_LIMIT, VISIBILITY_TIMEOUT
from worker.patience import (
    HASTY_PATIENCE,
    HASTY_TRANSFER,
    PATIENCE,
    Interrupted,
    Retries,
    persist,
    seconds_to_wait,
)

URL = "http://localhost/x"
QUICK = Retries(attempts=3, wait_initial=0.001, wait_max=0.002, wait_jitter=0, least_progress=10)


@given(st.integers(1, 20), st.floats(0.1, 100), st.floats(0, 100))
def test_haste_is_never_more_patient(attempts: int, read_timeout: float, longest_wait: float) -> None:
    """In haste one asks no more often, waits no longer, and is otherwise the same; twice in haste is once in haste."""
    patient = Retries(attempts=attempts, read_timeout=read_timeout, longest_wait=longest_wait)
    hasty = patient.hasty()
    assert hasty.attempts <= min(attempts, 2)
    assert hasty.read_timeout <= min(read_timeout, 20)
    assert hasty.longest_wait <= min(longest_wait, 20)
    assert hasty.transfer_timeout < patient.transfer_timeout
    assert hasty.patience < patient.patience
    assert hasty.hasty() == hasty
    limits = {"transfer_timeout": patient.transfer_timeout, "patience": patient.patience}
    assert replace(hasty, attempts=attempts, read_timeout=read_timeout, longest_wait=longest_wait, **limits) == patient


def test_patience_ends_below_the_time_limits_of_a_task() -> None:
    """However sources behave, a task's fetches end before Celery ends the task, and that before it is sent again."""
    assert Retries().transfer_timeout <= Retries().patience
    assert HASTY_TRANSFER * 2 > HASTY_PATIENCE > HASTY_TRANSFER
    # What begins when patience has almost ended may still take a hasty source's time; then a file is to be counted.
    assert PATIENCE + HASTY_PATIENCE + 120 < SOFT_TIME_LIMIT < TIME_LIMIT < VISIBILITY_TIMEOUT


def test_patience_ends_altogether() -> None:
    """Attempts that bring the file further, or are far from their limit, still end: none may begin too late."""
    allowed, began = [], time.monotonic()

    def attempt(seconds: float) -> None:
        allowed.append(seconds)
        time.sleep(0.05)
        raise Interrupted("crawling")

    hurried = replace(QUICK, attempts=10**6, transfer_timeout=0.3, patience=0.5)
    with pytest.raises(SourceUnreachable, match="crawling"):
        persist(URL, attempt, nullcontext, hurried)
    assert time.monotonic() - began < 5
    assert allowed[0] == 0.3
    assert allowed[-1] < 0.3
    assert allowed == sorted(allowed, reverse=True)


def test_a_wait_beyond_patience_is_not_begun() -> None:
    """Who is asked to come back when patience has ended gives up at once."""
    tries = []

    def attempt(_seconds: float) -> None:
        tries.append(1)
        raise Interrupted("busy", retry_after=300)

    with pytest.raises(SourceUnreachable, match="busy"):
        persist(URL, attempt, nullcontext, replace(QUICK, patience=60))
    assert len(tries) == 1


def test_waiting_for_a_connection_takes_no_patience() -> None:
    """Patience begins with the first attempt, however long its connection took to be had."""
    allowed = []

    @contextmanager
    def slow() -> Iterator[None]:
        time.sleep(0.3)
        yield

    persist(URL, allowed.append, slow, replace(QUICK, patience=0.2))
    assert allowed[0] > 0.1


@given(st.integers(1, 50), st.floats(0, 1e9), st.floats(0.001, 5), st.floats(5, 100), st.floats(0, 3))
def test_wait_grows_and_obeys(fruitless: int, asked: float, initial: float, most: float, jitter: float) -> None:
    """A wait doubles up to its limit, is never shorter than the source asked for (up to the cap), nor beyond both."""
    retries = Retries(wait_initial=initial, wait_max=most, wait_jitter=jitter, retry_after_max=200)
    wait = retries.wait(fruitless, asked)
    assert wait >= min(asked, 200)
    assert wait >= min(most, initial * 2 ** (fruitless - 1))
    assert wait <= max(min(asked, 200), most) + jitter


NOW = dt.datetime(2026, 11, 23, 12, 0, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 120 ", 120),
        ("Mon, 23 Nov 2026 12:01:30 GMT", 90),
        ("Mon, 23 Nov 2026 13:00:00 +0100", 0),
        ("Mon, 23 Nov 2026 12:00:05 -0000", 5),
        ("Sun, 22 Nov 2026 12:00:00 GMT", 0),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("1.5", 0),
        ("٣", 0),
        ("Mon, 99 Nov 2026 12:00:00 GMT", 0),
    ],
)
def test_retry_after_is_read(header: str, seconds: float) -> None:
    """Seconds and dates are understood; what is past or malformed asks for no wait."""
    assert seconds_to_wait(header, "", NOW) == seconds
    hour_later = NOW + dt.timedelta(hours=1)
    assert seconds_to_wait(header, format_datetime(NOW, usegmt=True), hour_later) == seconds


@given(st.text() | st.text("MonNv 0123456789:,+-GT"))
def test_any_date_beside_a_retry_after_is_borne(date: str) -> None:
    """Whatever stands in the Date header, the answer is a number of seconds that is not negative."""
    assert seconds_to_wait("Mon, 23 Nov 2026 12:01:30 GMT", date, NOW) >= 0


@given(st.one_of(st.text(), st.text("0123456789", max_size=6000), st.text("MonNv 0123456789:,+-GT")))
def test_any_retry_after_gives_a_wait(header: str) -> None:
    """Whatever stands in the header, the answer is a number of seconds that is not negative."""
    assert seconds_to_wait(header, "", NOW) >= 0
