"""Which answers are late, found by a few questions, beside what is found exactly."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from figure_samples import RUN, TODAY, WEEK, rank, ranked, want
from sqlalchemy import text, update
from store_samples import DAY, DE, EN, HOURS, LOGGED, NOW, ask, count

from models.answer import Period, Universe
from models.dump_run import DumpState
from models.hour import hours_of, week_from
from models.tables import AnswerRow, SnapshotRow, WikiRow
from worker.store import requests
from worker.store.database import reading, writing
from worker.store.figures import read_figures

pytest_plugins = ["store_fixtures"]


def verdicts(engine):
    """How many answers there are of each verdict, and how many of them the exact, slow way finds out of date."""
    with reading(engine) as session:
        late = requests.out_of_date(session, requests.all_requests(session))
    found: Counter[tuple[str, str]] = Counter()
    for kind, number in read_figures(engine).answers.numbers.items():
        found[kind.period, kind.verdict] += number
    return dict(found), len(late)


def test_answers_by_verdict(engine):
    """A day is unranked until it is ranked, then complete or incomplete by its hours; weeks count apart."""
    ask(engine, *HOURS)
    want(engine, TODAY, WEEK)
    assert verdicts(engine) == ({("day", "unranked"): 1, ("week", "unranked"): 1}, 2)
    for hour in HOURS[1:]:
        count(engine, hour, {b"A": (1, 0)})
    rank(engine, ranked(missing=HOURS[:1]))
    assert verdicts(engine) == ({("day", "incomplete"): 1, ("week", "unranked"): 1}, 1)
    count(engine, HOURS[0], {b"A": (1, 0)})
    assert verdicts(engine) == ({("day", "unranked"): 1, ("week", "unranked"): 1}, 2)
    rank(engine, ranked())
    others = [hour for day in week_from(WEEK.first) if day != DAY for hour in hours_of(day)]
    rank(engine, ranked(WEEK, missing=others))
    assert verdicts(engine) == ({("day", "complete"): 1, ("week", "incomplete"): 1}, 0)
    ask(engine, HOURS[0], recount=True)
    assert verdicts(engine) == ({("day", "complete"): 1, ("week", "incomplete"): 1}, 0)


def test_answers_by_snapshot(engine):
    """An answer by articles is unranked until it is ranked by the run that was chosen for it, and when that changes."""
    for hour in HOURS:
        count(engine, hour, {b"A": (1, 0)})
    want(engine, TODAY, universe=Universe.ARTICLES)
    choose = text("UPDATE answer SET wanted_snapshot = :run")
    for run in (RUN, RUN + dt.timedelta(days=30)):
        with writing(engine) as session:
            session.execute(choose, {"run": run.isoformat()} if engine.name == "sqlite" else {"run": run})
        assert verdicts(engine) == ({("day", "unranked"): 1}, 1)
        rank(engine, ranked(snapshot=run), universe=Universe.ARTICLES)
        assert verdicts(engine) == ({("day", "complete"): 1}, 0)


def test_answers_by_namespaces(engine):
    """A day ranked by canonical names is unranked once the wiki's own are there; so is one of a wiki without dumps."""
    for hour in HOURS:
        count(engine, hour, {b"A": (1, 0)})
    want(engine, TODAY)
    want(engine, TODAY, universe=Universe.ARTICLES)
    with writing(engine) as session:
        session.execute(update(WikiRow).values(state=DumpState.NO_DUMPS))
    for universe in (LOGGED, Universe.ARTICLES):
        rank(engine, ranked(), universe=universe)
    assert verdicts(engine) == ({("day", "complete"): 2}, 0)
    known = text("INSERT INTO siteinfo (project, run, document, fetched_at) VALUES (:project, :run, '{}', :now)")
    with writing(engine) as session:
        plain = engine.name == "sqlite"
        values = {"run": str(RUN) if plain else RUN, "now": str(NOW) if plain else NOW}
        session.execute(known, {"project": EN.name, **values})
    assert verdicts(engine) == ({("day", "unranked"): 2}, 2)


def test_answers_that_are_stuck(engine):
    """What failed to be ranked or has no index to be had is stuck, and so is a week whose day is; others are not."""
    want(engine, TODAY, WEEK, universe=Universe.ARTICLES)
    want(engine, TODAY)
    every = {("day", "unranked"): 2, ("week", "unranked"): 1}
    stuck = {("day", "unranked"): 1, ("day", "stuck"): 1, ("week", "stuck"): 1}
    week_stuck = {("day", "unranked"): 2, ("week", "stuck"): 1}
    failed = {"wanted_snapshot": RUN, "trouble": "why"}
    for state, run, answer, expected in (
        ("waiting", "waiting", {}, every),
        ("refused", "waiting", {}, stuck),
        ("no dumps", "waiting", {}, every),
        ("done", "waiting", {"wanted_snapshot": RUN}, every),
        ("done", "failed", {"wanted_snapshot": RUN}, stuck),
        ("refused", "done", {"wanted_snapshot": RUN}, week_stuck),
        ("no dumps", "failed", {"wanted_snapshot": RUN}, stuck),
        ("done", "done", failed, stuck),
    ):
        with writing(engine) as session:
            session.execute(text("DELETE FROM snapshot"))
            session.add(SnapshotRow(project=EN.name, run=RUN, state=run))
            session.execute(update(WikiRow).values(state=state))
            by_articles = update(AnswerRow).where(AnswerRow.universe == Universe.ARTICLES, AnswerRow.days == 1)
            session.execute(by_articles.values({"wanted_snapshot": None, "trouble": None, **answer}))
        assert verdicts(engine)[0] == expected, (state, run)
        with reading(engine) as session:
            exact = [requests.will_be_ranked(session, found) for found in requests.all_requests(session)]
        assert exact.count(False) == sum(number for (_, verdict), number in expected.items() if verdict == "stuck")


def test_newest_days(engine):
    """The newest day that was asked for and the newest that is complete are told per project and universe."""
    days = [DAY - dt.timedelta(days=number) for number in (0, 1, 2)]
    want(engine, *map(Period, days), Period(DAY + dt.timedelta(days=1), 7), projects=(EN, DE))
    want(engine, Period(days[2]), universe=Universe.ARTICLES)
    for hour in (hour for day in days[1:] for hour in hours_of(day)):
        count(engine, hour, {b"A": (1, 0)})
    rank(engine, ranked(missing=HOURS))
    for day in days[1:]:
        rank(engine, ranked(Period(day)))
    found = read_figures(engine).answers
    assert dict(found.newest_asked) == {
        (EN.name, "logged titles"): days[0],
        (DE.name, "logged titles"): days[0],
        (EN.name, "articles"): days[2],
    }
    assert dict(found.newest_complete) == {(EN.name, "logged titles"): days[1]}
