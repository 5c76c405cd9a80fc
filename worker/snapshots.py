"""Which dump run each answer is ranked by: the nearest finished one to its day, unless one was named."""

from __future__ import annotations

import datetime as dt
import logging

from models.answer import Period
from models.dump_run import DumpState, RunFiles
from models.errors import CorruptFile, NoDumps, NoSnapshot, SourceError, SourceRefused, SourceUnreachable
from models.project import Project
from models.siteinfo import parse_siteinfo
from worker.budget import hold_file
from worker.context import Context
from worker.dump_runs import WikiRuns
from worker.dumps_site import MAX_DOCUMENT_BYTES
from worker.fetch import fetch_small
from worker.source import without_credentials
from worker.store import snapshots, wikis
from worker.store.database import reading, writing

_log = logging.getLogger(__name__)


def choose_snapshots(context: Context, project: Project, source: str) -> tuple[dt.date, ...]:
    """Choose a run for every answer of the wiki that has none, and take down its files.

    What goes wrong is written into the database, not raised.

    Returns:
        The runs whose index is wanted and can be worked on.

    Raises:
        sqlalchemy.exc.DBAPIError: the database failed.
    """
    try:
        # The tasks of several orders may ask at once; one of them looks.
        with hold_file(context.settings.downloads_dir / f"{project.database}.runs"):
            _choose(context, project, source)
            state, reason = DumpState.DONE, None
    except NoDumps as error:
        state, reason = DumpState.NO_DUMPS, f"{error} Its days are ranked by logged titles."
    except SourceError as error:
        state, reason = state_after(error), str(error)
    except OSError as error:
        state, reason = DumpState.FAILED, f"The data directory cannot be written: {error.strerror or error}."
    if reason:
        _log.warning("%s: %s", project, reason)
    with writing(context.engine) as session:
        wikis.record_looked(session, project, state, reason, now=context.now())
    with reading(context.engine) as session:
        wanted = wikis.wanted_runs(session, project)
        known = snapshots.all_snapshots(session, project)
    return tuple(
        snapshot.run
        for snapshot in known
        if snapshot.state is DumpState.WAITING and snapshot.tables and (snapshot.run in wanted or not wanted)
    )


def state_after(error: SourceError) -> DumpState:
    """How an error of the source stands in the database."""
    match error:
        case NoDumps():
            return DumpState.NO_DUMPS
        case SourceRefused():
            return DumpState.REFUSED
        case SourceUnreachable():
            return DumpState.UNREACHABLE
        case CorruptFile():
            return DumpState.FAILED
        case _:
            return DumpState.MISSING


def _choose(context: Context, project: Project, source: str) -> None:
    with reading(context.engine) as session:
        open_periods = wikis.undecided(session, project)
        wanted = wikis.wanted_runs(session, project)
    runs = WikiRuns(project.database, lambda path: _read(context, f"{source.rstrip('/')}/{project.database}/{path}"))
    for run in sorted(wanted):
        _take_named(context, project, source, runs, run)
    chosen = {period: runs.nearest(period.middle) for period in open_periods}
    if not chosen and not wanted:
        chosen = {Period(context.now().date()): runs.nearest(context.now().date())}
    for files in {files.run: files for files in chosen.values()}.values():
        _take_down(context, project, source, runs, files)
    with writing(context.engine) as session:
        wikis.decide(session, project, {period: files.run for period, files in chosen.items()})


def _take_named(context: Context, project: Project, source: str, runs: WikiRuns, run: dt.date) -> None:
    """The files of a run that was named or chosen before; if it cannot be had, that is the run's trouble alone."""
    with reading(context.engine) as session:
        known = snapshots.load_snapshot(session, project, run)
    if known and (known.state is DumpState.DONE or known.is_read):
        return
    try:
        _take_down(context, project, source, runs, runs.files(run))
    except (NoSnapshot, CorruptFile) as error:
        with writing(context.engine) as session:
            snapshots.note_snapshot_trouble(session, project, run, state_after(error), str(error))


def _take_down(context: Context, project: Project, source: str, runs: WikiRuns, files: RunFiles) -> None:
    with reading(context.engine) as session:
        known = snapshots.load_snapshot(session, project, files.run)
    if known and known.state is DumpState.DONE:
        return
    siteinfo = runs.siteinfo(files)
    parse_siteinfo(siteinfo, files.run.isoformat())  # a document that cannot be read must not be kept
    with writing(context.engine) as session:
        snapshots.register_snapshot(session, project, files, siteinfo, without_credentials(source))


def _read(context: Context, url: str) -> bytes:
    return fetch_small(
        context.open_http(),
        url,
        limit_bytes=MAX_DOCUMENT_BYTES,
        budget=context.budget(url),
        retries=context.retries,
    )
