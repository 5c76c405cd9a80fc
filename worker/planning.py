"""A plan, made: what the database knows already, what the sources have, what that takes. Nothing is ordered by it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from models.answer import Universe
from models.hour import Hour, hours_of
from models.project import Project
from worker.budget import source_key
from worker.context import Context, utc_now
from worker.lease import open_leases
from worker.needs import Density, Need, Pace, tallies
from worker.order import Order
from worker.patience import Retries
from worker.plan import Plan, PlannedHours, PlannedIndex, SourceLook, plan_hours
from worker.plan_indexes import plan_indexes
from worker.plan_look import AWAY_SECONDS, BRISK, Documents, begun_bytes, look_for_hours, not_asked
from worker.settings import Settings
from worker.store import ledger
from worker.store.database import reading
from worker.store.existing import database_file, looking_at
from worker.store.experience import counted_files, counted_titles

TELLING_BYTES = 100_000_000
"""So many bytes of counted files tell how fast this machine counts, and how many titles a wiki has."""

Lacking = Mapping[Project, Collection[Hour]]


def make_plan(settings: Settings, order: Order, *, retries: Retries = BRISK, now: dt.datetime | None = None) -> Plan:
    """Find out what an order would fetch and take. The order is not given: the database is only read.

    What goes wrong with a source is told in the plan, not raised.

    Raises:
        SetupError: the database is there and cannot be read.
    """
    moment = now or utc_now()
    with looking_at(settings.database_url) as engine:
        broker = settings.broker_url
        leases = open_leases(broker) if broker and broker.startswith("redis") else None
        context = Context(settings, engine, retries, lambda: moment, leases, away_seconds=AWAY_SECONDS)
        documents = Documents(context)
        lacking = _lacking(context, order)
        hours, looks = _hours(context, documents, order, {hour for found in lacking.values() for hour in found})
        plan = Plan(
            projects=order.projects,
            days=order.days,
            hours=hours,
            indexes=_indexes(context, documents, order, looks),
            sources=looks,
            dump_source=source_key(settings.source_of_dumps(order.source)),
            cores=(os.cpu_count() or 1) if broker is None else None,
            pace=Pace(),
        )
        learnt = _learnt(context, plan, lacking)
    return replace(learnt, needs=_needs(settings, learnt))


def _lacking(context: Context, order: Order) -> Lacking:
    """The hours that are to be counted for each project."""
    wanted = [hour for day in order.days for hour in hours_of(day)]
    if order.force:
        return dict.fromkeys(order.projects, wanted)
    with reading(context.engine) as session:
        return {project: ledger.uncounted(session, project, wanted) for project in order.projects}


def _hours(
    context: Context, documents: Documents, order: Order, lacking: Collection[Hour]
) -> tuple[PlannedHours, tuple[SourceLook, ...]]:
    wanted = [hour for day in order.days for hour in hours_of(day)]
    sources = context.settings.sources_of_hours(order.source)
    to_ask = [hour for hour in lacking if hour.end <= context.now()]
    looks, listed = look_for_hours(documents, sources, wanted) if to_ask else (not_asked(sources), None)
    here = begun_bytes(context, to_ask, sources) if context.settings.broker_url is None else {}
    return plan_hours(wanted, lacking, listed, here, context.now()), looks


def _indexes(
    context: Context, documents: Documents, order: Order, looks: Sequence[SourceLook]
) -> tuple[PlannedIndex, ...]:
    if order.universe is not Universe.ARTICLES:
        return ()
    read = documents.reader(context.settings.source_of_dumps(order.source), looks)
    return tuple(index for project in order.projects for index in plan_indexes(context, order, project, read))


def _learnt(context: Context, plan: Plan, lacking: Lacking) -> Plan:
    """The plan with what the ledger tells of this machine's pace and of the projects' size."""
    with reading(context.engine) as session:
        counted = counted_files(session)
        titles = {project: counted_titles(session, project) for project in plan.projects}
    pace = Pace(counted.seconds / counted.size * 1e6, counted.files) if counted.size >= TELLING_BYTES else Pace()
    sizes = {
        project: [file.size for hour, file in plan.hours.to_fetch.items() if hour in set(lacking[project])]
        for project in plan.projects
    }
    found = tuple(tallies(project, sizes[project], _density(*titles[project])) for project in plan.projects)
    return replace(plan, pace=pace, tallies=found)


def _density(size: int, titles: int) -> Density:
    return Density(titles / size * 1e6, counted=True) if size >= TELLING_BYTES else Density()


def _needs(settings: Settings, plan: Plan) -> tuple[Need, ...]:
    """What the plan needs on which disk."""
    file = database_file(settings.database_url)
    if settings.broker_url is None:
        downloads = _need("downloads", settings.downloads_dir, plan.downloads)
    else:
        downloads = Need("downloads", "the workers' machines", plan.downloads)
    database = Need("database", "the database's server", plan.database)
    return downloads, database if file is None else _need("database", file, plan.database)


def _need(what: str, path: Path, size: int) -> Need:
    try:
        place = next(place for place in (path, *path.parents) if place.exists())
        return Need(what, str(path), size, shutil.disk_usage(place).free, place.stat().st_dev)
    except OSError:
        return Need(what, str(path), size)
