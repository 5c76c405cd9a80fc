"""Answers that were asked for, and which of them are out of date."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace

from store_samples import DAY, DE, EN, HOURS, LOGGED, NOW, ask, contents, count, fail, siteinfo_document

from models.answer import Answer, Period, Universe
from models.hour import hours_of, week_from
from models.tables import HourState
from worker.context import Context
from worker.enqueue import request
from worker.order import Order
from worker.store import ledger, requests
from worker.store.answers import save_answer
from worker.store.database import reading, writing
from worker.store.siteinfo import save_siteinfo, save_siteinfo_trouble

pytest_plugins = ["store_fixtures"]
TODAY, WEEK = Period(DAY), Period(DAY - dt.timedelta(days=2), 7)
PLAIN = Answer(
    project=EN.name,
    period=TODAY,
    universe=LOGGED,
    missing_hours=(),
    snapshot=None,
    namespaces="canonical",
    project_views=0,
    article_views=0,
    excluded=(),
    malformed_lines=0,
    articles_requested=0,
    most_requested=(),
    least_requested=None,
    top_categories=None,
    computed_at=NOW,
    wikiq="test",
)


def want(engine, *periods, projects=(EN,), universe=LOGGED, source=None):
    with writing(engine) as session:
        requests.request_answers(session, projects, periods, universe, source)


def rank(engine, period, project=EN, universe=LOGGED, namespaces="canonical"):
    """Save an answer that was ranked from what is counted now."""
    answer = replace(PLAIN, project=project.name, period=period, universe=universe, namespaces=namespaces)
    with writing(engine) as session:
        hours = ledger.fingerprint(ledger.counted_hours(session, project, period))
        assert save_answer(session, project, universe, answer, hours)


def known(engine):
    with reading(engine) as session:
        return [(found.project, found.period, found.universe) for found in requests.all_requests(session)]


def stale(engine):
    """The projects and periods whose answer is out of date."""
    with reading(engine) as session:
        found = requests.out_of_date(session, requests.all_requests(session))
        return [(request.project, request.period) for request in found]


def weeks_around(engine, day, project=EN, universe=LOGGED):
    with reading(engine) as session:
        return [found.period.first for found in requests.weeks_around(session, project, day, universe)]


def fresh_days(engine, week=WEEK, project=EN, universe=LOGGED):
    """The days of a week that was asked for whose answers are up to date."""
    with reading(engine) as session:
        days = requests.days_within(session, requests.find_request(session, project, week, universe))
        late = requests.out_of_date(session, days)
        return [found.period.first for found in days if found not in late]


def fetch_namespaces(engine, run, project=EN):
    with writing(engine) as session:
        save_siteinfo(session, project, run, siteinfo_document(), now=NOW)


def test_requests_are_kept_once_and_in_order(engine):
    """However often they are asked for, each is known once: the oldest first, days before weeks."""
    for _ in range(2):
        want(engine, Period(WEEK.first), TODAY, WEEK, projects=(EN, DE))
    periods = [Period(WEEK.first), WEEK, TODAY]
    assert known(engine) == [(project, period, LOGGED) for period in periods for project in (DE, EN)]


def test_universes_are_different_requests(engine):
    """The same day in another universe is another answer."""
    want(engine, TODAY)
    want(engine, TODAY, universe=Universe.ARTICLES)
    assert {found[2] for found in known(engine)} == {LOGGED, Universe.ARTICLES}


def test_asking_again_keeps_the_answer(engine):
    """An answer that was ranked stays when it is asked for again."""
    want(engine, TODAY)
    rank(engine, TODAY)
    before = contents(engine)
    want(engine, TODAY)
    assert contents(engine) == before


def test_asking_for_nothing(engine):
    """No projects or no periods are no requests."""
    want(engine)
    want(engine, TODAY, projects=())
    assert known(engine) == []


def test_an_answer_never_ranked_is_out_of_date(engine):
    """Even when no hour is counted, until it was ranked from none."""
    want(engine, TODAY, WEEK)
    assert stale(engine) == [(EN, WEEK), (EN, TODAY)]
    rank(engine, TODAY)
    assert stale(engine) == [(EN, WEEK)]


def test_an_answer_is_out_of_date_exactly_when_its_hours_changed(engine):
    """Counted hours of its own days and project make it so; what else happens does not."""
    want(engine, TODAY, WEEK, projects=(EN, DE))
    for project in (EN, DE):
        rank(engine, TODAY, project)
        rank(engine, WEEK, project)
    assert stale(engine) == []
    ask(engine, *HOURS)
    fail(engine, HOURS[1], HourState.MISSING)
    count(engine, hours_of(WEEK.last + dt.timedelta(days=1))[0], {b"A": (1, 2)})
    count(engine, hours_of(WEEK.first - dt.timedelta(days=1))[23], {b"A": (1, 2)})
    assert stale(engine) == []
    count(engine, hours_of(WEEK.last)[23], {b"A": (1, 2)})
    assert stale(engine) == [(EN, WEEK)]
    count(engine, HOURS[0], {b"A": (1, 2)})
    assert stale(engine) == [(EN, WEEK), (EN, TODAY)]
    rank(engine, TODAY)
    rank(engine, WEEK)
    assert stale(engine) == []
    count(engine, HOURS[0], {b"A": (1, 2)}, now=NOW + dt.timedelta(days=1))
    assert stale(engine) == []
    count(engine, HOURS[0], {b"A": (1, 3)}, sha256="f" * 64)
    assert stale(engine) == [(EN, WEEK), (EN, TODAY)]


def test_an_answer_is_out_of_date_when_the_namespaces_changed(engine):
    """The wiki's own names replace the canonical ones, and a later run's an earlier one's; another wiki's do not."""
    want(engine, TODAY)
    rank(engine, TODAY)
    with writing(engine) as session:
        save_siteinfo_trouble(session, EN, "404", now=NOW)
    fetch_namespaces(engine, dt.date(2024, 1, 1), DE)
    assert stale(engine) == []
    for run in (dt.date(2024, 1, 1), dt.date(2024, 2, 1)):
        fetch_namespaces(engine, run)
        assert stale(engine) == [(EN, TODAY)]
        rank(engine, TODAY, namespaces=run.isoformat())
        assert stale(engine) == []


def test_the_weeks_around_a_day(engine):
    """Weeks that were asked for and hold the day, from the one that ends with it to the one that begins with it."""
    firsts = [DAY + dt.timedelta(days=distance) for distance in range(-8, 3)]
    want(engine, *(Period(first, 7) for first in firsts), *map(Period, week_from(DAY)))
    want(engine, Period(DAY, 7), projects=(DE,))
    want(engine, Period(DAY - dt.timedelta(days=1), 7), universe=Universe.ARTICLES)
    assert sorted(weeks_around(engine, DAY)) == [first for first in firsts if DAY in week_from(first)]
    assert len(weeks_around(engine, DAY)) == 7
    assert weeks_around(engine, DAY, DE) == [DAY]
    assert weeks_around(engine, DAY, universe=Universe.ARTICLES) == [DAY - dt.timedelta(days=1)]
    assert weeks_around(engine, DAY + dt.timedelta(days=30)) == []


def test_the_days_of_a_week_are_its_own(engine):
    """Single days of the week, up to date, be it with no hour; of this project and this universe."""
    want(engine, *map(Period, week_from(WEEK.first)), WEEK)
    want(engine, WEEK, projects=(DE,))
    assert fresh_days(engine) == []
    for period in (TODAY, WEEK, Period(WEEK.first), Period(WEEK.last)):
        rank(engine, period)
    rank(engine, Period(WEEK.last + dt.timedelta(days=1)))
    rank(engine, Period(WEEK.first - dt.timedelta(days=1)))
    rank(engine, Period(WEEK.first + dt.timedelta(days=1)), DE)
    rank(engine, Period(WEEK.first + dt.timedelta(days=1)), universe=Universe.ARTICLES)
    assert fresh_days(engine) == [WEEK.first, DAY, WEEK.last]
    assert fresh_days(engine, project=DE) == [WEEK.first + dt.timedelta(days=1)]


def test_the_source_that_was_asked_for_last_counts(engine):
    """A request keeps where its hours are to be fetched; asking again can change that and nothing else."""
    want(engine, TODAY, WEEK, source="https://mirror.example.org")
    rank(engine, TODAY)
    want(engine, TODAY, source="https://other.example.org")
    assert sources(engine) == {WEEK: "https://mirror.example.org", TODAY: "https://other.example.org"}
    assert stale(engine) == [(EN, WEEK)]
    want(engine, TODAY)
    assert sources(engine)[TODAY] is None


def sources(engine):
    with reading(engine) as session:
        return {found.period: found.source for found in requests.all_requests(session)}


def test_two_orders_at_once(engine):
    """Two users who ask for the same, each in their own order, get both their requests written."""
    context = Context(settings=None, engine=engine, retries=None)
    at_once, faults = threading.Barrier(2), []

    def ask_repeatedly(projects):
        at_once.wait()
        try:
            for _ in range(5):
                request(context, Order(projects, week_from(WEEK.first), LOGGED, week=True))
        except Exception as error:  # noqa: BLE001 the test is about there being none
            faults.append(error)

    threads = [threading.Thread(target=ask_repeatedly, args=[projects]) for projects in ((EN, DE), (DE, EN))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(known(engine)) == 16
