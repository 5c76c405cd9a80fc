"""Trouble that speaks of a source as a whole: of this one, and of now."""

from __future__ import annotations

import datetime as dt

import pytest
from store_samples import NOW, SOURCE

from models.errors import SourceRefused, SourceUnreachable
from worker.store.database import reading, writing
from worker.store.sources import forget_source_troubles, is_doubtful, note_source_trouble, source_trouble

pytest_plugins = ["store_fixtures"]
MINUTE = dt.timedelta(minutes=1)
ALIKE = [
    ("https://dumps.example.or_", SOURCE),
    ("https://%", SOURCE),
    ("https://dumps.example.org/mirror", "https://dumps.example.org/mirrors"),
    ("https://dumps.example.org", "https://dumps.example.org.evil.example"),
    ("http://127.0.0.1:80", "http://127.0.0.1:8080"),
    ("https://dumps.example.org/Mirror", "https://dumps.example.org/mirror"),
]


def note(engine, source, error, now=NOW, **more):
    with writing(engine) as session:
        note_source_trouble(session, source, error, now=now, **more)


def doubtful(engine, source, since=NOW):
    with reading(engine) as session:
        return is_doubtful(session, source, since=since)


def trouble(engine, source, since=NOW):
    with reading(engine) as session:
        return source_trouble(session, source, since=since)


@pytest.mark.parametrize("kind", [SourceRefused, SourceUnreachable])
def test_trouble_comes_back_as_it_was(engine, kind):
    """What was noted is what a later hour is told, in kind and words."""
    note(engine, SOURCE, kind("why"))
    found = trouble(engine, SOURCE)
    assert (type(found), str(found)) == (kind, "why")


def test_trouble_is_recent_and_the_latest(engine):
    """Of two troubles the later one counts; before the given time it is over; forgotten it is gone."""
    note(engine, SOURCE, SourceRefused("early"))
    note(engine, SOURCE, SourceUnreachable("late"), now=NOW + MINUTE)
    assert str(trouble(engine, SOURCE)) == "late"
    assert str(trouble(engine, SOURCE, NOW + MINUTE)) == "late"
    assert trouble(engine, SOURCE, NOW + MINUTE + dt.timedelta(microseconds=1)) is None
    with writing(engine) as session:
        forget_source_troubles(session)
    assert trouble(engine, SOURCE) is None


def test_a_doubtful_source_is_not_in_trouble(engine):
    """Of a source that was not asked for long only that is known; what is noted later is what counts, either way."""
    note(engine, SOURCE, SourceUnreachable("no answer yet"), doubtful=True)
    assert (trouble(engine, SOURCE), doubtful(engine, SOURCE)) == (None, True)
    assert not doubtful(engine, SOURCE, NOW + MINUTE)
    note(engine, SOURCE, SourceUnreachable("no answer"), now=NOW + MINUTE)
    assert (str(trouble(engine, SOURCE)), doubtful(engine, SOURCE)) == ("no answer", False)
    note(engine, SOURCE, SourceUnreachable("no answer yet"), now=NOW + MINUTE, doubtful=True)
    assert (trouble(engine, SOURCE), doubtful(engine, SOURCE)) == (None, True)
    with writing(engine) as session:
        forget_source_troubles(session)
    assert not doubtful(engine, SOURCE)


def test_trouble_of_a_clock_that_is_ahead(engine):
    """What a worker notes whose clock is an hour ahead does not keep the others from asking for an hour."""
    note(engine, SOURCE, SourceUnreachable("why"), now=NOW + dt.timedelta(hours=1))
    assert trouble(engine, SOURCE, NOW - 5 * MINUTE) is None
    note(engine, SOURCE, SourceUnreachable("why"), now=NOW + MINUTE)
    assert trouble(engine, SOURCE, NOW - 5 * MINUTE) is not None


@pytest.mark.parametrize(("asked", "troubled"), ALIKE)
def test_a_source_is_not_blamed_for_another(engine, asked, troubled):
    """However alike two sources are written, the trouble of one is not the other's."""
    note(engine, troubled, SourceRefused("theirs"))
    assert trouble(engine, asked) is None
    note(engine, asked, SourceRefused("mine"))
    assert str(trouble(engine, asked)) == "mine"
