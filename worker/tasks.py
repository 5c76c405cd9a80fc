"""The tasks: ids in, receipts out. Each turns its arguments into values, calls, and returns.

==================== ==========================================================================
wikiq.fetch_siteinfo  the namespaces of some wikis, once
wikiq.count_hour      one hour file for some projects; part of its day's chord
wikiq.give_up         notes of any of the others that its process died of it, as it could not do so itself
wikiq.rank_day        the day's answers; the chord's callback
wikiq.rank_week       the week's answers, once its seven days are ranked
wikiq.index_wiki      which dump runs a wiki is ranked by; sends the tasks that their indexes lack
wikiq.read_dump       one SQL dump of a run; the last of the five sends the next
wikiq.build_index     a run's index; sends the rankings that waited for it
==================== ==========================================================================

Nothing waits for another task by blocking: each looks into the database for what has become possible, and sends it.

What ranks and what indexes is imported by the first task that does so: who only sends tasks has no use for it, and a
first download need not wait for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from celery import Task
from celery.utils.log import get_task_logger

from models.answer import Period, Universe
from models.dump_run import DumpState, DumpTable
from models.errors import DatabaseFull
from models.hour import DAYS_IN_WEEK, parse_day, parse_hour
from models.project import Project, parse_project
from models.tables import HourState
from worker.budget import hold_file
from worker.context import Context
from worker.counting import Receipt, count_hour_file, record_trouble
from worker.logs import doing
from worker.namespaces import ensure_siteinfo
from worker.snapshots import choose_snapshots, note_looked
from worker.store.database import may_pass, outlast
from worker.store.reason import told
from worker.store.room import give_room_back

if TYPE_CHECKING:
    from worker.app import Wikiq

FETCH_SITEINFO = "wikiq.fetch_siteinfo"
COUNT_HOUR = "wikiq.count_hour"
GIVE_UP = "wikiq.give_up"
RANK_DAY = "wikiq.rank_day"
RANK_WEEK = "wikiq.rank_week"
INDEX_WIKI = "wikiq.index_wiki"
READ_DUMP = "wikiq.read_dump"
BUILD_INDEX = "wikiq.build_index"

_log = get_task_logger(__name__)


class WikiqTask(Task[..., Any]):
    """A task of wikiq's application; what is logged while it runs says what it was given."""

    app: Wikiq
    Request = "worker.cut_off:CutOffRequest"
    # For a task whose process died; by default it would be three minutes.
    default_retry_delay = 2

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - each task has its own
        given = inspect.signature(self.run).bind(*args, **kwargs).arguments
        with doing(self.name, self.request.id, given):
            # Whatever a task does may be done twice, so a database that comes back costs no task.
            return outlast(lambda: super(WikiqTask, self).__call__(*args, **kwargs))


def fetch_siteinfo(task: WikiqTask, projects: list[str], source: str | None = None) -> None:
    """Fetch what is lacking of the projects' siteinfo."""
    context = task.app.context()
    ensure_siteinfo(context, _projects(projects), context.settings.source_of_dumps(source))


def count_hour(task: WikiqTask, hour: str, projects: list[str], source: str | None = None) -> dict[str, Any]:
    """Count one hour file, from the given source or from any of the worker's own."""
    context = task.app.context()
    counted = parse_hour(hour), _projects(projects)
    try:
        receipt = count_hour_file(context, *counted, source=source)
    except Exception as error:
        # A header task that raises would keep its day from being ranked. The ledger tells of the hour instead, and
        # if not even that can be written, this raises after all.
        if may_pass(error) or isinstance(error, DatabaseFull):
            raise
        _log.exception("%s cannot be counted", hour)
        record_trouble(context, *counted, HourState.FAILED, told(error))
        receipt = Receipt(hour, HourState.FAILED, 0, 0.0)
    return asdict(receipt)


def give_up(task: WikiqTask, name: str, args: list[Any], kwargs: dict[str, Any], reason: str) -> None:
    """Note why a task cannot be done, where the task itself would; sent by whoever saw its process die."""
    _log.error("%s is given up: %s", name, reason)
    NOTES[name](task.app.context(), reason, *args, **kwargs)


def rank_day(task: WikiqTask, _receipts: object, day: str, projects: list[str], universe: str) -> None:
    """Rank a day for each project. What was counted is read from the database, not from the chord's receipts."""
    from worker.answering import weeks_to_rank

    context = task.app.context()
    for project in _projects(projects):
        _rank_if_late(context, project, Period(parse_day(day)), Universe(universe))
        for first in weeks_to_rank(context, project, parse_day(day), Universe(universe)):
            task.app.send_task(RANK_WEEK, (first.isoformat(), project.name, universe))
    give_room_back(context.engine)  # last, as a week's ranking need not wait for it


def rank_week(task: WikiqTask, first_day: str, project: str, universe: str) -> None:
    """Rank the seven days that begin with the given one, as a whole."""
    week, context = Period(parse_day(first_day), DAYS_IN_WEEK), task.app.context()
    _rank_if_late(context, parse_project(project), week, Universe(universe))
    give_room_back(context.engine)


