"""Days that wait for a wiki's index, in an embedded worker: ranked the moment it arrives, or told why it does not."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import replace

import pytest
from demo_truth import ARTICLES as BY_ARTICLES
from demo_truth import told, truth
from sqlalchemy import func
from sqlmodel import select
from store_samples import EN, LOGGED, leftovers

import worker.answering
from cli.demosite.faults import Corrupt, Fault, NotFound, Refused, Stall, Unavailable
from cli.exits import ExitCode
from cli.render.document import render_json
from cli.run import carry_out
from models.answer import Period, Universe
from models.dump_run import DumpState, DumpTable
from models.errors import TaskFailed
from models.hour import hours_of
from models.project import parse_project
from models.tables import SnapshotBlockRow
from worker.app import make_app
from worker.enqueue import missing_work, refresh_wikis, request, request_again
from worker.order import EVERYTHING, Order, WikiOrder
from worker.progress import progress_of, standings
from worker.store.database import reading
from worker.store.stored_answers import load_answer
from worker.wiki.index import Part

ARTICLES = Universe.ARTICLES
COMMONS, FUNCTIONS = parse_project("commons.wikimedia"), parse_project("www.wikifunctions")
PATIENCE = 40

pytestmark = pytest.mark.timeout(PATIENCE)


@pytest.fixture
def app(settings, open_hasty_context):
    """An application with short waits."""
    app = make_app(settings)
    app._opened = (os.getpid(), open_hasty_context(settings))
    return app


@pytest.fixture
def rankings(monkeypatch):
    """Counts the answers that tasks rank, by project, period and universe."""
    found = Counter()
    real = worker.answering.rank_period

    def rank(context, project, period, universe):
        answer = real(context, project, period, universe)
        found[str(project), str(period), universe.value] += answer is not None
        return answer

    monkeypatch.setattr(worker.answering, "rank_period", rank)
    return found


def order(*days, projects=(EN,), **more):
    return Order(projects, days, more.pop("universe", ARTICLES), **more)


def follow(app, wanted):
    """As ``wikiq enqueue`` does without a broker."""
    context = app.context()
    request(context, wanted)
    return carry_out(app, missing_work(context, wanted), wanted, wait=True, quiet=True)


def resume(app):
    """As ``wikiq resume`` does without a broker."""
    request_again(app.context())
    return carry_out(app, missing_work(app.context()), EVERYTHING, wait=True, quiet=True)


def refresh(app, wanted):
    """As ``wikiq wiki refresh`` does without a broker."""
    return carry_out(app, refresh_wikis(app.context(), wanted), wanted, wait=True, quiet=True)


def answer(app, first, days=1, project=EN, universe=ARTICLES):
    with reading(app.context().engine) as session:
        return load_answer(session, project, Period(first, days), universe)


def document(app, day, **more):
    return told(render_json([answer(app, day, **more)], 5))


def blocks_of(app):
    """How many blocks there are of each part."""
    with reading(app.context().engine) as session:
        query = select(SnapshotBlockRow.part, func.count()).group_by(SnapshotBlockRow.part)
        return dict(session.exec(query).all())


def assert_clean(app):
    """Nothing is left of the tables: neither files nor columns."""
    assert leftovers(app.context()) == []
    assert set(blocks_of(app)) <= set(Part)


def test_a_week(app, demo, site, rankings):
    """Days and week are the oracle's; each file is fetched once, three at a time, each answer ranked once."""
    assert follow(app, order(*demo.days, week=True)) is ExitCode.DONE
    truths = truth(demo.first_day)
    assert [document(app, day) for day in demo.days] == [truths.day(day, universe=BY_ARTICLES) for day in demo.days]
    week = truths.week(universe=BY_ARTICLES)
    found = answer(app, demo.first_day, 7)
    assert (found.article_views, found.articles_requested) == (week["views"]["article"], week["articles_requested"])
    assert [(row.category, row.views) for row in found.top_categories[:5]] == [
        (row["category"], row["views"]) for row in week["top_categories"]
    ]
    files = Counter(entry.path for entry in site.log if entry.path.endswith(".gz") and entry.method == "GET")
    assert set(files.values()) == {1}
    assert len(files) == 7 * 24 + 5 + 1
    assert site.most_at_once <= 3
    assert [number for (_, period, _), number in rankings.items() if "/" not in period] == [1] * 7
    assert_clean(app)


@pytest.mark.parametrize("late", ["*.sql.gz", "other/pageviews/*", "*/dumpstatus.json"])
def test_whatever_comes_last(app, demo, site, rankings, late):
    """Whether the index arrives after the hours or before them, the day is ranked then, and once."""
    site.misbehave(Fault(late, Stall(0.6), times=1, method="GET"))
    assert follow(app, order(demo.first_day)) is ExitCode.DONE
    assert document(app, demo.first_day) == truth(demo.first_day).day(demo.first_day, universe=BY_ARTICLES)
    assert list(rankings.values()) == [1]


