"""Answers as JSON, for other software to rely on: key for key, in this order, with the values as they are."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence

from cli.render.safe import visible_json, whole
from models.answer import Answer, Excluded, LeastArticle, LeastRequested, RankedArticle, RankedCategory

SCHEMA = 1
"""Goes up when a key goes or means something else; new keys come at the end of the object."""

Document = dict[str, object]

# No string of a JSON text holds a raw newline, so this finds lists of numbers alone.
_NUMBERS = re.compile(r"\[\n\s+(?:\d+,\n\s+)*\d+\n\s+\]")


def answer_document(answer: Answer, top: int) -> Document:
    """One day (``"day"``) or one week (``"week"``, its first day) as an object for ``json.dumps``.

    ``namespaces`` is the date of the dump run whose namespace names were used, or ``canonical``; ``snapshot_days_off``
    says how many days the snapshot lies after the day (negative: before it), in a week after its middle.
    """
    least, categories = answer.least_requested, answer.top_categories
    document: Document = {
        "schema": SCHEMA,
        "project": answer.project,
        "week" if answer.period.is_week else "day": answer.period.first.isoformat(),
        "verdict": answer.verdict.value,
        "missing_hours": [str(hour) for hour in answer.missing_hours],
        "universe": answer.universe.value,
        "snapshot": answer.snapshot.isoformat() if answer.snapshot else None,
        "views": _views(answer),
        "articles_requested": answer.articles_requested,
        "most_requested": [ranked_article(row) for row in answer.most_requested[:top]],
        "least_requested": _least_requested(least, top) if least else None,
        "top_categories": None if categories is None else [_category(row) for row in categories[:top]],
        "computed_at": f"{answer.computed_at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "wikiq": answer.wikiq,
        "namespaces": answer.namespaces,
        "snapshot_days_off": answer.days_off,
    }
    if answer.left_out:
        document["excluded_categories"] = [whole(name) for name in answer.left_out]
    return document


def week_document(week: Answer, days: Sequence[Answer], top: int) -> Document:
    """The week's object, with those of its days under ``days``."""
    return answer_document(week, top) | {"days": [answer_document(day, top) for day in days]}


def json_text(documents: Document | Sequence[Document]) -> str:
    """Indented JSON, lists of numbers on one line; what a terminal must not get raw is written as an escape."""
    indented = json.dumps(documents, ensure_ascii=False, indent=2)
    return visible_json(_NUMBERS.sub(_on_one_line, indented)) + "\n"


def ndjson_text(documents: Sequence[Document]) -> str:
    """The same objects, each on a line of its own."""
    return "".join(visible_json(json.dumps(document, ensure_ascii=False)) + "\n" for document in documents)


def render_json(answers: Sequence[Answer], top: int) -> str:
    """One object for one answer, a list for several or none."""
    documents = [answer_document(answer, top) for answer in answers]
    return json_text(documents[0] if len(documents) == 1 else documents)


def render_ndjson(answers: Sequence[Answer], top: int) -> str:
    """One object and one line for each answer."""
    return ndjson_text([answer_document(answer, top) for answer in answers])


def _on_one_line(numbers: re.Match[str]) -> str:
    return f"[{', '.join(numbers[0][1:-1].replace(',', ' ').split())}]"


def _views(answer: Answer) -> Document:
    return {
        "project": answer.project_views,
        "article": answer.article_views,
        "excluded": [_excluded(row) for row in answer.excluded],
        "malformed_lines": answer.malformed_lines,
    }


def _excluded(row: Excluded) -> Document:
    return {"rule": row.rule.value, "views": row.views, "titles": row.titles}


def ranked_article(row: RankedArticle) -> Document:
    flag = row.flag.value if row.flag else None
    return {"rank": row.rank, **_article(row), "hourly": list(row.hourly), "flag": flag}


def _article(row: RankedArticle | LeastArticle) -> Document:
    return {
        "title": whole(row.title),
        "views": row.views,
        "desktop": row.desktop,
        "mobile": row.mobile,
        "through_redirects": row.through_redirects,
    }


def _least_requested(least: LeastRequested, top: int) -> Document:
    return {
        "views": least.views,
        "tied": least.tied,
        "unrequested": least.unrequested,
        "articles": [_article(row) for row in least.articles[:top]],
    }


def _category(row: RankedCategory) -> Document:
    return {"rank": row.rank, "category": whole(row.category), "views": row.views, "articles": row.articles}
