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
    noted = False
    while not noted:
        state, reason = _look(context, project, source)
        noted = note_looked(context, project, state, reason)
    with reading(context.engine) as session:
        wanted = wikis.wanted_runs(session, project)
        known = snapshots.all_snapshots(session, project)
    return tuple(
        snapshot.run
        for snapshot in known
        if snapshot.state is DumpState.WAITING and snapshot.tables and snapshot.run in wanted
    )


def note_looked(context: Context, project: Project, state: DumpState, reason: str | None) -> bool:
    """Note what looking at a wiki's runs led to, for the wanted runs of whose files nothing is known, too.

    Returns:
        Whether it was noted; False means that more was asked for meanwhile and is still to be chosen.
    """
    if reason:
        _log.warning("%s: %s", project, reason)
    with writing(context.engine) as session:
        for run in wikis.wanted_runs(session, project) if state.is_trouble else ():
            known = snapshots.load_snapshot(session, project, run)
            if known is None or (known.state is DumpState.WAITING and not known.tables):
                snapshots.note_snapshot_trouble(session, project, run, state, reason or state)
        return wikis.record_looked(session, project, state, reason, now=context.now())


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


def _look(context: Context, project: Project, source: str) -> tuple[DumpState, str | None]:
    try:
        # The tasks of several orders may ask at once; one of them looks.
        with hold_file(context.settings.downloads_dir / f"{project.database}.runs"):
            _choose(context, project, source)
    except NoDumps as error:
        if _has_snapshot(context, project):
            return DumpState.MISSING, f"{error} It had some before."
        return (
            DumpState.NO_DUMPS,
            f"{error} Its days are ranked by logged titles. If they are elsewhere, set WIKIQ_DUMPS_SOURCE.",
        )
    except SourceError as error:
        return state_after(error), str(error)
    except OSError as error:
        return DumpState.FAILED, f"The data directory cannot be written: {error.strerror or error}."
    return DumpState.DONE, None


def _has_snapshot(context: Context, project: Project) -> bool:
    with reading(context.engine) as session:
        return any(snapshot.tables for snapshot in snapshots.all_snapshots(session, project))


def _choose(context: Context, project: Project, source: str) -> None:
    with reading(context.engine) as session:
        open_periods = wikis.undecided(session, project)
        in_use = wikis.runs_in_use(session, project)
    runs = WikiRuns(project.database, lambda path: _read(context, f"{source.rstrip('/')}/{project.database}/{path}"))
    for run in sorted(in_use):
        _take_named(context, project, source, runs, run)
    chosen = {period: runs.nearest(period.middle) for period in open_periods}
    if not chosen and not in_use:
        chosen = {Period(context.now().date()): runs.nearest(context.now().date())}
    failures: dict[dt.date, SourceError] = {}
    for files in {files.run: files for files in chosen.values()}.values():
        try:
            _take_down(context, project, source, runs, files)
        except (NoSnapshot, CorruptFile) as error:
            failures[files.run] = error
    with writing(context.engine) as session:
        sound = {period: files.run for period, files in chosen.items() if files.run not in failures}
        wikis.decide(session, project, sound)
    for failure in failures.values():
        raise failure


def _take_named(context: Context, project: Project, source: str, runs: WikiRuns, run: dt.date) -> None:
    """The files of a run that was named or chosen before; if it cannot be had, that is the run's trouble alone."""
    with reading(context.engine) as session:
        known = snapshots.load_snapshot(session, project, run)
    if known and (known.state is not DumpState.WAITING or known.is_read):
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
