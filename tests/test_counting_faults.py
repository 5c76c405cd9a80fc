"""A file that is not what it should be: the ledger tells why, nothing of it is counted, and asking again helps."""

from __future__ import annotations

import gzip
import logging

import pytest
from conftest import HASTY
from counting_samples import HOUR, PASSWORD, assert_counted, assert_not_counted, counted
from store_samples import DE, EN, contents, hour_row, leftovers

from cli.demosite.faults import (
    Corrupt,
    Cut,
    Fault,
    HtmlPage,
    NotFound,
    OtherVersion,
    Redirect,
    Refused,
    TooMany,
    Truncated,
    Unavailable,
    WrongLength,
)
from models.tables import HourState
from worker.counting import CORRUPT_TRIES

DAMAGED = [
    pytest.param(Corrupt(), "cannot be unpacked", id="corrupt"),
    pytest.param(Truncated(), "cannot be unpacked", id="truncated"),
    pytest.param(Truncated(share=0), "an empty file", id="empty"),
    pytest.param(HtmlPage(), "HTML", id="html"),
    pytest.param(OtherVersion(content=gzip.compress(b"no line break at all")[:-4]), "cannot be unpacked", id="trailer"),
]
PASSING = [
    pytest.param(Corrupt(), id="corrupt"),
    pytest.param(Truncated(), id="truncated"),
    pytest.param(HtmlPage(), id="html"),
    pytest.param(WrongLength(), id="wrong length"),
    pytest.param(Cut(after=2000), id="cut"),
    pytest.param(Cut(after=0), id="cut at once"),
    pytest.param(TooMany(), id="429"),
    pytest.param(Unavailable(), id="503"),
]
LASTING = [
    pytest.param(NotFound(), HourState.MISSING, id="404"),
    pytest.param(Refused(), HourState.REFUSED, id="403"),
    pytest.param(Corrupt(), HourState.FAILED, id="corrupt"),
    pytest.param(HtmlPage(), HourState.FAILED, id="html"),
    pytest.param(WrongLength(), HourState.FAILED, id="wrong length"),
    pytest.param(Cut(after=2000), HourState.FAILED, id="cut"),
    pytest.param(TooMany(), HourState.UNREACHABLE, id="429"),
    pytest.param(Unavailable(retry_after=0), HourState.UNREACHABLE, id="503"),
    pytest.param(Redirect(location=f"http://me:{PASSWORD}@127.0.0.2/x.gz"), HourState.REFUSED, id="redirect"),
]


@pytest.mark.parametrize(("kind", "reason"), DAMAGED)
def test_a_damaged_file_is_fetched_three_times(context, site, demo, caplog, kind, reason):
    """A file that cannot be counted is fetched anew, three times in all; then the hour failed, with the reason."""
    site.misbehave(Fault(HOUR.path, kind))
    receipt = counted(context)
    assert receipt.state == HourState.FAILED
    assert reason in assert_not_counted(context, HourState.FAILED).reason
    assert site.requests == {HOUR.path: 3}
    assert caplog.text.count("Fetching it anew") == 2
    assert leftovers(context) == []
    site.behave()
    counted(context)
    assert_counted(context, demo)


def test_a_wrong_length_is_no_reason_to_go_on_for_ever(context, site):
    """A length that the file never reaches fails in the end: as often as a damaged file, each time with its retries."""
    site.misbehave(Fault(HOUR.path, WrongLength()))
    counted(context)
    assert "announced" in assert_not_counted(context, HourState.FAILED).reason
    assert CORRUPT_TRIES <= site.requests[HOUR.path] <= CORRUPT_TRIES * HASTY.attempts


@pytest.mark.parametrize("kind", PASSING)
def test_a_fault_that_passes(context, site, demo, kind):
    """What goes wrong once and then right is counted right, with the facts of the whole file."""
    site.misbehave(Fault(HOUR.path, kind, times=1))
    receipt = counted(context)
    assert receipt.state == HourState.COUNTED
    assert_counted(context, demo)
    assert hour_row(context.engine, HOUR).size == (site.root / HOUR.path).stat().st_size
    assert site.requests[HOUR.path] in (2, 3)
    assert leftovers(context) == []


@pytest.mark.parametrize(("kind", "state"), LASTING)
def test_an_hour_that_is_not_counted_leaves_nothing(context, site, kind, state):
    """Whatever went wrong, for two projects at once, no file is left behind and each project's line says why."""
    site.misbehave(Fault(HOUR.path, kind))
    receipt = counted(context, HOUR, EN, DE)
    assert receipt.state == state
    reasons = {assert_not_counted(context, state, project=project).reason for project in (EN, DE)}
    assert len(reasons) == 1
    assert leftovers(context) == []


@pytest.mark.parametrize(("kind", "state"), [*LASTING, pytest.param(None, HourState.COUNTED, id="no fault")])
def test_messages_hold_no_credentials(context, site, caplog, kind, state):
    """A mirror's password stands in no row, no receipt and no line of the log."""
    caplog.set_level(logging.DEBUG)
    site.misbehave(*([Fault(HOUR.path, kind)] if kind else []))
    receipt = counted(context, source=site.url.replace("http://", f"http://me:{PASSWORD}@"))
    assert hour_row(context.engine, HOUR).state == receipt.state == state
    assert hour_row(context.engine, HOUR).url == f"{site.url}/{HOUR.path}"
    assert PASSWORD not in repr(contents(context.engine))
    assert PASSWORD not in repr(receipt)
    assert PASSWORD not in caplog.text
