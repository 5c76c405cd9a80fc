"""One hour file from the source to the database, when all goes well: exactly what it says, once."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import threading
from dataclasses import replace

import pytest
from fetch_samples import WithHeaders
from store_samples import DE, EN, ask, contents, count, hour_row, hour_truth, in_utc, leftovers, stored_tally

from cli.demosite.faults import Corrupt, Fault, NotFound, Refused, Slow
from cli.demosite.files import MALFORMED_LINES, malformed_hour
from models.hour import Hour, hours_of
from models.project import parse_project
from models.tables import HourState
from models.version import VERSION
from worker.counting import count_hour_file
from worker.store import tallies

ABSENT = parse_project("nl.wikipedia")
NOW = dt.datetime(2024, 1, 9, 12, tzinfo=dt.UTC)
OTHER_HOUR = Hour(dt.date(2024, 1, 2), 3)


@pytest.fixture
def hour():
    """An hour of the demo site whose file lies in next year's folder."""
    return Hour(dt.date(2023, 12, 31), 23)


def counted(context, hour, *projects, recount=False):
    """Ask for an hour and count it."""
    ask(context.engine, hour, projects=projects or (EN,), recount=recount)
    return count_hour_file(context, hour, projects or (EN,), source=context.settings.source)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_hour_is_counted_on_postgresql(settings, database_url, open_hasty_context, demo, hour):
    """PostgreSQL gets the same facts and the same tally."""
    context = open_hasty_context(replace(settings, database_url=database_url))
    counted(context, hour, EN, DE)
    for project in (EN, DE):
        assert stored_tally(context.engine, hour, project) == hour_truth(demo, hour, project)
        assert hour_row(context.engine, hour, project).state == HourState.COUNTED


def test_an_hour_is_counted_as_the_site_says(context, site, demo, hour):
    """Every title's views by access method are those of the site, and the facts are those of the file."""
    receipt = counted(context, hour)
    content = (site.root / hour.path).read_bytes()
    truth = hour_truth(demo, hour)
    assert stored_tally(context.engine, hour) == truth
    row = hour_row(context.engine, hour)
    assert (row.state, row.reason, row.wikiq) == (HourState.COUNTED, None, VERSION)
    assert (row.url, row.size) == (f"{site.url}/{hour.path}", len(content))
    assert row.sha256 == hashlib.sha256(content).hexdigest()
    assert (row.lines, row.malformed) == (len(demo.hours[hour]), 0)
    assert (row.views, row.titles) == (sum(map(sum, truth.values())), len(truth))
    assert row.etag
    assert row.last_modified == "Mon, 01 Jan 2024 02:00:00 GMT"
    assert (receipt.hour, receipt.state, receipt.size) == (str(hour), HourState.COUNTED, len(content))
    assert leftovers(context) == []


def test_others_may_write_while_a_tally_is_packed(context, hour, monkeypatch):
    """SQLite has one writer at a time: packing, which takes longest of all that storing is, is done before."""

    def packed(tally):
        ask(context.engine, OTHER_HOUR)  # would wait for the transaction's end, and in vain
        return pack(tally)

    pack = tallies.pack
    monkeypatch.setattr(tallies, "pack", packed)
    counted(context, hour)
    assert hour_row(context.engine, hour).state == HourState.COUNTED
    assert hour_row(context.engine, OTHER_HOUR).state == HourState.WAITING


def test_malformed_lines_are_counted_as_such(context, demo):
    """The site's known number of torn lines is noted; the rest counts as if they were not there."""
    hour = malformed_hour(demo)
    counted(context, hour)
    row = hour_row(context.engine, hour)
    assert (row.malformed, row.lines) == (MALFORMED_LINES, len(demo.hours[hour]) + MALFORMED_LINES)
    assert stored_tally(context.engine, hour) == hour_truth(demo, hour)


def test_several_projects_come_from_one_fetch(context, site, demo, hour):
    """One request serves every wiki of the site; each has its own tally, and all have the same file."""
    projects = [wiki.project for wiki in demo.wikis]
    counted(context, hour, *projects)
    assert site.requests == {hour.path: 1}
    for project in projects:
        truth = hour_truth(demo, hour, project)
        assert truth
        assert stored_tally(context.engine, hour, project) == truth
    assert len({hour_row(context.engine, hour, project).sha256 for project in projects}) == 1


def test_a_project_without_a_line_counts_as_zero(context, hour, caplog):
    """A file that has no line of the project is counted: as zero, with a reason and a warning."""
    receipt = counted(context, hour, ABSENT)
    row = hour_row(context.engine, hour, ABSENT)
    assert (receipt.state, row.state) == (HourState.COUNTED, HourState.COUNTED)
    assert (row.views, row.titles) == (0, 0)
    assert ABSENT.name in row.reason
    assert stored_tally(context.engine, hour, ABSENT) == {}
    assert [entry for entry in caplog.records if entry.levelno == logging.WARNING and ABSENT.name in entry.message]


def test_twice_is_once(context, site, hour):
    """An hour that is counted is not fetched again, and nothing in the database changes."""
    counted(context, hour)
    before = contents(context.engine)
    receipt = counted(replace(context, now=lambda: NOW), hour)
    assert contents(context.engine) == before
    assert site.requests == {hour.path: 1}
    assert (receipt.state, receipt.size) == (HourState.COUNTED, 0)


