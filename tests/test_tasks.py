"""The tasks as plain calls: ids in, a small receipt out, everything else in the database."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import hashlib
import json
import os
import shutil

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from cli_process import left_behind
from demo_truth import told, truth
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

import worker.tasks
from cli.demosite.faults import ChangingETag, Corrupt, Cut, Fault, HtmlPage, NotFound, Refused, Truncated, Unavailable
from cli.demosite.server import serve
from cli.render.document import render_json, week_document
from models.answer import Period, Universe
from models.errors import BadDate, UnknownProject
from models.hour import Hour, hours_of
from models.project import parse_project
from models.tables import HourRow, HourState, HourTallyRow, SiteinfoRow, SourceTroubleRow
from worker.app import make_app
from worker.block import from_block
from worker.store import ledger
from worker.store.database import reading, writing
from worker.store.requests import request_answers
from worker.store.stored_answers import load_answer

EN, DE = parse_project("en.wikipedia"), parse_project("de.wikipedia")
LOGGED = Universe.LOGGED_TITLES
NOW = dt.datetime(2024, 1, 9, tzinfo=dt.UTC)


class Tasks:
    """An application whose tasks are called here, not sent."""

    def __init__(self, settings, context):
        self.app = make_app(settings)
        self.app._opened = (os.getpid(), context)
        self.context = context

    def __call__(self, name, *arguments, **more):
        return self.app.tasks[f"wikiq.{name}"](*arguments, **more)

    def request(self, *days, projects=(EN,), week=False, recount=False):
        """Put days (and the week from the first of them on) into the database, as ``wikiq enqueue`` does."""
        periods = [*map(Period, days), *([Period(days[0], 7)] if week else [])]
        with writing(self.context.engine) as session:
            request_answers(session, projects, periods, LOGGED)
            for day in days:
                ledger.request_hours(session, projects, hours_of(day), recount=recount)

    def count(self, *hours, projects=(EN,), **more):
        return [self("count_hour", str(hour), [project.name for project in projects], **more) for hour in hours]

    def miss(self, *days, project=EN):
        """Note of every hour of these days that it is not there."""
        with writing(self.context.engine) as session:
            for hour in (hour for day in days for hour in hours_of(day)):
                ledger.record_trouble(session, project, hour, HourState.MISSING, "404", url="http://x/", now=NOW)

    def rank(self, day, project=EN):
        self("rank_day", None, day.isoformat(), [project.name], LOGGED.value)

    def row(self, hour, project=EN):
        with Session(self.context.engine) as session:
            return session.get(HourRow, (project.name, hour.day, hour.hour))

    def tally(self, hour, project=EN):
        with Session(self.context.engine) as session:
            row = session.get(HourTallyRow, (project.name, hour.day, hour.hour))
        return row and {title: views for title, *views in from_block(row.block).iter_rows()}

    def answer(self, first, days=1, project=EN):
        with reading(self.context.engine) as session:
            return load_answer(session, project, Period(first, days), LOGGED)

    def document(self, day, project=EN):
        return told(render_json([self.answer(day, project=project)], 5))


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


def test_a_day_is_ranked_from_the_database(tasks, demo):
    """The day's answers are the oracle's; what the chord's receipts say does not matter."""
    day = demo.first_day
    tasks.request(day)
    tasks.count(*hours_of(day))
    tasks("fetch_siteinfo", [EN.name])
    tasks("rank_day", [{"state": "failed"}, "nonsense", None], day.isoformat(), [EN.name], LOGGED.value)
    assert tasks.document(day) == truth(demo.first_day).day(day)


def test_ranking_twice_changes_nothing(tasks, demo):
    """A day that is up to date is left as it is, to the time at which it was computed."""
    tasks.request(demo.first_day)
    tasks.count(Hour(demo.first_day, 7))
    answers = []
    for _ in range(2):
        tasks.rank(demo.first_day)
        answers.append(tasks.answer(demo.first_day))
    first, second = answers
    assert second == first


def test_hours_counted_anew_lie_together_again(tasks, demo):
    """Hours that are counted anew and come out the same change no answer, but are put together with their day again."""
    day, hour = demo.first_day, Hour(demo.first_day, 7)
    tasks.request(day)
    tasks.count(hour)
    tasks.rank(day)
    answer = tasks.answer(day)
    assert tasks.tally(hour) is None
    tasks.request(day, recount=True)
    tasks.count(hour)
    assert tasks.tally(hour) is not None
    tasks.rank(day)
    assert tasks.tally(hour) is None
    assert tasks.answer(day) == answer


def test_a_day_without_some_hours(tasks, site, demo):
    """A day is ranked from the hours there are, names the others, and is ranked anew once they have come."""
    day = demo.first_day
    lacking = (Hour(day, 0), Hour(day, 23))
    tasks.request(day)
    tasks("fetch_siteinfo", [EN.name])
    site.misbehave(*(Fault(hour.path, NotFound()) for hour in lacking))
    tasks.count(*hours_of(day))
    tasks.rank(day)
    assert tasks.document(day) == truth(demo.first_day).day(day, missing=lacking)
    site.behave()
    tasks.count(*lacking)
    tasks.rank(day)
    assert tasks.document(day) == truth(demo.first_day).day(day)


def test_a_day_without_any_hour(tasks, demo):
    """A day of which nothing is counted is answered as such: all hours missing, nothing requested."""
    tasks.request(demo.first_day)
    tasks("fetch_siteinfo", [EN.name])
    tasks.rank(demo.first_day)
    assert tasks.document(demo.first_day) == truth(demo.first_day).day(demo.first_day, missing=hours_of(demo.first_day))


@pytest.fixture
def sent(tasks, monkeypatch):
    """The tasks that were sent on, instead of their being sent."""
    names = []
    monkeypatch.setattr(tasks.app, "send_task", lambda name, arguments: names.append((name, *arguments)))
    return names