def test_both_universes(app, demo, site, rankings):
    """A day that is asked for by articles and by titles has both answers, from one set of hours."""
    context = app.context()
    request(context, order(demo.first_day, universe=LOGGED))
    request(context, order(demo.first_day))
    assert resume(app) is ExitCode.DONE
    for universe in (ARTICLES, LOGGED):
        expected = truth(demo.first_day).day(demo.first_day, universe=universe.value)
        assert document(app, demo.first_day, universe=universe) == expected
    assert max(site.requests[hour.path] for hour in hours_of(demo.first_day)) <= 2  # one HEAD, one GET


def test_several_wikis_at_once(app, demo, site):
    """Wikis of one order have their own indexes."""
    assert follow(app, order(demo.first_day, projects=(EN, COMMONS))) is ExitCode.DONE
    for project in (EN, COMMONS):
        expected = truth(demo.first_day, project.name).day(demo.first_day, universe=BY_ARTICLES)
        assert document(app, demo.first_day, project=project) == expected


def test_another_snapshot_and_back(app, demo, site, rankings):
    """``wiki refresh`` ranks anew by the run that was named, fetching no hour; another brings the first answer back."""
    follow(app, order(demo.first_day))
    before = document(app, demo.first_day)
    site.forget()
    assert refresh(app, WikiOrder((EN,), demo.older_run)) is ExitCode.DONE
    assert answer(app, demo.first_day).snapshot == demo.older_run
    assert document(app, demo.first_day) != before
    assert refresh(app, WikiOrder((EN,))) is ExitCode.DONE
    assert document(app, demo.first_day) == before
    assert not [entry for entry in site.log if "pageviews" in entry.path]
    assert list(rankings.values()) == [3]
    assert refresh(app, WikiOrder((EN,))) is ExitCode.DONE
    assert list(rankings.values()) == [3]


def test_a_refresh_of_a_wiki_without_days(app, demo, site):
    """The index of a wiki of which no day was asked for is there when the command ends."""
    assert refresh(app, WikiOrder((COMMONS,))) is ExitCode.DONE
    assert blocks_of(app)[Part.TITLES] == 1
    assert_clean(app)
    assert missing_work(app.context()).wikis == ()


def test_a_run_that_is_not_finished(app, demo, site):
    """Hours are counted, the day waits and says for what, an older answer stays; titles are ranked on request."""
    wanted = order(demo.first_day, snapshot=demo.unfinished_run)
    assert follow(app, wanted) is ExitCode.INCOMPLETE
    [standing] = standings(app.context(), wanted)
    assert (standing.counted, standing.ranked, standing.waits_for[0]) == (24, False, DumpState.MISSING)
    assert "it lacks page, categorylinks, namespaces" in standing.waits_for[1]
    assert answer(app, demo.first_day) is None
    assert follow(app, order(demo.first_day, universe=LOGGED)) is ExitCode.DONE
    assert answer(app, demo.first_day, universe=LOGGED)
    assert follow(app, order(demo.first_day)) is ExitCode.DONE
    assert answer(app, demo.first_day).snapshot == demo.run


def test_a_week_of_which_a_day_cannot_be_ranked(app, demo, site):
    """A week with a day whose named run is not finished is not waited for for ever; without the name all is ranked."""
    request(app.context(), order(demo.days[2], snapshot=demo.unfinished_run))
    week = order(*demo.days, week=True)
    context = app.context()
    request(context, replace(week, snapshot=demo.unfinished_run))
    assert carry_out(app, missing_work(context, week), week, wait=True, quiet=True) is ExitCode.INCOMPLETE
    assert progress_of(context, week).late_weeks == 1
    assert answer(app, demo.first_day, 7) is None
    assert follow(app, week) is ExitCode.DONE
    assert progress_of(context, week).late_weeks == 0
    assert answer(app, demo.first_day, 7).snapshot == demo.run