def test_only_what_lacks_is_counted(context, site, demo, hour):
    """A project that is asked for later fetches the file for itself; the other's count stays as it was."""
    counted(context, hour, EN)
    before = hour_row(context.engine, hour).model_dump()
    counted(replace(context, now=lambda: NOW), hour, EN, DE)
    assert hour_row(context.engine, hour).model_dump() == before
    assert stored_tally(context.engine, hour, DE) == hour_truth(demo, hour, DE)
    assert site.requests == {hour.path: 2}


def test_an_hour_is_counted_anew(context, site, demo, hour):
    """An hour that is counted and asked for anew is fetched again, once, and replaces what was there whole."""
    count(context.engine, hour, {b"Wrong": (5, 5)}, sha256="0" * 64)
    later = replace(context, now=lambda: NOW)
    counted(later, hour, recount=True)
    counted(later, hour)
    assert stored_tally(context.engine, hour) == hour_truth(demo, hour)
    assert in_utc(hour_row(context.engine, hour).counted_at) == NOW
    assert site.requests == {hour.path: 1}


@pytest.mark.parametrize("kind", [NotFound(), Refused(), Corrupt()])
def test_a_count_anew_that_fails_keeps_what_is_counted(context, site, hour, kind):
    """If the file cannot be had again, the hour stays counted as it was, says so, and is not tried for ever."""
    counted(context, hour)
    before, tally = facts_of(context, hour), stored_tally(context.engine, hour)
    site.misbehave(Fault(hour.path, kind))
    receipt = counted(context, hour, recount=True)
    assert receipt.state not in (HourState.COUNTED, HourState.WAITING)
    assert (facts_of(context, hour), stored_tally(context.engine, hour)) == (before, tally)
    assert hour_row(context.engine, hour).reason
    site.forget()
    counted(context, hour)
    assert site.requests == {}


def facts_of(context, hour):
    """What the ledger knows of a counted file, and when it was counted."""
    row = hour_row(context.engine, hour).model_dump()
    return {name: value for name, value in row.items() if name not in ("reason", "tries", "tried_at")}


def test_two_threads_on_one_hour_fetch_once(context, site, demo, hour):
    """Whoever comes second waits for the first and then finds the hour counted."""
    site.misbehave(Fault(hour.path, Slow(rate=50_000)))
    ask(context.engine, hour)
    at_once, receipts = threading.Barrier(2), []

    def work():
        at_once.wait()
        receipts.append(count_hour_file(context, hour, [EN], source=site.url))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.requests == {hour.path: 1}
    assert [receipt.state for receipt in receipts] == [HourState.COUNTED] * 2
    assert min(receipt.size for receipt in receipts) == 0
    assert stored_tally(context.engine, hour) == hour_truth(demo, hour)
    assert leftovers(context) == []


def test_many_threads_count_different_hours(context, site, demo):
    """Hours counted side by side do not get into one another's way, nor past the source's three connections."""
    hours = hours_of(demo.first_day)[6:14]
    ask(context.engine, *hours, projects=(EN, DE))
    site.misbehave(Fault("*.gz", Slow(rate=100_000)))
    threads = [
        threading.Thread(target=count_hour_file, args=[context, hour, [EN, DE]], kwargs={"source": site.url})
        for hour in hours
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for hour in hours:
        assert stored_tally(context.engine, hour) == hour_truth(demo, hour)
        assert stored_tally(context.engine, hour, DE) == hour_truth(demo, hour, DE)
    assert site.requests == {hour.path: 1 for hour in hours}
    assert site.most_at_once <= 3
    assert leftovers(context) == []


def test_what_a_killed_worker_left_is_cleared_away(context, demo, hour):
    """A whole file and half a one that lie about from before are not trusted, and are gone afterwards."""
    downloads = context.settings.downloads_dir
    downloads.mkdir(parents=True, exist_ok=True)
    for name in (hour.file_name, f"{hour.file_name}.part", f"{hour.file_name}.part.json"):
        (downloads / name).write_bytes(b"left by a worker that was killed")
    counted(context, hour)
    assert stored_tally(context.engine, hour) == hour_truth(demo, hour)
    assert leftovers(context) == []


def test_another_source_can_be_named(context, site, hour):
    """The source is an argument: a mirror below a path, with a slash at its end, is asked there."""
    ask(context.engine, hour)
    receipt = count_hour_file(context, hour, [EN], source=f"{site.url}/mirror/")
    assert site.requests == {f"mirror/{hour.path}": 1}
    assert receipt.state == HourState.MISSING


def test_nothing_to_do_asks_nobody(context, site, hour):
    """Without projects there is nothing to count."""
    receipt = count_hour_file(context, hour, [], source=site.url)
    assert (receipt.size, site.requests) == (0, {})


def test_odd_headers_are_no_facts(settings, database_url, open_hasty_context, site, demo, hour):
    """What no database could hold, or nobody could read, of a file's headers costs no hour."""
    site.misbehave(Fault("*", WithHeaders((("ETag", '"a\x00b"'), ("Last-Modified", "\x00")))))
    context = open_hasty_context(replace(settings, database_url=database_url))
    counted(context, hour)
    row = hour_row(context.engine, hour)
    assert (row.state, row.etag, row.last_modified) == (HourState.COUNTED, None, None)
