"""The tasks that rank days and weeks and fetch what they need of the wiki, called: what they leave in the database."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest
from demo_truth import told, truth
from sqlmodel import Session, select
from task_samples import DE, EN, LOGGED, Tasks

import worker.tasks
from cli.demosite.faults import Fault, NotFound
from cli.demosite.server import serve
from cli.render.document import week_document
from models.hour import Hour, hours_of
from models.tables import SiteinfoRow


@pytest.fixture
def tasks(settings, context):
    return Tasks(settings, context)


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