@pytest.mark.parametrize(
    ("fault", "code", "state", "named"),
    [
        (Fault("enwiki/*-page.sql.gz", NotFound()), ExitCode.INCOMPLETE, DumpState.MISSING, False),
        (Fault("enwiki/*-redirect.sql.gz", Refused()), ExitCode.SOURCE, DumpState.REFUSED, True),
        (Fault("enwiki/*.sql.gz", Unavailable()), ExitCode.SOURCE, DumpState.UNREACHABLE, False),
        (Fault("enwiki/*-categorylinks.sql.gz", Corrupt()), ExitCode.FAILED, DumpState.FAILED, False),
        (Fault("enwiki/*", Refused()), ExitCode.SOURCE, DumpState.REFUSED, True),
        (Fault("enwiki/*", Unavailable()), ExitCode.SOURCE, DumpState.UNREACHABLE, False),
        (Fault("enwiki/*/dumpstatus.json", NotFound()), ExitCode.INCOMPLETE, DumpState.MISSING, False),
    ],
)
def test_an_index_that_cannot_be_had(app, demo, site, fault, code, state, named):  # noqa: PLR0917 cases and fixtures
    """Hours are counted, the command ends and its code tells, the day says what it waits for; resumed, all is well."""
    site.misbehave(fault)
    wanted = order(demo.first_day, snapshot=demo.run if named else None)
    assert follow(app, wanted) is code
    [standing] = standings(app.context(), wanted)
    assert (standing.counted, standing.ranked) == (24, False)
    assert standing.waits_for[0] is state
    assert standing.waits_for[1]
    assert leftovers(app.context()) == []
    site.behave()
    assert resume(app) is ExitCode.DONE
    assert document(app, demo.first_day) == truth(demo.first_day).day(demo.first_day, universe=BY_ARTICLES)
    assert_clean(app)


def test_a_wiki_without_dumps(app, demo, site, rankings):
    """It is ranked by titles and says so; when it has dumps it is ranked by articles."""
    site.misbehave(Fault("enwiki/", NotFound()))
    wanted = order(demo.first_day)
    assert follow(app, wanted) is ExitCode.DONE
    found = answer(app, demo.first_day)
    assert (found.universe, found.snapshot, found.top_categories) == (LOGGED, None, None)
    site.behave()
    assert follow(app, wanted) is ExitCode.DONE
    assert document(app, demo.first_day) == truth(demo.first_day).day(demo.first_day, universe=BY_ARTICLES)


def test_an_answer_outlives_its_wikis_listing(app, demo, site):
    """A listing that answers 404 for a while takes no answer by articles away, also not when days are added."""
    follow(app, order(demo.first_day))
    before = document(app, demo.first_day)
    site.misbehave(Fault("enwiki/", NotFound()))
    assert follow(app, order(demo.days[1])) is ExitCode.INCOMPLETE
    assert document(app, demo.first_day) == before
    assert {standing.day: standing.ranked for standing in standings(app.context())} == {
        demo.first_day: True,
        demo.days[1]: False,
    }
    site.behave()
    assert resume(app) is ExitCode.DONE
    assert answer(app, demo.days[1]).snapshot == demo.run


def test_only_namespaces_are_dumped(app, demo, site):
    """A wiki whose runs never have tables waits, and says what they lack."""
    assert follow(app, order(demo.first_day, projects=(FUNCTIONS,))) is ExitCode.INCOMPLETE
    [standing] = standings(app.context())
    assert "lacks page, redirect" in standing.waits_for[1]


@pytest.mark.parametrize("broken", ["tasks.choose_snapshots", "indexing.read_dump", "indexing.build"])
def test_a_task_that_fails(app, demo, site, monkeypatch, broken):
    """An error nobody thought of ends the command and is kept as the reason; resumed, all is well."""
    with monkeypatch.context() as patch:

        def fail(*_args, **_more):
            raise ZeroDivisionError("thought\0 of by nobody")

        patch.setattr(f"worker.{broken}", fail)
        with pytest.raises(TaskFailed, match="ZeroDivisionError"):
            follow(app, order(demo.first_day))
        deadline = time.monotonic() + 10
        while (waits := standings(app.context())[0].waits_for)[0] is not DumpState.FAILED:
            assert time.monotonic() < deadline, waits
            time.sleep(0.05)
    assert "ZeroDivisionError: thought" in waits[1]
    assert resume(app) is ExitCode.DONE
    assert document(app, demo.first_day) == truth(demo.first_day).day(demo.first_day, universe=BY_ARTICLES)


def test_tables_and_hours_share_the_connections(app, demo, site):
    """While tables and hours are fetched at the same time there are never more than three transfers."""
    site.misbehave(Fault("*.gz", Stall(0.05)))
    follow(app, order(demo.first_day, projects=(EN, COMMONS)))
    transfers = [entry.path for entry in site.log if entry.path.endswith(".gz") and entry.method == "GET"]
    tables = [place for place, path in enumerate(transfers) if path.endswith(".sql.gz")]
    hours = [place for place, path in enumerate(transfers) if "pageviews" in path]
    assert min(tables) < max(hours)
    assert min(hours) < max(tables)
    assert len(tables) == 2 * len(DumpTable)
    assert site.most_at_once <= 3
