"""Ranking from the database: what an oracle says of the demo site, however often, and again when an hour arrives."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace

import oracle
import pytest
from store_samples import DE, EN, LOGGED, NOW, ask, contents, count, facts, fail, hour_truth, opened
from strategies import frame, plain

from cli.demosite.files import MALFORMED_LINES, malformed_hour
from models.answer import STORED_DEPTH, Period, Verdict
from models.hour import hours_of, week_from
from models.siteinfo import CANONICAL
from models.tables import HourState
from worker import answering
from worker.answering import rank_period, weeks_to_rank
from worker.context import Context
from worker.counting import count_hour_file
from worker.namespaces import ensure_siteinfo
from worker.ranking.counted import hours_in
from worker.ranking.logged_titles import rank_logged_titles
from worker.store import days, requests, tallies
from worker.store.database import reading, writing
from worker.store.stored_answers import load_answer

LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture
def day(demo):
    return Period(demo.first_day)


@pytest.fixture
def week(demo):
    return Period(demo.first_day, 7)


@pytest.fixture
def on_database(database_url, settings, open_hasty_context):
    """A context on SQLite, and one on PostgreSQL."""
    return open_hasty_context(replace(settings, database_url=database_url))


def record(engine, demo, hours, project=EN):
    """Put hours into the database as counting would; for many of them this is quicker than a server."""
    broken = malformed_hour(demo)
    with writing(engine) as session:
        for hour in hours:
            tally = tallies.pack(frame(hour_truth(demo, hour, project)))
            known = facts(sha256=f"{hour}".encode().hex(), malformed=MALFORMED_LINES if hour == broken else 0)
            tallies.record_counted(session, project, hour, known, tally, now=NOW, version="test")


def prefixes_of(wiki):
    """The wiki's own prefixes, as plain as they stand in the demo, and English ones, which work everywhere."""
    spaces = wiki.siteinfo.namespaces
    own = [name for space in spaces if space.id for name in (space.name, space.canonical)]
    aliases = [alias for number, alias in wiki.siteinfo.aliases if number]
    return {name.replace(" ", "_").lower() for name in (*own, *aliases)} | CANONICAL.prefixes


def expected(demo, hours, project=EN, *, missing=(), own_names=True):
    """The oracle's answers to the demo's hours, in its own form."""
    [wiki] = [wiki for wiki in demo.wikis if wiki.project == project]
    plain = [None if hour in missing else hour_truth(demo, hour, project) for hour in hours]
    if not own_names:
        return ranked_by_oracle(plain)
    main_page = wiki.siteinfo.main_page.replace(" ", "_")
    return ranked_by_oracle(plain, prefixes_of(wiki), main_page, first_letter=wiki.siteinfo.case == "first-letter")


def ranked_by_oracle(plain, prefixes=CANONICAL.prefixes, main_page=CANONICAL.main_page, *, first_letter=True):
    rules = {
        title: oracle.excluded_by(title, prefixes, main_page, first_letter=first_letter)
        for title in {title for tally in plain if tally for title in tally}
    }
    return oracle.rank(plain, rules, STORED_DEPTH)


def found(answer):
    """The answer in the oracle's form."""
    least, most = answer.least_requested, answer.most_requested
    return {
        "project_views": answer.project_views,
        "article_views": answer.article_views,
        "excluded": [(row.rule, row.views, row.titles) for row in answer.excluded],
        "articles_requested": answer.articles_requested,
        "most": [(row.title, row.views, row.desktop, row.mobile, row.hourly, row.flag) for row in most],
        "least": least
        and (least.views, least.tied, [(row.title, row.views, row.desktop, row.mobile) for row in least.articles]),
        "missing": [hours_in(answer.period).index(hour) for hour in answer.missing_hours],
    }


def stored(context, period, project=EN):
    with reading(context.engine) as session:
        return load_answer(session, project, period, LOGGED)


def interrupt(monkeypatch, interruption, *, times=1):
    """Have something happen while a ranking goes on, the first times; gives the numbers of the rankings that were."""
    rankings = []

    def rank_and_be_interrupted(counted, siteinfo, **more):
        rankings.append(len(rankings) + 1)
        if len(rankings) <= times:
            interruption(len(rankings))
        return rank_logged_titles(counted, siteinfo, **more)

    monkeypatch.setattr(answering, "rank_logged_titles", rank_and_be_interrupted)
    return rankings


def test_a_day_from_the_site_to_the_answer(context, site, demo, day):
    """A day that is fetched, counted and ranked by the wiki's own namespaces equals the oracle to the last number."""
    ensure_siteinfo(context, [EN], site.url)
    for hour in hours_of(day.first):
        count_hour_file(context, hour, [EN], source=site.url)
    answer = rank_period(context, EN, day, LOGGED)
    assert found(answer) == expected(demo, hours_in(day))
    assert (answer.verdict, answer.malformed_lines) == (Verdict.COMPLETE, MALFORMED_LINES)
    assert answer.namespaces == demo.run.isoformat()
    assert stored(context, day) == answer


