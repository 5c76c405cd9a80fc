"""Answers as rows: what is saved is what is loaded, and an old ranking never replaces a newer one."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace

import psycopg
import pytest
import servers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func
from sqlmodel import col, select
from store_samples import DAY, DE, EN, HOURS, LOGGED, NOW, answers, contents, count, facts, opened, periods
from strategies import frame

from models.answer import Answer, LeastArticle, LeastRequested, Period, RankedArticle, RankedCategory, Universe
from models.hour import hours_of, week_from
from models.tables import AnswerRow, ExclusionRow, RankedArticleRow, RankedCategoryRow
from worker.store import ledger, requests, tallies
from worker.store.answers import save_answer
from worker.store.database import reading, reading_rows, writing
from worker.store.stored_answers import load_answer

pytest_plugins = ["store_fixtures"]
EXAMPLES = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TODAY = Period(DAY)
ROW_TABLES = (ExclusionRow, RankedArticleRow, RankedCategoryRow)


def now_counted(engine, period, project=EN):
    with reading(engine) as session:
        return ledger.fingerprint(ledger.counted_hours(session, project, period))


def save(engine, answer, hours=None, project=EN):
    """Save an answer as ranked from these hours, or from what is counted now; whether that was accepted."""
    hours = now_counted(engine, answer.period, project) if hours is None else hours
    with writing(engine) as session:
        requests.request_answers(session, [project], [answer.period], answer.universe, None, answer.snapshot)
        return save_answer(session, project, answer.universe, answer, hours)


def load(engine, period, universe=LOGGED, project=EN, **options):
    """The stored answer, read as ``wikiq results`` does."""
    with reading_rows(engine) as connection:
        return load_answer(connection, project, period, universe, **options)


def rows(engine):
    """How many rows each of an answer's lists has, all answers together."""
    with reading(engine) as session:
        return [session.exec(select(func.count()).select_from(table)).one() for table in ROW_TABLES]


def row_count(answer):
    least = answer.least_requested.articles if answer.least_requested else ()
    return [len(answer.excluded), len(answer.most_requested) + len(least), len(answer.top_categories or ())]


def sample(views, period=TODAY):
    """An answer all of whose figures and rows tell which one it is."""
    article = RankedArticle(1, f"A{views}", views, views, 0, 0, (views,) * 24 * period.days, None)
    least = LeastArticle(f"L{views}", views, views, 0, 0)
    return Answer(
        project=EN.name,
        period=period,
        universe=LOGGED,
        missing_hours=(),
        snapshot=None,
        namespaces="canonical",
        project_views=views,
        article_views=views,
        excluded=(),
        malformed_lines=views,
        articles_requested=views,
        most_requested=tuple(replace(article, rank=rank) for rank in range(1, views + 1)),
        least_requested=LeastRequested(views, views, None, (least,) * views),
        top_categories=tuple(RankedCategory(rank, f"C{views}", views, views) for rank in range(1, views + 1)),
        computed_at=NOW + dt.timedelta(seconds=views),
        wikiq="test",
    )


@EXAMPLES
@given(periods().flatmap(answers))
def test_what_was_saved_is_loaded(engine, answer):
    """Any answer, with hostile titles, empty lists, weeks of 168 hours and large numbers, comes back equal."""
    assert save(engine, answer)
    assert load(engine, answer.period, answer.universe) == answer


@EXAMPLES
@given(answers(TODAY), st.integers(1, 4))
def test_as_many_articles_as_asked_for(engine, answer, depth):
    """Of the articles the first so many are loaded, of everything else all."""
    assert save(engine, answer)
    least = answer.least_requested
    cut = replace(
        answer,
        most_requested=answer.most_requested[:depth],
        least_requested=replace(least, articles=least.articles[:depth]) if least else None,
    )
    assert load(engine, answer.period, answer.universe, depth=depth) == cut


def test_times_come_back_in_utc(postgresql):
    """Whatever time zone a PostgreSQL server lives in, an answer's time is in UTC."""
    with servers.fresh_database(postgresql, "wikiq_elsewhere") as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER DATABASE wikiq_elsewhere SET timezone TO 'Asia/Kolkata'")
        with opened(url.replace("postgresql://", "postgresql+psycopg://")) as engine:
            save(engine, sample(1))
            found = load(engine, TODAY).computed_at
    assert (found, found.utcoffset()) == (sample(1).computed_at, dt.timedelta(0))


@EXAMPLES
@given(st.lists(answers(TODAY), min_size=2, max_size=3))
def test_saving_again_replaces_everything(engine, several):
    """Of several answers for one period the last is there, and not one row of those before."""
    several = [replace(answer, universe=LOGGED, snapshot=None) for answer in several]
    for answer in several:
        assert save(engine, answer)
    assert load(engine, TODAY) == several[-1]
    assert rows(engine) == row_count(several[-1])


def test_answers_are_kept_apart(engine):
    """Another day, a week, another project or another universe is another answer."""
    kept = {
        (EN, TODAY, LOGGED): sample(1),
        (EN, Period(DAY, 7), LOGGED): sample(2, Period(DAY, 7)),
        (EN, Period(DAY + dt.timedelta(days=1)), LOGGED): sample(3, Period(DAY + dt.timedelta(days=1))),
        (DE, TODAY, LOGGED): replace(sample(4), project=DE.name),
        (EN, TODAY, Universe.ARTICLES): replace(sample(5), universe=Universe.ARTICLES, snapshot=DAY),
    }
    for (project, _, _), answer in kept.items():
        assert save(engine, answer, project=project)
    for (project, period, universe), answer in kept.items():
        assert load(engine, period, universe, project) == answer


