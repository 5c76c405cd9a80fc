"""What the ledger teaches about hours to come."""

from __future__ import annotations

import pytest
from store_samples import DE, EN, HOURS, NOW, ask, facts, fail, opened
from strategies import frame

from models.tables import HourState
from worker.phases import Phases
from worker.store import tallies
from worker.store.database import reading, writing
from worker.store.experience import Counted, counted_files, counted_titles


def count(engine, hour, project=EN, *, seconds=None, titles=1, **more):
    """Record an hour as counted in so many seconds, half of them for storing, or in nobody knows how many."""
    views = {b"T%d" % number: (1, 0) for number in range(titles)}
    phases = None if seconds is None else lambda: Phases(100, 100, seconds / 2, seconds / 2)
    tally = tallies.pack(frame(views))
    with writing(engine) as session:
        tallies.record_counted(session, project, hour, facts(**more), tally, now=NOW, version="test", phases=phases)


@pytest.fixture
def engine(database_url):
    with opened(database_url) as found:
        yield found


def files(engine):
    with reading(engine) as session:
        return counted_files(session)


def titles(engine, project=EN):
    with reading(engine) as session:
        return counted_titles(session, project)


def test_nothing_was_counted(engine):
    """An empty ledger teaches nothing; neither do hours that wait, failed, or of which no time was noted."""
    ask(engine, *HOURS)
    fail(engine, HOURS[0], HourState.FAILED)
    assert (files(engine), titles(engine)) == (Counted(0, 0, 0.0), (0, 0))
    count(engine, HOURS[1])
    assert files(engine) == Counted(0, 0, 0.0)


def test_files_count_once(engine):
    """An hour of two projects is one file; of its two times the longer, written later, is that of both projects."""
    count(engine, HOURS[0], seconds=2, size=1000)
    count(engine, HOURS[0], DE, seconds=3, size=1000)
    count(engine, HOURS[1], seconds=5, size=500)
    assert files(engine) == Counted(2, 1500, 8.0)


def test_titles_are_the_projects_own(engine):
    """A project's titles are added up over its hours, another project's are not among them."""
    count(engine, HOURS[0], titles=3, size=1000)
    count(engine, HOURS[1], titles=2, size=500)
    count(engine, HOURS[0], DE, titles=1, size=1000)
    assert titles(engine) == (1500, 5)
    assert titles(engine, DE) == (1000, 1)
