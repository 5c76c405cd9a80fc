"""``wikiq results --category``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from cli.exits import ExitCode
from cli.options import Span
from cli.output import Draw
from cli.render import Format, render_categories
from cli.report import unavailable
from models.answer import Period, Universe, Verdict
from models.errors import AnswerUnavailable
from models.hour import DAYS_IN_WEEK
from models.project import Project


def show_category(
    project: Project, span: Span, name: str, write: Callable[[Draw], None], form: Format, top: int
) -> ExitCode:
    """Compute a category's views in each of the days, or in the week, and write them.

    Raises:
        AnswerUnavailable: a day was not asked for by articles, or its index is not there.
        UnknownCategory: there is no such category.
    """
    from worker.answering import rank_one_category
    from worker.context import open_context
    from worker.settings import read_settings
    from worker.store.database import reading
    from worker.store.requests import ranked_by_titles

    context = open_context(read_settings())
    periods = (Period(span.days[0], DAYS_IN_WEEK),) if span.week else span.periods
    answers = [rank_one_category(context, project, period, name) for period in periods]
    lacking = [period for period, answer in zip(periods, answers, strict=True) if answer is None]
    with reading(context.engine) as session:
        if lacking and ranked_by_titles(session, project, Universe.ARTICLES, None):
            raise AnswerUnavailable(f"The source has no dumps of {project}, so its categories are not known.")
    if lacking:
        raise AnswerUnavailable(unavailable(context.engine, project, span, Universe.ARTICLES, lacking))
    found = [answer for answer in answers if answer is not None]
    write(partial(render_categories, found, form, top=top))
    complete = all(answer.verdict is Verdict.COMPLETE for answer in found)
    return ExitCode.DONE if complete else ExitCode.INCOMPLETE