def test_an_answer_that_was_not_ranked_is_none(engine):
    """Neither what nobody asked for nor what was only asked for has an answer."""
    assert load(engine, TODAY) is None
    with writing(engine) as session:
        requests.request_answers(session, [EN], [TODAY], LOGGED, None)
    assert load(engine, TODAY) is None


def test_rows_go_with_their_answer(engine):
    """Deleting an answer deletes its rows, in both databases."""
    save(engine, sample(2))
    with writing(engine) as session:
        session.execute(delete(AnswerRow))
    assert rows(engine) == [0, 0, 0]


def test_an_outdated_ranking_is_refused(engine):
    """A ranking of other hours than those counted now changes nothing of the answer that is there."""
    before_any = now_counted(engine, TODAY)
    count(engine, HOURS[0], {b"A": (1, 2)})
    assert save(engine, sample(1))
    before = contents(engine)
    assert not save(engine, sample(2), before_any)
    assert not save(engine, sample(2), "no fingerprint")
    assert contents(engine) == before
    assert load(engine, TODAY) == sample(1)


def test_a_refused_ranking_is_no_answer(engine):
    """Where there was no answer there is none after a refusal either."""
    assert not save(engine, sample(2), "no fingerprint")
    assert load(engine, TODAY) is None
    assert rows(engine) == [0, 0, 0]


def test_hours_of_other_days_and_projects_do_not_matter(engine):
    """A ranking is outdated by its own hours only; a week by those of all its seven days."""
    week = Period(DAY, 7)
    day_before, week_before = now_counted(engine, TODAY), now_counted(engine, week)
    count(engine, hours_of(week_from(DAY)[6])[23], {b"A": (1, 2)})
    count(engine, HOURS[0], {b"A": (1, 2)}, project=DE)
    assert save(engine, sample(1), day_before)
    assert not save(engine, sample(1, week), week_before)


def test_an_error_while_saving_keeps_the_old_answer(engine):
    """If a row cannot be written, nothing of the new answer is there and all of the old one is."""
    save(engine, sample(2))
    twice = replace(sample(3), top_categories=(RankedCategory(1, "C", 1, 1),) * 2)
    with pytest.raises(Exception, match=r"(?i)unique"):
        save(engine, twice)
    assert load(engine, TODAY) == sample(2)


def test_the_ranking_with_fewer_hours_is_never_the_last(engine):
    """Of two that rank at once, while hours are counted, the one that saw fewer hours does not have the last word."""
    at_once, faults = threading.Barrier(3), []

    def ranking():
        at_once.wait()
        while True:
            with reading(engine) as session:
                hours = ledger.counted_hours(session, EN, TODAY)
            accepted = save(engine, sample(len(hours)), ledger.fingerprint(hours))
            if accepted and len(hours) == 10:
                return

    def counting():
        at_once.wait()
        for hour in HOURS[:10]:
            count(engine, hour, {b"A": (1, 2)})

    def noting(work):
        try:
            work()
        except BaseException as error:
            faults.append(error)
            at_once.abort()
            raise

    threads = [threading.Thread(target=noting, args=[work]) for work in (ranking, ranking, counting)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert load(engine, TODAY) == sample(10)
    assert rows(engine) == row_count(sample(10))


def test_the_slower_ranking_waits_and_is_refused(engine):
    """A ranking that comes while the answer is held waits, and is then judged by what is counted by then."""
    none_counted = now_counted(engine, TODAY)
    save(engine, sample(1))
    verdicts = []
    slow = threading.Thread(target=lambda: verdicts.append(save(engine, sample(2), none_counted)))
    with writing(engine) as session:
        session.exec(select(AnswerRow).with_for_update()).one()
        slow.start()
        slow.join(0.1)
        assert verdicts == []
        views = tallies.pack(frame({b"A": (1, 2)}))
        tallies.record_counted(session, EN, HOURS[0], facts(), views, now=NOW, version="test")
    slow.join()
    assert verdicts == [False]
    assert load(engine, TODAY) == sample(1)


def test_a_reader_sees_one_answer_whole(engine):
    """While an answer is replaced, whoever loads it has the figures and the rows of one and the same ranking."""
    versions = [sample(1), sample(3)]
    save(engine, versions[0])
    with reading(engine) as session:
        session.exec(select(col(AnswerRow.project_views))).one()
        first = load_answer(session, EN, TODAY, LOGGED)
        save(engine, versions[1])
        session.expire_all()
        assert (first, load_answer(session, EN, TODAY, LOGGED)) == (versions[0], versions[0])
    assert load(engine, TODAY) == versions[1]


def test_many_readers_see_answers_whole(engine):
    """However loading and saving fall together, no loaded answer is made of two."""
    versions, done, torn = [sample(1), sample(3)], threading.Event(), []
    save(engine, versions[0])

    def look():
        while not done.is_set():
            loaded = load(engine, TODAY)
            if loaded not in versions:
                torn.append(loaded)

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(40):
        save(engine, versions[number % 2])
    done.set()
    reader.join()
    assert torn == []