def test_the_seventh_day_sends_its_week_on(tasks, demo, sent):
    """A week is ranked when the last of its seven days is, in whatever order they come, and not before."""
    tasks.request(*demo.days, week=True)
    tasks.miss(*demo.days)
    *first_six, last = demo.days[::-1]
    for day in first_six:
        tasks.rank(day)
    assert sent == []
    tasks.rank(last)
    assert sent == [("wikiq.rank_week", demo.first_day.isoformat(), EN.name, LOGGED.value)]


def test_room_is_given_back_once_the_week_is_on_its_way(tasks, demo, sent, monkeypatch):
    """It takes a second for a large wiki, in which another process may rank already."""
    monkeypatch.setattr(worker.tasks, "give_room_back", lambda _engine: sent.append("room"))
    tasks.request(*demo.days, week=True)
    tasks.miss(*demo.days)
    for day in demo.days[:6]:
        tasks.rank(day)
    sent.clear()
    tasks.rank(demo.days[6])
    assert [sending if isinstance(sending, str) else sending[0] for sending in sent] == ["wikiq.rank_week", "room"]


def test_a_week_nobody_asked_for_is_not_ranked(tasks, demo, sent):
    """Seven days in a row are no week unless one was asked for, for this project."""
    tasks.request(*demo.days)
    tasks.request(*demo.days, projects=(DE,), week=True)
    tasks.miss(*demo.days)
    for day in demo.days:
        tasks.rank(day)
    assert sent == []


def test_a_day_that_changes_sends_its_weeks_on(tasks, demo, sent):
    """When an hour arrives late, each week that holds its day is ranked anew with it."""
    day = demo.days[3]
    tasks.request(*demo.days, week=True)
    tasks.miss(*demo.days)
    for any_day in demo.days:
        tasks.rank(any_day)
    sent.clear()
    tasks.count(Hour(day, 5))
    tasks.rank(day)
    assert [first for _, first, *_ in sent] == [demo.first_day.isoformat()]


def test_a_week_waits_for_what_is_being_counted(tasks, demo, sent):
    """A week that was ranked from few hours is not ranked with each of its days again, but when none waits any more.

    Ranking a week is the most expensive thing there is, and what it would say would be out of date at once.
    """
    *first_six, last = demo.days
    tasks.request(*demo.days, week=True)
    tasks.miss(*demo.days)
    for day in demo.days:
        tasks.rank(day)
    sent.clear()
    tasks.request(*demo.days, week=True)
    for day in first_six:
        tasks.count(Hour(day, 5))
        tasks.miss(day)
        tasks.rank(day)
    assert sent == []
    tasks.miss(last)
    tasks.rank(last)
    assert [first for _, first, *_ in sent] == [demo.first_day.isoformat()]


def test_a_week_is_ranked_from_all_titles(tasks, demo):
    """A week's answers come from every title of its counted hours, and name each hour that is missing."""
    counted = [Hour(day, hour) for day in demo.days for hour in (0, 23)]
    tasks.request(*demo.days, week=True)
    tasks("fetch_siteinfo", [EN.name])
    tasks.count(*counted)
    for day in demo.days:
        tasks.rank(day)
    tasks("rank_week", demo.first_day.isoformat(), EN.name, LOGGED.value)
    missing = {hour for day in demo.days for hour in hours_of(day)} - set(counted)
    week, days = tasks.answer(demo.first_day, days=7), [tasks.answer(day) for day in demo.days]
    found = told(json.dumps(week_document(week, days, 5)))
    assert found == truth(demo.first_day).week(missing=missing)


def test_siteinfo_is_fetched_once(tasks, site):
    """A wiki's namespaces are asked for once, then known."""
    tasks("fetch_siteinfo", [EN.name, DE.name])
    asked = len(site.log)
    tasks("fetch_siteinfo", [DE.name, EN.name])
    assert asked == len(site.log) > 0


def test_without_siteinfo_the_canonical_names_serve(tasks, site, demo):
    """A source without dump runs still gives answers, and they say that MediaWiki's own names were used."""
    tasks.request(demo.first_day)
    site.misbehave(Fault("enwiki/*", NotFound()))
    tasks("fetch_siteinfo", [EN.name])
    tasks.rank(demo.first_day)
    assert tasks.answer(demo.first_day).namespaces == "canonical"


@pytest.mark.parametrize("document", [b'{"query": {"general": {}}}', b"[]", b"\xff\xfe", b'{"query": 1'], ids=repr)
def test_siteinfo_that_makes_no_sense(tasks, demo_directory, demo, tmp_path, document):
    """A siteinfo dump that arrives whole but is not siteinfo is noted as a trouble; days are ranked without it."""
    run = demo_directory / "enwiki" / f"{demo.run:%Y%m%d}"
    odd = tmp_path / "odd" / "enwiki" / run.name
    odd.mkdir(parents=True)
    status = json.loads((run / "dumpstatus.json").read_bytes())
    [(name, about)] = status["jobs"]["namespaces"]["files"].items()
    packed = gzip.compress(document)
    sums = {kind: hashlib.new(kind, packed).hexdigest() for kind in ("md5", "sha1")}
    about.update(sums, size=len(packed))
    (odd / name).write_bytes(packed)
    (odd / "dumpstatus.json").write_text(json.dumps(status))
    tasks.request(demo.first_day)
    with serve(tmp_path / "odd") as site:
        tasks("fetch_siteinfo", [EN.name], site.url)
    tasks.rank(demo.first_day)
    assert tasks.answer(demo.first_day).namespaces == "canonical"
    with Session(tasks.context.engine) as session:
        assert session.exec(select(SiteinfoRow.reason)).one()
