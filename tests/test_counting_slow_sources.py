"""Sources that take their time: each gets its share of a task's, and no more."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from conftest import HASTY
from counting_samples import HOUR, assert_counted, assert_not_counted, counted
from store_samples import contents, hour_row

from cli.demosite.faults import Fault, Slow
from models.tables import HourState
from worker import patience

pytest_plugins = ["mirror_fixtures"]


@pytest.fixture
def both(settings, site, mirror, open_hasty_context):
    """A context that may fetch from the origin and from the mirror."""
    return open_hasty_context(replace(settings, sources=(site.url, mirror.url)))


def test_a_crawling_mirror_costs_no_hour(both, site, mirror, demo, monkeypatch):
    """A mirror that drips is given up after a hasty source's time, not a lonely one's; then the origin is asked."""
    monkeypatch.setattr(patience, "HASTY_TRANSFER", 0.3)
    monkeypatch.setattr(patience, "HASTY_PATIENCE", 0.5)
    mirror.misbehave(Fault("*", Slow(400)))
    swapped = replace(both.settings, sources=(mirror.url, site.url))
    began = time.monotonic()
    counted(replace(both, retries=replace(HASTY, transfer_timeout=60), settings=swapped))
    assert_counted(both, demo)
    assert hour_row(both.engine, HOUR).url.startswith(site.url)
    assert time.monotonic() - began < 20


def test_two_crawling_sources_end_with_the_patience(both, site, mirror):
    """Where all sources crawl the hour is unreachable in time, with the first one's reason, and both are noted."""
    for place in (site, mirror):
        place.misbehave(Fault("*", Slow(400)))
    began = time.monotonic()
    counted(replace(both, retries=replace(HASTY, attempts=10**6, transfer_timeout=0.3, patience=0.7, least_progress=1)))
    assert "took more than" in assert_not_counted(both, HourState.UNREACHABLE).reason
    assert time.monotonic() - began < 5
    assert "took more than" in repr(contents(both.engine))
