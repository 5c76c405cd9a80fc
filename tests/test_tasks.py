"""The task that counts an hour, called: what becomes of the hour, whatever its source and its file are like."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import os
import shutil

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from cli_process import left_behind
from demo_truth import truth
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from task_samples import DE, EN, Tasks

import worker.tasks
from cli.demosite.faults import ChangingETag, Corrupt, Cut, Fault, HtmlPage, NotFound, Refused, Truncated, Unavailable
from cli.demosite.server import serve
from models.errors import BadDate, UnknownProject
from models.hour import Hour, hours_of
from models.tables import SourceTroubleRow
from worker.store.database import writing


@pytest.fixture
def tasks(settings, context):
    return Tasks(settings, context)


def file_size(site, hour):
    return (site.root / hour.path).stat().st_size


def plain(tally):
    return {title: list(views) for title, views in tally.items()}


def facts(row):
    """What a line of the ledger says of the file that was counted."""
    return (row.state, row.url, row.size, row.sha256, row.lines, row.views, row.titles, row.counted_at)


def fetched(site):
    """The hour files that were asked for, in order."""
    return [entry.path for entry in site.log if "/pageviews-" in entry.path]


def test_an_hour_is_counted(tasks, site, demo):
    """A task's receipt is a few numbers; the hour's views, title by title, are in the database."""
    hour = Hour(demo.first_day, 7)
    tasks.request(hour.day)
    [receipt] = tasks.count(hour)
    seconds = receipt.pop("seconds")
    assert receipt == {"hour": f"{hour.day}T07:00Z", "state": "counted", "size": file_size(site, hour)}
    assert 0 <= seconds < 60
    expected = truth(demo.first_day).tally(hour)
    assert tasks.tally(hour) == plain(expected)
    row = tasks.row(hour)
    assert (row.views, row.titles) == (sum(map(sum, expected.values())), len(expected))
    assert row.sha256 == hashlib.sha256((site.root / hour.path).read_bytes()).hexdigest()


def test_twice_is_once(tasks, site, demo):
    """Counting a counted hour asks the source for nothing and changes nothing."""
    hour = Hour(demo.first_day, 7)
    tasks.request(hour.day)
    tasks.count(hour)
    before, tally = tasks.row(hour), tasks.tally(hour)
    site.forget()
    [receipt] = tasks.count(hour)
    assert receipt["state"] == "counted"
    assert not site.log
    assert (tasks.row(hour), tasks.tally(hour)) == (before, tally)


def test_what_is_asked_for_anew_is_counted_anew(tasks, site, demo):
    """A counted hour that is asked for anew is fetched again, once, and replaced by what the file holds now."""
    hour, other = Hour(demo.first_day, 7), Hour(demo.first_day, 8)
    tasks.request(hour.day)
    tasks.count(hour)
    changed = site.root.parent / f"changed-{os.getpid()}"
    (changed / hour.path).parent.mkdir(parents=True)
    shutil.copy(site.root / other.path, changed / hour.path)
    tasks.request(hour.day, recount=True)
    try:
        with serve(changed) as revised:
            tasks.count(hour, hour, source=revised.url)
            assert len(fetched(revised)) == 1
    finally:
        shutil.rmtree(changed)
    assert tasks.tally(hour) == plain(truth(demo.first_day).tally(other))


def test_one_download_serves_all_projects(tasks, site, demo):
    """A file is fetched once for every project that lacks it."""
    hour = Hour(demo.first_day, 7)
    tasks.request(hour.day, projects=(EN, DE))
    tasks.count(hour, projects=(EN, DE))
    assert fetched(site) == [hour.path]
    for project in (EN, DE):
        assert tasks.tally(hour, project) == plain(truth(demo.first_day, project.name).tally(hour))


def test_a_project_that_comes_later_leaves_the_first_alone(tasks, site, demo):
    """Counting an hour for another project, too, does not touch what is counted."""
    hour = Hour(demo.first_day, 7)
    tasks.request(hour.day, projects=(EN, DE))
    tasks.count(hour)
    before = tasks.row(hour)
    tasks.count(hour, projects=(EN, DE))
    assert tasks.row(hour) == before
    assert tasks.tally(hour, DE) == plain(truth(demo.first_day, DE.name).tally(hour))


FAULTS = {
    "missing": [NotFound()],
    "refused": [Refused()],
    "unreachable": [Unavailable()],
    "failed": [Corrupt(), Truncated(), HtmlPage()],
}


@pytest.mark.parametrize(("state", "kind"), [(state, kind) for state, kinds in FAULTS.items() for kind in kinds])
def test_a_file_that_cannot_be_had(tasks, site, demo, state, kind):
    """What goes wrong is in the receipt and, with the file's name, in the ledger; nothing is raised, nothing stays."""
    hour = Hour(demo.first_day, 7)
    tasks.request(hour.day)
    site.misbehave(Fault(hour.path, kind))
    [receipt] = tasks.count(hour)
    row = tasks.row(hour)
    assert (receipt["state"], receipt["size"], row.state, row.tries) == (state, 0, state, 1)
    assert hour.file_name in row.reason
    assert tasks.tally(hour) is None
    site.behave()
    tasks.context = dataclasses.replace(tasks.context, now=lambda: dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    tasks.app._opened = (os.getpid(), tasks.context)
    assert [found["state"] for found in tasks.count(hour)] == ["counted"]
    assert left_behind(tasks.app.settings.data_dir) == []


@pytest.mark.parametrize("kind", [Cut(after=500), ChangingETag(), Corrupt(), HtmlPage()], ids=repr)
def test_a_trouble_that_passes(tasks, site, demo, kind):
    """A file that is damaged on its way once is counted all the same."""
    hour = Hour(demo.first_day, 7)
    tasks.request(hour.day)
    site.misbehave(Fault(hour.path, kind, times=1))
    assert [found["state"] for found in tasks.count(hour)] == ["counted"]
    assert tasks.tally(hour) == plain(truth(demo.first_day).tally(hour))


@pytest.mark.parametrize("kind", [NotFound(), Refused(), Unavailable(), Corrupt()], ids=repr)
def test_a_counted_hour_stays_counted(tasks, site, demo, kind):
    """An hour that is to be counted anew and cannot be had any more keeps its counts, and is not waited for."""
    hour = Hour(demo.first_day, 7)
    tasks.request(hour.day)
    tasks.count(hour)
    before, tally = facts(tasks.row(hour)), tasks.tally(hour)
    tasks.request(hour.day, recount=True)
    site.misbehave(Fault(hour.path, kind))
    tasks.count(hour)
    assert (facts(tasks.row(hour)), tasks.tally(hour)) == (before, tally)
    assert not tasks.row(hour).recount


@pytest.mark.parametrize("error", [RuntimeError("no such luck"), SoftTimeLimitExceeded(), KeyError("x")], ids=repr)
def test_an_unexpected_error_is_noted(tasks, demo, monkeypatch, error):
    """An error nobody thought of becomes a failed hour with its name, so that the day's other hours are ranked."""

    def fail(*_arguments, **_more):
        raise error

    hour = Hour(demo.first_day, 7)
    tasks.request(hour.day)
    monkeypatch.setattr(worker.tasks, "count_hour_file", fail)
    assert [found["state"] for found in tasks.count(hour)] == ["failed"]
    assert tasks.row(hour).state == "failed"
    assert type(error).__name__ in tasks.row(hour).reason


def test_a_database_that_fails_is_not_hidden(tasks, demo):
    """Where neither counts nor a trouble can be written, the task raises."""
    tasks.request(demo.first_day)
    with tasks.context.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE hour")
    with pytest.raises(OperationalError):
        tasks.count(Hour(demo.first_day, 7))


@pytest.mark.parametrize(
    ("hour", "project", "error"),
    [
        ("2023-12-28T24:00Z", "en.wikipedia", BadDate),
        ("2023-12-28", "en.wikipedia", BadDate),
        ("2023-12-28T07:00Z", "en.wikipaedia", UnknownProject),
    ],
)
def test_ids_are_checked(tasks, hour, project, error):
    """A message that names no hour or no project is refused before anything is asked or written."""
    with pytest.raises(error):
        tasks("count_hour", hour, [project])


def test_secrets_stay_out_of_the_ledger(tasks, site, demo):
    """A source's user and password are in no row, whether its file was counted or could not be had."""
    source = site.url.replace("://", "://user:geheim@")
    tasks.request(demo.first_day)
    site.misbehave(Fault(Hour(demo.first_day, 8).path, Refused()))
    tasks.count(Hour(demo.first_day, 7), Hour(demo.first_day, 8), source=source)
    rows = [tasks.row(Hour(demo.first_day, hour)) for hour in (7, 8)]
    assert [row.state for row in rows] == ["counted", "refused"]
    assert not [row for row in rows if "geheim" in repr(row)]


def test_a_refusing_source_is_not_asked_again_at_once(tasks, site, demo):
    """After a 403 the next hours are refused without a request, and say why."""
    tasks.request(demo.first_day)
    site.misbehave(Fault("*", Refused()))
    receipts = tasks.count(*hours_of(demo.first_day))
    assert {found["state"] for found in receipts} == {"refused"}
    assert len(fetched(site)) == 1
    assert "WIKIQ_CONTACT" in tasks.row(Hour(demo.first_day, 23)).reason


def test_another_source_is_asked(tasks, site, demo_directory, demo):
    """One source's refusal does not keep another from being asked, be their addresses ever so alike."""
    tasks.request(demo.first_day)
    site.misbehave(Fault("*", Refused()))
    tasks.count(Hour(demo.first_day, 7))
    with writing(tasks.context.engine) as session:
        session.execute(update(SourceTroubleRow).values(source=f"{site.url}0"))
    site.behave()
    assert [found["state"] for found in tasks.count(Hour(demo.first_day, 8))] == ["counted"]


def test_a_refusal_is_forgotten_after_a_while(settings, site, demo, context):
    """Five minutes after a refusal the source is asked again."""
    tasks = Tasks(settings, context)
    tasks.request(demo.first_day)
    site.misbehave(Fault("*", Refused()))
    tasks.count(Hour(demo.first_day, 7))
    site.behave()
    later = dataclasses.replace(context, now=lambda: dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5, seconds=1))
    assert [found["state"] for found in Tasks(settings, later).count(Hour(demo.first_day, 8))] == ["counted"]


def test_what_is_asked_for_after_a_refusal_is_tried(tasks, site, demo):
    """Who asks for another day, say with a contact now, is not told of an earlier refusal: the source is asked."""
    tasks.request(demo.first_day)
    site.misbehave(Fault("*", Refused()))
    tasks.count(Hour(demo.first_day, 7))
    site.behave()
    tasks.request(demo.days[1])
    assert [found["state"] for found in tasks.count(Hour(demo.days[1], 7))] == ["counted"]