@pytest.mark.parametrize("project", [EN, DE])
def test_a_day_on_either_database(on_database, demo, day, project):
    """Without the wiki's own namespaces the canonical ones serve, and the answer says so."""
    record(on_database.engine, demo, hours_in(day), project)
    answer = rank_period(on_database, project, day, LOGGED)
    assert found(answer) == expected(demo, hours_in(day), project, own_names=False)
    assert answer.namespaces == "canonical"
    assert stored(on_database, day, project) == answer


def test_the_week_is_ranked_from_all_titles(context, demo, week):
    """The week equals the oracle over its 168 hours, whether or not its days were ranked before."""
    record(context.engine, demo, hours_in(week))
    unprepared = rank_period(replace(context, now=lambda: NOW), EN, week, LOGGED)
    assert found(unprepared) == expected(demo, hours_in(week), own_names=False)
    for first in week_from(week.first):
        rank_period(context, EN, Period(first), LOGGED)
    prepared = rank_period(replace(context, now=lambda: NOW), EN, week, LOGGED)
    assert prepared == unprepared == stored(context, week)


def test_a_stored_day_is_not_trusted_when_its_hours_changed(context, demo, week):
    """A day's sum that was stored of fewer hours does not enter the week."""
    hours = hours_in(week)
    record(context.engine, demo, hours[:20])
    rank_period(context, EN, Period(week.first), LOGGED)
    record(context.engine, demo, hours[20:30])
    answer = rank_period(context, EN, week, LOGGED)
    assert found(answer) == expected(demo, hours, missing=hours[30:], own_names=False)


def test_an_incomplete_day_is_completed(context, demo, day):
    """A day without some hours is answered from the others and names those; when they arrive it is ranked whole."""
    hours = hours_in(day)
    missing = (hours[3], hours[13], hours[23])
    record(context.engine, demo, [hour for hour in hours if hour not in missing])
    answer = rank_period(context, EN, day, LOGGED)
    assert (answer.verdict, answer.missing_hours) == (Verdict.INCOMPLETE, missing)
    assert found(answer) == expected(demo, hours, missing=missing, own_names=False)
    record(context.engine, demo, missing)
    answer = rank_period(context, EN, day, LOGGED)
    assert (answer.verdict, answer.missing_hours) == (Verdict.COMPLETE, ())
    assert found(stored(context, day)) == expected(demo, hours, own_names=False)


def test_a_day_of_which_nothing_is_counted(on_database, day):
    """It has an answer too: no views, no articles, all hours missing."""
    answer = rank_period(on_database, EN, day, LOGGED)
    assert answer.missing_hours == hours_of(day.first)
    assert (answer.project_views, answer.most_requested, answer.least_requested) == (0, (), None)
    assert stored(on_database, day) == answer


def test_ranking_any_number_of_times(on_database, demo, day):
    """The same counts give the same answer and the same database, but for the time at which it was computed."""
    record(on_database.engine, demo, hours_in(day)[:5])
    answers = [rank_period(replace(on_database, now=lambda: NOW), EN, day, LOGGED)]
    before = contents(on_database.engine)
    answers += [rank_period(replace(on_database, now=lambda: NOW), EN, day, LOGGED) for _ in range(2)]
    assert answers == answers[:1] * 3
    assert contents(on_database.engine) == before
    later = rank_period(replace(on_database, now=lambda: LATER), EN, day, LOGGED)
    assert later == replace(answers[0], computed_at=LATER) == stored(on_database, day)


def test_an_hour_counted_in_the_middle_is_in_the_answer(on_database, demo, day, monkeypatch):
    """If an hour is counted while a day is being ranked, it is ranked again before it is saved."""
    hours = hours_in(day)
    record(on_database.engine, demo, hours[:2])
    rankings = interrupt(monkeypatch, lambda n: record(on_database.engine, demo, [hours[n + 1]]), times=2)
    answer = rank_period(on_database, EN, day, LOGGED)
    assert rankings == [1, 2, 3]
    assert answer.missing_hours == hours[4:]
    assert found(stored(on_database, day)) == expected(demo, hours, missing=hours[4:], own_names=False)


def test_an_hour_counted_anew_in_the_middle_is_in_the_answer(on_database, demo, day, monkeypatch):
    """The same holds for an hour that another file replaces: never the old facts with the new views."""
    hours = hours_in(day)
    record(on_database.engine, demo, hours[:2])
    other = {b"Another_Count": (3, 4)}
    interrupt(monkeypatch, lambda _: count(on_database.engine, hours[0], other, sha256="f" * 64, malformed=77))
    answer = rank_period(on_database, EN, day, LOGGED)
    assert answer.malformed_lines == 77
    assert answer.project_views == 7 + sum(map(sum, hour_truth(demo, hours[1]).values()))
    assert stored(on_database, day) == answer


