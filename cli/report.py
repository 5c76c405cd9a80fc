"""The stored answers of some days, and what to say where there are none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import typer

from cli.options import Span
from cli.render import Report
from cli.render.safe import visible
from models.answer import STORED_DEPTH, Answer, Period, Universe
from models.errors import AnswerUnavailable
from models.hour import DAYS_IN_WEEK
from models.project import DEFAULT_PROJECT, Project

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from worker.store.stored_answers import Database


def report_of(url: str, project: Project, span: Span, universe: Universe, *, depth: int) -> Report:
    """What ``load_report`` gives, of the database at the URL; where all of it is there, in half the time.

    Raises:
        AnswerUnavailable: an answer is not there.
        SetupError: the database cannot be used.
    """
    from worker.store.glance import at_a_glance

    found = at_a_glance(url, lambda database: _answers(database, project, span, universe, depth))
    if found and not _lacking(span, *found):
        return _report(*found)
    from worker.store.database import open_database

    return load_report(open_database(url), project, span, universe, depth=depth)


def load_report(
    engine: Engine, project: Project, span: Span, universe: Universe, *, depth: int = STORED_DEPTH
) -> Report:
    """The stored answers of these days, and of the week if it was asked for; so many rows of their lists of articles.

    Raises:
        AnswerUnavailable: one of them is not there; the message says how to get it.
    """
    from worker.store.database import reading_rows

    with reading_rows(engine) as connection:
        found = _answers(connection, project, span, universe, depth)
    if lacking := _lacking(span, *found):
        raise AnswerUnavailable(unavailable(engine, project, span, universe, lacking))
    return _report(*found)


def _answers(
    database: Database, project: Project, span: Span, universe: Universe, depth: int
) -> tuple[list[Answer | None], Answer | None]:
    """Of each day, and of the week if it was asked for."""
    from worker.store.stored_answers import load_answer

    load = partial(load_answer, database, project, universe=universe, depth=depth)
    return [load(period) for period in span.periods], load(_whole(span)) if span.week else None


def _lacking(span: Span, days: Sequence[Answer | None], week: Answer | None) -> list[Period]:
    lacking = [period for period, answer in zip(span.periods, days, strict=True) if answer is None]
    return [*lacking, _whole(span)] if span.week and week is None else lacking


def _whole(span: Span) -> Period:
    return Period(span.days[0], DAYS_IN_WEEK)


def _report(days: Sequence[Answer | None], week: Answer | None) -> Report:
    return Report(tuple(answer for answer in days if answer is not None), week)


def without_categories(report: Report, names: Sequence[str]) -> Report:
    """The report without some categories; says on stderr which of them were not in it anyway."""
    if not names:
        return report
    wanted = {_as_stored(name): name for name in names}
    known = {row.category for answer in report.in_order for row in answer.top_categories or ()}
    found = {stored: category for category in known if (stored := _as_stored(category)) in wanted}
    for stored in wanted.keys() - found.keys():
        typer.echo(f"{visible(wanted[stored])} is not among the stored top categories; nothing to exclude.", err=True)
    left_out = [found.get(stored, name) for stored, name in wanted.items()]

    def reduced(answer: Answer) -> Answer:
        return answer.without_categories(left_out)

    return replace(
        report, answers=tuple(map(reduced, report.answers)), week=reduced(report.week) if report.week else None
    )


def unavailable(engine: Engine, project: Project, span: Span, universe: Universe, lacking: Sequence[Period]) -> str:
    """Why there is no answer, and how to get one."""
    option = "" if project.name == DEFAULT_PROJECT else f" -p {project}"
    option += "" if universe is Universe.ARTICLES else " --log-titles"
    days = f"{span.days[0]} {span.days[-1]}" if len(span.days) > 1 else str(span.days[0])
    ask = f"--week --start {span.days[0]}" if span.week else days
    names = [str(period) for period in lacking if not period.is_week] or [f"the week from {span.days[0]} as a whole"]
    return (
        f"There is no answer yet for {project}, {', '.join(names)}. {_what_it_waits_for(engine, project, lacking[0])}"
        f"See how far it is with: wikiq status. Ask for it with: wikiq enqueue {ask}{option}"
    )


def _what_it_waits_for(engine: Engine, project: Project, period: Period) -> str:
    from worker.store.database import reading
    from worker.store.requests import find_request, wait_for_snapshot

    with reading(engine) as session:
        found = find_request(session, project, period, Universe.ARTICLES)
        wait = wait_for_snapshot(session, found) if found else None
    if wait is None:
        return ""
    state, reason = wait
    why = f" ({state}: {visible(reason)})" if reason else ""
    return f"It waits for the wiki's index{why}; logged titles need none: --log-titles. "


def _as_stored(name: str) -> str:
    """A form in which names that people write meet names as they are stored: the first letter's case aside."""
    bare = re.sub(r"^\s*:?category:", "", name, flags=re.IGNORECASE)
    spaced = re.sub(r"[\s_]+", "_", bare).strip("_")
    return spaced[:1].upper() + spaced[1:]
