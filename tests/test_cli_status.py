"""``wikiq status``: what is counted, what is missing and why."""

from __future__ import annotations

import datetime as dt
import json
import re

import polars as pl
import pytest
from cli_process import environment, wikiq

from cli.demosite.faults import Corrupt, Fault, NotFound
from cli.demosite.server import serve
from models.answer import Period, Universe
from models.hour import hours_of, week_from
from models.project import parse_project
from worker.answering import rank_period
from worker.enqueue import request
from worker.order import Order
from worker.progress import progress_of
from worker.store import tallies
from worker.store.database import writing
from worker.tally import SCHEMA

MISSING, DAMAGED = range(3, 9), 21


@pytest.fixture(scope="module")
def partial(tmp_path_factory, demo, demo_directory):
    """A day that was counted in part: what enqueue said, what status says in words, and what as JSON."""
    hours = hours_of(demo.first_day)
    faults = [Fault(hours[hour].path, NotFound(), method="GET") for hour in MISSING]
    surroundings = environment(tmp_path_factory.mktemp("partial"))
    with serve(demo_directory, [*faults, Fault(hours[DAMAGED].path, Corrupt())]) as site:
        surroundings |= {"WIKIQ_SOURCE": site.url.replace("://", "://user:geheim@")}
        enqueued = wikiq(surroundings, "enqueue", str(demo.first_day), "-p", "de.wikipedia", "--quiet")
    assert (enqueued.code, enqueued.stdout) == (1, "")
    return enqueued, wikiq(surroundings, "status"), wikiq(surroundings, "status", "--json")


def test_nothing_was_asked_for(tmp_path):
    """Where nothing was asked for, status says how to begin, and is no failure; as JSON it is an empty list."""
    surroundings = environment(tmp_path)
    done = wikiq(surroundings, "status")
    assert (done.code, done.stdout) == (0, "")
    assert "wikiq enqueue" in done.stderr
    done = wikiq(surroundings, "status", "--json")
    assert (done.code, json.loads(done.stdout), done.stderr) == (0, [], "")


def test_in_words(partial, demo):
    """A day counted in part is shown with its number of hours, and each trouble with its reason; exit code 3."""
    _, done, _ = partial
    assert (done.code, done.stderr) == (3, "")
    header, day, *troubles = done.stdout.splitlines()
    assert header.split() == ["project", "day", "hours"]
    words = f"incomplete, 1 failed, 6 missing, ranked by the snapshot of {demo.run}"
    assert re.fullmatch(rf"de.wikipedia +{demo.first_day} +17/24 +{words}", day)
    assert [line.split()[:2] for line in troubles[:5]] == [[f"{hour:02d}:00", "missing:"] for hour in MISSING[:5]]
    assert len(troubles) == 6
    assert "geheim" not in done.stdout


def test_as_json(partial, demo):
    """As JSON every day is an object, with each hour that could not be counted and why."""
    *_, done = partial
    assert (done.code, done.stderr) == (3, "")
    [day] = json.loads(done.stdout)
    reasons = [trouble.pop("reason") for trouble in day["troubles"]]
    assert day == {
        "project": "de.wikipedia",
        "day": str(demo.first_day),
        "universe": "articles",
        "verdict": "incomplete",
        "ranked": True,
        "hours": {"counted": 17, "failed": 1, "missing": 6},
        "troubles": [
            *({"hour": f"{demo.first_day}T{hour:02d}:00Z", "state": "missing"} for hour in MISSING),
            {"hour": f"{demo.first_day}T{DAMAGED}:00Z", "state": "failed"},
        ],
        "snapshot": str(demo.run),
        "waits_for": None,
        "trouble": None,
    }
    assert all("pageviews-" in reason and "geheim" not in reason for reason in reasons)


def test_the_details_are_where_a_summary_says(partial):
    """Where a summary shows only some reasons, it names a command that has them all."""
    summary, _, done = partial
    assert f"{len(MISSING) + 1 - 5} more reasons; wikiq status --json has them" in summary.stderr
    assert len(json.loads(done.stdout)[0]["troubles"]) == len(MISSING) + 1


def test_a_week_that_is_not_ranked(context, settings, tmp_path):
    """A week that was asked for and has no answer is something missing: exit code 3, though all its days are ranked."""
    project, days = parse_project("en.wikipedia"), week_from(dt.date(2024, 1, 1))
    request(context, Order((project,), days, Universe.LOGGED_TITLES, week=True))
    now = dt.datetime(2024, 1, 9, tzinfo=dt.UTC)
    tally = tallies.pack(pl.DataFrame({"title": [b"A"], "desktop": [1], "mobile": [2]}, schema=SCHEMA))
    with writing(context.engine) as session:
        for hour in (hour for day in days for hour in hours_of(day)):
            facts = tallies.FileFacts("http://127.0.0.1/x.gz", 7, None, None, str(hour), 1, 0)
            tallies.record_counted(session, project, hour, facts, tally, now=now, version="0")
    for day in days:
        rank_period(context, project, Period(day), Universe.LOGGED_TITLES)
    surroundings = environment(tmp_path, WIKIQ_DATABASE_URL=settings.database_url)
    assert wikiq(surroundings, "status").code == 3
    rank_period(context, project, Period(days[0], 7), Universe.LOGGED_TITLES)
    assert progress_of(context).unranked == 0
