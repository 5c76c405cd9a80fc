"""Answers that are wanted and ranked, as rows, without a ranking."""

from __future__ import annotations

import datetime as dt

from store_samples import DAY, EN, LOGGED, NOW

from models.answer import Answer, Period, Universe
from worker.store import answers, ledger, requests
from worker.store.database import writing

TODAY, WEEK = Period(DAY), Period(DAY - dt.timedelta(days=2), 7)
RUN = dt.date(2024, 1, 1)


def ranked(period=TODAY, *, missing=(), snapshot=None, namespaces="canonical", computed_at=NOW):
    return Answer(
        project=EN.name,
        period=period,
        universe=LOGGED if snapshot is None else Universe.ARTICLES,
        missing_hours=tuple(missing),
        snapshot=snapshot,
        namespaces=namespaces,
        project_views=1,
        article_views=1,
        excluded=(),
        malformed_lines=0,
        articles_requested=1,
        most_requested=(),
        least_requested=None,
        top_categories=None,
        computed_at=computed_at,
        wikiq="test",
    )


def want(engine, *periods, projects=(EN,), universe=LOGGED):
    with writing(engine) as session:
        requests.request_answers(session, projects, periods, universe)


def rank(engine, answer, project=EN, universe=LOGGED):
    with writing(engine) as session:
        hours = ledger.fingerprint(ledger.counted_hours(session, project, answer.period))
        assert answers.save_answer(session, project, universe, answer, hours)


def insert(engine, *rows):
    with writing(engine) as session:
        session.add_all(rows)
