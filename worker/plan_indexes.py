"""Which indexes an order needs, chosen as ``worker.snapshots`` does when the order is given, and what they lack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from models.answer import Period, Universe
from models.dump_run import DumpFile, DumpState
from models.errors import NoDumps, SourceError
from models.project import Project
from worker.context import Context
from worker.dump_runs import WikiRuns
from worker.order import Order
from worker.partial_file import bytes_here
from worker.plan import PlannedFile, PlannedIndex
from worker.plan_look import TROUBLES, reason_of
from worker.snapshots import state_after
from worker.store import requests, snapshots, wikis
from worker.store.database import reading


def plan_indexes(
    context: Context, order: Order, project: Project, read: Callable[[str], bytes]
) -> tuple[PlannedIndex, ...]:
    """The indexes that an order needs of a wiki. What goes wrong with the source is told in them, not raised.

    Those that earlier orders of the wiki still wait for are among them, since they would be made, too. ``read`` gives
    a document below the source of dumps.
    """
    undecided, wanted = _wanted_runs(context, order, project)
    runs = WikiRuns(project.database, lambda path: read(f"{project.database}/{path}"))
    troubles = []
    try:
        wanted |= {runs.nearest(period.middle).run for period in sorted(undecided, key=lambda period: period.middle)}
    except TROUBLES as error:
        troubles = [_trouble(context, project, None, error)]
    return (*(_index(context, project, runs, run) for run in sorted(wanted)), *troubles)


def _wanted_runs(context: Context, order: Order, project: Project) -> tuple[set[Period], set[dt.date]]:
    """The periods for which a run is still to be chosen, and the runs that are chosen."""
    undecided: set[Period] = set()
    chosen: set[dt.date] = set()
    with reading(context.engine) as session:
        wiki = wikis.load_wiki(session, project)
        pinned = order.snapshot or (wiki.pinned if wiki else None)
        asked = {
            found.period: found.wanted_snapshot
            for found in requests.all_requests(session)
            if found.project == project and found.universe is Universe.ARTICLES
        }
        for period in {*asked, *order.periods}:
            ours, run = period in order.periods, asked.get(period)
            run = pinned if ours and pinned else run
            if run is None:
                undecided.add(period)
                continue
            state, _ = snapshots.snapshot_state(session, project, run)
            if ours and state.is_trouble and run != pinned:
                undecided.add(period)
            elif ours or state is DumpState.WAITING:
                chosen.add(run)
    return undecided, chosen


def _index(context: Context, project: Project, runs: WikiRuns, run: dt.date) -> PlannedIndex:
    with reading(context.engine) as session:
        known = snapshots.load_snapshot(session, project, run)
    if known is not None and known.state is DumpState.DONE:
        return PlannedIndex(project, run, DumpState.DONE)
    if known is not None and known.tables:
        files = [table.file for table in known.tables if table.state is not DumpState.DONE]
    else:
        try:
            files = list(runs.files(run).tables.values())
        except TROUBLES as error:
            return _trouble(context, project, run, error)
    return PlannedIndex(project, run, DumpState.WAITING, tuple(_planned(context, file) for file in files))


def _planned(context: Context, file: DumpFile) -> PlannedFile:
    if context.settings.broker_url is not None:
        return PlannedFile(file.name, file.size)  # what workers elsewhere have of it is not known
    here = bytes_here(context.settings.downloads_dir / file.name)
    return PlannedFile(file.name, file.size, here=min(here, file.size))


def _trouble(context: Context, project: Project, run: dt.date | None, error: Exception) -> PlannedIndex:
    state = state_after(error) if isinstance(error, SourceError) else DumpState.FAILED
    if isinstance(error, NoDumps) and _had_some(context, project):
        state = DumpState.MISSING
    return PlannedIndex(project, run, state, reason=reason_of(error))


def _had_some(context: Context, project: Project) -> bool:
    with reading(context.engine) as session:
        return any(snapshot.tables for snapshot in snapshots.all_snapshots(session, project))
