"""A source that makes every kind of trouble at once, asked by the whole program: two workers through Redis."""

from __future__ import annotations

from itertools import pairwise

import pytest
from fleet import empty_broker, fleet_on_sqlite  # noqa: F401 fixtures

from cli.demosite.faults import Cut, Fault, Flaky, Truncated, WrongLength
from models.hour import hours_of

pytestmark = pytest.mark.timeout(120)

BUSY = (429, 503)
PAUSE = 1.0
"""Seconds that are waited at least before asking again, whether the source asks for them or not."""


def trouble(day):
    """Once each a cut connection, a length that is wrong and half a file; a third of all other requests is refused."""
    hours = hours_of(day)
    return (
        Fault(hours[2].path, Cut(after=1_000), times=1),
        Fault(hours[5].path, WrongLength(), times=1),
        Fault(hours[8].path, Truncated(), times=1),
        *(Fault(hour.path, Flaky(seed=1, retry_after=1)) for hour in hours[12:]),
        Fault("*", Flaky(seed=1)),
    )


def hasty(log):
    """Answers that came too early after a refusal of the same file."""
    by_path = {}
    for entry in log:
        by_path.setdefault(entry.path, []).append(entry)
    pairs = [pair for entries in by_path.values() for pair in pairwise(entries)]
    return [after for before, after in pairs if before.status in BUSY and after.at - before.at < PAUSE]


def test_all_together(fleet):
    """Two workers get a day's files all the same: nobody has to do anything, and they ask no sooner than they may."""
    fleet.site.misbehave(*trouble(fleet.day))
    for _ in range(2):
        fleet.start("-c", "2")
    fleet.wikiq("enqueue", str(fleet.day), "--wait")
    fleet.check(interrupted=None)
    hour_files = [entry for entry in fleet.site.log if "/pageviews-" in entry.path]
    refused = [entry for entry in hour_files if entry.status in BUSY]
    assert {entry.status for entry in refused} == set(BUSY)
    # Once more each after a cut and for half a file; a length that is wrong is noticed by asking for what lacks.
    assert len(hour_files) == 24 + 1 + 1 + 2 + len(refused)
    assert len(refused) > 24 / 4
    assert hasty(hour_files) == []
    assert "Traceback" not in fleet.said
