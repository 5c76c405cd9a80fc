"""What is wanted -> rows in the ledger, and chords of the tasks that are missing."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from celery import chord
from celery.result import AsyncResult
from kombu.exceptions import OperationalError

from models.answer import Universe
from models.errors import BrokerUnreachable
from models.hour import Hour, hours_of
from models.project import Project
from models.siteinfo import CANONICAL_ORIGIN
from worker.app import Wikiq
from worker.broker_errors import redis_errors
from worker.context import Context
from worker.order import EVERYTHING, Order, Scope, WikiOrder
from worker.store import ledger, requests
from worker.store.database import reading, serialise, writing
from worker.store.siteinfo import forget_siteinfo_troubles
from worker.store.snapshots import forget_snapshot_troubles
from worker.store.wikis import all_wikis, choose_anew, forget_troubles_of_named, forget_wiki_troubles, lacks_index
from worker.tasks import COUNT_HOUR, FETCH_SITEINFO, INDEX_WIKI, RANK_DAY, RANK_WEEK

Ranking: TypeAlias = "AsyncResult[None]"
"""Tells whether a ranking that was sent is done; other modules name it without naming Celery."""


@dataclass(frozen=True, slots=True)
class DayWork:
    """What a day still needs: hours to count, from a source or from the worker's own, then a ranking."""

    day: dt.date
    universe: Universe
    source: str | None
    projects: tuple[Project, ...]
    hours: tuple[Hour, ...]


@dataclass(frozen=True, slots=True)
class WikiWork:
    """A wiki whose dump runs are to be chosen, or whose index is to be made."""

    project: Project
    source: str | None


@dataclass(frozen=True, slots=True)
class Work:
    """Everything that is missing: indexes, days to complete, weeks whose days are done but which are out of date."""

    days: tuple[DayWork, ...]
    weeks: tuple[requests.Request, ...]
    wikis: tuple[WikiWork, ...] = ()

    @property
    def hours(self) -> int:
        return sum(len(day.hours) for day in self.days)


def request(context: Context, order: Order) -> None:
    """Put an order into the database. From then on ``missing_work`` finds it, whatever becomes of its messages."""
    with writing(context.engine) as session:
        requests.request_answers(session, order.projects, order.periods, order.universe, order.source, order.snapshot)
        forget_siteinfo_troubles(session)
        for project in order.projects:
            forget_troubles_of_named(session, project, order.snapshot)
        for day in order.days:
            ledger.request_hours(session, order.projects, hours_of(day), recount=order.force)


def request_again(context: Context) -> None:
    """Let everything that could not be had so far be asked for again."""
    with writing(context.engine) as session:
        ledger.forget_troubles(session)
        requests.forget_troubles(session)
        forget_siteinfo_troubles(session)
        forget_snapshot_troubles(session)
        forget_wiki_troubles(session)


def refresh_wikis(context: Context, order: WikiOrder) -> Work:
    """Have it chosen anew which dump run the answers of some wikis are ranked by."""
    with writing(context.engine) as session:
        serialise(session)
        for project in order.projects:
            choose_anew(session, project, order.snapshot, order.source)
            forget_snapshot_troubles(session, project)
    return Work((), (), tuple(WikiWork(project, order.source) for project in order.projects))


def missing_work(context: Context, scope: Scope = EVERYTHING) -> Work:
    """What the database lacks of an order, or of everything that was ever asked for."""
    with reading(context.engine) as session:
        wanted = [found for found in requests.all_requests(session) if scope.holds(found)]
        stale = {*requests.out_of_date(session, wanted), *(found for found in wanted if _lacks_namespaces(found))}
        wikis = [wiki for wiki in all_wikis(session) if scope.ranks(wiki.project)]
        lacking_index = tuple(WikiWork(wiki.project, wiki.source) for wiki in wikis if lacks_index(session, wiki))
        lacking = {
            found: ledger.uncounted(session, found.project, hours_of(found.period.first))
            for found in wanted
            if not found.period.is_week
        }
    days = [found for found in lacking if lacking[found] or found in stale]
    weeks = [found for found in wanted if found.period.is_week and found in stale]
    # A day's ranking goes on to its weeks by itself.
    ready = tuple(week for week in weeks if not _waits_for_a_day(week, days))
    return Work(tuple(_together(days, lacking)), ready, lacking_index)


def send(app: Wikiq, work: Work) -> list[Ranking]:
    """Hand the work to the broker: a chord per day, its header one task per hour file.

    Returns:
        What tells when each ranking is done.

    Raises:
        BrokerUnreachable: the broker does not answer; what was requested stays in the database.
    """
    try:
        # Asked first, because the result store, which a chord asks first, retries for long and ends in a traceback.
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1)
        for wiki in work.wikis:
            app.send_task(INDEX_WIKI, (wiki.project.name, wiki.source))
        sent = [_send_day(app, day) for day in work.days]
        weeks = [(week.period.first.isoformat(), week.project.name, week.universe) for week in work.weeks]
        return [*sent, *(app.send_task(RANK_WEEK, week) for week in weeks)]
    except redis_errors(OperationalError) as error:
        raise BrokerUnreachable(
            f"The broker does not answer ({error}); check WIKIQ_BROKER_URL, then: wikiq resume"
        ) from error


def failure(rankings: Iterable[Ranking]) -> BaseException | None:
    """What one of the rankings ended with that failed; None, too, while the broker cannot tell."""
    try:
        return next((ranking.result for ranking in rankings if ranking.failed()), None)
    except redis_errors():
        return None


def all_ready(rankings: Iterable[Ranking]) -> bool:
    """Whether the broker can tell that each of the rankings has ended."""
    try:
        return all(ranking.ready() for ranking in rankings)
    except redis_errors():
        return False


def _send_day(app: Wikiq, work: DayWork) -> Ranking:
    names = [project.name for project in work.projects]
    tasks = app.tasks
    header = [] if work.universe is Universe.ARTICLES else [tasks[FETCH_SITEINFO].si(names, work.source)]
    header += [tasks[COUNT_HOUR].si(str(hour), names, work.source) for hour in work.hours]
    callback = tasks[RANK_DAY].s(day=work.day.isoformat(), projects=names, universe=work.universe)
    # An hour whose process died again and again fails the chord; the day is ranked without it all the same.
    callback.on_error(callback.clone())
    if not header:
        return callback.delay([])
    ranked: Ranking = chord(header, app=app)(callback)
    return ranked


def _lacks_namespaces(found: requests.Request) -> bool:
    """Whether it was ranked by MediaWiki's canonical names: the wiki's own may have become available."""
    return found.namespaces == CANONICAL_ORIGIN


def _waits_for_a_day(week: requests.Request, days: Iterable[requests.Request]) -> bool:
    return any(
        (day.project, day.universe) == (week.project, week.universe)
        and week.period.first <= day.period.first <= week.period.last
        for day in days
    )


def _together(days: Iterable[requests.Request], lacking: dict[requests.Request, tuple[Hour, ...]]) -> list[DayWork]:
    """One piece of work per day, universe and source: a file is fetched once for all projects that lack it."""
    groups: dict[tuple[dt.date, Universe, str | None], list[requests.Request]] = defaultdict(list)
    for found in days:
        groups[found.period.first, found.universe, found.source].append(found)
    return [
        DayWork(
            day,
            universe,
            source,
            projects=tuple(found.project for found in group),
            hours=tuple(sorted({hour for found in group for hour in lacking[found]})),
        )
        for (day, universe, source), group in sorted(groups.items(), key=lambda item: (item[0][0], str(item[0][2])))
    ]
