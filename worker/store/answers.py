"""Answers as rows; they are read back by worker/store/stored_answers.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from models.answer import (
    Answer,
    LeastArticle,
    RankedArticle,
    Universe,
)
from models.project import Project
from models.tables import AnswerRow, ExclusionRow, RankedArticleRow, RankedCategoryRow, RankedKind
from worker.store.ledger import counted_hours, fingerprint
from worker.store.requests import insert_answer


def save_answer(session: Session, project: Project, asked: Universe, answer: Answer, hours: str) -> bool:
    """Replace a stored answer, unless it was ranked from other hours or another snapshot than those of now.

    The answer's row is locked first, so of two rankings at once the one that saw fewer hours cannot be the last.

    Args:
        session: a transaction.
        project: whose answer it is.
        asked: the universe that was asked for; a wiki without dumps is ranked by logged titles all the same.
        answer: what was ranked.
        hours: the fingerprint of the hours that it was ranked from.

    Returns:
        Whether it was saved; False means that something changed meanwhile and the ranking is to be done again.
    """
    row = _locked(session, project, asked, answer)
    if hours != fingerprint(counted_hours(session, project, answer.period)):
        return False
    if asked is Universe.ARTICLES and answer.snapshot != row.wanted_snapshot:
        return False
    for column, value in _figures(answer).items():
        setattr(row, column, value)
    row.fingerprint, row.trouble = hours, None
    session.add(row)
    session.flush()
    answer_id = _id(row)
    for table in (ExclusionRow, RankedArticleRow, RankedCategoryRow):
        session.execute(delete(table).where(col(table.answer_id) == answer_id))
    _insert(session, ExclusionRow, _exclusions(answer_id, answer))
    _insert(session, RankedArticleRow, _articles(answer_id, answer))
    _insert(session, RankedCategoryRow, _categories(answer_id, answer))
    return True


def _locked(session: Session, project: Project, asked: Universe, answer: Answer) -> AnswerRow:
    key = insert_answer(session, project, answer.period, asked)
    return session.exec(select(AnswerRow).filter_by(**key).with_for_update()).one()


def _id(row: AnswerRow) -> int:
    if row.id is None:
        raise LookupError("a stored answer has an id")
    return row.id


def _insert(session: Session, table: Any, rows: Sequence[dict[str, Any]]) -> None:  # noqa: ANN401 any of the tables
    if rows:
        session.execute(insert(table), rows)


def _figures(answer: Answer) -> dict[str, Any]:
    least = answer.least_requested
    return {
        "verdict": answer.verdict,
        "missing_hours": [str(hour) for hour in answer.missing_hours],
        "snapshot": answer.snapshot,
        "namespaces": answer.namespaces,
        "project_views": answer.project_views,
        "article_views": answer.article_views,
        "malformed_lines": answer.malformed_lines,
        "articles_requested": answer.articles_requested,
        "least_views": least.views if least else None,
        "least_tied": least.tied if least else None,
        "unrequested": least.unrequested if least else None,
        "has_categories": answer.top_categories is not None,
        "computed_at": answer.computed_at,
        "wikiq": answer.wikiq,
    }


def _exclusions(answer_id: int, answer: Answer) -> list[dict[str, Any]]:
    return [
        {"answer_id": answer_id, "rule": excluded.rule, "views": excluded.views, "titles": excluded.titles}
        for excluded in answer.excluded
    ]


def _articles(answer_id: int, answer: Answer) -> list[dict[str, Any]]:
    least = answer.least_requested.articles if answer.least_requested else ()
    most_rows = [
        {
            **_article(answer_id, RankedKind.MOST_REQUESTED, article.rank, article),
            "hourly": list(article.hourly),
            "flag": article.flag,
        }
        for article in answer.most_requested
    ]
    least_rows = [
        {**_article(answer_id, RankedKind.LEAST_REQUESTED, rank, article), "hourly": None, "flag": None}
        for rank, article in enumerate(least, start=1)
    ]
    return most_rows + least_rows


def _article(answer_id: int, kind: RankedKind, rank: int, article: RankedArticle | LeastArticle) -> dict[str, Any]:
    return {
        "answer_id": answer_id,
        "kind": kind,
        "rank": rank,
        "title": article.title,
        "views": article.views,
        "desktop": article.desktop,
        "mobile": article.mobile,
        "through_redirects": article.through_redirects,
    }


def _categories(answer_id: int, answer: Answer) -> list[dict[str, Any]]:
    return [
        {
            "answer_id": answer_id,
            "rank": found.rank,
            "category": found.category,
            "views": found.views,
            "articles": found.articles,
        }
        for found in answer.top_categories or ()
    ]
