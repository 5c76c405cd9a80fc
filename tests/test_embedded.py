"""Tasks and chords inside this process: Celery's memory transport, a pool of threads, and a real database."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace

import pytest
from conftest import HASTY
from demo_truth import told, truth

import worker.tasks
from cli.demosite.faults import Corrupt, Fault, NotFound, Refused, Stall, Unavailable
from cli.exits import ExitCode, exit_code_of
from cli.render.document import render_json, week_document
from cli.run import _pause, carry_out
from cli.summary import summarise
from models.answer import Period, Universe
from models.errors import SourceUnreachable, TaskFailed
from models.hour import hours_of
from models.project import parse_project
from worker.app import make_app
from worker.budget import CONNECTIONS
from worker.embedded import concurrency, embedded_worker
from worker.enqueue import missing_work, request, request_again, send
from worker.order import Order
from worker.progress import progress_of
from worker.store.database import reading
from worker.store.stored_answers import load_answer

EN, DE = parse_project("en.wikipedia"), parse_project("de.wikipedia")
LOGGED = Universe.LOGGED_TITLES
COUNTED_DAYS = "SELECT DISTINCT day FROM hour WHERE state = 'counted'"
PATIENCE = 60


@pytest.fixture
def app_of(open_hasty_context):
    """Makes applications with short waits."""

    def make(settings):
        app = make_app(settings)
        app._opened = (os.getpid(), open_hasty_context(settings))
        return app

    return make


@pytest.fixture
def app(app_of, settings):
    return app_of(settings)


def at(settings, directory, database_url=None):
    """The same settings for another place."""
    url = database_url or f"sqlite:///{directory / 'wikiq.sqlite'}"
    return replace(settings, data_dir=directory, database_url=url)


def order(*days, projects=(EN,), **more):
    return Order(projects, days, LOGGED, **more)


def run(app, wanted):
    """Do what is missing of an order in an embedded worker, and see it through."""
    context = app.context()
    request(context, wanted)
    with embedded_worker(app) as run:
        send(app, missing_work(context, wanted))
        deadline = time.monotonic() + PATIENCE
        while not (standing := progress_of(context, wanted)).done:
            assert not run.errors
            assert time.monotonic() < deadline, standing
            time.sleep(0.1)
    return standing


def follow(app, wanted):
    """As ``wikiq enqueue`` does without a broker."""
    context = app.context()
    request(context, wanted)
    return carry_out(app, missing_work(context, wanted), wanted, wait=True, quiet=True)


def answer(app, first, days=1, project=EN):
    with reading(app.context().engine) as session:
        return load_answer(session, project, Period(first, days), LOGGED)


def document(app, day, project=EN):
    return told(render_json([answer(app, day, project=project)], 5))


@pytest.fixture
def no_threads_left():
    """Fails a test that leaves a thread running."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def test_threads_for_each_source(settings):
    """While every connection downloads, as many files can be counted and a day ranked; another source brings more."""
    one = concurrency(settings)
    assert one > 2 * CONNECTIONS
    for more, brought in (("http://127.0.0.1:9", CONNECTIONS), (f"{settings.source}/below", 0)):
        assert concurrency(replace(settings, sources=(settings.source, more))) == one + brought


def test_a_day(app_of, settings, tmp_path, database_url, demo, no_threads_left):
    """A day's 24 tasks run, then its callback; the answers are the oracle's, and no thread stays."""
    app = app_of(at(settings, tmp_path / "data", database_url))
    standing = run(app, order(demo.first_day, projects=(EN, DE)))
    assert (standing.hours, standing.unranked) == ({"counted": 48}, 0)
    for project in (EN, DE):
        assert document(app, demo.first_day, project) == truth(demo.first_day, project.name).day(demo.first_day)


def test_a_week(app, demo, site, no_threads_left):
    """Every day of a week is ranked and so is the week as a whole, from one request per file, three at a time."""
    run(app, order(*demo.days, week=True))
    week, days = answer(app, demo.first_day, 7), [answer(app, day) for day in demo.days]
    assert told(json.dumps(week_document(week, days, 5))) == truth(demo.first_day).week()
    asked = [entry.path for entry in site.log if "/pageviews-" in entry.path and entry.method == "GET"]
    assert sorted(asked) == sorted(hour.path for day in demo.days for hour in hours_of(day))
    assert site.most_at_once <= 3


def test_twice_in_one_process(app_of, settings, tmp_path, demo, site, no_threads_left):
    """A second worker in the same process, with another database, does its own work from its beginning to its end."""
    apps = [app_of(at(settings, tmp_path / name)) for name in ("one", "two")]
    for app, day in zip(apps, demo.days[:2], strict=True):
        run(app, order(day))
    for app, day in zip(apps, demo.days[:2], strict=True):
        assert document(app, day) == truth(demo.first_day).day(day)
        assert missing_work(app.context()).days == ()


def test_the_same_application_twice(app, demo, site, no_threads_left):
    """An application may be given a worker again; what is done is not done again."""
    run(app, order(demo.first_day))
    site.forget()
    run(app, order(demo.first_day))
    run(app, order(*demo.days[:2]))
    asked = {entry.path for entry in site.log}
    assert asked == {hour.path for hour in hours_of(demo.days[1])}


