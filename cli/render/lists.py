"""The ranked lists of an answer as blocks of lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from cli.render import words
from cli.render.grid import Column, Paint, Role, draw, fit, flow, numbers, widest
from cli.render.safe import cut, visible
from cli.render.sparkline import sparkline
from models.answer import Answer, Period, RankedArticle, Universe
from models.hour import HOURS_IN_DAY

_FLAG_MARK = "!"
_MARKS_PER_DAY_OF_WEEK = 4
_INDENT = "   "


def rankings(answer: Answer, top: int, width: int, paint: Paint) -> list[list[str]]:
    """Most requested, least requested, top categories: a block each."""
    most = fit(_most_columns(answer, top), width)
    # The views of both rankings stand under each other unless a category's name needs the room.
    categories = fit(_category_columns(answer, top, most), width)
    return [
        [*_drawn(most, "Nothing was requested.", width, paint), *_flag_legend(answer, top, width, paint)],
        _least(answer, top, width, paint),
        [*_drawn(categories, words.no_categories(answer), width, paint), *_left_out(answer, width, paint)],
    ]


def week_days(days: Sequence[Answer], width: int, paint: Paint) -> list[str]:
    """One line for each day: its verdict, its views and its most requested article."""
    first = [day.most_requested[0] if day.most_requested else None for day in days]
    columns = (
        Column("Days", tuple(str(day.period) for day in days), heading_role=Role.HEADING),
        Column("verdict", tuple(str(day.verdict) for day in days), yields_below=14),
        numbers("project views", (day.project_views for day in days), yields_below=20),
        Column("most requested", tuple(visible(row.title) if row else "" for row in first), stretch=True),
        numbers("views", (row.views if row else 0 for row in first)),
    )
    return draw(fit(columns, width), paint) if days else []


def _most_columns(answer: Answer, top: int) -> tuple[Column, ...]:
    rows = answer.most_requested[:top]
    titles = article_titles(rows)
    columns = (
        Column("Most requested", titles, widest(_categories(answer, top)), stretch=True, heading_role=Role.HEADING),
        numbers("views", (row.views for row in rows), _views_width(answer, top)),
        numbers("desktop", (row.desktop for row in rows), yields_below=44),
        numbers("mobile", (row.mobile for row in rows), yields_below=44),
        numbers("mobile %", (round(100 * row.mobile / max(row.views, 1)) for row in rows), yields_below=20),
        numbers("redirects", (row.through_redirects for row in rows), yields_below=32),
        Column(_clock(answer.period), _hours(answer, rows), yields_below=14, role=Role.CHART),
    )
    redirects_known = answer.universe is Universe.ARTICLES
    return tuple(column for column in columns if redirects_known or column.heading != "redirects")


def _category_columns(answer: Answer, top: int, most: Sequence[Column]) -> tuple[Column, ...]:
    rows = (answer.top_categories or ())[:top]
    return (
        Column("Top categories", _categories(answer, top), most[0].width, stretch=True, heading_role=Role.HEADING),
        numbers("views", (row.views for row in rows), most[1].width),
        numbers("articles", (row.articles for row in rows)),
    )


def _categories(answer: Answer, top: int) -> tuple[str, ...]:
    return numbered((row.rank, row.category, " ") for row in (answer.top_categories or ())[:top])


def _views_width(answer: Answer, top: int) -> int:
    views = [row.views for row in answer.most_requested[:top]]
    views += [row.views for row in (answer.top_categories or ())[:top]]
    return max((len(f"{n:,}") for n in views), default=0)


def article_titles(rows: Iterable[RankedArticle]) -> tuple[str, ...]:
    """The titles behind their ranks; a flag is marked."""
    return numbered((row.rank, row.title, _FLAG_MARK if row.flag else " ") for row in rows)


def numbered(rows: Iterable[tuple[int, str, str]]) -> tuple[str, ...]:
    """Names behind their ranks and marks, ranks under each other."""
    listed = tuple(rows)
    digits = max((len(str(rank)) for rank, _, _ in listed), default=0)
    return tuple(f"{rank:>{digits}}{mark} {visible(title)}" for rank, title, mark in listed)


def _hours(answer: Answer, rows: Sequence[RankedArticle]) -> tuple[str, ...]:
    first, days = answer.period.first, answer.period.days
    missing = {(hour.day - first).days * HOURS_IN_DAY + hour.hour for hour in answer.missing_hours}
    hours_per_mark = 1 if days == 1 else HOURS_IN_DAY // _MARKS_PER_DAY_OF_WEEK
    return tuple(sparkline(row.hourly, missing, hours_per_mark) for row in rows)


def _clock(period: Period) -> str:
    """A heading over the sparkline: the hour at every sixth mark of a day, the day of the month in a week."""
    if period.days == 1:
        return "00    06    12    18    "
    days = (period.first + dt.timedelta(days=n) for n in range(period.days))
    return "".join(f"{day.day:02d}".ljust(_MARKS_PER_DAY_OF_WEEK) for day in days)


def _drawn(columns: Sequence[Column], otherwise: str, width: int, paint: Paint) -> list[str]:
    if columns[0].cells:
        return draw(columns, paint)
    return [paint(cut(otherwise, width), Role.QUIET)]


def _flag_legend(answer: Answer, top: int, width: int, paint: Paint) -> list[str]:
    flagged = [f"{row.rank} ({row.flag})" for row in answer.most_requested[:top] if row.flag]
    if not flagged:
        return []
    flagged[0] = f"{_FLAG_MARK} looks automated: {flagged[0]}"
    return [paint(line, Role.WARNING) for line in flow(flagged, width, ", ", indent="  ")]


def _left_out(answer: Answer, width: int, paint: Paint) -> list[str]:
    names = flow(map(visible, answer.left_out), width - len(_INDENT), ", ")
    return [paint(_INDENT + line, Role.QUIET) for line in (["without", *names] if names else [])]


def _least(answer: Answer, top: int, width: int, paint: Paint) -> list[str]:
    least = answer.least_requested
    if least is None:
        return []
    listed = least.articles[:top]
    facts = flow(words.least_facts(answer, least, len(listed)), width - len(_INDENT), " · ")
    titles = [_INDENT + cut(visible(row.title), width - len(_INDENT)) for row in listed]
    return [paint("Least requested", Role.HEADING), *(paint(_INDENT + line, Role.QUIET) for line in facts), *titles]
