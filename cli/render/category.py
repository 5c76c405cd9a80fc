"""The answer about one category, in every format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cli.render import words
from cli.render.document import SCHEMA, Document, json_text, ndjson_text, ranked_article
from cli.render.grid import Column, Paint, Role, draw, fit, flow, numbers, painter
from cli.render.lists import article_titles
from cli.render.markdown import articles_table, heading, sentence
from cli.render.rows import Cell, separated
from cli.render.safe import cut, visible, whole
from cli.render.table import MIN_WIDTH
from models.category import CategoryAnswer

COLUMNS = (
    "project",
    "period",
    "verdict",
    "category",
    "rank",
    "title",
    "views",
    "desktop",
    "mobile",
    "through_redirects",
    "flag",
)


def category_document(answer: CategoryAnswer, top: int) -> Document:
    """One category in one period as an object for ``json.dumps``."""
    return {
        "schema": SCHEMA,
        "project": answer.project,
        "week" if answer.period.is_week else "day": answer.period.first.isoformat(),
        "category": whole(answer.category),
        "hidden": answer.hidden,
        "verdict": answer.verdict.value,
        "missing_hours": [str(hour) for hour in answer.missing_hours],
        "snapshot": answer.snapshot.isoformat(),
        "views": answer.views,
        "articles": answer.members,
        "articles_requested": answer.requested,
        "most_requested": [ranked_article(row) for row in answer.most_requested[:top]],
    }


def render_category_json(answers: Sequence[CategoryAnswer], top: int) -> str:
    """One object for one answer, a list for several."""
    documents = [category_document(answer, top) for answer in answers]
    return json_text(documents[0] if len(documents) == 1 else documents)


def render_category_ndjson(answers: Sequence[CategoryAnswer], top: int) -> str:
    """One object and one line for each answer."""
    return ndjson_text([category_document(answer, top) for answer in answers])


def render_category_rows(answers: Sequence[CategoryAnswer], top: int, delimiter: str) -> str:
    """A header and a row for each article."""
    rows: list[Iterable[Cell]] = [COLUMNS]
    for answer in answers:
        shared = (answer.project, str(answer.period), answer.verdict.value, answer.category)
        for row in answer.most_requested[:top]:
            counts = (row.views, row.desktop, row.mobile, row.through_redirects)
            rows.append((*shared, row.rank, row.title, *counts, row.flag))
    return separated(rows, delimiter)


def render_category_markdown(answers: Sequence[CategoryAnswer], top: int) -> str:
    """A section for each answer."""
    return "\n".join(_section(answer, top) for answer in answers)


def render_category_table(answers: Sequence[CategoryAnswer], top: int, width: int, *, colour: bool) -> str:
    """A block for each answer, no wider than ``width`` terminal columns."""
    paint = painter(colour=colour)
    return "\n\n".join("\n".join(_block(answer, top, max(width, MIN_WIDTH), paint)) for answer in answers) + "\n"


def _facts(answer: CategoryAnswer) -> list[str]:
    return [
        words.counted(answer.views, "view"),
        f"{words.counted(answer.members, 'article')}, {answer.requested:,} requested",
        *(["hidden category"] if answer.hidden else []),
        f"snapshot of {answer.snapshot}",
        answer.verdict.value
        + (f", {words.counted(len(answer.missing_hours), 'hour')} missing" if answer.missing_hours else ""),
    ]


def _title(answer: CategoryAnswer) -> str:
    return f"{answer.project} · {words.dates(answer.period)} · {answer.category}"


def _block(answer: CategoryAnswer, top: int, width: int, paint: Paint) -> list[str]:
    rows = answer.most_requested[:top]
    columns = (
        Column("Most requested", article_titles(rows), stretch=True, heading_role=Role.HEADING),
        numbers("views", (row.views for row in rows)),
        numbers("desktop", (row.desktop for row in rows), yields_below=44),
        numbers("mobile", (row.mobile for row in rows), yields_below=44),
        numbers("redirects", (row.through_redirects for row in rows), yields_below=32),
    )
    drawn = draw(fit(columns, width), paint) if rows else [paint("None of its articles was requested.", Role.QUIET)]
    facts = [paint(line, Role.QUIET) for line in flow(_facts(answer), width, " · ")]
    return [paint(cut(visible(_title(answer)), width), Role.HEADING), *facts, "", *drawn]


def _section(answer: CategoryAnswer, top: int) -> str:
    blocks = [[heading(_title(answer))], [sentence(_facts(answer))], articles_table(answer.most_requested[:top])]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"
