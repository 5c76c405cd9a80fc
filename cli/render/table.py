"""Answers as text for people: aligned columns no wider than the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from cli.render import lists, words
from cli.render.grid import Column, Paint, Role, draw, fit, flow, natural_width, numbers, painter
from cli.render.safe import cell_width, cut, visible
from models.answer import Answer, Verdict

MIN_WIDTH = 40
"""A narrower terminal gets lines of this width."""

_GAP = 2


def render_table(answer: Answer, top: int, width: int, *, colour: bool = False) -> str:
    """One day, or one week without its days.

    Args:
        answer: what to print; its ``computed_at`` knows its time zone.
        top: how many rows of each list to print, one or more.
        width: terminal columns; no line takes more.
        colour: whether to add SGR sequences; the text is the same without them.
    """
    return render_week(answer, (), top, width, colour=colour)


def render_days(answers: Sequence[Answer], top: int, width: int, *, colour: bool = False) -> str:
    """Several days, a rule between them."""
    rule = painter(colour=colour)("─" * max(width, MIN_WIDTH), Role.QUIET)
    return f"\n{rule}\n\n".join(render_table(answer, top, width, colour=colour) for answer in answers)


def render_week(week: Answer, days: Sequence[Answer], top: int, width: int, *, colour: bool = False) -> str:
    """A week as a whole, then one line for each of its days."""
    width, paint = max(width, MIN_WIDTH), painter(colour=colour)
    blocks = [
        _headline(week, width, paint),
        _totals(week, width, paint),
        *lists.rankings(week, top, width, paint),
        lists.week_days(days, width, paint),
        _quiet(words.made(week), width, paint),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _headline(answer: Answer, width: int, paint: Paint) -> list[str]:
    title = cut(visible(f"{answer.project} · {words.dates(answer.period)}"), width)
    verdict = words.verdict(answer)
    blanks = width - cell_width(title) - len(verdict)
    role = Role.GOOD if answer.verdict is Verdict.COMPLETE else Role.WARNING
    between = " " * blanks if blanks >= _GAP else "\n"
    return [
        paint(title, Role.HEADING) + between + paint(verdict, role),
        *(paint(line, role) for line in flow(_missing(answer), width, ", ", indent="  ")),
        *_quiet([words.window(answer.period), *words.sources(answer)], width, paint),
    ]


def _missing(answer: Answer) -> list[str]:
    hours = words.missing_hours(answer)
    return [f"missing: {hours[0]}", *hours[1:]] if hours else []


def _totals(answer: Answer, width: int, paint: Paint) -> list[str]:
    views, excluded = _views(answer), _excluded(answer)
    if not excluded[0].cells:
        return draw(fit(views, width), paint)
    rows = max(len(views[0].cells), len(excluded[0].cells))
    beside = [column.padded(rows) for column in (*views, Column("", ()), *excluded)]
    if natural_width(beside) <= width:
        return draw(fit(beside, width), paint)
    return [*draw(fit(views, width), paint), *draw(fit(excluded, width), paint)]


def _views(answer: Answer) -> tuple[Column, ...]:
    figures = words.totals(answer)
    return (
        Column("Totals", tuple(figures), stretch=True, heading_role=Role.HEADING),
        numbers("", figures.values()),
    )


def _excluded(answer: Answer) -> tuple[Column, ...]:
    rows = [row for row in answer.excluded if row.views or row.titles]
    return (
        Column("Excluded", tuple(str(row.rule) for row in rows), stretch=True, heading_role=Role.HEADING),
        numbers("views", (row.views for row in rows)),
        numbers("titles", (row.titles for row in rows)),
    )


def _quiet(items: Sequence[str], width: int, paint: Paint) -> list[str]:
    return [paint(line, Role.QUIET) for line in flow(map(visible, items), width, " · ")]
