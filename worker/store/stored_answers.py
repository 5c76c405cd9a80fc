"""Stored answers as values, read without the ORM.

``wikiq results`` is asked often and reads little: importing the ORM and its models would take it longer than all the
rest. So what it reads of models/tables.py is named here once more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Boolean, Date, DateTime, column, select, table

from models.answer import (
    STORED_DEPTH,
    Answer,
    Excluded,
    Flag,
    LeastArticle,
    LeastRequested,
    Period,
    RankedArticle,
    RankedCategory,
    Rule,
    Universe,
)
from models.hour import parse_hour
from models.project import Project

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

_KEY = ("id", "project", "days", "universe")
_FIGURES = ("fingerprint", "namespaces", "wikiq", "project_views", "article_views")
_MORE_FIGURES = ("malformed_lines", "articles_requested", "least_views", "least_tied", "unrequested")
_VIEWS = ("title", "views", "desktop", "mobile", "through_redirects")

ANSWER = table(
    "answer",
    *map(column, (*_KEY, *_FIGURES, *_MORE_FIGURES)),
    column("first_day", Date),
    column("snapshot", Date),
    column("missing_hours", JSON),
    column("has_categories", Boolean),
    column("computed_at", DateTime(timezone=True)),
)
EXCLUSION = table("exclusion", *map(column, ("answer_id", "rule", "views", "titles")))
ARTICLE = table("ranked_article", *map(column, ("answer_id", "kind", "rank", *_VIEWS, "flag")), column("hourly", JSON))
CATEGORY = table("ranked_category", *map(column, ("answer_id", "rank", "category", "views", "articles")))
TABLES = (ANSWER, EXCLUSION, ARTICLE, CATEGORY)
MOST_REQUESTED, LEAST_REQUESTED = "most_requested", "least_requested"


def load_answer(
    database: Connection | Session,
    project: Project,
    period: Period,
    universe: Universe,
    *,
    depth: int = STORED_DEPTH,
) -> Answer | None:
    """The stored answer, or None where it was not asked for or not ranked yet.

    Of its articles, most and least requested, only the first ``depth`` are read; of its categories all are.
    """
    key = {"project": project.name, "first_day": period.first, "days": period.days, "universe": universe.value}
    row = database.execute(select(ANSWER).filter_by(**key)).first()
    if row is None or row.fingerprint is None or row.computed_at is None:
        return None
    return Answer(
        project=project.name,
        period=period,
        universe=Universe.LOGGED_TITLES if row.snapshot is None else Universe.ARTICLES,
        missing_hours=tuple(parse_hour(hour) for hour in row.missing_hours or ()),
        snapshot=row.snapshot,
        namespaces=row.namespaces or "",
        project_views=row.project_views or 0,
        article_views=row.article_views or 0,
        excluded=_excluded(database, row.id),
        malformed_lines=row.malformed_lines or 0,
        articles_requested=row.articles_requested or 0,
        most_requested=tuple(map(_ranked, _articles(database, row.id, MOST_REQUESTED, depth))),
        least_requested=_least(row, _articles(database, row.id, LEAST_REQUESTED, depth)),
        top_categories=_categories(database, row.id) if row.has_categories else None,
        computed_at=_in_utc(row.computed_at),
        wikiq=row.wikiq or "",
    )


def _articles(database: Connection | Session, answer_id: int, kind: str, depth: int) -> Sequence[Any]:
    query = select(ARTICLE).filter_by(answer_id=answer_id, kind=kind).order_by(ARTICLE.c.rank)
    return database.execute(query.limit(depth)).all()


def _excluded(database: Connection | Session, answer_id: int) -> tuple[Excluded, ...]:
    rows = database.execute(select(EXCLUSION).filter_by(answer_id=answer_id))
    known = {row.rule: Excluded(Rule(row.rule), row.views, row.titles) for row in rows}
    return tuple(known[rule] for rule in Rule if rule in known)


def _categories(database: Connection | Session, answer_id: int) -> tuple[RankedCategory, ...]:
    rows = database.execute(select(CATEGORY).filter_by(answer_id=answer_id).order_by(CATEGORY.c.rank))
    return tuple(RankedCategory(row.rank, row.category, row.views, row.articles) for row in rows)


def _ranked(row: Any) -> RankedArticle:  # noqa: ANN401 a row's type names its columns
    return RankedArticle(
        rank=row.rank,
        title=row.title,
        views=row.views,
        desktop=row.desktop,
        mobile=row.mobile,
        through_redirects=row.through_redirects,
        hourly=tuple(row.hourly or ()),
        flag=Flag(row.flag) if row.flag else None,
    )


def _least(answer: Any, rows: Sequence[Any]) -> LeastRequested | None:  # noqa: ANN401 as above
    if answer.least_views is None or answer.least_tied is None:
        return None
    articles = tuple(LeastArticle(*(getattr(row, name) for name in _VIEWS)) for row in rows)
    return LeastRequested(answer.least_views, answer.least_tied, answer.unrequested, articles)


def _in_utc(moment: dt.datetime) -> dt.datetime:
    """SQLite gives times back without a zone, PostgreSQL in the session's."""
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
