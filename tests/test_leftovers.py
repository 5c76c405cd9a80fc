"""Parts of files that nobody needs any more are removed when a worker starts, and no others."""

from __future__ import annotations

import pytest

from models.hour import hours_of
from models.project import parse_project
from worker.counting import count_hour_file
from worker.leftovers import drop_leftovers
from worker.store.database import writing
from worker.store.ledger import request_hours

EN = parse_project("en.wikipedia")


@pytest.fixture
def downloads(context):
    context.settings.downloads_dir.mkdir(parents=True)
    return context.settings.downloads_dir


def put(downloads, hour, *endings):
    for ending in endings:
        (downloads / f"{hour.file_name}{ending}").write_bytes(b"x")


def test_an_hour_that_is_counted(context, demo, downloads):
    """Parts of a counted hour go; those of one that waits, and the locks, stay."""
    counted, waiting = hours_of(demo.first_day)[:2]
    with writing(context.engine) as session:
        request_hours(session, [EN], [counted, waiting])
    count_hour_file(context, counted, [EN])
    put(downloads, counted, "", ".part", ".part.json")
    put(downloads, waiting, ".part", ".part.json")
    assert drop_leftovers(context) == (counted.file_name,)
    kept = {path.name for path in downloads.iterdir() if path.is_file()}
    assert kept == {f"{waiting.file_name}.part", f"{waiting.file_name}.part.json"}
    assert list((downloads / "locks").iterdir()) != []
    assert drop_leftovers(context) == ()


def test_an_hour_to_be_counted_anew(context, demo, downloads):
    """A part of an hour that is counted and asked for by force stays."""
    hour = hours_of(demo.first_day)[0]
    with writing(context.engine) as session:
        request_hours(session, [EN], [hour])
    count_hour_file(context, hour, [EN])
    with writing(context.engine) as session:
        request_hours(session, [EN], [hour], recount=True)
    put(downloads, hour, ".part")
    assert drop_leftovers(context) == ()


def test_before_anything_was_downloaded(context):
    """Without a directory of downloads there is nothing to do."""
    assert drop_leftovers(context) == ()