def index_wiki(task: WikiqTask, project: str, source: str | None = None) -> None:
    """Choose the dump runs of a wiki, and see to it that their indexes are made and its days ranked."""
    from worker.indexing import tables_to_read

    wiki, context = parse_project(project), task.app.context()
    try:
        runs = choose_snapshots(context, wiki, context.settings.source_of_dumps(source))
    except Exception as error:
        if not may_pass(error):
            note_looked(context, wiki, DumpState.FAILED, told(error))
        raise
    # First what is ranked by an index that is there: an index that is made below sends its own rankings.
    _rank_what_waited(task, wiki)
    for run in runs:
        lacking = tables_to_read(context, wiki, run)
        for table in lacking:
            task.app.send_task(READ_DUMP, (project, run.isoformat(), table.value, source))
        if not lacking:
            task.app.send_task(BUILD_INDEX, (project, run.isoformat()))


def read_dump(task: WikiqTask, project: str, run: str, table: str, source: str | None = None) -> None:
    """Read one SQL dump."""
    from worker import indexing

    context = task.app.context()
    wanted = parse_project(project), parse_day(run), DumpTable(table)
    try:
        can_be_built_now = indexing.read_dump(context, *wanted, source=context.settings.source_of_dumps(source))
    except Exception as error:
        if not may_pass(error):
            indexing.note_trouble(context, *wanted, DumpState.FAILED, told(error))
        raise
    if can_be_built_now:
        task.app.send_task(BUILD_INDEX, (project, run))


def build_index(task: WikiqTask, project: str, run: str) -> None:
    """Build a run's index from its five tables, and rank what waited for it."""
    from worker import indexing

    context = task.app.context()
    wanted = parse_project(project), parse_day(run)
    try:
        indexing.build(context, *wanted)
    except Exception as error:
        if not may_pass(error):
            indexing.note_trouble(context, *wanted, None, DumpState.FAILED, told(error))
        raise
    give_room_back(context.engine)
    _rank_what_waited(task, wanted[0])


def _rank_if_late(context: Context, project: Project, period: Period, universe: Universe) -> None:
    """Rank, unless that was just done: a day's last hour and its index may both ask for it in the same moment."""
    from worker.answering import is_late, rank_period
    from worker.together import keep_together

    with hold_file(context.settings.data_dir / "rankings" / f"{project.database}.{period.first}.{period.days}"):
        if is_late(context, project, period, universe):
            rank_period(context, project, period, universe)
        else:
            # Hours that were counted anew and came out the same change no answer, but lie apart again.
            keep_together(context, project, period)


def _rank_what_waited(task: WikiqTask, project: Project) -> None:
    from worker.answering import periods_to_rank

    for found in periods_to_rank(task.app.context(), project):
        first = found.period.first.isoformat()
        if found.period.is_week:
            task.app.send_task(RANK_WEEK, (first, project.name, found.universe.value))
        else:
            task.app.send_task(RANK_DAY, ([], first, [project.name], found.universe.value))


def _note_hour(context: Context, reason: str, hour: str, projects: list[str], source: object = None) -> None:  # noqa: ARG001 - as the task's
    record_trouble(context, parse_hour(hour), _projects(projects), HourState.FAILED, reason)


def _note_day(context: Context, reason: str, _receipts: object, day: str, projects: list[str], universe: str) -> None:
    from worker.answering import note_unranked

    for project in _projects(projects):
        note_unranked(context, project, Period(parse_day(day)), Universe(universe), reason)


def _note_week(context: Context, reason: str, first_day: str, project: str, universe: str) -> None:
    from worker.answering import note_unranked

    week = Period(parse_day(first_day), DAYS_IN_WEEK)
    note_unranked(context, parse_project(project), week, Universe(universe), reason)


def _note_wiki(context: Context, reason: str, project: str, source: object = None) -> None:  # noqa: ARG001
    note_looked(context, parse_project(project), DumpState.FAILED, reason)


def _note_table(context: Context, reason: str, project: str, run: str, table: str, source: object = None) -> None:  # noqa: ARG001
    from worker.indexing import note_trouble

    note_trouble(context, parse_project(project), parse_day(run), DumpTable(table), DumpState.FAILED, reason)


def _note_index(context: Context, reason: str, project: str, run: str) -> None:
    from worker.indexing import note_trouble

    note_trouble(context, parse_project(project), parse_day(run), None, DumpState.FAILED, reason)


def _projects(names: list[str]) -> tuple[Project, ...]:
    return tuple(parse_project(name) for name in names)


TASKS = {
    FETCH_SITEINFO: fetch_siteinfo,
    COUNT_HOUR: count_hour,
    GIVE_UP: give_up,
    RANK_DAY: rank_day,
    RANK_WEEK: rank_week,
    INDEX_WIKI: index_wiki,
    READ_DUMP: read_dump,
    BUILD_INDEX: build_index,
}

NOTES: Mapping[str, Callable[..., None]] = {
    COUNT_HOUR: _note_hour,
    RANK_DAY: _note_day,
    RANK_WEEK: _note_week,
    INDEX_WIKI: _note_wiki,
    READ_DUMP: _note_table,
    BUILD_INDEX: _note_index,
}
"""What becomes of the database when a task is given up; a wiki without siteinfo is ranked by canonical names."""