@pytest.mark.parametrize("broken", ["answering.rank_period", "tasks.ensure_siteinfo", "tasks.record_trouble"])
def test_a_task_that_raises(app, demo, monkeypatch, broken, site, no_threads_left):
    """A task that ends with an error nobody thought of ends the command soon, with a sentence and exit code 1."""

    def fail(*_arguments, **_more):
        raise RuntimeError("the moon is full")

    monkeypatch.setattr(f"worker.{broken}", fail)
    if broken == "tasks.record_trouble":
        monkeypatch.setattr(worker.tasks, "count_hour_file", fail)
    began = time.monotonic()
    with pytest.raises(TaskFailed, match=r"the moon is full.*wikiq resume") as caught:
        follow(app, order(demo.first_day))
    assert exit_code_of(caught.value) is ExitCode.FAILED
    assert time.monotonic() - began < 20


def test_after_a_task_that_raised(app_of, settings, tmp_path, demo, monkeypatch, no_threads_left):
    """What a run that failed had counted stays, and the next one completes it; a run elsewhere is not touched by it."""

    def fail(*_arguments, **_more):
        raise RuntimeError("the moon is full")

    failed, other = (app_of(at(settings, tmp_path / name)) for name in ("failed", "other"))
    with monkeypatch.context() as patched:
        patched.setattr(worker.tasks, "ensure_siteinfo", fail)
        with pytest.raises(TaskFailed):
            follow(failed, order(*demo.days[:2]))
    run(other, order(demo.days[2]))
    assert document(other, demo.days[2]) == truth(demo.first_day).day(demo.days[2])
    with reading(other.context().engine) as session:
        days = {
            day
            for (day,) in session.connection().exec_driver_sql("SELECT DISTINCT day FROM hour WHERE state = 'counted'")
        }
    assert days == {demo.days[2].isoformat()}
    request_again(failed.context())
    run(failed, order(*demo.days[:2]))
    assert document(failed, demo.first_day) == truth(demo.first_day).day(demo.first_day)


def test_missing_and_damaged_hours(app, demo, site, no_threads_left):
    """Hours that cannot be had do not keep their day from being ranked; when they have come it is ranked anew."""
    first, *_, last = hours_of(demo.first_day)
    site.misbehave(Fault(first.path, NotFound()), Fault(last.path, Corrupt()))
    standing = run(app, order(demo.first_day))
    assert standing.hours == {"counted": 22, "missing": 1, "failed": 1}
    assert document(app, demo.first_day) == truth(demo.first_day).day(demo.first_day, missing=(first, last))
    site.behave()
    run(app, order(demo.first_day))
    assert document(app, demo.first_day) == truth(demo.first_day).day(demo.first_day)


@pytest.mark.parametrize(("kind", "state"), [(Refused(), "refused"), (Unavailable(), "unreachable")])
def test_a_week_that_cannot_be_had(app, demo, site, kind, state, capsys):
    """A source that breaks down is left alone soon; the week ends all the same, with few words, ranked from nothing."""
    wanted = order(*demo.days, week=True)
    site.misbehave(Fault("*", kind, method="GET"))
    assert follow(app, wanted) is ExitCode.SOURCE
    assert progress_of(app.context(), wanted).hours == {state: 168}
    assert len(answer(app, demo.first_day, 7).missing_hours) == 168
    # Before the trouble is known each thread may have one file, and another the namespaces, that it asks for patiently;
    # first of all it is asked whether the source answers.
    assert len(site.log) <= 1 + HASTY.attempts * (concurrency(app.settings) + 1)
    summarise(app.context(), wanted, quiet=False)
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) <= 7 * 7 + 2


def test_nobody_answers(app_of, settings, demo):
    """Where nobody listens the command fails with exit code 4 before any work, and everything stays to be resumed."""
    nowhere = replace(settings, sources=("http://127.0.0.1:9",))
    app, wanted = app_of(nowhere), order(*demo.days, week=True)
    with pytest.raises(SourceUnreachable, match="Connection refused") as caught:
        follow(app, wanted)
    assert exit_code_of(caught.value) is ExitCode.SOURCE
    assert missing_work(app.context()).hours == 168


def test_the_end_is_seen_at_once(app, demo, monkeypatch):
    """Who follows a run is told of its rankings, however seldom it looks by itself."""
    monkeypatch.setattr("cli.run.POLL_SECONDS", (2 * PATIENCE, 2 * PATIENCE))
    began = time.monotonic()
    assert follow(app, order(demo.first_day)) is ExitCode.DONE
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize(("look", "pause"), [(0.0, 0.2), (0.05, 1.0), (9.0, 2.0)])
def test_looking_takes_little_of_the_time(look, pause):
    """Whoever has to wait long for a look does not look again soon; a bar goes on moving all the same."""
    assert _pause(look) == pytest.approx(pause)


def test_the_block_waits_for_tasks_under_way(app, demo, site, no_threads_left):
    """When the block ends, what has begun is finished first."""
    wanted = order(demo.first_day)
    site.misbehave(Fault("*.gz", Stall(0.3)))
    request(app.context(), wanted)
    with embedded_worker(app):
        send(app, missing_work(app.context(), wanted))
        while not site.log:
            time.sleep(0.01)
    app.control.purge()
    counted = progress_of(app.context(), wanted).hours["counted"]
    began = sum("/pageviews-" in entry.path for entry in site.log if entry.method == "GET")
    assert 0 < counted == began < 24
