"""Stored answers as values, read in SQL that SQLite and PostgreSQL share.

``wikiq results`` is asked often and reads little: importing SQLAlchemy and its models would take it longer than all the
rest. So what it reads of models/tables.py is named here once more.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

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
from worker.store.glance import SqliteRows

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

Database: TypeAlias = "SqliteRows | Connection | Session"

_VIEWS = ("title", "views", "desktop", "mobile", "through_redirects")
_ANSWER = """
    SELECT id, fingerprint, namespaces, wikiq, project_views, article_views, malformed_lines, articles_requested,
           least_views, least_tied, unrequested, snapshot, missing_hours, has_categories, computed_at
    FROM answer WHERE project = :project AND first_day = :first_day AND days = :days AND universe = :universe
"""
_EXCLUSIONS = "SELECT rule, views, titles FROM exclusion WHERE answer_id = :answer_id"
_ARTICLES = """
    SELECT rank, title, views, desktop, mobile, through_redirects, hourly, flag
    FROM ranked_article WHERE answer_id = :answer_id AND kind = :kind ORDER BY rank LIMIT :depth
"""
_CATEGORIES = "SELECT rank, category, views, articles FROM ranked_category WHERE answer_id = :answer_id ORDER BY rank"
STATEMENTS = (_ANSWER, _EXCLUSIONS, _ARTICLES, _CATEGORIES)
MOST_REQUESTED, LEAST_REQUESTED = "most_requested", "least_requested"


def load_answer(
    database: Database,
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
    row = next(iter(_rows(database, _ANSWER, **key)), None)
    if row is None or row.fingerprint is None or row.computed_at is None:
        return None
    return Answer(
        project=project.name,
        period=period,
        universe=Universe.LOGGED_TITLES if row.snapshot is None else Universe.ARTICLES,
        missing_hours=tuple(parse_hour(hour) for hour in _json(row.missing_hours) or ()),
        snapshot=_day(row.snapshot),
        namespaces=row.namespaces or "",
        project_views=row.project_views or 0,
        article_views=row.article_views or 0,
        excluded=_excluded(database, row.id),
        malformed_lines=row.malformed_lines or 0,
        articles_requested=row.articles_requested or 0,
        most_requested=tuple(map(_ranked, _articles(database, row.id, MOST_REQUESTED, depth))),
        least_requested=_least(row, _articles(database, row.id, LEAST_REQUESTED, depth)),
        top_categories=_categories(database, row.id) if row.has_categories else None,
        computed_at=_in_utc(_moment(row.computed_at)),
        wikiq=row.wikiq or "",
    )


def _articles(database: Database, answer_id: int, kind: str, depth: int) -> Sequence[Any]:
    return _rows(database, _ARTICLES, answer_id=answer_id, kind=kind, depth=depth)


def _excluded(database: Database, answer_id: int) -> tuple[Excluded, ...]:
    rows = _rows(database, _EXCLUSIONS, answer_id=answer_id)
    known = {row.rule: Excluded(Rule(row.rule), row.views, row.titles) for row in rows}
    return tuple(known[rule] for rule in Rule if rule in known)


def _categories(database: Database, answer_id: int) -> tuple[RankedCategory, ...]:
    rows = _rows(database, _CATEGORIES, answer_id=answer_id)
    return tuple(RankedCategory(row.rank, row.category, row.views, row.articles) for row in rows)


def _ranked(row: Any) -> RankedArticle:  # noqa: ANN401 a row's type names its columns
    return RankedArticle(
        rank=row.rank,
        title=row.title,
        views=row.views,
        desktop=row.desktop,
        mobile=row.mobile,
        through_redirects=row.through_redirects,
        hourly=tuple(_json(row.hourly) or ()),
        flag=Flag(row.flag) if row.flag else None,
    )


def _least(answer: Any, rows: Sequence[Any]) -> LeastRequested | None:  # noqa: ANN401 as above
    if answer.least_views is None or answer.least_tied is None:
        return None
    articles = tuple(LeastArticle(*(getattr(row, name) for name in _VIEWS)) for row in rows)
    return LeastRequested(answer.least_views, answer.least_tied, answer.unrequested, articles)


def _rows(database: Database, statement: str, **values: Any) -> Sequence[Any]:  # noqa: ANN401 columns have types of their own
    if isinstance(database, SqliteRows):
        return database.rows(statement, values)
    from sqlalchemy import text

    return database.execute(text(statement), values).all()


# SQLite keeps days, times and JSON as text; PostgreSQL's driver makes values of them.


def _day(found: str | dt.date | None) -> dt.date | None:
    return dt.date.fromisoformat(found) if isinstance(found, str) else found


def _moment(found: str | dt.datetime) -> dt.datetime:
    return dt.datetime.fromisoformat(found) if isinstance(found, str) else found


def _json(found: Any) -> Any:  # noqa: ANN401
    return json.loads(found) if isinstance(found, str) else found


def _in_utc(moment: dt.datetime) -> dt.datetime:
    """SQLite gives times back without a zone, PostgreSQL in the session's."""
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