def test_an_hour_of_another_day_does_not_disturb(context, demo, day, monkeypatch):
    """What is counted of other days meanwhile is no reason to rank again."""
    record(context.engine, demo, hours_in(day)[:2])
    rankings = interrupt(monkeypatch, lambda _: record(context.engine, demo, hours_of(demo.days[1])[:1]))
    rank_period(context, EN, day, LOGGED)
    assert rankings == [1]


def test_an_error_while_ranking_keeps_the_old_answer(context, demo, day, monkeypatch):
    """If ranking fails, the answer that was stored before stays."""
    record(context.engine, demo, hours_in(day)[:2])
    before = rank_period(context, EN, day, LOGGED)
    record(context.engine, demo, hours_in(day)[2:3])

    def stop(_):
        raise ZeroDivisionError

    interrupt(monkeypatch, stop)
    with pytest.raises(ZeroDivisionError):
        rank_period(context, EN, day, LOGGED)
    assert stored(context, day) == before


def test_two_rank_the_same_day_at_once(on_database, demo, day):
    """Threads that rank one day while its hours are counted end with the answer of all of them."""
    hours = hours_in(day)[:6]
    faults = []

    def ranking():
        try:
            while len(rank_period(on_database, EN, day, LOGGED).missing_hours) > 18:
                pass
        except BaseException as error:
            faults.append(error)
            raise

    threads = [threading.Thread(target=ranking) for _ in range(2)]
    for thread in threads:
        thread.start()
    for hour in hours:
        record(on_database.engine, demo, [hour])
    for thread in threads:
        thread.join()
    assert faults == []
    assert found(stored(on_database, day)) == expected(demo, hours_in(day), missing=hours_in(day)[6:], own_names=False)


def test_the_weeks_that_a_day_completes(tmp_path):
    """A week is ranked when it was asked for, holds the day, and the seventh of its days was ranked."""
    with opened(f"sqlite:///{tmp_path / 'wikiq.sqlite'}") as engine:
        context = Context(settings=None, engine=engine, retries=None)
        days = week_from(dt.date(2024, 1, 1))
        with writing(engine) as session:
            requests.request_answers(session, [EN], [*map(Period, days), Period(days[0], 7)], LOGGED, None)
        for number, day in enumerate(days, start=1):
            rank_period(context, EN, Period(day), LOGGED)
            assert weeks_to_rank(context, EN, day, LOGGED) == ((days[0],) if number == 7 else ())
        assert weeks_to_rank(context, EN, days[0], LOGGED) == (days[0],)
        assert weeks_to_rank(context, DE, days[0], LOGGED) == ()
        assert weeks_to_rank(context, EN, days[0] - dt.timedelta(days=1), LOGGED) == ()


def test_a_week_waits_for_hours_that_wait(tmp_path):
    """A week all of whose days were ranked is not ranked while hours of it are still to be counted."""
    with opened(f"sqlite:///{tmp_path / 'wikiq.sqlite'}") as engine:
        context = Context(settings=None, engine=engine, retries=None)
        days = week_from(dt.date(2024, 1, 1))
        with writing(engine) as session:
            requests.request_answers(session, [EN], [Period(days[0], 7)], LOGGED, None)
        for day in days:
            rank_period(context, EN, Period(day), LOGGED)
        for outside in (days[0] - dt.timedelta(days=1), days[-1] + dt.timedelta(days=1)):
            ask(engine, *hours_of(outside))
        assert weeks_to_rank(context, EN, days[2], LOGGED) == (days[0],)
        ask(engine, hours_of(days[6])[23])
        assert weeks_to_rank(context, EN, days[2], LOGGED) == ()
        fail(engine, hours_of(days[6])[23], HourState.MISSING)
        assert weeks_to_rank(context, EN, days[2], LOGGED) == (days[0],)


def test_a_days_hours_are_put_together(on_database, demo, day):
    """Ranking a day, complete or not, leaves no hour apart, and each of them can still be had."""
    hours = hours_in(day)[:3]
    record(on_database.engine, demo, hours)
    rank_period(on_database, EN, day, LOGGED)
    with reading(on_database.engine) as session:
        assert days.apart(session, EN, day.first) == {}
        found = dict(days.hour_tallies(session, EN, hours))
    assert {hour: plain(tally) for hour, tally in found.items()} == {hour: hour_truth(demo, hour) for hour in hours}


def test_an_hour_counted_anew_after_its_day_was_ranked(on_database, demo, week):
    """The day and its week are ranked from the new count of that hour, and from the old counts of all others."""
    day, hours = Period(week.first), hours_in(week)[:26]
    record(on_database.engine, demo, hours)
    rank_period(on_database, EN, day, LOGGED)
    ask(on_database.engine, hours[5], recount=True)
    other = {b"Another_Count": (3, 4)}
    count(on_database.engine, hours[5], other, sha256="f" * 64)
    truths = {hour: hour_truth(demo, hour) for hour in hours} | {hours[5]: other}
    for period in (week, day):
        plain_hours = [truths.get(hour) for hour in hours_in(period)]
        assert found(rank_period(on_database, EN, period, LOGGED)) == ranked_by_oracle(plain_hours)
