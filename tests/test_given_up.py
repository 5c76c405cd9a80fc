"""Tasks whose process dies each time, or runs out of time: the database tells of each kind, resuming tries again."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from store_samples import DE, EN, LOGGED, count, hour_row

from models.answer import Period, Universe
from models.dump_run import DumpState, DumpTable
from models.errors import SourceUnreachable
from models.hour import Hour
from worker.answering import rank_period
from worker.app import make_app
from worker.enqueue import missing_work, request, request_again
from worker.fleet import _give_up
from worker.order import Order
from worker.progress import progress_of, standings
from worker.store import snapshots
from worker.store.database import reading

ARTICLES = Universe.ARTICLES
DEATHS = [WorkerLostError("signal 9 (SIGKILL)"), TimeLimitExceeded(1600)]


@pytest.fixture
def app(settings, context):
    app = make_app(settings)
    app._opened = (os.getpid(), context)
    return app


@pytest.fixture
def sent(app, monkeypatch):
    """The tasks that were sent on, instead of their being sent: name, arguments, queue."""
    found = []
    monkeypatch.setattr(
        app, "send_task", lambda name, arguments, queue=None: found.append((name, arguments, queue and queue.name))
    )
    return found


@pytest.fixture
def given_up(app, sent):
    """Gives a task up, and has it noted by whoever gets the message; tells that one's queue."""

    def give_up(name, *args, error=DEATHS[0], **kwargs):
        sent.clear()
        _give_up(app.tasks[f"wikiq.{name}"], task_id="1", exception=error, args=args, kwargs=kwargs, einfo=None)
        [(noting, arguments, queue)] = sent
        app.tasks[noting](*arguments)
        return queue

    return give_up


def asked(app, *days, universe=LOGGED, week=False, projects=(EN,)):
    request(app.context(), Order(projects, days, universe, week=week))


def chosen(app, demo):
    """Ask for a day by articles, and have its dump run chosen and its files taken down."""
    asked(app, demo.first_day, universe=ARTICLES)
    app.tasks["wikiq.index_wiki"](EN.name)


def snapshot(app, demo):
    with reading(app.context().engine) as session:
        return snapshots.load_snapshot(session, EN, demo.run)


@pytest.mark.parametrize("error", DEATHS, ids=lambda error: type(error).__name__)
def test_an_hour(app, demo, given_up, error):
    """An hour is failed and says why; resumed, it waits again."""
    asked(app, demo.first_day)
    hour = Hour(demo.first_day, 5)
    assert given_up("count_hour", str(hour), [EN.name], None, error=error) == "count"
    row = hour_row(app.context().engine, hour)
    assert (row.state, type(error).__name__ in row.reason) == ("failed", True)
    request_again(app.context())
    assert hour_row(app.context().engine, hour).state == "waiting"


def test_a_day(app, demo, given_up):
    """A day that cannot be ranked is not waited for any more, and says why; resumed, it is ranked."""
    asked(app, demo.first_day)
    context = app.context()
    arguments = {"day": demo.first_day.isoformat(), "projects": [EN.name], "universe": LOGGED.value}
    assert given_up("rank_day", [{"state": "failed"}], **arguments) == "rank"
    [standing] = standings(context)
    assert "process ended" in standing.trouble
    assert "process ended" in progress_of(context).trouble
    request_again(context)
    assert [day.day for day in missing_work(context).days] == [demo.first_day]
    app.tasks["wikiq.rank_day"]([], **arguments)
    [standing] = standings(context)
    assert (standing.ranked, standing.trouble) == (True, None)


def test_a_week(app, demo, given_up):
    """Neither is a week."""
    asked(app, *demo.days, week=True)
    assert given_up("rank_week", demo.first_day.isoformat(), EN.name, LOGGED.value) == "rank"
    assert "process ended" in progress_of(app.context()).trouble


def test_a_day_that_is_ranked(app, demo, given_up):
    """Of a day that was to be ranked for two wikis, the one that is ranked says nothing."""
    asked(app, demo.first_day, projects=(EN, DE))
    count(app.context().engine, Hour(demo.first_day, 5), {b"A": (1, 0)})
    rank_period(app.context(), EN, Period(demo.first_day), LOGGED)
    given_up("rank_day", [], day=demo.first_day.isoformat(), projects=[EN.name, DE.name], universe=LOGGED.value)
    assert {found.project: found.trouble is None for found in standings(app.context())} == {EN: True, DE: False}


def test_a_day_that_waits_for_its_index(app, demo, sent, given_up):
    """A day that would not have been ranked for want of an index goes on waiting for it."""
    chosen(app, demo)
    given_up("rank_day", [], day=demo.first_day.isoformat(), projects=[EN.name], universe=ARTICLES.value)
    [standing] = standings(app.context())
    assert (standing.trouble, standing.waits_for) == (None, (DumpState.WAITING, None))


def test_a_choice_of_runs(app, demo, given_up):
    """A wiki whose runs could not be looked at says so, and so does its day; resumed, they are looked at."""
    asked(app, demo.first_day, universe=ARTICLES)
    assert given_up("index_wiki", EN.name, None) == "index"
    [standing] = standings(app.context())
    assert (standing.waits_for[0], "process ended" in standing.waits_for[1]) == (DumpState.FAILED, True)
    request_again(app.context())
    assert [wiki.project for wiki in missing_work(app.context()).wikis] == [EN]


@pytest.mark.parametrize("table", [DumpTable.PAGE, None])
def test_a_table_and_an_index(app, demo, sent, given_up, table):
    """The run of a table that cannot be read, or of an index that cannot be built, says so; resumed, it waits again."""
    chosen(app, demo)
    run = demo.run.isoformat()
    arguments = ("read_dump", EN.name, run, table.value, None) if table else ("build_index", EN.name, run)
    assert given_up(*arguments) == "index"
    found = snapshot(app, demo)
    assert (found.state, "process ended" in found.reason) == (DumpState.FAILED, True)
    assert [each.table for each in found.tables if each.state is DumpState.FAILED] == ([table] if table else [])
    assert standings(app.context())[0].waits_for[0] is DumpState.FAILED
    request_again(app.context())
    assert Counter(each.state for each in snapshot(app, demo).tables) == {DumpState.WAITING: len(DumpTable)}
    assert snapshot(app, demo).state is DumpState.WAITING


def test_arguments_by_name(app, demo, given_up):
    """A message may name its arguments."""
    asked(app, demo.first_day)
    given_up("count_hour", hour=f"{demo.first_day}T05:00Z", projects=[EN.name], source="https://a.example.org")
    assert hour_row(app.context().engine, Hour(demo.first_day, 5)).state == "failed"


@pytest.mark.parametrize("name", ["fetch_siteinfo", "give_up"])
def test_what_the_database_need_not_tell(app, sent, name):
    """Nothing is noted of a task without which days are ranked all the same."""
    _give_up(app.tasks[f"wikiq.{name}"], exception=DEATHS[0], args=(), kwargs={})
    assert sent == []


def test_an_error_of_the_task_s_own(app, sent):
    """What a task raises itself it has noted itself."""
    _give_up(app.tasks["wikiq.build_index"], exception=SourceUnreachable("x"), args=(EN.name, "2024-01-01"), kwargs={})
    assert sent == []
