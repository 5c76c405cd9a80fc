"""The tasks: ids in, receipts out. Each turns its arguments into values, calls, and returns.

==================== ==========================================================================
wikiq.fetch_siteinfo  the namespaces of some wikis, once
wikiq.count_hour      one hour file for some projects; part of its day's chord
wikiq.rank_day        the day's answers; the chord's callback
wikiq.rank_week       the week's answers, once its seven days are ranked
==================== ==========================================================================
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from celery import Task
from celery.utils.log import get_task_logger

from models.answer import Period, Universe
from models.hour import DAYS_IN_WEEK, parse_day, parse_hour
from models.project import Project, parse_project
from models.tables import HourState
from worker.answering import rank_period, weeks_to_rank
from worker.counting import Receipt, count_hour_file, record_trouble
from worker.namespaces import ensure_siteinfo

if TYPE_CHECKING:
    from worker.app import Wikiq

FETCH_SITEINFO = "wikiq.fetch_siteinfo"
COUNT_HOUR = "wikiq.count_hour"
RANK_DAY = "wikiq.rank_day"
RANK_WEEK = "wikiq.rank_week"

_log = get_task_logger(__name__)


class WikiqTask(Task[..., Any]):
    """A task of wikiq's application."""

    app: Wikiq


def fetch_siteinfo(task: WikiqTask, projects: list[str], source: str | None = None) -> None:
    """Fetch what is lacking of the projects' siteinfo."""
    context = task.app.context()
    ensure_siteinfo(context, _projects(projects), source or context.settings.source)


def count_hour(task: WikiqTask, hour: str, projects: list[str], source: str | None = None) -> dict[str, Any]:
    """Count one hour file; ``source`` is the worker's own unless given."""
    context = task.app.context()
    counted = parse_hour(hour), _projects(projects)
    try:
        receipt = count_hour_file(context, *counted, source=source or context.settings.source)
    except Exception as error:  # noqa: BLE001 see below
        # A header task that raises would keep its day from being ranked. The ledger tells of the hour instead, and
        # if not even that can be written, this raises after all.
        _log.exception("%s cannot be counted", hour)
        record_trouble(context, *counted, HourState.FAILED, f"{type(error).__name__}: {error}")
        receipt = Receipt(hour, HourState.FAILED, 0, 0.0)
    return asdict(receipt)


def rank_day(task: WikiqTask, _receipts: object, day: str, projects: list[str], universe: str) -> None:
    """Rank a day for each project. What was counted is read from the database, not from the chord's receipts."""
    context = task.app.context()
    for project in _projects(projects):
        rank_period(context, project, Period(parse_day(day)), Universe(universe))
        for first in weeks_to_rank(context, project, parse_day(day), Universe(universe)):
            task.app.send_task(RANK_WEEK, (first.isoformat(), project.name, universe))


def rank_week(task: WikiqTask, first_day: str, project: str, universe: str) -> None:
    """Rank the seven days that begin with the given one, as a whole."""
    week = Period(parse_day(first_day), DAYS_IN_WEEK)
    rank_period(task.app.context(), parse_project(project), week, Universe(universe))


def _projects(names: list[str]) -> tuple[Project, ...]:
    return tuple(parse_project(name) for name in names)


TASKS = {FETCH_SITEINFO: fetch_siteinfo, COUNT_HOUR: count_hour, RANK_DAY: rank_day, RANK_WEEK: rank_week}
